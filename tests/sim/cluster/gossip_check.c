#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/cluster/gossip_net.h"
#include "support.h"

#define LOOK_EVERY DUR_MS(100)
#define HOLD	   DUR_S(15) /* settled is what stays so */
#define ADDRESSES  8

/* A suspicion is no belief. */
static bool knows(const struct net *net, unsigned i, unsigned j)
{
	const struct gossip_member *m = gossip_member_find(net->nodes[i].g, net_name(j));
	const char *meta = net->nodes[j].meta;

	if (!net_works(net, j) || !net_joins(net, i, j))
		return !m || !gossip_member_is_live(m);
	return m && m->state == GOSSIP_ALIVE && m->meta_len == strlen(meta) &&
	       memcmp(m->meta, meta, m->meta_len) == 0;
}

static bool knows_all(const struct net *net, unsigned i)
{
	for (unsigned j = 0; j < net->n; j++)
		if (!knows(net, i, j))
			return false;
	return true;
}

bool net_agrees(struct net *net)
{
	for (unsigned n = 0; n < net->n; n++) {
		unsigned i = (net->doubter + n) % net->n;

		if (net_works(net, i) && !knows_all(net, i)) {
			net->doubter = i;
			return false;
		}
	}
	return true;
}

static uint64_t rank_of(unsigned address, unsigned node)
{
	uint64_t v = ((uint64_t)address << 32 | node) * UINT64_C(0x9e3779b97f4a7c15);

	return (v ^ v >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* Is it the first in rank of those that it was told of? */
static bool claims(const struct net *net, unsigned i, unsigned address)
{
	for (unsigned j = 0; j < net->n; j++)
		if (net->nodes[i].believes[j] && rank_of(address, j) < rank_of(address, i))
			return false;
	return true;
}

/* In each part of the network, where anybody works. */
static void assert_one_owner_each(const struct net *net)
{
	for (unsigned address = 0; address < ADDRESSES; address++) {
		unsigned owners[2] = { 0 }, working[2] = { 0 };

		for (unsigned i = 0; i < net->n; i++) {
			unsigned part = net->cut[0][1] ? net->side[i] : 0;

			if (!net_works(net, i))
				continue;
			working[part]++;
			owners[part] += claims(net, i, address);
		}
		assert_int_equal(owners[0], working[0] > 0);
		assert_int_equal(owners[1], working[1] > 0);
	}
}

/*
 * One after the other: the last question of a node in bad health ends, somebody probes the dead, nobody confirms the
 * suspicion, and a member that all have forgotten is dialled again: when a stream that hangs has ended, after the longest
 * wait. What gossip missed comes with a push/pull; whose partner is chosen by lot, so that two may pass. By the slowest clock.
 */
struct dur net_bound(const struct net *net)
{
	const struct gossip_timing *t = &gossip_lan;
	double n = net->n, scale = fmax(1, log10(n)), syncs = fmax(0, ceil(log2(n / 32))) + 1;
	double probe_s = 8 + fmin(n, 20);
	double suspect_s = t->suspicion_mult * t->suspicion_max_mult * scale;
	double join_s = 60 + 1 + dur_seconds(t->stream_timeout);
	double sync_s = 2 * dur_seconds(t->sync_interval) * syncs;

	return DUR_MS((int64_t)((probe_s + suspect_s + join_s + sync_s) * 1000 / NET_SLOWEST));
}

/* Who believes what: for whoever reads a failure. */
static void print_beliefs(const struct net *net)
{
	for (unsigned i = 0; i < net->n; i++) {
		const struct net_node *node = &net->nodes[i];
		const struct gossip_member *m;
		size_t at = 0;

		printf("%s (side %u%s%s):", net_name(i), net->side[i],
		       node->g ? "" : ", does not run", node->frozen ? ", frozen" : "");
		while (node->g && gossip_member_next(node->g, &at, &m))
			printf(" %s=%s/%u", m->name, gossip_state_name(m->state), m->incarnation);
		printf("\n");
	}
}

/* What was said before the last event may still be on its way, or wait for a stream's end. */
struct dur net_settle(struct net *net, struct dur within, const char *what)
{
	struct mono began = net->now, last_bad = began;

	while (mono_sub(net->now, last_bad).ns < HOLD.ns) {
		if (!net_agrees(net))
			last_bad = mono_add(net->now, LOOK_EVERY);
		if (mono_sub(last_bad, began).ns > within.ns) {
			print_beliefs(net);
			fail_msg("%s: no agreement after %.0f s", what, dur_seconds(within));
		}
		net_run(net, LOOK_EVERY);
	}
	assert_one_owner_each(net);
	return mono_sub(last_bad, began);
}
