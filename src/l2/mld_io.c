#include "l2/mld_io.h"

#include <errno.h>
#include <unistd.h>

#include "base/rng.h"
#include "net/packet.h"

enum { INPUT_MAX = 16 }; /* queries, before others on the loop get their turn */

#define RETRY DUR_S(1)

struct mld_io {
	struct loop_io watch;
	struct loop_timer timer;
	struct mld *core;
	struct mld_stats *stats;
	int ifindex;
	int fd; /* -1: none is needed, or to be opened again */
};

static void io_ready(struct loop_io *watch, unsigned events);
static void io_timer(struct loop_timer *t, struct mono now);

struct mld_io *mld_io_new(struct loop *loop, int ifindex, struct mld_stats *stats)
{
	struct mld_io *io = mem_new(struct mld_io);
	uint64_t seed;

	rng_secure(&seed, sizeof(seed));
	io->core = mld_new(seed, stats);
	io->stats = stats;
	io->ifindex = ifindex;
	io->fd = -1;
	loop_io_init(&io->watch, loop, io_ready);
	loop_timer_init(&io->timer, loop, io_timer);
	return io;
}

static struct mono io_now(const struct mld_io *io)
{
	return loop_now(io->timer.loop);
}

static void io_close(struct mld_io *io)
{
	loop_io_stop(&io->watch);
	if (io->fd >= 0)
		close(io->fd); /* and all multicast is let in no more */
	io->fd = -1;
}

/**
 * Lets queries through: those behind options for all on the way, of whatever length, and those
 * without, for which there is a name to drop them by. By hand, because libpcap would have to be
 * loaded for nothing else.
 */
static int io_open_filtered(const struct mld_io *io)
{
	enum {
		IP = 14,
		NEXT_HEADER = IP + 6,
		BEHIND = IP + 40,
		OPTIONS = 0,
		ICMP6 = 58,
		QUERY = 130
	};
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NEXT_HEADER),
		BPF_STMT(BPF_LDX | BPF_IMM, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6, 7, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OPTIONS, 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, BEHIND), /* their next header, */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, BEHIND + 1), /* and their length */
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 3),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, BEHIND), /* the message's type */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, QUERY, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct pcap_prog filter = { .insns = insns, .n = ARRAY_LEN(insns) };
	int fd = packet_open(io->ifindex, MLD_ETHERTYPE, &filter, NULL);

	if (fd >= 0 && packet_all_multicast(fd, io->ifindex, true, NULL) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/** True when it is open, now or before. */
static bool io_open(struct mld_io *io)
{
	if (io->fd < 0)
		io->fd = io_open_filtered(io);
	if (io->fd < 0) {
		io->stats->socket_errors++;
		return false;
	}
	loop_io_watch(&io->watch, io->fd, LOOP_READ);
	return true;
}

/** Send what is due at an instant. */
static void io_send(struct mld_io *io, struct mono at)
{
	uint8_t frame[MLD_FRAME_MAX];

	for (;;) {
		struct wr w = wr_to(frame, sizeof(frame));
		if (!mld_next(io->core, at, &w))
			return;
		/* What is lost is said again. */
		io->stats->lost += packet_send(io->fd, w.p, w.len) < 0;
	}
}

/** Say what is due, and see to it that more follows; a listener with nothing to say hears nothing. */
static void io_run(struct mld_io *io)
{
	if (!mld_is_idle(io->core) && !io_open(io)) {
		loop_timer_set(&io->timer, mono_add(io_now(io), RETRY));
		return;
	}
	if (io->fd >= 0)
		io_send(io, io_now(io));
	if (mld_is_idle(io->core))
		io_close(io);
	loop_timer_set(&io->timer, mld_deadline(io->core));
}

static void io_timer(struct loop_timer *t, struct mono now)
{
	(void)now;
	io_run(CONTAINER_OF(t, struct mld_io, timer));
}

/** An interface that went down is heard again when it comes up; one that is gone is not. */
static void io_error(struct mld_io *io, int error)
{
	if (error == EAGAIN || error == EINTR)
		return;
	io->stats->socket_errors++;
	if (packet_is_bound(io->fd))
		return;
	io_close(io);
	loop_timer_set(&io->timer, mono_add(io_now(io), RETRY));
}

static void io_input(struct mld_io *io, const uint8_t *frame, size_t len)
{
	if (len > MLD_FRAME_MAX)
		io->stats->rx[MLD_RX_CUT]++;
	else
		(void)mld_input(io->core, rd_from(frame, len), io_now(io));
}

static void io_ready(struct loop_io *watch, unsigned events)
{
	struct mld_io *io = CONTAINER_OF(watch, struct mld_io, watch);
	uint8_t frame[MLD_FRAME_MAX];

	(void)events;
	for (unsigned i = 0; i < INPUT_MAX; i++) {
		int n = packet_recv_one(io->fd, frame, sizeof(frame));
		if (n < 0) {
			io_error(io, -n);
			break;
		}
		io_input(io, frame, (size_t)n);
	}
	if (io->fd >= 0)
		loop_timer_set(&io->timer, mld_deadline(io->core));
}

void mld_io_set_link(struct mld_io *io, const struct mld_link *link)
{
	mld_set_link(io->core, link, io_now(io));
}

void mld_io_listen(struct mld_io *io, const uint32_t *groups, size_t n)
{
	mld_listen(io->core, groups, n, io_now(io));
	io_run(io);
}

void mld_io_forget(struct mld_io *io, uint32_t group)
{
	mld_forget(io->core, group);
	if (mld_is_idle(io->core))
		io_close(io);
}

size_t mld_io_groups(const struct mld_io *io)
{
	return mld_groups(io->core);
}

bool mld_io_hears(const struct mld_io *io)
{
	return io->fd >= 0;
}

bool mld_io_is_idle(const struct mld_io *io)
{
	return mld_is_idle(io->core);
}

/** There is no time to pace it: what it would say later is said at once. */
static void io_say_the_rest(struct mld_io *io)
{
	struct mono at = io_now(io);

	for (mld_end(io->core, at); !mld_is_idle(io->core); at = mld_deadline(io->core))
		io_send(io, at);
}

struct mld_io *mld_io_free(struct mld_io *io)
{
	if (!io)
		return NULL;
	if (io->fd >= 0)
		io_say_the_rest(io);
	io_close(io);
	loop_timer_stop(&io->timer);
	mld_free(io->core);
	free(io);
	return NULL;
}
