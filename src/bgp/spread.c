#include "bgp/spread.h"

#include <assert.h>
#include <string.h>

#include "base/map.h"

/**
 * An interned spread. Its key is a list of shares, each the address of its attributes and then @words
 * words with a bit for each peer that hears them; in order of the addresses, none empty, no word more than the
 * highest peer needs.
 */
struct spread {
	uint32_t refs;
	uint32_t words;
	uint32_t n;
	uint32_t next_free;
	size_t routes[2]; /* IPv4, IPv6 */
	uint64_t birth;
	void *owner; /* of a spread by itself: it is not interned */
	uint64_t *key;
};

struct bgp_spreads {
	struct map *by_key; /* key -> its number + 1 */
	struct spread *v;
	uint32_t n, cap;
	uint32_t free; /* BGP_SPREAD_NONE: no number is free */
	size_t alive;
	uint64_t births;
};

/** A key in the making. */
struct draft {
	uint64_t *v;
	uint32_t words;
	uint32_t n;
};

struct bgp_spreads *bgp_spreads_new(void)
{
	struct bgp_spreads *t = mem_new(struct bgp_spreads);

	t->by_key = map_new();
	t->free = BGP_SPREAD_NONE;
	return t;
}

struct bgp_spreads *bgp_spreads_free(struct bgp_spreads *t)
{
	if (!t)
		return NULL;
	assert(t->alive == 0);
	map_free(t->by_key);
	free(t->v);
	free(t);
	return NULL;
}

static size_t share_words(uint32_t words)
{
	return 1 + words;
}

static const uint64_t *share_at(const struct spread *s, uint32_t i)
{
	return s->key + i * share_words(s->words);
}

static struct bgp_attr *share_attr(const uint64_t *share)
{
	return (struct bgp_attr *)(uintptr_t)share[0];
}

static bool share_has(const uint64_t *share, uint32_t words, unsigned peer)
{
	return peer / 64 < words && (share[1 + peer / 64] >> peer % 64 & 1);
}

struct bgp_attr *bgp_spread_attr(const struct bgp_spreads *t, uint32_t spread, unsigned peer)
{
	if (spread == BGP_SPREAD_NONE)
		return NULL;
	const struct spread *s = &t->v[spread];
	for (uint32_t i = 0; i < s->n; i++)
		if (share_has(share_at(s, i), s->words, peer))
			return share_attr(share_at(s, i));
	return NULL;
}

/* --- making one --- */

static uint64_t *draft_share(struct draft *d, uint32_t i)
{
	return d->v + i * share_words(d->words);
}

static bool share_is_empty(const uint64_t *share, uint32_t words)
{
	for (uint32_t i = 0; i < words; i++)
		if (share[1 + i])
			return false;
	return true;
}

/* All that @from says, but of @peer; wide enough for it. */
static void draft_copy(struct draft *d, const struct spread *from, unsigned peer)
{
	for (uint32_t i = 0; from && i < from->n; i++) {
		const uint64_t *share = share_at(from, i);
		uint64_t *out = draft_share(d, d->n);

		memset(out, 0, share_words(d->words) * sizeof(*out));
		memcpy(out, share, share_words(from->words) * sizeof(*out));
		out[1 + peer / 64] &= ~(1ULL << peer % 64);
		d->n += !share_is_empty(out, d->words);
	}
}

/* The share of these attributes, made in its place where there is none. */
static uint64_t *draft_share_of(struct draft *d, struct bgp_attr *attr)
{
	size_t stride = share_words(d->words);
	uint32_t i = 0;

	while (i < d->n && draft_share(d, i)[0] < (uintptr_t)attr)
		i++;
	uint64_t *at = draft_share(d, i);
	if (i < d->n && at[0] == (uintptr_t)attr)
		return at;
	memmove(at + stride, at, (d->n - i) * stride * sizeof(*at));
	memset(at, 0, stride * sizeof(*at));
	at[0] = (uintptr_t)attr;
	d->n++;
	return at;
}

/* One form for one meaning: words that no share uses go. */
static void draft_trim(struct draft *d)
{
	uint32_t words = 0;

	for (uint32_t i = 0; i < d->n; i++)
		for (uint32_t w = words; w < d->words; w++)
			if (draft_share(d, i)[1 + w])
				words = w + 1;
	for (uint32_t i = 0; i < d->n; i++)
		memmove(d->v + i * share_words(words), draft_share(d, i),
			share_words(words) * sizeof(*d->v));
	d->words = words;
}

static uint32_t number_take(struct bgp_spreads *t)
{
	uint32_t i = t->free;

	if (i == BGP_SPREAD_NONE) {
		mem_grow(t->v, t->n, t->cap);
		return t->n++;
	}
	t->free = t->v[i].next_free;
	return i;
}

static size_t key_bytes(uint32_t words, uint32_t n)
{
	return n * share_words(words) * sizeof(uint64_t);
}

/* The interned spread that says what the draft says, with a reference more. */
static uint32_t intern(struct bgp_spreads *t, const struct draft *d)
{
	size_t len = key_bytes(d->words, d->n);
	uintptr_t known = (uintptr_t)map_get_bytes(t->by_key, d->v, len);

	if (known) {
		t->v[known - 1].refs++;
		return (uint32_t)(known - 1);
	}
	uint32_t i = number_take(t);
	t->v[i] = (struct spread){
		.refs = 1,
		.words = d->words,
		.n = d->n,
		.birth = ++t->births,
		.key = mem_dup(d->v, len),
	};
	for (uint32_t s = 0; s < d->n; s++)
		bgp_attr_ref(share_attr(share_at(&t->v[i], s)));
	map_put_bytes(t->by_key, d->v, len, (void *)((uintptr_t)i + 1)); /* NOLINT: a number */
	t->alive++;
	return i;
}

uint32_t bgp_spread_with(struct bgp_spreads *t, uint32_t spread, unsigned peer,
			 struct bgp_attr *attr)
{
	const struct spread *from = spread == BGP_SPREAD_NONE ? NULL : &t->v[spread];
	struct draft d = { .words = MAX(peer / 64 + 1, from ? from->words : 0) };
	uint32_t result = BGP_SPREAD_NONE;

	assert(peer < BGP_PEERS_MAX);
	d.v = mem_new_n(uint64_t, ((from ? from->n : 0) + 1) * share_words(d.words));
	draft_copy(&d, from, peer);
	if (attr)
		draft_share_of(&d, attr)[1 + peer / 64] |= 1ULL << peer % 64;
	draft_trim(&d);
	if (d.n > 0)
		result = intern(t, &d);
	free(d.v);
	return result;
}

uint32_t bgp_spread_own(struct bgp_spreads *t, struct bgp_attr *attr, void *owner)
{
	uint32_t i = number_take(t);

	t->v[i] = (struct spread){
		.refs = 1,
		.n = 1,
		.birth = ++t->births,
		.owner = owner,
		.key = mem_new(uint64_t),
	};
	t->v[i].key[0] = (uintptr_t)bgp_attr_ref(attr);
	t->alive++;
	return i;
}

void bgp_spread_own_set(struct bgp_spreads *t, uint32_t spread, unsigned peer, bool hears)
{
	struct spread *s = &t->v[spread];
	uint32_t words = MAX(s->words, peer / 64 + 1);

	if (words > s->words) {
		s->key = mem_resize(s->key, share_words(words), sizeof(*s->key));
		memset(s->key + share_words(s->words), 0, (words - s->words) * sizeof(*s->key));
		s->words = words;
	}
	uint64_t *word = &s->key[1 + peer / 64], bit = 1ULL << peer % 64;
	*word = hears ? *word | bit : *word & ~bit;
}

void *bgp_spread_owner(const struct bgp_spreads *t, uint32_t spread)
{
	return spread == BGP_SPREAD_NONE ? NULL : t->v[spread].owner;
}

uint32_t bgp_spread_refs(const struct bgp_spreads *t, uint32_t spread)
{
	return t->v[spread].refs;
}

void bgp_spread_ref(struct bgp_spreads *t, uint32_t spread)
{
	if (spread != BGP_SPREAD_NONE)
		t->v[spread].refs++;
}

void bgp_spread_unref(struct bgp_spreads *t, uint32_t spread)
{
	if (spread == BGP_SPREAD_NONE || --t->v[spread].refs > 0)
		return;
	struct spread *s = &t->v[spread];
	if (!s->owner)
		map_del_bytes(t->by_key, s->key, key_bytes(s->words, s->n));
	for (uint32_t i = 0; i < s->n; i++)
		bgp_attr_unref(share_attr(share_at(s, i)));
	free(s->key);
	*s = (struct spread){ .next_free = t->free };
	t->free = spread;
	t->alive--;
}

/* --- questions about all of them --- */

void bgp_spread_count(struct bgp_spreads *t, uint32_t spread, enum family family, int change)
{
	if (spread != BGP_SPREAD_NONE)
		t->v[spread].routes[family == FAMILY_V6] += (size_t)(ptrdiff_t)change;
}

size_t bgp_spreads_wanted(const struct bgp_spreads *t, unsigned peer, enum family family)
{
	size_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		if (t->v[i].refs && bgp_spread_attr(t, i, peer))
			n += t->v[i].routes[family == FAMILY_V6];
	return n;
}

uint64_t bgp_spreads_births(const struct bgp_spreads *t)
{
	return t->births;
}

bool bgp_spreads_alike(const struct bgp_spreads *t, unsigned a, unsigned b, uint64_t since)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->v[i].refs && t->v[i].birth > since &&
		    bgp_spread_attr(t, i, a) != bgp_spread_attr(t, i, b))
			return false;
	return true;
}

size_t bgp_spreads_len(const struct bgp_spreads *t)
{
	return t->alive;
}
