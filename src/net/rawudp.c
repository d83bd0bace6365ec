#include "net/rawudp.h"

#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

#define V4_HEAD_LEN 20
#define V6_HEAD_LEN 40
#define UDP_LEN	    8

/* A burst of thousands of packets must fit where a link is slower than we are. */
#define SNDBUF_BYTES (4 << 20)

/* Before whatever else waits in a queue of the link: TC_PRIO_CONTROL. */
#define PRIORITY 7

static void set_int(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* IPPROTO_RAW: we write the IP header, and nothing is received. */
int rawudp_open(enum family family, uint32_t vrf, struct err *e)
{
	int af = family == FAMILY_V6 ? AF_INET6 : AF_INET;
	int fd = socket(af, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
	int device = (int)vrf;

	if (fd < 0)
		return err_errno(e, "open a raw socket");
	set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, SNDBUF_BYTES);
	set_int(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY);
	if (vrf && setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &device, sizeof(device)) < 0) {
		int saved = errno;
		int ret = err_errno(e, "bind a raw socket to interface %u", vrf);

		close(fd);
		errno = saved;
		return ret;
	}
	return fd;
}

/* The kernel fills in total length, identification and checksum. */
static void put_v4(struct wr *w, const struct rawudp_path *path)
{
	wr_u8(w, 0x45);
	wr_u8(w, path->tos);
	wr_u16(w, 0);
	wr_u16(w, 0);
	wr_u16(w, IP_DF);
	wr_u8(w, path->ttl);
	wr_u8(w, IPPROTO_UDP);
	wr_u16(w, 0);
	wr_bytes(w, path->from.b, 4);
	wr_bytes(w, path->to.b, 4);
}

/* The payload's length follows with the datagram. */
static void put_v6(struct wr *w, const struct rawudp_path *path)
{
	wr_u32(w, UINT32_C(6) << 28 | (uint32_t)path->tos << 20);
	wr_u16(w, 0);
	wr_u8(w, IPPROTO_UDP);
	wr_u8(w, path->ttl);
	wr_bytes(w, path->from.b, 16);
	wr_bytes(w, path->to.b, 16);
}

void rawudp_flow_init(struct rawudp_flow *f, const struct rawudp_path *path)
{
	struct wr w = wr_to(f->head, sizeof(f->head));
	uint32_t scope = addr_is_link_local(&path->to) ? path->ifindex : 0;
	struct sockaddr_storage ss;
	size_t addrs = (size_t)2 * addr_len(&path->to);

	f->to_len = addr_to_sockaddr(&path->to, 0, scope, &ss);
	memcpy(&f->to, &ss, f->to_len);
	f->ifindex = path->ifindex;
	if (path->to.family == FAMILY_V6)
		put_v6(&w, path);
	else
		put_v4(&w, path);
	f->sum = bytes_csum_add(IPPROTO_UDP, w.p + w.len - addrs, addrs);
	f->sum += (uint32_t)path->from_port + path->to_port;
	wr_u16(&w, path->from_port);
	wr_u16(&w, path->to_port);
	wr_u16(&w, 0);
	wr_u16(&w, 0);
	f->head_len = path->to.family == FAMILY_V6 ? V6_HEAD_LEN + UDP_LEN : V4_HEAD_LEN + UDP_LEN;
}

/* The interface to leave by. */
union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct rawudp_batch {
	unsigned n;
	struct mmsghdr msgs[RAWUDP_BATCH];
	struct iovec iov[RAWUDP_BATCH];
	union control control[RAWUDP_BATCH];
	void *owner[RAWUDP_BATCH];
	uint8_t bytes[RAWUDP_BATCH][RAWUDP_HEAD_MAX + RAWUDP_PAYLOAD_MAX];
};

struct rawudp_batch *rawudp_batch_new(void)
{
	struct rawudp_batch *b = mem_new(struct rawudp_batch);

	for (int i = 0; i < RAWUDP_BATCH; i++) {
		b->iov[i].iov_base = b->bytes[i];
		b->msgs[i].msg_hdr.msg_iov = &b->iov[i];
		b->msgs[i].msg_hdr.msg_iovlen = 1;
	}
	return b;
}

struct rawudp_batch *rawudp_batch_free(struct rawudp_batch *b)
{
	free(b);
	return NULL;
}

static size_t put_control(union control *c, const struct rawudp_flow *f)
{
	struct in_pktinfo v4 = { .ipi_ifindex = (int)f->ifindex };
	struct in6_pktinfo v6 = { .ipi6_ifindex = f->ifindex };
	bool is_v6 = f->to.any.sa_family == AF_INET6;
	size_t len = is_v6 ? sizeof(v6) : sizeof(v4);

	if (f->ifindex == 0)
		return 0;
	c->align = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(len),
		.cmsg_level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		.cmsg_type = is_v6 ? IPV6_PKTINFO : IP_PKTINFO,
	};
	memcpy(CMSG_DATA(&c->align), is_v6 ? (void *)&v6 : (void *)&v4, len);
	return CMSG_SPACE(len);
}

static void put_u16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static size_t put_datagram(uint8_t *out, const struct rawudp_flow *f, const void *bytes, size_t len)
{
	uint8_t *udp = out + f->head_len - UDP_LEN;
	uint32_t udp_len = (uint32_t)len + UDP_LEN;

	memcpy(out, f->head, f->head_len);
	memcpy(udp + UDP_LEN, bytes, len);
	if (f->head_len == V6_HEAD_LEN + UDP_LEN)
		put_u16(out + 4, udp_len);
	put_u16(udp + 4, udp_len);
	/* The length counts twice: in the header and in the pseudo-header. */
	uint16_t sum = bytes_csum_fold(bytes_csum_add(f->sum + 2 * udp_len, bytes, len));
	put_u16(udp + 6, sum ? sum : UINT16_MAX); /* zero would mean that there is none */
	return f->head_len + len;
}

bool rawudp_add(struct rawudp_batch *b, const struct rawudp_flow *flow, const void *bytes,
		size_t len, void *owner)
{
	unsigned i = b->n;

	if (i == RAWUDP_BATCH || len > RAWUDP_PAYLOAD_MAX)
		return false;
	struct msghdr *h = &b->msgs[i].msg_hdr;

	b->n++;
	b->owner[i] = owner;
	b->iov[i].iov_len = put_datagram(b->bytes[i], flow, bytes, len);
	h->msg_name = (void *)(uintptr_t)&flow->to;
	h->msg_namelen = flow->to_len;
	h->msg_controllen = put_control(&b->control[i], flow);
	h->msg_control = h->msg_controllen ? &b->control[i] : NULL;
	return true;
}

bool rawudp_is_empty(const struct rawudp_batch *b)
{
	return b->n == 0;
}

/* The kernel stops at the first one that it refuses, and says why only when that stands first. */
void rawudp_flush(struct rawudp_batch *b, int fd, void (*done)(void *owner, int error))
{
	unsigned i = 0;

	while (i < b->n) {
		int n = sendmmsg(fd, b->msgs + i, b->n - i, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			done(b->owner[i++], n < 0 ? errno : EIO);
			continue;
		}
		for (; n > 0; n--)
			done(b->owner[i++], 0);
	}
	b->n = 0;
}
