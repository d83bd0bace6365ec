#include "bfd/io.h"

#include <errno.h>
#include <linux/filter.h>
#include <time.h>
#include <unistd.h>

#include "base/rng.h"
#include "bfd/pkt.h"
#include "bfd/tx.h"

/* Two seconds of a thousand sessions at 50 ms, each packet with the kernel's overhead, while the
 * process does not run. */
#define RCVBUF_BYTES (32 << 20)

/* What one turn reads of a socket at most: about two milliseconds' work. */
#define BATCHES_PER_TURN 32

/* What of strangers may wait; a turn reads one batch of it. */
#define STRANGERS_BYTES (2 << 20)

/* Our discriminators, times the number drawn at the start, begin with so many bits that tell. */
#define DISC_TAG_BITS 10

/* Pausing begins when so many packets come in each pause, and ends when less than half of it do. */
#define WINDOW		  DUR_MS(10)
#define PACKETS_PER_PAUSE 2

static int64_t wall_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void listener_ready(struct loop_io *io, unsigned events)
{
	(void)events;
	bfd_io_drain(CONTAINER_OF(io, struct bfd_listener, io)->owner);
}

static void pause_over(struct loop_timer *t, struct mono now)
{
	(void)now;
	bfd_io_drain(CONTAINER_OF(t, struct bfd_io, wake));
}

void bfd_io_init(struct bfd_io *io, struct loop *loop, uint16_t port,
		 void (*received)(void *ctx, const struct bfd_rx *rx), void *ctx)
{
	*io = (struct bfd_io){ .loop = loop, .port = port, .received = received, .ctx = ctx };
	rng_secure(&io->disc_mul, sizeof(io->disc_mul));
	io->disc_tag = io->disc_mul % ((1u << DISC_TAG_BITS) - 1) + 1;
	io->disc_mul |= 1;
	io->batch = udp_batch_new();
	io->read_until = io->window_start = mono_clock();
	loop_timer_init(&io->wake, loop, pause_over);
}

static void listener_close(struct bfd_listener *l)
{
	loop_io_stop(&l->io);
	close(l->fd);
	l->fd = -1;
}

void bfd_io_fini(struct bfd_io *io)
{
	loop_timer_stop(&io->wake);
	for (size_t i = 0; i < io->n_listeners; i++) {
		if (io->listeners[i].fd >= 0)
			listener_close(&io->listeners[i]);
	}
	io->n_listeners = 0;
	io->batch = udp_batch_free(io->batch);
}

static bool is_open(const struct bfd_io *io, enum family family, bool multihop, uint32_t vrf)
{
	for (size_t i = 0; i < io->n_listeners; i++) {
		const struct bfd_listener *l = &io->listeners[i];

		if (l->fd >= 0 && l->family == family && l->multihop == multihop && l->vrf == vrf)
			return true;
	}
	return false;
}

static struct bfd_listener *place(struct bfd_io *io)
{
	for (size_t i = 0; i < io->n_listeners; i++) {
		if (io->listeners[i].fd < 0)
			return &io->listeners[i];
	}
	return io->n_listeners < BFD_LISTENERS_MAX ? &io->listeners[io->n_listeners++] : NULL;
}

/* By Newton: each step doubles the bits that are right, and an odd number is its own inverse modulo
 * eight. */
static uint32_t inverse(uint32_t odd)
{
	uint32_t x = odd;

	for (int i = 0; i < 4; i++)
		x *= 2 - odd * x;
	return x;
}

uint32_t bfd_io_disc(const struct bfd_io *io, uint32_t random)
{
	uint32_t tagged = io->disc_tag << (32 - DISC_TAG_BITS) | random >> DISC_TAG_BITS;

	return inverse(io->disc_mul) * tagged;
}

static bool wakes(const struct bfd_listener *l)
{
	return l->class != BFD_CLASS_BULK || !l->owner->lazy;
}

static unsigned wanted_events(const struct bfd_listener *l)
{
	return wakes(l) && !l->owner->pausing ? LOOP_READ : 0;
}

static int listener_open(struct bfd_io *io, struct udp_conf conf, bool multihop,
			 enum bfd_class class, struct err *e)
{
	struct bfd_listener *l = place(io);

	if (!l) {
		errno = EMFILE;
		return err_set(e, ERR_LIMIT, "BFD: too many VRFs");
	}
	*l = (struct bfd_listener){ .owner = io,
				    .fd = -1,
				    .class = class,
				    .family = conf.family,
				    .multihop = multihop,
				    .vrf = conf.vrf };
	conf.rcvbuf_bytes = class == BFD_CLASS_STRANGERS ? STRANGERS_BYTES : RCVBUF_BYTES;
	int fd = udp_open(&conf, e);
	if (fd < 0)
		return err_wrap(e, "BFD");
	l->fd = fd;
	l->empty_at = l->read_until = mono_clock();
	loop_io_init(&l->io, io->loop, listener_ready);
	loop_io_watch(&l->io, fd, wanted_events(l));
	return fd;
}

/* The numbers are those of enum bfd_class, and the sockets are opened in their order. */
static int sort_packets(const struct bfd_io *io, int fd)
{
	const struct sock_filter sort[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, BFD_PKT_LEN, 0, 8),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8), /* Your Discriminator */
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, io->disc_mul),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 32 - DISC_TAG_BITS),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, io->disc_tag, 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1), /* state, P and F */
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc0, 0, 2),
		BPF_STMT(BPF_RET | BPF_K, BFD_CLASS_BULK),
		BPF_STMT(BPF_RET | BPF_K, BFD_CLASS_STRANGERS),
		BPF_STMT(BPF_RET | BPF_K, BFD_CLASS_NEWS),
	};

	return udp_sort(fd, sort, ARRAY_LEN(sort), NULL);
}

/* Where the kernel does not sort, the first socket gets everything. */
int bfd_io_listen(struct bfd_io *io, enum family family, bool multihop, uint32_t vrf, struct err *e)
{
	const struct udp_conf conf = {
		.family = family,
		.port = bfd_tx_port(io->port, multihop),
		.details = true,
		.vrf = vrf,
		.grouped = true,
	};

	if (is_open(io, family, multihop, vrf))
		return 0;
	int fd = listener_open(io, conf, multihop, BFD_CLASS_NEWS, e);
	if (fd < 0)
		return fd;
	if (sort_packets(io, fd) < 0)
		return 0;
	(void)listener_open(io, conf, multihop, BFD_CLASS_BULK, NULL);
	(void)listener_open(io, conf, multihop, BFD_CLASS_STRANGERS, NULL);
	return 0;
}

void bfd_io_prune(struct bfd_io *io, bool (*wanted)(void *ctx, uint32_t vrf), void *ctx)
{
	for (size_t i = 0; i < io->n_listeners; i++) {
		struct bfd_listener *l = &io->listeners[i];

		if (l->fd >= 0 && l->vrf && !wanted(ctx, l->vrf))
			listener_close(l);
	}
}

struct mono bfd_arrival(const struct bfd_wakeup *w, int64_t arrived_ns)
{
	int64_t age_ns = arrived_ns ? w->wall_ns - arrived_ns : 0;

	return mono_add(w->now, DUR_NS(-MAX(0, MIN(age_ns, w->since_last.ns))));
}

/* The kernel's count comes with each datagram once it is not zero any more. */
static void count_lost(struct bfd_listener *l, uint32_t ever)
{
	bool stranger = l->class == BFD_CLASS_STRANGERS;

	if (!ever)
		return;
	*(stranger ? &l->owner->strangers_lost : &l->owner->lost) += ever - l->lost;
	l->lost = ever;
}

/* The real-time clock first: should we be interrupted between the two, packets look younger than they
 * are, and no peer looks silent. */
static struct bfd_wakeup wakeup_now(void)
{
	struct bfd_wakeup w = { .wall_ns = wall_clock_ns() };

	w.now = mono_clock();
	return w;
}

/* What came while others were read is younger than the wake-up. */
static struct mono arrival(const struct bfd_listener *l, const struct bfd_wakeup *w,
			   int64_t arrived_ns)
{
	if (arrived_ns <= w->wall_ns)
		return bfd_arrival(w, arrived_ns);
	struct bfd_wakeup later = wakeup_now();

	later.since_last = mono_sub(later.now, l->empty_at);
	return bfd_arrival(&later, arrived_ns);
}

/* True when the datagram came after this wake-up began. */
static bool hand_over(struct bfd_listener *l, const struct bfd_wakeup *w, int i)
{
	struct bfd_io *io = l->owner;
	struct udp_msg msg;

	udp_batch_get(io->batch, i, &msg);
	struct bfd_rx rx = {
		.bytes = msg.bytes,
		.cut = msg.cut,
		.multihop = l->multihop,
		.peer = msg.from,
		.local = msg.to,
		.ifindex = msg.ifindex,
		.vrf = l->vrf,
		.ttl = msg.ttl,
		.at = arrival(l, w, msg.arrived_ns),
	};
	l->read_until = rx.at;
	count_lost(l, msg.lost);
	io->received(io->ctx, &rx);
	return msg.arrived_ns > w->wall_ns;
}

/*
 * Until the socket is empty, or until what came after the wake-up, but not longer than other work
 * can wait: a flood must not keep us here.
 */
static void listener_drain(struct bfd_listener *l, struct bfd_wakeup *w)
{
	int rounds = l->class == BFD_CLASS_STRANGERS ? 1 : BATCHES_PER_TURN;

	w->since_last = mono_sub(w->now, l->empty_at);
	for (int round = 0; round < rounds; round++) {
		int n = udp_batch_recv(l->owner->batch, l->fd);
		bool newer = false;

		for (int i = 0; i < n; i++)
			newer |= hand_over(l, w, i);
		if (n > 0 && wakes(l))
			l->owner->window_packets += (unsigned)n;
		if (n < UDP_BATCH || newer) {
			l->empty_at = l->read_until = w->now;
			return;
		}
	}
}

static void watch_all(struct bfd_io *io)
{
	for (size_t i = 0; i < io->n_listeners; i++) {
		struct bfd_listener *l = &io->listeners[i];

		if (l->fd >= 0)
			loop_io_watch(&l->io, l->fd, wanted_events(l));
	}
}

void bfd_io_set_lazy(struct bfd_io *io, bool lazy)
{
	if (io->lazy == lazy)
		return;
	io->lazy = lazy;
	watch_all(io);
}

/* Wait for packets one by one, or look each pause? By how many came in the last window. */
static void choose_pace(struct bfd_io *io, struct mono now)
{
	struct dur window = mono_sub(now, io->window_start);

	if (window.ns < WINDOW.ns)
		return;
	int64_t came = io->window_packets * io->pause.ns;
	bool fast = came >= PACKETS_PER_PAUSE * window.ns;
	bool slow = 2 * came < PACKETS_PER_PAUSE * window.ns;

	io->window_start = now;
	io->window_packets = 0;
	if (io->pausing ? slow : fast) {
		io->pausing = !io->pausing;
		watch_all(io);
	}
}

static void drain_all(struct bfd_io *io, enum bfd_class class, struct bfd_wakeup *w)
{
	for (size_t i = 0; i < io->n_listeners; i++) {
		struct bfd_listener *l = &io->listeners[i];

		if (l->fd < 0 || l->class != class)
			continue;
		listener_drain(l, w);
		if (class != BFD_CLASS_STRANGERS)
			io->read_until = mono_min(io->read_until, l->read_until);
	}
}

/*
 * The bulk first: what a peer says of its session in other packets is mostly newer. And all sockets, whether the loop
 * has seen something there or not: it may look at them later in this turn, and then old news would follow newer ones.
 */
void bfd_io_drain(struct bfd_io *io)
{
	struct bfd_wakeup w = wakeup_now();
	struct mono turn = loop_now(io->loop);

	if (io->turn.ns == turn.ns)
		return;
	io->turn = turn;
	io->read_until = w.now;
	drain_all(io, BFD_CLASS_BULK, &w);
	drain_all(io, BFD_CLASS_NEWS, &w);
	drain_all(io, BFD_CLASS_STRANGERS, &w);
	choose_pace(io, w.now);
	if (io->pausing || loop_timer_active(&io->wake))
		loop_timer_set(&io->wake, io->pausing ? mono_add(w.now, io->pause) : MONO_NEVER);
}
