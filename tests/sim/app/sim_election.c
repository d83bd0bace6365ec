/*
 * The election on top of gossip as it is: nodes with the real membership, share, world, quorum and plan, wired as src/app has it, over
 * the network of sim/cluster/gossip_net.h and its storms, and with health checks that fail. When gossip agrees, and what was lost has
 * come by push/pull, the owners are what the settings promise: one in each part where anybody can serve; with `quorum: true`
 * only in the larger one. Wall clocks, which number the starts of a node, go back at times.
 */
#include <stdio.h>
#include <string.h>

#include "sim/app/elector.h"
#include "sim/cluster/gossip_net.h"
#include "sim/runs.h"

enum { NODES_MAX = 50, STEP_MS = 100, ALONE_MS = 1000 };

struct sim;

struct node {
	struct elector e;
	struct sim *sim;
	unsigned at;
	bool serves;   /* as its health check says */
	bool oriented; /* it may claim */
	bool first;    /* in rank, by that plan */
	bool owns;
	struct mono started;
};

struct sim {
	struct scene scene;
	struct cfg_endpoint join[NODES_MAX];
	struct net *net;
	struct node nodes[NODES_MAX];
};

/* --- what the parts of a node say to each other, as src/app has it --- */

static void on_broadcast(void *ctx, const void *bytes, size_t len)
{
	const struct node *n = ctx;

	net_broadcast(n->sim->net, n->at, bytes, len);
}

/* --- the life of a node --- */

/* Nanoseconds of a wall clock that somebody sets now and then. */
static uint64_t wall_clock(struct net *net)
{
	uint64_t back = rng_below(&net->rng, 4) ? 0 : rng_below(&net->rng, 100000000000);

	return 1000000000000 + (uint64_t)net->now.ns - back;
}

static void on_start(void *ctx, unsigned i)
{
	struct sim *s = ctx;
	struct node *n = &s->nodes[i];

	*n = (struct node){ .sim = s, .at = i, .serves = true, .started = s->net->now };
	elector_start(&n->e, &s->scene.cfg, i, net_name(i), wall_clock(s->net), on_broadcast);
}

static void on_end(void *ctx, unsigned i)
{
	struct node *n = &((struct sim *)ctx)->nodes[i];

	elector_end(&n->e);
	n->owns = false;
}

static void on_event(void *ctx, unsigned i, const struct gossip_out *out)
{
	struct node *n = &((struct sim *)ctx)->nodes[i];

	if (out->type == GOSSIP_OUT_JOIN) {
		elector_joined(&n->e, out->member->name, &out->member->addr);
	} else if (out->type == GOSSIP_OUT_LEAVE) {
		elector_gone(&n->e, out->member->name, out->member->state == GOSSIP_LEFT);
	} else if (out->type == GOSSIP_OUT_USER_MESSAGE) {
		if (share_read(n->e.share, out->bytes))
			on_broadcast(n, out->bytes.p, out->bytes.left);
	} else if (out->type == GOSSIP_OUT_USER_STATE) {
		(void)share_read(n->e.share, out->bytes);
		n->oriented = true;
	}
}

static void local_state(void *ctx, unsigned i, struct buf *out)
{
	share_write(((struct sim *)ctx)->nodes[i].e.share, out);
}

static void check_health(struct node *n, bool serves)
{
	n->serves = serves;
	elector_check(&n->e, net_name(n->at), serves);
}

/* --- who owns --- */

static void decide(struct sim *s, struct node *n)
{
	bool before = n->owns;

	if (!n->e.planned) {
		struct plan *p = plan_service(n->e.w, "web", net_name(n->at));

		n->first = p->owner;
		n->e.planned = true;
		plan_free(p);
	}
	n->oriented |= mono_sub(s->net->now, n->started).ns >= DUR_MS(ALONE_MS).ns;
	n->owns = n->first && n->oriented;
	if (n->owns == before)
		return;
	share_hold(n->e.share, "web", n->owns && !s->scene.cfg.l2.preempt);
	share_flush(n->e.share);
}

static void run(struct sim *s, int64_t ms)
{
	for (; ms > 0; ms -= STEP_MS) {
		net_run(s->net, DUR_MS(MIN(ms, STEP_MS)));
		for (unsigned i = 0; i < s->net->n; i++)
			if (net_works(s->net, i))
				decide(s, &s->nodes[i]);
	}
}

static bool anybody_left(const struct net *net)
{
	bool any = false;

	for (unsigned i = 0; i < net->n; i++)
		any |= net->nodes[i].ever_left;
	return any;
}

static bool is_right(const struct sim *s)
{
	const struct net *net = s->net;
	bool quorum = s->scene.cfg.cluster.quorum;
	unsigned owners[2] = { 0 }, able[2] = { 0 }, working[2] = { 0 };

	for (unsigned i = 0; i < net->n; i++) {
		unsigned part = net->cut[0][1] ? net->side[i] : 0;

		if (!net_works(net, i))
			continue;
		working[part]++;
		able[part] += s->nodes[i].serves;
		owners[part] += s->nodes[i].owns;
	}
	for (unsigned part = 0; part < 2; part++) {
		bool one = able[part] > 0, larger = 2 * working[part] > net->n;

		if (!quorum && owners[part] != one)
			return false;
		/* Those who have left by their own word count no more; but not everybody heard it. */
		if (!quorum || anybody_left(net) || 2 * working[part] == net->n)
			continue;
		if (owners[part] != (one && larger))
			return false;
	}
	return !quorum || anybody_left(net) || owners[0] + owners[1] <= 1;
}

/* After gossip has settled, what was said in vain spreads by push/pull: every time to as many as know it. */
static double bound_s(const struct net *net)
{
	double rounds = 4, scale = net->n > 32 ? 2 : 1;

	for (unsigned known = 1; known < net->n; known *= 2)
		rounds++;
	return dur_seconds(net_bound(net)) + rounds * dur_seconds(gossip_lan.sync_interval) * scale;
}

/* Settled is what stays so. */
static void settle(struct sim *s)
{
	double bound = bound_s(s->net);
	struct mono began = s->net->now, last_bad = began;

	for (double at = 0; at < bound; at = dur_seconds(mono_sub(s->net->now, began))) {
		run(s, STEP_MS);
		if (!is_right(s))
			last_bad = s->net->now;
		else if (dur_seconds(mono_sub(s->net->now, last_bad)) > 60 && net_agrees(s->net))
			break;
	}
	assert_true(is_right(s));
	assert_true(net_agrees(s->net));
	sim_settled(dur_seconds(mono_sub(last_bad, began)), bound);
}

static void happen(struct sim *s)
{
	unsigned i = (unsigned)rng_below(&s->net->rng, s->net->n);

	if (rng_below(&s->net->rng, 5))
		net_storm(s->net);
	else if (net_works(s->net, i))
		check_health(&s->nodes[i], !s->nodes[i].serves || rng_below(&s->net->rng, 4) == 0);
}

static struct sim *sim_new(unsigned n, uint64_t seed)
{
	struct sim *s = mem_new(struct sim);

	s->net = net_new(n, seed);
	s->net->ctx = s;
	s->net->on_start = on_start;
	s->net->on_end = on_end;
	s->net->on_event = on_event;
	s->net->local_state = local_state;
	s->net->contacts = 0;
	scene_init(&s->scene);
	s->scene.cfg.cluster.enabled = true;
	for (unsigned i = 0; i < n; i++)
		s->join[i] = (struct cfg_endpoint){ .addr = elector_addr(i) };
	s->scene.cfg.cluster.join = s->join;
	s->scene.cfg.cluster.n_join = n;
	s->scene.cfg.l2.preempt = rng_below(&s->net->rng, 2);
	s->scene.cfg.cluster.quorum = rng_below(&s->net->rng, 2);
	return s;
}

static void storm(uint64_t seed, unsigned n)
{
	struct sim *s = sim_new(n, seed);

	net_start_all(s->net, DUR_MS(500));
	for (uint64_t events = rng_below(&s->net->rng, 20); events > 0; events--) {
		int64_t quiet_ms = rng_below(&s->net->rng, 2) ? 20000 : 500;

		happen(s);
		run(s, rng_between(&s->net->rng, 0, quiet_ms));
	}
	net_calm(s->net);
	settle(s);
	net_free(s->net);
	scene_fini(&s->scene);
	free(s);
}

int main(void)
{
	static const struct sim_kind kinds[] = { SIM(storm, 3, 20), SIM(storm, 50, 1) };

	return SIM_MAIN("election", kinds);
}
