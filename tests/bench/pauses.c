/*
 * When a machine stood still: pauses LIMIT-US [PRIORITY]. On each processor one thread wakes every millisecond until
 * standard input ends; then each wake-up that was later than LIMIT-US is printed as a line "PROCESSOR PLANNED WAS",
 * nanoseconds of the real-time clock, and last the longest delay of all as "longest NS". With the highest real-time
 * priority, which is the default, no program can be prompter there; with the lowest, 1, no ordinary program can: what is
 * seen then is real-time work of others, too. A yardstick for tests/bench/bfd_*.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PROCESSORS_MAX 256
#define PAUSES_MAX     16384
#define EVERY_NS       1000000
#define SECOND_NS      INT64_C(1000000000)

struct pause {
	int64_t planned_ns, was_ns;
};

struct watch {
	pthread_t thread;
	struct pause *pauses; /* later ones than PAUSES_MAX are left out */
	int n;
	int64_t longest_ns;
};

static struct watch watches[PROCESSORS_MAX];
static atomic_bool stopping;
static int64_t limit_ns;

static int64_t clock_ns(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	struct timespec at = { .tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void note(struct watch *w, int64_t late_ns)
{
	if (late_ns > w->longest_ns)
		w->longest_ns = late_ns;
	if (late_ns <= limit_ns || w->n == PAUSES_MAX)
		return;
	int64_t now_ns = clock_ns(CLOCK_REALTIME);

	w->pauses[w->n++] = (struct pause){ now_ns - late_ns, now_ns };
}

static void *watch(void *arg)
{
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	while (!stopping) {
		int64_t planned_ns = now_ns + EVERY_NS;

		sleep_until(planned_ns);
		now_ns = clock_ns(CLOCK_MONOTONIC); /* one pause is one, however long */
		note(arg, now_ns - planned_ns);
	}
	return NULL;
}

static int start(int processor, int priority)
{
	struct watch *w = &watches[processor];
	pthread_attr_t attr;
	cpu_set_t set;

	w->pauses = calloc(PAUSES_MAX, sizeof(*w->pauses));
	if (!w->pauses)
		return -1;
	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &(struct sched_param){ .sched_priority = priority });
	return pthread_create(&w->thread, &attr, watch, w);
}

static void tell(int processors)
{
	int64_t longest_ns = 0;

	for (int i = 0; i < processors; i++) {
		const struct watch *w = &watches[i];

		for (int k = 0; k < w->n; k++)
			printf("%d %jd %jd\n", i, (intmax_t)w->pauses[k].planned_ns,
			       (intmax_t)w->pauses[k].was_ns);
		if (w->longest_ns > longest_ns)
			longest_ns = w->longest_ns;
	}
	printf("longest %jd\n", (intmax_t)longest_ns);
}

int main(int argc, char **argv)
{
	int processors = (int)sysconf(_SC_NPROCESSORS_ONLN);

	if (argc < 2 || argc > 3 || processors > PROCESSORS_MAX ||
	    mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return 2;
	limit_ns = strtol(argv[1], NULL, 10) * 1000;
	int priority = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 99;

	for (int i = 0; i < processors; i++)
		if (start(i, priority) != 0)
			return 1;
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	stopping = true;
	for (int i = 0; i < processors; i++)
		pthread_join(watches[i].thread, NULL);
	tell(processors);
	return 0;
}
