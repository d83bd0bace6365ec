/**
 * Two engines, each on its own thread and in its own network namespace, with a veth pair between
 * them. Needs the right to make namespaces; without it the tests are skipped. Waits are for
 * conditions, with generous deadlines.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bfd/engine.h"
#include "bfd/tx.h"
#include "net/udp.h"
#include "support.h"

#define PATIENCE   DUR_S(8)
#define EVENTS_MAX 64
#define STATUS_MAX 4

struct node {
	const char *name;
	pthread_t thread;
	sem_t ready;
	sem_t done;
	_Atomic int tid; /* -1: this thread got no namespace */
	struct loop *loop;
	struct loop_wake wake;
	struct bfd_engine *engine;
	struct fast *fast; /* NULL: not to be had here */
	void (*job)(struct node *n);
	const void *arg;
	const struct bfd_table *returned;
	uint32_t ifindex;
	int result;
	struct bfd_event events[EVENTS_MAX];
	_Atomic unsigned n_events;
	struct bfd_session_status status[STATUS_MAX];
};

static struct node nodes[2] = { { .name = "a" }, { .name = "b" } };
static struct node *const a = &nodes[0];
static struct node *const b = &nodes[1];

/* ---- a node's thread ---- */

static void on_event(void *ctx, const struct bfd_event *ev)
{
	struct node *n = ctx;
	unsigned i = n->n_events;

	if (i == EVENTS_MAX)
		abort();
	n->events[i] = *ev;
	n->n_events = i + 1;
}

static void woken(struct loop_wake *w)
{
	struct node *n = CONTAINER_OF(w, struct node, wake);

	if (!n->job)
		return;
	n->job(n);
	n->job = NULL;
	sem_post(&n->done);
}

static void *node_main(void *arg)
{
	struct node *n = arg;

	if (unshare(CLONE_NEWNET) < 0 || loop_new(&n->loop, NULL) < 0 ||
	    loop_wake_init(&n->wake, n->loop, woken, NULL) < 0) {
		n->tid = -1;
		sem_post(&n->ready);
		return NULL;
	}
	/* As the packet thread: another test on the same core is no reason to lose a session. */
	(void)pthread_setschedparam(pthread_self(), SCHED_RR,
				    &(struct sched_param){ .sched_priority = 1 });
	n->tid = gettid();
	(void)!fast_new(&n->fast, NULL);
	n->engine = bfd_engine_new(&(struct bfd_engine_conf){
		.loop = n->loop, .event = on_event, .ctx = n, .fast = n->fast });
	sem_post(&n->ready);
	loop_run(n->loop);
	n->engine = bfd_engine_free(n->engine);
	n->fast = fast_free(n->fast);
	loop_wake_fini(&n->wake);
	n->loop = loop_free(n->loop);
	return NULL;
}

static void node_do(struct node *n, void (*job)(struct node *n), const void *arg)
{
	n->arg = arg;
	n->job = job;
	loop_wake_signal(&n->wake);
	while (sem_wait(&n->done) < 0 && errno == EINTR)
		;
}

static void job_shell(struct node *n)
{
	n->result = system(n->arg);
}

static void job_apply(struct node *n)
{
	n->returned = bfd_engine_apply(n->engine, n->arg);
}

static void job_note(struct node *n)
{
	n->result = n->fast ? fast_attach(n->fast, (int)n->ifindex, FAST_GENERIC, FAST_NOTES, NULL)
			    : -ERR_STATE;
}

static void job_stop(struct node *n)
{
	loop_stop(n->loop);
}

static void job_sleep(struct node *n)
{
	const struct dur *d = n->arg;

	usleep((useconds_t)(d->ns / 1000));
}

static void shell(struct node *n, const char *command)
{
	node_do(n, job_shell, command);
	if (n->result != 0)
		fail_msg("%s: %s", n->name, command);
}

/* ---- waiting ---- */

static bool wait_for(bool (*cond)(void))
{
	struct mono until = mono_add(mono_clock(), PATIENCE);

	while (!cond()) {
		if (mono_before(until, mono_clock()))
			return false;
		usleep(1000);
	}
	return true;
}

static bool both_up(void)
{
	return a->status[0].state == BFD_UP && b->status[0].state == BFD_UP;
}

/* Whoever still hears the other is in Init a second later. */
static bool none_up(void)
{
	return a->status[0].state != BFD_UP && b->status[0].state != BFD_UP;
}

static bool agreed_once(const struct bfd_session_status *x, const struct bfd_session_status *y)
{
	return x->tx_us == y->rx_us && y->tx_us == x->rx_us && x->remote_disc == y->local_disc &&
	       x->tx_us < BFD_SLOW_TX_US;
}

static bool agreed(void)
{
	return both_up() && agreed_once(&a->status[0], &b->status[0]);
}

/* ---- the link ---- */

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		sem_init(&nodes[i].ready, 0, 0);
		sem_init(&nodes[i].done, 0, 0);
		pthread_create(&nodes[i].thread, NULL, node_main, &nodes[i]);
		sem_wait(&nodes[i].ready);
	}
	if (a->tid < 0 || b->tid < 0) {
		printf("no right to make network namespaces: skipped\n");
		return 0;
	}
	CLEANUP(mem_freep)
	char *link = mem_printf(
		"ip link add v0 index 100 type veth peer name v0 index 200 netns %d", b->tid);
	shell(a, link);
	shell(a, "ip link set lo up; ip link set v0 addrgenmode none up;"
		 "ip addr add 192.0.2.1/24 dev v0; ip addr add 2001:db8::1/64 dev v0 nodad;"
		 "ip addr add fe80::1/64 dev v0 nodad");
	shell(b, "ip link set lo up; ip link set v0 addrgenmode none up;"
		 "ip addr add 192.0.2.2/24 dev v0; ip addr add 2001:db8::2/64 dev v0 nodad;"
		 "ip addr add fe80::2/64 dev v0 nodad;"
		 "nft add table inet cut; nft add chain inet cut in"
		 " '{ type filter hook input priority 0; }'");
	a->ifindex = 100;
	b->ifindex = 200;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		if (nodes[i].tid > 0)
			node_do(&nodes[i], job_stop, NULL);
		pthread_join(nodes[i].thread, NULL);
	}
	return 0;
}

static void need_namespaces(void)
{
	if (a->tid < 0 || b->tid < 0)
		skip();
}

static void job_is_idle(struct node *n)
{
	n->result = bfd_engine_is_idle(n->engine);
}

static bool both_idle(void)
{
	node_do(a, job_is_idle, NULL);
	node_do(b, job_is_idle, NULL);
	return a->result && b->result;
}

/* Between tests: no sessions, no history. */
static int clear(void **state)
{
	(void)state;
	for (int i = 0; i < 2 && nodes[i].tid > 0; i++)
		node_do(&nodes[i], job_apply, NULL);
	if (a->tid > 0 && !wait_for(both_idle))
		return -1;
	if (b->tid > 0)
		shell(b, "nft flush chain inet cut in");
	for (int i = 0; i < 2; i++) {
		memset(nodes[i].status, 0, sizeof(nodes[i].status));
		nodes[i].n_events = 0;
	}
	return 0;
}

/* The kernel notes what only repeats. */
static bool noted;

static struct bfd_target target_of(struct node *n, const char *peer, const char *local,
				   bool on_link, uint32_t interval_us)
{
	struct bfd_target t = {
		.id = 7,
		.ifindex = on_link ? n->ifindex : 0,
		.noted = noted,
		.status = &n->status[0],
		.session = { .desired_min_tx_us = interval_us,
			     .required_min_rx_us = interval_us,
			     .detect_mult = 3 },
	};

	assert_int_equal(addr_parse(peer, &t.peer), 0);
	if (local)
		assert_int_equal(addr_parse(local, &t.local), 0);
	return t;
}

/* Where a loss would be a failure: a busy machine may stand still for a moment. */
static struct bfd_target patient(struct bfd_target t)
{
	t.session.detect_mult = 10;
	return t;
}

static void apply(struct node *n, const struct bfd_table *t)
{
	node_do(n, job_apply, t);
}

/* ---- up, agreed, down by a cut, up again: for each kind of session ---- */

struct kind_case {
	const char *name;
	const char *addr_a;
	const char *addr_b;
	bool local_set;
	bool on_link;
	bool multihop;
	uint32_t interval_us;
	bool udp_only;
	bool in_vrf; /* bound to the link, as to the interface of a VRF */
};

/* A link stands for a VRF, first of all: its packets would find an unbound socket that is there. */
static const struct kind_case kind_cases[] = {
	{ "v4 in a VRF", "192.0.2.1", "192.0.2.2", false, true, false, 10000, .in_vrf = true },
	{ "v6 multihop in a VRF, UDP sockets", "2001:db8::1", "2001:db8::2", true, false, true,
	  50000, .udp_only = true, .in_vrf = true },
	{ "v4 50 ms", "192.0.2.1", "192.0.2.2", false, true, false, 50000 },
	{ "v4 10 ms, local set, any interface", "192.0.2.1", "192.0.2.2", true, false, false,
	  10000 },
	{ "v6 10 ms", "2001:db8::1", "2001:db8::2", false, true, false, 10000 },
	{ "v6 50 ms, local set", "2001:db8::1", "2001:db8::2", true, true, false, 50000 },
	{ "link-local 50 ms", "fe80::1", "fe80::2", true, true, false, 50000 },
	{ "link-local 10 ms, local unset", "fe80::1", "fe80::2", false, true, false, 10000 },
	{ "multihop v4", "192.0.2.1", "192.0.2.2", true, false, true, 50000 },
	{ "multihop v6", "2001:db8::1", "2001:db8::2", false, false, true, 50000 },
	{ "v4, UDP sockets", "192.0.2.1", "192.0.2.2", false, true, false, 10000,
	  .udp_only = true },
	{ "link-local, UDP sockets", "fe80::1", "fe80::2", true, true, false, 50000,
	  .udp_only = true },
};

static const struct kind_case noted_cases[] = {
	{ "v4 in a VRF", "192.0.2.1", "192.0.2.2", false, true, false, 10000, .in_vrf = true },
	{ "v4 10 ms", "192.0.2.1", "192.0.2.2", false, true, false, 10000 },
	{ "v6 50 ms, local set", "2001:db8::1", "2001:db8::2", true, true, false, 50000 },
	{ "link-local, UDP sockets", "fe80::1", "fe80::2", true, true, false, 10000,
	  .udp_only = true },
	{ "multihop v4", "192.0.2.1", "192.0.2.2", true, false, true, 50000 },
};

static void assert_last_change(const struct bfd_session_status *st, uint8_t from, uint8_t to)
{
	struct bfd_transition t[BFD_TRANSITIONS];

	assert_true(bfd_status_transitions(st, t) >= 1);
	assert_int_equal(t[0].old_state, from);
	assert_int_equal(t[0].new_state, to);
	assert_int_equal(t[0].at.ns, st->changed_ns);
}

static bool are_noted(void)
{
	return a->status[0].noting && b->status[0].noting && a->status[0].packets_noted > 20 &&
	       b->status[0].packets_noted > 20;
}

static bool paces_are_known(void)
{
	return bfd_hist_count(&a->status[0].gaps) > 5 && bfd_hist_count(&b->status[0].jitter) > 5;
}

/*
 * Once more where a machine that stood still for a moment had ended the session before, from the other side. (Also packets that
 * the kernel notes have to pass the host's filters once in a while.) When it was, and what b had counted before.
 */
static struct mono cut_off_b(uint32_t *ups, uint32_t *downs)
{
	for (;;) {
		*ups = (uint32_t)b->status[0].up_events;
		*downs = (uint32_t)b->status[0].down_events;
		struct mono cut = mono_clock();

		shell(b, "nft add rule inet cut in udp dport '{ 3784, 4784 }' drop");
		assert_true(wait_for(none_up));
		if (b->status[0].local_diag != BFD_DIAG_NEIGHBOR_DOWN)
			return cut;
		shell(b, "nft flush chain inet cut in");
		assert_true(wait_for(agreed));
	}
}

static void comes_and_goes(void **state)
{
	const struct kind_case *c = *state;
	need_namespaces();
	clear(NULL);
	struct bfd_target ta = target_of(a, c->addr_b, c->local_set ? c->addr_a : NULL, c->on_link,
					 c->interval_us);
	struct bfd_target tb = target_of(b, c->addr_a, c->local_set ? c->addr_b : NULL, c->on_link,
					 c->interval_us);
	ta.multihop = tb.multihop = c->multihop;
	ta.min_ttl = tb.min_ttl = 254;
	ta.vrf = c->in_vrf ? a->ifindex : 0;
	tb.vrf = c->in_vrf ? b->ifindex : 0;
	struct bfd_table table_a = { &ta, 1, c->udp_only }, table_b = { &tb, 1, c->udp_only };

	apply(a, &table_a);
	assert_ptr_equal(a->returned, NULL);
	apply(b, &table_b);
	assert_true(wait_for(agreed));
	assert_int_equal(a->status[0].tx_us, c->interval_us);
	assert_int_equal(a->status[0].detect_us, 3 * c->interval_us);
	assert_in_range(a->status[0].source_port, BFD_SOURCE_PORT_MIN, BFD_SOURCE_PORT_MAX);
	assert_int_equal(a->status[0].via, c->udp_only ? BFD_VIA_UDP : BFD_VIA_RAW);
	assert_int_equal(a->events[a->n_events - 1].id, 7);
	assert_true(wait_for(paces_are_known));
	if (noted && c->on_link && !c->multihop)
		assert_true(wait_for(are_noted));

	uint32_t ups, downs;
	struct mono cut = cut_off_b(&ups, &downs);
	assert_int_equal(b->status[0].local_diag, BFD_DIAG_EXPIRED);
	assert_last_change(&b->status[0], BFD_UP, BFD_DOWN);
	assert_true(bfd_engine_counters(b->engine)->expiries > 0);
	assert_true(bfd_hist_count(&bfd_engine_counters(b->engine)->detection) > 0);
	assert_int_equal(a->status[0].remote_diag, BFD_DIAG_EXPIRED);
	assert_true(b->status[0].down_events > downs);
	assert_true(mono_before(cut, (struct mono){ b->status[0].changed_ns }));
	shell(b, "nft flush chain inet cut in");
	assert_true(wait_for(agreed));
	assert_true(b->status[0].up_events > ups);
	apply(a, NULL);
	assert_ptr_equal(a->returned, &table_a);
}

/* ---- parameters live ---- */

static bool at_20_ms(void)
{
	return agreed() && a->status[0].tx_us == 20000;
}

static bool at_80_ms(void)
{
	return agreed() && a->status[0].tx_us == 80000;
}

static void changes_live(void **state)
{
	(void)state;
	need_namespaces();
	struct bfd_target ta = patient(target_of(a, "192.0.2.2", NULL, true, 50000));
	struct bfd_target tb = patient(target_of(b, "192.0.2.1", NULL, true, 10000));
	struct bfd_target ta_fast = ta, ta_slow = ta;
	struct bfd_table first = { &ta, 1 }, fast = { &ta_fast, 1 }, slow = { &ta_slow, 1 };
	struct bfd_table table_b = { &tb, 1 };

	ta_fast.session.desired_min_tx_us = ta_fast.session.required_min_rx_us = 20000;
	ta_slow.session.desired_min_tx_us = ta_slow.session.required_min_rx_us = 80000;
	apply(a, &first);
	apply(b, &table_b);
	assert_true(wait_for(agreed));
	apply(a, &fast);
	assert_true(wait_for(at_20_ms));
	apply(a, &slow);
	assert_true(wait_for(at_80_ms));
	assert_int_equal(a->status[0].down_events + b->status[0].down_events, 0);
}

/* ---- noted by the kernel ---- */

static bool a_is_slow_and_noted(void)
{
	return agreed() && a->status[0].tx_us == 80000 && are_noted();
}

/* The far side stops before anything reaches this one: the deadline is that of the last packet noted. */
static void silence_behind_notes_is_seen(void **state)
{
	(void)state;
	need_namespaces();
	struct bfd_target ta = target_of(a, "192.0.2.2", NULL, true, 50000), ta_slow = ta;
	struct bfd_target tb = target_of(b, "192.0.2.1", NULL, true, 50000);
	struct bfd_table first = { &ta, 1 }, slow = { &ta_slow, 1 }, table_b = { &tb, 1 };
	struct bfd_transition t[BFD_TRANSITIONS];

	ta_slow.session.desired_min_tx_us = 80000;
	apply(a, &first);
	apply(b, &table_b);
	assert_true(wait_for(agreed));
	assert_true(wait_for(are_noted));
	apply(a, &slow);
	assert_true(wait_for(a_is_slow_and_noted));
	assert_int_equal(a->status[0].down_events + b->status[0].down_events, 0);
	assert_true(b->status[0].packets_in > b->status[0].packets_noted);
	assert_true(bfd_engine_counters(b->engine)->packets_noted >= b->status[0].packets_noted);
	struct mono cut = mono_clock();
	shell(a, "nft add table inet cut; nft add chain inet cut out"
		 " '{ type filter hook output priority 0; policy drop; }'");
	assert_true(wait_for(none_up));
	assert_int_equal(bfd_status_transitions(&b->status[0], t) > 0, 1);
	assert_int_equal(t[0].local_diag, BFD_DIAG_EXPIRED);
	/* 240 ms after the last packet, which came up to 80 ms before the cut. */
	assert_true(t[0].at.ns - cut.ns >= 150000000);
	shell(a, "nft delete table inet cut");
	assert_true(wait_for(agreed));
	assert_true(wait_for(are_noted));
	/* Who is not wanted to be noted any more is read again. */
	ta_slow.noted = false;
	struct bfd_table read_again = { &ta_slow, 1 };
	apply(a, &read_again);
	uint64_t before = a->status[0].packets_noted;
	assert_true(wait_for(paces_are_known));
	assert_false(a->status[0].noting);
	assert_int_equal(a->status[0].packets_noted, before);
}

/* ---- removal ---- */

static bool b_down(void)
{
	return b->status[0].state == BFD_DOWN;
}

static void removal_says_admin_down(void **state)
{
	(void)state;
	need_namespaces();
	struct bfd_target ta = target_of(a, "192.0.2.2", NULL, true, 50000);
	struct bfd_target tb = target_of(b, "192.0.2.1", NULL, true, 50000);
	struct bfd_table table_a = { &ta, 1 }, table_b = { &tb, 1 };

	apply(a, &table_a);
	apply(b, &table_b);
	assert_true(wait_for(agreed));
	unsigned before = a->n_events;
	apply(a, NULL);
	assert_true(wait_for(b_down));
	const struct bfd_change *change = &b->events[b->n_events - 1].change;
	assert_int_equal(change->remote_state, BFD_ADMIN_DOWN);
	assert_int_equal(change->remote_diag, BFD_DIAG_ADMIN_DOWN);
	assert_int_equal(change->local_diag, BFD_DIAG_NEIGHBOR_DOWN);
	assert_int_equal(a->n_events, before); /* who removes needs no telling */
	apply(a, &table_a);		       /* at once, while the old one still says goodbye */
	assert_true(wait_for(agreed));
	assert_int_equal(b->status[0].down_events, 1);
}

static bool b_hears_admin_down(void)
{
	return b_down() && b->status[0].remote_state == BFD_ADMIN_DOWN;
}

static void held_down_and_released(void **state)
{
	(void)state;
	need_namespaces();
	struct bfd_target ta = target_of(a, "192.0.2.2", NULL, true, 50000), held = ta;
	struct bfd_target tb = target_of(b, "192.0.2.1", NULL, true, 50000);
	struct bfd_table table_a = { &ta, 1 }, table_held = { &held, 1 }, table_b = { &tb, 1 };

	held.session.admin_down = true;
	apply(a, &table_a);
	apply(b, &table_b);
	assert_true(wait_for(agreed));
	apply(a, &table_held);
	assert_true(wait_for(b_hears_admin_down));
	assert_int_equal(a->status[0].state, BFD_ADMIN_DOWN);
	apply(a, &table_a);
	assert_true(wait_for(agreed));
}

/* ---- a thread that did not run ---- */

static void what_waited_counts_first(void **state)
{
	(void)state;
	need_namespaces();
	struct bfd_target ta = target_of(a, "192.0.2.2", NULL, true, 20000);
	struct bfd_target tb = target_of(b, "192.0.2.1", NULL, true, 20000);
	struct bfd_table table_a = { &ta, 1 }, table_b = { &tb, 1 };
	static const struct dur nap = { 900000000 };

	/* A speaks seldom, so that B does not mind its silence; B speaks every 20 ms. */
	ta.session.desired_min_tx_us = 900000;
	apply(a, &table_a);
	apply(b, &table_b);
	assert_true(wait_for(agreed));
	assert_int_equal(a->status[0].detect_us, 60000);
	for (int i = 0; i < 3; i++)
		node_do(a, job_sleep, &nap);
	assert_int_equal(a->status[0].state, BFD_UP);
	assert_int_equal(a->status[0].down_events, 0);
	assert_int_equal(b->status[0].down_events, 0);
}

/* ---- an address that comes later ---- */

static bool a_lacks_address(void)
{
	return a->status[0].send_errno == EADDRNOTAVAIL;
}

static void address_may_come_later(void **state)
{
	(void)state;
	need_namespaces();
	struct bfd_target ta = target_of(a, "192.0.2.2", "192.0.2.9", true, 50000);
	struct bfd_target tb = target_of(b, "192.0.2.9", NULL, true, 50000);
	struct bfd_table table_a = { &ta, 1 }, table_b = { &tb, 1 };

	apply(a, &table_a);
	apply(b, &table_b);
	assert_true(wait_for(a_lacks_address));
	shell(a, "ip addr add 192.0.2.9/24 dev v0");
	assert_true(wait_for(agreed));
	assert_int_equal(a->status[0].send_errno, 0);
	shell(a, "ip addr del 192.0.2.9/24 dev v0");
}

/* ---- several sessions ---- */

static bool all_up(void)
{
	for (int i = 0; i < 3; i++) {
		if (a->status[i].state != BFD_UP || b->status[i].state != BFD_UP)
			return false;
	}
	return true;
}

static void sessions_are_told_apart(void **state)
{
	(void)state;
	need_namespaces();
	struct bfd_target ta[3] = { target_of(a, "192.0.2.2", NULL, true, 50000),
				    target_of(a, "192.0.2.2", "192.0.2.1", false, 50000),
				    target_of(a, "fe80::2", NULL, true, 50000) };
	struct bfd_target tb[3] = { target_of(b, "192.0.2.1", NULL, true, 50000),
				    target_of(b, "192.0.2.1", "192.0.2.2", false, 50000),
				    target_of(b, "fe80::1", NULL, true, 50000) };
	struct bfd_table table_a = { ta, 3 }, table_b = { tb, 3 };

	ta[1].multihop = tb[1].multihop = true;
	for (uint32_t i = 0; i < 3; i++) {
		ta[i].id = tb[i].id = i;
		ta[i].status = &a->status[i];
		tb[i].status = &b->status[i];
	}
	apply(a, &table_a);
	apply(b, &table_b);
	assert_true(wait_for(all_up));
	assert_int_not_equal(a->status[0].source_port, a->status[1].source_port);
	assert_int_not_equal(a->status[0].source_port, a->status[2].source_port);
	assert_int_equal(bfd_engine_counters(a->engine)->sessions_up, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(a->status[i].remote_disc, b->status[i].local_disc);

	struct buf text = { 0 };
	struct metric_writer w = { .out = &text };
	ta[2].place = "v0";
	bfd_table_collect(&table_a, &w);
	bfd_counters_collect(bfd_engine_counters(a->engine), &w);
	assert_non_null(strstr(buf_text(&text), "metallb_bfd_session_up{peer=\"192.0.2.2\"} 1\n"));
	assert_non_null(
		strstr(buf_text(&text), "metallb_bfd_session_up{peer=\"fe80::2\",vrf=\"v0\"} 1\n"));
	assert_non_null(strstr(buf_text(&text), "refused_total{reason=\"ttl\"} "));
	buf_fini(&text);
}

/* ---- strangers ---- */

struct stranger_case {
	const char *name;
	const char *from; /* an address of B */
	uint8_t ttl;
	uint16_t port;
	const char *hex; /* DDDDDDDD stands for the session's discriminator */
	enum bfd_drop why;
};

#define DOWN_ASKS "20400318 00000009 00000000 000f4240 000f4240 00000000"
#define DOWN_OURS "20400318 00000009 DDDDDDDD 000f4240 000f4240 00000000"

static const struct stranger_case stranger_cases[] = {
	{ "TTL 254", "192.0.2.2", 254, 3784, DOWN_OURS, BFD_DROP_TTL },
	{ "unknown discriminator", "192.0.2.2", 255, 3784,
	  "20400318 00000009 00000001 000f4240 000f4240 00000000", BFD_DROP_UNKNOWN_DISC },
	{ "unknown peer", "192.0.2.66", 255, 3784, DOWN_ASKS, BFD_DROP_UNKNOWN_PEER },
	{ "our discriminator, another sender", "192.0.2.66", 255, 3784, DOWN_OURS, BFD_DROP_PEER },
	{ "multihop port", "192.0.2.2", 255, 4784, DOWN_OURS, BFD_DROP_HOPS },
	{ "short", "192.0.2.2", 255, 3784, "20400318", BFD_DROP_SHORT },
	{ "authenticated", "192.0.2.2", 255, 3784,
	  "20c40321 00000009 DDDDDDDD 000f4240 000f4240 00000000 0109 01736563726574",
	  BFD_DROP_UNAUTHENTIC },
};

struct shot {
	const struct stranger_case *c;
	uint32_t disc;
};

static void job_shoot(struct node *n)
{
	const struct shot *shot = n->arg;
	char hex[128];
	uint8_t wire[64];
	struct addr to;
	struct udp_conf conf = { .family = FAMILY_V4, .ttl = shot->c->ttl };

	snprintf(hex, sizeof(hex), "%s", shot->c->hex);
	char *at = strstr(hex, "DDDDDDDD");
	if (at) {
		char disc[9];
		snprintf(disc, sizeof(disc), "%08x", shot->disc);
		memcpy(at, disc, 8);
	}
	size_t len = unhex(hex, wire, sizeof(wire));
	n->result = addr_parse("192.0.2.1", &to) | addr_parse(shot->c->from, &conf.local);
	int fd = udp_open(&conf, NULL);
	n->result |= fd < 0 ? fd : udp_send(fd, &to, shot->c->port, 0, wire, len);
	close(fd);
}

static const _Atomic uint64_t *watched;
static uint64_t watched_from;

static bool watched_moved(void)
{
	return *watched == watched_from + 1;
}

static void strangers_have_no_effect(void **state)
{
	const struct stranger_case *c = *state;
	need_namespaces();
	clear(NULL);
	struct bfd_target ta[2] = { patient(target_of(a, "192.0.2.2", NULL, true, 50000)),
				    target_of(a, "192.0.2.77", NULL, false, 1000000) };
	struct bfd_target tb = patient(target_of(b, "192.0.2.1", NULL, true, 50000));
	struct bfd_table table_a = { ta, 2 }, table_b = { &tb, 1 };

	ta[1].id = 8; /* only so that the multihop port is open too */
	ta[1].status = &a->status[1];
	ta[1].multihop = true;
	shell(b, "ip addr replace 192.0.2.66/24 dev v0");
	apply(a, &table_a);
	apply(b, &table_b);
	assert_true(wait_for(agreed));
	watched = &bfd_engine_counters(a->engine)->dropped[c->why];
	watched_from = *watched;
	node_do(b, job_shoot, &(struct shot){ c, a->status[0].local_disc });
	assert_int_equal(b->result, 0);
	assert_true(wait_for(watched_moved));
	assert_int_equal(a->status[0].state, BFD_UP);
	assert_int_equal(a->status[0].down_events, 0);
}

/* ---- a flood ---- */

static void job_socket(struct node *n)
{
	struct udp_conf conf = { .family = FAMILY_V4, .ttl = 255 };

	n->result = addr_parse("192.0.2.66", &conf.local);
	n->result = udp_open(&conf, NULL);
}

static bool flood_is_counted(void)
{
	const struct bfd_counters *n = bfd_engine_counters(a->engine);

	return n->dropped[BFD_DROP_UNKNOWN_DISC] + n->dropped[BFD_DROP_FLOOD] > watched_from + 1000;
}

/* As fast as one processor can: of both kinds, those that wake and those that do not. */
static void flood_has_no_effect(void **state)
{
	(void)state;
	enum { PACKETS = 60000 };
	need_namespaces();
	struct bfd_target ta = patient(target_of(a, "192.0.2.2", NULL, true, 50000));
	struct bfd_target tb = patient(target_of(b, "192.0.2.1", NULL, true, 50000));
	struct bfd_table table_a = { &ta, 1 }, table_b = { &tb, 1 };
	const struct bfd_counters *n = bfd_engine_counters(a->engine);
	uint8_t wire[24];
	struct addr to;

	shell(b, "ip addr replace 192.0.2.66/24 dev v0");
	apply(a, &table_a);
	apply(b, &table_b);
	assert_true(wait_for(agreed));
	node_do(b, job_socket, NULL);
	int fd = b->result;
	assert_true(fd >= 0);
	assert_int_equal(addr_parse("192.0.2.1", &to), 0);
	uint64_t before = n->dropped[BFD_DROP_UNKNOWN_DISC] + n->dropped[BFD_DROP_FLOOD];
	for (int i = 0; i < PACKETS; i++) {
		unhex("20400318 00000009 00000001 000f4240 000f4240 00000000", wire, sizeof(wire));
		wire[1] = i % 2 ? 0x40 : 0xc0; /* Down, Up */
		(void)!udp_send(fd, &to, 3784, 0, wire, sizeof(wire));
	}
	close(fd);
	assert_int_equal(a->status[0].down_events + b->status[0].down_events, 0);
	assert_int_equal(a->status[0].state, BFD_UP);
	watched_from = before;
	assert_true(wait_for(flood_is_counted));
	assert_int_equal(a->status[0].packets_dropped, 0);
}

static bool notes_are_to_be_had(void)
{
	noted = a->tid > 0 && b->tid > 0;
	for (int i = 0; i < 2 && noted; i++) {
		node_do(&nodes[i], job_note, NULL);
		noted = nodes[i].result == 0;
	}
	return noted;
}

/* ---- parts: sessions take their time to come up, so these run side by side, each in a process and namespaces of its own ---- */

static int kinds_one(void)
{
	return run_table("bfd kinds", kind_cases, ARRAY_LEN(kind_cases) / 2, sizeof(kind_cases[0]),
			 comes_and_goes);
}

static int kinds_two(void)
{
	size_t half = ARRAY_LEN(kind_cases) / 2;

	return run_table("bfd kinds", kind_cases + half, ARRAY_LEN(kind_cases) - half,
			 sizeof(kind_cases[0]), comes_and_goes);
}

static int kinds_noted(void)
{
	if (!notes_are_to_be_had())
		return 0;
	return RUN_TABLE("bfd kinds, noted", noted_cases, comes_and_goes);
}

static int plain(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(changes_live, clear),
		cmocka_unit_test_setup(removal_says_admin_down, clear),
		cmocka_unit_test_setup(held_down_and_released, clear),
		cmocka_unit_test_setup(what_waited_counts_first, clear),
		cmocka_unit_test_setup(address_may_come_later, clear),
		cmocka_unit_test_setup(sessions_are_told_apart, clear),
		cmocka_unit_test_setup(flood_has_no_effect, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

static int strangers(void)
{
	return RUN_TABLE("bfd strangers", stranger_cases, strangers_have_no_effect);
}

static int plain_noted(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(changes_live, clear),
		cmocka_unit_test_setup(held_down_and_released, clear),
		cmocka_unit_test_setup(what_waited_counts_first, clear),
		cmocka_unit_test_setup(silence_behind_notes_is_seen, clear),
	};

	return notes_are_to_be_had() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}

static int (*const parts[])(void) = { kinds_one, kinds_two, kinds_noted,
				      plain,	 strangers, plain_noted };

static int run_part(int (*part)(void))
{
	setup(NULL);
	int failed = part();
	teardown(NULL);
	return failed;
}

int main(void)
{
	int failed = 0, status;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		pid_t child = fork();

		if (child == 0)
			exit(run_part(parts[i]));
		failed += child < 0;
	}
	while (wait(&status) > 0)
		failed += status != 0;
	return failed;
}
