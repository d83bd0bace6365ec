/**
 * Programs of ours inside the kernel (eBPF): socket filters whose cost does not grow with the number of addresses,
 * answers to ARP and NDP from within the driver (XDP), and notes there of BFD packets that tell nothing new. libbpf's
 * one door, where it and clang were there to build with; else, and where the host does not permit it (CAP_BPF,
 * CAP_PERFMON, CAP_NET_ADMIN), fast_new() fails and packets take the way of net/packet.h and net/udp.h alone.
 *
 * Filters and answers share one map of addresses on links. What is in it is heard by the filters; what is marked as
 * answered is answered by XDP on links where that is so, as long as the daemon's heartbeat is young: FAST_STALE after
 * a process was stopped its links are silent.
 *
 * Notes have a slot of memory for each session, shared with the kernel. A packet that equals the slot's is counted
 * there with the time that it came, and goes no further: neither sockets nor packet filters nor captures of this host
 * see it. Whoever begins says until when.
 *
 * A program that somebody else has attached is respected. Everything goes when the process does.
 *
 * fast_attach() and fast_detach() may wait for the kernel; they and fast_free() belong to one thread, fast_note_open()
 * and all that follows it to one, too. The others do not wait and may be called from any.
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

enum fast_use { FAST_ANSWERS = 1, FAST_NOTES = 2 };

/**
 * Make a link do what @uses says (a set of enum fast_use, not empty). Where a program of ours is, only its work changes,
 * and it stays in its mode.
 * Returns -ERR_STATE when somebody else's program is there.
 */
NODISCARD int fast_attach(struct fast *f, int ifindex, enum fast_mode mode, unsigned uses,
			  struct err *e);
void fast_detach(struct fast *f, int ifindex);
/** What a link does; 0: nothing. */
unsigned fast_uses(const struct fast *f, int ifindex);
/** Does any link answer? Then somebody has to call fast_beat() every FAST_BEAT. */
bool fast_needs_beat(const struct fast *f);
/** Has any link ever answered? Else there is nothing that fast_answers() could tell. */
bool fast_has_answered(const struct fast *f);

/** The daemon is well. */
void fast_beat(struct fast *f);
/** Answer nothing any more, until the next beat. */
void fast_silence(struct fast *f);

/** A session's slot; the fields are the implementation's. Zero-initialised is "not open". */
struct fast_note {
	struct note_slot *slot;
	uint32_t place;
	uint32_t ifindex;
	uint32_t disc;
};

#define FAST_NOTE_LEN 24

/** For packets to @disc that come in by a link. Fails when all slots are taken. */
NODISCARD int fast_note_open(struct fast *f, int ifindex, uint32_t disc, struct fast_note *out);
/** May be repeated. */
void fast_note_close(struct fast *f, struct fast_note *n);
static inline bool fast_note_is_open(const struct fast_note *n)
{
	return n->slot;
}

/** Note until then each packet between these two (TTL 255, to BFD's port of single hops) that says exactly this. */
void fast_note_begin(struct fast_note *n, const struct addr *from, const struct addr *to,
		     const uint8_t packet[static FAST_NOTE_LEN], struct mono until);
/** Hand them over again. */
void fast_note_end(struct fast_note *n);
/** How many were noted since it is open. @last: when the last of them came; not set while there was none */
uint64_t fast_note_read(const struct fast_note *n, struct mono *last);

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
