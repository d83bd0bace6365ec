/**
 * Gossip cores of many nodes in one process, and the network between them: it loses, delays, doubles and reorders packets, is
 * cut in two or deaf in one direction; nodes freeze, die with and without their host, and start again under their name; each has a
 * clock that is ahead of the others' and runs at a rate of its own.
 *
 * What must hold at every moment is asserted here: what the core tells of joins and leaves adds up to its table, nobody leaves who
 * did not say so, no deadline is in the past after a tick, no packet is too large, nobody calls itself dead.
 *
 * Its parts: gossip_net.c is the network, gossip_check.c what must be so in the end, gossip_storm.c what may happen.
 *
 * Events stand in a heap by their time: what does not happen costs nothing.
 */
#ifndef TESTS_SIM_CLUSTER_GOSSIP_NET_H
#define TESTS_SIM_CLUSTER_GOSSIP_NET_H

#include "base/list.h"
#include "cluster/gossip.h"

#define NET_SLOWEST 0.98 /* of the clocks */

enum { NET_NODES_MAX = 1000, NET_ACCEPTED_MAX = 64, NET_DEAF_MAX = 8, NET_META_MAX = 16 };

/** A stream that a node has accepted: whom its answer goes to. */
struct net_accepted {
	unsigned from;
	unsigned life;
	uint32_t dial;
};

struct net_node {
	struct net *net;  /* NULL: it never ran */
	struct gossip *g; /* NULL: its process does not run */
	struct rng rng;
	unsigned life;	/* counts starts */
	bool host_down; /* nobody refuses connections for it */
	bool draining;
	bool frozen; /* it does not run; what arrives waits */
	bool leaving;
	bool left; /* its leave has been told */
	bool ever_left;
	char meta[NET_META_MAX];
	struct net_accepted accepted[NET_ACCEPTED_MAX];
	unsigned n_accepted;
	unsigned joins, leaves, messages, states;
	bool *believes;	    /* in whom, by joins and leaves */
	struct mono booted; /* the network's time */
	int64_t ahead_ms;   /* of its own clock, then */
	double rate;	    /* at which it goes */
	struct mono wakes;  /* the network's time */
	struct list backlog;
	unsigned n_backlog;
};

struct net {
	struct mono now;
	struct net_event **heap;
	size_t n_events;
	size_t cap_events;
	uint64_t last_event;
	struct rng rng;
	unsigned n;
	double loss;	  /* of packets */
	double doubled;	  /* of packets */
	int64_t delay_us; /* at most */
	bool cut[2][2];	  /* [from][to] one side */
	uint8_t side[NET_NODES_MAX];
	struct {
		unsigned at, from;
	} deaf[NET_DEAF_MAX];
	unsigned n_deaf;
	unsigned contacts; /* the first so many, and the last, are joined by all; 0: everybody is */
	bool compress;
	bool no_udp_to_0;
	unsigned doubter; /* who did not agree when it was asked last */
	struct net_node nodes[NET_NODES_MAX];
	/* Of whoever builds on it; each may be NULL. */
	void (*on_start)(void *ctx, unsigned node); /* before its core is made */
	void (*on_end)(void *ctx, unsigned node);
	void (*on_event)(void *ctx, unsigned node, const struct gossip_out *out);
	void (*local_state)(void *ctx, unsigned node, struct buf *out);
	void *ctx;
};

/** Of @n nodes, none of which runs. */
struct net *net_new(unsigned n, uint64_t seed);
/** Start all, one up to @apart after another. */
void net_start_all(struct net *net, struct dur apart);
struct net *net_free(struct net *net);
const char *net_name(unsigned i);

void net_start(struct net *net, unsigned i);
/** Its process ends without a word, and (@host) its host with it. */
void net_crash(struct net *net, unsigned i, bool host);
void net_freeze(struct net *net, unsigned i);
void net_thaw(struct net *net, unsigned i);
void net_meta(struct net *net, unsigned i);
void net_leave(struct net *net, unsigned i);
/** What is too long, or said while it leaves, is not sent. */
void net_broadcast(struct net *net, unsigned i, const void *bytes, size_t len);

/** Runs, and is not frozen. */
bool net_works(const struct net *net, unsigned i);
/** In both directions. */
bool net_joins(const struct net *net, unsigned a, unsigned b);
struct mono net_clock(const struct net *net, unsigned i);

/** Until then, or until nothing happens any more. */
void net_run_until(struct net *net, struct mono end);
void net_run(struct net *net, struct dur d);

/** Does everybody that works know everybody whom it can reach, with what he said last, and nobody else? */
bool net_agrees(struct net *net);
/** By when that has to be so after the last event. */
struct dur net_bound(const struct net *net);
/** Run until it is so, and stays so for a while; fails when it takes longer than @within. */
struct dur net_settle(struct net *net, struct dur within, const char *what);

/** Two parts; those below @node are one of them. */
void net_cut(struct net *net, unsigned node);
void net_heal(struct net *net);
/** One thing, at random. */
void net_storm(struct net *net);
/**
 * The last events of a storm. Deaths, freezes and a cut may stay; but whom the others join is there, in each part: who has
 * forgotten everybody finds nobody else.
 */
void net_calm(struct net *net);

#endif
