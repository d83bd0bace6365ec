/*
 * Gossip, in a network that does what networks do (sim/cluster/gossip_net.h). Whatever happens, all agree on who is there within a
 * bounded time after the last event, and by that on one owner for each address in each part.
 *
 * SIM_NODES=1000: so many in the largest cluster, instead of 100.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/cluster/gossip_net.h"
#include "sim/runs.h"

static void settle(struct net *net, int64_t within_s, const char *what)
{
	struct dur took = net_settle(net, DUR_S(within_s), what);

	printf("%u nodes, %s: %.2f s\n", net->n, what, dur_seconds(took));
}

static uint64_t deaths_seen(const struct net *net)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < net->n; i++)
		n += net->nodes[i].g ? gossip_stats(net->nodes[i].g)->deaths : 0;
	return n;
}

/* --- one thing after another --- */

static void life_and_death(uint64_t seed, unsigned n)
{
	struct net *net = net_new(n, seed);
	/* The wait of a lone accuser grows with the logarithm of the number; each is probed in turn. */
	int64_t death_s = n <= 3 ? 12 : 45;

	net_start_all(net, DUR_MS(0));
	settle(net, 30, "start");
	net_run(net, DUR_S(60));
	assert_true(net_agrees(net));
	assert_int_equal(deaths_seen(net), 0);

	net_crash(net, n - 1, true);
	settle(net, death_s, "a crash");
	net_start(net, n - 1);
	settle(net, 40, "its return");
	net_leave(net, 1);
	net_run(net, DUR_S(2));
	assert_true(net->nodes[1].left);
	net_crash(net, 1, false);
	settle(net, death_s, "a leave"); /* whom no word of it reached finds out by probing */
	const struct gossip_member *left = gossip_member_find(net->nodes[0].g, net_name(1));
	assert_true(!left || left->state == GOSSIP_LEFT); /* it may be forgotten by then */
	net_start(net, 1);
	settle(net, 40, "its return");
	net_free(net);
}

static void split_and_heal(uint64_t seed, unsigned n)
{
	struct net *net = net_new(n, seed);

	net_start_all(net, DUR_MS(0));
	settle(net, 30, "start");
	net_cut(net, n / 2);
	settle(net, 90, "a split");
	net_run(net, DUR_S(120)); /* long enough to have forgotten the others */
	net_heal(net);
	settle(net, 100, "its healing");
	net_free(net);
}

/* A tenth of the packets is lost: members may be suspected, but each refutes in time. */
static void lossy_network(uint64_t seed, unsigned n)
{
	struct net *net = net_new(n, seed);

	net_start_all(net, DUR_MS(0));
	net->loss = 0.1;
	net->doubled = 0.1;
	net->delay_us = 50000;
	settle(net, 60, "start, with loss");
	net_run(net, DUR_S(120));
	net->loss = 0;
	settle(net, 40, "after the loss");
	net_crash(net, n / 2, false);
	net->loss = 0.1;
	net_run(net, DUR_S(60));
	net->loss = 0;
	settle(net, 40, "a crash amid loss");
	net_free(net);
}

static void late_starters(uint64_t seed, unsigned n)
{
	struct net *net = net_new(n, seed);

	net_start_all(net, DUR_MS(0));
	settle(net, 30, "start");
	for (unsigned i = 0; i < n; i++)
		net_crash(net, i, i % 2);
	/* The one that everybody joins comes last. */
	for (unsigned i = n; i-- > 0;) {
		net_start(net, i);
		net_run(net, DUR_S(1));
	}
	settle(net, 70, "start in reverse");
	for (unsigned i = 0; i < n; i++)
		assert_true(net->nodes[i].joins > 0);
	net_free(net);
}

/* A pair that is deaf to each other in one direction has helpers: nobody is ever believed dead. */
static void one_way_loss(uint64_t seed, unsigned n)
{
	struct net *net = net_new(n, seed);

	net_start_all(net, DUR_MS(0));
	settle(net, 30, "start");
	net->deaf[0].at = (unsigned)rng_below(&net->rng, n);
	net->deaf[0].from = (net->deaf[0].at + 1 + (unsigned)rng_below(&net->rng, n - 1)) % n;
	net->n_deaf = 1;
	net_run(net, DUR_S(90));
	assert_int_equal(deaths_seen(net), 0);
	net->n_deaf = 0;
	settle(net, 30, "one deaf ear less");
	net_free(net);
}

/* UDP to one is dead, TCP is not: nobody dies of it. */
static void udp_broken(uint64_t seed, unsigned n)
{
	struct net *net = net_new(n, seed);
	uint64_t tcp_only = 0;

	net_start_all(net, DUR_MS(0));
	settle(net, 30, "start");
	net->no_udp_to_0 = true;
	net_run(net, DUR_S(60));
	assert_int_equal(deaths_seen(net), 0);
	for (unsigned i = 1; i < n; i++)
		tcp_only += gossip_stats(net->nodes[i].g)->probes_tcp_only;
	assert_true(tcp_only > 10);
	net_free(net);
}

static void words_of_applications(uint64_t seed, unsigned n)
{
	struct net *net = net_new(n, seed);

	net->compress = true;
	net_start_all(net, DUR_MS(0));
	settle(net, 30, "start");
	assert_int_equal(gossip_broadcast(net->nodes[0].g, rd_from("hello", 5), net_clock(net, 0)),
			 0);
	net_run(net, DUR_S(40)); /* one push/pull at least */
	for (unsigned i = 0; i < n; i++)
		assert_true(net->nodes[i].states > 0);
	assert_int_equal(net->nodes[0].messages, 0);
	assert_true(net->nodes[1].messages + net->nodes[2].messages >= 2);
	net_free(net);
}

/* --- anything may happen, in any order --- */

static void storm(uint64_t seed, unsigned n)
{
	struct net *net = net_new(n, seed);
	struct dur bound = net_bound(net), took;
	uint64_t deaths;

	net->contacts = n > 3 && rng_below(&net->rng, 2);
	net->compress = rng_below(&net->rng, 2);
	net_start_all(net, DUR_MS(300));
	for (uint64_t events = rng_below(&net->rng, 30); events > 0; events--) {
		int64_t quiet_ms = rng_below(&net->rng, 2) ? 20000 : 500;

		net_storm(net);
		net_run(net, DUR_MS(rng_between(&net->rng, 0, quiet_ms)));
	}
	net_calm(net);
	took = net_settle(net, bound, "after anything");
	sim_settled(dur_seconds(took), dur_seconds(bound));
	deaths = deaths_seen(net);
	net_run(net, DUR_S(40)); /* and it stays so */
	assert_true(net_agrees(net));
	assert_int_equal(deaths_seen(net), deaths);
	net_free(net);
}

/* --- many --- */

static unsigned wanted(const char *name, unsigned usual)
{
	const char *given = getenv(name);

	return given ? (unsigned)strtoul(given, NULL, 10) : usual;
}

/* Some of many: crashed, cut off, and back. */
static void large_cluster(uint64_t seed, unsigned n)
{
	const unsigned many = MIN(wanted("SIM_NODES", n), (unsigned)NET_NODES_MAX), few = 5;
	struct net *net = net_new(many, seed);
	int64_t bound_s = net_bound(net).ns / 1000000000;

	net_start_all(net, DUR_MS(10));
	settle(net, bound_s, "start");
	for (unsigned i = 1; i <= few; i++)
		net_crash(net, i * 17, i % 2);
	net_freeze(net, 7);
	settle(net, bound_s, "crashes");
	for (unsigned i = 1; i <= few; i++)
		net_start(net, i * 17);
	net_thaw(net, 7);
	settle(net, bound_s, "their return");
	net_free(net);
}

int main(void)
{
	static const struct sim_kind kinds[] = {
		SIM_ONCE(life_and_death, 3),
		SIM_ONCE(life_and_death, 50),
		SIM_ONCE(split_and_heal, 3),
		SIM_ONCE(split_and_heal, 50),
		SIM_ONCE(lossy_network, 3),
		SIM_ONCE(lossy_network, 50),
		SIM_ONCE(late_starters, 3),
		SIM_ONCE(late_starters, 50),
		SIM(one_way_loss, 3, 4),
		SIM(one_way_loss, 50, 1),
		SIM_ONCE(udp_broken, 3),
		SIM_ONCE(words_of_applications, 3),
		SIM(storm, 3, 25),
		SIM(storm, 50, 3),
		{ .name = "large_cluster",
		  .run = large_cluster,
		  .nodes = 150,
		  .usual = 1,
		  .once = true },
	};

	return SIM_MAIN("gossip", kinds);
}
