/**
 * Programs of ours inside the kernel (eBPF): socket filters whose cost does not grow with the number of addresses, and
 * answers to ARP and NDP from within the driver (XDP). libbpf's one door, where it and clang were there to build with;
 * else, and where the host does not permit it (CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN), fast_new() fails and packets take the way of
 * net/packet.h alone.
 *
 * All programs share one map of addresses on links. What is in it is heard by the filters; what is marked as answered
 * is answered by XDP on links that it is attached to, as long as the daemon's heartbeat is young: FAST_STALE after a
 * process was stopped its links are silent. A program that somebody else has attached is respected. Everything goes
 * when the process does.
 *
 * fast_attach() and fast_detach() may wait for the kernel; they and fast_free() belong to one thread. The others do
 * not wait and may be called from any.
 */
#ifndef NET_FAST_H
#define NET_FAST_H

#include "base/addr.h"
#include "base/metric.h"
#include "base/time.h"

#define FAST_STALE DUR_MS(150)
#define FAST_BEAT  DUR_MS(50)

struct fast;

NODISCARD int fast_new(struct fast **out, struct err *e);
struct fast *fast_free(struct fast *f); /* takes NULL, returns NULL */

/** Let an ARP, or an IPv6, packet socket hear what the map asks for, and nothing else. */
NODISCARD int fast_filter(const struct fast *f, int fd, bool ipv6, struct err *e);

struct fast_entry {
	int ifindex;
	struct addr addr;
	struct mac mac; /* of the link */
	bool answers;	/* else it is only heard */
};

/** Insert or replace. Fails when the map is full. */
NODISCARD int fast_put(struct fast *f, const struct fast_entry *entry);
void fast_del(struct fast *f, int ifindex, const struct addr *addr);

/** Answers on a link since it was put in last; false when it is not in. */
bool fast_answers(const struct fast *f, int ifindex, const struct addr *addr, uint64_t *n,
		  struct mono *last);

enum fast_mode {
	FAST_NATIVE, /* in the driver */
	FAST_GENERIC, /* above it, for any link; the kernel then copies every packet that comes in pieces */
};

/**
 * Answer on a link. Nothing happens where that is so.
 * Returns -ERR_STATE when somebody else's program is there.
 */
NODISCARD int fast_attach(struct fast *f, int ifindex, enum fast_mode mode, struct err *e);
void fast_detach(struct fast *f, int ifindex);
bool fast_is_attached(const struct fast *f, int ifindex);
/** On any link? Then somebody has to call fast_beat() every FAST_BEAT. */
bool fast_needs_beat(const struct fast *f);

/** The daemon is well. */
void fast_beat(struct fast *f);
/** Answer nothing any more, until the next beat. */
void fast_silence(struct fast *f);

#define FAST_METRICS(X, S)                                                                     \
	X(S, COUNTER, arp_answered, "ARP requests answered in the driver")                     \
	X(S, COUNTER, ndp_answered, "Neighbour solicitations answered in the driver")          \
	X(S, COUNTER, stale, "Requests left to the process because its heartbeat was too old") \
	X(S, COUNTER, unwanted,                                                                \
	  "Requests for addresses of others that the kernel's filter kept away")

struct fast_stats {
	FAST_METRICS(METRIC_FIELD, )
};

extern const struct metric_row fast_metric_rows[];
extern const size_t fast_metric_rows_n;

void fast_stats(const struct fast *f, struct fast_stats *out);

#endif
