#include "net/ifaddr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <sys/utsname.h>

/* Flags that do not fit into the header's 8 bits go into IFA_FLAGS. */
#define OUR_FLAGS (IFA_F_NOPREFIXROUTE | IFA_F_NODAD)

/* A request about @a as a host address; more attributes may follow. NULL: no memory. */
static struct nl_msg *message_about(int type, int flags, int ifindex, const struct addr *a)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, flags);
	struct ifaddrmsg ifa = {
		.ifa_family = a->family == FAMILY_V4 ? AF_INET : AF_INET6,
		.ifa_prefixlen = (uint8_t)addr_bits(a),
		.ifa_flags = IFA_F_NODAD,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (unsigned)ifindex,
	};

	if (!m)
		return NULL;
	if (nlmsg_append(m, &ifa, sizeof(ifa), NLMSG_ALIGNTO) < 0 ||
	    nla_put(m, IFA_LOCAL, (int)addr_len(a), a->b) < 0 ||
	    nla_put(m, IFA_ADDRESS, (int)addr_len(a), a->b) < 0) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

static int put(struct netlink *nl, int flags, int ifindex, const struct addr *a, uint32_t valid_s)
{
	struct nl_msg *m = message_about(RTM_NEWADDR, flags, ifindex, a);
	struct ifa_cacheinfo life = {
		.ifa_valid = valid_s,
		.ifa_prefered = a->family == FAMILY_V4 ? valid_s : 0,
	};

	if (!m)
		return -ENOMEM;
	if (nla_put_u32(m, IFA_FLAGS, OUR_FLAGS) < 0 ||
	    nla_put_u8(m, IFA_PROTO, IFADDR_PROTO) < 0 ||
	    nla_put(m, IFA_CACHEINFO, sizeof(life), &life) < 0) {
		nlmsg_free(m);
		return -ENOMEM;
	}
	return netlink_request(nl, m);
}

static int failed(int code, const char *what, int ifindex, const struct addr *a, struct err *e)
{
	errno = -code;
	return err_errno(e, "%s %s/%u, link %d", what, ADDR_TEXT(a), addr_bits(a), ifindex);
}

int ifaddr_add(struct netlink *nl, int ifindex, const struct addr *a, uint32_t valid_s,
	       struct err *e)
{
	int code = put(nl, NLM_F_CREATE | NLM_F_EXCL, ifindex, a, valid_s);

	if (code == -EEXIST)
		return IFADDR_EXISTS;
	return code < 0 ? failed(code, "add", ifindex, a, e) : 0;
}

int ifaddr_renew(struct netlink *nl, int ifindex, const struct addr *a, uint32_t valid_s,
		 struct err *e)
{
	int code = put(nl, NLM_F_CREATE | NLM_F_REPLACE, ifindex, a, valid_s);

	return code < 0 ? failed(code, "renew", ifindex, a, e) : 0;
}

int ifaddr_remove(struct netlink *nl, int ifindex, const struct addr *a, struct err *e)
{
	int code = netlink_request(nl, message_about(RTM_DELADDR, 0, ifindex, a));

	if (code == -EADDRNOTAVAIL || code == -ENODEV || code == -ENXIO)
		return IFADDR_ABSENT;
	return code < 0 ? failed(code, "remove", ifindex, a, e) : 0;
}

struct addr_list {
	struct net_addr *a;
	size_t n, cap;
};

static void list_restart(void *ctx)
{
	struct addr_list *l = ctx;

	l->n = 0;
}

static void list_message(void *ctx, struct nlmsghdr *h)
{
	struct addr_list *l = ctx;
	struct net_addr a;

	if (!net_addr_decode(h, &a))
		return;
	mem_grow(l->a, l->n, l->cap);
	l->a[l->n++] = a;
}

int ifaddr_list(struct netlink *nl, struct net_addr **out, size_t *n, struct err *e)
{
	struct ifaddrmsg all = { 0 };
	struct addr_list l = { 0 };
	struct netlink_sink sink = { list_restart, list_message, &l };
	int code = netlink_dump(nl, RTM_GETADDR, &all, sizeof(all), &sink);

	if (code < 0) {
		free(l.a);
		errno = -code;
		return err_errno(e, "list the addresses");
	}
	*out = l.a;
	*n = l.n;
	return 0;
}

bool ifaddr_proto_kept(void)
{
	struct utsname u;
	unsigned major = 0;
	unsigned minor = 0;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 5 || (major == 5 && minor >= 18);
}
