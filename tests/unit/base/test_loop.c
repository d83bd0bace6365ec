#include "base/loop.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/rng.h"
#include "support.h"

/* A timer, task or descriptor that writes its name into a record, and perhaps does something else. */
static char record[256];

static void note(char name)
{
	size_t len = strlen(record);

	assert_true(len + 1 < sizeof(record));
	record[len] = name;
	record[len + 1] = '\0';
}

static int fresh(void **state)
{
	record[0] = '\0';
	*state = loop_new_virtual();
	return 0;
}

static int real(void **state)
{
	struct err e;
	struct loop *l;

	record[0] = '\0';
	if (loop_new(&l, &e) < 0)
		return -1;
	*state = l;
	return 0;
}

static int done(void **state)
{
	loop_free(*state);
	return 0;
}

struct named {
	struct loop_timer timer;
	char name;
	struct mono fired_at;
	struct named *other;
	struct dur again;
};

static void noted(struct loop_timer *t, struct mono now)
{
	struct named *n = CONTAINER_OF(t, struct named, timer);

	note(n->name);
	n->fired_at = now;
}

static void named_init(struct named *n, struct loop *l, char name,
		       void (*fire)(struct loop_timer *, struct mono))
{
	*n = (struct named){ .name = name };
	loop_timer_init(&n->timer, l, fire);
}

static struct mono in(struct loop *l, struct dur d)
{
	return mono_add(loop_now(l), d);
}

static void timers_fire_in_order(void **state)
{
	struct loop *l = *state;
	struct mono start = loop_now(l);
	struct named n[5];
	static const int ms[5] = { 30, 10, 20, 10, 0 };

	for (int i = 0; i < 5; i++) {
		named_init(&n[i], l, (char)('a' + i), noted);
		loop_timer_set(&n[i].timer, in(l, DUR_MS(ms[i])));
	}
	assert_string_equal(record, ""); /* never inside the call */
	loop_advance(l, DUR_MS(15));
	assert_string_equal(record, "ebd"); /* equal instants: the first that was set */
	loop_advance(l, DUR_MS(15));
	assert_string_equal(record, "ebdca");
	for (int i = 0; i < 5; i++) {
		assert_true(mono_sub(n[i].fired_at, start).ns == DUR_MS(ms[i]).ns);
		assert_false(loop_timer_active(&n[i].timer));
	}
}

static void a_timer_moves_and_stops(void **state)
{
	struct loop *l = *state;
	struct named a, b;

	named_init(&a, l, 'a', noted);
	named_init(&b, l, 'b', noted);
	loop_timer_stop(&a.timer); /* never ran */
	loop_timer_set(&a.timer, in(l, DUR_MS(10)));
	loop_timer_set(&b.timer, in(l, DUR_MS(20)));
	loop_timer_set(&a.timer, in(l, DUR_MS(30)));
	loop_advance(l, DUR_MS(20));
	assert_string_equal(record, "b");
	assert_true(loop_timer_active(&a.timer));
	loop_timer_set(&a.timer, MONO_NEVER);
	loop_timer_stop(&a.timer);
	assert_false(loop_timer_active(&a.timer));
	loop_advance(l, DUR_S(1));
	assert_string_equal(record, "b");
}

static void stop_other(struct loop_timer *t, struct mono now)
{
	struct named *n = CONTAINER_OF(t, struct named, timer);

	noted(t, now);
	loop_timer_stop(&n->timer);
	loop_timer_stop(&n->other->timer);
}

static void a_callback_stops_one_that_is_due(void **state)
{
	struct loop *l = *state;
	struct named a, b;

	named_init(&a, l, 'a', stop_other);
	named_init(&b, l, 'b', noted);
	a.other = &b;
	loop_timer_set(&a.timer, in(l, DUR_MS(10)));
	loop_timer_set(&b.timer, in(l, DUR_MS(10)));
	loop_advance(l, DUR_S(1));
	assert_string_equal(record, "a");
}

static void set_again(struct loop_timer *t, struct mono now)
{
	struct named *n = CONTAINER_OF(t, struct named, timer);

	noted(t, now);
	loop_timer_set(t, mono_add(now, n->again));
}

static void periodic_by_setting_itself(void **state)
{
	struct loop *l = *state;
	struct named a, b;

	named_init(&a, l, 'a', set_again);
	named_init(&b, l, 'b', noted);
	a.again = DUR_MS(10);
	loop_timer_set(&a.timer, in(l, DUR_MS(10)));
	loop_timer_set(&b.timer, in(l, DUR_MS(25)));
	loop_advance(l, DUR_MS(40));
	assert_string_equal(record, "aabaa");
	loop_timer_stop(&a.timer);
}

/* Sets itself to the past three times; whoever was due must not wait for that. */
/* One that need not be exact goes along with others from its first instant on, and wakes for its last one. */
static void goes_along(void **state)
{
	struct loop *l = *state;
	struct mono start = loop_now(l);
	struct named a, b, c;

	named_init(&a, l, 'a', noted);
	named_init(&b, l, 'b', noted);
	named_init(&c, l, 'c', noted);
	loop_timer_set_within(&a.timer, in(l, DUR_MS(10)), in(l, DUR_MS(30)));
	loop_timer_set_within(&c.timer, in(l, DUR_MS(10)), in(l, DUR_MS(20)));
	loop_timer_set(&b.timer, in(l, DUR_MS(5)));
	loop_timer_stop(&c.timer);
	loop_advance(l, DUR_MS(12));
	assert_string_equal(record,
			    "b"); /* too early to go along; and nobody wakes for its first */
	loop_timer_set(&b.timer, in(l, DUR_MS(3)));
	loop_advance(l, DUR_MS(10));
	assert_string_equal(record, "bba");
	assert_true(mono_sub(a.fired_at, start).ns == DUR_MS(15).ns);
	loop_timer_set_within(&a.timer, loop_now(l), in(l, DUR_MS(10)));
	loop_advance(l, DUR_MS(20));
	assert_string_equal(record, "bbaa");
	assert_true(mono_sub(a.fired_at, start).ns == DUR_MS(32).ns);
	assert_false(loop_timer_active(&a.timer));
}

static void hog(struct loop_timer *t, struct mono now)
{
	struct named *n = CONTAINER_OF(t, struct named, timer);

	noted(t, now);
	if (n->again.ns++ < 3)
		loop_timer_set(t, mono_add(now, DUR_MS(-5)));
}

static void the_past_does_not_starve_the_present(void **state)
{
	struct loop *l = *state;
	struct named a, b;

	named_init(&a, l, 'h', hog);
	named_init(&b, l, 'b', noted);
	loop_timer_set(&a.timer, in(l, DUR_MS(-10)));
	loop_timer_set(&b.timer, in(l, DUR_MS(0)));
	loop_advance(l, DUR_MS(0));
	assert_string_equal(record, "hbhhh");
}

#define MODEL_TIMERS 64

/* Random sets, moves, stops and advances: what fires is what a plain list of instants says. */
static void agrees_with_a_list(void **state)
{
	struct loop *l = *state;
	struct named n[MODEL_TIMERS];
	struct mono want[MODEL_TIMERS];
	struct rng rng;

	rng_seed(&rng, test_seed());
	for (int i = 0; i < MODEL_TIMERS; i++) {
		named_init(&n[i], l, '\0', noted);
		want[i] = MONO_NEVER;
	}
	for (int round = 0; round < 5000; round++) {
		size_t i = rng_below(&rng, MODEL_TIMERS);

		if (rng_below(&rng, 4)) {
			want[i] = in(l, DUR_NS(rng_between(&rng, 0, 1000)));
			loop_timer_set(&n[i].timer, want[i]);
		} else {
			want[i] = MONO_NEVER;
			loop_timer_stop(&n[i].timer);
		}
		loop_advance(l, DUR_NS(rng_between(&rng, 0, 20)));
		for (int k = 0; k < MODEL_TIMERS; k++) {
			bool due = !mono_before(loop_now(l), want[k]);

			if (due) {
				assert_true(n[k].fired_at.ns == want[k].ns);
				want[k] = MONO_NEVER;
			}
			assert_int_equal(loop_timer_active(&n[k].timer), !mono_is_never(want[k]));
		}
	}
}

struct job {
	struct loop_task task;
	char name;
	struct job *other;
};

static void job_noted(struct loop_task *t)
{
	note(CONTAINER_OF(t, struct job, task)->name);
}

static void job_queues(struct loop_task *t)
{
	struct job *j = CONTAINER_OF(t, struct job, task);

	note(j->name);
	loop_task_queue(&j->other->task);
}

static void job_cancels(struct loop_task *t)
{
	struct job *j = CONTAINER_OF(t, struct job, task);

	note(j->name);
	loop_task_cancel(&j->other->task);
	j->other->task = (struct loop_task){ 0 }; /* as good as freed */
}

static void job_init(struct job *j, struct loop *l, char name, void (*run)(struct loop_task *))
{
	*j = (struct job){ .name = name };
	loop_task_init(&j->task, l, run);
}

static void tasks_run_once(void **state)
{
	struct loop *l = *state;
	struct job a, b, c;

	job_init(&a, l, 'a', job_queues);
	job_init(&b, l, 'b', job_noted);
	job_init(&c, l, 'c', job_noted);
	a.other = &b;
	loop_task_cancel(&c.task); /* never queued */
	loop_task_queue(&a.task);
	loop_task_queue(&a.task);
	loop_task_queue(&b.task);
	loop_task_queue(&c.task);
	loop_task_cancel(&c.task);
	assert_string_equal(record, "");
	loop_advance(l, DUR_NS(0));
	assert_string_equal(record, "ab");
	loop_task_queue(&a.task);
	loop_advance(l, DUR_NS(0));
	assert_string_equal(record, "abab");
	loop_task_queue(&b.task);
	loop_task_queue(&c.task);
	loop_task_cancel(&c.task);
	loop_task_queue(&a.task); /* behind the gap that c left at the end */
	loop_advance(l, DUR_NS(0));
	assert_string_equal(record, "ababbab");
}

static void a_task_ends_the_next_one(void **state)
{
	struct loop *l = *state;
	struct job a, b, c;

	job_init(&a, l, 'a', job_cancels);
	job_init(&b, l, 'b', job_noted);
	job_init(&c, l, 'c', job_noted);
	a.other = &b;
	loop_task_queue(&a.task);
	loop_task_queue(&b.task);
	loop_task_queue(&c.task);
	loop_advance(l, DUR_NS(0));
	assert_string_equal(record, "ac");
}

/* The real loop. */

struct pipe_end {
	struct loop_io io;
	int fds[2];
};

static void pipe_ready(struct loop_io *io, unsigned events)
{
	char c;

	assert_int_equal(events, LOOP_READ);
	assert_int_equal(read(io->fd, &c, 1), 1);
	note(c);
	if (c == '!') {
		struct loop *l = io->loop;

		loop_io_stop(io); /* from inside the callback */
		loop_io_stop(io);
		loop_stop(l);
	}
}

static void write_late(struct loop_timer *t, struct mono now)
{
	struct named *n = CONTAINER_OF(t, struct named, timer);

	(void)now;
	assert_int_equal(write((int)n->again.ns, &n->name, 1), 1);
}

static void descriptors_and_timers(void **state)
{
	struct loop *l = *state;
	struct pipe_end p;
	struct named a, b;

	assert_int_equal(pipe(p.fds), 0);
	loop_io_init(&p.io, l, pipe_ready);
	loop_io_watch(&p.io, p.fds[0], LOOP_READ);
	named_init(&a, l, 'x', write_late);
	named_init(&b, l, '!', write_late);
	a.again = b.again = DUR_NS(p.fds[1]);
	struct mono at = mono_add(mono_clock(), DUR_MS(20));
	loop_timer_set(&b.timer, at);
	loop_timer_set(&a.timer, mono_add(mono_clock(), DUR_MS(5)));
	loop_run(l);
	assert_string_equal(record, "x!");
	assert_false(mono_before(loop_now(l), at));
	assert_true(mono_sub(mono_clock(), at).ns < DUR_S(5).ns);
	close(p.fds[0]);
	close(p.fds[1]);
}

struct spinner {
	struct loop_task task;
	int left;
};

static void spin(struct loop_task *t)
{
	struct spinner *s = CONTAINER_OF(t, struct spinner, task);

	if (--s->left > 0)
		loop_task_queue(t);
	else
		loop_stop(t->loop);
}

/* No descriptor and no timer would ever wake this loop. */
static void does_not_sleep_while_tasks_wait(void **state)
{
	struct loop *l = *state;
	struct spinner s = { .left = 1000 };

	loop_task_init(&s.task, l, spin);
	loop_task_queue(&s.task);
	alarm(20);
	loop_run(l);
	alarm(0);
	assert_int_equal(s.left, 0);
}

struct waker {
	struct loop_wake wake;
	int n;
};

static void woken(struct loop_wake *w)
{
	struct waker *k = CONTAINER_OF(w, struct waker, wake);

	if (++k->n == 3)
		loop_stop(w->io.loop);
}

static void *wake_thrice(void *arg)
{
	struct waker *k = arg;

	for (int i = 0; i < 3; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		loop_wake_signal(&k->wake);
	}
	return NULL;
}

static void another_thread_wakes(void **state)
{
	struct loop *l = *state;
	struct waker k = { 0 };
	struct err e;
	pthread_t thread;

	assert_int_equal(loop_wake_init(&k.wake, l, woken, &e), 0);
	assert_int_equal(pthread_create(&thread, NULL, wake_thrice, &k), 0);
	alarm(20);
	loop_run(l);
	alarm(0);
	pthread_join(thread, NULL);
	assert_int_equal(k.n, 3);
	loop_wake_fini(&k.wake);
	loop_wake_fini(&k.wake);
}

static void caught(struct loop_signal *s, int signo)
{
	assert_int_equal(signo, SIGUSR1);
	note('s');
	loop_signal_stop(s);
	loop_stop(s->loop);
}

static void raise_it(struct loop_timer *t, struct mono now)
{
	(void)t;
	(void)now;
	raise(SIGUSR1);
}

static void signals(void **state)
{
	struct loop *l = *state;
	struct loop_signal s;
	struct loop_timer t;

	loop_signal_init(&s, l, caught);
	loop_signal_start(&s, SIGUSR1);
	loop_timer_init(&t, l, raise_it);
	loop_timer_set(&t, mono_clock());
	alarm(20);
	loop_run(l);
	alarm(0);
	assert_string_equal(record, "s");
	loop_signal_stop(&s);
}

struct lateness {
	struct loop_timer timer;
	int left;
	struct mono at;
	int64_t best;
};

static void late_by(struct loop_timer *t, struct mono now)
{
	struct lateness *x = CONTAINER_OF(t, struct lateness, timer);

	(void)now;
	int64_t late = mono_sub(mono_clock(), x->at).ns;
	assert_true(late >= 0); /* never early */
	x->best = MIN(x->best, late);
	if (--x->left == 0) {
		loop_stop(t->loop);
		return;
	}
	x->at = mono_add(mono_clock(), DUR_US(300));
	loop_timer_set(t, x->at);
}

static void finer_than_a_millisecond(void **state)
{
	struct loop *l = *state;
	struct lateness x = { .left = 50, .best = INT64_MAX };

	loop_timer_init(&x.timer, l, late_by);
	x.at = mono_clock();
	loop_timer_set(&x.timer, x.at);
	loop_run(l);
	assert_true(x.best < 500000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timers_fire_in_order, fresh, done),
		cmocka_unit_test_setup_teardown(a_timer_moves_and_stops, fresh, done),
		cmocka_unit_test_setup_teardown(a_callback_stops_one_that_is_due, fresh, done),
		cmocka_unit_test_setup_teardown(periodic_by_setting_itself, fresh, done),
		cmocka_unit_test_setup_teardown(goes_along, fresh, done),
		cmocka_unit_test_setup_teardown(the_past_does_not_starve_the_present, fresh, done),
		cmocka_unit_test_setup_teardown(agrees_with_a_list, fresh, done),
		cmocka_unit_test_setup_teardown(tasks_run_once, fresh, done),
		cmocka_unit_test_setup_teardown(a_task_ends_the_next_one, fresh, done),
		cmocka_unit_test_setup_teardown(descriptors_and_timers, real, done),
		cmocka_unit_test_setup_teardown(does_not_sleep_while_tasks_wait, real, done),
		cmocka_unit_test_setup_teardown(another_thread_wakes, real, done),
		cmocka_unit_test_setup_teardown(signals, real, done),
		cmocka_unit_test_setup_teardown(finer_than_a_millisecond, real, done),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
