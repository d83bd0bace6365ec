/*
 * The rib against naive twins: peers that decode what they are sent. Random changes for one peer or for all, routes by hand, partial
 * reading, refreshes, lost sessions, peers that are forgotten; whenever the rib has nothing more to say to a peer, its
 * table has to be the wanted one, and nothing was said twice. Chunks and queues are so small that walks are
 * interrupted, and groups part and meet, all the time.
 */
#include <stdio.h>

#include "base/rng.h"
#include "bgp/hand.h"
#include "bgp/update.h"
#include "bgp_test.h"

enum { PEERS = 6, PREFIXES = 200, SETS = 6, STEPS = 60000 };

/** The other side of one session. */
struct twin {
	int want[PREFIXES];  /* index of set + 1; 0: not wanted */
	int table[PREFIXES]; /* what it believes */
	unsigned number;
	bool up;
	bool prepared; /* and not up yet */
	uint8_t families;
	int refreshed; /* messages may repeat while this is > 0 */
};

struct world {
	struct rng rng;
	struct bgp_attr_table *attrs;
	struct bgp_rib *rib;
	struct bgp_attr *set[SETS];
	uint32_t med_of_set[SETS];
	struct twin twins[PEERS];
	struct bgp_hand hand;
	int by_hand[PREFIXES];	     /* index of set + 1; 0: not by hand */
	unsigned for_whom[PREFIXES]; /* bits of twins */
	size_t shared;		     /* steps after which there were fewer groups than sessions */
};

static void wake(void *ctx, unsigned peer)
{
	(void)ctx, (void)peer;
}

static struct prefix prefixes[PREFIXES];

static struct prefix make_nth(int i)
{
	char text[PREFIX_TEXT_MAX];

	if (i % 2)
		snprintf(text, sizeof(text), "10.0.%d.0/%d", i, 20 + i % 13);
	else
		snprintf(text, sizeof(text), "2001:db8:%x::/%d", i, 48 + i % 81);
	return pfx(text);
}

static struct prefix nth(int i)
{
	return prefixes[i];
}

static bool carried(const struct twin *t, int i)
{
	return (t->families & (i % 2 ? BGP_V4 : BGP_V6)) != 0;
}

static int index_of(const struct prefix *p)
{
	for (int i = 0; i < PREFIXES; i++) {
		if (prefix_cmp(&prefixes[i], p) == 0)
			return i;
	}
	fail_msg("unknown prefix %s", PREFIX_TEXT(p));
	return -1;
}

static void learn(struct twin *t, struct rd r, enum family family, int set)
{
	struct prefix p;

	while (bgp_nlri_next(&r, family, &p)) {
		int i = index_of(&p);

		assert_true(carried(t, i));
		if (t->table[i] == set && t->refreshed == 0)
			fail_msg("%s was sent without need", PREFIX_TEXT(&p));
		t->table[i] = set;
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

/* The first message of @bytes; returns its length. */
static size_t hear(struct world *w, struct twin *t, struct rd bytes)
{
	struct bgp_frame frame;
	struct bgp_fault fault;
	struct bgp_update u;

	assert_int_equal(bgp_frame_decode(bytes, BGP_MSG_MAX, &frame, &fault), 0);
	assert_int_equal(bgp_update_decode(frame.body, true, false, &u, &fault), BGP_VERDICT_OK);
	int set = set_of(w, &u);
	learn(t, u.withdrawn, FAMILY_V4, 0);
	learn(t, u.unreach_nlri, FAMILY_V6, 0);
	learn(t, u.nlri, FAMILY_V4, set);
	learn(t, u.reach_nlri, FAMILY_V6, set);
	return frame.len;
}

static bool read_one(struct world *w, struct twin *t)
{
	struct bgp_batch *b = bgp_rib_take(w->rib, t->number);
	size_t messages = 0;

	if (!b)
		return false;
	for (size_t at = 0; at < b->len; messages++)
		at += hear(w, t, rd_from(b->bytes + at, b->len - at));
	assert_int_equal(messages, b->messages);
	bgp_batch_unref(b);
	return true;
}

static void read_all(struct world *w, struct twin *t)
{
	while (read_one(w, t))
		;
	assert_false(bgp_rib_pending(w->rib, t->number));
}

/* Of a peer that has read everything. */
static void compare(struct world *w, struct twin *t)
{
	struct bgp_rib_counts c = bgp_rib_count(w->rib, t->number);
	size_t sent = 0, wanted = 0;

	for (int i = 0; i < PREFIXES; i++) {
		struct prefix p = nth(i);
		struct bgp_rib_route route;
		int want = t->up && carried(t, i) ? t->want[i] : 0;

		assert_int_equal(t->table[i], want);
		assert_int_equal(bgp_rib_find(w->rib, t->number, &p, &route), t->want[i] != 0);
		assert_ptr_equal(route.sent, want ? w->set[want - 1] : NULL);
		sent += want != 0;
		wanted += t->want[i] != 0;
	}
	assert_int_equal(c.wanted, wanted);
	assert_int_equal(c.sent, sent);
	if (t->up)
		assert_int_equal(c.pending, 0);
	t->refreshed = 0;
}

/* Half of the sessions are prepared before they come up, and some of these never do. */
static void session(struct world *w, struct twin *t)
{
	static const uint8_t families[] = { BGP_V4, BGP_V4 | BGP_V6 };
	const struct bgp_format f = {
		.as4 = true,
		.families = families[rng_below(&w->rng, ARRAY_LEN(families))],
		.local_as = 64512,
		.hop4 = ip("10.0.0.5"),
		.hop6 = ip("2001:db8::5"),
	};

	bool was_up = t->up, was_prepared = t->prepared, go = rng_below(&w->rng, 2) == 0;
	memset(t->table, 0, sizeof(t->table));
	t->refreshed = 0;
	t->up = !was_up && go;
	t->prepared = !was_up && !was_prepared && !go;
	if (was_prepared && t->up) {
		bgp_rib_up(w->rib, t->number, NULL);
		return;
	}
	t->families = f.families;
	if (t->up)
		bgp_rib_up(w->rib, t->number, &f);
	else if (t->prepared)
		bgp_rib_prepare(w->rib, t->number, &f);
	else
		bgp_rib_down(w->rib, t->number);
}

/* What was by hand gives way. */
static void end_by_hand(struct world *w, int i)
{
	for (int k = 0; w->by_hand[i] && k < PEERS; k++)
		w->twins[k].want[i] = 0;
	w->by_hand[i] = 0;
}

static void set_one(struct world *w, struct twin *t, int i, int set)
{
	struct prefix p = nth(i);

	if (w->by_hand[i] && !set) {
		assert_false(bgp_rib_del(w->rib, t->number, &p));
		return;
	}
	bool differs = w->by_hand[i] || t->want[i] != set;
	end_by_hand(w, i);

	if (set)
		assert_int_equal(bgp_rib_set(w->rib, t->number, &p, w->set[set - 1]), differs);
	else
		assert_int_equal(bgp_rib_del(w->rib, t->number, &p), differs);
	t->want[i] = set;
}

/* Most of the time all peers are to hear the same, as in life. */
static void change(struct world *w, struct twin *t)
{
	int i = (int)rng_below(&w->rng, PREFIXES);
	int set = (int)rng_below(&w->rng, SETS + 1);

	if (rng_below(&w->rng, 400) == 0) {
		set_one(w, t, i, set);
		return;
	}
	for (int k = 0; k < PEERS; k++)
		set_one(w, &w->twins[k], i, set);
}

static void twin_name(int k, char name[static 8])
{
	snprintf(name, 8, "t%d", k);
}

static void announce_by_hand(struct world *w, int i, int set)
{
	struct prefix p = nth(i);
	unsigned mask =
		rng_below(&w->rng, 40) ? (1U << PEERS) - 1 : 1U << rng_below(&w->rng, PEERS);
	char name[8];
	const char *names[] = { name };
	struct bgp_audience to = { .peers = names };
	bool refused = false;

	for (int k = 0; k < PEERS; k++) {
		refused |= !w->by_hand[i] && w->twins[k].want[i];
		if (mask == 1U << k) {
			twin_name(k, name);
			to.n_peers = 1;
		}
	}
	assert_int_equal(bgp_hand_set(&w->hand, &p, w->set[set - 1], &to),
			 refused ? -ERR_STATE : 0);
	if (refused)
		return;
	w->by_hand[i] = set;
	w->for_whom[i] = mask;
	for (int k = 0; k < PEERS; k++)
		w->twins[k].want[i] = mask >> k & 1 ? set : 0;
}

static void delete_by_hand(struct world *w, int i)
{
	struct prefix p = nth(i);

	assert_int_equal(bgp_hand_del(&w->hand, &p), w->by_hand[i] != 0);
	end_by_hand(w, i);
}

static void change_by_hand(struct world *w)
{
	int i = (int)rng_below(&w->rng, PREFIXES);
	int set = (int)rng_below(&w->rng, SETS + 1);

	if (set)
		announce_by_hand(w, i, set);
	else
		delete_by_hand(w, i);
}

/* What was for one peer alone ends, so that groups may meet again. */
static void reconcile(struct world *w)
{
	for (int i = 0; i < PREFIXES; i++) {
		if (w->by_hand[i] && w->for_whom[i] != (1U << PEERS) - 1)
			delete_by_hand(w, i);
		for (int k = 1; k < PEERS && !w->by_hand[i]; k++)
			set_one(w, &w->twins[k], i, w->twins[0].want[i]);
	}
}

static void replace_peer(struct world *w, struct twin *t)
{
	int k = (int)(t - w->twins);
	char name[8];

	twin_name(k, name);
	bgp_rib_down(w->rib, t->number);
	bgp_hand_peer(&w->hand, name, t->number, false);
	bgp_rib_peer_del(w->rib, t->number);
	*t = (struct twin){ 0 };
	assert_int_equal(bgp_rib_peer_add(w->rib, &t->number), 0);
	bgp_hand_peer(&w->hand, name, t->number, true);
	for (int i = 0; i < PREFIXES; i++)
		if (w->by_hand[i] && (w->for_whom[i] >> k & 1))
			t->want[i] = w->by_hand[i];
}

static size_t sessions(const struct world *w)
{
	size_t n = 0;

	for (int k = 0; k < PEERS; k++)
		n += w->twins[k].up;
	return n;
}

static void step(struct world *w)
{
	struct twin *t = &w->twins[rng_below(&w->rng, PEERS)];
	uint64_t dice = rng_below(&w->rng, 1000);

	if (dice < 700) {
		change(w, t);
	} else if (dice < 800) {
		change_by_hand(w);
	} else if (dice < 920) {
		read_one(w, t);
	} else if (dice < 975) {
		read_all(w, t);
		compare(w, t);
	} else if (dice < 980) {
		bgp_rib_refresh(w->rib, t->number, (uint8_t)(1 + rng_below(&w->rng, 3)));
		t->refreshed = 1;
	} else if (dice < 987) {
		reconcile(w);
	} else if (dice < 988) {
		replace_peer(w, t);
	} else if (dice < 993) {
		bgp_rib_rest(w->rib);
	} else {
		session(w, t);
	}
	w->shared += bgp_rib_groups(w->rib) < sessions(w);
}

static void equals_its_naive_twins(void **state)
{
	struct world w = { .attrs = bgp_attr_table_new() };
	struct err e;

	(void)state;
	for (int i = 0; i < PREFIXES; i++)
		prefixes[i] = make_nth(i);
	w.rib = bgp_rib_new(&(struct bgp_rib_conf){ .chunk = 7, .queue_max = 1500, .wake = wake });
	rng_seed(&w.rng, test_seed());
	for (uint32_t i = 0; i < SETS; i++) {
		const struct bgp_route_attrs v = { .has_med = true, .med = i * 7 };

		w.med_of_set[i] = v.med;
		assert_int_equal(bgp_attr_intern(w.attrs, &v, &w.set[i], &e), 0);
	}
	bgp_hand_init(&w.hand, w.rib);
	for (int k = 0; k < PEERS; k++) {
		char name[8];

		twin_name(k, name);
		assert_int_equal(bgp_rib_peer_add(w.rib, &w.twins[k].number), 0);
		bgp_hand_peer(&w.hand, name, w.twins[k].number, true);
	}
	for (int i = 0; i < STEPS; i++)
		step(&w);
	for (int k = 0; k < PEERS; k++) {
		read_all(&w, &w.twins[k]);
		compare(&w, &w.twins[k]);
	}
	assert_true(w.shared > 0); /* else there was nothing to see: how often is up to the dice */
	bgp_hand_fini(&w.hand);
	bgp_rib_free(w.rib);
	for (int i = 0; i < SETS; i++)
		bgp_attr_unref(w.set[i]);
	assert_int_equal(bgp_attr_table_len(w.attrs), 0);
	bgp_attr_table_free(w.attrs);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(equals_its_naive_twins) };

	return cmocka_run_group_tests_name("adj-rib-out model", tests, NULL, NULL);
}
