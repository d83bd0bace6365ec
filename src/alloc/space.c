#include "alloc/space.h"

#include <string.h>

static size_t family_index(uint8_t family)
{
	return family == FAMILY_V6;
}

static runs_num num_of(const struct addr *a)
{
	runs_num x = 0;

	for (unsigned i = 0; i < addr_len(a); i++)
		x = x << 8 | a->b[i];
	return x;
}

static struct addr addr_of(runs_num x, uint8_t family)
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
}

static int by_first(const void *a, const void *b)
{
	const struct segment *l = *(const struct segment *const *)a;
	const struct segment *r = *(const struct segment *const *)b;

	if (l->family != r->family)
		return l->family < r->family ? -1 : 1;
	return l->first < r->first ? -1 : l->first > r->first;
}

static void pool_init(struct pool_space *p, const struct cfg_pool *cfg, size_t order)
{
	*p = (struct pool_space){ .cfg = cfg, .order = order };
	p->segments = mem_new_n(struct segment, cfg->n_addresses);
	for (size_t i = 0; i < cfg->n_addresses; i++)
		if (cfg->addresses[i].n)
			segment_init(&p->segments[p->n++], p, i);
}

void space_init(struct space *s, const struct cfg *c)
{
	size_t n = 0;

	*s = (struct space){ .pools = mem_new_n(struct pool_space, c->n_pools), .n = c->n_pools };
	for (size_t i = 0; i < s->n; i++) {
		pool_init(&s->pools[i], &c->pools[i], i);
		n += s->pools[i].n;
	}
	s->by_first = mem_new_n(struct segment *, n);
	for (size_t i = 0; i < s->n; i++)
		for (size_t j = 0; j < s->pools[i].n; j++)
			s->by_first[s->n_segments++] = &s->pools[i].segments[j];
	qsort(s->by_first, n, sizeof(struct segment *), by_first);
}

void space_fini(struct space *s)
{
	for (size_t i = 0; i < s->n_segments; i++)
		runs_fini(&s->by_first[i]->used);
	for (size_t i = 0; i < s->n; i++)
		free(s->pools[i].segments);
	free(s->pools);
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

static bool starts_after(const struct segment *seg, uint8_t family, runs_num x)
{
	return seg->family != family ? seg->family > family : seg->first > x;
}

struct segment *space_find(const struct space *s, const struct addr *a)
{
	runs_num x = num_of(a);
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

void space_take(struct segment *seg, const struct addr *a)
{
	runs_add(&seg->used, num_of(a));
	seg->pool->used[family_index(seg->family)]++;
}

void space_give(struct segment *seg, const struct addr *a)
{
	struct pool_space *p = seg->pool;
	size_t family = family_index(seg->family);
	size_t at = (size_t)(seg - p->segments);

	runs_del(&seg->used, num_of(a));
	p->used[family]--;
	p->maybe_free[family] = MIN(p->maybe_free[family], at);
}

/* Addresses to avoid count as used from the first time on: each is stepped over once. */
static bool segment_lowest(struct segment *seg, struct addr *out)
{
	runs_num x;

	while (runs_lowest_free(&seg->used, seg->first, seg->last, &x)) {
		*out = addr_of(x, seg->family);
		if (!space_avoids(seg->pool, out))
			return true;
		runs_add(&seg->used, x);
	}
	return false;
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
static uint64_t count_ending(runs_num x, unsigned low)
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
	const runs_num most = INT64_MAX;
	runs_num total = 0;

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
