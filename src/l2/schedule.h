/**
 * When each address says its next announcement. An announcement is a row of steps, one frame on
 * each interface a step; the waits between steps are the same for all addresses, so each step is a
 * plain queue in order of time.
 *
 * Of all that is due the lowest step goes first: every address has its first copy on the wire
 * before any second one.
 */
#ifndef L2_SCHEDULE_H
#define L2_SCHEDULE_H

#include "base/time.h"

enum {
	L2_ROUNDS = 5, /* 0, 1.1, 2.2, 3.3 and 4.4 s: MetalLB's window of 5 s */
	L2_ROUND_STEPS = 2,
	L2_ANNOUNCE_STEPS = L2_ROUNDS * L2_ROUND_STEPS,
	L2_REFRESH_STEP = L2_ANNOUNCE_STEPS, /* one more round, for the slow refresh */
	L2_STEPS = L2_ANNOUNCE_STEPS + L2_ROUND_STEPS,
	L2_STEP_IDLE = L2_STEPS,
};

#define L2_ROUND_GAP DUR_MS(1100)
#define L2_NONE	     UINT32_MAX

/** What the packet thread remembers of one address of a table. Made by l2_slots_new(). */
struct l2_slot {
	struct mono due;
	uint32_t prev; /* in the queue of its step */
	uint32_t next;
	uint32_t changed_next; /* in the list of changes to tell */
	uint32_t moved;	       /* its place in the next table */
	uint32_t only_ifindex; /* announce there alone; 0: everywhere */
	uint16_t iface_at;     /* the step's next interface */
	uint8_t step;	       /* L2_STEP_IDLE: nothing to announce */
	bool owned;
	bool told;    /* what the last event said */
	bool changed; /* in the list */
};

NODISCARD struct l2_slot *l2_slots_new(size_t n);

struct l2_queue {
	uint32_t head;
	uint32_t tail;
};

struct l2_schedule {
	struct l2_slot *slots;
	struct l2_queue steps[L2_STEPS];
};

void l2_schedule_init(struct l2_schedule *s, struct l2_slot *slots);

/**
 * Put address @i, which is idle, at the end of a step's queue. @due is not before that of those in
 * the queue.
 */
void l2_schedule_put(struct l2_schedule *s, uint32_t i, unsigned step, struct mono due);

/** Take address @i out; nothing happens when it is idle. */
void l2_schedule_remove(struct l2_schedule *s, uint32_t i);

/** Move address @i on to the step after @skip more, or to idle at the end of its row. */
void l2_schedule_advance(struct l2_schedule *s, uint32_t i, unsigned skip, struct mono now);

/** Which address goes next, or L2_NONE when none is due. */
uint32_t l2_schedule_due(const struct l2_schedule *s, struct mono now);

/** When the next one is due, or MONO_NEVER. */
struct mono l2_schedule_deadline(const struct l2_schedule *s);

#endif
