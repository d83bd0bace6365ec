/**
 * What the parts of the gossip core share: the struct itself, and who does what.
 *
 *   gossip.c   making, packets in and out, deadlines
 *   member.c   the table of members and their states
 *   probe.c    probing, and helping others to probe
 *   sync.c     push/pull, joining, streams
 */
#ifndef CLUSTER_GOSSIP_PRIV_H
#define CLUSTER_GOSSIP_PRIV_H

#include "base/list.h"
#include "cluster/gossip.h"
#include "cluster/queue.h"
#include "cluster/suspicion.h"
#include "cluster/wire.h"

#define HEALTH_MAX	7
#define PACKET_BUDGET	1400
#define CRC_LEN		5
#define PICK_MAX	8 /* members picked at random for one purpose */
#define RELAYS_MAX	256
#define JOINS_MAX	64
#define DIALS_MAX	64
#define OUTS_MAX	4096
#define USER_QUEUE_MAX	256
#define STRANGERS_BURST 20 /* answers to addresses that belong to no member; this many a second */

struct member {
	struct gossip_member pub;
	char *name;
	uint8_t meta[GOSSIP_META_MAX];
	bool has_meta; /* empty and absent differ on the wire */
	uint8_t vsn[WIRE_VSN_LEN];
	struct suspicion *suspicion; /* NULL: not suspected */
};

struct probe {
	struct member *target; /* NULL: none under way */
	uint32_t seq;
	bool indirect; /* the direct ping was not answered in time */
	bool answered_tcp;
	unsigned nacks_expected;
	unsigned nacks;
	uint32_t dial; /* the TCP ping; 0: none */
	struct mono indirect_at;
	struct mono ends_at;
};

/** A ping that we sent for somebody else. */
struct relay {
	uint32_t seq; /* ours */
	uint32_t asked_seq;
	struct gossip_endpoint asker;
	bool nack;
	struct mono ends_at;
};

struct join {
	struct gossip_endpoint to;
	bool present; /* a live member has this address */
	struct dur wait;
	struct mono at;
};

/** A stream that we asked for. */
struct dial {
	uint32_t id;
	bool sync; /* else a ping */
	struct gossip_endpoint to;
};

struct gossip {
	struct gossip_conf conf;
	struct gossip_stats stats;
	struct list outs; /* struct out */
	size_t n_outs;
	void *lent; /* the out that gossip_next() gave last */

	struct map *by_name;
	struct member **members; /* in the order of probing */
	size_t n_members;
	size_t cap_members;
	size_t n_suspects;
	size_t probe_index;
	struct member *self;
	uint32_t incarnation; /* our own, the last used */
	bool leaving;
	bool left;

	struct queue queue;
	struct queue user_queue;
	unsigned health;
	uint32_t last_seq;
	uint32_t last_dial;
	struct probe probe;
	struct relay relays[RELAYS_MAX];
	size_t n_relays;
	struct dial dials[DIALS_MAX];
	size_t n_dials;
	struct join joins[JOINS_MAX];
	size_t n_joins;

	char incompatible[WIRE_NAME_MAX + 1]; /* whose version was last told of */

	struct mono gossip_at;
	struct mono gossiped_at;
	struct mono probe_at;
	struct mono sync_at;
	struct mono joins_at;
	double strangers; /* answers that may still go to unknown addresses */
	struct mono strangers_at;
};

/* A name from a message or of a member: never longer than the room. */
static inline void name_copy(char out[static WIRE_NAME_MAX + 1], const char *name)
{
	size_t len = strnlen(name, WIRE_NAME_MAX);

	memcpy(out, name, len);
	out[len] = '\0';
}

/* gossip.c */

/** Queue something for the shell; @bytes are copied. NULL when the cap refuses. */
struct gossip_out *gossip_emit(struct gossip *g, enum gossip_out_type type, struct rd bytes);
void gossip_emit_member(struct gossip *g, enum gossip_out_type type, struct member *m);
/**
 * Send a message, and with it what waits in the queues and fits. No checksum: Go's lookup of the
 * receiver fails here, and so nobody expects one.
 */
void gossip_send(struct gossip *g, const struct gossip_endpoint *to, struct rd message);
/** Send two messages to a member, and nothing else. */
void gossip_send_pair(struct gossip *g, const struct member *to, struct rd first, struct rd second);
/** Gossip soon: something was queued. */
void gossip_wake(struct gossip *g, struct mono now);
void gossip_health(struct gossip *g, int change);
/**
 * Whether an address that a message asks us to send to is a member's, or the rate for others allows
 * it.
 */
bool gossip_may_send(struct gossip *g, const struct gossip_endpoint *to, struct mono now);

/* member.c */

void members_init(struct gossip *g, struct mono now);
void members_fini(struct gossip *g);
struct member *members_find(const struct gossip *g, const char *name);
bool members_has_endpoint(const struct gossip *g, const struct gossip_endpoint *to, bool live);
/** Up to @n members for which @wanted is true, at random; returns how many. */
typedef bool member_filter(const struct gossip *g, const struct member *m, const void *arg);
size_t members_pick(struct gossip *g, size_t n, struct member **out, member_filter *wanted,
		    const void *arg);
/** Forget those that are dead for long, and shuffle the rest. */
void members_refresh(struct gossip *g, struct mono now);
void member_alive(struct gossip *g, const struct wire_node *node, struct mono now);
void member_suspect(struct gossip *g, const struct wire_accusation *a, struct mono now);
void member_dead(struct gossip *g, const struct wire_accusation *a, struct mono now);
/** Tell everybody about ourselves anew, with an incarnation above @accused. */
void member_reintroduce(struct gossip *g, uint32_t accused, struct mono now);
void member_describe(const struct member *m, struct wire_node *out);
void suspicions_tick(struct gossip *g, struct mono now);
struct mono suspicions_deadline(const struct gossip *g);

/* probe.c */

void probe_tick(struct gossip *g, struct mono now);
struct mono probe_deadline(const struct gossip *g);
void probe_ping(struct gossip *g, const struct gossip_endpoint *from, struct rd r, struct mono now);
void probe_indirect_ping(struct gossip *g, const struct gossip_endpoint *from, struct rd r,
			 struct mono now);
void probe_ack(struct gossip *g, struct rd r);
void probe_nack(struct gossip *g, struct rd r);
void probe_unsent(struct gossip *g, const struct gossip_endpoint *to, struct mono now);
/** The answer to a TCP ping. */
void probe_tcp_answer(struct gossip *g, uint32_t dial, struct rd r);

/* sync.c */

/** Ask the shell for a stream; 0 when too many are open. */
uint32_t sync_dial(struct gossip *g, const struct gossip_endpoint *to, bool sync, struct dur within,
		   struct rd request);
void sync_start(struct gossip *g, const struct gossip_endpoint *to, bool join);
void sync_tick(struct gossip *g, struct mono now);
struct mono sync_deadline(const struct gossip *g);

#endif
