/*
 * The far end of many BGP sessions, for tests/bench/bgp_fanout: bgp_far FIRST-ADDRESS COUNT ASN HOLD-S. It
 * listens; session i is whoever connects to FIRST-ADDRESS + i. It takes routes and counts them, in the
 * classic fields of IPv4 unicast, and says nothing but OPEN and KEEPALIVE. Each session waits in OpenConfirm for
 * the order to go on.
 *
 * It takes orders as lines and answers each with one line of JSON:
 *   stats   sessions that wait, those that are established, prefixes, messages, and the longest silence of
 *           one that was to send KEEPALIVEs, in ms, since the last go
 *   go N    establish all that wait, until each session has had N prefixes; ms from the first KEEPALIVE to the last
 *           prefix of the first session that was done, and of the last
 *   close   close all
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "orders.h"

#define SESSIONS_MAX 4096
#define MESSAGE_MAX  65535
#define HEAD	     19
#define PATIENCE_NS  INT64_C(120000000000)

enum { OPEN = 1, UPDATE, NOTIFICATION, KEEPALIVE };
enum state { CLOSED, OPENING, WAITING, ESTABLISHED };

struct session {
	int fd;
	enum state state;
	uint64_t prefixes, messages;
	int64_t heard, longest, spoken; /* ns */
	size_t len;
	uint8_t bytes[2 * (MESSAGE_MAX + 1)];
};

static struct {
	struct in_addr first;
	uint32_t n, asn;
	uint16_t hold_s;
	int epoll, listener;
	struct session *v;
	uint64_t wanted; /* 0: nobody waits */
	int64_t began, first_done, last_done;
	uint32_t done;
} far;

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- messages ---- */

static void put16(uint8_t *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void say(struct session *s, uint8_t type, const uint8_t *body, size_t len)
{
	uint8_t m[256];

	memset(m, 0xff, 16);
	put16(m + 16, (uint16_t)(HEAD + len));
	m[18] = type;
	if (len)
		memcpy(m + HEAD, body, len);
	if (send(s->fd, m, HEAD + len, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		s->state = CLOSED;
	s->spoken = now_ns();
}

/* IPv4 unicast and 4-octet AS numbers (RFC 4760, 6793). */
static void say_open(struct session *s)
{
	static const uint8_t capabilities[] = { 14, 2, 12, 1, 4, 0, 1, 0, 1, 65, 4 };
	uint8_t b[24] = { 4 };
	uint32_t asn = htonl(far.asn), id = htonl(ntohl(far.first.s_addr) + (uint32_t)(s - far.v));

	put16(b + 1, (uint16_t)far.asn);
	put16(b + 3, far.hold_s);
	memcpy(b + 5, &id, 4);
	memcpy(b + 9, capabilities, sizeof(capabilities));
	memcpy(b + 20, &asn, 4);
	say(s, OPEN, b, sizeof(b));
}

static uint64_t count_prefixes(const uint8_t *p, const uint8_t *end)
{
	uint64_t n = 0;

	for (; p < end; n++)
		p += 1 + (p[0] + 7) / 8;
	return n;
}

static void update(struct session *s, const uint8_t *body, size_t len, int64_t now)
{
	size_t withdrawn = get16(body), attrs = get16(body + 2 + withdrawn);

	s->messages++;
	s->prefixes += count_prefixes(body + 4 + withdrawn + attrs, body + len);
	if (far.wanted && s->prefixes >= far.wanted && far.done < far.n) {
		if (far.done++ == 0)
			far.first_done = now;
		far.last_done = now;
	}
}

static void hear(struct session *s, uint8_t type, const uint8_t *body, size_t len, int64_t now)
{
	if (s->state == ESTABLISHED && now - s->heard > s->longest)
		s->longest = now - s->heard;
	s->heard = now;
	if (type == KEEPALIVE && s->state == OPENING) {
		s->state = WAITING; /* our own KEEPALIVE comes with the order to go */
	} else if (type == UPDATE) {
		update(s, body, len, now);
	} else if (type == NOTIFICATION) {
		fprintf(stderr, "session %ld: NOTIFICATION %u/%u\n", (long)(s - far.v), body[0],
			body[1]);
		s->state = CLOSED;
	}
}

/* True while there may be more. */
static bool take_one(struct session *s, size_t *at, int64_t now)
{
	const uint8_t *m = s->bytes + *at;
	size_t len = s->len - *at >= HEAD ? get16(m + 16) : SIZE_MAX;

	if (len > s->len - *at)
		return false;
	hear(s, m[18], m + HEAD, len - HEAD, now);
	*at += len;
	return s->state != CLOSED;
}

static void session_close(struct session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->state = CLOSED;
}

static void session_read(struct session *s)
{
	ssize_t n = read(s->fd, s->bytes + s->len, sizeof(s->bytes) - s->len);
	int64_t now = now_ns();
	size_t at = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	s->len += n > 0 ? (size_t)n : 0;
	while (take_one(s, &at, now))
		;
	s->len -= at;
	memmove(s->bytes, s->bytes + at, s->len);
	if (n <= 0 || s->state == CLOSED)
		session_close(s);
}

/* ---- connections ---- */

static struct session *session_of(int fd)
{
	struct sockaddr_in us;
	socklen_t len = sizeof(us);

	if (getsockname(fd, (struct sockaddr *)&us, &len) < 0)
		return NULL;
	uint32_t i = ntohl(us.sin_addr.s_addr) - ntohl(far.first.s_addr);
	return i < far.n ? &far.v[i] : NULL;
}

static void accept_all(void)
{
	int fd, on = 1;

	while ((fd = accept4(far.listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct session *s = session_of(fd);

		if (!s) {
			close(fd);
			continue;
		}
		session_close(s);
		s->fd = fd;
		s->state = OPENING;
		s->len = s->prefixes = s->messages = 0;
		s->heard = now_ns();
		s->longest = 0;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };
		epoll_ctl(far.epoll, EPOLL_CTL_ADD, fd, &ev);
		say_open(s);
	}
}

static void keep_alive(int64_t now)
{
	int64_t pause = far.hold_s * INT64_C(1000000000) / 3;

	for (uint32_t i = 0; far.hold_s && i < far.n; i++)
		if (far.v[i].state == ESTABLISHED && now - far.v[i].spoken >= pause)
			say(&far.v[i], KEEPALIVE, NULL, 0);
}

/* ---- orders ---- */

static void go(uint64_t wanted)
{
	far.wanted = wanted;
	far.done = 0;
	far.began = now_ns();
	for (uint32_t i = 0; i < far.n; i++) {
		struct session *s = &far.v[i];

		s->longest = 0;
		if (s->state != WAITING)
			continue;
		s->state = ESTABLISHED;
		s->heard = now_ns();
		say(s, KEEPALIVE, NULL, 0);
	}
}

static void went(void)
{
	printf("{\"done\": %u, \"first-ms\": %.3f, \"last-ms\": %.3f}\n", far.done,
	       (double)(far.first_done - far.began) / 1e6,
	       (double)(far.last_done - far.began) / 1e6);
	far.wanted = 0;
}

static void stats(void)
{
	uint64_t waiting = 0, established = 0, prefixes = 0, messages = 0;
	int64_t longest = 0;

	for (uint32_t i = 0; i < far.n; i++) {
		waiting += far.v[i].state == WAITING;
		established += far.v[i].state == ESTABLISHED;
		prefixes += far.v[i].prefixes;
		messages += far.v[i].messages;
		longest = far.v[i].longest > longest ? far.v[i].longest : longest;
	}
	printf("{\"waiting\": %lu, \"established\": %lu, \"prefixes\": %lu, \"messages\": %lu, "
	       "\"longest-silence-ms\": %.1f}\n",
	       waiting, established, prefixes, messages, (double)longest / 1e6);
}

static void obey(const char *line)
{
	if (strncmp(line, "go ", 3) == 0) {
		go(strtoull(line + 3, NULL, 10));
		if (far.wanted)
			return; /* answered when it is done */
	}
	if (strcmp(line, "close") == 0)
		for (uint32_t i = 0; i < far.n; i++)
			session_close(&far.v[i]);
	stats();
}

static void take_orders(void)
{
	static struct orders orders;

	orders_read(&orders);
	for (const char *line; (line = orders_next(&orders));)
		obey(line);
}

/* ---- start ---- */

static void start(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(179) };
	int on = 1, size = 8 << 20;

	far.epoll = epoll_create1(0);
	far.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(far.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(far.listener, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(far.listener, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    listen(far.listener, 4096) < 0)
		die("bgp_far");
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &far.listener };
	epoll_ctl(far.epoll, EPOLL_CTL_ADD, far.listener, &ev);
	ev.data.ptr = NULL;
	epoll_ctl(far.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &ev);
}

static void turn(void)
{
	struct epoll_event ev[64];
	int n = epoll_wait(far.epoll, ev, 64, 1000);

	for (int i = 0; i < n; i++) {
		if (!ev[i].data.ptr)
			take_orders();
		else if (ev[i].data.ptr == &far.listener)
			accept_all();
		else
			session_read(ev[i].data.ptr);
	}
	int64_t now = now_ns();
	keep_alive(now);
	if (far.wanted && (far.done == far.n || now - far.began > PATIENCE_NS))
		went();
}

int main(int argc, char **argv)
{
	if (argc != 5 || !inet_aton(argv[1], &far.first))
		return 2;
	far.n = (uint32_t)atoi(argv[2]);
	far.asn = (uint32_t)atoi(argv[3]);
	far.hold_s = (uint16_t)atoi(argv[4]);
	if (far.n == 0 || far.n > SESSIONS_MAX)
		return 2;
	far.v = calloc(far.n, sizeof(*far.v));
	if (!far.v)
		die("bgp_far");
	for (uint32_t i = 0; i < far.n; i++)
		far.v[i].fd = -1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	start();
	for (;;)
		turn();
}
