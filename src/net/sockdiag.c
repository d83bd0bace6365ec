#include "net/sockdiag.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>

enum {
	ROUND = 1024, /* connections in one walk of the kernel's table */
	ROUNDS_MAX = 64,
	ANY_PORT = -1,
	/* Neither listening nor over; those states have no other end to tell. */
	STATES = 0xfff & ~(1 << TCP_LISTEN | 1 << TCP_TIME_WAIT | 1 << TCP_CLOSE),
};

/* The kernel's own little program: the local address is this one. */
struct local_is {
	uint8_t bytes[sizeof(struct inet_diag_bc_op) + sizeof(struct inet_diag_hostcond) + 16];
};

struct found {
	struct inet_diag_req_v2 v[ROUND];
	size_t n;
};

static size_t condition(const struct addr *local, struct local_is *out)
{
	const size_t head = sizeof(struct inet_diag_bc_op);
	const size_t body = sizeof(struct inet_diag_hostcond);
	size_t len = head + body + addr_len(local);
	const struct inet_diag_bc_op op = {
		.code = INET_DIAG_BC_S_COND,
		.yes = (unsigned char)len,
		.no = (unsigned short)(len + 4), /* past the end: no */
	};
	const struct inet_diag_hostcond cond = {
		.family = local->family == FAMILY_V4 ? AF_INET : AF_INET6,
		.prefix_len = (unsigned char)addr_bits(local),
		.port = ANY_PORT,
	};

	memcpy(out->bytes, &op, head);
	memcpy(out->bytes + head, &cond, body);
	memcpy(out->bytes + head + body, local->b, addr_len(local));
	return len;
}

static int read_one(struct nl_msg *m, void *arg)
{
	struct found *found = arg;
	struct nlmsghdr *h = nlmsg_hdr(m);

	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    !nlmsg_valid_hdr(h, sizeof(struct inet_diag_msg)) || found->n == ROUND)
		return NL_OK;
	const struct inet_diag_msg *d = nlmsg_data(h);
	found->v[found->n++] = (struct inet_diag_req_v2){
		.sdiag_family = d->idiag_family,
		.sdiag_protocol = IPPROTO_TCP,
		.id = d->id,
	};
	return NL_OK;
}

static bool dump(struct nl_sock *s, int family, const struct addr *local)
{
	struct nl_msg *m = nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
	struct inet_diag_req_v2 req = {
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = STATES,
	};
	struct local_is only;
	size_t len = condition(local, &only);

	if (!m)
		return false;
	nlmsg_append(m, &req, sizeof(req), NLMSG_ALIGNTO);
	nla_put(m, INET_DIAG_REQ_BYTECODE, (int)len, only.bytes);
	int code = nl_send_auto(s, m);
	nlmsg_free(m);
	return code >= 0 && nl_recvmsgs_default(s) >= 0;
}

static bool end_one(struct nl_sock *s, struct inet_diag_req_v2 *which)
{
	struct nl_msg *m = nlmsg_alloc_simple(SOCK_DESTROY, NLM_F_ACK);

	if (!m)
		return false;
	nlmsg_append(m, which, sizeof(*which), NLMSG_ALIGNTO);
	int code = nl_send_auto(s, m);
	nlmsg_free(m);
	return code >= 0 && nl_wait_for_ack(s) >= 0;
}

/** One walk over sockets of a family; how many were ended. */
static size_t end_round(struct nl_sock *s, int family, const struct addr *local)
{
	struct found *found = mem_new(struct found);
	size_t ended = 0;

	nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, read_one, found);
	if (dump(s, family, local))
		for (size_t i = 0; i < found->n; i++)
			ended += end_one(s, &found->v[i]);
	free(found);
	return ended;
}

static size_t end_family(int family, const struct addr *local)
{
	struct nl_sock *s = nl_socket_alloc();
	size_t all = 0, ended = 0;

	if (s && nl_connect(s, NETLINK_SOCK_DIAG) == 0)
		for (unsigned i = 0; i < ROUNDS_MAX; i++) {
			ended = end_round(s, family, local);
			all += ended;
			if (ended < ROUND)
				break;
		}
	nl_socket_free(s);
	return all;
}

size_t sockdiag_end_tcp(const struct addr *local)
{
	size_t n = end_family(AF_INET6, local); /* of IPv4 too: sockets for both */

	return local->family == FAMILY_V4 ? n + end_family(AF_INET, local) : n;
}
