/* The table of prefixes against a naive twin: an array that says which of ten thousand prefixes are in it. */
#include "bgp/table.h"

#include "base/rng.h"
#include "bgp_test.h"

enum { PREFIXES = 10000, PHASE = 16384, STEPS = 200000 };

struct world {
	struct rng rng;
	enum family family;
	struct bgp_table *t;
	uint32_t value[PREFIXES]; /* 0: not in it */
	uint32_t slot[PREFIXES];
	size_t n;
};

/* Some differ in their length alone. */
static struct prefix nth(const struct world *w, unsigned i)
{
	struct prefix p = { .addr.family = w->family, .len = (uint8_t)(24 + i % 3) };

	p.addr.b[0] = (uint8_t)(i / 3 >> 8);
	p.addr.b[1] = (uint8_t)(i / 3);
	return p;
}

static void check(const struct world *w, unsigned i)
{
	struct prefix p = nth(w, i);
	uint32_t slot = bgp_table_find(w->t, &p);

	if (!w->value[i]) {
		assert_int_equal(slot, BGP_SLOT_NONE);
		return;
	}
	assert_int_equal(slot, w->slot[i]);
	assert_int_equal(bgp_table_value(w->t, slot), w->value[i]);
	struct prefix found = bgp_table_prefix(w->t, slot);
	assert_int_equal(prefix_cmp(&found, &p), 0);
}

static void change(struct world *w, unsigned i, bool want)
{
	struct prefix p = nth(w, i);

	if (want && !w->value[i]) {
		w->value[i] = 1 + (uint32_t)rng_below(&w->rng, 1000);
		w->slot[i] = bgp_table_add(w->t, &p, w->value[i]);
		w->n++;
	} else if (want) {
		w->value[i]++;
		bgp_table_set(w->t, w->slot[i], w->value[i]);
	} else if (w->value[i]) {
		w->value[i] = 0;
		bgp_table_del(w->t, w->slot[i]);
		w->n--;
	}
	check(w, i);
	assert_int_equal(bgp_table_len(w->t), w->n);
}

static void walk(const struct world *w)
{
	struct bgp_entry e;
	size_t n = 0;

	for (uint32_t slot = 0; slot < bgp_table_slots(w->t); slot++)
		n += bgp_table_entry(w->t, slot, &e);
	assert_int_equal(n, w->n);
}

/* It fills and empties in turns, so that its index grows while entries come and go. */
static void equals_its_twin(enum family family)
{
	struct world w = { .family = family };

	rng_seed(&w.rng, test_seed());
	w.t = bgp_table_new(family, rng_u64(&w.rng));
	for (unsigned i = 0; i < STEPS; i++) {
		bool fills = i / PHASE % 2 == 0;

		change(&w, (unsigned)rng_below(&w.rng, PREFIXES),
		       rng_below(&w.rng, 10) < (fills ? 8 : 2));
		check(&w, (unsigned)rng_below(&w.rng, PREFIXES));
		if (i % 1024 == 0)
			walk(&w);
	}
	for (unsigned i = 0; i < PREFIXES; i++)
		check(&w, i);
	assert_true(bgp_table_slots(w.t) <= PREFIXES);
	bgp_table_free(w.t);
}

static void ipv4(void **state)
{
	(void)state;
	equals_its_twin(FAMILY_V4);
}

static void ipv6(void **state)
{
	(void)state;
	equals_its_twin(FAMILY_V6);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(ipv4), cmocka_unit_test(ipv6) };

	return cmocka_run_group_tests_name("table of prefixes", tests, NULL, NULL);
}
