/**
 * When each address says its next announcement. An announcement is a row of steps, one frame on
 * each interface a step; the waits between steps are the same for all addresses, so each step is a
 * plain queue in order of time.
 *
 * Of all that is due the lowest step goes first: every address has its first copy on the wire
 * before any second one.
 *
 * An address that is not announced because this node asks whether it is free, or because another
 * machine has it, waits in the same way: its steps are questions, then a claim. So does one that a
 * member claims without a right to it.
 */
#ifndef L2_SCHEDULE_H
#define L2_SCHEDULE_H

#include "base/time.h"

enum {
	L2_ROUNDS = 5, /* 0, 1.1, 2.2, 3.3 and 4.4 s: MetalLB's window of 5 s */
	L2_ROUND_STEPS = 2,
	L2_ANNOUNCE_STEPS = L2_ROUNDS * L2_ROUND_STEPS,
	L2_REFRESH_STEP = L2_ANNOUNCE_STEPS, /* one more round, for the slow refresh */
	L2_PROBE_STEP = L2_REFRESH_STEP + L2_ROUND_STEPS,
	L2_PROBES = 3,
	L2_CLAIM_STEP = L2_PROBE_STEP + L2_PROBES, /* nobody has answered: the address is ours */
	L2_YIELD_MEMBER_STEP,			   /* another has it; then we ask again */
	L2_YIELD_STRANGER_STEP,
	L2_REPEAT_STEP, /* a member has claimed what is ours: its announcement begins anew */
	L2_STEPS,
	L2_STEP_IDLE = L2_STEPS,
};

/*
 * RFC 5227 §2.1.1 waits for seconds; switches and hosts that matter here answer within these, and
 * whoever was missed is found by its next claim.
 */
#define L2_PROBE_GAP	  DUR_MS(100)
#define L2_PROBE_WAIT	  DUR_MS(200) /* for answers to the last one */
#define L2_YIELD_MEMBER	  DUR_S(10)   /* since it was heard last */
#define L2_YIELD_STRANGER DUR_S(30)
#define L2_REPEAT_WAIT	  DUR_MS(10) /* its claims come in twos and threes */

#define L2_ROUND_GAP	  DUR_MS(1100)
#define L2_NONE		  UINT32_MAX

/** What the packet thread remembers of one address of a table. Made by l2_slots_new(). */
struct l2_slot {
	struct mono due;
	uint32_t prev; /* in the queue of its step */
	uint32_t next;
	union {
		uint32_t changed_next; /* in the list of changes to tell */
		uint32_t moved;	       /* of a table that was replaced: its place in the next one */
	};
	uint32_t only_ifindex; /* announce there alone; 0: everywhere */
	uint16_t iface_at;     /* the step's next interface */
	uint16_t rival;	       /* the node that it is left to (L2_HOLD_MEMBER) */
	uint8_t step;	       /* L2_STEP_IDLE: nothing to announce */
	uint8_t repeats;       /* answers to members' claims, since the last defence */
	uint8_t hold : 4;      /* enum l2_hold */
	uint8_t hold_told : 4; /* what the last event said of it */
	bool fresh : 1;	       /* no table before had it */
	bool conflict : 1;     /* an event about another machine's claim is due */
	bool owned : 1;
	bool goes : 1;	  /* the table has it going, and it was ours all the time since */
	bool told : 1;	  /* what the last event said */
	bool changed : 1; /* in the list */
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

/** The first in a step's queue if it is due, or L2_NONE. */
uint32_t l2_schedule_due_at(const struct l2_schedule *s, unsigned step, struct mono now);

/** Which address has something to send next, or L2_NONE when none is due. */
uint32_t l2_schedule_due(const struct l2_schedule *s, struct mono now);

/** When the next one is due, or MONO_NEVER. */
struct mono l2_schedule_deadline(const struct l2_schedule *s);

#endif
