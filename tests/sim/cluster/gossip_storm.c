#include <string.h>

#include "sim/cluster/gossip_net.h"

void net_cut(struct net *net, unsigned node)
{
	for (unsigned i = 0; i < net->n; i++)
		net->side[i] = i < node;
	net->cut[0][1] = net->cut[1][0] = true;
}

void net_heal(struct net *net)
{
	memset(net->cut, 0, sizeof(net->cut));
	net->n_deaf = 0;
}

static unsigned anybody(struct net *net)
{
	return (unsigned)rng_below(&net->rng, net->n);
}

static void cut_anywhere(struct net *net)
{
	bool one_way = rng_below(&net->rng, 3) == 0;

	for (unsigned i = 0; i < net->n; i++)
		net->side[i] = (uint8_t)rng_below(&net->rng, 2);
	net->cut[0][1] = true;
	net->cut[1][0] = !one_way;
}

static void deafen(struct net *net)
{
	if (net->n_deaf == NET_DEAF_MAX)
		net->n_deaf = 0;
	net->deaf[net->n_deaf].at = anybody(net);
	net->deaf[net->n_deaf++].from = anybody(net);
}

/* Its service manager gives it a second. */
static void leave(struct net *net, unsigned i)
{
	net_leave(net, i);
	net_run(net, DUR_MS(rng_between(&net->rng, 1, 1000)));
	net_crash(net, i, false);
}

static void to_one_that_works(struct net *net, unsigned i)
{
	switch (rng_below(&net->rng, 5)) {
	case 0:
		net_crash(net, i, rng_below(&net->rng, 2));
		break;
	case 1: /* before anybody can miss it */
		net_crash(net, i, false);
		net_start(net, i);
		break;
	case 2:
		net_freeze(net, i);
		break;
	case 3:
		net_meta(net, i);
		break;
	default:
		leave(net, i);
	}
}

static void to_a_node(struct net *net, unsigned i)
{
	if (net_works(net, i))
		to_one_that_works(net, i);
	else if (!net->nodes[i].g)
		net_start(net, i);
	else if (rng_below(&net->rng, 4))
		net_thaw(net, i);
	else
		net_crash(net, i, true);
}

void net_storm(struct net *net)
{
	switch (rng_below(&net->rng, 10)) {
	case 0:
		cut_anywhere(net);
		break;
	case 1:
		net_heal(net);
		break;
	case 2:
		deafen(net);
		break;
	case 3:
		net->loss = (double)rng_below(&net->rng, 30) / 100;
		net->doubled = (double)rng_below(&net->rng, 10) / 100;
		net->delay_us = rng_between(&net->rng, 100, 200000);
		break;
	default:
		to_a_node(net, anybody(net));
	}
}

static void wake_up(struct net *net, unsigned i)
{
	if (!net->nodes[i].g)
		net_start(net, i);
	else if (net->nodes[i].frozen)
		net_thaw(net, i);
}

void net_calm(struct net *net)
{
	bool all_wake = rng_below(&net->rng, 2);

	net->loss = net->doubled = 0;
	net->delay_us = 5000;
	net_heal(net);
	if (rng_below(&net->rng, 3) == 0) {
		cut_anywhere(net);
		net->cut[1][0] = true;
		net->side[0] = 0;
		net->side[(net->n - 1) % NET_NODES_MAX] = 1;
	}
	for (unsigned i = 0; i < net->n; i++)
		if (all_wake || (net->contacts && (i < net->contacts || i == net->n - 1)))
			wake_up(net, i);
}
