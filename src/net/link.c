#include "net/link.h"

/* Behind <net/if.h>, which link.h brings, for the flags that only the kernel's header has. */
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <string.h>

/* Events of one change of configuration come in a row: they are read together. */
#define SETTLE DUR_MS(2)

struct net_links {
	struct loop *loop;
	void (*changed)(void *ctx);
	void *ctx;
	struct nl_sock *events;
	struct nl_sock *requests;
	struct loop_io io;
	struct loop_timer settle;

	struct arena *arena; /* of the table in use */
	struct net_link *v;
	size_t n;
};

static int nl_failed(struct err *e, const char *what, int error)
{
	return err_set(e, ERR_SYSTEM, "netlink: %s: %s", what, nl_geterror(error));
}

static struct addr addr_of(const struct nl_addr *a)
{
	if (!a)
		return (struct addr){ 0 };
	switch (nl_addr_get_family(a)) {
	case AF_INET:
		return addr_from_bytes(FAMILY_V4, nl_addr_get_binary_addr(a));
	case AF_INET6:
		return addr_from_bytes(FAMILY_V6, nl_addr_get_binary_addr(a));
	default:
		return (struct addr){ 0 };
	}
}

static void link_fill(struct net_link *out, struct rtnl_link *in)
{
	unsigned flags = rtnl_link_get_flags(in);
	const struct nl_addr *mac = rtnl_link_get_addr(in);
	const char *name = rtnl_link_get_name(in);

	*out = (struct net_link){
		.ifindex = rtnl_link_get_ifindex(in),
		.up = flags & IFF_UP,
		.running = flags & IFF_LOWER_UP,
		.broadcast = flags & IFF_BROADCAST,
		.noarp = flags & IFF_NOARP,
		.loopback = flags & IFF_LOOPBACK,
		.master = rtnl_link_get_master(in),
	};
	strncpy(out->name, name ? name : "", sizeof(out->name) - 1);
	if (mac && nl_addr_get_len(mac) == sizeof(out->mac.b))
		memcpy(out->mac.b, nl_addr_get_binary_addr(mac), sizeof(out->mac.b));
}

static int by_index(const void *a, const void *b)
{
	const struct net_link *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

/* The addresses of one link, in the kernel's order. */
static void addrs_fill(struct net_link *link, struct nl_cache *all, struct arena *arena)
{
	struct net_addr *v = NULL;
	size_t n = 0;

	for (struct nl_object *o = nl_cache_get_first(all); o; o = nl_cache_get_next(o))
		n += rtnl_addr_get_ifindex((struct rtnl_addr *)o) == link->ifindex;
	v = arena_new_n(arena, struct net_addr, n);
	n = 0;
	for (struct nl_object *o = nl_cache_get_first(all); o; o = nl_cache_get_next(o)) {
		struct rtnl_addr *in = (struct rtnl_addr *)o;
		struct addr a = addr_of(rtnl_addr_get_local(in));

		if (rtnl_addr_get_ifindex(in) != link->ifindex || !addr_is_set(&a))
			continue;
		v[n++] = (struct net_addr){ .addr = a,
					    .prefix_len = (uint8_t)rtnl_addr_get_prefixlen(in) };
	}
	link->addrs = v;
	link->n_addrs = n;
}

static void table_fill(struct net_links *n, struct nl_cache *links, struct nl_cache *addrs)
{
	size_t count = (size_t)nl_cache_nitems(links);

	arena_free(n->arena);
	n->arena = arena_new();
	n->v = arena_new_n(n->arena, struct net_link, count);
	n->n = 0;
	for (struct nl_object *o = nl_cache_get_first(links); o; o = nl_cache_get_next(o))
		link_fill(&n->v[n->n++], (struct rtnl_link *)o);
	qsort(n->v, n->n, sizeof(*n->v), by_index);
	for (size_t i = 0; i < n->n; i++)
		addrs_fill(&n->v[i], addrs, n->arena);
}

static int table_read(struct net_links *n, struct err *e)
{
	struct nl_cache *links = NULL, *addrs = NULL;
	int error = rtnl_link_alloc_cache(n->requests, AF_UNSPEC, &links);

	if (error < 0)
		return nl_failed(e, "reading links", error);
	error = rtnl_addr_alloc_cache(n->requests, &addrs);
	if (error < 0) {
		nl_cache_free(links);
		return nl_failed(e, "reading addresses", error);
	}
	table_fill(n, links, addrs);
	nl_cache_free(addrs);
	nl_cache_free(links);
	return 0;
}

static void settled(struct loop_timer *t, struct mono now)
{
	struct net_links *n = CONTAINER_OF(t, struct net_links, settle);

	if (table_read(n, NULL) < 0)
		loop_timer_set(t, mono_add(now, DUR_MS(100))); /* a dump was interrupted: again */
	else
		n->changed(n->ctx);
}

/* What the events say is not looked at; that the buffer overflowed says as much as any. */
static void events_ready(struct loop_io *io, unsigned events)
{
	struct net_links *n = CONTAINER_OF(io, struct net_links, io);

	(void)events;
	(void)nl_recvmsgs_default(n->events);
	if (!loop_timer_active(&n->settle))
		loop_timer_set(&n->settle, mono_add(loop_now(n->loop), SETTLE));
}

static int ignore_message(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static int events_open(struct net_links *n, struct err *e)
{
	n->events = nl_socket_alloc();
	nl_socket_disable_seq_check(n->events);
	nl_socket_modify_cb(n->events, NL_CB_VALID, NL_CB_CUSTOM, ignore_message, NULL);
	int error = nl_connect(n->events, NETLINK_ROUTE);

	if (error >= 0)
		error = nl_socket_add_memberships(n->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
						  RTNLGRP_IPV6_IFADDR, 0);
	if (error >= 0)
		error = nl_socket_set_nonblocking(n->events);
	return error < 0 ? nl_failed(e, "watching links", error) : 0;
}

int net_links_new(struct loop *l, void (*changed)(void *ctx), void *ctx, struct net_links **out,
		  struct err *e)
{
	struct net_links *n = mem_new(struct net_links);

	n->loop = l;
	n->changed = changed;
	n->ctx = ctx;
	loop_io_init(&n->io, l, events_ready);
	loop_timer_init(&n->settle, l, settled);
	n->requests = nl_socket_alloc();
	int error = nl_connect(n->requests, NETLINK_ROUTE);

	/* Watching begins before reading, so that no change falls between. */
	if (error < 0 || events_open(n, e) < 0 || table_read(n, e) < 0) {
		if (error < 0)
			(void)nl_failed(e, "connecting", error);
		net_links_free(n);
		return -ERR_SYSTEM;
	}
	loop_io_watch(&n->io, nl_socket_get_fd(n->events), LOOP_READ);
	*out = n;
	return 0;
}

struct net_links *net_links_free(struct net_links *n)
{
	if (!n)
		return NULL;
	loop_io_stop(&n->io);
	loop_timer_stop(&n->settle);
	nl_socket_free(n->events);
	nl_socket_free(n->requests);
	arena_free(n->arena);
	free(n);
	return NULL;
}

const struct net_link *net_links_next(const struct net_links *n, size_t *at)
{
	return *at < n->n ? &n->v[(*at)++] : NULL;
}

const struct net_link *net_links_by_name(const struct net_links *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->v[i].name, name) == 0)
			return &n->v[i];
	return NULL;
}

const struct net_link *net_links_by_index(const struct net_links *n, int ifindex)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].ifindex == ifindex)
			return &n->v[i];
	return NULL;
}

const struct net_link *net_links_connected(const struct net_links *n, const struct addr *a)
{
	const struct net_link *best = NULL;
	unsigned best_len = 0;

	for (size_t i = 0; i < n->n; i++)
		for (size_t k = 0; k < n->v[i].n_addrs; k++) {
			const struct net_addr *have = &n->v[i].addrs[k];
			struct prefix network = prefix_of(&have->addr, have->prefix_len);

			if (have->prefix_len < addr_bits(&have->addr) &&
			    prefix_contains(&network, a) &&
			    (!best || have->prefix_len > best_len)) {
				best = &n->v[i];
				best_len = have->prefix_len;
			}
		}
	return best;
}
