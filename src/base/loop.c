#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* A timer's place in the heap: what is due earlier comes first, then what was set first. */
struct due {
	struct mono at; /* a time that was past already when it was set counts as that moment */
	uint64_t order;
	struct loop_timer *timer;
};

struct loop {
	struct ev_loop *ev; /* NULL: virtual */
	struct mono now;

	struct due *heap; /* the earliest first */
	size_t n_timers, cap_timers;
	uint64_t next_order;
	int timer_fd;
	struct mono armed; /* what the timerfd is set to */
	ev_io timer_io;
	struct loop_timer *patient; /* those that may run before their time */

	struct loop_task *tasks, **tasks_end;
	struct loop_task *running; /* the rest of the tasks that this turn runs */
	ev_prepare before_sleep;
	ev_check after_sleep;
	ev_idle no_sleep; /* active while tasks wait */
};

/* The heap. A timer knows its slot, so that it can be moved or taken out. */

static bool due_before(const struct due *a, const struct due *b)
{
	return a->at.ns != b->at.ns ? mono_before(a->at, b->at) : a->order < b->order;
}

static void heap_place(struct loop *l, size_t i, struct due d)
{
	l->heap[i] = d;
	d.timer->slot = i + 1;
}

static void heap_up(struct loop *l, size_t i, struct due d)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (!due_before(&d, &l->heap[parent]))
			break;
		heap_place(l, i, l->heap[parent]);
		i = parent;
	}
	heap_place(l, i, d);
}

static void heap_down(struct loop *l, size_t i, struct due d)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= l->n_timers)
			break;
		if (child + 1 < l->n_timers && due_before(&l->heap[child + 1], &l->heap[child]))
			child++;
		if (!due_before(&l->heap[child], &d))
			break;
		heap_place(l, i, l->heap[child]);
		i = child;
	}
	heap_place(l, i, d);
}

void loop_timer_init(struct loop_timer *t, struct loop *l,
		     void (*fire)(struct loop_timer *, struct mono))
{
	*t = (struct loop_timer){ .fire = fire, .loop = l, .at = MONO_NEVER };
}

static void patient_remove(struct loop_timer *t)
{
	struct loop_timer **at = &t->loop->patient;

	while (*at && *at != t)
		at = &(*at)->next_patient;
	if (*at)
		*at = t->next_patient;
}

void loop_timer_stop(struct loop_timer *t)
{
	struct loop *l = t->loop;
	struct mono at = t->at;
	size_t i = t->slot;

	t->at = MONO_NEVER;
	if (!i--)
		return;
	t->slot = 0;
	if (mono_before(t->soonest, at))
		patient_remove(t);
	struct due last = l->heap[--l->n_timers];
	if (last.timer == t)
		return;
	if (i > 0 && due_before(&last, &l->heap[(i - 1) / 2]))
		heap_up(l, i, last);
	else
		heap_down(l, i, last);
}

void loop_timer_set(struct loop_timer *t, struct mono at)
{
	struct loop *l = t->loop;

	loop_timer_stop(t);
	if (mono_is_never(at))
		return;
	t->at = t->soonest = at;
	mem_grow(l->heap, l->n_timers, l->cap_timers);
	heap_up(l, l->n_timers++,
		(struct due){
			.at = mono_before(at, l->now) ? l->now : at,
			.order = l->next_order++,
			.timer = t,
		});
}

void loop_timer_set_within(struct loop_timer *t, struct mono soonest, struct mono at)
{
	struct loop *l = t->loop;

	loop_timer_set(t, at);
	if (mono_is_never(at) || !mono_before(soonest, at))
		return;
	t->soonest = soonest;
	t->next_patient = l->patient;
	l->patient = t;
}

/* One that may run in a turn that others have caused, unless it was set in this very turn. */
static struct loop_timer *patient_ripe(const struct loop *l, struct mono now, uint64_t limit)
{
	struct loop_timer *t = l->patient;

	while (t && (mono_before(now, t->soonest) || l->heap[t->slot - 1].order >= limit))
		t = t->next_patient;
	return t;
}

static void timer_run(struct loop_timer *t, struct mono now)
{
	loop_timer_stop(t);
	t->fire(t, now);
}

/*
 * Run what is due at @now. What a timer sets anew has a later order, and no earlier instant than now: it sorts
 * behind everything that was due already, and waits for the next turn.
 */
static void timers_run(struct loop *l, struct mono now)
{
	uint64_t limit = l->next_order;

	while (l->n_timers > 0 && !mono_before(now, l->heap[0].at) && l->heap[0].order < limit)
		timer_run(l->heap[0].timer, now);
	for (struct loop_timer *t; (t = patient_ripe(l, now, limit));)
		timer_run(t, now);
}

static struct mono timers_next(const struct loop *l)
{
	return l->n_timers ? l->heap[0].at : MONO_NEVER;
}

/* No instant is like it: the timer has to be set again. */
#define TIMER_UNKNOWN ((struct mono){ INT64_MIN })

/* One timerfd, absolute; set only when the earliest instant has changed. */
static void timers_arm(struct loop *l)
{
	struct mono at = timers_next(l);
	struct itimerspec spec = { 0 };

	if (at.ns == l->armed.ns)
		return;
	l->armed = at;
	if (!mono_is_never(at)) {
		int64_t ns = MAX(at.ns, 1); /* zero would disarm */

		spec.it_value.tv_sec = ns / 1000000000;
		spec.it_value.tv_nsec = ns % 1000000000;
	}
	timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* Tasks that are queued while tasks run wait for the next turn, so that descriptors get theirs. */
static void tasks_run(struct loop *l)
{
	l->running = l->tasks;
	l->tasks = NULL;
	l->tasks_end = &l->tasks;
	while (l->running) {
		struct loop_task *t = l->running;

		l->running = t->next;
		t->next = NULL;
		t->queued = false;
		t->run(t);
	}
}

/* Virtual time stands still until nothing is left to do. */
static void tasks_drain(struct loop *l)
{
	while (l->tasks)
		tasks_run(l);
}

static void timer_fd_ready(struct ev_loop *ev, ev_io *w, int events)
{
	struct loop *l = w->data;

	(void)ev;
	(void)events;
	/* What is due runs before the loop sleeps again. Setting the timer then empties its descriptor. */
	l->armed = TIMER_UNKNOWN;
}

static void woke_up(struct ev_loop *ev, ev_check *w, int events)
{
	struct loop *l = w->data;

	(void)ev;
	(void)events;
	l->now = mono_clock();
}

static void about_to_sleep(struct ev_loop *ev, ev_prepare *w, int events)
{
	struct loop *l = w->data;

	(void)ev;
	(void)events;
	timers_run(l, l->now);
	tasks_run(l);
	if (l->tasks)
		ev_idle_start(l->ev, &l->no_sleep);
	else if (ev_is_active(&l->no_sleep))
		ev_idle_stop(l->ev, &l->no_sleep);
	timers_arm(l);
}

static void never_idle(struct ev_loop *ev, ev_idle *w, int events)
{
	(void)ev;
	(void)w;
	(void)events;
}

struct loop *loop_new_virtual(void)
{
	struct loop *l = mem_new(struct loop);

	l->now = (struct mono){ .ns = 1000000000 };
	l->armed = MONO_NEVER;
	l->timer_fd = -1;
	l->tasks_end = &l->tasks;
	return l;
}

static void watchers_start(struct loop *l)
{
	ev_io_init(&l->timer_io, timer_fd_ready, l->timer_fd, EV_READ);
	ev_prepare_init(&l->before_sleep, about_to_sleep);
	ev_check_init(&l->after_sleep, woke_up);
	ev_idle_init(&l->no_sleep, never_idle);
	/* The clock is read before anything else sees the turn; tasks run after everything else. */
	ev_set_priority(&l->after_sleep, EV_MAXPRI);
	ev_set_priority(&l->before_sleep, EV_MINPRI);
	l->timer_io.data = l->before_sleep.data = l->after_sleep.data = l;
	ev_io_start(l->ev, &l->timer_io);
	ev_prepare_start(l->ev, &l->before_sleep);
	ev_check_start(l->ev, &l->after_sleep);
}

int loop_new(struct loop **out, struct err *e)
{
	struct loop *l = loop_new_virtual();

	l->ev = ev_loop_new(EVFLAG_AUTO);
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (!l->ev || l->timer_fd < 0) {
		int status = err_errno(e, "event loop");

		loop_free(l);
		return status;
	}
	l->now = mono_clock();
	watchers_start(l);
	*out = l;
	return 0;
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	if (l->ev)
		ev_loop_destroy(l->ev);
	if (l->timer_fd >= 0)
		close(l->timer_fd);
	free(l->heap);
	free(l);
	return NULL;
}

void loop_freep(struct loop **l)
{
	*l = loop_free(*l);
}

void loop_run(struct loop *l)
{
	assert(l->ev);
	l->now = mono_clock();
	ev_run(l->ev, 0);
}

void loop_stop(struct loop *l)
{
	if (l->ev)
		ev_break(l->ev, EVBREAK_ALL);
}

struct mono loop_now(const struct loop *l)
{
	return l->now;
}

void loop_advance(struct loop *l, struct dur d)
{
	struct mono end = mono_add(l->now, d);

	assert(!l->ev);
	tasks_drain(l);
	while (!mono_before(end, timers_next(l))) {
		l->now = timers_next(l);
		timers_run(l, l->now);
		tasks_drain(l);
	}
	l->now = end;
}

void loop_task_init(struct loop_task *t, struct loop *l, void (*run)(struct loop_task *))
{
	*t = (struct loop_task){ .run = run, .loop = l };
}

void loop_task_queue(struct loop_task *t)
{
	struct loop *l = t->loop;

	if (t->queued)
		return;
	t->queued = true;
	t->next = NULL;
	*l->tasks_end = t;
	l->tasks_end = &t->next;
}

/* Take @t out of the list at @at; returns the link that pointed to it, or NULL. */
static struct loop_task **task_unlink(struct loop_task **at, const struct loop_task *t)
{
	while (*at && *at != t)
		at = &(*at)->next;
	if (!*at)
		return NULL;
	*at = t->next;
	return at;
}

void loop_task_cancel(struct loop_task *t)
{
	struct loop *l = t->loop;

	if (!t->queued)
		return;
	t->queued = false;
	if (task_unlink(&l->running, t))
		return;
	struct loop_task **gap = task_unlink(&l->tasks, t);
	if (gap && !*gap)
		l->tasks_end = gap;
}

static int ev_events_of(unsigned events)
{
	return (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0);
}

static void io_ready(struct ev_loop *ev, ev_io *w, int events)
{
	struct loop_io *io = w->data;

	(void)ev;
	io->ready(io, (events & EV_READ ? LOOP_READ : 0u) | (events & EV_WRITE ? LOOP_WRITE : 0u));
}

void loop_io_init(struct loop_io *io, struct loop *l, void (*ready)(struct loop_io *, unsigned))
{
	*io = (struct loop_io){ .ready = ready, .loop = l, .fd = -1 };
}

void loop_io_watch(struct loop_io *io, int fd, unsigned events)
{
	if (io->watcher && io->fd == fd && io->events == events)
		return;
	loop_io_stop(io);
	if (!events || !io->loop->ev)
		return;
	ev_io *w = mem_new(ev_io);

	ev_io_init(w, io_ready, fd, ev_events_of(events));
	w->data = io;
	ev_io_start(io->loop->ev, w);
	io->watcher = w;
	io->fd = fd;
	io->events = events;
}

void loop_io_stop(struct loop_io *io)
{
	if (!io->watcher)
		return;
	ev_io_stop(io->loop->ev, io->watcher);
	free(io->watcher);
	io->watcher = NULL;
	io->events = 0;
	io->fd = -1;
}

static void signal_caught(struct ev_loop *ev, ev_signal *w, int events)
{
	struct loop_signal *s = w->data;

	(void)ev;
	(void)events;
	s->caught(s, w->signum);
}

void loop_signal_init(struct loop_signal *s, struct loop *l,
		      void (*caught)(struct loop_signal *, int))
{
	*s = (struct loop_signal){ .caught = caught, .loop = l };
}

void loop_signal_start(struct loop_signal *s, int signo)
{
	loop_signal_stop(s);
	if (!s->loop->ev)
		return;
	ev_signal *w = mem_new(ev_signal);

	ev_signal_init(w, signal_caught, signo);
	w->data = s;
	ev_signal_start(s->loop->ev, w);
	s->watcher = w;
}

void loop_signal_stop(struct loop_signal *s)
{
	if (!s->watcher)
		return;
	ev_signal_stop(s->loop->ev, s->watcher);
	free(s->watcher);
	s->watcher = NULL;
}

static void wake_ready(struct loop_io *io, unsigned events)
{
	struct loop_wake *w = CONTAINER_OF(io, struct loop_wake, io);
	uint64_t count;

	(void)events;
	if (read(w->fd, &count, sizeof(count)) > 0)
		w->woken(w);
}

int loop_wake_init(struct loop_wake *w, struct loop *l, void (*woken)(struct loop_wake *),
		   struct err *e)
{
	*w = (struct loop_wake){ .woken = woken, .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
	if (w->fd < 0)
		return err_errno(e, "eventfd");
	loop_io_init(&w->io, l, wake_ready);
	loop_io_watch(&w->io, w->fd, LOOP_READ);
	return 0;
}

void loop_wake_signal(struct loop_wake *w)
{
	uint64_t one = 1;

	/* Full means that the other side has been told often enough. */
	(void)!write(w->fd, &one, sizeof(one));
}

void loop_wake_fini(struct loop_wake *w)
{
	if (w->fd < 0)
		return;
	loop_io_stop(&w->io);
	close(w->fd);
	w->fd = -1;
}
