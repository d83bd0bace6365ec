#include "alloc/sharing.h"

#include <string.h>

#include "alloc/crowd.h"

struct key {
	char *text;
	uint32_t refs;	 /* terms */
	uint32_t crowds; /* the first one */
};

void sharing_init(struct sharing *s)
{
	*s = (struct sharing){ .seed = index_seed() };
	slab_init(&s->keys, sizeof(struct key));
	slab_init(&s->terms, sizeof(struct terms));
	slab_init(&s->places, sizeof(struct place));
	slab_init(&s->crowds, sizeof(struct crowd));
	profiles_init(&s->profiles);
}

static struct key *key_at(const struct sharing *s, uint32_t key)
{
	return slab_at(&s->keys, key);
}

static struct terms *terms_at(const struct sharing *s, uint32_t terms)
{
	return slab_at(&s->terms, terms);
}

static struct place *place_at(const struct sharing *s, uint32_t place)
{
	return slab_at(&s->places, place);
}

static struct crowd *crowd_at(const struct sharing *s, uint32_t crowd)
{
	return slab_at(&s->crowds, crowd);
}

/* --- keys and terms --- */

static uint32_t key_hash(const struct sharing *s, const char *text)
{
	return index_hash(s->seed, text, strlen(text));
}

static uint32_t key_find(const struct sharing *s, const char *text)
{
	struct index_walk w = index_find(&s->by_key, key_hash(s, text));
	uint32_t key;

	while ((key = index_next(&w)))
		if (strcmp(key_at(s, key)->text, text) == 0)
			break;
	return key;
}

static uint32_t key_ref(struct sharing *s, const char *text)
{
	uint32_t key = key_find(s, text);

	if (!key) {
		key = slab_new(&s->keys);
		key_at(s, key)->text = mem_strdup(text);
		index_add(&s->by_key, key_hash(s, text), key);
	}
	key_at(s, key)->refs++;
	return key;
}

static void key_unref(struct sharing *s, uint32_t key)
{
	struct key *k = key_at(s, key);

	if (--k->refs)
		return;
	index_del(&s->by_key, key_hash(s, k->text), key);
	free(k->text);
	slab_free(&s->keys, key);
}

uint32_t sharing_terms_new(struct sharing *s, const struct alloc_request *r, uint32_t claim)
{
	uint32_t terms = slab_new(&s->terms);

	*terms_at(s, terms) = (struct terms){
		.claim = claim,
		.key = key_ref(s, r->sharing_key),
		.profile = profile_of(&s->profiles, r),
	};
	return terms;
}

void sharing_terms_free(struct sharing *s, uint32_t terms)
{
	key_unref(s, terms_at(s, terms)->key);
	profile_unref(&s->profiles, terms_at(s, terms)->profile);
	slab_free(&s->terms, terms);
}

/* --- places --- */

static uint32_t *holders_of(struct place *p)
{
	return p->cap ? p->terms.many : p->terms.few;
}

static void add_holder(struct place *p, uint32_t terms)
{
	uint32_t cap = p->cap ? p->cap : ARRAY_LEN(p->terms.few);

	if (p->n == cap) {
		uint32_t *more = mem_new_n(uint32_t, cap * (size_t)2);

		memcpy(more, holders_of(p), p->n * sizeof(*more));
		if (p->cap)
			free(p->terms.many);
		p->terms.many = more;
		p->cap = cap * 2;
	}
	holders_of(p)[p->n++] = terms;
}

static void remove_holder(struct place *p, uint32_t terms)
{
	uint32_t *v = holders_of(p), at = 0;

	while (v[at] != terms)
		at++;
	v[at] = v[--p->n];
}

static uint32_t key_of_place(const struct sharing *s, uint32_t place)
{
	return terms_at(s, holders_of(place_at(s, place))[0])->key;
}

static uint32_t crowd_like(struct sharing *s, uint32_t key, uint32_t profile, struct segment *seg)
{
	uint32_t crowd;

	for (crowd = key_at(s, key)->crowds; crowd; crowd = crowd_at(s, crowd)->next)
		if (crowd_at(s, crowd)->profile == profile && crowd_at(s, crowd)->segment == seg)
			return crowd;
	crowd = slab_new(&s->crowds);
	*crowd_at(s, crowd) = (struct crowd){
		.segment = seg,
		.profile = profile,
		.next = key_at(s, key)->crowds,
	};
	key_at(s, key)->crowds = crowd;
	return crowd;
}

static void crowd_free(struct sharing *s, uint32_t key, uint32_t crowd)
{
	uint32_t *link = &key_at(s, key)->crowds;

	while (*link != crowd)
		link = &crowd_at(s, *link)->next;
	*link = crowd_at(s, crowd)->next;
	crowd_fini(crowd_at(s, crowd));
	slab_free(&s->crowds, crowd);
}

static void enter_crowd(struct sharing *s, uint32_t place, struct segment *seg)
{
	struct place *p = place_at(s, place);
	struct crowd_rank rank = { .distance = space_distance(seg, &p->addr), .place = place };

	p->crowd = crowd_like(s, key_of_place(s, place), p->profile, seg);
	crowd_add(crowd_at(s, p->crowd), &s->places, rank);
}

static void leave_crowd(struct sharing *s, uint32_t key, uint32_t place)
{
	struct place *p = place_at(s, place);

	crowd_del(crowd_at(s, p->crowd), &s->places, place);
	if (crowd_at(s, p->crowd)->n == 0)
		crowd_free(s, key, p->crowd);
	p->crowd = 0;
}

/* It is occupied otherwise from now on; takes the reference. */
static void occupy(struct sharing *s, uint32_t place, uint32_t profile)
{
	struct place *p = place_at(s, place);
	uint32_t before = p->profile;

	if (p->crowd && profile != before) {
		struct segment *seg = crowd_at(s, p->crowd)->segment;

		leave_crowd(s, key_of_place(s, place), place);
		p->profile = profile;
		enter_crowd(s, place, seg);
	}
	p->profile = profile;
	profile_unref(&s->profiles, before);
}

uint32_t place_open(struct sharing *s, const struct addr *a, struct segment *seg, uint32_t terms)
{
	uint32_t place = slab_new(&s->places);
	struct place *p = place_at(s, place);

	p->addr = *a;
	p->profile = profile_ref(&s->profiles, terms_at(s, terms)->profile);
	add_holder(p, terms);
	if (seg)
		enter_crowd(s, place, seg);
	return place;
}

const struct addr *place_addr(const struct sharing *s, uint32_t place)
{
	return &place_at(s, place)->addr;
}

void place_join(struct sharing *s, uint32_t place, uint32_t terms)
{
	struct place *p = place_at(s, place);

	add_holder(p, terms);
	occupy(s, place, profile_join(&s->profiles, p->profile, terms_at(s, terms)->profile));
}

static void place_close(struct sharing *s, uint32_t place, uint32_t key)
{
	struct place *p = place_at(s, place);

	if (p->crowd)
		leave_crowd(s, key, place);
	profile_unref(&s->profiles, p->profile);
	if (p->cap)
		free(p->terms.many);
	slab_free(&s->places, place);
}

bool place_leave(struct sharing *s, uint32_t place, uint32_t terms)
{
	struct place *p = place_at(s, place);

	remove_holder(p, terms);
	if (p->n == 0) {
		place_close(s, place, terms_at(s, terms)->key);
		return true;
	}
	/* No port is anybody else's. */
	occupy(s, place, profile_without(&s->profiles, p->profile, terms_at(s, terms)->profile));
	return false;
}

static enum place_refusal terms_fit(const struct sharing *s, const struct terms *t,
				    const struct alloc_request *r, const struct cfg_port **port)
{
	const struct profile *p = profile_at(&s->profiles, t->profile);

	if (!sharing_wanted(r))
		return PLACE_NO_KEY;
	if (strcmp(key_at(s, t->key)->text, r->sharing_key) != 0)
		return PLACE_OTHER_KEY;
	if (!profile_same_backend(p, r))
		return PLACE_OTHER_BACKEND;
	*port = profile_meets(p, r);
	return *port ? PLACE_PORT : PLACE_FITS;
}

enum place_refusal place_fits(const struct sharing *s, uint32_t place,
			      const struct alloc_request *r, uint32_t *claim,
			      const struct cfg_port **port)
{
	struct place *p = place_at(s, place);
	struct terms all = *terms_at(s, holders_of(p)[0]);
	enum place_refusal refusal;

	all.profile = p->profile;
	*claim = all.claim;
	refusal = terms_fit(s, &all, r, port);
	for (uint32_t i = 0; i < p->n && refusal == PLACE_PORT; i++) {
		const struct terms *t = terms_at(s, holders_of(p)[i]);

		*claim = t->claim;
		if (terms_fit(s, t, r, port) == PLACE_PORT)
			break;
	}
	return refusal;
}

/* --- searching --- */

static bool crowd_fits(const struct sharing *s, const struct crowd *c,
		       const struct alloc_request *r)
{
	const struct profile *p = profile_at(&s->profiles, c->profile);

	return profile_same_backend(p, r) && !profile_meets(p, r);
}

/* Of two segments the earlier one in the order of writing, else the lower address. */
static bool comes_before(const struct crowd *c, const struct addr *a, const struct crowd *best,
			 const struct addr *best_addr)
{
	if (c->segment != best->segment)
		return c->segment->order < best->segment->order;
	return addr_cmp(a, best_addr) < 0;
}

bool sharing_lowest(const struct sharing *s, const struct alloc_request *r,
		    const struct pool_space *p, enum family family, struct segment **seg,
		    struct addr *out)
{
	uint32_t key = sharing_wanted(r) ? key_find(s, r->sharing_key) : 0, next;
	const struct crowd *best = NULL;

	for (uint32_t at = key ? key_at(s, key)->crowds : 0; at; at = next) {
		const struct crowd *c = crowd_at(s, at);
		const struct addr *lowest = place_addr(s, crowd_top(c));

		next = c->next;
		if (c->segment->pool != p || c->segment->family != family ||
		    (best && !comes_before(c, lowest, best, out)) || !crowd_fits(s, c, r))
			continue;
		best = c;
		*out = *lowest;
	}
	if (best)
		*seg = best->segment;
	return best != NULL;
}

void place_drop(const struct sharing *s, uint32_t place)
{
	if (place_at(s, place)->cap)
		free(place_at(s, place)->terms.many);
}

void sharing_fini(struct sharing *s)
{
	size_t at = 0;

	for (uint32_t key; (key = index_each(&s->by_key, &at));) {
		for (uint32_t crowd = key_at(s, key)->crowds; crowd;
		     crowd = crowd_at(s, crowd)->next)
			crowd_fini(crowd_at(s, crowd));
		free(key_at(s, key)->text);
	}
	slab_fini(&s->keys);
	slab_fini(&s->terms);
	slab_fini(&s->places);
	slab_fini(&s->crowds);
	index_fini(&s->by_key);
	profiles_fini(&s->profiles);
}
