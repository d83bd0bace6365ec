#include "bfd/echo_io.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <unistd.h>

#include "net/neigh.h"
#include "net/packet.h"
#include "net/udp.h"

enum {
	IP_AT = ETH_HLEN,
	UDP_LEN = 8,
	FRAME_MAX = ETH_HLEN + 40 + UDP_LEN + BFD_ECHO_LEN,
	SUM_AT = IP_AT + 10, /* IPv4 */
	TTL_SENT = 255,
	TOS_SENT = 0xc0, /* CS6 */
	PROTOCOL_UDP = 17,
};

/** Where things stand in a frame. */
struct layout {
	uint16_t ethertype;
	const char *filter;
	uint8_t first; /* of an IP header without extras, */
	uint8_t first_mask;
	uint8_t ip_len;
	uint8_t addr_len;
	uint8_t ttl_at;
	uint8_t from_at;
};

static const struct layout layouts[] = {
	{ ETH_P_IP, "ip and udp dst port 3785", 0x45, 0xff, 20, 4, IP_AT + 8, IP_AT + 12 },
	{ ETH_P_IPV6, "ip6 and udp dst port 3785", 0x60, 0xf0, 40, 16, IP_AT + 7, IP_AT + 8 },
};

static const struct layout *layout_of(enum family family)
{
	return &layouts[family == FAMILY_V6];
}

/* How long a neighbour's link address and the kernel's forwarding are believed. */
#define BELIEVED DUR_S(1)

/** One interface. */
struct echo_link {
	struct list link;
	struct bfd_echo_io *owner;
	struct loop_io io;
	uint32_t ifindex;
	enum family family;
	const struct layout *at;
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
	*io = (struct bfd_echo_io){
		.loop = loop, .received = received, .ctx = ctx, .swallow_fd = -1
	};
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
	io->swallowed = udp_batch_free(io->swallowed);
	if (io->swallow_fd >= 0)
		close(io->swallow_fd);
	io->swallow_fd = -1;
}

static struct echo_link *link_find(const struct bfd_echo_io *io, uint32_t ifindex,
				   enum family family)
{
	struct echo_link *l;

	LIST_EACH (l, &io->links, link)
		if (l->ifindex == ifindex && l->family == family)
			return l;
	return NULL;
}

/* --- receiving --- */

static size_t udp_len_v6(const uint8_t *frame)
{
	return (size_t)frame[IP_AT + 4] << 8 | frame[IP_AT + 5];
}

/* The filter has seen to it that this is UDP and the port of echoes; lengths are still to be checked. */
static bool frame_read(const struct echo_link *l, const uint8_t *bytes, size_t len,
		       struct bfd_echo_frame *out)
{
	const struct layout *at = l->at;
	size_t payload_at = (size_t)IP_AT + at->ip_len + UDP_LEN;

	if (len < payload_at + BFD_ECHO_LEN || (bytes[IP_AT] & at->first_mask) != at->first)
		return false;
	if (l->family == FAMILY_V6 && (udp_len_v6(bytes) < UDP_LEN + BFD_ECHO_LEN ||
				       udp_len_v6(bytes) > len - payload_at + UDP_LEN))
		return false;
	*out = (struct bfd_echo_frame){
		.ifindex = l->ifindex,
		.from = addr_from_bytes(l->family, bytes + at->from_at),
		.to = addr_from_bytes(l->family, bytes + at->from_at + at->addr_len),
		.ttl = bytes[at->ttl_at],
		.payload = rd_from(bytes + payload_at, BFD_ECHO_LEN),
		.frame = bytes,
		.len = len,
	};
	return true;
}

static void link_read(struct echo_link *l)
{
	struct bfd_echo_io *io = l->owner;
	int n = packet_recv(l->fd, io->inbox, PACKET_BATCH);

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
	while (io->swallow_fd >= 0 && udp_batch_recv(io->swallowed, io->swallow_fd) == UDP_BATCH)
		;
}

/* Whoever else has the port answers for it. */
static void swallow(struct bfd_echo_io *io)
{
	if (io->swallow_fd >= 0)
		return;
	io->swallow_fd =
		udp_open(&(struct udp_conf){ .family = FAMILY_V6, .port = BFD_PORT_ECHO }, NULL);
	if (io->swallow_fd >= 0 && !io->swallowed)
		io->swallowed = udp_batch_new();
}

int bfd_echo_io_open(struct bfd_echo_io *io, uint32_t ifindex, enum family family, struct err *e)
{
	const struct layout *at = layout_of(family);
	struct pcap_prog filter = { 0 };

	if (link_find(io, ifindex, family))
		return 0;
	int rc = pcap_prog_compile(at->filter, &filter, e);
	if (rc < 0)
		return rc;
	int fd = packet_open((int)ifindex, at->ethertype, &filter, e);
	pcap_prog_fini(&filter);
	if (fd < 0)
		return fd;
	struct echo_link *l = mem_new(struct echo_link);
	l->owner = io;
	l->ifindex = ifindex;
	l->family = family;
	l->at = at;
	l->fd = fd;
	packet_own_mac(fd, l->mac);
	list_append(&io->links, &l->link);
	loop_io_init(&l->io, io->loop, link_ready);
	loop_io_watch(&l->io, fd, LOOP_READ);
	if (!io->inbox) {
		io->inbox = mem_new(struct packet_inbox);
		packet_inbox_init(io->inbox);
	}
	if (family == FAMILY_V6)
		swallow(io);
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

static void write_v4(struct wr *w, const struct addr *own)
{
	size_t at = w->len;

	wr_u8(w, 0x45);
	wr_u8(w, TOS_SENT);
	wr_u16(w, 20 + UDP_LEN + BFD_ECHO_LEN);
	wr_u32(w, 0x4000); /* don't fragment */
	wr_u8(w, TTL_SENT);
	wr_u8(w, PROTOCOL_UDP);
	wr_u16(w, 0);
	wr_bytes(w, own->b, 4);
	wr_bytes(w, own->b, 4);
	uint16_t sum = bytes_csum_fold(bytes_csum_add(0, w->p + at, w->len - at));
	w->p[SUM_AT] = (uint8_t)(sum >> 8);
	w->p[SUM_AT + 1] = (uint8_t)sum;
}

static void write_v6(struct wr *w, const struct addr *own)
{
	wr_u32(w, UINT32_C(6) << 28 | (uint32_t)TOS_SENT << 20);
	wr_u16(w, UDP_LEN + BFD_ECHO_LEN);
	wr_u8(w, PROTOCOL_UDP);
	wr_u8(w, TTL_SENT);
	wr_bytes(w, own->b, 16);
	wr_bytes(w, own->b, 16);
}

/* @addrs: both, as they stand in the header. */
static void put_sum_v6(const uint8_t *addrs, uint8_t *udp, size_t len)
{
	uint32_t sum = bytes_csum_add(PROTOCOL_UDP + (uint32_t)len, addrs, 32);

	udp[6] = udp[7] = 0;
	uint16_t folded = bytes_csum_fold(bytes_csum_add(sum, udp, len));
	folded = folded ? folded : UINT16_MAX;
	udp[6] = (uint8_t)(folded >> 8);
	udp[7] = (uint8_t)folded;
}

/* Over IPv4 without a checksum: the payload proves itself (RFC 768). Over IPv6 there must be one (RFC 8200 §8.1). */
static void write_udp(struct wr *w, const struct addr *own, uint16_t port,
		      const uint8_t payload[static BFD_ECHO_LEN])
{
	size_t at = w->len;

	wr_u16(w, port);
	wr_u16(w, BFD_PORT_ECHO);
	wr_u16(w, UDP_LEN + BFD_ECHO_LEN);
	wr_u16(w, 0);
	wr_bytes(w, payload, BFD_ECHO_LEN);
	if (own->family == FAMILY_V6)
		put_sum_v6(w->p + at - 32, w->p + at, w->len - at);
}

int bfd_echo_io_send(struct bfd_echo_io *io, uint32_t ifindex, const struct addr *own,
		     const struct addr *peer, uint16_t port,
		     const uint8_t payload[static BFD_ECHO_LEN])
{
	struct echo_link *l = link_find(io, ifindex, own->family);
	uint8_t frame[FRAME_MAX];
	struct wr w = wr_to(frame, sizeof(frame));

	if (!l)
		return -ENODEV;
	if (!find_peer(l, peer))
		return -EHOSTUNREACH;
	wr_bytes(&w, l->peer_mac, ETH_ALEN);
	wr_bytes(&w, l->mac, ETH_ALEN);
	wr_u16(&w, l->at->ethertype);
	if (own->family == FAMILY_V4)
		write_v4(&w, own);
	else
		write_v6(&w, own);
	write_udp(&w, own, port, payload);
	return packet_send(l->fd, frame, w.len);
}

/* The kernel's word is looked up now and then; a person may change it. */
static bool link_forwards(struct echo_link *l)
{
	if (!believed(l->owner, l->forwards_at)) {
		l->forwards = neigh_forwards(l->ifindex, l->family);
		l->forwards_at = loop_now(l->owner->loop);
	}
	return l->forwards;
}

/* As a router does: a hop less. IPv4's sum changes by as much (RFC 1624). */
static void one_hop_less(const struct echo_link *l, uint8_t *frame)
{
	uint32_t sum = (uint32_t)(frame[SUM_AT] << 8 | frame[SUM_AT + 1]) + 0x100;

	frame[l->at->ttl_at]--;
	if (l->family == FAMILY_V6)
		return;
	sum = (sum & 0xffff) + (sum >> 16);
	frame[SUM_AT] = (uint8_t)(sum >> 8);
	frame[SUM_AT + 1] = (uint8_t)sum;
}

/* Kernels forward nothing that is from a link-local address of IPv6, nor what is for them. */
static bool kernel_reflects(struct echo_link *l, const struct bfd_echo_frame *f)
{
	return addr_eq(&f->from, &f->to) && bfd_echo_is_forwarded(&f->from) && link_forwards(l);
}

bool bfd_echo_io_reflect(struct bfd_echo_io *io, const struct bfd_echo_frame *f)
{
	struct echo_link *l = link_find(io, f->ifindex, f->from.family);
	uint8_t back[PACKET_FRAME_MAX];

	if (!l || f->len > sizeof(back) || f->ttl != TTL_SENT || kernel_reflects(l, f))
		return false;
	memcpy(back, f->frame, f->len);
	memcpy(back, (const uint8_t *)f->frame + ETH_ALEN, ETH_ALEN);
	memcpy(back + ETH_ALEN, l->mac, ETH_ALEN);
	memcpy(back + l->at->from_at, f->to.b, l->at->addr_len);
	memcpy(back + l->at->from_at + l->at->addr_len, f->from.b, l->at->addr_len);
	one_hop_less(l, back);
	/* On a virtual link the sender may have left the checksum to a card that there is none of. */
	if (l->family == FAMILY_V6)
		put_sum_v6(back + l->at->from_at, back + IP_AT + l->at->ip_len, udp_len_v6(back));
	return packet_send(l->fd, back, f->len) == 0;
}
