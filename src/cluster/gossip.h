/**
 * Membership by gossip: who is in the cluster, who is suspected, who died or left. The protocol of
 * HashiCorp's memberlist (SWIM with Lifeguard), so that members of both kinds mix.
 *
 * A pure core. The shell hands over packets and streams (label and encryption already taken off),
 * tells the time, and drains gossip_next() after every call: datagrams to send, streams to open,
 * answer or close, and what happened. Everything is bounded: members, queues, relayed pings, open
 * streams, what one packet may unpack.
 *
 * Covered: direct, indirect and TCP probes, nacks, suspicion with confirmations, refutation, health
 * score, gossip also to the lately dead, push/pull with user state, join, leave, user messages.
 * Beyond it: join addresses that are not members are dialled again for ever, so that the order of
 * starting does not matter and a healed split converges. Left out: reclaiming the name of a dead
 * member at another address before it is forgotten.
 */
#ifndef CLUSTER_GOSSIP_H
#define CLUSTER_GOSSIP_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/metric.h"
#include "base/rng.h"
#include "base/time.h"

#define GOSSIP_NAME_MAX	   255
#define GOSSIP_META_MAX	   512
#define GOSSIP_MEMBERS_MAX 4096
#define GOSSIP_USER_MAX	   1024	     /* bytes of a gossiped user message */
#define GOSSIP_STATE_MAX   (1 << 20) /* bytes of user state in a push/pull */
#define GOSSIP_PORT	   7946
#define GOSSIP_RIVAL_FOR   DUR_S(180) /* a claim to a name that is not repeated is over then */

enum gossip_state { GOSSIP_ALIVE, GOSSIP_SUSPECT, GOSSIP_DEAD, GOSSIP_LEFT };
const char *gossip_state_name(enum gossip_state s);

struct gossip_endpoint {
	struct addr addr;
	uint16_t port;
};

struct gossip_member {
	const char *name;
	struct addr addr;
	uint16_t port;
	const uint8_t *meta;
	size_t meta_len;
	enum gossip_state state;
	uint32_t incarnation;
	struct mono since; /* of the state */
	bool self;
	struct gossip_endpoint rival; /* who else claimed the name, */
	struct mono rival_at;	      /* and when for the last time; no address: nobody */
};

/** A member takes part while it is alive or merely suspected. */
static inline bool gossip_member_is_live(const struct gossip_member *m)
{
	return m->state == GOSSIP_ALIVE || m->state == GOSSIP_SUSPECT;
}

struct gossip_timing {
	struct dur probe_interval;
	struct dur probe_timeout;
	struct dur gossip_interval;
	struct dur sync_interval;    /* push/pull */
	struct dur dead_gossip_time; /* dead members are kept and told so long */
	struct dur stream_timeout;
	unsigned indirect_checks;
	unsigned retransmit_mult;
	unsigned suspicion_mult;
	unsigned suspicion_max_mult;
	unsigned gossip_nodes;
};
/** The presets that all members of a cluster must share more or less. */
extern const struct gossip_timing gossip_lan;
extern const struct gossip_timing gossip_wan;
extern const struct gossip_timing gossip_local;

struct gossip_conf {
	const char *name; /* copied, as are all the following */
	struct addr addr; /* where the others reach us */
	uint16_t port;
	const void *meta;
	size_t meta_len; /* at most GOSSIP_META_MAX */
	struct gossip_timing timing;
	size_t packet_overhead; /* bytes that the shell adds to a packet */
	bool compress;		/* packets, where it makes them smaller */
	/** Those of this member begin behind it: greater than in an earlier life, its return is believed at once. */
	uint32_t incarnation;
	struct rng *rng; /* borrowed */
	/** Append the application's state for a push/pull; must not call the core. NULL: none. */
	void (*local_state)(void *ctx, struct buf *out);
	void *ctx;
};

/** Counters; the shell's are in cluster/io.h. */
#define GOSSIP_METRICS(X, S)                                                                       \
	X(S, GAUGE, members, "Members alive or suspected, ourselves included")                     \
	X(S, GAUGE, members_known, "Members of any state")                                         \
	X(S, GAUGE, health, "Our own health score: 0 is best")                                     \
	X(S, GAUGE, queued, "Messages waiting to be gossiped")                                     \
	X(S, COUNTER, probes, "Probes of members")                                                 \
	X(S, COUNTER, probes_failed, "Probes without any answer")                                  \
	X(S, COUNTER, probes_tcp_only, "Probes answered over TCP alone: UDP does not get through") \
	X(S, COUNTER, refutes, "Accusations against us that we refuted")                           \
	X(S, COUNTER, suspicions, "Members that became suspected")                                 \
	X(S, COUNTER, deaths, "Members that were declared dead")                                   \
	X(S, COUNTER, syncs, "Push/pulls that were merged")                                        \
	X(S, COUNTER, syncs_failed, "Push/pulls that failed or were refused")                      \
	X(S, COUNTER, conflicts, "Claims to a member's name from another address")                 \
	X(S, COUNTER, dropped_malformed, "Messages that could not be decoded")                     \
	X(S, COUNTER, dropped_crc, "Packets with a wrong checksum")                                \
	X(S, COUNTER, dropped_type, "Messages of an unknown type")                                 \
	X(S, COUNTER, dropped_depth, "Messages nested or compressed beyond the limit")             \
	X(S, COUNTER, dropped_name, "Pings meant for another name")                                \
	X(S, COUNTER, dropped_limit, "What one of the caps refused")                               \
	X(S, COUNTER, dropped_unknown, "Requests to answer unknown addresses, beyond the rate")

struct gossip_stats {
	GOSSIP_METRICS(METRIC_FIELD, )
};

enum gossip_out_type {
	GOSSIP_OUT_PACKET,	 /* send bytes to addr, port */
	GOSSIP_OUT_DIAL,	 /* open a stream to addr, port: send bytes, read one answer */
	GOSSIP_OUT_REPLY,	 /* answer on the accepted stream; then close it */
	GOSSIP_OUT_CLOSE,	 /* close the accepted stream */
	GOSSIP_OUT_JOIN,	 /* member is new, or back */
	GOSSIP_OUT_UPDATE,	 /* its metadata changed */
	GOSSIP_OUT_LEAVE,	 /* it died (state dead) or left */
	GOSSIP_OUT_CONFLICT,	 /* someone at addr, port claims to be member */
	GOSSIP_OUT_USER_MESSAGE, /* bytes */
	GOSSIP_OUT_USER_STATE,	 /* bytes, the state of a member that we synchronised with */
	GOSSIP_OUT_REMOTE_ERROR, /* bytes: what the other side said of our stream to addr, port */
	GOSSIP_OUT_INCOMPATIBLE, /* bytes: whose version made us refuse a push/pull; each name once */
	GOSSIP_OUT_LEFT,	 /* our leave has been told */
};

struct gossip_out {
	enum gossip_out_type type;
	uint32_t stream; /* DIAL: ours; REPLY, CLOSE: as given to gossip_stream_request() */
	struct addr addr;
	uint16_t port;
	struct dur within;		    /* DIAL: all of it */
	const struct gossip_member *member; /* as it is now; not of ourselves */
	struct rd bytes;
};

struct gossip;

NODISCARD struct gossip *gossip_new(const struct gossip_conf *conf, struct mono now);
struct gossip *gossip_free(struct gossip *g); /* takes NULL, returns NULL */

/** A packet arrived. */
void gossip_packet(struct gossip *g, const struct addr *from, uint16_t port, struct rd bytes,
		   struct mono now);
/** A packet for @to could not be sent at all: a probe need not wait for its answer. */
void gossip_unsent(struct gossip *g, const struct addr *to, uint16_t port, struct mono now);
/** The whole request of an accepted stream; @id is the shell's own. REPLY or CLOSE follows. */
void gossip_stream_request(struct gossip *g, uint32_t id, struct rd message, struct mono now);
/** The whole answer on a stream that DIAL asked for. */
void gossip_stream_answer(struct gossip *g, uint32_t id, struct rd message, struct mono now);
/** A stream that DIAL asked for ended without an answer. */
void gossip_stream_failed(struct gossip *g, uint32_t id);

void gossip_tick(struct gossip *g, struct mono now);
struct mono gossip_deadline(const struct gossip *g);
/** The next thing to do; valid until the next call of anything here. False: nothing. */
bool gossip_next(struct gossip *g, struct gossip_out *out);

/**
 * Addresses to join, replacing those given before. All are dialled at once, the absent again and
 * again.
 */
void gossip_join(struct gossip *g, const struct gossip_endpoint *v, size_t n, struct mono now);
/**
 * Push/pull with one member now.
 * @at: where it was, on our own port, should it be forgotten since; NULL: then nothing happens
 */
void gossip_sync(struct gossip *g, const char *name, const struct addr *at);
/** New metadata of ours; -1 when too long. */
NODISCARD int gossip_set_meta(struct gossip *g, const void *meta, size_t len, struct mono now);
/**
 * Spread a message: some members get it from us. To reach all, those who see it for the first time
 * must spread it on. -1 when too long or leaving.
 */
NODISCARD int gossip_broadcast(struct gossip *g, struct rd message, struct mono now);
/**
 * Tell the others that we go; LEFT follows once that has been told. Nothing is joined afterwards.
 */
void gossip_leave(struct gossip *g, struct mono now);

/** Members of any state, ourselves among them: start with *at = 0. */
bool gossip_member_next(const struct gossip *g, size_t *at, const struct gossip_member **out);
const struct gossip_member *gossip_member_find(const struct gossip *g, const char *name);

const struct gossip_stats *gossip_stats(struct gossip *g);

#endif
