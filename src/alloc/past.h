/**
 * What services gave back: addresses that rest before anyone else gets them, and what a service had
 * that may return (`allocation: {rest, sticky}`). Of more than PAST_MAX departures the oldest are
 * forgotten, those that rest no more before the others.
 */
#ifndef ALLOC_PAST_H
#define ALLOC_PAST_H

#include "base/addr.h"
#include "base/list.h"
#include "base/map.h"
#include "config/cfg.h"

enum { PAST_MAX = 65536 };

/** Addresses given back together. */
struct departure {
	struct list link;
	char *service;
	struct addr *addresses;
	size_t n;
	int64_t rests_until_s;
	bool resting;
};

struct past {
	struct list resting, rested; /* the oldest first */
	size_t n;
	struct map *by_service; /* the latest departure of each */
	struct map *by_addr;	/* of those that rest */
	bool sticky;
	int64_t rest_s;
};

void past_init(struct past *p, const struct cfg_allocation *conf);
void past_fini(struct past *p);

/** Nothing is ever remembered. */
static inline bool past_is_off(const struct past *p)
{
	return !p->sticky && p->rest_s == 0;
}

/** Addresses that nobody has any more since @at_s, which never goes back; see past_due(). */
void past_add(struct past *p, const char *service, const struct addr *addresses, size_t n,
	      int64_t at_s);
/** What the service had last, while it may have that again; or NULL. */
struct departure *past_of(const struct past *p, const char *service);
/** Who is waited for before the address is free for others; or NULL. */
struct departure *past_resting(const struct past *p, const struct addr *a);

/** When the first rest is over; INT64_MAX: there is none. */
int64_t past_next(const struct past *p);
/** One whose rest is over by then, or that is one too many; or NULL. To be woken. */
struct departure *past_due(const struct past *p, int64_t now_s);
/** Its addresses rest no more. It stays for its service's sake where that sticks, or is gone now. */
void past_wake(struct past *p, struct departure *d);
/** Its service has that one again; the others go on resting. */
void past_return(struct past *p, struct departure *d, const struct addr *a);
void past_forget(struct past *p, struct departure *d);

#endif
