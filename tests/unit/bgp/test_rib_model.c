/*
 * The rib against a naive twin: a peer that decodes what it is sent. Random changes, partial flushes, refreshes and
 * lost sessions; whenever the rib has nothing more to say, the peer's table has to be the wanted one.
 */
#include <stdio.h>

#include "base/rng.h"
#include "bgp/rib.h"
#include "bgp/update.h"
#include "bgp_test.h"

enum { PREFIXES = 200, SETS = 6, STEPS = 30000 };

struct world {
	struct rng rng;
	struct bgp_attr_table *attrs;
	struct bgp_rib *rib;
	struct bgp_attr *set[SETS];
	uint32_t med_of_set[SETS];
	int want[PREFIXES]; /* index of set + 1; 0: not wanted */
	int peer[PREFIXES]; /* what the peer believes */
	bool up;
	uint8_t families;
	int refreshed; /* messages may repeat while this is > 0 */
};

static struct prefix nth(int i)
{
	char text[PREFIX_TEXT_MAX];

	if (i % 2)
		snprintf(text, sizeof(text), "10.0.%d.0/%d", i, 20 + i % 13);
	else
		snprintf(text, sizeof(text), "2001:db8:%x::/%d", i, 48 + i % 81);
	return pfx(text);
}

static bool carried(const struct world *w, int i)
{
	return (w->families & (i % 2 ? BGP_V4 : BGP_V6)) != 0;
}

static int index_of(const struct prefix *p)
{
	for (int i = 0; i < PREFIXES; i++) {
		struct prefix other = nth(i);

		if (prefix_cmp(&other, p) == 0)
			return i;
	}
	fail_msg("unknown prefix %s", PREFIX_TEXT(p));
	return -1;
}

static void learn(struct world *w, struct rd r, enum family family, int set)
{
	struct prefix p;

	while (bgp_nlri_next(&r, family, &p)) {
		int i = index_of(&p);

		assert_true(carried(w, i));
		if (w->peer[i] == set && w->refreshed == 0)
			fail_msg("%s was sent without need", PREFIX_TEXT(&p));
		w->peer[i] = set;
	}
	assert_false(r.bad);
}

/* Sets differ by their MED. */
static int set_of(const struct world *w, const struct bgp_update *u)
{
	struct rd r = u->attrs;
	struct bgp_attr_view a;

	while (bgp_attr_next(&r, &a)) {
		if (a.code != BGP_ATTR_MED)
			continue;
		uint32_t med = rd_u32(&a.value);
		for (int i = 0; i < SETS; i++)
			if (w->med_of_set[i] == med)
				return i + 1;
	}
	return 0;
}

static void hear(struct world *w, const struct wr *msg)
{
	struct bgp_frame frame;
	struct bgp_fault fault;
	struct bgp_update u;

	assert_int_equal(bgp_frame_decode(rd_from(msg->p, msg->len), &frame, &fault), 0);
	assert_int_equal(frame.len, msg->len);
	assert_int_equal(bgp_update_decode(frame.body, true, false, &u, &fault), BGP_VERDICT_OK);
	int set = set_of(w, &u);
	learn(w, u.withdrawn, FAMILY_V4, 0);
	learn(w, u.unreach_nlri, FAMILY_V6, 0);
	learn(w, u.nlri, FAMILY_V4, set);
	learn(w, u.reach_nlri, FAMILY_V6, set);
}

static bool flush_one(struct world *w)
{
	uint8_t wire[BGP_MSG_MAX];
	struct wr msg = wr_to(wire, sizeof(wire));

	if (!bgp_rib_encode(w->rib, &msg))
		return false;
	assert_false(msg.bad);
	hear(w, &msg);
	return true;
}

static void compare(struct world *w)
{
	size_t sent = 0;
	struct bgp_rib_counts c = bgp_rib_count(w->rib);

	for (int i = 0; i < PREFIXES; i++) {
		int want = w->up && carried(w, i) ? w->want[i] : 0;

		assert_int_equal(w->peer[i], want);
		sent += want != 0;
	}
	assert_int_equal(c.sent, sent);
	if (w->up)
		assert_int_equal(c.pending, 0);
	w->refreshed = 0;
}

static void session(struct world *w)
{
	static const uint8_t families[] = { BGP_V4, BGP_V6, BGP_V4 | BGP_V6 };
	const struct bgp_format f = {
		.as4 = true,
		.families = families[rng_below(&w->rng, 3)],
		.local_as = 64512,
		.hop4 = ip("10.0.0.5"),
		.hop6 = ip("2001:db8::5"),
	};

	memset(w->peer, 0, sizeof(w->peer));
	w->refreshed = 0;
	w->up = !w->up;
	w->families = f.families;
	if (w->up)
		bgp_rib_up(w->rib, &f);
	else
		bgp_rib_down(w->rib);
}

static void change(struct world *w)
{
	int i = (int)rng_below(&w->rng, PREFIXES);
	struct prefix p = nth(i);
	int set = (int)rng_below(&w->rng, SETS + 1);

	if (set)
		bgp_rib_set(w->rib, &p, w->set[set - 1]);
	else
		assert_int_equal(bgp_rib_del(w->rib, &p), w->want[i] != 0);
	w->want[i] = set;
}

static void step(struct world *w)
{
	uint64_t dice = rng_below(&w->rng, 1000);

	if (dice < 900) {
		change(w);
	} else if (dice < 960) {
		flush_one(w);
	} else if (dice < 985) {
		while (flush_one(w))
			;
		compare(w);
	} else if (dice < 995) {
		bgp_rib_refresh(w->rib, (uint8_t)(1 + rng_below(&w->rng, 3)));
		w->refreshed = 1;
	} else {
		session(w);
	}
}

static void equals_its_naive_twin(void **state)
{
	struct world w = { .attrs = bgp_attr_table_new(), .rib = bgp_rib_new() };
	struct err e;

	(void)state;
	rng_seed(&w.rng, test_seed());
	for (uint32_t i = 0; i < SETS; i++) {
		const struct bgp_route_attrs v = { .has_med = true, .med = i * 7 };

		w.med_of_set[i] = v.med;
		assert_int_equal(bgp_attr_intern(w.attrs, &v, &w.set[i], &e), 0);
	}
	for (int i = 0; i < STEPS; i++)
		step(&w);
	while (flush_one(&w))
		;
	compare(&w);
	bgp_rib_free(w.rib);
	for (int i = 0; i < SETS; i++)
		bgp_attr_unref(w.set[i]);
	assert_int_equal(bgp_attr_table_len(w.attrs), 0);
	bgp_attr_table_free(w.attrs);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(equals_its_naive_twin) };

	return cmocka_run_group_tests_name("adj-rib-out model", tests, NULL, NULL);
}
