/*
 * The far end of many BFD sessions, for tests/bench/bfd_*: bfd_far US-ADDRESS FIRST-ADDRESS COUNT
 * INTERVAL-US MULTIPLIER. Session i is at FIRST-ADDRESS + i. It keeps each session up as RFC 5880
 * says, runs with real-time priority where it may, and costs little: one raw socket, one receiving
 * socket, and a look at every session each quarter of a millisecond.
 *
 * It takes orders as lines and answers each with one line of JSON:
 *   stats    counts, of now
 *   reset    set counts to zero
 *   cut I    fall silent on session I until its end says Down; microseconds from the last packet sent
 *            plus the detection time to that Down, as the kernel stamped it
 *   cut all  the same on all at once
 *   quit
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "orders.h"

#define TICK_NS	     250000
#define SESSIONS_MAX 4096
#define BATCH	     64
#define DOWNS_NOTED  1024
#define SECOND_NS    INT64_C(1000000000)
#define CUT_PATIENCE (5 * SECOND_NS)

enum { DOWN = 1, INIT = 2, UP = 3 };
enum { DIAG_EXPIRED = 1, DIAG_NEIGHBOR_DOWN = 3 };
enum { POLL = 0x20, FINAL = 0x10 };

struct control {
	uint8_t vers_diag, state_flags, mult, len;
	uint32_t my_disc, your_disc, desired_tx, required_rx, required_echo;
} __attribute__((packed));

struct packet {
	struct iphdr ip;
	uint16_t from_port, to_port, len, sum;
	struct control bfd;
} __attribute__((packed));

struct session {
	uint8_t state, diag, their_state, their_mult;
	uint32_t their_disc, their_rx_us, their_tx_us;
	int64_t tx_at, rx_last; /* monotonic */
	int64_t sent_wall;	/* the last packet, real time */
	int64_t excess_ns;	/* of the last cut; negative: none yet */
	bool silent, noticed, want_final;
};

static struct {
	struct in_addr us, first;
	unsigned n;
	uint32_t interval_us;
	uint8_t mult;
	int raw, in;
	struct session sessions[SESSIONS_MAX];
	uint64_t sent, received, late, their_downs, our_downs;
	int64_t downs_at[DOWNS_NOTED]; /* of either kind, by the real-time clock */
	/* Those who wait for the end of a cut. */
	bool cutting;
	unsigned cut_from, cut_to;
	int64_t cut_until;
} far;

static struct packet out[BATCH];
static unsigned n_out;

static int64_t clock_ns(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

/* ---- sending ---- */

static void flush(void)
{
	static struct mmsghdr msgs[BATCH];
	static struct iovec iov[BATCH];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = far.us };

	for (unsigned i = 0; i < n_out; i++) {
		iov[i] = (struct iovec){ &out[i], sizeof(out[i]) };
		msgs[i].msg_hdr = (struct msghdr){ .msg_name = &to,
						   .msg_namelen = sizeof(to),
						   .msg_iov = &iov[i],
						   .msg_iovlen = 1 };
	}
	for (unsigned i = 0; i < n_out;) {
		int n = sendmmsg(far.raw, msgs + i, n_out - i, 0);

		i += n > 0 ? (unsigned)n : 1;
		far.sent += n > 0 ? (unsigned)n : 0;
	}
	n_out = 0;
}

static uint32_t interval_us(const struct session *s)
{
	uint32_t ours = s->state == UP ? far.interval_us : 1000000;

	return ours > s->their_rx_us ? ours : s->their_rx_us;
}

static void send_one(unsigned i, int64_t now)
{
	struct session *s = &far.sessions[i];
	struct packet *p = &out[n_out++];

	*p = (struct packet){
		.ip = { .version = 4,
			.ihl = 5,
			.tos = 0xc0,
			.ttl = 255,
			.protocol = IPPROTO_UDP,
			.saddr = htonl(ntohl(far.first.s_addr) + i),
			.daddr = far.us.s_addr },
		.from_port = htons((uint16_t)(49152 + i)),
		.to_port = htons(3784),
		.len = htons(8 + sizeof(struct control)),
		.bfd = { .vers_diag = (uint8_t)(1 << 5 | s->diag),
			 .state_flags = (uint8_t)(s->state << 6 | (s->want_final ? FINAL : 0)),
			 .mult = far.mult,
			 .len = sizeof(struct control),
			 .my_disc = htonl(i + 1),
			 .your_disc = htonl(s->their_disc),
			 .desired_tx = htonl(s->state == UP ? far.interval_us : 1000000),
			 .required_rx = htonl(far.interval_us) },
	};
	s->want_final = false;
	s->sent_wall = clock_ns(CLOCK_REALTIME);
	int64_t ns = interval_us(s) * INT64_C(1000);

	s->tx_at = now + ns - ns / 4 * (random() & 0xffff) / 0x10000;
	if (n_out == BATCH)
		flush();
}

/* ---- the state machine ---- */

static int64_t detect_ns(const struct session *s)
{
	uint32_t us = far.interval_us > s->their_tx_us ? far.interval_us : s->their_tx_us;

	return (int64_t)s->their_mult * us * 1000;
}

static void enter(struct session *s, uint8_t state, uint8_t diag, int64_t now)
{
	s->state = state;
	s->diag = diag;
	s->tx_at = now;
}

/* When the next down is counted. */
static void note_moment(int64_t stamp)
{
	uint64_t n = far.their_downs + far.our_downs;

	if (n < DOWNS_NOTED)
		far.downs_at[n] = stamp;
}

static void note_down(struct session *s, int64_t stamp)
{
	uint32_t us = far.interval_us > s->their_rx_us ? far.interval_us : s->their_rx_us;

	if (!s->silent) {
		note_moment(stamp);
		far.their_downs++;
	} else if (!s->noticed) {
		s->excess_ns = stamp - s->sent_wall - (int64_t)far.mult * us * 1000;
	}
	s->noticed = true;
}

static void receive_one(const struct control *c, unsigned i, int64_t stamp, int64_t now)
{
	struct session *s = &far.sessions[i];
	uint8_t theirs = c->state_flags >> 6;

	far.received++;
	s->their_disc = ntohl(c->my_disc);
	s->their_mult = c->mult;
	s->their_rx_us = ntohl(c->required_rx);
	s->their_tx_us = ntohl(c->desired_tx);
	s->their_state = theirs;
	s->rx_last = now;
	if (c->state_flags & POLL) {
		s->want_final = true;
		s->tx_at = now;
	}
	if (s->state == UP && theirs <= DOWN) {
		note_down(s, stamp);
		enter(s, DOWN, DIAG_NEIGHBOR_DOWN, now);
	} else if (s->state == DOWN && theirs == DOWN) {
		enter(s, INIT, 0, now);
	} else if (s->state != UP && theirs >= INIT) {
		enter(s, UP, 0, now);
	}
}

static int64_t stamp_of(struct msghdr *h, uint32_t *to)
{
	int64_t stamp = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec ts;

			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			stamp = ts.tv_sec * SECOND_NS + ts.tv_nsec;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*to = ntohl(info.ipi_addr.s_addr);
		}
	}
	return stamp;
}

static void receive_all(int64_t now)
{
	static struct control bytes[BATCH];
	static char control[BATCH][128];
	static struct mmsghdr msgs[BATCH];
	static struct iovec iov[BATCH];
	int n;

	do {
		for (unsigned i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ &bytes[i], sizeof(bytes[i]) };
			msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i],
							   .msg_iovlen = 1,
							   .msg_control = control[i],
							   .msg_controllen = sizeof(control[i]) };
		}
		n = recvmmsg(far.in, msgs, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			uint32_t to = 0;
			int64_t stamp = stamp_of(&msgs[i].msg_hdr, &to);
			unsigned which = to - ntohl(far.first.s_addr);

			if (which < far.n && msgs[i].msg_len == sizeof(struct control))
				receive_one(&bytes[i], which, stamp, now);
		}
	} while (n == BATCH);
}

static void run_sessions(int64_t now)
{
	for (unsigned i = 0; i < far.n; i++) {
		struct session *s = &far.sessions[i];

		if (s->state == UP && now - s->rx_last > detect_ns(s)) {
			note_moment(clock_ns(CLOCK_REALTIME));
			far.our_downs++;
			s->their_disc = 0;
			s->their_rx_us = 0;
			enter(s, DOWN, DIAG_EXPIRED, now);
		}
		if (!s->silent && now >= s->tx_at)
			send_one(i, now);
	}
	if (n_out)
		flush();
}

/* ---- orders ---- */

static unsigned count_up(void)
{
	unsigned up = 0;

	for (unsigned i = 0; i < far.n; i++)
		up += far.sessions[i].state == UP && far.sessions[i].their_state == UP;
	return up;
}

static void cut_begin(unsigned from, unsigned to, int64_t now)
{
	for (unsigned i = from; i < to; i++) {
		far.sessions[i].silent = true;
		far.sessions[i].noticed = false;
	}
	far.cutting = true;
	far.cut_from = from;
	far.cut_to = to;
	far.cut_until = now + CUT_PATIENCE;
}

static void cut_look(int64_t now)
{
	unsigned waiting = 0;

	for (unsigned i = far.cut_from; i < far.cut_to; i++)
		waiting += !far.sessions[i].noticed;
	if (waiting && now < far.cut_until)
		return;
	far.cutting = false;
	printf("{\"unnoticed\": %u, \"excess-us\": [", waiting);
	for (unsigned i = far.cut_from, any = 0; i < far.cut_to; i++) {
		if (far.sessions[i].noticed)
			printf("%s%.1f", any++ ? ", " : "",
			       (double)far.sessions[i].excess_ns / 1e3);
		far.sessions[i].silent = false;
	}
	puts("]}");
}

static void print_stats(void)
{
	printf("{\"up\": %u, \"sent\": %lu, \"received\": %lu, \"late-ticks\": %lu, "
	       "\"their-downs\": %lu, \"our-downs\": %lu, \"downs-at\": [",
	       count_up(), far.sent, far.received, far.late, far.their_downs, far.our_downs);
	for (uint64_t i = 0; i < far.their_downs + far.our_downs && i < DOWNS_NOTED; i++)
		printf("%s%ld", i ? ", " : "", far.downs_at[i]);
	puts("]}");
}

static void obey(const char *line, int64_t now)
{
	if (strcmp(line, "quit") == 0)
		exit(0);
	if (strcmp(line, "cut all") == 0) {
		cut_begin(0, far.n, now);
	} else if (strncmp(line, "cut ", 4) == 0) {
		unsigned i = (unsigned)strtoul(line + 4, NULL, 10) % far.n;

		cut_begin(i, i + 1, now);
	} else {
		if (strcmp(line, "reset") == 0)
			far.sent = far.received = far.late = far.their_downs = far.our_downs = 0;
		print_stats();
	}
}

static void listen_to_orders(int64_t now)
{
	static struct orders orders;

	orders_read(&orders);
	for (const char *line; (line = orders_next(&orders));)
		obey(line, now);
}

/* ---- start ---- */

static void open_sockets(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(3784) };
	int on = 1, size = 32 << 20;

	far.raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	far.in = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(far.raw, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(far.in, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(far.in, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	setsockopt(far.in, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (far.raw < 0 || bind(far.in, (struct sockaddr *)&any, sizeof(any)) < 0) {
		perror("bfd_far");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct sched_param priority = { .sched_priority = 50 };

	if (argc != 6 || !inet_aton(argv[1], &far.us) || !inet_aton(argv[2], &far.first))
		return 2;
	far.n = (unsigned)atoi(argv[3]);
	far.interval_us = (uint32_t)atoi(argv[4]);
	far.mult = (uint8_t)atoi(argv[5]);
	if (far.n == 0 || far.n > SESSIONS_MAX || far.interval_us == 0 || far.mult == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	sched_setscheduler(0, SCHED_FIFO, &priority);
	open_sockets();

	int64_t next = clock_ns(CLOCK_MONOTONIC);
	for (unsigned i = 0; i < far.n; i++)
		far.sessions[i] = (struct session){ .state = DOWN, .tx_at = next + i * TICK_NS };
	for (unsigned tick = 0;; tick++) {
		next += TICK_NS;
		struct timespec ts = { next / SECOND_NS, next % SECOND_NS };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		int64_t now = clock_ns(CLOCK_MONOTONIC);

		far.late += now - next > 1000000;
		next = now - next > 1000000 ? now : next;
		receive_all(now);
		run_sessions(now);
		if (far.cutting)
			cut_look(now);
		else if (tick % 40 == 0)
			listen_to_orders(now);
	}
}
