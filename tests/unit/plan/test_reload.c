/*
 * A reload decides anew about what it changed alone. Here random configurations follow one another, and what is kept
 * and followed has to equal what a world decides that knows nothing else.
 */
#include "support.h"

#include <string.h>

#include "base/buf.h"
#include "base/rng.h"
#include "config/load.h"
#include "plan/plan.h"
#include "plan/touched.h"

enum { POOLS = 5, ADVS = 3, SERVICES = 12, PEERS = 2, KNOBS = 4 };

/** A configuration as numbers; 0 of the first knob: the object is not there. */
struct sketch {
	unsigned pools[POOLS][KNOBS], advs[ADVS][KNOBS], services[SERVICES][KNOBS];
	unsigned peers[PEERS], labels;
};

static void sketch_pools(const struct sketch *s, struct buf *out)
{
	static const char *const kinds[] = { "", "bgp", "none", "layer2" };

	buf_puts(out, "address-pools:\n- {name: base, protocol: bgp, addresses: [10.99.0.0/24]}\n");
	for (unsigned i = 0; i < POOLS; i++) {
		const unsigned *k = s->pools[i];

		if (!k[0])
			continue;
		buf_printf(out, "- {name: p%u, protocol: %s, addresses: [10.%u.0.0/%u]", i,
			   kinds[k[0]], i, k[1] % 2 ? 24 : 25);
		if (k[0] == 1 && k[2])
			buf_printf(out, ", bgp-advertisements: [{communities: ['1:%u']}]", k[2]);
		buf_printf(out, ", labels: {tier: t%u}}\n", k[3] % 2);
	}
}

static void sketch_advs(const struct sketch *s, struct buf *out)
{
	static const char *const targets[] = {
		"", ", address-pools: [p0]",
		", address-pool-selectors: [{match-labels: {tier: t1}}]",
		", address-pools: [p1, p2]"
	};

	for (unsigned mode = 1; mode <= 2; mode++) {
		buf_puts(out, mode == 1 ? "bgp-advertisements:\n- {name: b, address-pools: []}\n"
					: "l2-advertisements:\n- {name: b, address-pools: []}\n");
		for (unsigned i = 0; i < ADVS; i++) {
			const unsigned *k = s->advs[i];

			if (k[0] != mode)
				continue;
			buf_printf(out, "- {name: a%u%s", i, targets[k[1]]);
			if (k[2] == 1)
				buf_puts(out, ", node-selectors: [{match-labels: {rack: r1}}]");
			if (k[2] == 2)
				buf_puts(out, ", service-selectors: [{match-labels: {kind: k1}}]");
			if (mode == 1 && k[3])
				buf_printf(out, ", med: %u", k[3]);
			buf_puts(out, "}\n");
		}
	}
}

static void sketch_services(const struct sketch *s, struct buf *out)
{
	buf_puts(out, "services:\n- {name: base, addresses: [10.99.0.1]}\n");
	for (unsigned i = 0; i < SERVICES; i++) {
		const unsigned *k = s->services[i];

		if (!k[0])
			continue;
		/* Outside every pool as soon as its pool is gone, or half of it; some share. */
		buf_printf(out,
			   "- {name: s%u, addresses: [10.%u.0.%u], allow-shared-ip: k, ports: "
			   "[%u/tcp]",
			   i, i % POOLS, k[1] % 2 ? 1 : 200, i + 1);
		if (k[2])
			buf_printf(out, ", labels: {kind: k%u}", k[2]);
		if (k[3] == 1)
			buf_puts(out, ", node-selectors: [{match-labels: {rack: r0}}]");
		buf_puts(out, "}\n");
	}
}

static void sketch_write(const struct sketch *s, struct buf *out)
{
	buf_printf(out, "node: {labels: {rack: r%u}}\npeers:\n", s->labels % 2);
	for (unsigned i = 0; i < PEERS; i++)
		buf_printf(out,
			   "- {name: n%u, my-asn: 1, peer-asn: %u, peer-address: 10.98.0.%u}\n", i,
			   s->peers[i] % 3 == 1 ? 1 : 2, i + 1);
	sketch_pools(s, out);
	sketch_advs(s, out);
	sketch_services(s, out);
}

static void sketch_edit(struct sketch *s, struct rng *r)
{
	unsigned knob = (unsigned)rng_below(r, KNOBS), value = (unsigned)rng_below(r, KNOBS);

	switch (rng_below(r, 12)) {
	case 0:
		s->peers[rng_below(r, PEERS)] = value;
		break;
	case 1:
		s->labels = value;
		break;
	case 2:
	case 3:
	case 4:
		s->pools[rng_below(r, POOLS)][knob] = value;
		break;
	case 5:
	case 6:
	case 7:
		s->advs[rng_below(r, ADVS)][knob] = value;
		break;
	default:
		s->services[rng_below(r, SERVICES)][knob] = value;
	}
}

static const struct cfg *sketch_load(const struct sketch *s)
{
	struct cfg_report report;
	const struct cfg *c = NULL;
	struct buf text = { 0 };

	sketch_write(s, &text);
	if (cfg_load_text("t", buf_text(&text), text.len, "host", &c, &report) < 0)
		c = NULL;
	cfg_report_fini(&report);
	buf_fini(&text);
	return c;
}

/* --- what is decided, as text --- */

static void write_bgp(const struct plan_bgp *b, struct buf *out)
{
	buf_printf(out, "bgp %s %s", b->peer->name, PREFIX_TEXT(&b->prefix));
	buf_printf(out, " %d %u %d %u %u", b->has_local_pref, b->local_pref, b->has_med, b->med,
		   b->as_path_prepend);
	for (size_t i = 0; i < b->n_communities; i++)
		buf_printf(out, " %u", b->communities[i]);
	buf_puts(out, "\n");
}

static void write_plan(const struct plan *p, struct buf *out)
{
	buf_printf(out, "%s\n", p->service);
	for (size_t i = 0; i < p->n_l2; i++)
		buf_printf(out, "l2 %s %s\n", ADDR_TEXT(&p->l2[i].addr),
			   p->l2[i].succession[0].node);
	for (size_t i = 0; i < p->n_bgp; i++)
		write_bgp(&p->bgp[i], out);
	for (size_t i = 0; i < p->n_silent; i++)
		buf_printf(out, "silent %d %s %s %s\n", p->silent[i].mode, p->silent[i].reason,
			   p->silent[i].detail ? p->silent[i].detail : "",
			   p->silent[i].peer ? p->silent[i].peer->name : "");
}

/* --- the daemon's side --- */

struct kept {
	struct world *w;
	const struct cfg *c;
	struct map *plans;
	size_t decided;
};

static void decide(void *ctx, const char *service)
{
	struct kept *k = ctx;
	char *name = mem_strdup(service);

	k->decided++;
	plan_free(map_del(k->plans, name));
	if (world_service(k->w, name))
		(void)map_put(k->plans, name, plan_service(k->w, name, "host"));
	free(name);
}

static void on_change(void *ctx, enum world_change what, const char *name)
{
	struct kept *k = ctx;
	const char *service;
	void *plan;

	if (what == WORLD_ALL)
		MAP_EACH (k->plans, service, plan) {
			decide(k, service);
		}
	plan_touched(k->w, what, name, decide, k);
}

static void assign(struct world *w, const struct cfg *c)
{
	for (size_t i = 0; i < c->n_services; i++)
		world_service_assign(w, c->services[i].name, c->services[i].addresses,
				     c->services[i].n_addresses);
}

static void kept_reload(struct kept *k, const struct cfg *c)
{
	struct cfg_changes *ch = k->c ? cfg_changes_of(k->c, c) : NULL;
	const char *service;
	void *plan;

	if (ch && !ch->all)
		MAP_EACH (k->plans, service, plan) {
			plan_follow(plan, k->c, c);
		}
	(void)service;
	world_change_config(k->w, c, ch);
	cfg_free(k->c); /* nothing may look at it any more */
	k->c = c;
	assign(k->w, c);
	cfg_changes_free(ch);
}

static void assert_as_decided_afresh(const struct kept *k, uint64_t seed, int step)
{
	struct world *w = world_new("host");
	const struct world_service *s;
	struct buf have = { 0 }, want = { 0 };
	size_t n = 0;

	world_set_config(w, k->c);
	assign(w, k->c);
	for (size_t at = 0; (s = world_next_service(w, &at)); n++) {
		struct plan *fresh = plan_service(w, s->key, "host");
		const struct plan *plan = map_get(k->plans, s->key);

		assert_non_null(plan);
		write_plan(fresh, &want);
		write_plan(plan, &have);
		plan_free(fresh);
	}
	if (strcmp(buf_text(&have), buf_text(&want)) != 0)
		fail_msg("seed %lu, step %d: kept\n%s\nafresh\n%s", (unsigned long)seed, step,
			 buf_text(&have), buf_text(&want));
	assert_int_equal(map_len(k->plans), n);
	buf_fini(&have);
	buf_fini(&want);
	world_free(w);
}

static void free_plan(void *plan)
{
	plan_free(plan);
}

static void kept_fini(struct kept *k)
{
	map_clear(k->plans, free_plan);
	map_free(k->plans);
	world_free(k->w);
	cfg_free(k->c);
}

static void random_reloads(uint64_t seed)
{
	struct kept k = { .w = world_new("host"), .plans = map_new() };
	struct sketch s = { 0 };
	struct rng r;

	rng_seed(&r, seed);
	world_on_change(k.w, on_change, &k);
	for (int step = 0; step < 60; step++) {
		struct sketch next = s;

		for (uint64_t n = step ? 1 + rng_below(&r, 3) : 40; n > 0; n--)
			sketch_edit(&next, &r);
		const struct cfg *c = sketch_load(&next);
		if (!c)
			continue;
		s = next;
		kept_reload(&k, c);
		assert_as_decided_afresh(&k, seed, step);
	}
	kept_fini(&k);
}

static void kept_equals_decided_afresh(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++)
		random_reloads(seed);
}

/* How many are decided anew after one edit of a configuration of many. */
static size_t decided_after(struct kept *k, struct sketch *s)
{
	const struct cfg *c = sketch_load(s);

	assert_non_null(c);
	k->decided = 0;
	kept_reload(k, c);
	return k->decided;
}

static void few_are_decided_anew(void **state)
{
	struct kept k = { .w = world_new("host"), .plans = map_new() };
	struct sketch s = { 0 };

	(void)state;
	world_on_change(k.w, on_change, &k);
	for (unsigned i = 0; i < POOLS; i++)
		s.pools[i][0] = s.pools[i][1] = 1;
	for (unsigned i = 0; i < SERVICES; i++)
		s.services[i][0] = 1;
	(void)decided_after(&k, &s);
	assert_int_equal(decided_after(&k, &s), 0);
	s.pools[4][2] = 1; /* two services stand in it, and share its address */
	assert_int_equal(decided_after(&k, &s), 4);
	s.services[4][3] = 1;
	assert_int_equal(decided_after(&k, &s), 2);
	s.services[9][0] = 0;
	assert_int_equal(decided_after(&k, &s), 2);
	s.labels = 1;
	assert_in_range(decided_after(&k, &s), SERVICES, 10 * SERVICES);
	kept_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_equals_decided_afresh),
		cmocka_unit_test(few_are_decided_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
