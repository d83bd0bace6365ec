#include "bgp/attr.h"

#include "base/map.h"
#include "bgp/update.h"

enum { DEFAULT_LOCAL_PREF = 100, SEGMENT_SEQUENCE = 2, SEGMENT_MAX = 255 };

#define GRACEFUL_SHUTDOWN 0xffff0000U /* RFC 8326 §3.2 */

/* Room for attributes that do not grow, MP_REACH_NLRI with one prefix, and the message around it. */
enum { GROWING_MAX = BGP_MSG_MAX - 256 };

struct bgp_attr {
	struct bgp_route_attrs v; /* arrays point into the key */
	struct bgp_attr_table *table;
	uint32_t refs;
	uint32_t key_words;
	_Alignas(uint64_t)
		uint32_t key[]; /* fixed part, then the arrays, canonical; of 8 bytes first */
};

struct bgp_attr_table {
	struct map *by_key;
};

struct bgp_attr_table *bgp_attr_table_new(void)
{
	struct bgp_attr_table *t = mem_new(struct bgp_attr_table);

	t->by_key = map_new();
	return t;
}

struct bgp_attr_table *bgp_attr_table_free(struct bgp_attr_table *t)
{
	if (!t)
		return NULL;
	map_free(t->by_key);
	free(t);
	return NULL;
}

size_t bgp_attr_table_len(const struct bgp_attr_table *t)
{
	return map_len(t->by_key);
}

static int cmp_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int cmp_large(const void *a, const void *b)
{
	const struct bgp_large *x = a;
	const struct bgp_large *y = b;
	int c = cmp_u32(&x->global, &y->global);

	if (c == 0)
		c = cmp_u32(&x->local1, &y->local1);
	return c ? c : cmp_u32(&x->local2, &y->local2);
}

/* Sort and drop doubles; returns how many are left. */
static size_t sort_unique(void *items, size_t n, size_t size,
			  int (*cmp)(const void *, const void *))
{
	uint8_t *p = items;
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(p, n, size, cmp);
	for (size_t i = 0; i < n; i++) {
		if (kept && cmp(p + (kept - 1) * size, p + i * size) == 0)
			continue;
		memmove(p + kept * size, p + i * size, size);
		kept++;
	}
	return kept;
}

enum { KEY_FIXED = 12 }; /* even, as the 8-byte items behind it are aligned */

static size_t growing_bytes(const struct bgp_route_attrs *v)
{
	/* AS_PATH counts twice: AS4_PATH may repeat it. Each 255 AS cost a segment header. */
	size_t path = v->n_as_path + v->prepend + 2U;

	return 2 * (path * 4 + 2 * (path / SEGMENT_MAX + 1)) + v->n_communities * 4 +
	       v->n_large * sizeof(struct bgp_large) + v->n_ext * sizeof(uint64_t);
}

static void key_fixed(uint32_t *key, const struct bgp_route_attrs *v)
{
	key[0] = v->origin | (uint32_t)v->prepend << 8 | (uint32_t)v->has_local_pref << 16 |
		 (uint32_t)v->has_med << 17;
	key[1] = v->has_local_pref ? v->local_pref : 0;
	key[2] = v->has_med ? v->med : 0;
	key[3] = v->next_hop.family;
	memcpy(&key[4], v->next_hop.b, 16);
	key[8] = (uint32_t)v->n_as_path;
	key[9] = (uint32_t)v->n_communities;
	key[10] = (uint32_t)v->n_large;
	key[11] = (uint32_t)v->n_ext;
}

static void *copy_items(void *to, const void *from, size_t bytes)
{
	if (bytes)
		memcpy(to, from, bytes);
	return to;
}

static struct bgp_attr *attr_new(const struct bgp_route_attrs *want)
{
	size_t words = KEY_FIXED + want->n_as_path + want->n_communities + 3 * want->n_large +
		       2 * want->n_ext;
	struct bgp_attr *a = mem_zero(1, sizeof(*a) + words * sizeof(uint32_t));
	uint32_t *at = a->key + KEY_FIXED;

	a->v = *want;
	void *ext = copy_items(at, want->ext, want->n_ext * sizeof(uint64_t));
	a->v.ext = ext;
	a->v.n_ext = sort_unique(ext, want->n_ext, sizeof(uint64_t), cmp_u64);
	at += 2 * a->v.n_ext;

	a->v.as_path = copy_items(at, want->as_path, want->n_as_path * sizeof(*at));
	at += want->n_as_path;

	uint32_t *comm = copy_items(at, want->communities, want->n_communities * sizeof(*at));
	a->v.communities = comm;
	a->v.n_communities = sort_unique(comm, want->n_communities, sizeof(*comm), cmp_u32);
	at += a->v.n_communities;

	void *large = copy_items(at, want->large, want->n_large * sizeof(struct bgp_large));
	a->v.large = large;
	a->v.n_large = sort_unique(large, want->n_large, sizeof(struct bgp_large), cmp_large);
	at += 3 * a->v.n_large;

	a->key_words = (uint32_t)(at - a->key);
	key_fixed(a->key, &a->v);
	return a;
}

int bgp_attr_intern(struct bgp_attr_table *t, const struct bgp_route_attrs *want,
		    struct bgp_attr **out, struct err *e)
{
	if (growing_bytes(want) > GROWING_MAX)
		return err_set(e, ERR_LIMIT,
			       "path attributes of %zu bytes do not fit a BGP message",
			       growing_bytes(want));
	struct bgp_attr *a = attr_new(want);
	size_t len = a->key_words * sizeof(uint32_t);
	struct bgp_attr *known = map_get_bytes(t->by_key, a->key, len);
	if (known) {
		free(a);
		*out = bgp_attr_ref(known);
		return 0;
	}
	a->table = t;
	a->refs = 1;
	map_put_bytes(t->by_key, a->key, len, a);
	*out = a;
	return 0;
}

struct bgp_attr *bgp_attr_ref(struct bgp_attr *a)
{
	if (a)
		a->refs++;
	return a;
}

void bgp_attr_unref(struct bgp_attr *a)
{
	if (!a || --a->refs > 0)
		return;
	map_del_bytes(a->table->by_key, a->key, a->key_words * sizeof(uint32_t));
	free(a);
}

const struct bgp_route_attrs *bgp_attr_get(const struct bgp_attr *a)
{
	return &a->v;
}

bool bgp_format_eq(const struct bgp_format *a, const struct bgp_format *b)
{
	return a->ibgp == b->ibgp && a->as4 == b->as4 && a->families == b->families &&
	       a->extended_message == b->extended_message && a->leaving == b->leaving &&
	       a->enhanced_refresh == b->enhanced_refresh && a->otc == b->otc &&
	       a->local_as == b->local_as && a->real_as == b->real_as &&
	       addr_eq(&a->hop4, &b->hop4) && addr_eq(&a->hop6, &b->hop6) &&
	       addr_eq(&a->hop6_ll, &b->hop6_ll);
}

struct addr bgp_attr_hop(const struct bgp_attr *a, const struct bgp_format *f, uint8_t family)
{
	if (a->v.next_hop.family == family)
		return a->v.next_hop;
	return family == FAMILY_V4 ? f->hop4 : f->hop6;
}

bool bgp_attr_local_pref(const struct bgp_attr *a, const struct bgp_format *f, uint32_t *out)
{
	if (!f->ibgp)
		return false;
	*out = a->v.has_local_pref ? a->v.local_pref : DEFAULT_LOCAL_PREF;
	if (f->leaving)
		*out = 0;
	return true;
}

static void put_header(struct wr *w, uint8_t flags, uint8_t code, size_t len)
{
	bool extended = len > UINT8_MAX;

	wr_u8(w, extended ? flags | BGP_FLAG_EXTENDED : flags);
	wr_u8(w, code);
	if (extended)
		wr_u16(w, (uint16_t)len);
	else
		wr_u8(w, (uint8_t)len);
}

static void put_u32(struct wr *w, uint8_t flags, uint8_t code, uint32_t value)
{
	put_header(w, flags, code, 4);
	wr_u32(w, value);
}

/*
 * The path as a list: our own AS in front towards external peers, and before it the one that the
 * peer takes us for.
 */
struct path {
	uint32_t front;
	uint32_t own;
	size_t n_own;
	const uint32_t *rest;
	size_t n;
};

static struct path path_of(const struct bgp_attr *a, const struct bgp_format *f)
{
	size_t own = f->ibgp ? 0 : 1U + a->v.prepend + (f->real_as ? 1U : 0U);

	return (struct path){
		.front = f->local_as,
		.own = f->real_as ? f->real_as : f->local_as,
		.n_own = own,
		.rest = a->v.as_path,
		.n = own + a->v.n_as_path,
	};
}

static uint32_t path_at(const struct path *p, size_t i)
{
	if (i >= p->n_own)
		return p->rest[i - p->n_own];
	return i == 0 ? p->front : p->own;
}

static bool path_needs_as4(const struct path *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (path_at(p, i) > UINT16_MAX)
			return true;
	return false;
}

static void put_path(struct wr *w, uint8_t flags, uint8_t code, const struct path *p, bool as4)
{
	size_t segments = (p->n + SEGMENT_MAX - 1) / SEGMENT_MAX;

	put_header(w, flags, code, segments * 2 + p->n * (as4 ? 4U : 2U));
	for (size_t i = 0; i < p->n; i++) {
		uint32_t as = path_at(p, i);

		if (i % SEGMENT_MAX == 0) {
			wr_u8(w, SEGMENT_SEQUENCE);
			wr_u8(w, (uint8_t)MIN(p->n - i, (size_t)SEGMENT_MAX));
		}
		if (as4)
			wr_u32(w, as);
		else
			wr_u16(w, as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)as);
	}
}

static bool has_community(const struct bgp_route_attrs *v, uint32_t community)
{
	for (size_t i = 0; i < v->n_communities; i++)
		if (v->communities[i] == community)
			return true;
	return false;
}

static void put_communities(struct wr *w, const struct bgp_route_attrs *v, bool leaving)
{
	bool more = leaving && !has_community(v, GRACEFUL_SHUTDOWN);
	size_t n = v->n_communities + more;

	if (n == 0)
		return;
	put_header(w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, BGP_ATTR_COMMUNITIES, n * 4);
	for (size_t i = 0; i < v->n_communities; i++)
		wr_u32(w, v->communities[i]);
	if (more)
		wr_u32(w, GRACEFUL_SHUTDOWN);
}

static void put_ext(struct wr *w, const struct bgp_route_attrs *v)
{
	if (v->n_ext == 0)
		return;
	put_header(w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, BGP_ATTR_EXT_COMMUNITIES,
		   v->n_ext * 8);
	for (size_t i = 0; i < v->n_ext; i++) {
		wr_u32(w, (uint32_t)(v->ext[i] >> 32));
		wr_u32(w, (uint32_t)v->ext[i]);
	}
}

static void put_large(struct wr *w, const struct bgp_route_attrs *v)
{
	if (v->n_large == 0)
		return;
	put_header(w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, BGP_ATTR_LARGE_COMMUNITIES,
		   v->n_large * 12);
	for (size_t i = 0; i < v->n_large; i++) {
		wr_u32(w, v->large[i].global);
		wr_u32(w, v->large[i].local1);
		wr_u32(w, v->large[i].local2);
	}
}

static void put_all(struct wr *w, const struct bgp_attr *a, const struct bgp_format *f,
		    const struct addr *hop4)
{
	const struct path path = path_of(a, f);
	uint32_t pref;

	put_header(w, BGP_FLAG_TRANSITIVE, BGP_ATTR_ORIGIN, 1);
	wr_u8(w, a->v.origin);
	put_path(w, BGP_FLAG_TRANSITIVE, BGP_ATTR_AS_PATH, &path, f->as4);
	if (hop4) {
		put_header(w, BGP_FLAG_TRANSITIVE, BGP_ATTR_NEXT_HOP, 4);
		wr_bytes(w, hop4->b, 4);
	}
	if (a->v.has_med)
		put_u32(w, BGP_FLAG_OPTIONAL, BGP_ATTR_MED, a->v.med);
	if (bgp_attr_local_pref(a, f, &pref))
		put_u32(w, BGP_FLAG_TRANSITIVE, BGP_ATTR_LOCAL_PREF, pref);
	put_communities(w, &a->v, f->leaving);
	put_ext(w, &a->v);
	if (!f->as4 && path_needs_as4(&path)) /* RFC 6793 §4.2.2 */
		put_path(w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, BGP_ATTR_AS4_PATH, &path,
			 true);
	put_large(w, &a->v);
	if (f->otc)
		put_u32(w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, BGP_ATTR_OTC, f->local_as);
}

bool bgp_attr_is_mp(const struct bgp_attr *a, const struct bgp_format *f, uint8_t family)
{
	return family == FAMILY_V6 || bgp_attr_hop(a, f, family).family == FAMILY_V6;
}

void bgp_attr_encode_v4(struct wr *w, const struct bgp_attr *a, const struct bgp_format *f)
{
	struct addr hop = bgp_attr_hop(a, f, FAMILY_V4);

	put_all(w, a, f, &hop);
}

void bgp_attr_encode_mp(struct wr *w, const struct bgp_attr *a, const struct bgp_format *f)
{
	put_all(w, a, f, NULL);
}

void bgp_attr_encode_mp_hop(struct wr *w, const struct bgp_attr *a, const struct bgp_format *f,
			    uint8_t family)
{
	struct addr hop = bgp_attr_hop(a, f, family);
	bool both = addr_is_set(&f->hop6_ll) && a->v.next_hop.family != family;

	wr_u8(w, both ? 32 : 16);
	wr_bytes(w, hop.b, 16);
	if (both)
		wr_bytes(w, f->hop6_ll.b, 16);
}
