/**
 * A fixed ring between one producer thread and one consumer thread, without locks. Elements are copied.
 * When it is full the newest is refused and counted: history is lost, latest states live elsewhere.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct ring {
	uint8_t *slots;
	size_t slot_size;
	uint32_t mask;		  /* number of slots - 1 */
	_Atomic uint32_t head;	  /* next to write; only the producer moves it */
	_Atomic uint32_t tail;	  /* next to read; only the consumer moves it */
	_Atomic uint64_t refused; /* pushes that found it full */
};

/** @slots is a power of two. */
void ring_init(struct ring *r, size_t slots, size_t slot_size);
void ring_fini(struct ring *r);
bool ring_push(struct ring *r, const void *elem);
bool ring_pop(struct ring *r, void *elem);

#endif
