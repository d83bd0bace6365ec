/**
 * The cluster's shell: io.c has the datagrams, the timer and the core's wishes; conn.c the streams;
 * advertise.c finds the address to tell.
 */
#ifndef CLUSTER_PRIV_H
#define CLUSTER_PRIV_H

#include "base/list.h"
#include "cluster/io.h"
#include "cluster/keys.h"
#include "cluster/pack.h"

#define CONNS_IN_MAX	128
#define OUTSIDERS_MAX	8
#define OUTSIDER_FOR	DUR_S(180) /* without another try it has given up, or is in */
#define CONNS_BYTES_MAX (64 << 20) /* received and not yet complete, of all streams together */

struct cluster {
	struct loop *loop;
	struct cluster_hooks hooks;
	char *label;
	struct crypt_ring ring;
	struct keys keys; /* who understands which */
	struct pack_conf pack;
	struct gossip_endpoint bind;
	struct gossip_endpoint self;
	struct dur stream_timeout;
	struct rng rng;
	struct gossip *gossip;
	struct cluster_stats stats;
	bool draining;

	int udp_fd;
	int tcp_fd;
	struct loop_io udp_io;
	struct loop_io tcp_io;
	struct loop_timer timer;
	struct loop_timer accept_timer; /* the system was out of descriptors: go on later */

	bool leaving;
	void (*left)(void *ctx);
	void *left_ctx;
	struct loop_timer left_timer;

	struct list conns; /* struct conn */
	size_t n_conns_in;
	size_t conns_bytes;
	uint32_t last_conn;
	struct cluster_outsider outsiders[OUTSIDERS_MAX]; /* no address: free */

	uint8_t packet[PACK_PACKET_MAX];
	uint8_t opened[PACK_PACKET_MAX];
};

/* io.c */

/** Do what the core wants, and set the timer. After every call into it. */
void cluster_drain(struct cluster *c);
void cluster_count_refusal(struct cluster *c, enum pack_refusal why);
/** Something from there could be read: with which key it speaks, and that it is no outsider. */
void cluster_heard(struct cluster *c, const struct addr *from);
/** A stream of this address was refused: say so, once as long as it goes on. */
void cluster_note_outsider(struct cluster *c, const struct addr *addr, enum pack_refusal why);

/* conn.c */

void conns_init(struct cluster *c);
void conns_fini(struct cluster *c);
NODISCARD int conns_listen(struct cluster *c, struct err *e);
void conns_dial(struct cluster *c, const struct gossip_out *out);
/** Answer an accepted stream; with no bytes just close it. */
void conns_reply(struct cluster *c, uint32_t id, struct rd message);

/* advertise.c */

/**
 * The address for the others when we are bound to all of ours: the one on the way to whom we join, or else the first. Where
 * the family of @bind leads nowhere it is the other one's, and @bind all addresses of that.
 */
NODISCARD int advertise_find(const struct cluster_conf *conf, struct addr *bind, struct addr *out,
			     struct err *e);

#endif
