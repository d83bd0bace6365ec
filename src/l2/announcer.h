/**
 * The Layer 2 announcer: answers requests for the addresses that this node owns, and says so
 * unasked when it takes one. Pure: it is given tables, who is alive, frames and the present time;
 * it answers with frames, events and a deadline.
 *
 * Ownership follows l2/succession.h, but for claims of other machines: see l2/conflict.c. After
 * each call with a clock, drain l2_announcer_next_event(); whenever the deadline has passed, call
 * l2_announcer_tick() and drain l2_announcer_next_frame().
 *
 * The shell (l2/io.h) drives it, on the packet thread.
 *
 * Covered: see l2/arp.h and l2/ndp.h; of RFC 4861 §7.2.6 also that a change is advertised more than
 * once; RFC 5227 §2.4 conflict detection and defence (c: never give up, defend once in 10 s), §2.1
 * probing with shorter waits, both for IPv6 too. Left out: RFC 5227 §2.4 (b).
 */
#ifndef L2_ANNOUNCER_H
#define L2_ANNOUNCER_H

#include "base/bytes.h"
#include "l2/ndp.h"
#include "l2/table.h"

enum { PINGS_A_SECOND = 10000, PINGS_AT_ONCE = 1000 };

struct l2_announcer_conf {
	uint64_t seed; /* of the refresh's jitter */
};

/** One frame to send. */
struct l2_frame {
	int ifindex;
	enum l2_proto proto;
	size_t len;
	uint8_t bytes[NDP_ADVERT_LEN]; /* ARP's are shorter */
};

enum l2_event_kind {
	L2_TOOK, /* this node answers for `addr` from now on */
	L2_LOST,
	L2_HELD,     /* why it does not answer for `addr`, which would be its own, has changed */
	L2_CONFLICT, /* another machine claims `addr`: once in 10 s, or when something is new */
	L2_SOCKET_FAILED, /* by the shell: nothing can be heard on `ifindex`; tried again later */
	L2_MAP_FAILED, /* by the shell: sockets can't ask the map; it needs a table with filters */
};

struct l2_event {
	enum l2_event_kind kind;
	struct addr addr;	 /* took, lost, conflict */
	struct mono at;		 /* when it was so decided */
	int ifindex;		 /* conflict, socket failed */
	enum l2_proto proto;	 /* socket failed */
	int error;		 /* socket failed: errno */
	struct mac mac;		 /* conflict: the other machine's */
	enum l2_verdict verdict; /* conflict */
};

struct l2_announcer;

NODISCARD struct l2_announcer *l2_announcer_new(const struct l2_announcer_conf *conf);
/** The table in force is not freed. Takes NULL, returns NULL. */
struct l2_announcer *l2_announcer_free(struct l2_announcer *a);

/**
 * Put a new table in force. Addresses that both tables have keep their state; what is owned is
 * announced at once where that is new: an address taken, an interface that appeared or changed. Who
 * is alive: where @table differs from the one before, it decides; the rest stays as
 * l2_announcer_set_alive() left it.
 * Returns the table that was in force (NULL at first): the caller's again once
 * l2_announcer_is_leaving() says false, while events are drained.
 */
struct l2_table *l2_announcer_apply(struct l2_announcer *a, struct l2_table *table,
				    struct mono now);

/**
 * A node died or came back: takes and gives up addresses at once. To one that is back we say whose the addresses are
 * that it may have answered for.
 */
void l2_announcer_set_alive(struct l2_announcer *a, uint16_t node, bool alive, struct mono now);

/**
 * A node is back that may have answered for what is ours while we could not be heard: say whose it is. Part of the
 * functions above and below where they bring a node back.
 */
void l2_announcer_remind(struct l2_announcer *a, uint16_t node, struct mono now);

/**
 * A node is out of the running, or no more, whatever tables and l2_announcer_set_alive() say of it: somebody who
 * knows sooner has found it dead, or it leaves. What it claims counts for nothing: the kernel of a process that has
 * died goes on for a while. This node itself owns nothing while it is barred.
 */
void l2_announcer_bar(struct l2_announcer *a, uint16_t node, bool barred, struct mono now);

/**
 * What this node owns goes, without a word, to the first member that claims it, and is announced no more until then.
 * Or not any more: what went so is ours again.
 */
void l2_announcer_yield(struct l2_announcer *a, bool yields, struct mono now);

/**
 * A frame came in on @ifindex. Returns L2_RX_OK and sets @reply, or why there is none; both are
 * counted.
 */
enum l2_rx l2_announcer_rx(struct l2_announcer *a, int ifindex, struct rd frame,
			   struct l2_frame *reply, struct mono now);

/**
 * An echo request came in on @ifindex. Returns L2_RX_OK and writes @reply, or why there is none; both are counted
 * among the pings. Pings are nobody's duty: more than PINGS_A_SECOND are left alone.
 */
enum l2_rx l2_announcer_ping(struct l2_announcer *a, int ifindex, struct rd frame, struct wr *reply,
			     struct mono now);

/** The same for one that the shell dropped itself. */
void l2_announcer_drop_ping(struct l2_announcer *a, enum l2_rx why);

/** Count a frame that the shell dropped itself. */
void l2_announcer_drop(struct l2_announcer *a, enum l2_rx why);

/** Do what is due at @now; ownership may change by it. */
void l2_announcer_tick(struct l2_announcer *a, struct mono now);

/** The next announcement or question that is due at @now; false when there is none. */
bool l2_announcer_next_frame(struct l2_announcer *a, struct mono now, struct l2_frame *out);

/** What has changed and was not told yet; false when nothing. */
bool l2_announcer_next_event(struct l2_announcer *a, struct l2_event *out);

/** Are some of these about the table that was in force before? */
bool l2_announcer_is_leaving(const struct l2_announcer *a);

/** Is there an event to drain? */
bool l2_announcer_has_events(const struct l2_announcer *a);

/** When to ask for the next frame; MONO_NEVER: not before something changes. */
struct mono l2_announcer_deadline(const struct l2_announcer *a);

/** Which set's filters let through every request for what is owned now. */
enum l2_filter_set l2_announcer_filter_set(const struct l2_announcer *a);

/** The table in force, or NULL. */
struct l2_table *l2_announcer_table(struct l2_announcer *a);

/** Counted by this thread; others read with l2_stats_read(). */
struct l2_stats *l2_announcer_stats(struct l2_announcer *a);

#endif
