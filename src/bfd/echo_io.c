#include "bfd/echo_io.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <unistd.h>

#include "net/neigh.h"
#include "net/packet.h"

enum {
	IP_AT = ETH_HLEN,
	IP_LEN = 20,
	UDP_LEN = 8,
	FRAME_LEN = ETH_HLEN + IP_LEN + UDP_LEN + BFD_ECHO_LEN,
	TTL_AT = IP_AT + 8,
	SUM_AT = IP_AT + 10,
	FROM_AT = IP_AT + 12,
	TO_AT = IP_AT + 16,
	TTL_SENT = 255,
	TOS_SENT = 0xc0, /* CS6 */
	PROTOCOL_UDP = 17,
};

/* How long a neighbour's link address and the kernel's forwarding are believed. */
#define BELIEVED DUR_S(1)

/** One interface. */
struct echo_link {
	struct list link;
	struct bfd_echo_io *owner;
	struct loop_io io;
	uint32_t ifindex;
	int fd;
	uint8_t mac[ETH_ALEN];
	bool forwards;
	struct mono forwards_at; /* when we looked */
	struct addr peer;	 /* the neighbour that was asked for last */
	uint8_t peer_mac[ETH_ALEN];
	struct mono peer_at;
};

void bfd_echo_io_init(struct bfd_echo_io *io, struct loop *loop,
		      void (*received)(void *ctx, const struct bfd_echo_frame *f), void *ctx)
{
	*io = (struct bfd_echo_io){ .loop = loop, .received = received, .ctx = ctx };
	list_init(&io->links);
}

static void link_free(struct echo_link *l)
{
	loop_io_stop(&l->io);
	if (l->fd >= 0)
		close(l->fd);
	list_remove(&l->link);
	free(l);
}

void bfd_echo_io_fini(struct bfd_echo_io *io)
{
	struct echo_link *l;

	LIST_EACH (l, &io->links, link)
		link_free(l);
	free(io->inbox);
	io->inbox = NULL;
}

static struct echo_link *link_find(const struct bfd_echo_io *io, uint32_t ifindex)
{
	struct echo_link *l;

	LIST_EACH (l, &io->links, link)
		if (l->ifindex == ifindex)
			return l;
	return NULL;
}

/* --- receiving --- */

/* The filter has seen to it that this is IPv4, UDP and the port of echoes; lengths are still to be checked. */
static bool frame_read(const struct echo_link *l, const uint8_t *bytes, size_t len,
		       struct bfd_echo_frame *out)
{
	if (len < FRAME_LEN || bytes[IP_AT] != 0x45)
		return false;
	*out = (struct bfd_echo_frame){
		.ifindex = l->ifindex,
		.from.family = FAMILY_V4,
		.to.family = FAMILY_V4,
		.ttl = bytes[TTL_AT],
		.payload = rd_from(bytes + IP_AT + IP_LEN + UDP_LEN, BFD_ECHO_LEN),
		.frame = bytes,
		.len = len,
	};
	memcpy(out->from.b, bytes + FROM_AT, 4);
	memcpy(out->to.b, bytes + TO_AT, 4);
	return true;
}

static void link_read(struct echo_link *l)
{
	struct bfd_echo_io *io = l->owner;
	int n = packet_recv(l->fd, io->inbox);

	for (int i = 0; i < n; i++) {
		struct bfd_echo_frame f;
		size_t len;
		bool cut;
		const uint8_t *bytes = packet_frame(io->inbox, (size_t)i, &len, &cut);

		if (frame_read(l, bytes, len, &f))
			io->received(io->ctx, &f);
	}
}

static void link_ready(struct loop_io *io, unsigned events)
{
	(void)events;
	link_read(CONTAINER_OF(io, struct echo_link, io));
}

void bfd_echo_io_drain(struct bfd_echo_io *io)
{
	struct echo_link *l;

	LIST_EACH (l, &io->links, link)
		link_read(l);
}

int bfd_echo_io_open(struct bfd_echo_io *io, uint32_t ifindex, struct err *e)
{
	struct pcap_prog filter = { 0 };

	if (link_find(io, ifindex))
		return 0;
	int rc = pcap_prog_compile("ip and udp dst port 3785", &filter, e);
	if (rc < 0)
		return rc;
	int fd = packet_open((int)ifindex, ETH_P_IP, &filter, e);
	pcap_prog_fini(&filter);
	if (fd < 0)
		return fd;
	struct echo_link *l = mem_new(struct echo_link);
	l->owner = io;
	l->ifindex = ifindex;
	l->fd = fd;
	packet_own_mac(fd, l->mac);
	list_append(&io->links, &l->link);
	loop_io_init(&l->io, io->loop, link_ready);
	loop_io_watch(&l->io, fd, LOOP_READ);
	if (!io->inbox) {
		io->inbox = mem_new(struct packet_inbox);
		packet_inbox_init(io->inbox);
	}
	return 0;
}

/* --- sending --- */

static bool believed(const struct bfd_echo_io *io, struct mono since)
{
	return since.ns && mono_sub(loop_now(io->loop), since).ns < BELIEVED.ns;
}

static bool find_peer(struct echo_link *l, const struct addr *peer)
{
	if (addr_eq(&l->peer, peer) && believed(l->owner, l->peer_at))
		return true;
	if (!neigh_mac(l->ifindex, peer, l->peer_mac))
		return false;
	l->peer = *peer;
	l->peer_at = loop_now(l->owner->loop);
	return true;
}

static void write_ip(struct wr *w, const struct addr *own)
{
	size_t at = w->len;

	wr_u8(w, 0x45);
	wr_u8(w, TOS_SENT);
	wr_u16(w, IP_LEN + UDP_LEN + BFD_ECHO_LEN);
	wr_u32(w, 0x4000); /* don't fragment */
	wr_u8(w, TTL_SENT);
	wr_u8(w, PROTOCOL_UDP);
	wr_u16(w, 0);
	wr_bytes(w, own->b, 4);
	wr_bytes(w, own->b, 4);
	uint16_t sum = bytes_csum_fold(bytes_csum_add(0, w->p + at, IP_LEN));
	w->p[SUM_AT] = (uint8_t)(sum >> 8);
	w->p[SUM_AT + 1] = (uint8_t)sum;
}

int bfd_echo_io_send(struct bfd_echo_io *io, uint32_t ifindex, const struct addr *own,
		     const struct addr *peer, uint16_t port,
		     const uint8_t payload[static BFD_ECHO_LEN])
{
	struct echo_link *l = link_find(io, ifindex);
	uint8_t frame[FRAME_LEN];
	struct wr w = wr_to(frame, sizeof(frame));

	if (!l)
		return -ENODEV;
	if (!find_peer(l, peer))
		return -EHOSTUNREACH;
	wr_bytes(&w, l->peer_mac, ETH_ALEN);
	wr_bytes(&w, l->mac, ETH_ALEN);
	wr_u16(&w, ETH_P_IP);
	write_ip(&w, own);
	wr_u16(&w, port);
	wr_u16(&w, BFD_PORT_ECHO);
	wr_u16(&w, UDP_LEN + BFD_ECHO_LEN);
	wr_u16(&w, 0); /* no checksum: the payload proves itself (RFC 768) */
	wr_bytes(&w, payload, BFD_ECHO_LEN);
	return packet_send(l->fd, frame, w.len);
}

/* The kernel's word is looked up now and then; a person may change it. */
static bool link_forwards(struct echo_link *l)
{
	if (!believed(l->owner, l->forwards_at)) {
		l->forwards = neigh_forwards(l->ifindex);
		l->forwards_at = loop_now(l->owner->loop);
	}
	return l->forwards;
}

/* As a router does: a hop less. The header's sum changes by as much (RFC 1624). */
static void one_hop_less(uint8_t *frame)
{
	uint32_t sum = (uint32_t)(frame[SUM_AT] << 8 | frame[SUM_AT + 1]) + 0x100;

	sum = (sum & 0xffff) + (sum >> 16);
	frame[TTL_AT]--;
	frame[SUM_AT] = (uint8_t)(sum >> 8);
	frame[SUM_AT + 1] = (uint8_t)sum;
}

bool bfd_echo_io_reflect(struct bfd_echo_io *io, const struct bfd_echo_frame *f)
{
	struct echo_link *l = link_find(io, f->ifindex);
	uint8_t back[PACKET_FRAME_MAX];

	if (!l || f->len > sizeof(back) || f->ttl != TTL_SENT || link_forwards(l))
		return false;
	memcpy(back, f->frame, f->len);
	memcpy(back, (const uint8_t *)f->frame + ETH_ALEN, ETH_ALEN);
	memcpy(back + ETH_ALEN, l->mac, ETH_ALEN);
	one_hop_less(back);
	return packet_send(l->fd, back, f->len) == 0;
}
