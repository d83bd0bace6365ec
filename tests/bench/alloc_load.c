/*
 * The load of the bench `alloc`: fills one pool of two families, then times releases and
 * allocations at that fill, in batches, by the thread's own time. One line with the figures, in
 * JSON, goes to standard output.
 *
 *   alloc_load KIND FILL BATCHES BATCH
 *
 * KIND: mix, v4, v6, dual, shared, one-key (all services under one key and port), scattered (IPv6
 * addresses asked for by name, at random in a /64), large (a mix in a /8 and a /64), walk (v4, in
 * the plain way of alloc_walk.h).
 * FILL: the share of the pool that is in use, in percent; "50d" without holes, else with random ones.
 */
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "alloc/alloc.h"
#include "alloc_walk.h"
#include "base/rng.h"

enum { BATCH_MAX = 1000, NAME_BYTES = 40, SHARERS = 4 };

enum kind { V4, V6, DUAL, SHARED, ONE_KEY, SCATTERED, MIX, LARGE, WALK, KINDS };

static const char *const kind_names[KINDS] = { "v4",	    "v6",  "dual",  "shared", "one-key",
					       "scattered", "mix", "large", "walk" };

/** One service that holds something is a number: name and request follow from it. */
struct load {
	struct alloc *a; /* or, of the plain kind: */
	struct walk walk;
	enum kind kind;
	bool dense;
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

static bool assign(struct load *l, const struct request *q)
{
	if (l->kind == WALK)
		return walk_assign(&l->walk, q->name) == 0;
	return alloc_assign(l->a, &q->r, NULL) == 0;
}

static void release(struct load *l, const char *service)
{
	if (l->kind == WALK)
		walk_release(&l->walk, service);
	else
		alloc_release(l->a, service);
}

/** How many addresses of either family are in use. */
struct used {
	uint64_t v4, v6;
};

static struct used used_now(struct load *l)
{
	struct alloc_usage u;

	if (l->kind == WALK)
		return (struct used){ .v4 = map_len(l->walk.by_number) };
	(void)alloc_usage(l->a, "p", &u);
	return (struct used){ .v4 = u.v4.used, .v6 = u.v6.used };
}

static void keep(struct load *l, uint64_t number)
{
	mem_grow(l->live, l->n_live, l->cap_live);
	l->live[l->n_live++] = number;
}

/* --- to the fill --- */

static bool fits(const struct used *u, uint64_t target, const struct alloc_request *r)
{
	return (!r->want_v4 || u->v4 < target) && (!r->want_v6 || u->v6 < target);
}

static bool is_filled(const struct load *l, const struct used *u, uint64_t target)
{
	bool v4 = u->v4 >= target, v6 = u->v6 >= target;

	switch (l->kind) {
	case V4:
	case ONE_KEY:
	case WALK:
		return v4;
	case V6:
	case SCATTERED:
		return v6;
	default:
		return v4 && v6;
	}
}

static void fill(struct load *l, uint64_t target)
{
	struct request q;
	struct used u = { 0 };

	for (;; l->next++) {
		if (l->next % SHARERS == 0 || l->capacity - target < 256) {
			u = used_now(l);
			if (is_filled(l, &u, target))
				return;
		}
		prepare(l, l->next, &q);
		if (fits(&u, target, &q.r) && assign(l, &q))
			keep(l, l->next);
		l->walk.from = (uint32_t)MIN(l->next, target);
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
	struct used u;

	do {
		prepare(l, take_random(l), &q);
		release(l, q.name);
		u = used_now(l);
	} while (u.v4 > target || u.v6 > target);
}

static void reach(struct load *l, double percent)
{
	uint64_t target = (uint64_t)((double)l->capacity * percent / 100);

	if (target == 0)
		return;
	fill(l, l->dense ? target : l->capacity);
	if (!l->dense)
		drain(l, target);
	l->walk.from = 0;
}

/* --- memory and time --- */

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

/** Nanoseconds for one operation, of each batch. */
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
	return t->n ? t->v[(size_t)((double)(t->n - 1) * share)] : 0;
}

/* Of this thread alone: whoever else is busy on the machine costs only what is in the caches. */
static int64_t thread_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct request batch[BATCH_MAX];

static void time_release(struct load *l, struct times *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		prepare(l, take_random(l), &batch[i]);
	int64_t began = thread_ns();
	for (size_t i = 0; i < n; i++)
		release(l, batch[i].name);
	t->v[t->n++] = (double)(thread_ns() - began) / (double)n;
}

/* Returns how many got nothing. */
static size_t time_assign(struct load *l, struct times *t, size_t n)
{
	bool done[BATCH_MAX];
	size_t failed = 0;

	for (size_t i = 0; i < n; i++)
		prepare(l, l->next + i, &batch[i]);
	int64_t began = thread_ns();
	for (size_t i = 0; i < n; i++)
		done[i] = assign(l, &batch[i]);
	t->v[t->n++] = (double)(thread_ns() - began) / (double)n;
	for (size_t i = 0; i < n; i++, l->next++) {
		failed += !done[i];
		if (done[i])
			keep(l, l->next);
	}
	return failed;
}

/** What was seen at one fill. */
struct result {
	struct times assign, release;
	size_t failed;
	size_t services;
	uint64_t used;
	double bytes; /* for each address in use, without the services' names */
};

/* An empty pool fills up a little meanwhile, and is emptied at the end; any other stays as it is. */
static void measure(struct load *l, size_t batches, size_t n, size_t bytes_before,
		    struct result *out)
{
	bool empty = l->n_live == 0;

	for (size_t i = 0; i < batches; i++) {
		if (!empty)
			time_release(l, &out->release, n);
		out->failed += time_assign(l, &out->assign, n);
	}
	struct used u = used_now(l);
	out->used = u.v4 + u.v6;
	out->services = l->n_live;
	out->bytes = (double)(bytes_in_use() - bytes_before - bytes_of_names(l)) /
		     (double)MAX(out->used, (uint64_t)1);
	while (empty && l->n_live >= n)
		time_release(l, &out->release, n);
}

static void print(const char *kind, const char *fill, struct result *r)
{
	json_t *json = json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "kind", kind, "fill", fill,
		"services", (json_int_t)r->services, "used", (json_int_t)r->used, "failed",
		(json_int_t)r->failed, "assign-ns", percentile(&r->assign, 0.5), "assign-p99-ns",
		percentile(&r->assign, 0.99), "release-ns", percentile(&r->release, 0.5),
		"release-p99-ns", percentile(&r->release, 0.99), "bytes", r->bytes);

	(void)json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	(void)putchar('\n');
	json_decref(json);
	free(r->assign.v);
	free(r->release.v);
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
	struct load l = { .kind = KINDS };
	struct result result = { 0 };

	for (size_t i = 0; argc == 5 && i < KINDS; i++)
		if (strcmp(argv[1], kind_names[i]) == 0)
			l.kind = (enum kind)i;
	if (l.kind == KINDS)
		return 2;
	struct cfg_pool pool = pool_of(l.kind);
	struct cfg c = { .pools = &pool, .n_pools = 1 };

	l.capacity = l.kind == LARGE ? 1 << 24 : 1 << 20;
	l.dense = strchr(argv[2], 'd') || l.kind == SCATTERED;
	l.live = mem_new_n(uint64_t, l.cap_live = (size_t)l.capacity * 8);
	size_t batches = strtoul(argv[3], NULL, 10), n = strtoul(argv[4], NULL, 10);
	result.assign.v = mem_new_n(double, batches + 1);
	result.release.v = mem_new_n(double, batches + 1);
	rng_seed(&l.rng, 1);
	size_t before = bytes_in_use();
	l.a = alloc_new(&c);
	walk_init(&l.walk, (uint32_t)l.capacity);
	reach(&l, strtod(argv[2], NULL));
	measure(&l, batches, MIN(n, (size_t)BATCH_MAX), before, &result);
	print(argv[1], argv[2], &result);
	walk_fini(&l.walk);
	alloc_free(l.a);
	free(l.live);
	return 0;
}
