/* Peers that are known by their interface alone: the socket and the timer around the core that finds them. */
#include "bgp/unnumbered.h"

#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "net/icmp6.h"

/* For an interface that is not there, or cannot be used. */
#define AGAIN DUR_S(1)

struct bgp_unnumbered {
	struct discover core;
	char *ifname;
	uint32_t ifindex; /* that the socket is of */
	int fd;
	struct loop_io io;
	struct loop_timer timer;
	struct err error;
	void (*found)(void *ctx);
	void *ctx;
};

static void shut(struct bgp_unnumbered *u)
{
	loop_io_stop(&u->io);
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}

/* An interface may go, and come back as another one. */
static bool is_open(struct bgp_unnumbered *u)
{
	static const uint8_t types[] = { DISCOVER_ADVERT, DISCOVER_SOLICITATION,
					 DISCOVER_ECHO_REPLY, 0 };
	uint32_t ifindex = if_nametoindex(u->ifname);

	if (u->fd >= 0 && ifindex == u->ifindex)
		return true;
	shut(u);
	u->error = (struct err){ 0 };
	u->ifindex = ifindex;
	u->fd = icmp6_open(u->ifname, types, &u->error);
	if (u->fd < 0) {
		u->fd = -1;
		return false;
	}
	loop_io_watch(&u->io, u->fd, LOOP_READ);
	return true;
}

static void send_all(struct bgp_unnumbered *u, unsigned what)
{
	for (unsigned kind = 1; kind < 1U << DISCOVER_KINDS; kind <<= 1) {
		uint8_t wire[DISCOVER_WIRE_MAX];
		struct wr w = wr_to(wire, sizeof(wire));

		if (!(what & kind))
			continue;
		discover_encode(&u->core, kind, &w);
		/* Without a link-local address yet it fails; the next turn is not far. */
		(void)icmp6_send(
			u->fd, kind == DISCOVER_SEND_SOLICIT ? ICMP6_ALL_ROUTERS : ICMP6_ALL_NODES,
			wire, w.len);
	}
}

static void on_time(struct loop_timer *t, struct mono now)
{
	struct bgp_unnumbered *u = CONTAINER_OF(t, struct bgp_unnumbered, timer);
	unsigned what;

	if (!is_open(u)) {
		loop_timer_set(t, mono_add(now, AGAIN));
		return;
	}
	bool found = discover_tick(&u->core, now, &what);
	send_all(u, what);
	loop_timer_set(t, u->core.at);
	if (found)
		u->found(u->ctx);
}

static void on_message(struct loop_io *io, unsigned events)
{
	struct bgp_unnumbered *u = CONTAINER_OF(io, struct bgp_unnumbered, io);
	struct mono now = loop_now(io->loop);
	uint8_t msg[1500], hops = 0;
	struct addr from = { 0 };
	bool found = false;
	size_t len;

	(void)events;
	/* A few at a time: whoever floods us does not hold up the loop. */
	for (int i = 0; i < 16 && (len = icmp6_recv(u->fd, msg, sizeof(msg), &from, &hops)); i++)
		found |= discover_input(&u->core, &from, hops, rd_from(msg, len), now);
	loop_timer_set(&u->timer, u->core.at);
	if (found)
		u->found(u->ctx);
}

struct bgp_unnumbered *bgp_unnumbered_new(struct loop *loop, const char *ifname, uint64_t seed,
					  void (*found)(void *), void *ctx)
{
	struct bgp_unnumbered *u = mem_new(struct bgp_unnumbered);

	discover_init(&u->core, seed, loop_now(loop));
	u->ifname = mem_strdup(ifname);
	u->fd = -1;
	u->found = found;
	u->ctx = ctx;
	loop_io_init(&u->io, loop, on_message);
	loop_timer_init(&u->timer, loop, on_time);
	loop_timer_set(&u->timer, loop_now(loop));
	return u;
}

struct bgp_unnumbered *bgp_unnumbered_free(struct bgp_unnumbered *u)
{
	if (!u)
		return NULL;
	loop_timer_stop(&u->timer);
	shut(u);
	free(u->ifname);
	free(u);
	return NULL;
}

bool bgp_unnumbered_is_on(const struct bgp_unnumbered *u, const char *ifname)
{
	return strcmp(u->ifname, ifname) == 0;
}

const struct addr *bgp_unnumbered_peer(const struct bgp_unnumbered *u)
{
	return &u->core.peer;
}

const char *bgp_unnumbered_trouble(const struct bgp_unnumbered *u)
{
	return u->error.text[0] ? u->error.text : discover_trouble(&u->core);
}

void bgp_unnumbered_doubt(struct bgp_unnumbered *u)
{
	discover_doubt(&u->core, loop_now(u->io.loop));
	if (u->fd >= 0)
		loop_timer_set(&u->timer, u->core.at);
}
