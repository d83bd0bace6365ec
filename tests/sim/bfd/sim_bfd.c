/**
 * Two session cores with a network between them that loses, delays, reorders and duplicates, and
 * with clocks that do not run alike. Time is simulated; a failing run is repeated with the printed
 * seed.
 */
#include <inttypes.h>
#include <stdio.h>

#include "bfd/session.h"
#include "support.h"

#define NODES	  2
#define IN_FLIGHT 256

struct flying {
	struct mono at; /* true time */
	uint8_t to;
	uint8_t wire[BFD_PKT_MAX];
	size_t len;
};

struct net {
	unsigned loss_pct;
	unsigned dup_pct;
	int64_t delay_us; /* at most; each packet its own */
	bool overtaking;
	bool cut[NODES]; /* what this node sends is lost */
};

struct sim_node {
	struct bfd_session s;
	struct rng jitter;
	int64_t skew_ppm; /* how much faster its clock runs */
	unsigned ups;
	unsigned downs;
	unsigned polls_sent;
	unsigned sent;
	struct mono down_at; /* true time */
	struct mono up_at;
};

struct sim {
	struct sim_node node[NODES];
	struct net net;
	struct rng rng;
	struct mono now; /* true time */
	struct flying air[IN_FLIGHT];
	size_t n_air;
	size_t crowded; /* packets lost because the air was full */
	struct mono last_landing[NODES];
};

static struct mono local_time(const struct sim_node *n, struct mono t)
{
	return (struct mono){ t.ns + t.ns / 1000000 * n->skew_ppm };
}

static struct mono true_time(const struct sim_node *n, struct mono local)
{
	if (mono_is_never(local))
		return local;
	return (struct mono){ local.ns - local.ns / (1000000 + n->skew_ppm) * n->skew_ppm + 1000 };
}

static bool chance(struct sim *sim, unsigned pct)
{
	return rng_below(&sim->rng, 100) < pct;
}

static void launch(struct sim *sim, uint8_t to, const uint8_t *wire, size_t len)
{
	if (sim->n_air == IN_FLIGHT) {
		sim->crowded++;
		return;
	}
	struct flying *f = &sim->air[sim->n_air++];
	f->at = mono_add(sim->now, DUR_US(rng_between(&sim->rng, 1, sim->net.delay_us)));
	if (!sim->net.overtaking && mono_before(f->at, sim->last_landing[to]))
		f->at = mono_add(sim->last_landing[to], DUR_NS(1));
	sim->last_landing[to] = f->at;
	f->to = to;
	memcpy(f->wire, wire, len);
	f->len = len;
}

static void transmit(struct sim *sim, uint8_t from, const struct bfd_pkt *pkt)
{
	uint8_t wire[BFD_PKT_MAX];
	struct wr w = wr_to(wire, sizeof(wire));

	bfd_session_encode(&sim->node[from].s, pkt, &w);
	assert_false(w.bad);
	sim->node[from].polls_sent += pkt->poll;
	sim->node[from].sent++;
	if (sim->net.cut[from] || chance(sim, sim->net.loss_pct))
		return;
	launch(sim, 1 - from, wire, w.len);
	if (chance(sim, sim->net.dup_pct))
		launch(sim, 1 - from, wire, w.len);
}

static void drain(struct sim *sim, uint8_t i)
{
	struct sim_node *n = &sim->node[i];
	struct bfd_out out;

	while (bfd_session_next(&n->s, local_time(n, sim->now), &out)) {
		if (out.kind == BFD_OUT_SEND) {
			transmit(sim, i, &out.pkt);
			continue;
		}
		if (out.change.new_state == BFD_UP) {
			n->ups++;
			n->up_at = sim->now;
		}
		if (out.change.old_state == BFD_UP) {
			n->downs++;
			n->down_at = sim->now;
		}
	}
}

static void land(struct sim *sim, size_t i)
{
	struct flying f = sim->air[i];
	struct sim_node *n = &sim->node[f.to];
	struct bfd_pkt pkt;

	sim->air[i] = sim->air[--sim->n_air];
	assert_int_equal(bfd_pkt_decode(rd_from(f.wire, f.len), &pkt), BFD_PKT_OK);
	/* As the engine does: a discriminator that is not ours (any more) finds no session. */
	if (pkt.your_disc && pkt.your_disc != n->s.local_disc)
		return;
	(void)!bfd_session_rx(&n->s, &pkt, local_time(n, sim->now));
	drain(sim, f.to);
}

/* The next thing that happens, not later than @until. */
static bool sim_step(struct sim *sim, struct mono until)
{
	struct mono first = until;
	size_t flying = SIZE_MAX;
	int due = -1;

	for (size_t i = 0; i < sim->n_air; i++) {
		if (mono_before(sim->air[i].at, first)) {
			first = sim->air[i].at;
			flying = i;
		}
	}
	for (int i = 0; i < NODES; i++) {
		struct sim_node *n = &sim->node[i];
		struct mono at = true_time(n, bfd_session_deadline(&n->s));

		if (mono_before(at, first)) {
			first = at;
			due = i;
		}
	}
	if (mono_before(sim->now, first))
		sim->now = first;
	if (due >= 0) {
		bfd_session_tick(&sim->node[due].s, local_time(&sim->node[due], sim->now));
		drain(sim, (uint8_t)due);
	} else if (flying != SIZE_MAX) {
		land(sim, flying);
	}
	return due >= 0 || flying != SIZE_MAX;
}

static void run_for(struct sim *sim, struct dur d)
{
	struct mono until = mono_add(sim->now, d);

	while (sim_step(sim, until))
		;
	sim->now = until;
}

static struct sim *sim_new(uint64_t seed, const struct bfd_session_conf *a,
			   const struct bfd_session_conf *b, const struct net *net)
{
	struct sim *sim = mem_new(struct sim);
	const struct bfd_session_conf *confs[NODES] = { a, b };

	rng_seed(&sim->rng, seed);
	sim->net = *net;
	sim->now = (struct mono){ 1000000000 };
	for (uint32_t i = 0; i < NODES; i++) {
		struct sim_node *n = &sim->node[i];

		rng_seed(&n->jitter, rng_u64(&sim->rng));
		n->skew_ppm = rng_between(&sim->rng, -200, 200);
		bfd_session_init(&n->s, confs[i], 100 + i, &n->jitter, local_time(n, sim->now));
	}
	return sim;
}

/* Within the tenth that a multiplier of one leaves at 3.3 ms. */
static const struct net clean = { .delay_us = 200 };

/* ---- in every combination of parameters both sides come to the same numbers ---- */

static void assert_agreed(const struct bfd_session *a, const struct bfd_session *b)
{
	uint32_t a_to_b = MAX(a->conf.desired_min_tx_us, b->conf.required_min_rx_us);

	assert_int_equal(a->state, BFD_UP);
	assert_int_equal(a->poll, BFD_POLL_NONE);
	assert_int_equal(a->remote_disc, b->local_disc);
	assert_int_equal(a->tx_interval_us, a_to_b);
	assert_int_equal(bfd_session_rx_interval_us(b), a_to_b);
	assert_int_equal(bfd_session_remote_detect_time(a).ns, bfd_session_detect_time(b).ns);
	assert_int_equal(bfd_session_detect_time(b).ns,
			 (int64_t)a->conf.detect_mult * a_to_b * 1000);
}

static void combinations_agree(void **state)
{
	static const uint32_t us[] = { 3300, 10000, 50000, 300000, 2000000 };
	static const uint8_t mults[] = { 1, 3, 255 };
	uint64_t seed = *(uint64_t *)*state;

	for (unsigned i = 0; i < 5 * 5 * 5 * 5; i++) {
		struct bfd_session_conf a = { us[i % 5], us[i / 5 % 5], mults[i % 3], false,
					      false };
		struct bfd_session_conf b = { us[i / 25 % 5], us[i / 125], mults[i / 3 % 3], i & 1,
					      false };
		CLEANUP(mem_freep) struct sim *sim = sim_new(seed + i, &a, &b, &clean);

		run_for(sim, DUR_S(15));
		assert_agreed(&sim->node[0].s, &sim->node[1].s);
		assert_agreed(&sim->node[1].s, &sim->node[0].s);
		assert_int_equal(sim->node[0].downs + sim->node[1].downs, 0);
		assert_int_equal(sim->crowded, 0);
	}
}

/* ---- parameters change live, at any moment, on both sides: no flap, same numbers again ---- */

static struct bfd_session_conf random_conf(struct rng *rng)
{
	static const uint32_t us[] = { 10000, 20000, 50000, 100000, 300000, 1000000 };

	return (struct bfd_session_conf){
		.desired_min_tx_us = us[rng_below(rng, ARRAY_LEN(us))],
		.required_min_rx_us = us[rng_below(rng, ARRAY_LEN(us))],
		.detect_mult = (uint8_t)rng_between(rng, 3, 6),
	};
}

static void changes_never_flap(void **state)
{
	uint64_t seed = *(uint64_t *)*state;
	struct bfd_session_conf conf = { 50000, 50000, 3, false, false };
	struct net net = { .delay_us = 2000, .dup_pct = 5, .overtaking = true };
	CLEANUP(mem_freep) struct sim *sim = sim_new(seed, &conf, &conf, &clean);

	run_for(sim, DUR_S(5));
	sim->net = net;
	for (int i = 0; i < 2000; i++) {
		uint8_t who = (uint8_t)rng_below(&sim->rng, NODES);
		struct sim_node *n = &sim->node[who];

		conf = random_conf(&sim->rng);
		bfd_session_apply(&n->s, &conf, local_time(n, sim->now));
		drain(sim, who);
		run_for(sim, DUR_US(rng_between(&sim->rng, 1, 3000000)));
	}
	run_for(sim, DUR_S(10));
	assert_int_equal(sim->node[0].downs + sim->node[1].downs, 0);
	assert_agreed(&sim->node[0].s, &sim->node[1].s);
	assert_agreed(&sim->node[1].s, &sim->node[0].s);
}

/* ---- a cut in one or both directions is seen in time, and healed ---- */

static void assert_seen_in_time(const struct sim *sim, uint8_t who, struct mono cut)
{
	const struct sim_node *n = &sim->node[who];
	int64_t took = mono_sub(n->down_at, cut).ns;

	assert_int_equal(n->downs, 1);
	/* 50 ms x 3, less what had passed of the current interval, plus delay and skew */
	assert_in_range(took, DUR_MS(95).ns, DUR_MS(153).ns);
}

static void cuts_are_seen(void **state)
{
	uint64_t seed = *(uint64_t *)*state;
	struct bfd_session_conf conf = { 50000, 50000, 3, false, false };

	for (unsigned round = 0; round < 300; round++) {
		CLEANUP(mem_freep) struct sim *sim = sim_new(seed + round, &conf, &conf, &clean);
		unsigned which = 1 + round % 3;

		run_for(sim, DUR_US(rng_between(&sim->rng, 5000000, 6000000)));
		struct mono cut = sim->now;
		sim->net.cut[0] = which & 1;
		sim->net.cut[1] = which & 2;
		run_for(sim, DUR_S(2));
		if (sim->net.cut[0])
			assert_seen_in_time(sim, 1, cut);
		if (sim->net.cut[1])
			assert_seen_in_time(sim, 0, cut);
		/* One direction is enough to bring both down. */
		assert_int_not_equal(sim->node[0].s.state, BFD_UP);
		assert_int_not_equal(sim->node[1].s.state, BFD_UP);
		memset(sim->net.cut, 0, sizeof(sim->net.cut));
		run_for(sim, DUR_S(5));
		assert_agreed(&sim->node[0].s, &sim->node[1].s);
		assert_agreed(&sim->node[1].s, &sim->node[0].s);
	}
}

/* ---- bad networks: never stuck, and calm again when the network is ---- */

static void storms_pass(void **state)
{
	uint64_t seed = *(uint64_t *)*state;

	for (unsigned round = 0; round < 200; round++) {
		struct rng rng;
		rng_seed(&rng, seed + round);
		struct bfd_session_conf a = random_conf(&rng), b = random_conf(&rng);
		struct net bad = { .loss_pct = (unsigned)rng_below(&rng, 60),
				   .dup_pct = (unsigned)rng_below(&rng, 50),
				   .delay_us = rng_between(&rng, 2, 400000),
				   .overtaking = round & 1 };
		CLEANUP(mem_freep) struct sim *sim = sim_new(seed + round, &a, &b, &bad);

		run_for(sim, DUR_S(30));
		sim->net = clean;
		run_for(sim, DUR_S(15));
		unsigned downs = sim->node[0].downs + sim->node[1].downs;
		assert_agreed(&sim->node[0].s, &sim->node[1].s);
		assert_agreed(&sim->node[1].s, &sim->node[0].s);
		run_for(sim, DUR_S(10));
		assert_int_equal(sim->node[0].downs + sim->node[1].downs, downs);
	}
}

/* ---- a restart: the other side notices by the handshake, not by silence ---- */

static void restarts_are_noticed(void **state)
{
	uint64_t seed = *(uint64_t *)*state;
	struct bfd_session_conf conf = { 300000, 300000, 10, false, false };
	CLEANUP(mem_freep) struct sim *sim = sim_new(seed, &conf, &conf, &clean);

	run_for(sim, DUR_S(5));
	struct sim_node *n = &sim->node[1];
	struct mono restart = sim->now;
	bfd_session_init(&n->s, &conf, 999, &n->jitter, local_time(n, sim->now));
	run_for(sim, DUR_S(10));
	assert_int_equal(sim->node[0].downs, 1);
	assert_true(mono_sub(sim->node[0].down_at, restart).ns < DUR_MS(10).ns);
	assert_agreed(&sim->node[0].s, &sim->node[1].s);
	assert_agreed(&sim->node[1].s, &sim->node[0].s);
}

/* ---- authentication: the same as without, whatever is lost, doubled or late ---- */

static struct bfd_auth *auth_of(unsigned type)
{
	struct bfd_auth_key keys[] = { { .id = 7, .len = 6, .secret = "secret" } };
	struct bfd_auth *a = NULL;

	assert_int_equal(bfd_auth_new(type, keys, 1, &a, NULL), 0);
	return a;
}

static void authenticated_storms_pass(void **state)
{
	uint64_t seed = *(uint64_t *)*state;

	for (unsigned round = 0; round < 100; round++) {
		struct rng rng;
		rng_seed(&rng, seed + round);
		struct bfd_session_conf a = random_conf(&rng), b = random_conf(&rng);
		struct net bad = { .loss_pct = (unsigned)rng_below(&rng, 40),
				   .dup_pct = (unsigned)rng_below(&rng, 50),
				   .delay_us = rng_between(&rng, 2, 100000),
				   .overtaking = round & 1 };

		a.auth = b.auth = auth_of(1 + round % 5);
		struct sim *sim = sim_new(seed + round, &a, &b, &bad);

		run_for(sim, DUR_S(30));
		sim->net = clean;
		run_for(sim, DUR_S(25));
		assert_agreed(&sim->node[0].s, &sim->node[1].s);
		assert_agreed(&sim->node[1].s, &sim->node[0].s);
		bfd_auth_free(a.auth);
		free(sim);
	}
}

/* Its numbers begin anew somewhere: they are believed after two detection times (RFC 5880 §6.8.1). */
static void restarts_are_believed_in_the_end(void **state)
{
	uint64_t seed = *(uint64_t *)*state;

	for (unsigned type = BFD_AUTH_SIMPLE; type < BFD_AUTH_TYPE_COUNT; type++) {
		struct bfd_session_conf conf = { 300000, 300000, 3, .auth = auth_of(type) };
		struct sim *sim = sim_new(seed + type, &conf, &conf, &clean);

		run_for(sim, DUR_S(5));
		struct sim_node *n = &sim->node[1];
		bfd_session_init(&n->s, &conf, 999, &n->jitter, local_time(n, sim->now));
		run_for(sim, DUR_S(8));
		assert_int_equal(sim->node[0].downs, 1);
		assert_agreed(&sim->node[0].s, &sim->node[1].s);
		assert_agreed(&sim->node[1].s, &sim->node[0].s);
		bfd_auth_free(conf.auth);
		free(sim);
	}
}

static void wrong_secrets_never_meet(void **state)
{
	struct bfd_session_conf a = { 10000, 10000, 3, .auth = auth_of(BFD_AUTH_KEYED_SHA1) };
	struct bfd_session_conf b = { 10000, 10000, 3 };
	struct sim *sim = sim_new(*(uint64_t *)*state, &a, &b, &clean);

	run_for(sim, DUR_S(10));
	assert_int_equal(sim->node[0].ups + sim->node[1].ups, 0);
	bfd_auth_free(a.auth);
	free(sim);
}

/* ---- demand mode ---- */

static void demand_is_quiet(void **state)
{
	uint64_t seed = *(uint64_t *)*state;

	for (unsigned who = 1; who <= 3; who++) { /* bits: which of the two asks for it */
		struct bfd_session_conf a = { 50000, 50000, 3, .demand = who & 1 };
		struct bfd_session_conf b = { 50000, 50000, 3, .demand = who & 2 };
		CLEANUP(mem_freep) struct sim *sim = sim_new(seed + who, &a, &b, &clean);

		run_for(sim, DUR_S(5));
		unsigned before[NODES] = { sim->node[0].sent, sim->node[1].sent };
		run_for(sim, DUR_S(60));
		assert_int_equal(sim->node[0].downs + sim->node[1].downs, 0);
		/* A poll and an answer in 150 ms and a bit, where there were three packets of each. */
		for (unsigned i = 0; i < NODES; i++)
			if (who & 1u << (1 - i))
				assert_true(sim->node[i].sent - before[i] < 60 * 14);
			else
				assert_true(sim->node[i].sent - before[i] > 60 * 18);
	}
}

static void demand_sees_cuts(void **state)
{
	uint64_t seed = *(uint64_t *)*state;

	for (unsigned round = 0; round < 200; round++) {
		struct bfd_session_conf a = { 50000, 50000, 3, .demand = true };
		struct bfd_session_conf b = { 50000, 50000, 3, .demand = round & 1 };
		CLEANUP(mem_freep) struct sim *sim = sim_new(seed + round, &a, &b, &clean);

		run_for(sim, DUR_US(rng_between(&sim->rng, 5000000, 6000000)));
		assert_int_equal(sim->node[0].s.state, BFD_UP);
		struct mono cut = sim->now;
		sim->net.cut[round / 2 % 2] = true;
		run_for(sim, DUR_S(2));
		/* The rest until the next poll, and then a poll without an answer. */
		assert_int_equal(sim->node[0].downs, 1);
		assert_true(mono_sub(sim->node[0].down_at, cut).ns < DUR_MS(2 * 150 + 10).ns);
		memset(sim->net.cut, 0, sizeof(sim->net.cut));
		run_for(sim, DUR_S(5));
		assert_int_equal(sim->node[0].s.state, BFD_UP);
		assert_int_equal(sim->node[1].s.state, BFD_UP);
	}
}

static void demand_comes_and_goes(void **state)
{
	uint64_t seed = *(uint64_t *)*state;
	struct bfd_session_conf conf = { 50000, 50000, 3 };
	/* Without overtaking: an old packet that asks for silence would be obeyed until the next one. */
	struct net net = { .delay_us = 2000, .dup_pct = 5 };
	CLEANUP(mem_freep) struct sim *sim = sim_new(seed, &conf, &conf, &clean);

	run_for(sim, DUR_S(5));
	sim->net = net;
	for (int i = 0; i < 1000; i++) {
		uint8_t who = (uint8_t)rng_below(&sim->rng, NODES);
		struct sim_node *n = &sim->node[who];

		conf = random_conf(&sim->rng);
		conf.demand = rng_below(&sim->rng, 2);
		bfd_session_apply(&n->s, &conf, local_time(n, sim->now));
		drain(sim, who);
		run_for(sim, DUR_US(rng_between(&sim->rng, 1, 3000000)));
	}
	assert_int_equal(sim->node[0].downs + sim->node[1].downs, 0);
}

/* ---- a session that was lost stays down for its time ---- */

static void flaps_are_held_down(void **state)
{
	struct bfd_session_conf a = { 10000, 10000, 3, .hold_down = DUR_S(5) };
	struct bfd_session_conf b = { 10000, 10000, 3 };
	CLEANUP(mem_freep) struct sim *sim = sim_new(*(uint64_t *)*state, &a, &b, &clean);

	run_for(sim, DUR_S(4));
	sim->net.cut[1] = true;
	run_for(sim, DUR_S(1));
	sim->net.cut[1] = false;
	run_for(sim, DUR_S(20));
	assert_int_equal(sim->node[0].ups, 2);
	assert_int_equal(sim->node[0].s.state, BFD_UP);
	int64_t down = mono_sub(sim->node[0].up_at, sim->node[0].down_at).ns;
	assert_in_range(down, DUR_MS(4990).ns, DUR_S(8).ns);
}

int main(void)
{
	uint64_t seed = test_seed();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(combinations_agree, &seed),
		cmocka_unit_test_prestate(changes_never_flap, &seed),
		cmocka_unit_test_prestate(cuts_are_seen, &seed),
		cmocka_unit_test_prestate(storms_pass, &seed),
		cmocka_unit_test_prestate(restarts_are_noticed, &seed),
		cmocka_unit_test_prestate(authenticated_storms_pass, &seed),
		cmocka_unit_test_prestate(restarts_are_believed_in_the_end, &seed),
		cmocka_unit_test_prestate(wrong_secrets_never_meet, &seed),
		cmocka_unit_test_prestate(demand_is_quiet, &seed),
		cmocka_unit_test_prestate(demand_sees_cuts, &seed),
		cmocka_unit_test_prestate(demand_comes_and_goes, &seed),
		cmocka_unit_test_prestate(flaps_are_held_down, &seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
