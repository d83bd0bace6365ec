#include "l2/schedule.h"

#include <assert.h>

struct l2_slot *l2_slots_new(size_t n)
{
	struct l2_slot *slots = mem_new_n(struct l2_slot, n);

	for (size_t i = 0; i < n; i++) {
		slots[i].step = L2_STEP_IDLE;
		slots[i].fresh = true;
	}
	return slots;
}

void l2_schedule_init(struct l2_schedule *s, struct l2_slot *slots)
{
	s->slots = slots;
	for (size_t i = 0; i < L2_STEPS; i++)
		s->steps[i] = (struct l2_queue){ .head = L2_NONE, .tail = L2_NONE };
}

void l2_schedule_put(struct l2_schedule *s, uint32_t i, unsigned step, struct mono due)
{
	struct l2_slot *slot = &s->slots[i];
	struct l2_queue *q = &s->steps[step];

	assert(slot->step == L2_STEP_IDLE);
	slot->step = (uint8_t)step;
	slot->due = due;
	slot->iface_at = 0;
	slot->prev = q->tail;
	slot->next = L2_NONE;
	if (q->tail == L2_NONE)
		q->head = i;
	else
		s->slots[q->tail].next = i;
	q->tail = i;
}

void l2_schedule_remove(struct l2_schedule *s, uint32_t i)
{
	struct l2_slot *slot = &s->slots[i];

	if (slot->step == L2_STEP_IDLE)
		return;
	struct l2_queue *q = &s->steps[slot->step];
	if (slot->prev == L2_NONE)
		q->head = slot->next;
	else
		s->slots[slot->prev].next = slot->next;
	if (slot->next == L2_NONE)
		q->tail = slot->prev;
	else
		s->slots[slot->next].prev = slot->prev;
	slot->step = L2_STEP_IDLE;
}

/** How long the step before @to lasts. */
static struct dur gap_before(unsigned to)
{
	if (to == L2_CLAIM_STEP)
		return L2_PROBE_WAIT;
	if (to > L2_PROBE_STEP)
		return L2_PROBE_GAP;
	return to % L2_ROUND_STEPS == 0 ? L2_ROUND_GAP : DUR_NS(0);
}

void l2_schedule_advance(struct l2_schedule *s, uint32_t i, unsigned skip, struct mono now)
{
	unsigned to = s->slots[i].step + 1 + skip;

	l2_schedule_remove(s, i);
	if (to == L2_ANNOUNCE_STEPS || to == L2_PROBE_STEP) {
		s->slots[i].only_ifindex = 0;
		return;
	}
	l2_schedule_put(s, i, to, mono_add(now, gap_before(to)));
}

uint32_t l2_schedule_due_at(const struct l2_schedule *s, unsigned step, struct mono now)
{
	uint32_t head = s->steps[step].head;

	return head != L2_NONE && !mono_before(now, s->slots[head].due) ? head : L2_NONE;
}

uint32_t l2_schedule_due(const struct l2_schedule *s, struct mono now)
{
	for (unsigned step = 0; step < L2_CLAIM_STEP; step++) {
		uint32_t i = l2_schedule_due_at(s, step, now);
		if (i != L2_NONE)
			return i;
	}
	return L2_NONE;
}

struct mono l2_schedule_deadline(const struct l2_schedule *s)
{
	struct mono at = MONO_NEVER;

	for (size_t i = 0; i < L2_STEPS; i++) {
		uint32_t head = s->steps[i].head;
		if (head != L2_NONE)
			at = mono_min(at, s->slots[head].due);
	}
	return at;
}
