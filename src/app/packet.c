#include "app/packet.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/ring.h"
#include "base/rng.h"

enum { EVENT_SLOTS = 4096, NEWS_SLOTS = 32, ALIVE_WORDS = NODE_IDS_MAX / 64 };

/* How long BFD may go on saying AdminDown before the thread ends. */
#define GOODBYE_STEP DUR_MS(20)
#define GOODBYE_MAX  DUR_MS(300)

enum part { PART_L2, PART_BFD, PART_PULSE, PART_COUNT };

/*
 * A table on its way: made by the control thread, kept by the packet thread as long as the table is
 * in force, then pushed on a stack that the control thread empties. Nothing can be full, so nothing
 * is lost.
 */
struct handover {
	struct handover *next; /* in the stack of those let go of */
	enum part part;
	union {
		struct l2_table *l2;
		const struct bfd_table *bfd; /* may be NULL: no session */
		const struct pulse_table *pulse;
	};
};

struct message {
	enum part part;
	union {
		struct l2_event l2;
		struct bfd_event bfd;
		struct pulse_event pulse;
	};
};

/** A text of a member, on its way through a ring. */
struct news {
	uint16_t len;
	uint8_t text[PACKET_NEWS_MAX];
};

struct packet {
	struct packet_hooks hooks;
	pthread_t thread;

	/* Control -> packet. */
	_Atomic(struct handover *) next[PART_COUNT];
	_Atomic uint64_t alive[ALIVE_WORDS];
	_Atomic uint64_t left[ALIVE_WORDS];
	_Atomic bool away;
	_Atomic bool real_time;
	_Atomic bool stop;
	struct ring said; /* struct news; with fast detection */
	struct loop_wake to_packet;

	/* Packet -> control. */
	struct ring events;
	struct ring heard; /* struct news; with fast detection */
	_Atomic(struct handover *) retired;
	_Atomic int priority; /* enum priority */
	struct loop_wake to_control;
	uint64_t lost_seen;

	/* The packet thread's own. */
	struct loop *loop;
	struct l2_io *l2;
	struct bfd_engine *bfd;
	struct pulse *pulse; /* NULL: no fast detection */
	struct handover *in_force[PART_COUNT];
	struct l2_nodes alive_told; /* what the responder believes */
	struct l2_nodes left_told;
	bool away_told;
	bool real_time_taken;
	struct loop_task news; /* wakes the control thread, once in a turn */
	struct loop_timer awake;
	struct loop_timer goodbye;
	struct mono goodbye_until;
};

/* On the packet thread. */

static void tell(struct packet *p, const struct message *m)
{
	ring_push(&p->events, m); /* a full ring counts what it refuses */
	loop_task_queue(&p->news);
}

static void there_is_news(struct loop_task *t)
{
	loop_wake_signal(&CONTAINER_OF(t, struct packet, news)->to_control);
}

static void on_l2(void *ctx, const struct l2_event *ev)
{
	tell(ctx, &(struct message){ .part = PART_L2, .l2 = *ev });
}

static void on_bfd(void *ctx, const struct bfd_event *ev)
{
	tell(ctx, &(struct message){ .part = PART_BFD, .bfd = *ev });
}

static void on_pulse(void *ctx, const struct pulse_event *ev)
{
	tell(ctx, &(struct message){ .part = PART_PULSE, .pulse = *ev });
}

/* What finds the ring full comes by gossip. */
static void on_heard(void *ctx, struct rd text)
{
	struct packet *p = ctx;
	struct news n = { .len = (uint16_t)text.left };

	if (text.left > sizeof(n.text))
		return;
	memcpy(n.text, text.p, text.left);
	(void)ring_push(&p->heard, &n);
	loop_task_queue(&p->news);
}

static void on_bar(void *ctx, uint16_t id, bool barred)
{
	l2_io_bar(((struct packet *)ctx)->l2, id, barred);
}

static void on_returned(void *ctx, uint16_t id)
{
	l2_io_remind(((struct packet *)ctx)->l2, id);
}

static void retire(struct packet *p, struct handover *h)
{
	if (!h)
		return;
	h->next = atomic_load_explicit(&p->retired, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&p->retired, &h->next, h,
						      memory_order_release, memory_order_relaxed))
		;
	loop_wake_signal(&p->to_control);
}

static void take_alive(struct packet *p)
{
	for (size_t w = 0; w < ALIVE_WORDS; w++) {
		uint64_t now = atomic_load_explicit(&p->alive[w], memory_order_acquire);
		uint64_t changed = now ^ p->alive_told.words[w];

		p->alive_told.words[w] = now;
		for (; changed; changed &= changed - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(changed);
			uint16_t id = (uint16_t)(w * 64 + bit);

			l2_io_set_alive(p->l2, id, now >> bit & 1);
			if (p->pulse)
				pulse_gossip(p->pulse, id, now >> bit & 1);
		}
	}
}

static void take_one_left(struct packet *p, uint16_t id, bool left)
{
	const struct handover *h = p->in_force[PART_L2];

	if (h && h->l2->self == id)
		l2_io_bar(p->l2, id, left);
	else if (p->pulse)
		pulse_left(p->pulse, id, left);
}

static void take_left(struct packet *p)
{
	bool away = atomic_load(&p->away);

	for (size_t w = 0; w < ALIVE_WORDS; w++) {
		uint64_t now = atomic_load_explicit(&p->left[w], memory_order_acquire);
		uint64_t changed = now ^ p->left_told.words[w];

		p->left_told.words[w] = now;
		for (; changed; changed &= changed - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(changed);

			take_one_left(p, (uint16_t)(w * 64 + bit), now >> bit & 1);
		}
	}
	if (p->pulse && away != p->away_told) {
		l2_io_yield(p->l2, away);
		pulse_away(p->pulse, away);
	}
	p->away_told = away;
}

/* It takes the place of the one before, which goes back. */
static void keep(struct packet *p, struct handover *h)
{
	retire(p, p->in_force[h->part]);
	p->in_force[h->part] = h;
}

/* A table brings its own view of who is alive, which may be older than what was said since. */
static void take_l2(struct packet *p, struct handover *h)
{
	static const struct l2_nodes nobody;
	const struct handover *before = p->in_force[PART_L2];

	(void)l2_io_apply(p->l2, h->l2);
	l2_nodes_follow(&p->alive_told, before ? &before->l2->alive : &nobody, &h->l2->alive);
	take_alive(p);
	keep(p, h);
}

static void take_bfd(struct packet *p, struct handover *h)
{
	(void)bfd_engine_apply(p->bfd, h->bfd);
	keep(p, h);
}

static void take_pulse(struct packet *p, struct handover *h)
{
	(void)pulse_apply(p->pulse, h->pulse);
	for (size_t i = 0; i < h->pulse->n; i++) {
		uint16_t id = h->pulse->peers[i].id;

		pulse_gossip(p->pulse, id, l2_nodes_has(&p->alive_told, id));
	}
	keep(p, h);
}

static void take_said(struct packet *p)
{
	struct news n;

	while (p->pulse && ring_pop(&p->said, &n))
		pulse_say(p->pulse, rd_from(n.text, n.len));
}

static void take_priority(struct packet *p)
{
	bool wanted = atomic_load(&p->real_time);

	if (wanted == p->real_time_taken)
		return;
	p->real_time_taken = wanted;
	atomic_store(&p->priority, (int)priority_take(wanted));
}

/*
 * The table is picked up before the news that precede it are read, so that none of these is missed.
 */
static void take_news(struct packet *p)
{
	static void (*const take[PART_COUNT])(struct packet *, struct handover *) = {
		[PART_L2] = take_l2, [PART_BFD] = take_bfd, [PART_PULSE] = take_pulse
	};
	struct handover *next[PART_COUNT];

	for (int i = 0; i < PART_COUNT; i++)
		next[i] = atomic_exchange(&p->next[i], NULL);
	take_alive(p);
	take_left(p);
	take_said(p);
	take_priority(p);
	for (int i = 0; i < PART_COUNT; i++)
		if (next[i])
			take[i](p, next[i]);
}

static void awake_due(struct loop_timer *t, struct mono now)
{
	const struct packet *p = CONTAINER_OF(t, struct packet, awake);

	if (p->hooks.awake_every.ns == 0)
		return;
	atomic_store_explicit(p->hooks.awake, now.ns, memory_order_relaxed);
	/* Heartbeats leave in the second half of each such time: with them it costs no wake-up. */
	loop_timer_set_within(t, mono_add(now, DUR_NS(p->hooks.awake_every.ns / 2)),
			      mono_add(now, p->hooks.awake_every));
}

static void goodbye_due(struct loop_timer *t, struct mono now)
{
	struct packet *p = CONTAINER_OF(t, struct packet, goodbye);

	bool idle = bfd_engine_is_idle(p->bfd) && (!p->pulse || pulse_is_idle(p->pulse));

	if (idle || !mono_before(now, p->goodbye_until))
		loop_stop(p->loop);
	else
		loop_timer_set(t, mono_add(now, GOODBYE_STEP));
}

static void say_goodbye(struct packet *p)
{
	if (loop_timer_active(&p->goodbye))
		return;
	(void)l2_io_stop(p->l2);
	(void)bfd_engine_apply(p->bfd, NULL);
	if (p->pulse)
		(void)pulse_apply(p->pulse, NULL);
	p->goodbye_until = mono_add(loop_now(p->loop), GOODBYE_MAX);
	loop_timer_set(&p->goodbye, loop_now(p->loop));
}

static void woken_by_control(struct loop_wake *w)
{
	struct packet *p = CONTAINER_OF(w, struct packet, to_packet);

	if (atomic_load(&p->stop)) {
		say_goodbye(p);
		return;
	}
	take_news(p);
}

static void *packet_thread(void *arg)
{
	struct packet *p = arg;

	pthread_setname_np(pthread_self(), "crier-packet");
	atomic_store(&p->priority, (int)priority_take(false));
	loop_run(p->loop);
	return NULL;
}

/* On the control thread. */

static void hand_back(struct packet *p, struct handover *h)
{
	if (!h)
		return;
	if (h->part == PART_BFD)
		p->hooks.bfd_retired(p->hooks.ctx, h->bfd);
	else if (h->part == PART_PULSE)
		p->hooks.pulse_retired(p->hooks.ctx, h->pulse);
	else
		p->hooks.l2_retired(p->hooks.ctx, h->l2);
	free(h);
}

static void hand_back_all(struct packet *p)
{
	struct handover *h = atomic_exchange_explicit(&p->retired, NULL, memory_order_acquire);

	while (h) {
		struct handover *next = h->next;

		hand_back(p, h);
		h = next;
	}
}

static void hear(struct packet *p, const struct message *m)
{
	if (m->part == PART_BFD)
		p->hooks.bfd(p->hooks.ctx, &m->bfd);
	else if (m->part == PART_PULSE)
		p->hooks.pulse(p->hooks.ctx, &m->pulse);
	else
		p->hooks.l2(p->hooks.ctx, &m->l2);
}

static void hear_news(struct packet *p)
{
	struct news n;

	while (p->pulse && ring_pop(&p->heard, &n))
		p->hooks.news(p->hooks.ctx, rd_from(n.text, n.len));
}

static void woken_by_packet(struct loop_wake *w)
{
	struct packet *p = CONTAINER_OF(w, struct packet, to_control);
	struct message m;

	while (ring_pop(&p->events, &m))
		hear(p, &m);
	hear_news(p);
	if (packet_events_lost(p) != p->lost_seen) {
		p->lost_seen = packet_events_lost(p);
		p->hooks.on_gap(p->hooks.ctx);
	}
	hand_back_all(p);
}

static void pulse_begin(struct packet *p, const struct pulse_conf *given)
{
	struct pulse_conf conf = *given;

	conf.loop = p->loop;
	conf.bar = on_bar;
	conf.returned = on_returned;
	conf.event = on_pulse;
	conf.news = on_heard;
	conf.ctx = p;
	ring_init(&p->said, NEWS_SLOTS, sizeof(struct news));
	ring_init(&p->heard, NEWS_SLOTS, sizeof(struct news));
	p->pulse = pulse_new(&conf);
	explicit_bzero(&conf.ring, sizeof(conf.ring));
}

static void packet_init(struct packet *p)
{
	uint64_t seed;

	rng_secure(&seed, sizeof(seed)); /* nodes must not refresh in step */
	p->l2 = l2_io_new(&(struct l2_io_conf){
		.loop = p->loop,
		.announcer = { .seed = seed },
		.fast = p->hooks.fast,
		.event = on_l2,
		.ctx = p,
	});
	p->bfd = bfd_engine_new(&(struct bfd_engine_conf){
		.loop = p->loop, .event = on_bfd, .ctx = p, .fast = p->hooks.fast });
	ring_init(&p->events, EVENT_SLOTS, sizeof(struct message));
	loop_timer_init(&p->goodbye, p->loop, goodbye_due);
	loop_timer_init(&p->awake, p->loop, awake_due);
	loop_timer_set(&p->awake, loop_now(p->loop));
	loop_task_init(&p->news, p->loop, there_is_news);
}

/* Signals are the control thread's business. */
static int thread_start(struct packet *p)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&p->thread, NULL, packet_thread, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

/* Also of one that was built by half. */
static void packet_destroy(struct packet *p)
{
	pulse_free(p->pulse);
	l2_io_free(p->l2);
	bfd_engine_free(p->bfd);
	ring_fini(&p->events);
	ring_fini(&p->said);
	ring_fini(&p->heard);
	loop_wake_fini(&p->to_control);
	loop_wake_fini(&p->to_packet);
	loop_free(p->loop);
	free(p);
}

int packet_new(struct loop *loop, const struct packet_hooks *hooks, const struct pulse_conf *pulse,
	       struct packet **out, struct err *e)
{
	struct packet *p = mem_new(struct packet);
	int error = 0;

	p->hooks = *hooks;
	p->to_packet.fd = p->to_control.fd = -1;
	int status = loop_new(&p->loop, e);
	if (status == 0)
		status = loop_wake_init(&p->to_packet, p->loop, woken_by_control, e);
	if (status == 0)
		status = loop_wake_init(&p->to_control, loop, woken_by_packet, e);
	if (status == 0) {
		packet_init(p);
		if (pulse)
			pulse_begin(p, pulse);
		error = thread_start(p);
	}
	if (error)
		status = err_set(e, ERR_SYSTEM, "pthread_create: %s", strerror(error));
	if (status < 0) {
		packet_destroy(p);
		return err_wrap(e, "packet thread");
	}
	*out = p;
	return 0;
}

struct packet *packet_free(struct packet *p)
{
	if (!p)
		return NULL;
	atomic_store(&p->stop, true);
	loop_wake_signal(&p->to_packet);
	pthread_join(p->thread, NULL);
	woken_by_packet(&p->to_control);
	p->pulse = pulse_free(p->pulse);
	p->l2 = l2_io_free(p->l2);
	p->bfd = bfd_engine_free(p->bfd); /* they still name the tables that go back now */
	for (int i = 0; i < PART_COUNT; i++) {
		hand_back(p, p->in_force[i]);
		hand_back(p, atomic_exchange(&p->next[i], NULL));
	}
	packet_destroy(p);
	return NULL;
}

/* The table before may not have been looked at yet: then it comes straight back. */
static void hand_over(struct packet *p, const struct handover *what)
{
	struct handover *h = mem_dup(what, sizeof(*what));

	hand_back(p, atomic_exchange(&p->next[h->part], h));
	loop_wake_signal(&p->to_packet);
}

void packet_set_l2(struct packet *p, struct l2_table *t)
{
	hand_over(p, &(struct handover){ .part = PART_L2, .l2 = t });
}

void packet_set_bfd(struct packet *p, const struct bfd_table *t)
{
	hand_over(p, &(struct handover){ .part = PART_BFD, .bfd = t });
}

void packet_set_pulse(struct packet *p, const struct pulse_table *t)
{
	hand_over(p, &(struct handover){ .part = PART_PULSE, .pulse = t });
}

static void set_bit(struct packet *p, _Atomic uint64_t *words, uint16_t id, bool on)
{
	uint64_t bit = UINT64_C(1) << (id % 64);

	if (on)
		atomic_fetch_or_explicit(&words[id / 64], bit, memory_order_release);
	else
		atomic_fetch_and_explicit(&words[id / 64], ~bit, memory_order_release);
	loop_wake_signal(&p->to_packet);
}

void packet_set_alive(struct packet *p, uint16_t node_id, bool alive)
{
	set_bit(p, p->alive, node_id, alive);
}

void packet_set_left(struct packet *p, uint16_t node_id, bool left)
{
	set_bit(p, p->left, node_id, left);
}

void packet_set_away(struct packet *p, bool away)
{
	atomic_store(&p->away, away);
	loop_wake_signal(&p->to_packet);
}

void packet_say(struct packet *p, const void *text, size_t len)
{
	struct news n = { .len = (uint16_t)len };

	if (!p->pulse || len > sizeof(n.text))
		return;
	memcpy(n.text, text, len);
	(void)ring_push(&p->said, &n);
	loop_wake_signal(&p->to_packet);
}

void packet_set_real_time(struct packet *p, bool wanted)
{
	atomic_store(&p->real_time, wanted);
	loop_wake_signal(&p->to_packet);
}

enum priority packet_priority(const struct packet *p)
{
	return (enum priority)atomic_load(&p->priority);
}

uint64_t packet_events_lost(const struct packet *p)
{
	return atomic_load_explicit(&p->events.refused, memory_order_relaxed);
}

const struct bfd_counters *packet_bfd_counters(const struct packet *p)
{
	return bfd_engine_counters(p->bfd);
}

const struct bfd_counters *packet_pulse_counters(const struct packet *p)
{
	return p->pulse ? pulse_counters(p->pulse) : NULL;
}

uint64_t packet_news_lost(const struct packet *p)
{
	return atomic_load_explicit(&p->said.refused, memory_order_relaxed) +
	       atomic_load_explicit(&p->heard.refused, memory_order_relaxed);
}

const struct l2_stats *packet_l2_stats(const struct packet *p)
{
	return l2_io_stats(p->l2);
}

int packet_bfd_listen_errno(const struct packet *p)
{
	return atomic_load(&bfd_engine_counters(p->bfd)->listen_errno);
}

int packet_pulse_listen_errno(const struct packet *p)
{
	return p->pulse ? pulse_listen_errno(p->pulse) : 0;
}
