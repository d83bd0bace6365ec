#include "alloc/standalone.h"

#include <string.h>

struct alloc_request alloc_request_of(const struct cfg_service *s)
{
	return (struct alloc_request){
		.service = s->name,
		.labels = &s->labels,
		.addresses = s->addresses,
		.n_addresses = s->n_addresses,
		.by_hand = s->n_addresses > 0,
		.pool = s->pool,
		.want_v4 = s->want_v4,
		.want_v6 = s->want_v6,
		.policy = s->want_v4 && s->want_v6 ? CFG_REQUIRE_DUAL_STACK : CFG_SINGLE_STACK,
		.sharing_key = s->sharing_key,
		.ports = s->ports,
		.n_ports = s->n_ports,
		.backend = "", /* there is no selector that could differ */
	};
}

static int by_precedence(const void *a, const void *b)
{
	const struct alloc_entry *l = *(const struct alloc_entry *const *)a;
	const struct alloc_entry *r = *(const struct alloc_entry *const *)b;

	if (l->epoch != r->epoch)
		return l->epoch > r->epoch ? -1 : 1;
	int order = strcmp(l->node, r->node);
	return order != 0 ? order : strcmp(l->service, r->service);
}

/** Entries that name addresses, the better ones first. */
struct entries {
	const struct alloc_entry **v;
	size_t n;
};

static struct entries entries_of(const struct alloc_table *t, struct arena *a)
{
	struct entries all = { 0 };
	const struct alloc_entry *e;

	if (!t || alloc_table_len(t) == 0)
		return all;
	all.v = arena_new_n(a, const struct alloc_entry *, alloc_table_len(t));
	for (size_t at = 0; (e = alloc_table_next(t, &at));)
		if (e->n > 0)
			all.v[all.n++] = e;
	qsort(all.v, all.n, sizeof(struct alloc_entry *), by_precedence);
	return all;
}

/*
 * Whoever has it elsewhere: whatever it asked for, it has these. Its ports, if it shares, are its
 * own business.
 */
static struct alloc_request request_of_stranger(const struct alloc_entry *e)
{
	return (struct alloc_request){
		.service = e->service,
		.addresses = e->addresses,
		.n_addresses = e->n,
		.by_hand = true,
		.sharing_key = e->sharing_key,
	};
}

static void keep_remembered(struct alloc *alloc, const struct cfg *c, const struct entries *entries)
{
	for (size_t i = 0; i < entries->n; i++) {
		const struct alloc_entry *e = entries->v[i];
		const struct cfg_service *s = cfg_service_find(c, e->service);
		struct alloc_request r = s ? alloc_request_of(s) : request_of_stranger(e);

		/* Refused: it is among the rest, to be allocated anew. */
		(void)!alloc_hold(alloc, &r, e->addresses, e->n, NULL);
	}
}

static int by_leaving(const void *a, const void *b)
{
	const struct alloc_entry *l = *(const struct alloc_entry *const *)a;
	const struct alloc_entry *r = *(const struct alloc_entry *const *)b;

	if (l->left_s != r->left_s)
		return l->left_s < r->left_s ? -1 : 1;
	return strcmp(l->service, r->service);
}

/* What was given back, by those who are gone and by those who have something else by now. */
static void remember_past(struct alloc *alloc, const struct cfg *c, const struct alloc_table *t,
			  struct arena *a)
{
	const struct alloc_entry **v =
		arena_new_n(a, const struct alloc_entry *, alloc_table_len(t) + 1);
	const struct alloc_entry *e;
	size_t n = 0;

	for (size_t at = 0; (e = alloc_table_next(t, &at));)
		if (e->n_past && (c->allocation.rest.ns || e->n == 0))
			v[n++] = e;
	qsort(v, n, sizeof(struct alloc_entry *), by_leaving);
	for (size_t i = 0; i < n; i++)
		alloc_remember(alloc, v[i]->service, v[i]->past, v[i]->n_past, v[i]->left_s);
}

static bool same_key(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* To whom rest and return mean nothing. */
static struct alloc *alloc_new_forgetful(const struct cfg *c)
{
	struct cfg plain = *c;

	plain.allocation = (struct cfg_allocation){ 0 };
	return alloc_new(&plain);
}

/*
 * Would the file allow what the entry says, if nobody else had anything? @nobody holds nothing,
 * before and after.
 */
static bool entry_fits(struct alloc *nobody, const struct cfg_service *s,
		       const struct alloc_entry *e)
{
	struct alloc_request r = alloc_request_of(s);
	bool fits = same_key(e->sharing_key, s->sharing_key) &&
		    alloc_hold(nobody, &r, e->addresses, e->n, NULL) == 0;

	alloc_release(nobody, s->name);
	return fits;
}

static void grant_copy(struct alloc_assignment *x, const struct alloc_grant *g, struct arena *a)
{
	struct addr *addresses = arena_new_n(a, struct addr, g->n);

	memcpy(addresses, g->addresses, g->n * sizeof(*addresses));
	x->pool = g->pool ? arena_strdup(a, g->pool) : NULL;
	x->addresses = addresses;
	x->n = g->n;
}

static void assign_one(struct alloc_assignment *x, struct alloc *alloc, const struct cfg_service *s,
		       struct arena *a)
{
	struct alloc_request r = alloc_request_of(s);
	struct alloc_grant grant;
	struct buf why = { 0 };

	*x = (struct alloc_assignment){
		.service = arena_strdup(a, s->name),
		.sharing_key = s->sharing_key ? arena_strdup(a, s->sharing_key) : NULL,
	};
	x->kept = alloc_find(alloc, s->name, &grant);
	if (x->kept) {
		grant_copy(x, &grant, a);
		return;
	}
	if (alloc_assign(alloc, &r, &why) == 0 && alloc_find(alloc, s->name, &grant))
		grant_copy(x, &grant, a);
	else
		x->reason = arena_strdup(a, buf_text(&why));
	buf_fini(&why);
}

/* Newcomers that name their addresses come first: the others can go elsewhere. */
static void assign_all(struct alloc_assignments *x, struct alloc *alloc, const struct cfg *c)
{
	for (size_t i = 0; i < x->n; i++)
		if (c->services[i].n_addresses > 0)
			assign_one(&x->v[i], alloc, &c->services[i], x->arena);
	for (size_t i = 0; i < x->n; i++)
		if (c->services[i].n_addresses == 0)
			assign_one(&x->v[i], alloc, &c->services[i], x->arena);
}

static bool is_recorded(const struct alloc_entry *e, const struct alloc_assignment *x)
{
	return e && e->n == x->n && same_key(e->sharing_key, x->sharing_key) &&
	       memcmp(e->addresses, x->addresses, x->n * sizeof(*x->addresses)) == 0;
}

/* Who holds what the table says is allowed it: only the others need a closer look. */
static void find_odds(struct alloc_assignments *x, const struct cfg *c, const struct alloc_table *t)
{
	CLEANUP(alloc_freep) struct alloc *nobody = alloc_new_forgetful(c);

	for (size_t i = 0; i < x->n; i++) {
		const struct alloc_entry *e = alloc_table_find(t, x->v[i].service);

		x->v[i].at_odds = e && e->n > 0 && !is_recorded(e, &x->v[i]) &&
				  !entry_fits(nobody, &c->services[i], e);
	}
}

struct alloc_assignments *alloc_standalone(const struct cfg *c, const struct alloc_table *t)
{
	CLEANUP(alloc_freep) struct alloc *alloc = alloc_new(c);

	return alloc_standalone_with(alloc, c, t);
}

struct alloc_assignments *alloc_standalone_with(struct alloc *alloc, const struct cfg *c,
						const struct alloc_table *t)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct entries entries = entries_of(t, scratch);
	struct alloc_assignments *x = mem_new(struct alloc_assignments);

	x->arena = arena_new();
	x->n = c->n_services;
	x->v = x->n ? arena_new_n(x->arena, struct alloc_assignment, x->n) : NULL;
	x->remembers = c->allocation.sticky || c->allocation.rest.ns;
	if (t)
		alloc_advance(alloc, alloc_table_time(t));
	keep_remembered(alloc, c, &entries);
	if (t && x->remembers)
		remember_past(alloc, c, t, scratch);
	assign_all(x, alloc, c);
	x->again_s = alloc_next_wake(alloc);
	if (t)
		find_odds(x, c, t);
	return x;
}

/* --- a few of them --- */

static bool is_settled(const struct alloc_assignment *one, const struct alloc_table *t)
{
	return one->n && is_recorded(alloc_table_find(t, one->service), one);
}

bool alloc_is_settled(const struct alloc_assignments *x, const struct alloc_table *t)
{
	const struct alloc_entry *e;
	size_t live = 0;

	for (size_t at = 0; (e = alloc_table_next(t, &at));)
		live += e->n > 0;
	for (size_t i = 0; i < x->n; i++)
		if (!is_settled(&x->v[i], t))
			return false;
	return live == x->n;
}

bool alloc_few_settled(const struct alloc_assignments *x, const struct alloc_table *t,
		       const struct alloc_few *few)
{
	bool all = true;

	for (size_t i = 0; all && i < few->n; i++)
		all = is_settled(&x->v[few->at[i]], t);
	return all;
}

/* What nobody shares nobody else's turn depends on. */
static bool is_alone(const struct cfg_service *s)
{
	return !s->sharing_key;
}

static bool few_find(const struct cfg *from, const struct cfg *to, struct alloc_few *few)
{
	few->n = 0;
	if (!from->asked || !to->asked || from->n_services != to->n_services)
		return false;
	for (size_t i = 0; i < to->n_services; i++) {
		const struct cfg_service *was = &from->services[i], *is = &to->services[i];

		if (was->asked == is->asked)
			continue;
		if (few->n == ALLOC_FEW_MAX || strcmp(was->name, is->name) != 0 || !is_alone(was) ||
		    !is_alone(is))
			return false;
		few->at[few->n++] = i;
	}
	return true;
}

/*
 * Of a service that was alone with its addresses: nobody else has them, so they are allowed it now
 * or not, whatever others have.
 */
static bool keep_remembered_one(struct alloc *alloc, const struct cfg_service *s,
				const struct alloc_table *t)
{
	const struct alloc_entry *e = alloc_table_find(t, s->name);
	struct alloc_request r = alloc_request_of(s);

	return e && e->n > 0 && alloc_hold(alloc, &r, e->addresses, e->n, NULL) == 0 &&
	       !e->sharing_key;
}

static void assign_few(struct alloc_assignments *x, struct alloc *alloc, const struct cfg *c,
		       const struct alloc_few *few, bool named)
{
	for (size_t i = 0; i < few->n; i++) {
		const struct cfg_service *s = &c->services[few->at[i]];

		if ((s->n_addresses > 0) == named)
			assign_one(&x->v[few->at[i]], alloc, s, x->arena);
	}
}

bool alloc_standalone_follow(struct alloc_assignments *x, struct alloc *alloc,
			     const struct cfg *from, const struct cfg *to,
			     const struct alloc_table *t, struct alloc_few *few)
{
	bool fits[ALLOC_FEW_MAX];

	if (x->remembers || to->allocation.sticky || to->allocation.rest.ns ||
	    !cfg_shares(from, to, CFG_POOLS) || !few_find(from, to, few))
		return false;
	for (size_t i = 0; i < x->n; i++) { /* it was written into the table since */
		x->v[i].kept = true;
		x->v[i].at_odds = false;
	}
	for (size_t i = 0; i < few->n; i++)
		fits[i] = keep_remembered_one(alloc, &to->services[few->at[i]], t);
	assign_few(x, alloc, to, few, true);
	assign_few(x, alloc, to, few, false);
	for (size_t i = 0; i < few->n; i++) {
		struct alloc_assignment *one = &x->v[few->at[i]];
		const struct alloc_entry *e = alloc_table_find(t, one->service);

		if (one->n == 0)
			return false;
		one->at_odds = e && e->n > 0 && !is_recorded(e, one) && !fits[i];
	}
	return true;
}

struct alloc_assignments *alloc_assignments_free(struct alloc_assignments *x)
{
	if (!x)
		return NULL;
	arena_free(x->arena);
	free(x);
	return NULL;
}

const struct alloc_assignment *alloc_assignments_find(const struct alloc_assignments *x,
						      const char *service)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->v[i].service, service) == 0)
			return &x->v[i];
	return NULL;
}

/* Two files that disagree would answer each other for ever: only a writer changes its mind. */
static bool may_record(const struct alloc_entry *e, const struct alloc_assignment *x,
		       const char *node)
{
	return !e || e->n == 0 || (x->at_odds && strcmp(e->node, node) == 0);
}

/* At the very end nothing is newer: what nobody could read would be worse. */
static uint64_t next_epoch(const struct alloc_table *t)
{
	return MIN(alloc_table_epoch(t) + 1, (uint64_t)ALLOC_EPOCH_MAX);
}

/** What a service gives back when its entry is replaced. */
struct leaving {
	struct addr v[ALLOC_ENTRY_MAX];
	size_t n;
	int64_t at_s;
};

static bool is_among(const struct addr *v, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (addr_eq(&v[i], a))
			return true;
	return false;
}

/* A tombstone hands its past on: nobody has had that since. */
static void leaving_of(const struct alloc_table *t, const struct alloc_entry *known,
		       const struct alloc_entry *fresh, struct leaving *out)
{
	bool was_live = known && known->n;
	const struct addr *v = was_live ? known->addresses : known ? known->past : NULL;
	size_t n = was_live ? known->n : known ? known->n_past : 0;

	out->n = 0;
	out->at_s = was_live ? alloc_table_time(t) : known ? known->left_s : 0;
	for (size_t i = 0; out->at_s && i < MIN(n, ARRAY_LEN(out->v)); i++)
		if (!is_among(fresh->addresses, fresh->n, &v[i]))
			out->v[out->n++] = v[i];
}

/* The entry in place of the one that the table has; with its past, if that is to be @remembered. */
static int replace(struct alloc_table *t, struct alloc_entry e, bool remembered)
{
	struct leaving leaving;

	leaving_of(t, alloc_table_find(t, e.service), &e, &leaving);
	if (remembered) {
		e.past = leaving.v;
		e.n_past = leaving.n;
	}
	if (e.n_past || e.n == 0)
		e.left_s = leaving.at_s;
	return alloc_table_put(t, &e) > 0;
}

static int record(struct alloc_table *t, const struct alloc_assignment *one, const char *node,
		  uint64_t epoch, bool remembered)
{
	const struct alloc_entry *known = alloc_table_find(t, one->service);

	/* So many were chosen by hand: that needs no agreement, and would fit into no message. */
	if (one->n == 0 || one->n > ALLOC_ENTRY_MAX)
		return 0;
	if (is_recorded(known, one) || !may_record(known, one, node))
		return 0;
	return replace(t,
		       (struct alloc_entry){ .service = one->service,
					     .addresses = one->addresses,
					     .n = one->n,
					     .sharing_key = one->sharing_key,
					     .epoch = epoch,
					     .node = node },
		       remembered);
}

int alloc_table_record(struct alloc_table *t, const struct alloc_assignments *x, const char *node)
{
	uint64_t epoch = next_epoch(t);
	int changed = 0;

	for (size_t i = 0; i < x->n; i++)
		changed |= record(t, &x->v[i], node, epoch, x->remembers);
	return changed;
}

int alloc_table_record_few(struct alloc_table *t, const struct alloc_assignments *x,
			   const struct alloc_few *few, const char *node)
{
	uint64_t epoch = next_epoch(t);
	int changed = 0;

	for (size_t i = 0; i < few->n; i++)
		changed |= record(t, &x->v[few->at[i]], node, epoch, x->remembers);
	return changed;
}

/** Who prunes, and on whose terms. */
struct pruning {
	struct alloc_table *t;
	const struct cfg *c;
	const char *node;
	uint64_t epoch;
};

static bool remembers(const struct cfg *c)
{
	return c->allocation.sticky || c->allocation.rest.ns;
}

static int bury(const struct pruning *p, const char *service)
{
	/* Putting an entry frees the one that it replaces, which @service may belong to. */
	char *name = mem_strdup(service);
	struct alloc_entry gone = { .service = name, .epoch = p->epoch, .node = p->node };
	int changed = replace(p->t, gone, remembers(p->c));

	free(name);
	return changed;
}

static int bury_forbidden(const struct pruning *p)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	CLEANUP(alloc_freep) struct alloc *nobody = alloc_new_forgetful(p->c);
	struct entries live = entries_of(p->t, scratch);
	int changed = 0;

	for (size_t i = 0; i < live.n; i++) {
		const struct cfg_service *s = cfg_service_find(p->c, live.v[i]->service);

		if (!s || !entry_fits(nobody, s, live.v[i]))
			changed |= bury(p, live.v[i]->service);
	}
	return changed;
}

/* What is left is allowed, each for itself; who has no place beside the others has lost it. */
static int bury_losers(const struct pruning *p)
{
	struct alloc_assignments *x = alloc_standalone(p->c, p->t);
	int changed = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct alloc_entry *e = alloc_table_find(p->t, x->v[i].service);

		if (e && e->n > 0 && !x->v[i].kept)
			changed |= bury(p, x->v[i].service);
	}
	alloc_assignments_free(x);
	return changed;
}

/** Which tombstones are to go: by their time, and by their epoch. */
struct harvest {
	int64_t left_before_s;
	uint64_t epoch;
};

static bool is_ripe(const struct alloc_entry *e, const struct harvest *h)
{
	return e->n == 0 && (e->epoch <= h->epoch || (e->left_s && e->left_s < h->left_before_s));
}

static int by_epoch(const void *a, const void *b)
{
	uint64_t l = *(const uint64_t *)a, r = *(const uint64_t *)b;

	return l < r ? -1 : l > r;
}

/* The epoch up to which they go when there are too many: half of them. 0: there is room. */
static uint64_t epoch_of_half(const struct alloc_table *t)
{
	uint64_t *epochs = mem_new_n(uint64_t, alloc_table_len(t) + 1), found = 0;
	const struct alloc_entry *e;
	size_t n = 0;

	for (size_t at = 0; (e = alloc_table_next(t, &at));)
		if (e->n == 0)
			epochs[n++] = e->epoch;
	size_t room = ALLOC_TABLE_MAX - (alloc_table_len(t) - n);
	if (n > MIN((size_t)ALLOC_TOMBSTONES_MAX, room / 2)) {
		qsort(epochs, n, sizeof(*epochs), by_epoch);
		found = epochs[n / 2];
	}
	free(epochs);
	return found;
}

/* Once one is of age, all of half that age go with it: the floor is not to move every day. */
static struct harvest harvest_of(const struct alloc_table *t, const struct cfg *c)
{
	const int64_t second = DUR_S(1).ns;
	int64_t age_s = MAX((int64_t)ALLOC_TOMBSTONE_AGE_S, c->allocation.rest.ns / second * 2);
	int64_t now_s = alloc_table_time(t), oldest_s = now_s;
	struct harvest h = { .epoch = epoch_of_half(t) };
	const struct alloc_entry *e;

	for (size_t at = 0; (e = alloc_table_next(t, &at));)
		if (e->n == 0 && e->left_s)
			oldest_s = MIN(oldest_s, e->left_s);
	if (oldest_s < now_s - age_s)
		h.left_before_s = now_s - age_s / 2;
	return h;
}

/* What stays is written anew where it has to be, and then the floor rises above what goes. */
static int forget(const struct pruning *p)
{
	struct harvest h = harvest_of(p->t, p->c);
	const struct alloc_entry *e;
	uint64_t floor = 0;

	for (size_t at = 0; (e = alloc_table_next(p->t, &at));)
		if (is_ripe(e, &h))
			floor = MAX(floor, e->epoch);
	floor = MIN(floor, (uint64_t)ALLOC_FLOOR_MAX);
	for (size_t at = 0; (e = alloc_table_next(p->t, &at));) {
		struct alloc_entry again = *e;

		again.epoch = p->epoch;
		if (e->epoch <= floor && !is_ripe(e, &h))
			(void)alloc_table_put(p->t, &again);
	}
	return alloc_table_raise(p->t, floor);
}

/* Does everybody in the table hold just that? Then nobody is forbidden, and nobody has lost. */
static bool all_hold(const struct alloc_table *t, const struct alloc_assignments *x)
{
	const struct alloc_entry *e;
	size_t live = 0, held = 0;

	for (size_t at = 0; (e = alloc_table_next(t, &at));)
		live += e->n > 0;
	for (size_t i = 0; i < x->n; i++)
		held += x->v[i].n > 0 &&
			is_recorded(alloc_table_find(t, x->v[i].service), &x->v[i]);
	return held == live;
}

int alloc_table_prune_with(struct alloc_table *t, const struct cfg *c, const char *node,
			   const struct alloc_assignments *x)
{
	struct pruning p = { .t = t, .c = c, .node = node, .epoch = next_epoch(t) };
	int changed = 0;

	if (!x || !all_hold(t, x)) {
		changed = bury_forbidden(&p);
		changed |= bury_losers(&p);
	}
	return forget(&p) | changed;
}

int alloc_table_prune(struct alloc_table *t, const struct cfg *c, const char *node)
{
	return alloc_table_prune_with(t, c, node, NULL);
}

/* Does an address that came from a pool stand in none any more, against the service's will? */
static bool is_taken_away(const struct alloc_assignment *x, const struct cfg *c,
			  const struct addr **which)
{
	const struct cfg_service *s = cfg_service_find(c, x->service);

	if (!s || s->n_addresses > 0 || !x->pool)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (!cfg_pool_of(c, &x->addresses[i])) {
			*which = &x->addresses[i];
			return true;
		}
	return false;
}

int alloc_check_shrink(const struct alloc_assignments *in_use, const struct cfg *c, struct err *e)
{
	enum { NAMED_MAX = 6 };
	struct buf names = { 0 };
	const struct addr *addr = NULL;
	size_t n = 0;

	for (size_t i = 0; i < in_use->n; i++) {
		if (!is_taken_away(&in_use->v[i], c, &addr))
			continue;
		if (n++ < NAMED_MAX)
			buf_printf(&names, "%s%s (%s)", n > 1 ? ", " : "", in_use->v[i].service,
				   ADDR_TEXT(addr));
	}
	if (n > NAMED_MAX)
		buf_printf(&names, " and %zu more", n - NAMED_MAX);
	int rc = n == 0 ? 0
			: err_set(e, ERR_STATE, "no pool would hold addresses in use any more: %s",
				  buf_text(&names));
	buf_fini(&names);
	return rc;
}
