/* The thread that may wait, and the loop that does not. */
#include "net/worker.h"

#include <unistd.h>

#include "support.h"

struct fixture {
	struct loop *loop;
	struct net_worker *worker;
	struct loop_timer timer;
	int gate[2]; /* a job that waits reads it */
	int worked;  /* in this order */
	int finished;
};

struct job {
	struct net_job base;
	struct fixture *f;
	int place;
	bool waits;
	pid_t worked_by;
};

static void work(struct net_job *base, struct netlink *nl)
{
	struct job *j = CONTAINER_OF(base, struct job, base);
	char c;

	assert_non_null(nl);
	if (j->waits)
		assert_int_equal(read(j->f->gate[0], &c, 1), 1);
	assert_int_equal(j->f->worked++, j->place);
	j->worked_by = gettid();
}

static void done(struct net_job *base)
{
	struct job *j = CONTAINER_OF(base, struct job, base);

	assert_int_equal(j->f->finished++, j->place);
	assert_int_not_equal(j->worked_by, gettid());
	if (j->f->finished == 3)
		loop_stop(j->f->loop);
}

static void open_the_gate(struct loop_timer *t, struct mono now)
{
	struct fixture *f = CONTAINER_OF(t, struct fixture, timer);

	(void)now;
	assert_int_equal(f->finished, 0);
	assert_int_equal(write(f->gate[1], "!", 1), 1);
}

static void begin(struct fixture *f, struct job jobs[static 3])
{
	*f = (struct fixture){ 0 };
	assert_int_equal(pipe(f->gate), 0);
	assert_int_equal(loop_new(&f->loop, NULL), 0);
	assert_int_equal(net_worker_new(f->loop, &f->worker, NULL), 0);
	loop_timer_init(&f->timer, f->loop, open_the_gate);
	for (int i = 0; i < 3; i++) {
		jobs[i] =
			(struct job){ .base = { work, done }, .f = f, .place = i, .waits = i == 0 };
		net_worker_do(f->worker, &jobs[i].base);
	}
}

static void end(struct fixture *f)
{
	f->worker = net_worker_free(f->worker);
	loop_free(f->loop);
	close(f->gate[0]);
	close(f->gate[1]);
}

static void the_loop_turns_while_a_job_waits(void **state)
{
	struct fixture f;
	struct job jobs[3];

	(void)state;
	begin(&f, jobs);
	loop_timer_set(&f.timer, mono_add(mono_clock(), DUR_MS(20)));
	loop_run(f.loop);
	assert_int_equal(f.finished, 3);
	end(&f);
}

static void nothing_that_was_asked_for_is_left_undone(void **state)
{
	struct fixture f;
	struct job jobs[3];

	(void)state;
	begin(&f, jobs);
	open_the_gate(&f.timer, mono_clock());
	end(&f);
	assert_int_equal(f.finished, 3);
	assert_null(net_worker_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_loop_turns_while_a_job_waits),
		cmocka_unit_test(nothing_that_was_asked_for_is_left_undone),
	};

	return cmocka_run_group_tests_name("net/worker", tests, NULL, NULL);
}
