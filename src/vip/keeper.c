#include "vip/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/fd.h"
#include "vip/sweep.h"

#define TRY_AGAIN_MS 100

enum { LOOK = 'l', QUIT = 'q' };

/** A sign of life, as it was when it was looked at. */
struct seen {
	const struct vip_sign *sign;
	int64_t limit_ns;
	int64_t at_ns;
	int64_t swept_ns; /* this one was overdue, and the addresses are gone */
};

/* What the keeper knows; all of it is from before the fork. */
struct watch {
	int fd;
	const char *path;
	const char *instance;
	struct vip_pulse *pulse;
	struct seen seen[2];
};

struct vip_pulse *vip_pulse_new(void)
{
	void *p = mmap(NULL, sizeof(struct vip_pulse), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct vip_pulse *vip_pulse_free(struct vip_pulse *p)
{
	if (p)
		(void)munmap(p, sizeof(*p));
	return NULL;
}

static bool take_away(const struct watch *w)
{
	int lock = vip_lock_open(w->path, NULL);

	/* A daemon that starts anew cleans up under this lock, and puts its own name on the record:
	 * what it adds afterwards is safe from us. */
	if (lock >= 0)
		vip_lock_wait(lock, VIP_LOCK_WORK);
	int status = vip_sweep(w->path, w->instance, NULL, NULL);
	if (lock >= 0)
		close(lock);
	atomic_fetch_add(&w->pulse->swept, 1);
	return status == 0;
}

/* When the next sign is due; after one that was overdue, soon: nobody tells that there is life again. */
static struct mono due(const struct seen *s, struct mono now)
{
	if (s->limit_ns == 0 || s->at_ns == 0)
		return MONO_NEVER;
	return mono_add(s->at_ns == s->swept_ns ? now : (struct mono){ s->at_ns },
			DUR_NS(s->limit_ns));
}

static bool is_overdue(struct seen *s, struct mono now)
{
	/* In this order: who sets a limit has given a sign before. */
	s->limit_ns = atomic_load(&s->sign->limit_ns);
	s->at_ns = atomic_load(&s->sign->at_ns);
	if (mono_before(now, due(s, now)))
		return false;
	s->swept_ns = s->at_ns; /* once is enough, until there is life again */
	return true;
}

/* Returns when to look next. */
static struct mono look(struct watch *w)
{
	struct mono now = mono_clock(), next = MONO_NEVER;
	bool overdue = false;

	for (size_t i = 0; i < ARRAY_LEN(w->seen); i++) {
		overdue |= is_overdue(&w->seen[i], now);
		next = mono_min(next, due(&w->seen[i], now));
	}
	if (overdue)
		(void)take_away(w);
	return next;
}

static int ms_until(struct mono at)
{
	const int64_t ms = 1000000;

	if (at.ns == MONO_NEVER.ns)
		return -1;
	return (int)(MAX(at.ns - mono_clock().ns, (int64_t)0) / ms + 1);
}

static _Noreturn void keep(struct watch *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	for (;;) {
		char word[64];
		int n = poll(&p, 1, ms_until(look(w)));

		if (n < 0 && errno != EINTR)
			break;
		if (n <= 0)
			continue;
		ssize_t len = read(w->fd, word, sizeof(word));
		if (len > 0 && word[len - 1] == QUIT)
			_exit(0);
		if (len <= 0)
			break;
	}
	for (int tries = 10; !take_away(w) && tries > 0; tries--)
		(void)poll(NULL, 0, TRY_AGAIN_MS);
	_exit(0);
}

static void ignore_endings(void)
{
	static const int signals[] = {
		SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE
	};
	sigset_t none;

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)signal(signals[i], SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Keep @fd alone; nothing of the daemon's must live on in the keeper. Returns its new number. */
static int drop_descriptors(int fd)
{
	if (fd <= STDERR_FILENO) /* the daemon may have been started without them */
		fd = fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
	int nothing = open("/dev/null", O_RDWR);

	for (int i = 0; nothing >= 0 && i <= STDERR_FILENO; i++)
		(void)dup2(nothing, i);
	if (fd != 3)
		(void)dup2(fd, 3);
	(void)close_range(4, ~0U, 0);
	return 3;
}

static _Noreturn void child(int fd, const char *path, const char *instance, struct vip_pulse *pulse)
{
	(void)setsid();
	(void)prctl(PR_SET_NAME, "crier-keeper");
	(void)!chdir("/");
	ignore_endings();
	mem_trim(); /* what the daemon has freed and not given back yet would stay with us */
	struct watch w = {
		.fd = drop_descriptors(fd),
		.path = path,
		.instance = instance,
		.pulse = pulse,
		.seen = { { .sign = &pulse->loop }, { .sign = &pulse->packets } },
	};
	keep(&w);
}

int vip_keeper_start(struct vip_keeper *k, const char *path, const char *instance,
		     struct vip_pulse *pulse, struct err *e)
{
	int ends[2];
	sigset_t all, before;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(e, "keeper: socketpair");
	/* What ends a whole group must not find the keeper before it ignores that. */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	pid_t pid = fork();
	if (pid == 0)
		child(ends[1], path, instance, pulse);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (pid < 0) {
		int code = err_errno(e, "keeper: fork");
		close(ends[0]);
		return code;
	}
	*k = (struct vip_keeper){ .fd = fd_to_end(ends[0], FD_ENDS_EARLY), .pid = pid };
	return 0;
}

/* When its socket is full it has been told often enough. */
static void say(const struct vip_keeper *k, char word)
{
	(void)!send(k->fd, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void vip_keeper_rouse(const struct vip_keeper *k)
{
	if (k->fd >= 0)
		say(k, LOOK);
}

void vip_keeper_bury(struct vip_keeper *k)
{
	close(k->fd);
	while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*k = (struct vip_keeper){ .fd = -1 };
}

void vip_keeper_stop(struct vip_keeper *k)
{
	if (k->fd < 0)
		return;
	say(k, QUIT);
	vip_keeper_bury(k);
}
