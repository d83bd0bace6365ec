#include "l2/schedule.h"

#include <assert.h>

struct l2_slot *l2_slots_new(size_t n)
{
	struct l2_slot *slots = mem_new_n(struct l2_slot, n);

	for (size_t i = 0; i < n; i++)
		slots[i].step = L2_STEP_IDLE;
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

void l2_schedule_advance(struct l2_schedule *s, uint32_t i, unsigned skip, struct mono now)
{
	unsigned from = s->slots[i].step;
	unsigned to = from + 1 + skip;

	l2_schedule_remove(s, i);
	if (to == L2_ANNOUNCE_STEPS || to == L2_STEPS) {
		s->slots[i].only_ifindex = 0;
		return;
	}
	bool next_round = to / L2_ROUND_STEPS != from / L2_ROUND_STEPS;
	l2_schedule_put(s, i, to, next_round ? mono_add(now, L2_ROUND_GAP) : now);
}

uint32_t l2_schedule_due(const struct l2_schedule *s, struct mono now)
{
	for (size_t i = 0; i < L2_STEPS; i++) {
		uint32_t head = s->steps[i].head;
		if (head != L2_NONE && !mono_before(now, s->slots[head].due))
			return head;
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
