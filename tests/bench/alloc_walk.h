/**
 * The plain way to allocate, beside which the bench `alloc` is measured: maps of the addresses in use
 * and of what each service has; who wants an address walks the pool from its first one to the first
 * that is in no map, as MetalLB does. It knows one IPv4 pool and nothing of families or sharing.
 */
#ifndef TESTS_BENCH_ALLOC_WALK_H
#define TESTS_BENCH_ALLOC_WALK_H

#include <stdint.h>

#include "base/map.h"

struct walk {
	struct map *by_number; /* addresses in use, by their distance from the pool's first one */
	struct map *by_service;
	uint32_t size;
	uint32_t from; /* where to begin: past the first ones while it is only filled, else 0 */
};

void walk_init(struct walk *w, uint32_t size);
void walk_fini(struct walk *w);
/** 0, or -1: it is full. */
int walk_assign(struct walk *w, const char *service);
void walk_release(struct walk *w, const char *service);

#endif
