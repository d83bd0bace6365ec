#include "vip/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vip/sweep.h"

#define TRY_AGAIN_MS 100

enum { BEAT = 'b', QUIT = 'q' };

/* What the keeper knows; all of it is from before the fork. */
struct watch {
	int fd;
	const char *path;
	const char *instance;
	int stalled_ms;
};

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
	return status == 0;
}

static _Noreturn void keep(const struct watch *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	int patience = w->stalled_ms;

	for (;;) {
		char word[64];
		int n = poll(&p, 1, patience);

		if (n < 0 && errno != EINTR)
			break;
		if (n < 0)
			continue;
		if (n == 0) {
			(void)take_away(w);
			patience = -1; /* once is enough, until it lives again */
			continue;
		}
		ssize_t len = read(w->fd, word, sizeof(word));
		if (len > 0 && word[len - 1] == QUIT)
			_exit(0);
		if (len <= 0)
			break;
		patience = w->stalled_ms;
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

static _Noreturn void child(int fd, const char *path, const char *instance, struct dur stalled)
{
	(void)setsid();
	(void)prctl(PR_SET_NAME, "crier-keeper");
	(void)!chdir("/");
	ignore_endings();
	struct watch w = {
		.fd = drop_descriptors(fd),
		.path = path,
		.instance = instance,
		.stalled_ms = (int)dur_ms(stalled),
	};
	keep(&w);
}

int vip_keeper_start(struct vip_keeper *k, const char *path, const char *instance,
		     struct dur stalled, struct err *e)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(e, "keeper: socketpair");
	pid_t pid = fork();
	if (pid == 0)
		child(ends[1], path, instance, stalled);
	close(ends[1]);
	if (pid < 0) {
		int code = err_errno(e, "keeper: fork");
		close(ends[0]);
		return code;
	}
	*k = (struct vip_keeper){ .fd = ends[0], .pid = pid };
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
