#include "app/allocation.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alloc/standalone.h"
#include "alloc/table.h"
#include "app/json.h"
#include "app/saver.h"
#include "app/services.h"
#include "base/file.h"
#include "base/log.h"
#include "plan/kubernetes.h"

/* A table of 65,536 entries is some 10 MiB; a file beyond this is none of ours. */
enum { TABLE_FILE_MAX = 64 << 20 };

/* An allocator is kept for so many services; each range of addresses costs it some KiB. */
enum { FOLLOW_MIN = 1000, FOLLOW_PER_RANGE = 64 };

#define SAVE_AFTER	 DUR_MS(100)
#define COMPLAIN_AT_MOST DUR_S(60) /* a member says its whole table with each push/pull */

/* The wall clock may be set meanwhile: look again at least every hour. */
enum { WAKE_MAX_S = 3600 };

struct allocation {
	struct loop *loop;
	struct world *world;
	char *path;
	struct allocation_hooks hooks;
	const struct cfg *cfg; /* in force; NULL before the first */
	struct alloc_table *table;
	struct saver *saver;
	struct alloc_assignments *now; /* under cfg */
	struct alloc *alloc;	       /* that they came of; NULL: nobody can follow them */
	size_t room;		       /* what they take at most, changed by and by */
	struct mono since;	       /* cfg is in force */
	bool ready;		       /* may allocate what the table does not say */
	uint64_t refused;	       /* tables of members */
	uint64_t refused_said;	       /* so many were in the log */
	struct mono complained;
	struct loop_task rerun;
	struct loop_timer save;
	struct loop_timer wake;
};

/* --- the file --- */

static int table_load(struct allocation *al, struct err *e)
{
	struct buf text = { 0 };
	int status = 0;

	if (access(al->path, F_OK) == 0) {
		status = file_read(al->path, TABLE_FILE_MAX, &text, e);
		if (status == 0)
			status = alloc_table_parse(buf_text(&text), text.len, &al->table, e);
		if (status < 0)
			(void)err_wrap(e,
				       "the table of allocations can't be read; mend or remove %s",
				       al->path);
	} else {
		al->table = alloc_table_new();
	}
	buf_fini(&text);
	return status;
}

/* On the saver's thread. */
static char *table_text(void *table)
{
	json_t *json = alloc_table_encode(table);
	char *text = json_dumps(json, JSON_INDENT(1));

	json_decref(json);
	alloc_table_free(table);
	return text;
}

static void table_drop(void *table)
{
	alloc_table_free(table);
}

static void table_saved(void *ctx, const struct err *why)
{
	(void)ctx;
	if (why)
		log_event(LOG_ERROR, "allocationsNotSaved",
			  "a restart may give services other addresses",
			  KV_STR("error", why->text));
}

static void table_save(struct allocation *al)
{
	struct alloc_table *copy = alloc_table_new();

	(void)alloc_table_merge(copy, al->table);
	saver_save(al->saver, copy);
}

static void save_due(struct loop_timer *t, struct mono now)
{
	(void)now;
	table_save(CONTAINER_OF(t, struct allocation, save));
}

static void unfollow(struct allocation *al)
{
	al->alloc = alloc_free(al->alloc);
}

/* A table arrives in hundreds of messages, and each file waits for the disk: one for all of them. */
static void table_changed(struct allocation *al)
{
	if (!loop_timer_active(&al->save))
		loop_timer_set(&al->save, mono_add(loop_now(al->loop), SAVE_AFTER));
}

/* --- giving addresses --- */

static json_t *entries_since(const struct alloc_table *t, uint64_t epoch)
{
	json_t *json = alloc_table_encode_since(t, epoch);
	json_t *entries = json_incref(json_object_get(json, "entries"));

	json_decref(json);
	return entries;
}

static void tell_since(struct allocation *al, uint64_t epoch)
{
	json_t *entries = entries_since(al->table, epoch);

	table_changed(al);
	al->hooks.changed(al->hooks.ctx, entries);
	json_decref(entries);
}

/* Addresses that a person chose need no agreement; those of the table were agreed on. */
static bool may_assign(const struct allocation *al, const struct alloc_assignment *x)
{
	const struct cfg_service *s = cfg_service_find(al->cfg, x->service);

	return al->ready || x->kept || (s && s->n_addresses > 0);
}

static void log_if_new(const struct allocation *al, const struct alloc_assignment *x)
{
	const struct world_service *ws = world_service(al->world, x->service);
	bool same = ws && ws->n_addresses == x->n &&
		    (x->n == 0 ||
		     memcmp(ws->addresses, x->addresses, x->n * sizeof(*x->addresses)) == 0);

	if (same)
		return;
	json_t *ips = json_array();
	for (size_t i = 0; i < MIN(x->n, (size_t)SERVICES_LOGGED_ADDRESSES); i++)
		json_array_append_new(ips, json_string(ADDR_TEXT(&x->addresses[i])));
	if (x->n)
		log_event(LOG_INFO, "ipAllocated", "IP address assigned",
			  KV_STR("service", x->service), KV_JSON("ip", ips),
			  KV_STR("pool", x->pool));
	else
		log_event(LOG_WARN, "clearAssignment", "service has no address any more",
			  KV_STR("service", x->service), KV_STR("reason", x->reason));
	json_decref(ips);
}

/* Once addresses have rested, somebody who got none may fit. */
static void wake_at(struct allocation *al, int64_t again_s)
{
	int64_t left_s = again_s - alloc_table_time(al->table);

	loop_timer_stop(&al->wake);
	if (again_s == INT64_MAX)
		return;
	left_s = MIN(MAX(left_s, (int64_t)1), (int64_t)WAKE_MAX_S);
	loop_timer_set(&al->wake, mono_add(loop_now(al->loop), DUR_S(left_s)));
}

static void assign(struct allocation *al, const struct alloc_assignment *x)
{
	if (!may_assign(al, x))
		return;
	log_if_new(al, x);
	world_service_assign(al->world, x->service, x->addresses, x->n);
}

static size_t count_ranges(const struct cfg *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_pools; i++)
		n += c->pools[i].n_addresses;
	return n;
}

/* With few services all is done anew in no time. */
static bool is_worth_following(const struct allocation *al)
{
	return al->now->n >= FOLLOW_MIN && al->ready &&
	       count_ranges(al->cfg) <= al->now->n / FOLLOW_PER_RANGE &&
	       alloc_is_settled(al->now, al->table);
}

static void allocation_run(struct allocation *al)
{
	uint64_t before = alloc_table_epoch(al->table);

	if (!al->cfg)
		return;
	alloc_table_set_time(al->table, time(NULL));
	alloc_assignments_free(al->now);
	unfollow(al);
	al->alloc = alloc_new(al->cfg);
	al->now = alloc_standalone_with(al->alloc, al->cfg, al->table);
	al->room = 2 * arena_used(al->now->arena);
	wake_at(al, al->now->again_s);
	for (size_t i = 0; i < al->now->n; i++)
		assign(al, &al->now->v[i]);
	if (al->ready && alloc_table_record(al->table, al->now, world_me(al->world)))
		tell_since(al, before);
	if (!is_worth_following(al))
		unfollow(al);
}

/* Where a few services ask for something else. False: all have to be looked at. */
static bool allocation_follow(struct allocation *al, const struct cfg *from)
{
	uint64_t before = alloc_table_epoch(al->table);
	struct alloc_few few;

	if (!al->alloc || arena_used(al->now->arena) > al->room ||
	    !alloc_standalone_follow(al->now, al->alloc, from, al->cfg, al->table, &few))
		return false;
	alloc_table_set_time(al->table, time(NULL));
	for (size_t i = 0; i < few.n; i++)
		assign(al, &al->now->v[few.at[i]]);
	if (alloc_table_record_few(al->table, al->now, &few, world_me(al->world)))
		tell_since(al, before);
	if (!alloc_few_settled(al->now, al->table, &few))
		unfollow(al);
	return true;
}

static void wake_due(struct loop_timer *t, struct mono now)
{
	(void)now;
	allocation_run(CONTAINER_OF(t, struct allocation, wake));
}

static void rerun_now(struct loop_task *t)
{
	allocation_run(CONTAINER_OF(t, struct allocation, rerun));
}

int allocation_new(struct loop *l, struct world *w, const char *path,
		   const struct allocation_hooks *hooks, struct allocation **out, struct err *e)
{
	struct allocation *al = mem_new(struct allocation);

	al->path = mem_strdup(path);
	const struct saver_conf saver = {
		.path = al->path,
		.mode = 0644,
		.text = table_text,
		.drop = table_drop,
		.done = table_saved,
	};

	al->loop = l;
	al->world = w;
	al->hooks = *hooks;
	loop_task_init(&al->rerun, l, rerun_now);
	loop_timer_init(&al->save, l, save_due);
	loop_timer_init(&al->wake, l, wake_due);
	if (table_load(al, e) < 0 || saver_new(l, &saver, &al->saver, e) < 0) {
		allocation_free(al);
		return -ERR_CONFIG;
	}
	*out = al;
	return 0;
}

struct allocation *allocation_free(struct allocation *al)
{
	if (!al)
		return NULL;
	loop_task_cancel(&al->rerun);
	if (loop_timer_active(&al->save))
		table_save(al);
	al->saver = saver_free(al->saver);
	loop_timer_stop(&al->save);
	loop_timer_stop(&al->wake);
	alloc_assignments_free(al->now);
	unfollow(al);
	alloc_table_free(al->table);
	free(al->path);
	free(al);
	return NULL;
}

/* The same services ask the same pools for the same: everybody keeps what he has. */
static bool asks_the_same(const struct allocation *al, const struct cfg *c)
{
	return al->now && c->asked && c->asked == al->cfg->asked;
}

int allocation_check(const struct allocation *al, const struct cfg *c, struct err *e)
{
	if (!al->now || asks_the_same(al, c) || cfg_shares(al->cfg, c, CFG_POOLS))
		return 0;
	return alloc_check_shrink(al->now, c, e);
}

bool allocation_apply(struct allocation *al, const struct cfg *c)
{
	const struct cfg *from = al->cfg;
	bool same = asks_the_same(al, c);

	al->cfg = c;
	al->since = loop_now(al->loop);
	if (from && !cfg_shares(from, c, CFG_POOLS)) /* which the allocator looks into */
		unfollow(al);
	if (same || allocation_follow(al, from))
		return !same && !al->alloc;
	allocation_run(al);
	return true;
}

void allocation_ready(struct allocation *al)
{
	if (al->ready)
		return;
	al->ready = true;
	loop_task_queue(&al->rerun);
}

void allocation_prune(struct allocation *al)
{
	uint64_t before = alloc_table_epoch(al->table);

	alloc_table_set_time(al->table, time(NULL));
	if (!al->cfg || !al->ready ||
	    !alloc_table_prune_with(al->table, al->cfg, world_me(al->world), al->now))
		return;
	unfollow(al);
	tell_since(al, before);
	loop_task_queue(&al->rerun); /* somebody else may fit now */
}

json_t *allocation_table(const struct allocation *al)
{
	json_t *json = alloc_table_encode(al->table);
	json_t *entries = json_incref(json_object_get(json, "entries"));

	json_decref(json);
	return entries;
}

/* Whoever sends one sends more: one line for many. */
static void table_refused(struct allocation *al, const struct err *why)
{
	struct mono now = loop_now(al->loop);

	al->refused++;
	if (al->refused_said && mono_before(now, mono_add(al->complained, COMPLAIN_AT_MOST)))
		return;
	log_event(LOG_WARN, "allocationsRefused", "a member's table of allocations can't be read",
		  KV_STR("error", why->text), KV_U64("times", al->refused - al->refused_said));
	al->refused_said = al->refused;
	al->complained = now;
}

bool allocation_merge(struct allocation *al, const json_t *table)
{
	json_t *json = json_pack("{s:i, s:O}", "version", 1, "entries", table);
	struct alloc_table *theirs = NULL;
	struct err e = { 0 };
	bool news = false;

	if (alloc_table_decode(json, &theirs, &e) < 0)
		table_refused(al, &e);
	else
		news = alloc_table_merge(al->table, theirs);
	if (news) {
		unfollow(al);
		table_changed(al);
		loop_task_queue(&al->rerun);
	}
	alloc_table_free(theirs);
	json_decref(json);
	return news;
}

const char *allocation_refusal(const struct allocation *al, const char *service)
{
	const struct alloc_assignment *x =
		al->now ? alloc_assignments_find(al->now, service) : NULL;

	if (x && x->n && !may_assign(al, x))
		return "waiting for the other members before anything new is allocated";
	return x ? x->reason : NULL;
}

/* --- pools, for people --- */

/* An allocator in the state that the table is in, to count by pool what is used and what rests. */
static struct alloc *allocator_now(const struct allocation *al)
{
	struct alloc *a = alloc_new(al->cfg);

	alloc_assignments_free(alloc_standalone_with(a, al->cfg, al->table));
	return a;
}

static const char *protocol_of(const struct cfg *c, const struct cfg_pool *p)
{
	bool l2 = false, bgp = false;

	for (size_t i = 0; i < c->n_l2_advs; i++)
		l2 |= cfg_l2_adv_covers(&c->l2_advs[i], p);
	for (size_t i = 0; i < c->n_bgp_advs; i++)
		bgp |= cfg_bgp_adv_covers(&c->bgp_advs[i], p);
	if (l2 && bgp)
		return "layer2,bgp";
	return l2 ? "layer2" : bgp ? "bgp" : "none";
}

/* A pool may have more addresses than fit into a number. */
static uint64_t add_up(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) || sum > INT64_MAX ? INT64_MAX : sum;
}

static void family_json(json_t *item, const char *family, const struct alloc_family_usage *u)
{
	const struct {
		const char *name;
		uint64_t n;
	} counts[] = { { "used", u->used },
		       { "resting", u->resting },
		       { "free", u->free },
		       { "total", u->total } };
	char key[32];

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		(void)snprintf(key, sizeof(key), "%s-%s", counts[i].name, family);
		json_set_u64(item, key, counts[i].n);
	}
	(void)snprintf(key, sizeof(key), "next-%s", family);
	if (addr_is_set(&u->next))
		json_set_text(item, key, ADDR_TEXT(&u->next));
}

static json_t *pool_json(const struct allocation *al, const struct cfg_pool *p,
			 const struct alloc_usage *u)
{
	uint64_t unused = add_up(u->v4.free, u->v6.free);
	json_t *item = json_item(p->name, unused ? "free" : "exhausted", al->since);
	json_t *ranges = json_array();

	for (size_t i = 0; i < p->n_addresses; i++)
		json_array_append_new(ranges, json_string(p->addresses[i].text));
	json_set_text(item, "protocol", protocol_of(al->cfg, p));
	json_object_set_new(item, "ranges", ranges);
	json_set_u64(item, "used", add_up(u->v4.used, u->v6.used));
	json_set_u64(item, "free", unused);
	json_set_u64(item, "total", add_up(u->v4.total, u->v6.total));
	family_json(item, "ipv4", &u->v4);
	family_json(item, "ipv6", &u->v6);
	json_object_set_new(item, "auto-assign", json_boolean(p->auto_assign));
	return item;
}

json_t *allocation_pools_json(const struct allocation *al)
{
	struct alloc *a = allocator_now(al);
	json_t *items = json_array();

	kubernetes_claims(al->world, a);
	for (size_t i = 0; i < al->cfg->n_pools; i++) {
		struct alloc_usage u = { 0 };

		(void)alloc_usage(a, al->cfg->pools[i].name, &u);
		json_array_append_new(items, pool_json(al, &al->cfg->pools[i], &u));
	}
	alloc_free(a);
	return items;
}

/* What the metrics say of the pools. */
struct counts {
	struct alloc *table; /* standalone services */
	/* Of a cluster, by pool: a walk is cheaper than an allocator that knows all of them. */
	struct kubernetes_used *others;
};

static void collect_pools(const struct allocation *al, const struct counts *c,
			  struct metric_writer *w, const char *name, const char *help, bool v4,
			  bool v6, bool used)
{
	metric_family(w, METRIC_GAUGE, name, help);
	for (size_t i = 0; i < al->cfg->n_pools; i++) {
		const char *pool = al->cfg->pools[i].name;
		struct alloc_usage u = { 0 };

		(void)alloc_usage(c->table, pool, &u);
		u.v4.used += c->others[i].v4;
		u.v6.used += c->others[i].v6;
		uint64_t n = (v4 ? used ? u.v4.used : u.v4.total : 0) +
			     (v6 ? used ? u.v6.used : u.v6.total : 0);
		metric_sample(w, name, METRIC_LABELS({ "pool", pool }), (double)n);
	}
}

void allocation_collect(const struct allocation *al, struct metric_writer *w)
{
	struct counts c = { .table = allocator_now(al),
			    .others = mem_new_n(struct kubernetes_used, al->cfg->n_pools) };

	kubernetes_count(al->world, al->cfg, c.others);
	collect_pools(al, &c, w, "metallb_allocator_addresses_total", "Addresses of the pool", true,
		      true, false);
	collect_pools(al, &c, w, "metallb_allocator_addresses_in_use_total", "Addresses in use",
		      true, true, true);
	collect_pools(al, &c, w, "metallb_allocator_ipv4_addresses_total",
		      "IPv4 addresses of the pool", true, false, false);
	collect_pools(al, &c, w, "metallb_allocator_ipv4_addresses_in_use_total",
		      "IPv4 addresses in use", true, false, true);
	collect_pools(al, &c, w, "metallb_allocator_ipv6_addresses_total",
		      "IPv6 addresses of the pool", false, true, false);
	collect_pools(al, &c, w, "metallb_allocator_ipv6_addresses_in_use_total",
		      "IPv6 addresses in use", false, true, true);
	alloc_free(c.table);
	free(c.others);
	metric_family(w, METRIC_COUNTER, "crier_allocator_tables_refused_total",
		      "Tables of members that could not be read");
	metric_sample(w, "crier_allocator_tables_refused_total", NULL, 0, (double)al->refused);
}
