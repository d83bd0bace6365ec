#include "alloc/runs.h"

#include <string.h>

enum { CHUNK_MAX = 64 };

/** A place among the runs; chunk == n is the end. */
struct place {
	size_t chunk, at;
};

void runs_fini(struct runs *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->chunks[i].v);
	free(r->chunks);
	*r = (struct runs){ 0 };
}

static struct run *run_at(const struct runs *r, struct place p)
{
	return &r->chunks[p.chunk].v[p.at];
}

/* The first chunk whose last run does not end below @x. */
static size_t chunk_search(const struct runs *r, runs_num x)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct runs_chunk *c = &r->chunks[mid];

		if (c->v[c->n - 1].last < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The first run that does not end below @x. */
static struct place run_search(const struct runs *r, runs_num x)
{
	struct place p = { .chunk = chunk_search(r, x) };
	size_t lo = 0, hi = p.chunk < r->n ? r->chunks[p.chunk].n : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->chunks[p.chunk].v[mid].last < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	p.at = lo;
	return p;
}

bool runs_has(const struct runs *r, runs_num x)
{
	struct place p = run_search(r, x);

	return p.chunk < r->n && run_at(r, p)->first <= x;
}

/* The run before a place, or NULL at the beginning. */
static struct run *run_before(const struct runs *r, struct place p)
{
	if (p.at > 0)
		return &r->chunks[p.chunk].v[p.at - 1];
	if (p.chunk == 0)
		return NULL;
	const struct runs_chunk *c = &r->chunks[p.chunk - 1];
	return &c->v[c->n - 1];
}

static void chunk_insert(struct runs *r, size_t at, struct runs_chunk c)
{
	mem_grow(r->chunks, r->n, r->cap);
	memmove(r->chunks + at + 1, r->chunks + at, (r->n - at) * sizeof(*r->chunks));
	r->chunks[at] = c;
	r->n++;
}

static void chunk_remove(struct runs *r, size_t at)
{
	free(r->chunks[at].v);
	r->n--;
	memmove(r->chunks + at, r->chunks + at + 1, (r->n - at) * sizeof(*r->chunks));
}

/* Move the upper half of a full chunk into a new one behind it. */
static void chunk_split(struct runs *r, size_t at)
{
	struct runs_chunk *low = &r->chunks[at];
	struct runs_chunk high = { .n = low->n / 2, .cap = CHUNK_MAX };

	high.v = mem_new_n(struct run, high.cap);
	low->n -= high.n;
	memcpy(high.v, low->v + low->n, high.n * sizeof(*high.v));
	chunk_insert(r, at + 1, high);
}

static void run_insert(struct runs *r, struct place p, struct run run)
{
	if (r->n == 0)
		chunk_insert(r, 0, (struct runs_chunk){ 0 });
	if (p.chunk == r->n) { /* behind everything */
		p.chunk = r->n - 1;
		p.at = r->chunks[p.chunk].n;
	}
	if (r->chunks[p.chunk].n == CHUNK_MAX) {
		chunk_split(r, p.chunk);
		size_t low = r->chunks[p.chunk].n;
		if (p.at > low) {
			p.chunk++;
			p.at -= low;
		}
	}
	struct runs_chunk *c = &r->chunks[p.chunk];
	mem_grow(c->v, c->n, c->cap);
	memmove(c->v + p.at + 1, c->v + p.at, (c->n - p.at) * sizeof(*c->v));
	c->v[p.at] = run;
	c->n++;
}

static void run_remove(struct runs *r, struct place p)
{
	struct runs_chunk *c = &r->chunks[p.chunk];

	c->n--;
	memmove(c->v + p.at, c->v + p.at + 1, (c->n - p.at) * sizeof(*c->v));
	if (c->n == 0)
		chunk_remove(r, p.chunk);
}

void runs_add(struct runs *r, runs_num x)
{
	struct place p = run_search(r, x);
	struct run *after = p.chunk < r->n ? run_at(r, p) : NULL;
	struct run *before = run_before(r, p);

	if (after && after->first <= x)
		return;
	bool joins_after = after && after->first - 1 == x;
	bool joins_before = before && before->last + 1 == x;
	if (joins_before && joins_after) {
		before->last = after->last;
		run_remove(r, p);
	} else if (joins_before) {
		before->last = x;
	} else if (joins_after) {
		after->first = x;
	} else {
		run_insert(r, p, (struct run){ .first = x, .last = x });
	}
}

void runs_del(struct runs *r, runs_num x)
{
	struct place p = run_search(r, x);

	if (p.chunk == r->n || run_at(r, p)->first > x)
		return;
	struct run *run = run_at(r, p);
	struct run low = { .first = run->first, .last = x - 1 };
	bool has_low = run->first<x, has_high = run->last> x;

	if (!has_low && !has_high) {
		run_remove(r, p);
		return;
	}
	if (!has_high) {
		run->last = x - 1;
		return;
	}
	run->first = x + 1;
	if (has_low)
		run_insert(r, p, low);
}

bool runs_lowest_free(const struct runs *r, runs_num first, runs_num last, runs_num *out)
{
	const struct run *lowest = r->n ? &r->chunks[0].v[0] : NULL;

	if (!lowest || lowest->first > first) {
		*out = first;
		return true;
	}
	if (lowest->last >= last)
		return false;
	*out = lowest->last + 1;
	return true;
}

size_t runs_count(const struct runs *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->chunks[i].n;
	return n;
}
