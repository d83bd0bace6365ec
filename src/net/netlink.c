#include "net/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>

#define DUMP_TRIES 8 /* a table that changes all the time is taken as it comes */

struct netlink {
	struct nl_sock *sock;
};

int netlink_open(struct netlink **out, struct err *e)
{
	CLEANUP(netlink_closep) struct netlink *nl = mem_new(struct netlink);

	nl->sock = nl_socket_alloc();
	if (!nl->sock)
		return err_set(e, ERR_LIMIT, "netlink: no socket");
	int code = nl_connect(nl->sock, NETLINK_ROUTE);
	if (code < 0)
		return err_set(e, ERR_SYSTEM, "netlink: %s", nl_geterror(code));
	*out = TAKE(nl);
	return 0;
}

struct netlink *netlink_close(struct netlink *nl)
{
	if (!nl)
		return NULL;
	nl_socket_free(nl->sock);
	free(nl);
	return NULL;
}

void netlink_closep(struct netlink **nl)
{
	*nl = netlink_close(*nl);
}

/* One exchange: libnl's own error numbers would lose what the kernel said. */
struct exchange {
	bool acked;
	bool interrupted;
	int error; /* errno */
	const struct netlink_sink *sink;
};

static int on_ack(struct nl_msg *m, void *arg)
{
	struct exchange *x = arg;

	(void)m;
	x->acked = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
	struct exchange *x = arg;

	(void)from;
	x->error = -err->error;
	return NL_STOP;
}

static int on_message(struct nl_msg *m, void *arg)
{
	struct exchange *x = arg;

	if (x->sink)
		x->sink->message(x->sink->ctx, nlmsg_hdr(m));
	return NL_OK;
}

static int on_interruption(struct nl_msg *m, void *arg)
{
	struct exchange *x = arg;

	(void)m;
	x->interrupted = true;
	return NL_OK; /* read on to the end, so that the socket is clean */
}

static struct nl_cb *callbacks(struct exchange *x)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);

	if (!cb)
		return NULL;
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, x);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, x);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interruption, x);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, x);
	return cb;
}

/* Receive until the acknowledgement, or the end of a dump. */
static int answers(struct netlink *nl, struct exchange *x, bool dump)
{
	struct nl_cb *cb = callbacks(x);
	int code = cb ? 0 : -NLE_NOMEM;

	while (code >= 0 && !x->acked && !x->error) {
		code = nl_recvmsgs(nl->sock, cb);
		if (dump)
			break; /* one call reads all parts */
	}
	nl_cb_put(cb);
	if (x->error)
		return -x->error;
	return code < 0 && code != -NLE_DUMP_INTR ? -EIO : 0;
}

int netlink_request(struct netlink *nl, struct nl_msg *m)
{
	struct exchange x = { 0 };

	if (!m)
		return -ENOMEM;
	int code = nl_send_auto(nl->sock, m);
	nlmsg_free(m);
	return code < 0 ? -EIO : answers(nl, &x, false);
}

int netlink_dump(struct netlink *nl, int type, const void *header, size_t len,
		 const struct netlink_sink *sink)
{
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct exchange x = { .sink = sink };
		int flags = NLM_F_REQUEST | NLM_F_DUMP;

		sink->restart(sink->ctx);
		if (nl_send_simple(nl->sock, type, flags, (void *)(uintptr_t)header, len) < 0)
			return -EIO;
		int code = answers(nl, &x, true);
		if (code < 0 || !x.interrupted)
			return code;
	}
	return 0;
}

struct default_route {
	int link;
};

static void nothing(void *ctx)
{
	(void)ctx;
}

struct neighbours {
	const struct mac *mac;
	struct addr *v;
	size_t n, max;
};

static void forget_neighbours(void *ctx)
{
	((struct neighbours *)ctx)->n = 0;
}

static void read_neighbour(void *ctx, struct nlmsghdr *h)
{
	struct neighbours *found = ctx;

	if (h->nlmsg_type != RTM_NEWNEIGH || found->n == found->max)
		return;
	const struct ndmsg *nd = nlmsg_data(h);
	struct nlattr *mac = nlmsg_find_attr(h, sizeof(*nd), NDA_LLADDR);
	struct nlattr *addr = nlmsg_find_attr(h, sizeof(*nd), NDA_DST);
	enum family family = nd->ndm_family == AF_INET ? FAMILY_V4 : FAMILY_V6;
	if (!mac || !addr || nla_len(mac) != (int)sizeof(found->mac->b) ||
	    nla_len(addr) != (family == FAMILY_V4 ? 4 : 16) ||
	    memcmp(nla_data(mac), found->mac->b, sizeof(found->mac->b)) != 0)
		return;
	found->v[found->n++] = addr_from_bytes(family, nla_data(addr));
}

size_t netlink_neighbours(struct netlink *nl, const struct mac *mac, struct addr *out, size_t max)
{
	struct neighbours found = { .mac = mac, .v = out, .max = max };
	struct netlink_sink sink = { .restart = forget_neighbours,
				     .message = read_neighbour,
				     .ctx = &found };
	struct ndmsg nd = { 0 };

	return netlink_dump(nl, RTM_GETNEIGH, &nd, sizeof(nd), &sink) == 0 ? found.n : 0;
}

static struct nl_msg *neighbour_message(int type, int flags, int ifindex, uint16_t state,
					const struct addr *addr)
{
	struct ndmsg nd = { .ndm_family = addr->family == FAMILY_V4 ? AF_INET : AF_INET6,
			    .ndm_ifindex = ifindex,
			    .ndm_state = state };
	struct nl_msg *m = nlmsg_alloc_simple(type, flags);

	if (!m)
		return NULL;
	nlmsg_append(m, &nd, sizeof(nd), NLMSG_ALIGNTO);
	nla_put(m, NDA_DST, (int)addr_len(addr), addr->b);
	return m;
}

struct neighbour {
	struct mac mac;
	bool known;
};

static void read_mac(void *ctx, struct nlmsghdr *h)
{
	struct neighbour *found = ctx;
	const struct ndmsg *nd = nlmsg_data(h);
	struct nlattr *mac = nlmsg_find_attr(h, sizeof(*nd), NDA_LLADDR);

	if (h->nlmsg_type != RTM_NEWNEIGH || !mac || nla_len(mac) != (int)sizeof(found->mac.b) ||
	    nd->ndm_state & (NUD_INCOMPLETE | NUD_FAILED))
		return;
	memcpy(found->mac.b, nla_data(mac), sizeof(found->mac.b));
	found->known = true;
}

bool netlink_neighbour(struct netlink *nl, uint32_t ifindex, const struct addr *addr,
		       struct mac *out)
{
	struct neighbour found = { 0 };
	struct netlink_sink sink = { .restart = nothing, .message = read_mac, .ctx = &found };
	struct exchange x = { .sink = &sink };
	struct nl_msg *m = neighbour_message(RTM_GETNEIGH, 0, (int)ifindex, 0, addr);

	if (!m)
		return false;
	int code = nl_send_auto(nl->sock, m);
	nlmsg_free(m);
	if (code < 0 || answers(nl, &x, false) != 0 || !found.known)
		return false;
	*out = found.mac;
	return true;
}

/* What the table has for one address, on all links. */
struct entries {
	const struct addr *addr;
	struct netlink_entry *v;
	size_t n, max;
};

static void forget_entries(void *ctx)
{
	((struct entries *)ctx)->n = 0;
}

static void read_entry(void *ctx, struct nlmsghdr *h)
{
	struct entries *found = ctx;
	const struct ndmsg *nd = nlmsg_data(h);
	struct nlattr *addr = nlmsg_find_attr(h, sizeof(*nd), NDA_DST);
	struct nlattr *mac = nlmsg_find_attr(h, sizeof(*nd), NDA_LLADDR);

	if (h->nlmsg_type != RTM_NEWNEIGH || found->n == found->max || !addr ||
	    nla_len(addr) != (int)addr_len(found->addr) ||
	    memcmp(nla_data(addr), found->addr->b, addr_len(found->addr)) != 0)
		return;
	struct netlink_entry *e = &found->v[found->n++];
	*e = (struct netlink_entry){ .ifindex = nd->ndm_ifindex };
	e->asked_in_vain = nd->ndm_state & (NUD_INCOMPLETE | NUD_FAILED);
	e->known = !e->asked_in_vain && mac && nla_len(mac) == (int)sizeof(e->mac.b);
	if (e->known)
		memcpy(e->mac.b, nla_data(mac), sizeof(e->mac.b));
}

size_t netlink_neighbour_entries(struct netlink *nl, const struct addr *addr,
				 struct netlink_entry *out, size_t max)
{
	struct entries found = { .addr = addr, .v = out, .max = max };
	struct netlink_sink sink = { .restart = forget_entries,
				     .message = read_entry,
				     .ctx = &found };
	struct ndmsg nd = { .ndm_family = addr->family == FAMILY_V4 ? AF_INET : AF_INET6 };

	return netlink_dump(nl, RTM_GETNEIGH, &nd, sizeof(nd), &sink) < 0 ? 0 : found.n;
}

int netlink_neighbour_forget(struct netlink *nl, int ifindex, const struct addr *addr)
{
	return netlink_request(nl, neighbour_message(RTM_DELNEIGH, 0, ifindex, 0, addr));
}

int netlink_neighbour_try(struct netlink *nl, int ifindex, const struct addr *addr,
			  const struct mac *mac)
{
	struct nl_msg *m = neighbour_message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex,
					     NUD_STALE, addr);

	if (m)
		nla_put(m, NDA_LLADDR, (int)sizeof(mac->b), mac->b);
	return netlink_request(nl, m);
}

/* A default route may have several next hops: the first one counts. */
static void read_route(void *ctx, struct nlmsghdr *h)
{
	struct default_route *d = ctx;
	const struct rtmsg *rtm = nlmsg_data(h);

	if (h->nlmsg_type != RTM_NEWROUTE || rtm->rtm_dst_len != 0)
		return;
	struct nlattr *oif = nlmsg_find_attr(h, sizeof(*rtm), RTA_OIF);
	struct nlattr *hops = nlmsg_find_attr(h, sizeof(*rtm), RTA_MULTIPATH);
	if (oif)
		d->link = (int)nla_get_u32(oif);
	else if (hops && nla_len(hops) >= (int)sizeof(struct rtnexthop))
		d->link = ((struct rtnexthop *)nla_data(hops))->rtnh_ifindex;
}

/*
 * The route of an address that no table has a route of its own for: reserved ones, 240.0.0.1 and
 * 4000::1. A dump would find the same, but may be a million routes long.
 */
int netlink_default_link(struct netlink *nl, enum family family)
{
	bool v4 = family == FAMILY_V4;
	struct addr nowhere = v4 ? addr_v4(240, 0, 0, 1)
				 : addr_from_bytes(FAMILY_V6, (uint8_t[16]){ 0x40, [15] = 1 });
	struct rtmsg rtm = {
		.rtm_family = v4 ? AF_INET : AF_INET6,
		.rtm_dst_len = (uint8_t)addr_bits(&nowhere),
		.rtm_flags = RTM_F_FIB_MATCH,
	};
	struct default_route d = { 0 };
	struct netlink_sink sink = { .restart = nothing, .message = read_route, .ctx = &d };
	struct exchange x = { .sink = &sink };
	struct nl_msg *m = nlmsg_alloc_simple(RTM_GETROUTE, 0);

	if (!m)
		return 0;
	nlmsg_append(m, &rtm, sizeof(rtm), NLMSG_ALIGNTO);
	nla_put(m, RTA_DST, (int)addr_len(&nowhere), nowhere.b);
	int code = nl_send_auto(nl->sock, m);
	nlmsg_free(m);
	return code >= 0 && answers(nl, &x, false) == 0 ? d.link : 0;
}
