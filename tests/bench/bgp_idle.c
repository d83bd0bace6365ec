/*
 * The floor of the idle peers of tests/bench/bgp_fanout: bgp_idle FIRST-ADDRESS COUNT ASN HOLD-S opens a session with each of
 * COUNT addresses, and then only says KEEPALIVE at the pace at which a speaker does, many in one turn, and reads what comes:
 * one system call for each message, and nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TURNS 28 /* in which each session speaks once: 7/8 of 32 in a third of the hold time */

enum { OPEN = 1, KEEPALIVE = 4, HEAD = 19, BATCH = 64 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void say(int fd, uint8_t type, const uint8_t *body, uint8_t len)
{
	uint8_t m[64] = { [17] = (uint8_t)(HEAD + len), [18] = type };

	memset(m, 0xff, 16);
	if (len)
		memcpy(m + HEAD, body, len);
	if (send(fd, m, (size_t)HEAD + len, MSG_NOSIGNAL) < 0)
		die("send");
}

static int session(struct in_addr peer, uint16_t asn, uint16_t hold_s)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(179),
					.sin_addr = peer };
	const uint8_t open[] = { 4,
				 (uint8_t)(asn >> 8),
				 (uint8_t)asn,
				 (uint8_t)(hold_s >> 8),
				 (uint8_t)hold_s,
				 10,
				 60,
				 0,
				 1,
				 0 };
	uint8_t heard[256];
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	say(fd, OPEN, open, sizeof(open));
	if (recv(fd, heard, sizeof(heard), 0) <= 0)
		die("the peer's OPEN");
	say(fd, KEEPALIVE, NULL, 0);
	return fd;
}

static void read_until(int epoll, int64_t end)
{
	struct epoll_event ev[BATCH];
	uint8_t heard[256];

	for (int64_t now = now_ns(); now < end; now = now_ns()) {
		int n = epoll_wait(epoll, ev, BATCH, (int)((end - now) / 1000000 + 1));

		for (int i = 0; i < n; i++)
			if (recv(ev[i].data.fd, heard, sizeof(heard), 0) <= 0)
				exit(0);
	}
}

int main(int argc, char **argv)
{
	struct in_addr first;
	int epoll = epoll_create1(0);

	if (argc != 5 || !inet_aton(argv[1], &first) || epoll < 0)
		return 2;
	size_t n = strtoul(argv[2], NULL, 10);
	uint16_t asn = (uint16_t)atoi(argv[3]), hold_s = (uint16_t)atoi(argv[4]);
	int *fds = calloc(n, sizeof(*fds));
	if (!fds)
		die("calloc");
	for (size_t i = 0; i < n; i++) {
		struct epoll_event ev = { .events = EPOLLIN };

		fds[i] = ev.data.fd = session(
			(struct in_addr){ htonl(ntohl(first.s_addr) + (uint32_t)i) }, asn, hold_s);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &ev) < 0)
			die("epoll");
	}
	int64_t turn = hold_s * INT64_C(1000000000) * 7 / 8 / 3 / TURNS, end = now_ns();
	for (size_t t = 0;; t = (t + 1) % TURNS) {
		end += turn;
		read_until(epoll, end);
		for (size_t i = n * t / TURNS; i < n * (t + 1) / TURNS; i++)
			say(fds[i], KEEPALIVE, NULL, 0);
	}
}
