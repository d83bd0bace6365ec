#include "net/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <unistd.h>

/* A burst of requests after a takeover must fit while we are busy announcing. */
#define RECEIVE_BUFFER_BYTES (1 << 20)

/* SOL_PACKET options are younger than some C libraries' headers. */
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/**
 * Put our own test in front: frames whose destination is another machine are out. The kernel marks
 * so what arrives only because of promiscuous mode, and what carries a VLAN tag that has no
 * interface here.
 */
static size_t filter_guard(struct sock_filter *out)
{
	const struct sock_filter guard[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (__u32)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	memcpy(out, guard, sizeof(guard));
	return ARRAY_LEN(guard);
}

int packet_set_filter(int fd, const struct pcap_prog *filter, struct err *e)
{
	struct sock_filter insns[BPF_MAXINSNS] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog prog = { .filter = insns, .len = 1 };

	if (filter && filter->n > 0) {
		size_t n = filter_guard(insns);
		if (filter->n > BPF_MAXINSNS - n)
			return err_set(e, ERR_LIMIT, "packet filter too long");
		memcpy(insns + n, filter->insns, filter->n * sizeof(*insns));
		prog.len = (unsigned short)(n + filter->n);
	}
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0)
		return err_errno(e, "attach a packet filter");
	return 0;
}

static void set_receive_buffer(int fd)
{
	int bytes = RECEIVE_BUFFER_BYTES;

	/* Without CAP_NET_ADMIN the host's limit holds: a smaller buffer drops sooner, counted. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static int packet_prepare(int fd, int ifindex, uint16_t ethertype, const struct pcap_prog *filter,
			  struct err *e)
{
	int on = 1;
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ethertype),
				  .sll_ifindex = ifindex };

	int rc = packet_set_filter(fd, filter, e);
	if (rc < 0)
		return rc;
	set_receive_buffer(fd);
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0)
		return err_errno(e, "ignore outgoing frames");
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return err_errno(e, "bind a packet socket to interface %d", ifindex);
	return 0;
}

int packet_open(int ifindex, uint16_t ethertype, const struct pcap_prog *filter, struct err *e)
{
	/* Protocol 0: the socket hears nothing until bind() gives it one. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(e, "open a packet socket");

	int rc = packet_prepare(fd, ifindex, ethertype, filter, e);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

void packet_own_mac(int fd, uint8_t out[static 6])
{
	struct sockaddr_ll at = { 0 };
	socklen_t len = sizeof(at);

	(void)getsockname(fd, (struct sockaddr *)&at, &len);
	memcpy(out, at.sll_addr, 6);
}

void packet_mute(int fd)
{
	/* Were it refused, frames would be queued until the buffer is full: no harm done. */
	int rc = packet_set_filter(fd, NULL, NULL);
	(void)rc;
}

bool packet_is_bound(int fd)
{
	struct sockaddr_ll at = { 0 };
	socklen_t len = sizeof(at);

	return getsockname(fd, (struct sockaddr *)&at, &len) == 0 && at.sll_ifindex > 0;
}

uint64_t packet_dropped(int fd)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);

	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
		return 0;
	return stats.tp_drops;
}

void packet_batch_init(struct packet_batch *b)
{
	*b = (struct packet_batch){ 0 };
	for (size_t i = 0; i < PACKET_BATCH; i++) {
		b->msgs[i].msg_hdr.msg_iov = &b->iov[i];
		b->msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

void packet_inbox_init(struct packet_inbox *in)
{
	packet_batch_init(&in->batch);
	for (size_t i = 0; i < PACKET_BATCH; i++)
		packet_batch_set(&in->batch, i, in->bytes[i], sizeof(in->bytes[i]));
}

/* Quicker than recvmmsg() for one. */
static int recv_first(int fd, struct packet_inbox *in)
{
	struct mmsghdr *m = &in->batch.msgs[0];
	ssize_t n = recv(fd, in->bytes[0], sizeof(in->bytes[0]), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0)
		return -errno;
	m->msg_len = (unsigned)MIN((size_t)n, sizeof(in->bytes[0]));
	m->msg_hdr.msg_flags = (size_t)n > sizeof(in->bytes[0]) ? MSG_TRUNC : 0;
	return 1;
}

int packet_recv(int fd, struct packet_inbox *in, unsigned max)
{
	if (max == 1)
		return recv_first(fd, in);
	int n = recvmmsg(fd, in->batch.msgs, max, MSG_DONTWAIT, NULL);

	return n < 0 ? -errno : n;
}

const uint8_t *packet_frame(const struct packet_inbox *in, size_t i, size_t *len, bool *cut)
{
	*len = in->batch.msgs[i].msg_len;
	*cut = (in->batch.msgs[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
	return in->bytes[i];
}

void packet_batch_set(struct packet_batch *b, size_t i, const void *frame, size_t len)
{
	b->iov[i] = (struct iovec){ .iov_base = (void *)frame, .iov_len = len };
}

int packet_send_batch(int fd, struct packet_batch *b, size_t n)
{
	int sent = sendmmsg(fd, b->msgs, (unsigned)n, MSG_DONTWAIT);

	return sent < 0 ? -errno : sent;
}

int packet_recv_one(int fd, void *frame, size_t cap)
{
	ssize_t n = recv(fd, frame, cap, MSG_DONTWAIT | MSG_TRUNC);

	return n < 0 ? -errno : (int)n;
}

int packet_all_multicast(int fd, int ifindex, bool on, struct err *e)
{
	struct packet_mreq req = { .mr_ifindex = ifindex, .mr_type = PACKET_MR_ALLMULTI };

	if (setsockopt(fd, SOL_PACKET, on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, &req,
		       sizeof(req)) < 0)
		return err_errno(e, "all multicast on interface %d", ifindex);
	return 0;
}

int packet_send(int fd, const void *frame, size_t len)
{
	ssize_t n = send(fd, frame, len, MSG_DONTWAIT);

	return n < 0 ? -errno : 0;
}
