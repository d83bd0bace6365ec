/**
 * What an allocator knows of each service beside the world: what it was content with, and what was
 * written of it without an answer so far. Addresses of such writes are nobody else's.
 */
#ifndef APP_HELD_H
#define APP_HELD_H

#include "alloc/converge.h"
#include "base/map.h"

struct held {
	char *service;
	uint64_t terms; /* see converge_service */
	char *why;	/* it has no address */
	bool hungry; /* would be better off with what another gives up, or is to be written again */
	bool in_flight; /* a write is waiting or under way */
	bool again;	/* something happened meanwhile */
	char *version;	/* that the last write is based on that may be carried out; NULL: none */
	struct addr wants[CONVERGE_ADDRESSES_MAX]; /* what it says */
	size_t n_wants;
	struct addr has[CONVERGE_ADDRESSES_MAX]; /* of its status when we were content with it */
	size_t n_has;
};

struct holdings {
	struct map *by_service; /* struct held */
	struct map *unsure;	/* struct addr -> the struct held that may come to have it */
};

void holdings_init(struct holdings *all);
void holdings_fini(struct holdings *all);
/** Another one allocates from now on: forget all but what may still be carried out. */
void holdings_lose(struct holdings *all);

struct held *held_find(const struct holdings *all, const char *service); /* NULL: none */
struct held *held_of(struct holdings *all, const char *service); /* made where there is none */
void held_forget(struct holdings *all, const char *service);

/** A write has begun: from now on its addresses may come to be the service's. */
void held_write(struct holdings *all, struct held *h, const char *version, const struct addr *v,
		size_t n);
/** What was written of the service is history, or it came to be. */
void held_sure(struct holdings *all, struct held *h);
/**
 * The service's version is this one now (NULL: it is gone): when it has moved on, a write that was
 * based on the one before can't happen any more.
 */
void held_look(struct holdings *all, struct held *h, const char *version);
/** Who may come to have the address by a write, or NULL. */
const struct held *held_writer(const struct holdings *all, const struct addr *a);

void held_content(struct held *h, const struct addr *v, size_t n);
/** True when the reason is another one than before. */
bool held_because(struct held *h, const char *why);

#endif
