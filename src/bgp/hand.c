#include "bgp/hand.h"

#include <string.h>

#include "base/buf.h"

/** Routes with the same attributes for the same peers. */
struct kind {
	uint32_t spread; /* with a reference of ours */
	uint32_t owner;
	char **peers; /* none: all */
	size_t n_peers;
	size_t key_len;
	uint8_t key[];
};

void bgp_hand_init(struct bgp_hand *h, struct bgp_rib *rib)
{
	*h = (struct bgp_hand){ .rib = rib, .kinds = map_new() };
}

static void kind_free(struct bgp_hand *h, struct kind *k)
{
	bgp_spread_unref(bgp_rib_spreads(h->rib), k->spread);
	for (size_t i = 0; i < k->n_peers; i++)
		free(k->peers[i]);
	free(k->peers);
	free(k);
}

void bgp_hand_fini(struct bgp_hand *h)
{
	void *k;

	for (size_t at = 0; map_next(h->kinds, &at, NULL, &k);)
		kind_free(h, k);
	h->kinds = map_free(h->kinds);
	for (size_t i = 0; i < h->n_peers; i++)
		free(h->peers[i]);
	free(h->peers);
}

static bool is_among(const char *peer, const char *const *peers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(peers[i], peer) == 0)
			return true;
	return false;
}

static struct bgp_audience kind_audience(const struct kind *k)
{
	return (struct bgp_audience){
		.peers = (const char *const *)k->peers,
		.n_peers = k->n_peers,
		.owner = k->owner,
	};
}

static bool kind_is_for(const struct kind *k, const char *peer)
{
	return k->n_peers == 0 || is_among(peer, kind_audience(k).peers, k->n_peers);
}

/* The key begins with it; the spread keeps it. */
static struct bgp_attr *kind_attr(const struct kind *k)
{
	struct bgp_attr *attr;

	memcpy(&attr, k->key, sizeof(attr));
	return attr;
}

static struct kind *kind_new(struct bgp_hand *h, const struct buf *key, struct bgp_attr *attr,
			     const struct bgp_audience *to)
{
	struct bgp_spreads *spreads = bgp_rib_spreads(h->rib);
	struct kind *k = mem_zero(1, sizeof(*k) + key->len);

	k->key_len = key->len;
	memcpy(k->key, buf_text(key), key->len);
	k->owner = to->owner;
	k->peers = mem_new_n(char *, to->n_peers);
	for (; k->n_peers < to->n_peers; k->n_peers++)
		k->peers[k->n_peers] = mem_strdup(to->peers[k->n_peers]);
	k->spread = bgp_spread_own(spreads, attr, k);
	for (unsigned i = 0; i < h->n_peers; i++)
		if (h->peers[i] && kind_is_for(k, h->peers[i]))
			bgp_spread_own_set(spreads, k->spread, i, true);
	map_put_bytes(h->kinds, k->key, k->key_len, k);
	return k;
}

static struct kind *kind_of(struct bgp_hand *h, struct bgp_attr *attr,
			    const struct bgp_audience *to)
{
	struct buf key = { 0 };

	buf_append(&key, &attr, sizeof(attr));
	buf_append(&key, &to->owner, sizeof(to->owner));
	for (size_t i = 0; i < to->n_peers; i++)
		buf_append(&key, to->peers[i], strlen(to->peers[i]) + 1);
	struct kind *k = map_get_bytes(h->kinds, buf_text(&key), key.len);
	if (!k)
		k = kind_new(h, &key, attr, to);
	buf_fini(&key);
	return k;
}

/* A kind without routes goes: only our own reference is left. */
static void kind_check(struct bgp_hand *h, struct kind *k)
{
	if (!k || bgp_spread_refs(bgp_rib_spreads(h->rib), k->spread) > 1)
		return;
	map_del_bytes(h->kinds, k->key, k->key_len);
	kind_free(h, k);
}

static struct kind *kind_at(const struct bgp_hand *h, const struct prefix *p)
{
	return bgp_spread_owner(bgp_rib_spreads(h->rib), bgp_rib_spread_of(h->rib, p));
}

int bgp_hand_set(struct bgp_hand *h, const struct prefix *p, struct bgp_attr *attr,
		 const struct bgp_audience *to)
{
	struct kind *was = kind_at(h, p);
	struct kind *now = kind_of(h, attr, to);
	int rc = bgp_rib_spread(h->rib, p, now->spread);

	kind_check(h, rc < 0 ? now : was);
	return rc;
}

/* Those of @a that are not in @b; the array is the caller's, with room for all of both. */
static struct bgp_audience without(const struct bgp_audience *a, const struct bgp_audience *b)
{
	const char **peers = mem_new_n(const char *, a->n_peers + b->n_peers);
	struct bgp_audience rest = { .peers = peers, .owner = a->owner };

	for (size_t i = 0; i < a->n_peers; i++)
		if (!is_among(a->peers[i], b->peers, b->n_peers))
			peers[rest.n_peers++] = a->peers[i];
	return rest;
}

int bgp_hand_add(struct bgp_hand *h, const struct prefix *p, struct bgp_attr *attr,
		 const struct bgp_audience *to)
{
	const struct kind *k = kind_at(h, p);

	if (!k || to->n_peers == 0)
		return bgp_hand_set(h, p, attr, to);
	if (k->n_peers == 0)
		return kind_attr(k) == attr ? 0 : -ERR_LIMIT;
	struct bgp_audience now = kind_audience(k), all = without(&now, to);
	const char **peers = (const char **)(uintptr_t)all.peers;
	int rc = -ERR_LIMIT;

	if (all.n_peers == 0 || kind_attr(k) == attr) {
		for (size_t i = 0; i < to->n_peers; i++)
			peers[all.n_peers++] = to->peers[i];
		all.owner = to->owner;
		rc = bgp_hand_set(h, p, attr, &all);
	}
	free(peers);
	return rc;
}

int bgp_hand_cut(struct bgp_hand *h, const struct prefix *p, const struct bgp_audience *from)
{
	const struct kind *k = kind_at(h, p);

	if (!k)
		return -ERR_NOT_FOUND;
	if (k->n_peers == 0)
		return -ERR_STATE;
	struct bgp_audience now = kind_audience(k), rest = without(&now, from);
	int rc = -ERR_NOT_FOUND;

	if (rest.n_peers == 0)
		rc = bgp_hand_del(h, p) ? 0 : -ERR_NOT_FOUND;
	else if (rest.n_peers < now.n_peers)
		rc = bgp_hand_set(h, p, kind_attr(k), &rest);
	free((void *)(uintptr_t)rest.peers);
	return rc;
}

bool bgp_hand_find(const struct bgp_hand *h, const struct prefix *p, struct bgp_audience *out)
{
	const struct kind *k = kind_at(h, p);

	if (k)
		*out = kind_audience(k);
	return k != NULL;
}

bool bgp_hand_del(struct bgp_hand *h, const struct prefix *p)
{
	struct kind *k = kind_at(h, p);

	if (!k || bgp_rib_spread(h->rib, p, BGP_SPREAD_NONE) < 0)
		return false;
	kind_check(h, k);
	return true;
}

void bgp_hand_drop(struct bgp_hand *h, uint32_t owner)
{
	void *value;

	for (size_t at = 0; map_next(h->kinds, &at, NULL, &value);) {
		struct kind *k = value;

		if (k->owner != owner)
			continue;
		bgp_rib_spread_drop(h->rib, k->spread);
		kind_check(h, k);
	}
}

void bgp_hand_peer(struct bgp_hand *h, const char *name, unsigned number, bool here)
{
	struct bgp_spreads *spreads = bgp_rib_spreads(h->rib);
	void *value;

	while (h->n_peers <= number) {
		h->peers = mem_resize(h->peers, h->n_peers + 1, sizeof(*h->peers));
		h->peers[h->n_peers++] = NULL;
	}
	free(h->peers[number]);
	h->peers[number] = here ? mem_strdup(name) : NULL;
	for (size_t at = 0; map_next(h->kinds, &at, NULL, &value);) {
		const struct kind *k = value;

		if (!here || kind_is_for(k, name))
			bgp_spread_own_set(spreads, k->spread, number, here);
	}
}

bool bgp_hand_is_used(const struct bgp_hand *h, uint32_t but)
{
	void *k;

	for (size_t at = 0; map_next(h->kinds, &at, NULL, &k);)
		if (((const struct kind *)k)->owner != but)
			return true;
	return false;
}
