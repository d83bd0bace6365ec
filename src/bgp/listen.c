/*
 * Where peers connect to us: a socket for each family, and for each VRF that a peer lives in or link that it is bound to:
 * what a socket of a link answers leaves by that link, so that several peers may have one address. Each has the keys of the peers that it is for. A listen that fails is tried again, and told by bgp_speaker_listen_next().
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bgp/bgp_priv.h"
#include "bgp/keys.h"

enum { DSCP_CS6 = 48, ACCEPT_MAX = 64 };

/* So many connections are sent away politely at a time; more of them are just closed. */
enum { POLITE_MAX = 64 };

#define LISTEN_AGAIN DUR_S(3)

struct bgp_listener {
	struct list link;
	struct bgp_speaker *sp;
	struct loop_io io;
	int fd; /* -1: it failed, and error says why */
	struct addr addr;
	uint16_t port;
	char *device; /* or NULL */
	bool is_vrf;
	bool wanted;
	struct err error;
	struct err told; /* the last error that was an event */
	struct bgp_keys *keys;
};

static bool text_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void listener_free(struct bgp_listener *l)
{
	loop_io_stop(&l->io);
	list_remove(&l->link);
	if (l->fd >= 0)
		close(l->fd);
	bgp_keys_free(l->keys);
	free(l->device);
	free(l);
}

/* --- connections --- */

/* An unnumbered peer that was not found yet is any neighbour on its interface. */
static bool has_address(const struct bgp_peer *p, const struct addr *a)
{
	if (addr_is_set(&p->addr))
		return addr_eq(&p->addr, a);
	return a->family == FAMILY_V6 && addr_is_link_local(a);
}

/* A VRF is a world of its own; of links, a peer is bound to one or may come by any. */
static bool is_for(const struct bgp_listener *l, const struct bgp_peer_conf *conf)
{
	if (conf->in_vrf || l->is_vrf)
		return conf->in_vrf == l->is_vrf && text_eq(conf->device, l->device);
	return !conf->device || !l->device || text_eq(conf->device, l->device);
}

/* Whether @p is who connected to this listener from there. */
static bool is_from(const struct bgp_peer *p, const struct bgp_listener *l,
		    const struct tcp_end *from)
{
	const char *zone = p->conf.zone;

	return is_for(l, &p->conf) && has_address(p, &from->addr) &&
	       (!from->scope || !zone || if_nametoindex(zone) == from->scope);
}

/* Several peers may share an address: the first that waits, and before others one that is bound to the link. */
static struct bgp_peer *find_peer(const struct bgp_listener *l, const struct tcp_end *from)
{
	struct bgp_peer *found = NULL;
	int best = -1;
	void *at;

	for (size_t i = 0; map_next(l->sp->peers, &i, NULL, &at);) {
		struct bgp_peer *p = at;

		if (!is_from(p, l, from))
			continue;
		bool waits = p->session.state < BGP_OPEN_CONFIRM && p->session.running;
		int score = 2 * (l->device && p->conf.device) + waits;
		if (score > best) {
			found = p;
			best = score;
		}
	}
	return found;
}

static size_t lingering(const struct bgp_speaker *sp)
{
	struct bgp_linger *at;
	size_t n = 0;

	LIST_EACH (at, &sp->lingering, link)
		n++;
	return n;
}

static void take(struct bgp_listener *l, int fd, const struct tcp_end *from)
{
	struct bgp_peer *p = find_peer(l, from);

	if (p && bgp_keys_cover(l->keys, p) && lingering(l->sp) < POLITE_MAX) {
		if (!addr_is_set(&p->addr))
			bgp_peer_found(p, &from->addr);
		bgp_peer_offer(p, fd);
		return;
	}
	l->sp->refused++;
	close(fd);
}

static void on_ready(struct loop_io *io, unsigned events)
{
	struct bgp_listener *l = CONTAINER_OF(io, struct bgp_listener, io);

	(void)events;
	for (int i = 0; i < ACCEPT_MAX; i++) {
		struct tcp_end from;
		int fd = tcp_accept(l->fd, &from, NULL);

		if (fd == -ERR_NOT_FOUND)
			return;
		if (fd < 0) { /* out of descriptors: they wait in the backlog */
			loop_io_stop(&l->io);
			loop_timer_set(&l->sp->listen_again,
				       mono_add(loop_now(l->sp->loop), DUR_MS(200)));
			return;
		}
		take(l, fd, &from);
	}
}

static void try_again(struct bgp_speaker *sp)
{
	loop_timer_set(&sp->listen_again, mono_add(loop_now(sp->loop), LISTEN_AGAIN));
}

/* --- keys --- */

/* Is this listener where the peer comes to, if it does? */
static bool expects(const struct bgp_listener *l, const struct bgp_peer *p)
{
	return p->addr.family == l->addr.family && addr_is_set(&p->addr) && is_for(l, &p->conf);
}

static void keys_sync(struct bgp_listener *l)
{
	void *at;

	bgp_keys_begin(l->keys);
	for (size_t i = 0; map_next(l->sp->peers, &i, NULL, &at);)
		if (expects(l, at))
			bgp_keys_keep(l->keys, at);
	bgp_keys_drop(l->keys, l->fd);
	for (size_t i = 0; map_next(l->sp->peers, &i, NULL, &at);) {
		struct err e = { 0 };

		if (!expects(l, at) || bgp_keys_put(l->keys, l->fd, at, &e) == 0)
			continue;
		bgp_peer_trouble(at, e.text);
		try_again(l->sp);
	}
}

/* --- which listeners there are --- */

static void tell(struct bgp_listener *l)
{
	char at[ADDR_PORT_TEXT_MAX], reason[ERR_TEXT_MAX + ADDR_PORT_TEXT_MAX];
	const struct bgp_event event = { .type = BGP_EVENT_LISTEN_FAILED, .reason = reason };

	if (strcmp(l->told.text, l->error.text) == 0)
		return;
	l->told = l->error;
	snprintf(reason, sizeof(reason), "%s: %s", addr_port_format(&l->addr, l->port, at),
		 l->error.text);
	bgp_speaker_emit(l->sp, NULL, &event);
}

/* @shared: there are listeners of links or VRFs as well */
static void listener_open(struct bgp_listener *l, bool shared)
{
	const struct tcp_listen_conf conf = {
		.addr = l->addr,
		.port = l->port,
		.device = l->device,
		.shared = shared,
		.dscp = DSCP_CS6,
	};

	l->error = (struct err){ 0 };
	if (l->fd < 0)
		l->fd = tcp_listen(&conf, &l->error);
	if (l->fd >= 0) {
		loop_io_watch(&l->io, l->fd, LOOP_READ);
		keys_sync(l);
		return;
	}
	l->fd = -1;
	tell(l);
	try_again(l->sp);
}

static void want(struct bgp_speaker *sp, const struct addr *addr, const char *device, bool is_vrf)
{
	struct bgp_listener *l;

	LIST_EACH (l, &sp->listeners, link) {
		if (addr_eq(&l->addr, addr) && l->port == sp->listen.port &&
		    text_eq(l->device, device) && l->is_vrf == is_vrf) {
			l->wanted = true;
			return;
		}
	}
	l = mem_new(struct bgp_listener);
	l->sp = sp;
	l->fd = -1;
	l->addr = *addr;
	l->port = sp->listen.port;
	l->device = device ? mem_strdup(device) : NULL;
	l->is_vrf = is_vrf;
	l->wanted = true;
	l->keys = bgp_keys_new();
	loop_io_init(&l->io, sp->loop, on_ready);
	list_append(&sp->listeners, &l->link);
}

/* "[::]" means both families. */
static void want_families(struct bgp_speaker *sp, const char *device, bool is_vrf)
{
	const struct addr any4 = addr_v4(0, 0, 0, 0), any6 = { .family = FAMILY_V6 };

	want(sp, &sp->listen.addr, device, is_vrf);
	if (addr_eq(&sp->listen.addr, &any6))
		want(sp, &any4, device, is_vrf);
}

/* Others may come to their port, or not any more; whoever comes in vain says what it lacks. */
static void share_all(struct bgp_speaker *sp, bool on)
{
	struct bgp_listener *l;

	LIST_EACH (l, &sp->listeners, link) /* NOLINT: what was freed is in it no more */
		if (l->fd >= 0)
			(void)!tcp_share(l->fd, on, NULL);
}

static void relisten(struct loop_task *t)
{
	struct bgp_speaker *sp = CONTAINER_OF(t, struct bgp_speaker, relisten);
	struct bgp_listener *l;
	bool shared = false;
	void *at;

	LIST_EACH (l, &sp->listeners, link)
		l->wanted = false;
	if (sp->listen.port)
		want_families(sp, NULL, false);
	for (size_t i = 0; sp->listen.port && map_next(sp->peers, &i, NULL, &at);) {
		const struct bgp_peer_conf *conf = &((const struct bgp_peer *)at)->conf;

		if (!conf->device)
			continue;
		want_families(sp, conf->device, conf->in_vrf);
		shared =
			true; /* a VRF is apart for itself only while net.ipv4.tcp_l3mdev_accept is 0 */
	}
	if (shared)
		share_all(sp, true);
	LIST_EACH (l, &sp->listeners, link) {
		if (l->wanted)
			listener_open(l, shared);
		else
			listener_free(l);
	}
	share_all(sp, false);
}

static void on_again(struct loop_timer *t, struct mono now)
{
	(void)now;
	bgp_listen_touch(CONTAINER_OF(t, struct bgp_speaker, listen_again));
}

void bgp_listen_init(struct bgp_speaker *sp)
{
	list_init(&sp->listeners);
	loop_task_init(&sp->relisten, sp->loop, relisten);
	loop_timer_init(&sp->listen_again, sp->loop, on_again);
}

void bgp_listen_fini(struct bgp_speaker *sp)
{
	struct bgp_listener *l;

	loop_task_cancel(&sp->relisten);
	loop_timer_stop(&sp->listen_again);
	LIST_EACH (l, &sp->listeners, link)
		listener_free(l);
}

void bgp_listen_touch(struct bgp_speaker *sp)
{
	loop_task_queue(&sp->relisten);
}

bool bgp_listen_serves(const struct bgp_speaker *sp, const struct bgp_peer_conf *conf)
{
	const struct addr any6 = { .family = FAMILY_V6 };

	return sp->listen.port &&
	       (conf->addr.family == sp->listen.addr.family || addr_eq(&sp->listen.addr, &any6));
}

void bgp_speaker_listen(struct bgp_speaker *sp, const struct bgp_listen_conf *conf)
{
	void *at;

	if (addr_eq(&sp->listen.addr, &conf->addr) && sp->listen.port == conf->port)
		return;
	sp->listen = *conf;
	for (size_t i = 0; map_next(sp->peers, &i, NULL, &at);) {
		struct bgp_peer *p = at;

		p->session.conf.accepts = bgp_listen_serves(sp, &p->conf);
	}
	bgp_listen_touch(sp);
}

bool bgp_speaker_listen_next(const struct bgp_speaker *sp, size_t *at,
			     struct bgp_listen_status *out)
{
	struct bgp_listener *l;
	size_t i = 0;

	LIST_EACH (l, &sp->listeners, link) {
		if (i++ < *at)
			continue;
		*at = i;
		*out = (struct bgp_listen_status){
			.addr = l->addr,
			.port = l->port,
			.device = l->device,
			.error = l->error.text[0] ? l->error.text : NULL,
		};
		return true;
	}
	return false;
}
