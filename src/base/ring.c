#include "base/ring.h"

#include <assert.h>
#include <string.h>

void ring_init(struct ring *r, size_t slots, size_t slot_size)
{
	assert(slots > 0 && slots <= UINT32_MAX / 2 && (slots & (slots - 1)) == 0);
	*r = (struct ring){
		.slots = mem_zero(slots, slot_size),
		.slot_size = slot_size,
		.mask = (uint32_t)slots - 1,
	};
}

void ring_fini(struct ring *r)
{
	free(r->slots);
	r->slots = NULL;
}

bool ring_push(struct ring *r, const void *elem)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);

	if (head - tail > r->mask) {
		atomic_fetch_add_explicit(&r->refused, 1, memory_order_relaxed);
		return false;
	}
	memcpy(r->slots + (size_t)(head & r->mask) * r->slot_size, elem, r->slot_size);
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

bool ring_pop(struct ring *r, void *elem)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);

	if (head == tail)
		return false;
	memcpy(elem, r->slots + (size_t)(tail & r->mask) * r->slot_size, r->slot_size);
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return true;
}
