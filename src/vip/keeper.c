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

enum { BEAT = 'b', QUIT = 'q' };

/* What the keeper knows; all of it is from before the fork. */
struct watch {
	int fd;
	const char *path;
	const char *instance;
	struct dur stalled;
	struct vip_pulse *pulse;
	struct mono heard;	/* the daemon's last word */
	bool heard_swept;	/* it is overdue, and its addresses are gone */
	int64_t pulse_swept_ns; /* the same of this pulse */
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

/* When to look at the pulse again: when the daemon is overdue, or, once it was, soon: nobody tells that it lives again. */
static struct mono pulse_due(const struct watch *w, int64_t at_ns, struct mono now)
{
	int64_t limit_ns = atomic_load(&w->pulse->limit_ns);

	if (limit_ns == 0 || at_ns == 0)
		return MONO_NEVER;
	return mono_add(at_ns == w->pulse_swept_ns ? now : (struct mono){ at_ns },
			DUR_NS(limit_ns));
}

/* The same by its words. */
static struct mono word_due(const struct watch *w)
{
	return w->heard_swept ? MONO_NEVER : mono_add(w->heard, w->stalled);
}

/* Once is enough, until it lives again. Returns when to look next. */
static struct mono look(struct watch *w)
{
	struct mono now = mono_clock();
	int64_t at_ns = atomic_load(&w->pulse->at_ns);
	bool by_pulse = !mono_before(now, pulse_due(w, at_ns, now));
	bool by_word = !mono_before(now, word_due(w));

	if (by_pulse || by_word)
		(void)take_away(w);
	if (by_pulse)
		w->pulse_swept_ns = at_ns;
	w->heard_swept = w->heard_swept || by_word;
	return mono_min(pulse_due(w, at_ns, now), word_due(w));
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
		w->heard = mono_clock();
		w->heard_swept = false;
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

static _Noreturn void child(int fd, const char *path, const char *instance, struct dur stalled,
			    struct vip_pulse *pulse)
{
	(void)setsid();
	(void)prctl(PR_SET_NAME, "crier-keeper");
	(void)!chdir("/");
	ignore_endings();
	struct watch w = {
		.fd = drop_descriptors(fd),
		.path = path,
		.instance = instance,
		.stalled = stalled,
		.pulse = pulse,
		.heard = mono_clock(),
	};
	keep(&w);
}

int vip_keeper_start(struct vip_keeper *k, const char *path, const char *instance,
		     struct dur stalled, struct vip_pulse *pulse, struct err *e)
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
		child(ends[1], path, instance, stalled, pulse);
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

static bool say(const struct vip_keeper *k, char word)
{
	ssize_t n = send(k->fd, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);

	return n == 1 || errno == EAGAIN; /* it is slow, but it is there */
}

static void bury(struct vip_keeper *k)
{
	close(k->fd);
	while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*k = (struct vip_keeper){ .fd = -1 };
}

bool vip_keeper_beat(struct vip_keeper *k)
{
	if (k->fd >= 0 && say(k, BEAT))
		return true;
	if (k->fd >= 0)
		bury(k);
	return false;
}

void vip_keeper_stop(struct vip_keeper *k)
{
	if (k->fd < 0)
		return;
	(void)say(k, QUIT);
	bury(k);
}
