#include "l2/io.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "l2/arp.h"
#include "l2/mirror.h"
#include "l2/ping.h"
#include "net/packet.h"

enum {
	BATCHES_MAX = 4,      /* before others on the loop get their turn */
	PINGS_MAX = 16,	      /* the same */
	ANNOUNCE_SLICE = 128, /* announcements in one turn: heartbeats must not wait */
	EVENT_SLICE = 256,    /* addresses taken or given up, the same; more, to be ahead of them */
	REFUSALS_MAX =
		16, /* refused so often in a row, an interface holds up the others no longer */
};

/* What comes sooner after the last one is part of a burst. */
#define BURST_GAP    DUR_NS(50000)
#define BUSY_RETRY   DUR_MS(2)
#define STUCK_PAUSE  DUR_S(1)
#define REOPEN_RETRY DUR_S(1)

static const uint16_t ethertypes[L2_PROTO_COUNT] = {
	[L2_ARP] = ARP_ETHERTYPE,
	[L2_NDP] = NDP_ETHERTYPE,
	[L2_PING4] = PING_ETHERTYPE_V4,
	[L2_PING6] = PING_ETHERTYPE_V6,
};

/** One socket: one protocol on one interface. */
struct port {
	struct l2_io *io;
	int ifindex;
	int below; /* see struct l2_iface */
	enum l2_proto proto;
	struct loop_io watch;
	int fd;				/* -1: to be opened again */
	const struct pcap_prog *filter; /* of the table in force */
	bool by_map;			/* its filter asks the map instead */
	bool failed;			/* and said so */
	struct mono heard;		/* when it was read last */
	bool allmulti;			/* all multicast was asked for */
	unsigned refusals;		/* sends refused in a row */
	struct mono stuck_until;	/* what is announced here before then is given up */
};

struct l2_io {
	struct l2_io_conf conf;
	struct l2_announcer *announcer;
	struct port **ports;
	size_t n_ports;
	struct loop_timer timer;
	struct loop_timer beat;
	struct l2_mirror mirror; /* the addresses in the kernel's map */
	bool map_failed;	 /* and was said so */
	struct mono reopen_at;
	struct l2_frame waiting; /* an announcement that found a buffer full; len 0: none */
	struct mono waiting_until;
	uint8_t *ping; /* one that came, and its answer; NULL while none is answered */
	struct l2_frame replies[PACKET_BATCH];
	struct packet_inbox in;
	struct packet_batch out;
};

static void io_timer(struct loop_timer *t, struct mono now);
static void io_beat(struct loop_timer *t, struct mono now);
static void io_catch_up(struct l2_io *io);

struct l2_io *l2_io_new(const struct l2_io_conf *conf)
{
	struct l2_io *io = mem_new(struct l2_io);

	io->conf = *conf;
	io->announcer = l2_announcer_new(&conf->announcer);
	io->reopen_at = MONO_NEVER;
	loop_timer_init(&io->timer, conf->loop, io_timer);
	loop_timer_init(&io->beat, conf->loop, io_beat);
	io->mirror.fast = conf->fast;
	packet_inbox_init(&io->in);
	packet_batch_init(&io->out);
	return io;
}

static bool is_ping(enum l2_proto proto)
{
	return proto == L2_PING4 || proto == L2_PING6;
}

static struct l2_stats *stats(struct l2_io *io)
{
	return l2_announcer_stats(io->announcer);
}

static void timer_arm(struct l2_io *io)
{
	struct mono at = l2_announcer_deadline(io->announcer);

	if (io->waiting.len > 0)
		at = io->waiting_until;
	if (l2_announcer_has_events(io->announcer))
		at = loop_now(io->conf.loop);
	loop_timer_set(&io->timer, mono_min(at, io->reopen_at));
}

static struct port *port_find(struct l2_io *io, int ifindex, enum l2_proto proto)
{
	for (size_t i = 0; i < io->n_ports; i++) {
		struct port *p = io->ports[i];
		if (p->ifindex == ifindex && p->proto == proto)
			return p;
	}
	return NULL;
}

/* Receiving */

/** Hear no more. The descriptor goes with a table: closing it here would hold up this thread. */
static void port_retire(struct port *p, struct l2_table *with)
{
	loop_io_stop(&p->watch);
	if (p->fd < 0)
		return;
	packet_mute(p->fd);
	l2_table_retire(with, p->fd);
	p->fd = -1;
}

static void port_lost(struct port *p)
{
	port_retire(p, l2_announcer_table(p->io->announcer));
	p->io->reopen_at = mono_add(loop_now(p->io->conf.loop), REOPEN_RETRY);
	timer_arm(p->io);
}

/** How many of the first @n replies the kernel took. */
static size_t replies_send(struct l2_io *io, int fd, size_t n)
{
	if (n == 1)
		return packet_send(fd, io->replies[0].bytes, io->replies[0].len) == 0;
	for (size_t i = 0; i < n; i++)
		packet_batch_set(&io->out, i, io->replies[i].bytes, io->replies[i].len);
	int sent = packet_send_batch(fd, &io->out, n);

	return sent < 0 ? 0 : (size_t)sent;
}

static void port_send_replies(struct port *p, size_t n)
{
	struct l2_io *io = p->io;
	size_t sent = replies_send(io, p->fd, n);

	/* Whoever got no reply asks again in a second: better than queueing what is stale then. */
	l2_count_n(&stats(io)->replies, sent);
	l2_count_n(&stats(io)->replies_lost, n - sent);
}

static void port_answer(struct port *p, size_t n_frames)
{
	struct l2_io *io = p->io;
	struct mono now = loop_now(io->conf.loop);
	size_t n = 0;

	for (size_t i = 0; i < n_frames; i++) {
		size_t len;
		bool cut;
		const uint8_t *bytes = packet_frame(&io->in, i, &len, &cut);
		if (cut) {
			l2_announcer_drop(io->announcer, L2_RX_CUT);
			continue;
		}
		enum l2_rx rx = l2_announcer_rx(io->announcer, p->ifindex, rd_from(bytes, len),
						&io->replies[n], now);
		n += rx == L2_RX_OK;
	}
	if (n > 0)
		port_send_replies(p, n);
}

/** A socket whose interface went down hears again when it comes up; otherwise begin again. */
static void port_error(struct port *p, int error)
{
	if (error == EAGAIN || error == EINTR)
		return;
	l2_count(&stats(p->io)->socket_errors);
	if (error != ENETDOWN || !packet_is_bound(p->fd))
		port_lost(p);
}

static void port_answer_ping(struct port *p, size_t len)
{
	struct l2_io *io = p->io;
	struct wr reply = wr_to(io->ping + PING_FRAME_MAX, PING_FRAME_MAX);

	if (len > PING_FRAME_MAX)
		l2_announcer_drop_ping(io->announcer, L2_RX_CUT);
	else if (l2_announcer_ping(io->announcer, p->ifindex, rd_from(io->ping, len), &reply,
				   loop_now(io->conf.loop)) == L2_RX_OK)
		(void)packet_send(p->fd, reply.p, reply.len); /* as lost as it could be later */
}

static void ping_ready(struct loop_io *watch, unsigned events)
{
	struct port *p = CONTAINER_OF(watch, struct port, watch);

	(void)events;
	for (unsigned i = 0; i < PINGS_MAX; i++) {
		int n = packet_recv_one(p->fd, p->io->ping, PING_FRAME_MAX);
		if (n < 0) {
			port_error(p, -n);
			return;
		}
		port_answer_ping(p, (size_t)n);
	}
}

/** Frames that come one by one are taken so: looking whether there is a second one costs as much as it does. */
static unsigned port_appetite(struct port *p)
{
	struct mono before = p->heard;

	p->heard = loop_now(p->io->conf.loop);
	return mono_before(p->heard, mono_add(before, BURST_GAP)) ? PACKET_BATCH : 1;
}

static void port_serve(struct port *p)
{
	unsigned max = port_appetite(p);
	bool full = false;

	for (unsigned i = 0; i < BATCHES_MAX; i++) {
		int n = packet_recv(p->fd, &p->io->in, max);
		if (n < 0) {
			port_error(p, -n);
			return;
		}
		port_answer(p, (size_t)n);
		if (n < PACKET_BATCH)
			break;
		full = true;
	}
	/* Only who has seen a full batch can have missed something. */
	if (full)
		l2_count_n(&stats(p->io)->kernel_dropped, packet_dropped(p->fd));
}

/** What both hear is the link below's to answer, so it is served first. */
static void port_serve_below(struct port *p)
{
	struct port *below = port_find(p->io, p->below, p->proto);

	if (below && below->fd >= 0)
		port_serve(below);
}

static void port_ready(struct loop_io *watch, unsigned events)
{
	struct port *p = CONTAINER_OF(watch, struct port, watch);

	(void)events;
	if (p->below)
		port_serve_below(p);
	port_serve(p);
	io_catch_up(p->io);
}

/* Ports */

static void tell_failed(struct port *p, int error)
{
	struct l2_io *io = p->io;

	l2_count(&stats(io)->socket_errors);
	io->reopen_at = mono_add(loop_now(io->conf.loop), REOPEN_RETRY);
	if (p->failed)
		return;
	p->failed = true;
	io->conf.event(io->conf.ctx, &(struct l2_event){ .kind = L2_SOCKET_FAILED,
							 .ifindex = p->ifindex,
							 .proto = p->proto,
							 .error = error,
							 .at = loop_now(io->conf.loop) });
}

static void port_open(struct port *p, const struct pcap_prog *filter)
{
	int fd = packet_open(p->ifindex, ethertypes[p->proto], filter, NULL);

	if (fd < 0) {
		tell_failed(p, errno);
		return;
	}
	p->fd = fd;
	p->filter = filter;
	p->by_map = false;
	p->allmulti = false;
	p->failed = false;
	p->refusals = 0;
	loop_io_watch(&p->watch, fd, LOOP_READ);
}

/** True when the map decides what this port hears. */
static bool port_filter_by_map(struct port *p)
{
	const struct fast *fast = is_ping(p->proto) ? NULL : p->io->mirror.fast;

	if (p->fd >= 0 && fast && !p->by_map)
		p->by_map = fast_filter(fast, p->fd, p->proto == L2_NDP, NULL) == 0;
	if (p->fd >= 0 && fast && !p->by_map)
		p->io->mirror.fast = NULL;
	return fast && p->by_map;
}

static void port_filter(struct port *p, const struct pcap_prog *filter)
{
	bool same = p->filter && !p->by_map && pcap_prog_eq(p->filter, filter);

	p->by_map = false;
	p->filter = filter;
	if (same || packet_set_filter(p->fd, filter, NULL) == 0)
		return;
	/* Without its filter it would be deaf for new addresses: begin again. */
	p->filter = NULL;
	port_lost(p);
}

/** Where it is refused solicitations may be lost, as they would be without. */
static void port_all_multicast(struct port *p, const struct l2_iface *iface)
{
	bool wanted = p->proto == L2_NDP && iface && iface->allmulti;

	if (p->fd >= 0 && wanted != p->allmulti &&
	    packet_all_multicast(p->fd, p->ifindex, wanted, NULL) == 0)
		p->allmulti = wanted;
}

/** From now on filters are needed that the table may not have. */
static void map_check(struct l2_io *io)
{
	if (io->map_failed || !io->conf.fast || io->mirror.fast)
		return;
	io->map_failed = true;
	fast_silence(io->conf.fast); /* what is in the map is true no longer */
	io->conf.event(io->conf.ctx,
		       &(struct l2_event){ .kind = L2_MAP_FAILED, .at = loop_now(io->conf.loop) });
}

/** Open what is closed, and give every socket the filter of the present owners. */
static void ports_update(struct l2_io *io)
{
	const struct l2_table *t = l2_announcer_table(io->announcer);
	enum l2_filter_set set = l2_announcer_filter_set(io->announcer);

	io->reopen_at = MONO_NEVER;
	for (size_t i = 0; i < io->n_ports; i++) {
		struct port *p = io->ports[i];
		const struct pcap_prog *filter = &t->filters[set][p->proto].prog;
		if (p->fd < 0)
			port_open(p, filter);
		else if (!port_filter_by_map(p))
			port_filter(p, filter);
		(void)port_filter_by_map(p);
		port_all_multicast(p, l2_table_iface(t, p->ifindex));
	}
	map_check(io);
}

static void port_add(struct l2_io *io, const struct l2_iface *iface, enum l2_proto proto)
{
	struct port *p = mem_new(struct port);

	p->io = io;
	p->ifindex = iface->ifindex;
	p->below = iface->below;
	p->proto = proto;
	p->fd = -1;
	p->stuck_until = (struct mono){ INT64_MIN };
	loop_io_init(&p->watch, io->conf.loop, is_ping(proto) ? ping_ready : port_ready);
	if (is_ping(proto) && !io->ping)
		io->ping = mem_new_n(uint8_t, (size_t)2 * PING_FRAME_MAX);
	io->ports = mem_resize(io->ports, io->n_ports + 1, sizeof(struct port *));
	io->ports[io->n_ports++] = p;
}

static void ports_match(struct l2_io *io, const struct l2_table *now, struct l2_table *before)
{
	size_t kept = 0;

	for (size_t i = 0; i < io->n_ports; i++) {
		struct port *p = io->ports[i];
		const struct l2_iface *iface = l2_table_iface(now, p->ifindex);
		if (iface && l2_iface_speaks(iface, p->proto)) {
			p->below = iface->below;
			io->ports[kept++] = p;
			continue;
		}
		port_retire(p, before);
		free(p);
	}
	io->n_ports = kept;
	for (size_t i = 0; i < now->n_ifaces; i++) {
		const struct l2_iface *iface = &now->ifaces[i];
		for (unsigned proto = 0; proto < L2_PROTO_COUNT; proto++) {
			if (l2_iface_speaks(iface, proto) && !port_find(io, iface->ifindex, proto))
				port_add(io, iface, proto);
		}
	}
}

/* Announcing */

enum sent { SENT, GIVEN_UP, TRY_AGAIN };

static enum sent port_announce(struct port *p, const struct l2_frame *f, struct mono now)
{
	if (p->fd < 0 || mono_before(now, p->stuck_until))
		return GIVEN_UP;
	int rc = packet_send(p->fd, f->bytes, f->len);
	if (rc == 0) {
		p->refusals = 0;
		return SENT;
	}
	if (rc != -EAGAIN && rc != -ENOBUFS)
		return GIVEN_UP;
	if (++p->refusals < REFUSALS_MAX)
		return TRY_AGAIN;
	p->refusals = 0;
	p->stuck_until = mono_add(now, STUCK_PAUSE);
	return GIVEN_UP;
}

/** Returns false when the frame has to wait for room in a buffer. */
static bool announce_one(struct l2_io *io, const struct l2_frame *f, struct mono now)
{
	struct port *p = port_find(io, f->ifindex, f->proto);

	switch (p ? port_announce(p, f, now) : GIVEN_UP) {
	case SENT:
		l2_count(&stats(io)->gratuitous);
		return true;
	case GIVEN_UP:
		l2_count(&stats(io)->gratuitous_lost);
		return true;
	case TRY_AGAIN:
		break;
	}
	l2_count(&stats(io)->send_busy);
	io->waiting_until = mono_add(now, BUSY_RETRY);
	return false;
}

/** Send what is due, a slice of it at most. */
static void announce_due(struct l2_io *io, struct mono now)
{
	if (io->waiting.len > 0 && mono_before(now, io->waiting_until))
		return;
	for (unsigned i = 0; i < ANNOUNCE_SLICE; i++) {
		if (io->waiting.len == 0 &&
		    !l2_announcer_next_frame(io->announcer, now, &io->waiting))
			return;
		if (!announce_one(io, &io->waiting, now))
			return;
		io->waiting.len = 0;
	}
}

/** After a change of owners it may speak for an address that is gone. */
static void waiting_drop(struct l2_io *io)
{
	if (io->waiting.len > 0)
		l2_count(&stats(io)->gratuitous_lost);
	io->waiting.len = 0;
}

/** A slice of them; but all of a table that goes back to its owner. */
static void tell_events(struct l2_io *io)
{
	struct l2_event ev;

	for (unsigned n = 0; n < EVENT_SLICE || l2_announcer_is_leaving(io->announcer); n++) {
		if (!l2_announcer_next_event(io->announcer, &ev))
			return;
		if (ev.kind == L2_TOOK || ev.kind == L2_LOST || ev.kind == L2_HELD)
			l2_mirror_address(&io->mirror, l2_announcer_table(io->announcer), &ev.addr);
		if (ev.kind != L2_HELD)
			io->conf.event(io->conf.ctx, &ev);
	}
}

static void io_speak(struct l2_io *io)
{
	announce_due(io, loop_now(io->conf.loop));
	timer_arm(io);
}

/** After any change: tell, then hear, then speak. */
static void io_follow(struct l2_io *io)
{
	tell_events(io);
	ports_update(io);
	io_speak(io);
}

/** What came in may have changed owners, or ask for a word sooner than the timer is set: another machine's claim does. */
static void io_catch_up(struct l2_io *io)
{
	struct mono at = l2_announcer_deadline(io->announcer);

	if (l2_announcer_has_events(io->announcer))
		io_follow(io);
	else if (!mono_is_never(at) &&
		 (!loop_timer_active(&io->timer) || mono_before(at, io->timer.at)))
		io_speak(io);
}

static void io_timer(struct loop_timer *t, struct mono now)
{
	struct l2_io *io = CONTAINER_OF(t, struct l2_io, timer);

	if (!mono_before(now, io->reopen_at))
		ports_update(io);
	l2_announcer_tick(io->announcer, now);
	if (l2_announcer_has_events(io->announcer)) {
		io_follow(io);
		return;
	}
	io_speak(io);
}

/* Programs in the kernel answer as long as this thread runs and the map is true. */
static void io_beat(struct loop_timer *t, struct mono now)
{
	struct l2_io *io = CONTAINER_OF(t, struct l2_io, beat);

	if (!io->mirror.fast || !fast_needs_beat(io->mirror.fast))
		return;
	fast_beat(io->mirror.fast);
	loop_timer_set_within(t, mono_add(now, DUR_NS(FAST_BEAT.ns / 2)), mono_add(now, FAST_BEAT));
}

/* The shell's door */

struct l2_table *l2_io_apply(struct l2_io *io, struct l2_table *table)
{
	struct l2_table *before = l2_announcer_apply(io->announcer, table, loop_now(io->conf.loop));

	waiting_drop(io);
	ports_match(io, table, before);
	l2_mirror_table(&io->mirror, before, table);
	io_follow(io);
	if (!loop_timer_active(&io->beat))
		io_beat(&io->beat, loop_now(io->conf.loop));
	return before;
}

void l2_io_set_alive(struct l2_io *io, uint16_t node, bool alive)
{
	l2_announcer_set_alive(io->announcer, node, alive, loop_now(io->conf.loop));
	waiting_drop(io);
	if (l2_announcer_table(io->announcer))
		io_follow(io);
}

void l2_io_remind(struct l2_io *io, uint16_t node)
{
	l2_announcer_remind(io->announcer, node, loop_now(io->conf.loop));
	if (l2_announcer_table(io->announcer))
		io_follow(io);
}

void l2_io_yield(struct l2_io *io, bool yields)
{
	l2_announcer_yield(io->announcer, yields, loop_now(io->conf.loop));
	if (l2_announcer_table(io->announcer))
		io_follow(io);
}

void l2_io_bar(struct l2_io *io, uint16_t node, bool barred)
{
	l2_announcer_bar(io->announcer, node, barred, loop_now(io->conf.loop));
	waiting_drop(io);
	if (l2_announcer_table(io->announcer))
		io_follow(io);
}

struct l2_table *l2_io_stop(struct l2_io *io)
{
	struct l2_table *table = l2_announcer_table(io->announcer);

	loop_timer_stop(&io->timer);
	loop_timer_stop(&io->beat);
	if (io->conf.fast)
		fast_silence(io->conf.fast);
	for (size_t i = 0; i < io->n_ports; i++) {
		port_retire(io->ports[i], table);
		free(io->ports[i]);
	}
	io->n_ports = 0;
	return table;
}

struct l2_io *l2_io_free(struct l2_io *io)
{
	if (!io)
		return NULL;
	assert(io->n_ports == 0);
	free(io->ports);
	free(io->ping);
	l2_announcer_free(io->announcer);
	free(io);
	return NULL;
}

const struct l2_stats *l2_io_stats(const struct l2_io *io)
{
	return l2_announcer_stats(io->announcer);
}
