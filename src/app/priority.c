#include "app/priority.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* Low among the real-time ones: interrupts that run as threads, and watchdogs, come first. */
#define REAL_TIME 10

/* How long the thread runs in one go when others want to: most of its turns are shorter. From Linux
 * 6.12 on the scheduler lets a thread with a shorter slice begin sooner. */
#define SLICE_NS 300000

/* Its share when the processor is full, where the host permits one (CAP_SYS_NICE, RLIMIT_NICE). */
#define NICE (-15)

/* Where the kernel shares out by sessions first (autogroup), a thread's place counts only among its own process's
 * threads. This is the process's place among the sessions: milder, because all its threads gain by it. */
#define SESSION_NICE "-10"

/* struct sched_attr; the kernel's header of it and the C library's <sched.h> exclude each other. */
struct attr {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns;
	uint64_t deadline_ns;
	uint64_t period_ns;
};

bool priority_permit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_RTPRIO, &limit) < 0)
		return false;
	limit.rlim_cur = MAX(limit.rlim_cur, REAL_TIME);
	limit.rlim_max = MAX(limit.rlim_max, REAL_TIME);
	return setrlimit(RLIMIT_RTPRIO, &limit) == 0;
}

static bool take_real_time(void)
{
	struct sched_param p = { .sched_priority = REAL_TIME };

	return pthread_setschedparam(pthread_self(), SCHED_FIFO | SCHED_RESET_ON_FORK, &p) == 0;
}

/* Of a session that others share we don't speak for them. Without such a kernel or permission: nothing. */
static void lift_session(void)
{
	if (getsid(0) != getpid())
		return;
	int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, SESSION_NICE, strlen(SESSION_NICE));
	close(fd);
}

static bool take_short_slices(void)
{
	struct attr wanted = {
		.size = sizeof(wanted), .policy = SCHED_OTHER, .nice = NICE, .runtime_ns = SLICE_NS
	};
	struct attr have = { 0 };

	if (syscall(SYS_sched_setattr, 0, &wanted, 0) < 0) {
		wanted.nice = 0;
		(void)syscall(SYS_sched_setattr, 0, &wanted, 0);
	} else {
		lift_session();
	}
	if (syscall(SYS_sched_getattr, 0, &have, sizeof(have), 0) < 0)
		return false;
	return have.runtime_ns == SLICE_NS || have.nice == NICE;
}

enum priority priority_take(bool wanted)
{
	if (wanted && take_real_time())
		return PRIORITY_REAL_TIME;
	return take_short_slices() ? PRIORITY_PROMPT : PRIORITY_NORMAL;
}

const char *priority_name(enum priority p)
{
	static const char *const names[] = { [PRIORITY_NORMAL] = "normal",
					     [PRIORITY_PROMPT] = "prompt",
					     [PRIORITY_REAL_TIME] = "real-time" };

	return names[p];
}
