/*
 * Many gossip cores in one process, over a network that loses, delays, splits and restarts, with clocks that do not
 * agree. Whatever happens, all agree on who is there within a bounded time after the last event, and by that on one owner
 * for each address.
 *
 * SIM_RUNS=1000: so many runs of random events with 3 and 50 nodes, instead of a few. SIM_NODES=1000: so many in the
 * largest cluster, instead of 200; each tells each of each, which takes minutes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "cluster/gossip.h"
#include "support.h"

#define NODES_MAX 1000
#define PORT	  GOSSIP_PORT
#define ADDRESSES 8

enum wire_kind { ON_PACKET, ON_REQUEST, ON_ANSWER, ON_FAILURE };

/* Something under way. */
struct flight {
	struct list link;
	struct mono at;
	enum wire_kind kind;
	unsigned from;
	unsigned to;
	uint32_t dial;
	size_t len;
	uint8_t bytes[];
};

/* A stream that a node has accepted: whom its answer goes to. */
struct accepted {
	unsigned from;
	uint32_t dial;
};

struct node {
	struct gossip *g;
	struct rng rng;
	unsigned boot; /* counts restarts */
	bool left;
	struct accepted accepted[64];
	unsigned n_accepted;
	unsigned joins, leaves, messages, states;
	struct mono booted; /* the network's time */
	int64_t ahead_ms;   /* of its own clock, then */
	double rate;	    /* at which it goes */
	struct mono due;    /* its own time */
};

struct net {
	struct mono now;
	struct list flights;
	struct rng rng;
	unsigned n;
	double loss;	  /* of packets */
	int64_t delay_ms; /* at most */
	unsigned split;	  /* nodes below it cannot reach the others; 0: none */
	bool compress;
	bool no_udp_to_0;
	unsigned doubter; /* who did not agree when it was asked last */
	struct node nodes[NODES_MAX];
};

static struct gossip_endpoint endpoint(unsigned i)
{
	unsigned host = i + 1;

	return (struct gossip_endpoint){ addr_v4(10, 0, (uint8_t)(host >> 8), (uint8_t)host),
					 PORT };
}

static unsigned node_at(const struct addr *a)
{
	return ((unsigned)a->b[2] << 8 | a->b[3]) - 1;
}

static const char *name_of(unsigned i)
{
	static char names[NODES_MAX][16];

	snprintf(names[i], sizeof(names[i]), "node-%u", i);
	return names[i];
}

/* A node's own clock. */
static struct mono clock_of(const struct net *net, unsigned i)
{
	const struct node *n = &net->nodes[i];
	double gone = (double)mono_sub(net->now, n->booted).ns * n->rate;

	return (struct mono){ n->ahead_ms * 1000000 + (int64_t)gone };
}

static bool reaches(const struct net *net, unsigned a, unsigned b)
{
	return net->nodes[b].g && (a < net->split) == (b < net->split);
}

static void launch(struct net *net, enum wire_kind kind, unsigned from, unsigned to, uint32_t dial,
		   struct rd bytes)
{
	struct flight *f = mem_zero(1, sizeof(*f) + bytes.left);

	f->kind = kind;
	f->from = from;
	f->to = to;
	f->dial = dial;
	f->len = bytes.left;
	f->at = mono_add(net->now, DUR_MS(rng_between(&net->rng, 0, net->delay_ms)));
	if (bytes.left)
		memcpy(f->bytes, bytes.p, bytes.left);
	list_append(&net->flights, &f->link);
}

static void dial(struct net *net, unsigned from, const struct gossip_out *out)
{
	unsigned to = node_at(&out->addr);

	if (reaches(net, from, to))
		launch(net, ON_REQUEST, from, to, out->stream, out->bytes);
	else
		launch(net, ON_FAILURE, from, from, out->stream, rd_from(NULL, 0));
}

static void perform(struct net *net, unsigned i, const struct gossip_out *out)
{
	struct node *n = &net->nodes[i];
	unsigned to = node_at(&out->addr);

	switch (out->type) {
	case GOSSIP_OUT_PACKET:
		if ((double)rng_below(&net->rng, 1000) < net->loss * 1000 ||
		    (net->no_udp_to_0 && to == 0))
			break;
		launch(net, ON_PACKET, i, to, 0, out->bytes);
		break;
	case GOSSIP_OUT_DIAL:
		dial(net, i, out);
		break;
	case GOSSIP_OUT_REPLY:
		launch(net, ON_ANSWER, i, n->accepted[out->stream].from,
		       n->accepted[out->stream].dial, out->bytes);
		break;
	case GOSSIP_OUT_CLOSE:
		launch(net, ON_FAILURE, i, n->accepted[out->stream].from,
		       n->accepted[out->stream].dial, rd_from(NULL, 0));
		break;
	case GOSSIP_OUT_JOIN:
		n->joins++;
		break;
	case GOSSIP_OUT_LEAVE:
		n->leaves++;
		break;
	case GOSSIP_OUT_USER_MESSAGE:
		n->messages++;
		break;
	case GOSSIP_OUT_USER_STATE:
		n->states++;
		break;
	case GOSSIP_OUT_LEFT:
		n->left = true;
		break;
	case GOSSIP_OUT_UPDATE:
	case GOSSIP_OUT_CONFLICT:
	case GOSSIP_OUT_REMOTE_ERROR:
		break;
	}
}

static void drain(struct net *net, unsigned i)
{
	struct gossip_out out;

	while (net->nodes[i].g && gossip_next(net->nodes[i].g, &out))
		perform(net, i, &out);
	if (net->nodes[i].g)
		net->nodes[i].due = gossip_deadline(net->nodes[i].g);
}

static void land(struct net *net, struct flight *f)
{
	struct node *n = &net->nodes[f->to];
	struct rd bytes = rd_from(f->bytes, f->len);
	struct gossip_endpoint from = endpoint(f->from);

	if (!reaches(net, f->from, f->to)) {
		unsigned dialler = f->kind == ON_REQUEST ? f->from : f->to;

		if (f->kind != ON_PACKET && net->nodes[dialler].g)
			launch(net, ON_FAILURE, dialler, dialler, f->dial, rd_from(NULL, 0));
		return;
	}
	switch (f->kind) {
	case ON_PACKET:
		gossip_packet(n->g, &from.addr, from.port, bytes, clock_of(net, f->to));
		break;
	case ON_REQUEST:
		n->n_accepted = (n->n_accepted + 1) % ARRAY_LEN(n->accepted);
		n->accepted[n->n_accepted] = (struct accepted){ f->from, f->dial };
		gossip_stream_request(n->g, n->n_accepted, bytes, clock_of(net, f->to));
		break;
	case ON_ANSWER:
		gossip_stream_answer(n->g, f->dial, bytes, clock_of(net, f->to));
		break;
	case ON_FAILURE:
		gossip_stream_failed(n->g, f->dial);
		break;
	}
	drain(net, f->to);
}

static void local_state(void *ctx, struct buf *out)
{
	buf_printf(out, "state of %s", (const char *)ctx);
}

static void start(struct net *net, unsigned i)
{
	struct node *n = &net->nodes[i];
	struct gossip_endpoint join[2] = { endpoint(0), endpoint(net->n - 1) };
	struct gossip_conf conf = {
		.name = name_of(i),
		.addr = endpoint(i).addr,
		.port = PORT,
		.timing = gossip_lan,
		.compress = net->compress,
		.rng = &n->rng,
		.local_state = local_state,
		.ctx = (void *)name_of(i),
	};

	rng_seed(&n->rng, rng_u64(&net->rng));
	n->boot++;
	n->left = false;
	n->booted = net->now;
	n->ahead_ms = rng_between(&net->rng, 1, 1000000);
	n->rate = 0.98 + (double)rng_below(&net->rng, 41) / 1000;
	n->g = gossip_new(&conf, clock_of(net, i));
	gossip_join(n->g, join, ARRAY_LEN(join), clock_of(net, i));
	drain(net, i);
}

static void crash(struct net *net, unsigned i)
{
	net->nodes[i].g = gossip_free(net->nodes[i].g);
}

static void step(struct net *net)
{
	struct flight *f;

	net->now = mono_add(net->now, DUR_MS(5));
	LIST_EACH (f, &net->flights, link) {
		if (mono_before(net->now, f->at))
			continue;
		list_remove(&f->link);
		land(net, f);
		free(f);
	}
	for (unsigned i = 0; i < net->n; i++) {
		struct mono now = clock_of(net, i);

		if (!net->nodes[i].g || mono_before(now, net->nodes[i].due))
			continue;
		gossip_tick(net->nodes[i].g, now);
		drain(net, i);
	}
}

static void run(struct net *net, int64_t seconds)
{
	struct mono end = mono_add(net->now, DUR_S(seconds));

	while (mono_before(net->now, end))
		step(net);
}

/*
 * Does @i believe exactly those who run to be there (and on its side of a split)? Suspicions are no
 * belief.
 */
static bool knows_all(const struct net *net, unsigned i)
{
	for (unsigned j = 0; j < net->n; j++) {
		const struct gossip_member *m = gossip_member_find(net->nodes[i].g, name_of(j));

		if (reaches(net, i, j) ? !m || m->state != GOSSIP_ALIVE
				       : m && gossip_member_is_live(m))
			return false;
	}
	return true;
}

static bool all_agree(struct net *net)
{
	for (unsigned n = 0; n < net->n; n++) {
		unsigned i = (net->doubter + n) % net->n;

		if (net->nodes[i].g && !knows_all(net, i)) {
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

/* Is it the first in rank of those that it believes in? */
static bool claims(const struct net *net, unsigned i, unsigned address)
{
	for (unsigned j = 0; j < net->n; j++) {
		const struct gossip_member *m = gossip_member_find(net->nodes[i].g, name_of(j));

		if (m && gossip_member_is_live(m) && rank_of(address, j) < rank_of(address, i))
			return false;
	}
	return true;
}

/* In each part of the network, where anybody runs. */
static void assert_one_owner_each(const struct net *net)
{
	for (unsigned address = 0; address < ADDRESSES; address++) {
		unsigned owners[2] = { 0 }, running[2] = { 0 };

		for (unsigned i = 0; i < net->n; i++) {
			if (!net->nodes[i].g)
				continue;
			running[i < net->split]++;
			owners[i < net->split] += claims(net, i, address);
		}
		assert_int_equal(owners[0], running[0] > 0);
		assert_int_equal(owners[1], running[1] > 0);
	}
}

/* Who believes what: for whoever reads a failure. */
static void print_beliefs(const struct net *net)
{
	for (unsigned i = 0; i < net->n; i++) {
		const struct gossip_member *m;
		size_t at = 0;

		printf("%s:", name_of(i));
		while (net->nodes[i].g && gossip_member_next(net->nodes[i].g, &at, &m))
			printf(" %s=%s/%u", m->name, gossip_state_name(m->state), m->incarnation);
		printf("\n");
	}
}

/* Run until all agree. */
static void settle(struct net *net, int64_t within_s, const char *what)
{
	struct mono start_at = net->now;
	struct mono end = mono_add(net->now, DUR_S(within_s));

	while (!all_agree(net)) {
		if (!mono_before(net->now, end)) {
			print_beliefs(net);
			fail_msg("%s: no agreement after %lld s", what, (long long)within_s);
		}
		step(net);
	}
	assert_one_owner_each(net);
	printf("%u nodes, %s: %.2f s\n", net->n, what, dur_seconds(mono_sub(net->now, start_at)));
}

static struct net *net_new(unsigned n)
{
	struct net *net = mem_new(struct net);

	list_init(&net->flights);
	rng_seed(&net->rng, test_seed());
	net->n = n;
	net->delay_ms = 5;
	for (unsigned i = 0; i < n; i++)
		start(net, i);
	return net;
}

static void net_free(struct net *net)
{
	struct flight *f;

	LIST_EACH (f, &net->flights, link)
		free(f);
	for (unsigned i = 0; i < net->n; i++)
		crash(net, i);
	free(net);
}

static uint64_t deaths_seen(const struct net *net)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < net->n; i++)
		n += net->nodes[i].g ? gossip_stats(net->nodes[i].g)->deaths : 0;
	return n;
}

static void life_and_death(struct net *net)
{
	unsigned victim = net->n - 1;
	/*
	 * The wait of a lone accuser grows with the logarithm of the number; and each is probed in
	 * turn.
	 */
	int64_t death_s = net->n <= 3 ? 12 : 45;

	settle(net, 30, "start");
	run(net, 60);
	assert_true(all_agree(net));
	assert_int_equal(deaths_seen(net), 0);

	crash(net, victim);
	settle(net, death_s, "a crash");
	start(net, victim);
	settle(net, 40, "its return");
	gossip_leave(net->nodes[1].g, clock_of(net, 1));
	drain(net, 1);
	run(net, 2);
	assert_true(net->nodes[1].left);
	crash(net, 1);
	settle(net, death_s, "a leave"); /* whom no word of it reached finds out by probing */
	assert_int_equal(gossip_member_find(net->nodes[0].g, name_of(1))->state, GOSSIP_LEFT);
	start(net, 1);
	settle(net, 40, "its return");
}

static void quiet_network(void **state)
{
	struct net *net = net_new(*(const unsigned *)*state);

	life_and_death(net);
	net_free(net);
}

static void split_and_heal(void **state)
{
	struct net *net = net_new(*(const unsigned *)*state);

	settle(net, 30, "start");
	net->split = net->n / 2;
	settle(net, 90, "a split");
	run(net, 120); /* long enough to have forgotten the others */
	net->split = 0;
	settle(net, 100, "its healing");
	net_free(net);
}

/* A tenth of the packets is lost: members may be suspected, but each refutes in time. */
static void lossy_network(void **state)
{
	struct net *net = net_new(*(const unsigned *)*state);

	net->loss = 0.1;
	net->delay_ms = 50;
	settle(net, 60, "start, with loss");
	run(net, 120);
	net->loss = 0;
	settle(net, 40, "after the loss");
	crash(net, net->n / 2);
	net->loss = 0.1;
	run(net, 60);
	net->loss = 0;
	settle(net, 40, "a crash amid loss");
	net_free(net);
}

static void late_starters(void **state)
{
	struct net *net = net_new(*(const unsigned *)*state);

	settle(net, 30, "start");
	for (unsigned i = 0; i < net->n; i++)
		crash(net, i);
	/* The one that everybody joins comes last. */
	for (unsigned i = net->n; i-- > 0;) {
		start(net, i);
		run(net, 1);
	}
	settle(net, 70, "start in reverse");
	for (unsigned i = 0; i < net->n; i++)
		assert_true(net->nodes[i].joins > 0);
	net_free(net);
}

/* UDP to one is dead, TCP is not: nobody dies of it. */
static void udp_broken(void **state)
{
	struct net *net = net_new(3);
	uint64_t tcp_only = 0;

	(void)state;
	settle(net, 30, "start");
	net->no_udp_to_0 = true;
	run(net, 60);
	assert_int_equal(deaths_seen(net), 0);
	for (unsigned i = 1; i < 3; i++)
		tcp_only += gossip_stats(net->nodes[i].g)->probes_tcp_only;
	assert_true(tcp_only > 10);
	net_free(net);
}

/* --- anything may happen, in any order --- */

static void something_happens(struct net *net)
{
	unsigned i = (unsigned)rng_below(&net->rng, net->n);

	switch (rng_below(&net->rng, 5)) {
	case 0:
		net->split = net->split ? 0 : i;
		break;
	case 1:
		net->loss = (double)rng_below(&net->rng, 20) / 100;
		break;
	case 2:
		net->delay_ms = rng_between(&net->rng, 1, 100);
		break;
	default:
		if (net->nodes[i].g)
			crash(net, i);
		else
			start(net, i);
	}
}

static void quiet_again(struct net *net)
{
	net->split = 0;
	net->loss = 0;
	net->delay_ms = 5;
	for (unsigned i = 0; i < net->n; i++)
		if (!net->nodes[i].g)
			start(net, i);
}

static void any_order_of_events(unsigned n)
{
	struct net *net = net_new(n);

	for (unsigned events = (unsigned)rng_below(&net->rng, 30); events > 0; events--) {
		something_happens(net);
		run(net, rng_between(&net->rng, 0, 20));
	}
	quiet_again(net);
	settle(net, 100, "after anything");
	net_free(net);
}

static unsigned wanted(const char *name, unsigned usual)
{
	const char *given = getenv(name);

	return given ? (unsigned)strtoul(given, NULL, 10) : usual;
}

static void many_orders_of_events(void **state)
{
	(void)state;
	for (unsigned i = wanted("SIM_RUNS", 4); i > 0; i--) {
		any_order_of_events(3);
		if (i % 4 == 0)
			any_order_of_events(50);
	}
}

/* Some of many: crashed, back, and cut off for longer than the dead are remembered. */
static void many_nodes(void **state)
{
	struct net *net = net_new(0);
	const unsigned many = MIN(wanted("SIM_NODES", 200), NODES_MAX), few = 5;

	(void)state;
	while (net->n < many) {
		start(net, net->n++);
		step(net);
	}
	settle(net, 200, "start");
	for (unsigned i = 1; i <= few; i++)
		crash(net, i * 17);
	settle(net, 120, "crashes");
	for (unsigned i = 1; i <= few; i++)
		start(net, i * 17);
	settle(net, 200, "their return");
	net_free(net);
}

static void words_of_applications(void **state)
{
	struct net *net = net_new(3);

	(void)state;
	net->compress = true;
	settle(net, 30, "start");
	assert_int_equal(gossip_broadcast(net->nodes[0].g, rd_from("hello", 5), clock_of(net, 0)),
			 0);
	run(net, 40); /* one push/pull at least */
	for (unsigned i = 0; i < 3; i++)
		assert_true(net->nodes[i].states > 0);
	assert_int_equal(net->nodes[0].messages, 0);
	assert_true(net->nodes[1].messages + net->nodes[2].messages >= 2);
	net_free(net);
}

static unsigned three = 3;
static unsigned fifty = 50;

#define SIM(fn, count)                                   \
	{                                                \
#fn " " #count, fn, NULL, NULL, &(count) \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIM(quiet_network, three),
		SIM(quiet_network, fifty),
		SIM(split_and_heal, three),
		SIM(split_and_heal, fifty),
		SIM(lossy_network, three),
		SIM(lossy_network, fifty),
		SIM(late_starters, three),
		SIM(late_starters, fifty),
		cmocka_unit_test(udp_broken),
		cmocka_unit_test(words_of_applications),
		cmocka_unit_test(many_orders_of_events),
		cmocka_unit_test(many_nodes),
	};

	return cmocka_run_group_tests_name("gossip", tests, NULL, NULL);
}
