/*
 * The load of the bench `alloc`: fills one pool of two families, then times releases and
 * allocations at that fill. One line with the figures goes to standard output.
 *
 *   alloc_load KIND FILL STEPS
 *
 * KIND: mix, v4, v6, dual, shared, one-key (all services under one key and port), scattered (IPv6
 * addresses asked for by name, at random in a /64), large (a /8 and a /64).
 * FILL: the share of the pool that is in use, in percent; "50d" without holes, else with random ones.
 */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc/alloc.h"
#include "base/rng.h"
#include "base/time.h"

enum { BATCH = 100, NAME_BYTES = 40, SHARERS = 4 };

enum kind { V4, V6, DUAL, SHARED, ONE_KEY, SCATTERED, MIX, LARGE, KINDS };

static const char *const kind_names[KINDS] = { "v4",	  "v6",	       "dual", "shared",
					       "one-key", "scattered", "mix",  "large" };

/** One service that holds something is a number: name and request follow from it. */
struct load {
	struct alloc *a;
	enum kind kind;
	struct rng rng;
	uint64_t capacity; /* of each family, in use when the pool is full */
	uint64_t next;	   /* number of the next service */
	uint64_t *live;
	size_t n_live, cap_live;
};

struct request {
	char name[NAME_BYTES];
	char key[NAME_BYTES];
	struct cfg_port port;
	struct addr addr;
	struct alloc_request r;
};

/* As many addresses of either family: 3 of 4 alone, a pair in 1 of 7, shared ones in the rest. */
static enum kind kind_of(const struct load *l, uint64_t number)
{
	static const enum kind mix[] = { V4, V4, V4, V4, V4,   V4,   V4,   V6,	   V6,	   V6,
					 V6, V6, V6, V6, DUAL, DUAL, DUAL, SHARED, SHARED, SHARED };

	if (l->kind != MIX && l->kind != LARGE)
		return l->kind;
	return mix[number / SHARERS * 7 % ARRAY_LEN(mix)];
}

static void prepare(const struct load *l, uint64_t number, struct request *out)
{
	enum kind kind = kind_of(l, number);

	*out = (struct request){ .port = { .port = (uint16_t)(number % SHARERS), CFG_TCP } };
	(void)snprintf(out->name, sizeof(out->name), "team-%llu/service-%llu",
		       (unsigned long long)number % 97, (unsigned long long)number);
	out->r = (struct alloc_request){
		.service = out->name,
		.want_v4 = kind != V6 && kind != SCATTERED,
		.want_v6 = kind == V6 || kind == DUAL || kind == SCATTERED,
		.policy = kind == DUAL ? CFG_REQUIRE_DUAL_STACK : CFG_SINGLE_STACK,
		.ports = &out->port,
		.n_ports = 1,
	};
	if (kind == SHARED || kind == ONE_KEY) {
		uint64_t group = kind == ONE_KEY ? 0 : number / SHARERS;

		(void)snprintf(out->key, sizeof(out->key), "key-%llu", (unsigned long long)group);
		out->r.sharing_key = out->key;
		out->r.want_v4 = kind == ONE_KEY || group % 2;
		out->r.want_v6 = !out->r.want_v4;
	}
	if (kind == SCATTERED) {
		struct rng rng;
		uint64_t host;

		rng_seed(&rng, number);
		host = rng_u64(&rng);
		(void)!addr_parse("2001:db8::", &out->addr);
		memcpy(out->addr.b + 8, &host, sizeof(host));
		out->r.addresses = &out->addr;
		out->r.n_addresses = 1;
	}
}

static bool fits(const struct load *l, const struct alloc_usage *u, uint64_t target,
		 const struct alloc_request *r)
{
	(void)l;
	return (!r->want_v4 || u->v4.used < target) && (!r->want_v6 || u->v6.used < target);
}

static void keep(struct load *l, uint64_t number)
{
	mem_grow(l->live, l->n_live, l->cap_live);
	l->live[l->n_live++] = number;
}

static bool is_filled(const struct load *l, const struct alloc_usage *u, uint64_t target)
{
	bool v4 = u->v4.used >= target, v6 = u->v6.used >= target;

	return l->kind == V4 || l->kind == ONE_KEY     ? v4
	       : l->kind == V6 || l->kind == SCATTERED ? v6
						       : v4 && v6;
}

static void fill(struct load *l, uint64_t target)
{
	struct request q;
	struct alloc_usage u;

	for (;; l->next++) {
		if (l->next % SHARERS == 0 || l->capacity - target < 256) {
			(void)alloc_usage(l->a, "p", &u);
			if (is_filled(l, &u, target))
				return;
		}
		prepare(l, l->next, &q);
		if (fits(l, &u, target, &q.r) && alloc_assign(l->a, &q.r, NULL) == 0)
			keep(l, l->next);
	}
}

static uint64_t take_random(struct load *l)
{
	size_t at = rng_below(&l->rng, l->n_live);
	uint64_t number = l->live[at];

	l->live[at] = l->live[--l->n_live];
	return number;
}

static void drain(struct load *l, uint64_t target)
{
	struct request q;
	struct alloc_usage u;

	do {
		prepare(l, take_random(l), &q);
		alloc_release(l->a, q.name);
		(void)alloc_usage(l->a, "p", &u);
	} while (u.v4.used > target || u.v6.used > target);
}

static size_t bytes_in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static size_t bytes_of_names(const struct load *l)
{
	size_t sum = 0;

	for (size_t i = 0; i < l->n_live; i++) {
		struct request q;

		prepare(l, l->live[i], &q);
		sum += strlen(q.name) + 1;
	}
	return sum;
}

/** Time of each batch, by operation. */
struct times {
	double *v;
	size_t n;
};

static int by_value(const void *a, const void *b)
{
	double l = *(const double *)a, r = *(const double *)b;

	return l < r ? -1 : l > r;
}

static double percentile(struct times *t, double share)
{
	qsort(t->v, t->n, sizeof(*t->v), by_value);
	return t->n ? t->v[(size_t)((double)(t->n - 1) * share)] : NAN;
}

static void time_release(struct load *l, struct times *t, struct request q[BATCH], size_t n)
{
	for (size_t i = 0; i < n; i++)
		prepare(l, take_random(l), &q[i]);
	struct mono began = mono_clock();
	for (size_t i = 0; i < n; i++)
		alloc_release(l->a, q[i].name);
	t->v[t->n++] = (double)mono_sub(mono_clock(), began).ns / (double)n;
}

static size_t time_assign(struct load *l, struct times *t, struct request q[BATCH], size_t n)
{
	bool done[BATCH];
	size_t failed = 0;

	for (size_t i = 0; i < n; i++)
		prepare(l, l->next + i, &q[i]);
	struct mono began = mono_clock();
	for (size_t i = 0; i < n; i++)
		done[i] = alloc_assign(l->a, &q[i].r, NULL) == 0;
	t->v[t->n++] = (double)mono_sub(mono_clock(), began).ns / (double)n;
	for (size_t i = 0; i < n; i++, l->next++)
		if (done[i])
			keep(l, l->next);
		else
			failed++;
	return failed;
}

static struct cfg_pool pool_of(enum kind kind)
{
	static const char *const texts[2][2] = { { "10.0.0.0/12", "2001:db8::/108" },
						 { "10.0.0.0/8", "2001:db8::/64" } };
	static struct prefix prefixes[2];
	static struct cfg_block_list lists[2];

	for (size_t i = 0; i < 2; i++) {
		(void)!prefix_parse(texts[kind == LARGE || kind == SCATTERED][i], &prefixes[i]);
		lists[i] = (struct cfg_block_list){ .v = &prefixes[i], .n = 1 };
	}
	return (struct cfg_pool){
		.name = "p", .addresses = lists, .n_addresses = 2, .auto_assign = true
	};
}

int main(int argc, char **argv)
{
	static struct request q[BATCH];
	struct load l = { .kind = KINDS };
	struct alloc_usage u;

	for (size_t i = 0; argc == 4 && i < KINDS; i++)
		if (strcmp(argv[1], kind_names[i]) == 0)
			l.kind = (enum kind)i;
	if (l.kind == KINDS)
		return 2;
	bool dense = strchr(argv[2], 'd') != NULL;
	size_t steps = strtoul(argv[3], NULL, 10);
	struct cfg_pool pool = pool_of(l.kind);
	struct cfg c = { .pools = &pool, .n_pools = 1 };
	struct times assign = { .v = mem_new_n(double, steps / BATCH + 1) };
	struct times release = { .v = mem_new_n(double, steps / BATCH + 1) };
	size_t failed = 0;

	l.capacity = l.kind == LARGE ? 1 << 24 : 1 << 20;
	uint64_t target = (uint64_t)((double)l.capacity * strtod(argv[2], NULL) / 100);
	rng_seed(&l.rng, 1);
	l.live = mem_new_n(uint64_t, l.cap_live = (size_t)l.capacity * 8);
	size_t before = bytes_in_use();
	l.a = alloc_new(&c);
	(void)alloc_usage(l.a, "p", &u);
	if (target) {
		fill(&l, dense || l.kind == SCATTERED ? target : l.capacity);
		if (!dense && l.kind != SCATTERED)
			drain(&l, target);
		for (size_t i = 0; i < steps / BATCH; i++) {
			time_release(&l, &release, q, BATCH);
			failed += time_assign(&l, &assign, q, BATCH);
		}
	} else {
		for (size_t i = 0; i < steps / BATCH; i++)
			failed += time_assign(&l, &assign, q, BATCH);
	}
	(void)alloc_usage(l.a, "p", &u);
	size_t used = u.v4.used + u.v6.used;
	double bytes = (double)(bytes_in_use() - before - bytes_of_names(&l)) / (double)used;
	size_t services = l.n_live;
	for (size_t i = 0; !target && l.n_live >= BATCH; i++)
		time_release(&l, &release, q, BATCH);
	printf("%s %s %zu %zu %zu %.0f %.0f %.0f %.0f %.1f\n", argv[1], argv[2], services, used,
	       failed, percentile(&assign, 0.5), percentile(&assign, 0.99),
	       percentile(&release, 0.5), percentile(&release, 0.99), bytes);
	alloc_free(l.a);
	free(l.live);
	free(assign.v);
	free(release.v);
	return 0;
}
