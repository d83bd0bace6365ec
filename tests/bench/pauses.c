/*
 * How often a machine stands still: pauses LIMIT-US. On each processor one thread, with the highest real-time
 * priority, wakes every millisecond until standard input ends; then it prints how often one of them was later than
 * LIMIT-US, and the longest delay in microseconds. No program can be prompter there. A yardstick for tests/bench/bfd_*.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PROCESSORS_MAX 256

static atomic_long pauses, longest_us;
static atomic_bool stopping;
static long limit_us;

static void note(long late_us)
{
	if (late_us > limit_us)
		pauses++;
	if (late_us > longest_us)
		longest_us = late_us;
}

static long late_by_us(const struct timespec *planned, const struct timespec *now)
{
	return (now->tv_sec - planned->tv_sec) * 1000000 + (now->tv_nsec - planned->tv_nsec) / 1000;
}

static void *watch(void *arg)
{
	struct timespec at, now;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &at);
	while (!stopping) {
		at.tv_nsec += 1000000;
		if (at.tv_nsec >= 1000000000) {
			at.tv_nsec -= 1000000000;
			at.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		note(late_by_us(&at, &now));
		at = now; /* one pause is one, however long */
	}
	return NULL;
}

static int start(pthread_t *thread, int processor)
{
	pthread_attr_t attr;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &(struct sched_param){ .sched_priority = 99 });
	return pthread_create(thread, &attr, watch, NULL);
}

int main(int argc, char **argv)
{
	pthread_t threads[PROCESSORS_MAX];
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (argc != 2 || processors > PROCESSORS_MAX || mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return 2;
	limit_us = strtol(argv[1], NULL, 10);
	for (int i = 0; i < processors; i++)
		if (start(&threads[i], i) != 0)
			return 1;
	while (getchar() != EOF)
		;
	stopping = true;
	for (int i = 0; i < processors; i++)
		pthread_join(threads[i], NULL);
	printf("%ld %ld\n", (long)pauses, (long)longest_us);
	return 0;
}
