/**
 * The cluster: the gossip core with its sockets, on the control thread's loop. One UDP and one TCP
 * socket on the bound address; streams with deadlines and limits; label and encryption.
 *
 * The packet format and who does what are in pack.h and gossip.h. Everything here is called on the
 * loop's thread. Hooks may call back, but for cluster_free().
 */
#ifndef CLUSTER_IO_H
#define CLUSTER_IO_H

#include "base/loop.h"
#include "cluster/crypt.h"
#include "cluster/gossip.h"

struct cluster;

enum cluster_event_type {
	CLUSTER_JOIN,	      /* member is new, or back */
	CLUSTER_UPDATE,	      /* its metadata changed */
	CLUSTER_LEAVE,	      /* it died or left: see its state */
	CLUSTER_USER_MESSAGE, /* bytes; may come more than once */
};

struct cluster_event {
	enum cluster_event_type type;
	const struct gossip_member *member; /* as it is now; never ourselves; NULL for a message */
	struct rd bytes;
};

/** Who opens streams to us, or takes ours, and can't be understood: a member that should be one, as a rule. */
struct cluster_outsider {
	struct addr addr;
	const char *why; /* in words for a person */
	struct mono at;	 /* the last time */
};

struct cluster_hooks {
	void *ctx;
	void (*on_event)(void *ctx, const struct cluster_event *ev);
	/** Append what a push/pull shall carry, at most GOSSIP_STATE_MAX bytes. May be NULL. */
	void (*local_state)(void *ctx, struct buf *out);
	/** The state of another member. May be NULL. */
	void (*merge_state)(void *ctx, struct rd state);
};

struct cluster_conf {
	const char *name; /* of this node: 1 to GOSSIP_NAME_MAX bytes */
	struct gossip_endpoint bind;
	struct addr advertise;	/* unset: the bound one, or the one on the way to whom we join */
	struct crypt_ring ring; /* empty: not encrypted */
	const char *label;	/* NULL: none */
	const void *meta;	/* NULL: none; at most GOSSIP_META_MAX bytes */
	size_t meta_len;
	const struct gossip_endpoint *join;
	size_t n_join;
	const struct gossip_timing *timing; /* NULL: gossip_lan */
	bool no_compression;
	bool accept_plain; /* with keys: also take what is not encrypted, */
	bool send_plain;   /* or send it: to switch a live cluster over */
	struct cluster_hooks hooks;
};

/** Counters of the sockets; the core's are in cluster/gossip.h. */
#define CLUSTER_METRICS(X, S)                                                                 \
	X(S, COUNTER, packets_in, "Packets received")                                         \
	X(S, COUNTER, packets_out, "Packets sent")                                            \
	X(S, COUNTER, send_failed, "Packets that the system did not take")                    \
	X(S, COUNTER, dropped_label, "Packets and streams of another cluster's label")        \
	X(S, COUNTER, dropped_crypt, "Packets and streams that no key opens")                 \
	X(S, COUNTER, dropped_plain, "Streams that were not encrypted, but must be")          \
	X(S, COUNTER, dropped_encrypted, "Streams that were encrypted, while we have no key") \
	X(S, COUNTER, dropped_malformed, "Streams that could not be taken apart")             \
	X(S, COUNTER, dropped_long, "Streams that were too long")                             \
	X(S, COUNTER, streams_in, "Streams accepted")                                         \
	X(S, COUNTER, streams_out, "Streams opened")                                          \
	X(S, COUNTER, streams_failed, "Streams that ended before their answer")               \
	X(S, COUNTER, streams_refused, "Streams beyond the limit")

struct cluster_stats {
	CLUSTER_METRICS(METRIC_FIELD, )
};

/**
 * Open the sockets and start. Fails with words for a person: port busy, no address to tell the
 * others.
 */
NODISCARD int cluster_new(struct loop *loop, const struct cluster_conf *conf, struct cluster **out,
			  struct err *e);

/** Ends at once, without a word to the others: see cluster_leave(). Takes NULL, returns NULL. */
struct cluster *cluster_free(struct cluster *c);

/**
 * Tell the others that we go. @done is called once that has been told, after a second at the
 * latest; then, and not in the hook, the cluster may be freed. Further calls are ignored.
 */
void cluster_leave(struct cluster *c, void (*done)(void *ctx), void *ctx);

/** New addresses to join, in place of the old. */
void cluster_rejoin(struct cluster *c, const struct gossip_endpoint *join, size_t n);

/**
 * Another secret: its keys, as many as those that it had at the start. The ones before still open what
 * members send that have not got it yet (cluster/keys.h). False: they are the keys that it has.
 */
bool cluster_rekey(struct cluster *c, const struct crypt_ring *ring);
/** Is there a secret? That alone can't change while it runs. */
bool cluster_is_sealed(const struct cluster *c);

/** Push/pull with a member now: see gossip_sync(). */
void cluster_sync(struct cluster *c, const char *name, const struct addr *at);

/** -1 when too long. */
NODISCARD int cluster_set_meta(struct cluster *c, const void *meta, size_t len);

/** Gossip a message of ours: see gossip_broadcast(). -1 when too long or leaving. */
NODISCARD int cluster_broadcast_user(struct cluster *c, const void *bytes, size_t len);

/** Members of any state, ourselves among them: start with *at = 0. */
bool cluster_member_next(const struct cluster *c, size_t *at, const struct gossip_member **out);
const struct gossip_member *cluster_member_find(const struct cluster *c, const char *name);

/** Outsiders of the last minutes: start with *at = 0. */
bool cluster_outsider_next(const struct cluster *c, size_t *at,
			   const struct cluster_outsider **out);

/** All counters of sockets and core, as crier_cluster_…. */
void cluster_collect(struct cluster *c, struct metric_writer *w);

#endif
