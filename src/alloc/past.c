#include "alloc/past.h"

#include <string.h>

void past_init(struct past *p, const struct cfg_allocation *conf)
{
	const int64_t second = DUR_S(1).ns;

	*p = (struct past){
		.by_service = map_new(),
		.by_addr = map_new(),
		.sticky = conf->sticky,
		.rest_s = (conf->rest.ns + second - 1) / second,
	};
	list_init(&p->resting);
	list_init(&p->rested);
}

static void departure_free(struct departure *d)
{
	free(d->service);
	free(d->addresses);
	free(d);
}

void past_fini(struct past *p)
{
	struct departure *d;

	LIST_EACH (d, &p->resting, link)
		departure_free(d);
	LIST_EACH (d, &p->rested, link)
		departure_free(d);
	map_free(p->by_service);
	map_free(p->by_addr);
}

void past_forget(struct past *p, struct departure *d)
{
	if (past_of(p, d->service) == d)
		(void)map_del(p->by_service, d->service);
	for (size_t i = 0; i < d->n; i++)
		if (past_resting(p, &d->addresses[i]) == d)
			(void)map_del_bytes(p->by_addr, &d->addresses[i], sizeof(struct addr));
	list_remove(&d->link);
	p->n--;
	departure_free(d);
}

void past_return(struct past *p, struct departure *d, const struct addr *a)
{
	size_t at = 0;

	(void)map_del_bytes(p->by_addr, a, sizeof(*a));
	while (!addr_eq(&d->addresses[at], a))
		at++;
	d->n--;
	memmove(&d->addresses[at], &d->addresses[at + 1], (d->n - at) * sizeof(*a));
	if (d->n == 0)
		past_forget(p, d);
}

static void make_room(struct past *p)
{
	if (p->n > PAST_MAX && !list_empty(&p->rested))
		past_forget(p, LIST_ENTRY(p->rested.next, struct departure, link));
}

void past_add(struct past *p, const char *service, const struct addr *addresses, size_t n,
	      int64_t at_s)
{
	struct departure *d = mem_new(struct departure), *before;

	d->service = mem_strdup(service);
	d->addresses = mem_dup(addresses, n * sizeof(*addresses));
	d->n = n;
	d->resting = p->rest_s > 0;
	d->rests_until_s = at_s + p->rest_s;
	for (size_t i = 0; d->resting && i < n; i++)
		(void)map_put_bytes(p->by_addr, &addresses[i], sizeof(*addresses), d);
	list_append(d->resting ? &p->resting : &p->rested, &d->link);
	p->n++;
	before = map_put(p->by_service, service, d);
	if (before && !before->resting)
		past_forget(p, before);
	make_room(p);
}

struct departure *past_of(const struct past *p, const char *service)
{
	return map_get(p->by_service, service);
}

struct departure *past_resting(const struct past *p, const struct addr *a)
{
	return map_get_bytes(p->by_addr, a, sizeof(*a));
}

int64_t past_next(const struct past *p)
{
	if (list_empty(&p->resting))
		return INT64_MAX;
	return LIST_ENTRY(p->resting.next, struct departure, link)->rests_until_s;
}

struct departure *past_due(const struct past *p, int64_t now_s)
{
	struct departure *d = LIST_ENTRY(p->resting.next, struct departure, link);

	if (list_empty(&p->resting))
		return NULL;
	return d->rests_until_s <= now_s || p->n > PAST_MAX ? d : NULL;
}

void past_wake(struct past *p, struct departure *d)
{
	for (size_t i = 0; i < d->n; i++)
		(void)map_del_bytes(p->by_addr, &d->addresses[i], sizeof(struct addr));
	d->resting = false;
	if (!p->sticky || p->n > PAST_MAX || past_of(p, d->service) != d) {
		past_forget(p, d);
		return;
	}
	list_remove(&d->link);
	list_append(&p->rested, &d->link);
}
