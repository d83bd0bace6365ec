/*
 * The least that heartbeats cost: heart_floor OWN-ADDRESS INTERVAL-MS PEER... A yardstick for tests/bench/heartbeats.
 *
 * One thread that sleeps for 75 to 100 % of the interval, takes whatever has come, and sends each peer a packet as
 * long as an authenticated one of BFD, in one system call. It looks at nothing that it gets.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { PORT = 7947, LENGTH = 52, PEERS = 64 };

static uint8_t bytes[PEERS][LENGTH];
static struct iovec parts[PEERS];
static struct sockaddr_in addresses[PEERS];
static struct mmsghdr messages[PEERS];

static struct sockaddr_in at(const char *address)
{
	struct sockaddr_in s = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	if (inet_aton(address, &s.sin_addr) == 0)
		exit(2);
	return s;
}

static void point(unsigned i, struct sockaddr_in *address)
{
	parts[i] = (struct iovec){ .iov_base = bytes[i], .iov_len = LENGTH };
	messages[i].msg_hdr = (struct msghdr){ .msg_name = address,
					       .msg_namelen = address ? sizeof(*address) : 0,
					       .msg_iov = &parts[i],
					       .msg_iovlen = 1 };
}

static void take_all(int fd)
{
	for (unsigned i = 0; i < PEERS; i++)
		point(i, NULL);
	recvmmsg(fd, messages, PEERS, MSG_DONTWAIT, NULL);
}

static void send_all(int fd, unsigned peers)
{
	for (unsigned i = 0; i < peers; i++)
		point(i, &addresses[i]);
	sendmmsg(fd, messages, peers, MSG_DONTWAIT);
}

static void sleep_for(long ns)
{
	struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

int main(int argc, char **argv)
{
	unsigned peers = 0;

	if (argc < 4 || argc > 3 + PEERS)
		return 2;
	struct sockaddr_in own = at(argv[1]);
	long interval_ns = atol(argv[2]) * 1000000;
	for (int i = 3; i < argc; i++)
		addresses[peers++] = at(argv[i]);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		return 1;
	srandom((unsigned)time(NULL) ^ own.sin_addr.s_addr);
	for (;;) {
		sleep_for(interval_ns - interval_ns / 4 * (random() % 1000) / 1000);
		take_all(fd);
		send_all(fd, peers);
	}
}
