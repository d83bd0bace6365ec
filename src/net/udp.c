#include "net/udp.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/ip.h>
#include <time.h>
#include <unistd.h>

/* Before whatever else waits in a queue of the link (TC_PRIO_CONTROL); this and less is for all. */
#define PRIORITY_CONTROL     7
#define PRIORITY_INTERACTIVE 6

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int set_v4(int fd, const struct udp_conf *conf)
{
	uint32_t ifindex = htonl(conf->ifindex); /* IP_UNICAST_IF wants it in network order */

	if (conf->ttl && set_int(fd, IPPROTO_IP, IP_TTL, conf->ttl) < 0)
		return -1;
	if (conf->tos && set_int(fd, IPPROTO_IP, IP_TOS, conf->tos) < 0)
		return -1;
	if (conf->ifindex &&
	    setsockopt(fd, IPPROTO_IP, IP_UNICAST_IF, &ifindex, sizeof(ifindex)) < 0)
		return -1;
	if (!conf->details)
		return 0;
	return set_int(fd, IPPROTO_IP, IP_RECVTTL, 1) | set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

static int set_v6(int fd, const struct udp_conf *conf)
{
	uint32_t ifindex = htonl(conf->ifindex);

	if (set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0)
		return -1;
	if (conf->ttl && set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, conf->ttl) < 0)
		return -1;
	if (conf->tos && set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, conf->tos) < 0)
		return -1;
	if (conf->ifindex &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_IF, &ifindex, sizeof(ifindex)) < 0)
		return -1;
	if (!conf->details)
		return 0;
	return set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) |
	       set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

static int set_common(int fd, const struct udp_conf *conf)
{
	int rcvbuf = conf->rcvbuf_bytes;

	/* The forced form goes past the system's limit and needs CAP_NET_ADMIN. */
	if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, rcvbuf) < 0 &&
	    set_int(fd, SOL_SOCKET, SO_RCVBUF, rcvbuf) < 0)
		return -1;
	if (conf->tos && set_int(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY_CONTROL) < 0 &&
	    set_int(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY_INTERACTIVE) < 0)
		return -1;
	if (conf->vrf && set_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)conf->vrf) < 0)
		return -1;
	if (conf->grouped && set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return -1;
	if (!conf->details)
		return 0;
	return set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) | set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
}

static int bind_to(int fd, const struct udp_conf *conf)
{
	static const uint8_t any[16] = { 0 };
	struct addr local = conf->local;
	struct sockaddr_storage ss;

	if (!addr_is_set(&local))
		local = addr_from_bytes(conf->family, any);
	uint32_t scope = addr_is_link_local(&local) ? conf->ifindex : 0;
	socklen_t len = addr_to_sockaddr(&local, conf->port, scope, &ss);
	return bind(fd, (struct sockaddr *)&ss, len);
}

int udp_open(const struct udp_conf *conf, struct err *e)
{
	bool v6 = conf->family == FAMILY_V6;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(e, "open a UDP socket");
	if ((v6 ? set_v6(fd, conf) : set_v4(fd, conf)) < 0 || set_common(fd, conf) < 0 ||
	    bind_to(fd, conf) < 0) {
		int saved = errno;
		int ret = err_bind(e, "UDP port %u of %s", conf->port,
				   addr_is_set(&conf->local) ? ADDR_TEXT(&conf->local)
							     : "any address");
		close(fd);
		errno = saved;
		return ret;
	}
	return fd;
}

static int source_of(int fd, const struct addr *to, uint32_t ifindex, struct addr *out)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(to, 1, addr_is_link_local(to) ? ifindex : 0, &ss);

	if (connect(fd, (struct sockaddr *)&ss, len) < 0)
		return -1;
	len = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return -1;
	addr_from_sockaddr(&ss, out, NULL);
	return 0;
}

int udp_source(const struct udp_conf *conf, const struct addr *to, struct addr *out, struct err *e)
{
	int fd = udp_open(conf, e);

	if (fd < 0)
		return fd;
	int ret = source_of(fd, to, conf->ifindex, out);
	int saved = errno;

	if (ret < 0)
		ret = err_errno(e, "no way to %s", ADDR_TEXT(to));
	close(fd);
	errno = saved;
	return ret;
}

int udp_sort(int fd, const struct sock_filter *insns, size_t n, struct err *e)
{
	struct sock_fprog prog = { .len = (unsigned short)n,
				   .filter = (struct sock_filter *)(uintptr_t)insns };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog)) < 0)
		return err_errno(e, "sort datagrams");
	return 0;
}

int udp_send(int fd, const struct addr *to, uint16_t port, uint32_t scope, const void *bytes,
	     size_t len)
{
	struct sockaddr_storage ss;
	socklen_t ss_len = addr_to_sockaddr(to, port, addr_is_link_local(to) ? scope : 0, &ss);
	ssize_t n =
		sendto(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&ss, ss_len);

	return n < 0 ? -errno : 0;
}

/* Room for the largest set of control messages that we ask for. */
union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct timespec)) + 2 * CMSG_SPACE(sizeof(int)) +
		      CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct udp_batch {
	int n_written; /* so many of @msgs have the lengths of what came */
	struct mmsghdr msgs[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	struct sockaddr_storage from[UDP_BATCH];
	union control control[UDP_BATCH];
	uint8_t bytes[UDP_BATCH][UDP_MSG_MAX];
};

struct udp_batch *udp_batch_new(void)
{
	struct udp_batch *b = mem_new(struct udp_batch);

	b->n_written = UDP_BATCH;
	for (int i = 0; i < UDP_BATCH; i++) {
		b->iov[i] = (struct iovec){ .iov_base = b->bytes[i], .iov_len = UDP_MSG_MAX };
		b->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i],
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
			.msg_control = &b->control[i],
		};
	}
	return b;
}

struct udp_batch *udp_batch_free(struct udp_batch *b)
{
	free(b);
	return NULL;
}

int udp_batch_recv(struct udp_batch *b, int fd)
{
	for (int i = 0; i < b->n_written; i++) {
		b->msgs[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
		b->msgs[i].msg_hdr.msg_controllen = sizeof(b->control[i]);
	}
	int n = recvmmsg(fd, b->msgs, UDP_BATCH, MSG_DONTWAIT, NULL);
	b->n_written = MAX(n, 0);
	return n < 0 ? -errno : n;
}

static void take_control(const struct cmsghdr *c, struct udp_msg *out)
{
	const void *data = CMSG_DATA(c);

	if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
		struct timespec ts;
		memcpy(&ts, data, sizeof(ts));
		out->arrived_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
		memcpy(&out->lost, data, sizeof(out->lost));
	} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
		memcpy(&out->ttl, data, sizeof(out->ttl));
	} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, data, sizeof(info));
		out->to = addr_from_bytes(FAMILY_V4, &info.ipi_addr);
		out->ifindex = (uint32_t)info.ipi_ifindex;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, data, sizeof(info));
		out->to = addr_from_bytes(FAMILY_V6, &info.ipi6_addr);
		out->ifindex = info.ipi6_ifindex;
	}
}

void udp_batch_get(struct udp_batch *b, int i, struct udp_msg *out)
{
	struct msghdr *h = &b->msgs[i].msg_hdr;

	*out = (struct udp_msg){
		.bytes = rd_from(b->bytes[i], b->msgs[i].msg_len),
		.cut = h->msg_flags & MSG_TRUNC,
		.ttl = -1,
	};
	addr_from_sockaddr(&b->from[i], &out->from, &out->from_port);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		take_control(c, out);
}
