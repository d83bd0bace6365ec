/*
 * Leaving, dying and healing on a LAN (sim/app/lan.h), seen by a client. While everybody is reachable and somebody only goes by its
 * own will, the address always has an owner. After the last event exactly one node owns it in each part, in bounded time; after
 * a heal the client has the owner, and keeps it.
 */
#include "base/log.h"
#include "sim/app/lan.h"
#include "sim/runs.h"

enum {
	START_US = 2500000,
	GAP_US = 6000,
	HANDED_US = 60000,
	DETECTED_US = 300000,
	HEAL_US = 100000,
	/* Who left an address to a member that nobody else knows yet asks again 10 s after its last claim. */
	LEFT_US = 12000000
};

static unsigned owners_of(const struct lan *l, unsigned side, unsigned *which, unsigned *able)
{
	unsigned owners = 0;

	*able = 0;
	for (unsigned i = 0; i < l->n; i++) {
		const struct node *n = &l->nodes[i];

		if (!node_works(n) || (l->cut && l->side[i] != side))
			continue;
		*able += !n->drained && !n->leaves;
		if (node_owns(n)) {
			owners++;
			*which = i;
		}
	}
	return owners;
}

static bool is_right(const struct lan *l)
{
	for (unsigned side = 0; side < 2; side++) {
		unsigned which, able, owners = owners_of(l, side, &which, &able);

		if (owners != (able > 0))
			return false;
	}
	return true;
}

static struct lan *started(unsigned n, uint64_t seed)
{
	struct lan *l = lan_new(n, seed);

	for (unsigned i = 0; i < n; i++) {
		node_start(l, i);
		lan_run(l, (int64_t)rng_below(&l->rng, 300000));
	}
	lan_run(l, START_US);
	assert_true(is_right(l));
	return l;
}

static void print_owners(const struct lan *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct node *n = &l->nodes[i];

		printf("n%u (side %u%s%s%s%s)%s\n", i, l->side[i], n->runs ? "" : ", does not run",
		       n->frozen ? ", frozen" : "", n->drained ? ", drained" : "",
		       n->leaves ? ", leaves" : "", node_owns(n) ? " owns" : "");
	}
}

/* Settled is what stays so. */
static void settle(struct lan *l, int64_t bound_us)
{
	int64_t began = l->now_us, last_bad = began;

	while (l->now_us - began < bound_us) {
		lan_run(l, 1000);
		if (!is_right(l))
			last_bad = l->now_us;
	}
	sim_settled((double)(last_bad - began) / 1e6, (double)bound_us / 1e6);
	if (is_right(l))
		return;
	print_owners(l);
	fail_msg("not one owner");
}

static struct node *any_node(struct lan *l)
{
	return &l->nodes[rng_below(&l->rng, l->n)];
}

/* --- leaving well --- */

static unsigned able(const struct lan *l)
{
	unsigned which, n;

	(void)owners_of(l, 0, &which, &n);
	return n;
}

/* All that run have met, and talk to each other. */
static bool all_have_met(const struct lan *l)
{
	for (unsigned i = 0; i < l->n; i++)
		for (unsigned j = 0; j < l->n; j++)
			if (i != j && l->nodes[i].runs && l->nodes[j].runs &&
			    (!l->nodes[i].ends[j].linked || !l->nodes[i].views[j].sees))
				return false;
	return true;
}

static void leave_or_return(struct lan *l, struct node *n)
{
	if (!n->runs || n->leaves)
		return;
	if (n->drained)
		node_drain(n, false);
	else if (able(l) < 2 || !all_have_met(l))
		return;
	else if (lan_chance(l, 2))
		node_stop(n);
	else
		node_drain(n, true);
}

/* Another one may do so at the same time. */
static void by_its_own_will(struct lan *l)
{
	struct node *n = any_node(l);

	if (!n->runs)
		node_start(l, n->at);
	else
		leave_or_return(l, n);
}

/* Each step somebody answers: the new one announces before the old one is silent. */
static void run_owned(struct lan *l, int64_t us)
{
	for (; us > 0; us -= LAN_STEP_US) {
		unsigned which, able_ones;

		lan_run(l, LAN_STEP_US);
		if (owners_of(l, 0, &which, &able_ones) > 0)
			continue;
		print_owners(l);
		fail_msg("nobody has the address");
	}
}

/* Who starts puts its first addresses on a link while it announces them already: fast detection, and moving with it, begin later. */
static bool all_are_old(const struct lan *l)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->nodes[i].life > 1)
			return false;
	return true;
}

static bool all_is_handed(const struct lan *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct node *n = &l->nodes[i];

		if (n->runs && ((n->leaves && !n->ends_us) || (n->drained && !n->said_drained)))
			return false;
	}
	return true;
}

static void leaving(uint64_t seed, unsigned n)
{
	struct lan *l = started(n, seed);

	bool prompt = lan_chance(l, 2);

	l->busy = prompt ? 0 : l->busy;
	l->client.gap_us = 0;
	for (int i = 0; i < 6; i++) {
		by_its_own_will(l);
		run_owned(l, HANDED_US);
		assert_true(!prompt || all_is_handed(l));
		run_owned(l, (int64_t)rng_below(&l->rng, 1500000));
		prompt &= all_are_old(l);
	}
	if (prompt && l->client.gap_us > GAP_US)
		fail_msg("the client had no answer for %lld us", (long long)l->client.gap_us);
	settle(l, 3000000);
	lan_free(l);
}

/* The mesh knows that one is dead, gossip does not yet, and others come and go. */
static void dying(uint64_t seed, unsigned n)
{
	struct lan *l = started(n, seed);
	unsigned which = 0, able_ones;

	assert_int_equal(owners_of(l, 0, &which, &able_ones), 1);
	node_end(&l->nodes[which]);
	lan_run(l, DETECTED_US);
	for (int i = 0; i < 4; i++) {
		leave_or_return(l, any_node(l));
		run_owned(l, (int64_t)rng_below(&l->rng, 800000));
	}
	settle(l, 9000000);
	lan_free(l);
}

/* --- the same with all that goes wrong --- */

static void kill_one(struct lan *l, struct node *n)
{
	if (!n->runs) {
		node_start(l, n->at);
		return;
	}
	node_end(n);
	if (lan_chance(l, 3))
		node_start(l, n->at);
}

static void happen(struct lan *l)
{
	struct node *n = any_node(l);

	switch (rng_below(&l->rng, 8)) {
	case 0:
		l->loss = (unsigned)rng_below(&l->rng, 200);
		l->delay_us = 100 + (unsigned)rng_below(&l->rng, 20000);
		break;
	case 1:
		kill_one(l, n);
		break;
	case 2:
		l->cut = !l->cut;
		for (unsigned i = 0; i <= LAN_CLIENT; i++)
			l->side[i] = (uint8_t)rng_below(&l->rng, 2);
		break;
	case 3:
		if (n->runs)
			ends_break(n, (unsigned)rng_below(&l->rng, l->n));
		break;
	default:
		by_its_own_will(l);
	}
}

static void storm(uint64_t seed, unsigned n)
{
	struct lan *l = started(n, seed);

	for (uint64_t events = rng_below(&l->rng, 12); events > 0; events--) {
		happen(l);
		lan_run(l, (int64_t)rng_below(&l->rng, lan_chance(l, 2) ? 300000 : 5000));
	}
	l->loss = 0;
	l->delay_us = 400;
	settle(l, LEFT_US);
	lan_free(l);
}

/* --- a healed split, and what the client makes of it --- */

static void cut(struct lan *l, unsigned owner)
{
	for (unsigned i = 0; i <= LAN_CLIENT; i++)
		l->side[i] = 0;
	l->side[owner] = 1;
	l->cut = true;
}

/* From the heal on: when was the client with another one than the owner last, or the owner none? */
static int64_t wrong_after_heal_us(struct lan *l, unsigned owner, int64_t watched_us)
{
	int64_t healed_at = l->now_us, wrong = healed_at;

	while (l->now_us - healed_at < watched_us) {
		lan_run(l, 1000);
		if (client_at(&l->client) != owner || !node_owns(&l->nodes[owner]))
			wrong = l->now_us;
	}
	return wrong - healed_at;
}

/* The owner is cut off from the client and the others, again and again; a node's kernel asks for the client at any time. */
static void healed(uint64_t seed, unsigned n)
{
	struct lan *l = started(n, seed);
	unsigned owner = 0, able_ones;

	l->asks_one_of = 5 + (unsigned)rng_below(&l->rng, 2000);
	l->busy = (unsigned)rng_below(&l->rng, 200);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(owners_of(l, 0, &owner, &able_ones), 1);
		cut(l, owner);
		lan_run(l, 200000 + (int64_t)rng_below(&l->rng, 6000000));
		l->cut = false;
		int64_t wrong = wrong_after_heal_us(l, owner,
						    500000 + (int64_t)rng_below(&l->rng, 6000000));
		sim_settled((double)wrong / 1e6, HEAL_US / 1e6);
		if (wrong > HEAL_US)
			fail_msg("the client has n%u, the owner, %lld us after heal %d", owner,
				 (long long)wrong, i);
	}
	lan_free(l);
}

int main(void)
{
	static const struct sim_kind kinds[] = {
		SIM(leaving, 2, 2), SIM(leaving, 3, 2), SIM(leaving, 5, 2),
		SIM(dying, 3, 2),   SIM(dying, 5, 2),	SIM(storm, 3, 2),
		SIM(storm, 5, 2),   SIM(healed, 2, 2),	SIM(healed, 3, 2),
	};

	log_configure(LOG_TEXT, LOG_LEVEL_NONE);
	return SIM_MAIN("lan", kinds);
}
