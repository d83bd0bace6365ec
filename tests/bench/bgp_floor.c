/*
 * The floor of tests/bench/bgp_announce: bgp_floor SOCKET ANNOUNCEMENT WITHDRAWAL, with a connected socket's number and two
 * messages in hex. A line of standard input goes the way that it goes with a speaker: a child reads it, hands it over a UNIX
 * socket and waits for the answer, as a command does; this process waits, reads the line, sends one of the messages, and
 * answers. Four system calls a line, and nothing else.
 */
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct message {
	uint8_t bytes[256];
	size_t len;
};

static struct message message_of(const char *hex)
{
	struct message m = { .len = strlen(hex) / 2 };

	if (m.len > sizeof(m.bytes))
		exit(2);
	for (size_t i = 0; i < m.len; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &m.bytes[i]) != 1)
			exit(2);
	return m;
}

static void relay(int far)
{
	struct pollfd in = { .fd = far, .events = POLLIN };
	char line[4096];
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Who sleeps in recv() is woken as soon as the line is taken, at the taker's cost. */
	while ((n = read(STDIN_FILENO, line, sizeof(line))) > 0)
		if (send(far, line, (size_t)n, 0) != n || poll(&in, 1, -1) < 0 ||
		    recv(far, line, sizeof(line), 0) <= 0)
			break;
	exit(0);
}

static void watch(int epoll, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		exit(1);
}

int main(int argc, char **argv)
{
	int pair[2], epoll = epoll_create1(0);

	if (argc != 4 || epoll < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 2;
	const struct message announcement = message_of(argv[2]), withdrawal = message_of(argv[3]);
	int router = atoi(argv[1]);
	if (fork() == 0)
		relay(pair[1]);
	close(pair[1]);
	watch(epoll, pair[0]);
	watch(epoll, router);
	for (;;) {
		struct epoll_event ev;
		char line[4096];

		if (epoll_wait(epoll, &ev, 1, -1) < 1)
			continue;
		if (recv(ev.data.fd, line, sizeof(line), 0) <= 0)
			return 0;
		if (ev.data.fd == router)
			continue;
		const struct message *m = line[0] == 'a' ? &announcement : &withdrawal;
		if (send(router, m->bytes, m->len, 0) < 0 || send(pair[0], "ok\n", 3, 0) < 0)
			return 1;
	}
}
