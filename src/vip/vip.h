/**
 * Service addresses of a plain host: which link one goes to, putting it there, and taking it away
 * again, so that none outlives its daemon and nothing that somebody else has added is ever touched.
 *
 * Four nets under a bound address, each for the case that the one before it fails:
 *   vip_manager_free()  takes away what this daemon has added
 *   the keeper          a small process in its own session that does so when the daemon has died
 *                       (kill -9), or when its heartbeat stalls
 *   vip_cleanup()       at the next start, and for a command of that name: by record and IFA_PROTO
 *   the kernel          each address has a finite lifetime, which the daemon renews
 *
 * An address counts as ours when the record names it *and* the kernel has kept our mark
 * (IFA_PROTO); on kernels before 5.18, which keep none, the record alone decides.
 *
 * Changes are carried out by a thread of their own (net/worker.h), because the kernel's lock around links and the
 * disk under the record can take their time; the loop decides and hears what came of it.
 *
 * Neighbours are not told here: announcing is Layer 2's task.
 */
#ifndef VIP_VIP_H
#define VIP_VIP_H

#include "base/metric.h"
#include "net/link.h"

enum vip_mode {
	VIP_LAYER2, /* auto: the link of the network that the address is in */
	VIP_ROUTED, /* auto: lo */
};

enum vip_state {
	VIP_PENDING,  /* asked for; under way */
	VIP_BOUND,    /* on its link, by us */
	VIP_FOREIGN,  /* on a link, by somebody else: left alone */
	VIP_UNPLACED, /* no link fits; the reason says why */
	VIP_FAILED,   /* the kernel refused, or the record could not be written; tried again */
};

/** What vip_state() lends: void when the loop has turned. */
struct vip_status {
	enum vip_state state;
	const char *link;   /* where it is; "" for nowhere */
	const char *reason; /* why it is not as it was asked for; "" when it is */
};

struct vip_conf {
	struct loop *loop;
	struct net_links *links;
	const char *state_path; /* the record; an absolute path in a folder that exists */
	bool (*link_allowed)(void *ctx, const char *name); /* for auto; NULL: all are */
	/** An address has another state than before; may be NULL; must not call back. */
	void (*changed)(void *ctx, const struct addr *a, const struct vip_status *now);
	void *ctx;

	/* Zero stands for the default. */
	uint32_t life_s;      /* 30: of an address that nobody renews */
	struct dur renew;     /* 10 s */
	struct dur heartbeat; /* 1 s, while an address is on a link */
	struct dur stalled;   /* 3 s without a heartbeat: the keeper takes the addresses away */
};

#define VIP_METRICS(X, S)                                                        \
	X(S, COUNTER, added, "Service addresses added to a link")                \
	X(S, COUNTER, removed, "Service addresses taken off a link")             \
	X(S, COUNTER, refused, "Changes of service addresses that failed")       \
	X(S, COUNTER, vanished, "Service addresses taken off by somebody else")  \
	X(S, COUNTER, keeper_restarts, "Times that the keeper process was lost") \
	X(S, GAUGE, bound, "Service addresses on links of this host")
struct vip_stats {
	VIP_METRICS(METRIC_FIELD, )
};

struct vip_manager;

/**
 * Clean up what an earlier daemon left, and start the keeper. @conf's strings are copied.
 * Fails with ERR_STATE while another daemon keeps the same record.
 */
NODISCARD int vip_manager_new(const struct vip_conf *conf, struct vip_manager **out, struct err *e);

/** Takes every address away that it has added. Takes NULL, returns NULL. */
struct vip_manager *vip_manager_free(struct vip_manager *m);

/**
 * This address shall be here. Idempotent; another mode or link moves it.
 * @link: the link by name; NULL: auto
 */
void vip_want(struct vip_manager *m, const struct addr *a, enum vip_mode mode, const char *link);

/** It shall not, or no longer. Idempotent. */
void vip_unwant(struct vip_manager *m, const struct addr *a);

/** End TCP connections of addresses that are taken away, so that clients come back at once. On until told otherwise. */
void vip_end_connections(struct vip_manager *m, bool wanted);

/**
 * Where a thread that is never busy for long writes the time (ns of the monotonic clock) again and again, so that a
 * daemon that was stopped has no addresses for long. Lives as long as @m.
 */
NODISCARD _Atomic int64_t *vip_pulse(struct vip_manager *m);
/** Asleep for so long, by what is written there, the daemon counts as stopped; 0 (the default): nobody looks. */
void vip_pulse_limit(struct vip_manager *m, struct dur limit);

/** False when the address is neither wanted nor still here. */
bool vip_state(const struct vip_manager *m, const struct addr *a, struct vip_status *out);

/**
 * Would it find a link now, if it were wanted? A node where it would not is no candidate for it.
 * @out: VIP_PENDING with the link, or VIP_UNPLACED with the reason
 */
bool vip_possible(struct vip_manager *m, const struct addr *a, enum vip_mode mode, const char *link,
		  struct vip_status *out);

const struct vip_stats *vip_stats(const struct vip_manager *m);

/**
 * Remove what the record at @state_path names, and the record with it. Needs no loop.
 * @removed: how many; may be NULL
 * Fails with ERR_STATE while a daemon keeps the record.
 */
NODISCARD int vip_cleanup(const char *state_path, size_t *removed, struct err *e);

#endif
