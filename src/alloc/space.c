#include "alloc/space.h"

#include <endian.h>
#include <string.h>

static size_t family_index(uint8_t family)
{
	return family == FAMILY_V6;
}

static space_num num_of(const struct addr *a)
{
	uint32_t v4;
	uint64_t v6[2];

	if (a->family == FAMILY_V4) {
		memcpy(&v4, a->b, sizeof(v4));
		return be32toh(v4);
	}
	memcpy(v6, a->b, sizeof(v6));
	return (space_num)be64toh(v6[0]) << 64 | be64toh(v6[1]);
}

static struct addr addr_of(space_num x, uint8_t family)
{
	uint8_t bytes[16];
	unsigned n = family == FAMILY_V4 ? 4 : 16;

	for (unsigned i = n; i > 0; i--, x >>= 8)
		bytes[i - 1] = (uint8_t)x;
	return addr_from_bytes(family, bytes);
}

static void segment_init(struct segment *seg, struct pool_space *p, size_t order)
{
	const struct cfg_block_list *list = &p->cfg->addresses[order];
	struct range low = prefix_range(&list->v[0]);
	struct range high = prefix_range(&list->v[list->n - 1]);

	/* An element is one prefix, or a range cut into aligned ones: neighbours without a gap. */
	*seg = (struct segment){ .pool = p, .order = order, .family = low.first.family };
	seg->first = num_of(&low.first);
	seg->last = num_of(&high.last);
	numset_init(&seg->taken);
}

static int by_first(const void *a, const void *b)
{
	const struct segment *l = *(const struct segment *const *)a;
	const struct segment *r = *(const struct segment *const *)b;

	if (l->family != r->family)
		return l->family < r->family ? -1 : 1;
	return l->first < r->first ? -1 : l->first > r->first;
}

static void pool_init(struct pool_space *p, const struct cfg_pool *cfg)
{
	*p = (struct pool_space){ .cfg = cfg };
	p->segments = mem_new_n(struct segment, cfg->n_addresses);
	for (size_t i = 0; i < cfg->n_addresses; i++)
		if (cfg->addresses[i].n)
			segment_init(&p->segments[p->n++], p, i);
}

/* Reserved pools by priority, 0 last, then those for everybody. */
static uint64_t rank_of(const struct pool_space *p)
{
	const struct cfg_reservation *reserved = p->cfg->reserved;

	if (!reserved)
		return UINT64_MAX;
	return reserved->priority ? reserved->priority : UINT64_MAX - 1;
}

static int by_rank(const void *a, const void *b)
{
	const struct pool_space *l = *(const struct pool_space *const *)a;
	const struct pool_space *r = *(const struct pool_space *const *)b;

	if (rank_of(l) != rank_of(r))
		return rank_of(l) < rank_of(r) ? -1 : 1;
	return l < r ? -1 : l > r; /* they stand in the order of the configuration */
}

static void rank_pools(struct space *s)
{
	s->ranked = mem_new_n(struct pool_space *, s->n + 1);
	for (size_t i = 0; i < s->n; i++)
		s->ranked[i] = &s->pools[i];
	qsort(s->ranked, s->n, sizeof(struct pool_space *), by_rank);
}

void space_init(struct space *s, const struct cfg *c)
{
	size_t n = 0;

	*s = (struct space){ .pools = mem_new_n(struct pool_space, c->n_pools), .n = c->n_pools };
	for (size_t i = 0; i < s->n; i++) {
		pool_init(&s->pools[i], &c->pools[i]);
		n += s->pools[i].n;
	}
	s->by_first = mem_new_n(struct segment *, n);
	for (size_t i = 0; i < s->n; i++)
		for (size_t j = 0; j < s->pools[i].n; j++)
			s->by_first[s->n_segments++] = &s->pools[i].segments[j];
	qsort(s->by_first, n, sizeof(struct segment *), by_first);
	rank_pools(s);
}

void space_fini(struct space *s)
{
	for (size_t i = 0; i < s->n_segments; i++)
		numset_fini(&s->by_first[i]->taken);
	for (size_t i = 0; i < s->n; i++)
		free(s->pools[i].segments);
	free(s->pools);
	free(s->ranked);
	free(s->by_first);
	*s = (struct space){ 0 };
}

struct pool_space *space_pool(const struct space *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->pools[i].cfg->name, name) == 0)
			return &s->pools[i];
	return NULL;
}

static bool starts_after(const struct segment *seg, uint8_t family, space_num x)
{
	return seg->family != family ? seg->family > family : seg->first > x;
}

struct segment *space_find(const struct space *s, const struct addr *a)
{
	space_num x = num_of(a);
	size_t lo = 0, hi = s->n_segments;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (starts_after(s->by_first[mid], a->family, x))
			hi = mid;
		else
			lo = mid + 1;
	}
	if (lo == 0)
		return NULL;
	struct segment *seg = s->by_first[lo - 1];
	return seg->family == a->family && x <= seg->last ? seg : NULL;
}

bool space_has_family(const struct pool_space *p, enum family family)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->segments[i].family == family)
			return true;
	return false;
}

static bool is_buggy(const struct addr *a)
{
	return a->family == FAMILY_V4 && (a->b[3] == 0 || a->b[3] == 255);
}

bool space_avoids(const struct pool_space *p, const struct addr *a)
{
	return p->cfg->avoid_buggy_ips && is_buggy(a);
}

uint32_t space_distance(const struct segment *seg, const struct addr *a)
{
	return (uint32_t)MIN(num_of(a) - seg->first, (space_num)UINT32_MAX);
}

static void mark(struct segment *seg, const struct addr *a)
{
	space_num distance = num_of(a) - seg->first;

	if (distance <= UINT64_MAX)
		numset_add(&seg->taken, (uint64_t)distance);
}

static void unmark(struct segment *seg, const struct addr *a)
{
	space_num distance = num_of(a) - seg->first;
	size_t *maybe_free = &seg->pool->maybe_free[family_index(seg->family)];

	if (distance <= UINT64_MAX)
		numset_del(&seg->taken, (uint64_t)distance);
	*maybe_free = MIN(*maybe_free, (size_t)(seg - seg->pool->segments));
}

void space_take(struct segment *seg, const struct addr *a)
{
	mark(seg, a);
	seg->pool->used[family_index(seg->family)]++;
}

void space_give(struct segment *seg, const struct addr *a)
{
	unmark(seg, a);
	seg->pool->used[family_index(seg->family)]--;
}

void space_rest(struct segment *seg, const struct addr *a)
{
	mark(seg, a);
	seg->pool->resting[family_index(seg->family)]++;
}

void space_wake(struct segment *seg, const struct addr *a)
{
	unmark(seg, a);
	seg->pool->resting[family_index(seg->family)]--;
}

/* Addresses to avoid count as taken from the first time on: each is stepped over once. */
static bool segment_lowest(struct segment *seg, struct addr *out)
{
	for (;;) {
		uint64_t gap = numset_gap(&seg->taken);

		if (gap > seg->last - seg->first)
			return false;
		*out = addr_of(seg->first + gap, seg->family);
		if (!space_avoids(seg->pool, out))
			return true;
		numset_add(&seg->taken, gap);
	}
}

bool space_lowest(struct pool_space *p, enum family family, struct segment **seg, struct addr *out)
{
	size_t *from = &p->maybe_free[family_index(family)];

	for (; *from < p->n; (*from)++) {
		*seg = &p->segments[*from];
		if ((*seg)->family == family && segment_lowest(*seg, out))
			return true;
	}
	return false;
}

/* How many numbers up to @x end in the byte @low. */
static uint64_t count_ending(space_num x, unsigned low)
{
	return (uint64_t)(x / 256) + (x % 256 >= low);
}

static uint64_t segment_buggy(const struct segment *seg)
{
	uint64_t n = 0;

	for (unsigned low = 0; low <= 255; low += 255) {
		n += count_ending(seg->last, low);
		if (seg->first > 0)
			n -= count_ending(seg->first - 1, low);
	}
	return n;
}

uint64_t space_total(const struct pool_space *p, enum family family)
{
	const space_num most = INT64_MAX;
	space_num total = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct segment *seg = &p->segments[i];

		if (seg->family != family)
			continue;
		total += MIN(seg->last - seg->first, most) + 1;
		if (family == FAMILY_V4 && p->cfg->avoid_buggy_ips)
			total -= segment_buggy(seg);
	}
	return (uint64_t)MIN(total, most);
}
