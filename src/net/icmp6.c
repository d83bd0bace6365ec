#include "net/icmp6.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct in6_addr group_addr(enum icmp6_group group)
{
	return (struct in6_addr){ .s6_addr = { 0xff, 0x02, [15] = (uint8_t)group } };
}

static int set_int(int fd, int option, int value, struct err *e)
{
	if (setsockopt(fd, IPPROTO_IPV6, option, &value, sizeof(value)) < 0)
		return err_errno(e, "ICMPv6 option %d", option);
	return 0;
}

static int set_filter(int fd, const uint8_t *types, struct err *e)
{
	struct icmp6_filter filter;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	for (; *types; types++)
		ICMP6_FILTER_SETPASS(*types, &filter);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) < 0)
		return err_errno(e, "ICMPv6 filter");
	return 0;
}

static int join(int fd, int ifindex, struct err *e)
{
	struct ipv6_mreq all = { .ipv6mr_multiaddr = group_addr(ICMP6_ALL_ROUTERS),
				 .ipv6mr_interface = (unsigned)ifindex };

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &all, sizeof(all)) < 0)
		return err_errno(e, "listen to all routers");
	return 0;
}

static int set_options(int fd, const char *ifname, const uint8_t *types, struct err *e)
{
	int ifindex = (int)if_nametoindex(ifname);

	if (ifindex == 0)
		return err_errno(e, "interface %s", ifname);
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname, (socklen_t)strlen(ifname)) < 0)
		return err_errno(e, "bind to device %s", ifname);
	if (set_filter(fd, types, e) < 0 || set_int(fd, IPV6_MULTICAST_IF, ifindex, e) < 0 ||
	    set_int(fd, IPV6_MULTICAST_HOPS, UINT8_MAX, e) < 0 ||
	    set_int(fd, IPV6_MULTICAST_LOOP, 0, e) < 0 || set_int(fd, IPV6_RECVHOPLIMIT, 1, e) < 0)
		return -ERR_SYSTEM;
	return join(fd, ifindex, e);
}

int icmp6_open(const char *ifname, const uint8_t *types, struct err *e)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6);

	if (fd < 0)
		return err_errno(e, "ICMPv6 socket");
	int status = set_options(fd, ifname, types, e);
	if (status < 0) {
		close(fd);
		return status;
	}
	return fd;
}

bool icmp6_send(int fd, enum icmp6_group to, const void *msg, size_t len)
{
	struct sockaddr_in6 all = { .sin6_family = AF_INET6, .sin6_addr = group_addr(to) };

	return sendto(fd, msg, len, 0, (const struct sockaddr *)&all, sizeof(all)) == (ssize_t)len;
}

static uint8_t hops_of(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		int hops;

		if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_HOPLIMIT)
			continue;
		memcpy(&hops, CMSG_DATA(c), sizeof(hops));
		return (uint8_t)hops;
	}
	return 0;
}

size_t icmp6_recv(int fd, void *msg, size_t cap, struct addr *from, uint8_t *hops)
{
	struct sockaddr_storage ss = { 0 };
	_Alignas(struct cmsghdr) char control[64];
	struct iovec iov = { .iov_base = msg, .iov_len = cap };
	struct msghdr m = { .msg_name = &ss,
			    .msg_namelen = sizeof(ss),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &m, 0);

	if (n <= 0)
		return 0;
	addr_from_sockaddr(&ss, from, NULL);
	*hops = hops_of(&m);
	return (size_t)n;
}
