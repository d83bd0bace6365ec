#include "net/link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <string.h>

#include "net/netlink.h"

#define EVENTS_BYTES   (1024 * 1024) /* of events that may wait for us; the kernel may grant less */
#define EVENTS_AT_ONCE 64
#define RETRY	       DUR_S(1) /* after the table could not be read */

struct net_links {
	struct netlink *requests;
	struct nl_sock *events;
	struct nl_cb *cb;
	struct loop_io io;
	struct loop_task tell;
	struct loop_timer retry;
	struct list watches;
	struct net_watch first;
	void (*changed)(void *ctx);
	void *ctx;
	struct net_link *links; /* in order of index */
	size_t n, cap;
	uint64_t resyncs;
	uint64_t layout;
};

/* Messages. */

static void copy_text(char out[static NET_NAME_MAX], struct nlattr *a)
{
	out[0] = '\0';
	if (a)
		nla_strlcpy(out, a, NET_NAME_MAX);
}

static void link_kind(struct net_link *l, struct nlattr *info)
{
	struct nlattr *kind = info ? nla_find(nla_data(info), nla_len(info), IFLA_INFO_KIND) : NULL;

	copy_text(l->kind, kind);
}

static bool link_decode(struct nlmsghdr *h, struct net_link *out)
{
	const struct ifinfomsg *ifi = nlmsg_data(h);
	struct nlattr *a[IFLA_MAX + 1];

	if (nlmsg_parse(h, sizeof(*ifi), a, IFLA_MAX, NULL) < 0 || !a[IFLA_IFNAME])
		return false;
	*out = (struct net_link){
		.ifindex = ifi->ifi_index,
		.up = ifi->ifi_flags & IFF_UP,
		.running = ifi->ifi_flags & IFF_LOWER_UP,
		.broadcast = ifi->ifi_flags & IFF_BROADCAST,
		.noarp = ifi->ifi_flags & IFF_NOARP,
		.loopback = ifi->ifi_flags & IFF_LOOPBACK,
		.master = a[IFLA_MASTER] ? (int)nla_get_u32(a[IFLA_MASTER]) : 0,
		.lower = a[IFLA_LINK] && !a[IFLA_LINK_NETNSID] ? (int)nla_get_u32(a[IFLA_LINK]) : 0,
		.mtu = a[IFLA_MTU] ? nla_get_u32(a[IFLA_MTU]) : 0,
	};
	copy_text(out->name, a[IFLA_IFNAME]);
	link_kind(out, a[IFLA_LINKINFO]);
	if (ifi->ifi_type == ARPHRD_ETHER && a[IFLA_ADDRESS] && nla_len(a[IFLA_ADDRESS]) == 6) {
		memcpy(out->mac.b, nla_data(a[IFLA_ADDRESS]), 6);
		out->has_mac = true;
	}
	return true;
}

static bool read_addr(enum family family, struct nlattr *a, struct addr *out)
{
	*out = (struct addr){ .family = (uint8_t)family };
	if (!a || nla_len(a) != (int)addr_len(out))
		return false;
	memcpy(out->b, nla_data(a), addr_len(out));
	return true;
}

bool net_addr_decode(struct nlmsghdr *h, struct net_addr *out)
{
	struct nlattr *a[IFA_MAX + 1];
	struct addr local, peer;

	if (h->nlmsg_type != RTM_NEWADDR && h->nlmsg_type != RTM_DELADDR)
		return false;
	if (nlmsg_parse(h, sizeof(struct ifaddrmsg), a, IFA_MAX, NULL) < 0)
		return false;
	const struct ifaddrmsg *ifa = nlmsg_data(h);
	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return false;
	enum family family = ifa->ifa_family == AF_INET ? FAMILY_V4 : FAMILY_V6;
	/* Without a peer IPv4 gives both, IPv6 only IFA_ADDRESS. */
	bool has_local = read_addr(family, a[IFA_LOCAL], &local);
	bool has_peer = read_addr(family, a[IFA_ADDRESS], &peer);
	if (!has_local && !has_peer)
		return false;
	*out = (struct net_addr){
		.ifindex = (int)ifa->ifa_index,
		.addr = has_local ? local : peer,
		.subnet = prefix_of(has_peer ? &peer : &local, ifa->ifa_prefixlen),
		.prefix_len = ifa->ifa_prefixlen,
		.scope = ifa->ifa_scope,
		.proto = a[IFA_PROTO] ? nla_get_u8(a[IFA_PROTO]) : 0,
		.flags = a[IFA_FLAGS] ? nla_get_u32(a[IFA_FLAGS]) : ifa->ifa_flags,
		.valid_s = NET_LIFE_EVER,
	};
	if (a[IFA_CACHEINFO] && nla_len(a[IFA_CACHEINFO]) >= (int)sizeof(struct ifa_cacheinfo))
		out->valid_s = ((struct ifa_cacheinfo *)nla_data(a[IFA_CACHEINFO]))->ifa_valid;
	return true;
}

/* The table. */

/* Where the link is, or would go. */
static size_t link_place(const struct net_links *t, int ifindex, bool *there)
{
	size_t lo = 0;

	for (size_t hi = t->n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->links[mid].ifindex < ifindex)
			lo = mid + 1;
		else
			hi = mid;
	}
	*there = lo < t->n && t->links[lo].ifindex == ifindex;
	return lo;
}

static struct net_link *link_at(const struct net_links *t, int ifindex)
{
	bool there;
	size_t i = link_place(t, ifindex, &there);

	return there ? &t->links[i] : NULL;
}

static int addr_order(const struct net_addr *a, const struct net_addr *b)
{
	int c = addr_cmp(&a->addr, &b->addr);

	if (c == 0)
		c = (a->prefix_len > b->prefix_len) - (a->prefix_len < b->prefix_len);
	return c ? c : prefix_cmp(&a->subnet, &b->subnet); /* one address, several peers */
}

static size_t addr_place(const struct net_link *l, const struct net_addr *a, bool *there)
{
	size_t lo = 0;

	for (size_t hi = l->n_addrs; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr_order(&l->addrs[mid], a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*there = lo < l->n_addrs && addr_order(&l->addrs[lo], a) == 0;
	return lo;
}

/* All but its addresses. */
static bool link_same(const struct net_link *a, const struct net_link *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->kind, b->kind) == 0 &&
	       mac_eq(&a->mac, &b->mac) && a->has_mac == b->has_mac && a->up == b->up &&
	       a->running == b->running && a->broadcast == b->broadcast && a->noarp == b->noarp &&
	       a->loopback == b->loopback && a->master == b->master && a->lower == b->lower &&
	       a->mtu == b->mtu;
}

/* These return whether a watcher would want to know. */

static bool link_put(struct net_links *t, const struct net_link *l)
{
	bool there;
	size_t i = link_place(t, l->ifindex, &there);

	if (!there) {
		mem_grow(t->links, t->n, t->cap);
		memmove(&t->links[i + 1], &t->links[i], (t->n - i) * sizeof(*l));
		t->n++;
		t->links[i] = *l;
		return true;
	}
	struct net_link *old = &t->links[i];
	if (link_same(old, l))
		return false;
	struct net_link merged = *l;
	merged.addrs = old->addrs;
	merged.n_addrs = old->n_addrs;
	merged.cap_addrs = old->cap_addrs;
	merged.nets = old->nets;
	merged.n_nets = old->n_nets;
	merged.cap_nets = old->cap_nets;
	*old = merged;
	return true;
}

static void link_fini(struct net_link *l)
{
	free(l->addrs);
	free(l->nets);
}

static bool link_drop(struct net_links *t, int ifindex)
{
	bool there;
	size_t i = link_place(t, ifindex, &there);

	if (!there)
		return false;
	link_fini(&t->links[i]);
	t->n--;
	memmove(&t->links[i], &t->links[i + 1], (t->n - i) * sizeof(*t->links));
	return true;
}

static bool is_host(const struct net_addr *a)
{
	return a->subnet.len == addr_bits(&a->addr);
}

static void net_put(struct net_link *l, const struct net_addr *a)
{
	if (is_host(a))
		return;
	mem_grow(l->nets, l->n_nets, l->cap_nets);
	l->nets[l->n_nets++] = a->subnet;
}

static void net_drop(struct net_link *l, const struct net_addr *a)
{
	if (is_host(a))
		return;
	for (size_t i = 0; i < l->n_nets; i++)
		if (prefix_cmp(&l->nets[i], &a->subnet) == 0) {
			l->nets[i] = l->nets[--l->n_nets];
			return;
		}
}

static bool addr_put(struct net_links *t, const struct net_addr *a)
{
	struct net_link *l = link_at(t, a->ifindex);
	bool there;

	if (!l)
		return false; /* its link goes, or its event is still on the way */
	size_t i = addr_place(l, a, &there);
	if (there) {
		struct net_addr *old = &l->addrs[i];
		bool same =
			old->proto == a->proto && old->flags == a->flags && old->scope == a->scope;
		*old = *a;
		return !same;
	}
	mem_grow(l->addrs, l->n_addrs, l->cap_addrs);
	memmove(&l->addrs[i + 1], &l->addrs[i], (l->n_addrs - i) * sizeof(*a));
	l->n_addrs++;
	l->addrs[i] = *a;
	net_put(l, a);
	return true;
}

static bool addr_drop(struct net_links *t, const struct net_addr *a)
{
	struct net_link *l = link_at(t, a->ifindex);
	bool there = false;
	size_t i = l ? addr_place(l, a, &there) : 0;

	if (!there)
		return false;
	net_drop(l, a);
	l->n_addrs--;
	memmove(&l->addrs[i], &l->addrs[i + 1], (l->n_addrs - i) * sizeof(*a));
	return true;
}

static bool link_message(struct net_links *t, struct nlmsghdr *h)
{
	struct net_link l;

	if (nlmsg_datalen(h) < (int)sizeof(struct ifinfomsg))
		return false;
	const struct ifinfomsg *ifi = nlmsg_data(h);
	/* A bridge tells about its ports in messages of its own family: a port that leaves is no
	 * lost link. Wireless events carry nothing but the event. */
	if (ifi->ifi_family != AF_UNSPEC || nlmsg_find_attr(h, sizeof(*ifi), IFLA_WIRELESS))
		return false;
	if (h->nlmsg_type == RTM_DELLINK)
		return link_drop(t, ifi->ifi_index);
	return link_decode(h, &l) && link_put(t, &l);
}

static void host_changed(struct net_links *t, const struct addr *a)
{
	struct net_watch *w;

	LIST_EACH (w, &t->watches, in)
		if (w->host_changed)
			w->host_changed(w, a);
}

static bool message(struct net_links *t, struct nlmsghdr *h)
{
	struct net_addr a;
	bool changed;

	if (h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK) {
		changed = link_message(t, h);
		t->layout += changed;
		return changed;
	}
	if (!net_addr_decode(h, &a))
		return false;
	changed = h->nlmsg_type == RTM_NEWADDR ? addr_put(t, &a) : addr_drop(t, &a);
	if (changed && is_host(&a) && !addr_is_link_local(&a.addr))
		host_changed(t, &a.addr);
	else
		t->layout += changed;
	return changed;
}

/* Reading all of it. */

static void drop_all(struct net_links *t)
{
	for (size_t i = 0; i < t->n; i++)
		link_fini(&t->links[i]);
	free(t->links);
	t->links = NULL;
	t->n = t->cap = 0;
}

static void fresh_start(void *ctx)
{
	drop_all(ctx);
}

static void forget_addrs(void *ctx)
{
	struct net_links *t = ctx;

	for (size_t i = 0; i < t->n; i++)
		t->links[i].n_addrs = t->links[i].n_nets = 0;
}

static void dumped(void *ctx, struct nlmsghdr *h)
{
	(void)message(ctx, h);
}

/* What happens meanwhile waits in the socket of events; applied afterwards it ends in the truth. */
static int read_all(struct net_links *t)
{
	struct {
		struct ifinfomsg ifi;
		struct rtattr ext;
		uint32_t mask;
	} links = {
		.ext = { .rta_len = RTA_LENGTH(4), .rta_type = IFLA_EXT_MASK },
		.mask = RTEXT_FILTER_SKIP_STATS,
	};
	struct ifaddrmsg addrs = { 0 };
	struct net_links fresh = { 0 };
	struct netlink_sink sink = { fresh_start, dumped, &fresh };

	list_init(&fresh.watches); /* nobody */
	int code = netlink_dump(t->requests, RTM_GETLINK, &links, sizeof(links), &sink);
	sink.restart = forget_addrs;
	if (code == 0)
		code = netlink_dump(t->requests, RTM_GETADDR, &addrs, sizeof(addrs), &sink);
	if (code < 0) {
		drop_all(&fresh);
		return code;
	}
	drop_all(t);
	t->links = fresh.links;
	t->n = fresh.n;
	t->cap = fresh.cap;
	t->layout++;
	return 0;
}

/* Events. */

static int event(struct nl_msg *m, void *ctx)
{
	struct net_links *t = ctx;

	if (message(t, nlmsg_hdr(m)))
		loop_task_queue(&t->tell);
	return NL_OK;
}

static int any_sequence(struct nl_msg *m, void *ctx)
{
	(void)m;
	(void)ctx;
	return NL_OK;
}

static void tell(struct loop_task *task)
{
	struct net_links *t = CONTAINER_OF(task, struct net_links, tell);
	struct net_watch *w;

	LIST_EACH (w, &t->watches, in)
		w->changed(w);
}

static void resync(struct net_links *t)
{
	t->resyncs++;
	if (read_all(t) < 0)
		loop_timer_set(&t->retry, mono_add(loop_now(t->io.loop), RETRY));
	else
		loop_task_queue(&t->tell);
}

static void retry(struct loop_timer *timer, struct mono now)
{
	(void)now;
	resync(CONTAINER_OF(timer, struct net_links, retry));
}

/* Apply up to @most messages; false when no more wait. */
static bool take_events(struct net_links *t, int most)
{
	while (most-- > 0) {
		int code = nl_recvmsgs(t->events, t->cb);

		if (code == -NLE_AGAIN)
			return false;
		if (code < 0) { /* ENOBUFS: the kernel had to drop some */
			resync(t);
			break;
		}
	}
	return true;
}

static void ready(struct loop_io *io, unsigned events)
{
	(void)events;
	(void)take_events(CONTAINER_OF(io, struct net_links, io), EVENTS_AT_ONCE);
}

void net_links_catch_up(struct net_links *t)
{
	(void)take_events(t, EVENTS_AT_ONCE * 64);
}

static void tell_first(struct net_watch *w)
{
	struct net_links *t = CONTAINER_OF(w, struct net_links, first);

	t->changed(t->ctx);
}

static int subscribe(struct net_links *t, struct err *e)
{
	t->events = nl_socket_alloc();
	t->cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!t->events || !t->cb)
		return err_set(e, ERR_LIMIT, "no socket");
	nl_cb_set(t->cb, NL_CB_VALID, NL_CB_CUSTOM, event, t);
	nl_cb_set(t->cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, any_sequence, NULL);
	int code = nl_connect(t->events, NETLINK_ROUTE);
	if (code == 0)
		code = nl_socket_add_memberships(t->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
						 RTNLGRP_IPV6_IFADDR, 0);
	if (code == 0)
		code = nl_socket_set_nonblocking(t->events);
	if (code < 0)
		return err_set(e, ERR_SYSTEM, "%s", nl_geterror(code));
	(void)nl_socket_set_buffer_size(t->events, EVENTS_BYTES, 0);
	return 0;
}

int net_links_new(struct loop *loop, void (*changed)(void *ctx), void *ctx, struct net_links **out,
		  struct err *e)
{
	CLEANUP(net_links_freep) struct net_links *t = mem_new(struct net_links);

	list_init(&t->watches);
	loop_io_init(&t->io, loop, ready);
	loop_task_init(&t->tell, loop, tell);
	loop_timer_init(&t->retry, loop, retry);
	if (netlink_open(&t->requests, e) < 0 || subscribe(t, e) < 0)
		return err_wrap(e, "links");
	int code = read_all(t);
	if (code < 0) {
		errno = -code;
		return err_errno(e, "read the links");
	}
	loop_io_watch(&t->io, nl_socket_get_fd(t->events), LOOP_READ);
	t->changed = changed;
	t->ctx = ctx;
	t->first.changed = tell_first;
	if (changed)
		net_links_watch(t, &t->first);
	*out = TAKE(t);
	return 0;
}

struct net_links *net_links_free(struct net_links *t)
{
	if (!t)
		return NULL;
	loop_io_stop(&t->io);
	loop_task_cancel(&t->tell);
	loop_timer_stop(&t->retry);
	nl_cb_put(t->cb);
	nl_socket_free(t->events);
	netlink_close(t->requests);
	drop_all(t);
	free(t);
	return NULL;
}

void net_links_freep(struct net_links **t)
{
	*t = net_links_free(*t);
}

void net_links_watch(struct net_links *t, struct net_watch *w)
{
	list_append(&t->watches, &w->in);
}

void net_links_unwatch(struct net_watch *w)
{
	if (w->in.next)
		list_remove(&w->in);
}

bool net_links_has_vlans(const struct net_links *t, int ifindex)
{
	const struct net_link *link;

	for (size_t at = 0; (link = net_links_next(t, &at));)
		if (link->lower == ifindex && strcmp(link->kind, "vlan") == 0)
			return true;
	return false;
}

const struct net_link *net_links_all(const struct net_links *t, size_t *n)
{
	*n = t->n;
	return t->links;
}

const struct net_link *net_links_next(const struct net_links *t, size_t *at)
{
	return *at < t->n ? &t->links[(*at)++] : NULL;
}

const struct net_link *net_links_by_index(const struct net_links *t, int ifindex)
{
	return link_at(t, ifindex);
}

unsigned net_link_holds(const struct net_link *l, const struct addr *a)
{
	unsigned best = 0;

	for (size_t i = 0; i < l->n_nets; i++)
		if (l->nets[i].len > best && prefix_contains(&l->nets[i], a))
			best = l->nets[i].len;
	return best;
}

const struct net_link *net_links_connected(const struct net_links *t, const struct addr *a)
{
	const struct net_link *best = NULL;
	unsigned best_len = 0;

	for (size_t i = 0; i < t->n; i++) {
		unsigned len = net_link_holds(&t->links[i], a);

		if (len > best_len) {
			best = &t->links[i];
			best_len = len;
		}
	}
	return best;
}

static int compare_with_addr(const void *key, const void *member)
{
	return addr_cmp(key, &((const struct net_addr *)member)->addr);
}

const struct net_link *net_links_holder(const struct net_links *t, const struct addr *a, size_t *at)
{
	while (*at < t->n) {
		const struct net_link *l = &t->links[(*at)++];

		if (l->n_addrs &&
		    bsearch(a, l->addrs, l->n_addrs, sizeof(*l->addrs), compare_with_addr))
			return l;
	}
	return NULL;
}

const struct net_link *net_links_by_name(const struct net_links *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->links[i].name, name) == 0)
			return &t->links[i];
	}
	return NULL;
}

int net_links_default(const struct net_links *t, enum family family)
{
	return netlink_default_link(t->requests, family);
}

uint64_t net_links_layout(const struct net_links *t)
{
	return t->layout;
}

uint64_t net_links_resyncs(const struct net_links *t)
{
	return t->resyncs;
}
