#include "sim/cluster/gossip_net.h"

#include <math.h>
#include <stdio.h>

#include "support.h"

#define PACKET_MAX  1400
#define BACKLOG_MAX 500 /* packets: of a socket that nobody reads */

enum kind { ON_PACKET, ON_REQUEST, ON_ANSWER, ON_FAILURE, ON_WAKE };

/** Something under way. */
struct net_event {
	struct list link; /* in a backlog */
	struct mono at;
	uint64_t id;
	enum kind kind;
	unsigned from, from_life;
	unsigned to, to_life;
	uint32_t dial;
	size_t len;
	uint8_t bytes[];
};

/* --- the heap --- */

static bool is_earlier(const struct net_event *a, const struct net_event *b)
{
	return a->at.ns != b->at.ns ? a->at.ns < b->at.ns : a->id < b->id;
}

static void heap_push(struct net *net, struct net_event *ev)
{
	mem_grow(net->heap, net->n_events, net->cap_events);
	size_t i = net->n_events++;

	for (; i > 0 && is_earlier(ev, net->heap[(i - 1) / 2]); i = (i - 1) / 2)
		net->heap[i] = net->heap[(i - 1) / 2];
	net->heap[i] = ev;
}

static struct net_event *heap_pop(struct net *net)
{
	struct net_event *first = net->heap[0], *last = net->heap[--net->n_events];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < net->n_events) {
		if (child + 1 < net->n_events && is_earlier(net->heap[child + 1], net->heap[child]))
			child++;
		if (!is_earlier(net->heap[child], last))
			break;
		net->heap[i] = net->heap[child];
		i = child;
	}
	net->heap[i] = last;
	return first;
}

static struct net_event *event_new(struct net *net, enum kind kind, unsigned to, struct rd bytes)
{
	struct net_event *ev = mem_zero(1, sizeof(*ev) + bytes.left);

	ev->id = ++net->last_event;
	ev->kind = kind;
	ev->to = to;
	ev->to_life = net->nodes[to].life;
	ev->len = bytes.left;
	if (bytes.left)
		memcpy(ev->bytes, bytes.p, bytes.left);
	return ev;
}

/* --- who reaches whom --- */

const char *net_name(unsigned i)
{
	static char names[NET_NODES_MAX][16];

	if (!names[i][0])
		(void)snprintf(names[i], sizeof(names[i]), "node-%u", i);
	return names[i];
}

static struct gossip_endpoint endpoint(unsigned i)
{
	unsigned host = i + 1;

	return (struct gossip_endpoint){ addr_v4(10, 0, (uint8_t)(host >> 8), (uint8_t)host),
					 GOSSIP_PORT };
}

static unsigned node_at(const struct addr *a)
{
	return ((unsigned)a->b[2] << 8 | a->b[3]) - 1;
}

static bool hears(const struct net *net, unsigned at, unsigned from)
{
	if (net->cut[net->side[from]][net->side[at]])
		return false;
	for (unsigned i = 0; i < net->n_deaf; i++)
		if (net->deaf[i].at == at && net->deaf[i].from == from)
			return false;
	return true;
}

bool net_joins(const struct net *net, unsigned a, unsigned b)
{
	return hears(net, a, b) && hears(net, b, a);
}

bool net_works(const struct net *net, unsigned i)
{
	return net->nodes[i].g && !net->nodes[i].frozen;
}

struct mono net_clock(const struct net *net, unsigned i)
{
	const struct net_node *n = &net->nodes[i];
	double gone = (double)mono_sub(net->now, n->booted).ns * n->rate;

	return (struct mono){ n->ahead_ms * 1000000 + (int64_t)gone };
}

/* When the node's clock will have gone on by so much. */
static struct mono after(const struct net *net, unsigned i, struct dur d)
{
	double ns = (double)d.ns / net->nodes[i].rate;

	return mono_add(net->now, DUR_NS((int64_t)ceil(ns)));
}

/* --- under way --- */

static struct mono arrival(struct net *net)
{
	return mono_add(net->now, DUR_US(rng_between(&net->rng, 1, net->delay_us)));
}

static bool chance(struct net *net, double p)
{
	return p > 0 && (double)rng_below(&net->rng, 1000000) < p * 1000000;
}

static void send_packet(struct net *net, unsigned from, unsigned to, struct rd bytes)
{
	assert_in_range(bytes.left, 1, PACKET_MAX);
	if (!net->nodes[to].g || (net->no_udp_to_0 && to == 0))
		return;
	for (int copies = 1 + chance(net, net->doubled); copies > 0; copies--) {
		if (chance(net, net->loss) || !hears(net, to, from))
			continue;
		struct net_event *ev = event_new(net, ON_PACKET, to, bytes);

		ev->from = from;
		ev->at = arrival(net);
		heap_push(net, ev);
	}
}

static void fail_dial(struct net *net, unsigned dialler, unsigned life, uint32_t dial,
		      struct mono at)
{
	struct net_event *ev = event_new(net, ON_FAILURE, dialler, rd_from(NULL, 0));

	ev->to_life = life;
	ev->dial = dial;
	ev->at = at;
	heap_push(net, ev);
}

/* Whoever is not there refuses, as long as its host is; a cut swallows everything. */
static void dial(struct net *net, unsigned from, const struct gossip_out *out)
{
	unsigned to = node_at(&out->addr), life = net->nodes[from].life;
	const struct net_node *target = &net->nodes[to];
	bool is_there = net_joins(net, from, to) && !(target->host_down && !target->g);

	if (is_there && target->g) {
		struct net_event *ev = event_new(net, ON_REQUEST, to, out->bytes);

		ev->from = from;
		ev->from_life = life;
		ev->dial = out->stream;
		ev->at = arrival(net);
		heap_push(net, ev);
	}
	fail_dial(net, from, life, out->stream,
		  is_there && !target->g ? arrival(net) : after(net, from, out->within));
}

static void answer(struct net *net, unsigned from, const struct gossip_out *out)
{
	const struct net_accepted *a = &net->nodes[from].accepted[out->stream % NET_ACCEPTED_MAX];
	struct net_event *ev = event_new(net, ON_ANSWER, a->from, out->bytes);

	ev->from = from;
	ev->to_life = a->life;
	ev->dial = a->dial;
	ev->at = arrival(net);
	heap_push(net, ev);
}

/* --- what a core says --- */

static void on_join(struct net *net, unsigned i, const struct gossip_member *m, bool is_there)
{
	struct net_node *n = &net->nodes[i];
	unsigned who = node_at(&m->addr);

	assert_int_not_equal(who, i);
	assert_int_equal(n->believes[who], !is_there);
	n->believes[who] = is_there;
	if (is_there) {
		n->joins++;
		return;
	}
	n->leaves++;
	if (m->state == GOSSIP_LEFT)
		assert_true(net->nodes[who].ever_left);
}

static void perform(struct net *net, unsigned i, const struct gossip_out *out)
{
	struct net_node *n = &net->nodes[i];

	switch (out->type) {
	case GOSSIP_OUT_PACKET:
		send_packet(net, i, node_at(&out->addr), out->bytes);
		break;
	case GOSSIP_OUT_DIAL:
		dial(net, i, out);
		break;
	case GOSSIP_OUT_REPLY:
		answer(net, i, out);
		break;
	case GOSSIP_OUT_CLOSE:
	case GOSSIP_OUT_CONFLICT:
	case GOSSIP_OUT_REMOTE_ERROR:
	case GOSSIP_OUT_INCOMPATIBLE:
		fail_msg("%s: nobody gave a reason for %d", net_name(i), (int)out->type);
		break;
	case GOSSIP_OUT_JOIN:
	case GOSSIP_OUT_LEAVE:
		on_join(net, i, out->member, out->type == GOSSIP_OUT_JOIN);
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
		break;
	}
	if (net->on_event)
		net->on_event(net->ctx, i, out);
}

static void wake_at(struct net *net, unsigned i, struct mono at)
{
	struct net_event *ev;

	if (net->nodes[i].wakes.ns == at.ns)
		return;
	net->nodes[i].wakes = at;
	ev = event_new(net, ON_WAKE, i, rd_from(NULL, 0));
	ev->at = at;
	heap_push(net, ev);
}

static void drain(struct net *net, unsigned i)
{
	struct gossip *g = net->nodes[i].g;
	struct gossip_out out;
	struct dur rest;

	if (net->nodes[i].draining) /* a hook called us: the loop below goes on */
		return;
	net->nodes[i].draining = true;
	while (gossip_next(g, &out))
		perform(net, i, &out);
	net->nodes[i].draining = false;
	rest = mono_sub(gossip_deadline(g), net_clock(net, i));
	wake_at(net, i, after(net, i, DUR_NS(MAX(rest.ns, 0))));
}

static void tick(struct net *net, unsigned i)
{
	struct mono now = net_clock(net, i);

	gossip_tick(net->nodes[i].g, now);
	assert_true(mono_before(now, gossip_deadline(net->nodes[i].g)));
	assert_true(net->nodes[i].leaving ||
		    gossip_member_find(net->nodes[i].g, net_name(i))->state == GOSSIP_ALIVE);
	drain(net, i);
}

/* --- what a core is told --- */

static void hand_over(struct net *net, const struct net_event *ev)
{
	struct net_node *n = &net->nodes[ev->to];
	struct rd bytes = rd_from(ev->bytes, ev->len);
	struct gossip_endpoint from = endpoint(ev->from);
	struct mono now = net_clock(net, ev->to);

	switch (ev->kind) {
	case ON_PACKET:
		gossip_packet(n->g, &from.addr, from.port, bytes, now);
		break;
	case ON_REQUEST:
		n->accepted[++n->n_accepted % NET_ACCEPTED_MAX] =
			(struct net_accepted){ ev->from, ev->from_life, ev->dial };
		gossip_stream_request(n->g, n->n_accepted, bytes, now);
		break;
	case ON_ANSWER:
		gossip_stream_answer(n->g, ev->dial, bytes, now);
		break;
	case ON_FAILURE:
		gossip_stream_failed(n->g, ev->dial);
		break;
	case ON_WAKE:
		break;
	}
	drain(net, ev->to);
}

/* False: it has gone on to wait. */
static bool land(struct net *net, struct net_event *ev)
{
	struct net_node *n = &net->nodes[ev->to];
	bool is_stream = ev->kind == ON_REQUEST || ev->kind == ON_ANSWER;

	if (ev->to_life != n->life || !n->g) {
		if (ev->kind == ON_REQUEST && !n->host_down && net_joins(net, ev->from, ev->to))
			fail_dial(net, ev->from, ev->from_life, ev->dial, arrival(net));
	} else if (is_stream && !net_joins(net, ev->from, ev->to)) {
		return true; /* its time will run out */
	} else if (ev->kind == ON_WAKE) {
		if (ev->at.ns == n->wakes.ns && !n->frozen)
			tick(net, ev->to);
	} else if (!n->frozen) {
		hand_over(net, ev);
	} else if (ev->kind != ON_PACKET || n->n_backlog++ < BACKLOG_MAX) {
		list_append(&n->backlog, &ev->link);
		return false;
	}
	return true;
}

static void backlog_drop(struct net_node *n)
{
	struct net_event *ev;

	LIST_EACH (ev, &n->backlog, link) {
		list_remove(&ev->link);
		free(ev);
	}
	n->n_backlog = 0;
}

/* --- the life of a node --- */

static void write_state(void *ctx, struct buf *out)
{
	const struct net_node *n = ctx;
	struct net *net = n->net;

	if (net->local_state)
		net->local_state(net->ctx, (unsigned)(n - net->nodes), out);
	else
		buf_printf(out, "state of %s", n->meta);
}

static size_t contacts_of(const struct net *net, struct gossip_endpoint v[static 64])
{
	size_t n = 0;

	if (net->contacts == 0) {
		for (; n < MIN(net->n, 64U); n++)
			v[n] = endpoint((unsigned)n);
		return n;
	}
	for (; n < net->contacts; n++)
		v[n] = endpoint((unsigned)n);
	v[n++] = endpoint(net->n - 1);
	return n;
}

static void meta_next(struct net_node *n, uint64_t number)
{
	(void)snprintf(n->meta, sizeof(n->meta), "m%llu", (unsigned long long)number % 1000000);
}

/* Seconds of a wall clock, as io.c has it: where lives begin anew with 1, one with other metadata may be taken for the one before. */
static uint32_t first_incarnation(const struct net *net)
{
	return (uint32_t)(1000 + net->now.ns / 1000000000);
}

void net_start(struct net *net, unsigned i)
{
	struct net_node *n = &net->nodes[i];
	struct gossip_endpoint join[64];
	size_t n_join = contacts_of(net, join);

	if (!n->net)
		list_init(&n->backlog);
	n->net = net;
	free(n->believes);
	n->believes = mem_new_n(bool, NET_NODES_MAX);
	rng_seed(&n->rng, rng_u64(&net->rng));
	if (!n->life++)
		meta_next(n, ++net->last_event);
	n->left = n->leaving = n->host_down = n->frozen = false;
	n->booted = net->now;
	n->ahead_ms = rng_between(&net->rng, 1, 1000000);
	n->rate = NET_SLOWEST + (double)rng_below(&net->rng, 41) / 1000;
	n->wakes = MONO_NEVER;
	if (net->on_start)
		net->on_start(net->ctx, i);
	struct gossip_conf conf = {
		.name = net_name(i),
		.addr = endpoint(i).addr,
		.port = GOSSIP_PORT,
		.meta = n->meta,
		.meta_len = strlen(n->meta),
		.timing = gossip_lan,
		.compress = net->compress,
		.incarnation = first_incarnation(net),
		.rng = &n->rng,
		.local_state = write_state,
		.ctx = n,
	};
	n->g = gossip_new(&conf, net_clock(net, i));
	gossip_join(n->g, join, n_join, net_clock(net, i));
	drain(net, i);
}

void net_crash(struct net *net, unsigned i, bool host)
{
	struct net_node *n = &net->nodes[i];

	if (n->g && net->on_end)
		net->on_end(net->ctx, i);
	n->g = gossip_free(n->g);
	n->frozen = false;
	n->host_down = host;
	backlog_drop(n);
}

void net_freeze(struct net *net, unsigned i)
{
	net->nodes[i].frozen = true;
}

/* Its timers are due and its sockets are full: either may come first. */
void net_thaw(struct net *net, unsigned i)
{
	struct net_node *n = &net->nodes[i];
	bool packets_first = chance(net, 0.5);
	struct net_event *ev;

	n->frozen = false;
	if (!packets_first)
		tick(net, i);
	LIST_EACH (ev, &n->backlog, link) {
		list_remove(&ev->link);
		hand_over(net, ev);
		free(ev);
	}
	n->n_backlog = 0;
	if (packets_first)
		tick(net, i);
}

void net_meta(struct net *net, unsigned i)
{
	struct net_node *n = &net->nodes[i];

	meta_next(n, ++net->last_event);
	assert_int_equal(gossip_set_meta(n->g, n->meta, strlen(n->meta), net_clock(net, i)), 0);
	drain(net, i);
}

void net_broadcast(struct net *net, unsigned i, const void *bytes, size_t len)
{
	struct gossip *g = net->nodes[i].g;

	if (!g) /* not yet */
		return;
	(void)!gossip_broadcast(g, rd_from(bytes, len), net_clock(net, i));
	drain(net, i);
}

void net_leave(struct net *net, unsigned i)
{
	net->nodes[i].leaving = net->nodes[i].ever_left = true;
	gossip_leave(net->nodes[i].g, net_clock(net, i));
	drain(net, i);
}

struct net *net_new(unsigned n, uint64_t seed)
{
	struct net *net = mem_new(struct net);

	rng_seed(&net->rng, seed);
	net->now = (struct mono){ .ns = 1 };
	net->n = n;
	net->contacts = 1;
	net->delay_us = 5000;
	return net;
}

void net_start_all(struct net *net, struct dur apart)
{
	for (unsigned i = 0; i < net->n; i++) {
		net_start(net, i);
		net_run(net, DUR_NS(rng_between(&net->rng, 0, apart.ns)));
	}
}

struct net *net_free(struct net *net)
{
	while (net->n_events)
		free(heap_pop(net));
	for (unsigned i = 0; i < net->n; i++) {
		if (net->nodes[i].net)
			net_crash(net, i, false);
		free(net->nodes[i].believes);
	}
	free(net->heap);
	free(net);
	return NULL;
}

/* --- time --- */

void net_run_until(struct net *net, struct mono end)
{
	while (net->n_events && !mono_before(end, net->heap[0]->at)) {
		struct net_event *ev = heap_pop(net);

		net->now = ev->at;
		if (land(net, ev))
			free(ev);
	}
	net->now = end;
}

void net_run(struct net *net, struct dur d)
{
	net_run_until(net, mono_add(net->now, d));
}
