/*
 * What runs inside the kernel: socket filters that let through what concerns our addresses, at a cost that does not
 * grow with their number, and XDP programs: one answers for them in the driver, one notes BFD packets that tell
 * nothing new, one does both. What they are not sure of they pass on: the daemon knows all the rules.
 */
#include <linux/bpf.h>
#include <linux/if_packet.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "answer_map.h"
#include "note_map.h"

#define copy(to, from, n) __builtin_memcpy((to), (from), (n))

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ANSWER_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct answer_key);
	__type(value, struct answer_value);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ANSWER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* The time of the daemon's last heartbeat. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} heartbeat SEC(".maps");

/* A session's place among the slots. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NOTE_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct note_key);
	__type(value, __u32);
} sessions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NOTE_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct note_slot);
} slots SEC(".maps");

static __always_inline void count(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&counters, &what);

	if (n)
		(*n)++;
}

/* Socket filters: what they return is how much of the frame may be heard. */

enum { HEAR = 0xffff, DEAF = 0 };

enum { ARP_OP_AT = 20, ARP_SENDER_AT = 28, ARP_TARGET_AT = 38 };
enum { IP6_NEXT_AT = 20, IP6_SOURCE_AT = 22, ICMP6_AT = 54, TARGET_AT = 62 };
enum { NEXT_ICMP6 = 58, SOLICITATION = 135, ADVERTISEMENT = 136 };

static __always_inline int is_ours(struct __sk_buff *skb, __u32 family, __u32 at, __u32 len)
{
	struct answer_key key = { .ifindex = skb->ifindex, .family = family };

	return bpf_skb_load_bytes(skb, at, key.addr, len) == 0 &&
	       bpf_map_lookup_elem(&addresses, &key);
}

SEC("socket")
int filter_arp(struct __sk_buff *skb)
{
	__u8 op[2];

	if (skb->pkt_type == PACKET_OTHERHOST || bpf_skb_load_bytes(skb, ARP_OP_AT, op, 2))
		return DEAF;
	if (is_ours(skb, ANSWER_V4, ARP_SENDER_AT, 4))
		return HEAR;
	if (op[0] != 0 || op[1] != 1)
		return DEAF;
	if (is_ours(skb, ANSWER_V4, ARP_TARGET_AT, 4))
		return HEAR;
	count(ANSWER_UNWANTED);
	return DEAF;
}

SEC("socket")
int filter_ndp(struct __sk_buff *skb)
{
	__u8 next, type;

	if (skb->pkt_type == PACKET_OTHERHOST || bpf_skb_load_bytes(skb, IP6_NEXT_AT, &next, 1) ||
	    next != NEXT_ICMP6 || bpf_skb_load_bytes(skb, ICMP6_AT, &type, 1) ||
	    (type != SOLICITATION && type != ADVERTISEMENT))
		return DEAF;
	if (is_ours(skb, ANSWER_V6, TARGET_AT, 16))
		return HEAR;
	if (type != SOLICITATION)
		return DEAF;
	if (is_ours(skb, ANSWER_V6, IP6_SOURCE_AT, 16))
		return HEAR;
	count(ANSWER_UNWANTED);
	return DEAF;
}

/* In the driver */

struct ether {
	__u8 to[6], from[6];
	__be16 type;
} __attribute__((packed));

struct arp {
	struct ether ether;
	__be16 hardware, protocol;
	__u8 hardware_len, protocol_len;
	__be16 op;
	__u8 sender_mac[6], sender[4], target_mac[6], target[4];
} __attribute__((packed));

/* A solicitation with its sender's address as its only option, and the answer to it. */
struct ndp {
	struct ether ether;
	__u8 version, flow[3];
	__be16 body_len;
	__u8 next, hop_limit;
	__u8 source[16], dest[16];
	__u8 type, code;
	__u16 check;
	__u8 flags, reserved[3];
	__u8 target[16];
	__u8 option, option_len;
	__u8 option_mac[6];
} __attribute__((packed));

enum { NDP_BODY = 32, SOURCE_LINK = 1, TARGET_LINK = 2, SOLICITED_OVERRIDE = 0x60 };

/* With Ethernet's padding, and what a card that takes off a tag may leave. */
enum { ARP_LONGEST = 64 };

static __always_inline struct answer_value *find(struct xdp_md *ctx, __u32 family, const __u8 *addr,
						 __u32 len)
{
	struct answer_key key = { .ifindex = ctx->ingress_ifindex, .family = family };

	copy(key.addr, addr, len);
	return bpf_map_lookup_elem(&addresses, &key);
}

static __always_inline int all_zero(const __u8 *p, int n)
{
	__u8 any = 0;

#pragma unroll
	for (int i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

static __always_inline int same_mac(const __u8 *a, const __u8 *b)
{
	__u8 differs = 0;

#pragma unroll
	for (int i = 0; i < 6; i++)
		differs |= a[i] ^ b[i];
	return differs == 0;
}

/* A daemon that is frozen must not go on answering: who took over does. */
static __always_inline int is_stale(void)
{
	__u32 zero = 0;
	__u64 *at = bpf_map_lookup_elem(&heartbeat, &zero);

	if (at && bpf_ktime_get_ns() - *at < ANSWER_STALE_NS)
		return 0;
	count(ANSWER_STALE);
	return 1;
}

static __always_inline int answered(struct answer_value *v, __u32 what)
{
	__sync_fetch_and_add(&v->answered, 1);
	v->last_ns = bpf_ktime_get_ns();
	count(what);
	return XDP_TX;
}

static __always_inline int answer_arp(struct xdp_md *ctx, struct arp *a)
{
	static const __u8 broadcast[6] = { 255, 255, 255, 255, 255, 255 };
	__u8 asked[10];

	if (a->hardware != bpf_htons(1) || a->protocol != bpf_htons(0x0800) ||
	    a->hardware_len != 6 || a->protocol_len != 4 || a->op != bpf_htons(1) ||
	    (a->sender_mac[0] & 1) || all_zero(a->sender_mac, 6))
		return XDP_PASS;
	struct answer_value *v = find(ctx, ANSWER_V4, a->target, 4);
	if (!v || !v->answers)
		return XDP_PASS;
	if (!same_mac(a->ether.to, broadcast) && !same_mac(a->ether.to, v->mac))
		return XDP_PASS;
	if (find(ctx, ANSWER_V4, a->sender, 4) || is_stale())
		return XDP_PASS; /* a claim to one of ours is the daemon's to judge */
	copy(asked, a->sender_mac, 10);
	copy(a->ether.to, asked, 6);
	copy(a->ether.from, v->mac, 6);
	a->op = bpf_htons(2);
	copy(a->sender_mac, v->mac, 6);
	copy(a->sender, a->target, 4);
	copy(a->target_mac, asked, 10);
	return answered(v, ANSWER_ARP);
}

/* Over addresses, length, next header and body; 0 where a right one is included. */
static __always_inline __u16 checksum(struct ndp *n)
{
	__s64 sum = bpf_csum_diff(0, 0, (__be32 *)n->source, 32, bpf_htonl(NDP_BODY + NEXT_ICMP6));

	sum = bpf_csum_diff(0, 0, (__be32 *)&n->type, NDP_BODY, (__u32)sum);
	sum = (sum & 0xffff) + ((__u32)sum >> 16);
	sum = (sum & 0xffff) + ((__u32)sum >> 16);
	return (__u16)~sum;
}

static __always_inline int is_plain_question(const struct ndp *n)
{
	return n->version >> 4 == 6 && n->next == NEXT_ICMP6 && n->hop_limit == 255 &&
	       n->body_len == bpf_htons(NDP_BODY) && n->type == SOLICITATION && n->code == 0 &&
	       n->option == SOURCE_LINK && n->option_len == 1 && !(n->option_mac[0] & 1) &&
	       n->source[0] != 0xff && !all_zero(n->source, 16);
}

static __always_inline int answer_ndp(struct xdp_md *ctx, struct ndp *n)
{
	if (!is_plain_question(n))
		return XDP_PASS;
	struct answer_value *v = find(ctx, ANSWER_V6, n->target, 16);
	if (!v || !v->answers)
		return XDP_PASS;
	if (!(n->ether.to[0] & 1) && !same_mac(n->ether.to, v->mac))
		return XDP_PASS;
	if (find(ctx, ANSWER_V6, n->source, 16) || checksum(n) != 0 || is_stale())
		return XDP_PASS;
	copy(n->ether.to, n->option_mac, 6);
	copy(n->ether.from, v->mac, 6);
	copy(n->dest, n->source, 16);
	copy(n->source, n->target, 16);
	n->type = ADVERTISEMENT;
	n->flags = SOLICITED_OVERRIDE;
	n->option = TARGET_LINK;
	copy(n->option_mac, v->mac, 6);
	n->check = 0;
	n->check = checksum(n);
	return answered(v, ANSWER_NDP);
}

/* What the sender has padded with is not ours to send. */
static __always_inline void clear_padding(__u8 *at, const __u8 *end)
{
#pragma unroll
	for (int i = sizeof(struct arp); i < ARP_LONGEST; i++)
		if (at + i + 1 <= end)
			at[i] = 0;
}

static __always_inline int answer_frame(struct xdp_md *ctx)
{
	void *at = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ether *e = at;

	if (at + sizeof(struct arp) > end)
		return XDP_PASS;
	if (e->type == bpf_htons(0x0806)) {
		if (at + ARP_LONGEST < end || answer_arp(ctx, at) == XDP_PASS)
			return XDP_PASS;
		clear_padding(at, end);
		return XDP_TX;
	}
	if (e->type != bpf_htons(0x86dd) || at + sizeof(struct ndp) > end ||
	    at + sizeof(struct ndp) + 1 <= end)
		return XDP_PASS;
	return answer_ndp(ctx, at);
}

/*
 * BFD packets that only repeat what the daemon knows. Nothing that could matter is left uncompared, so no checksum
 * is needed.
 */

enum { IP_AT = 14, V4_LEN = 20, V6_LEN = 40, UDP_LEN = 8, BODY_LEN = UDP_LEN + NOTE_LEN };

static __always_inline int differ(const __u32 *a, const __u32 *b, int n)
{
	__u32 differs = 0;

#pragma unroll
	for (int i = 0; i < n; i++)
		differs |= a[i] ^ b[i];
	return differs != 0;
}

/* Words, for addresses and packets stand at multiples of four behind the Ethernet header. */
static __always_inline int note_packet(struct xdp_md *ctx, __u32 family, const __u32 *from,
				       const __u32 *to, const __u32 *packet)
{
	int words = family == NOTE_V4 ? 1 : 4;
	struct note_key key = { .ifindex = ctx->ingress_ifindex, .disc = packet[2] };
	__u32 *place = bpf_map_lookup_elem(&sessions, &key);

	if (!place)
		return XDP_PASS;
	struct note_slot *s = bpf_map_lookup_elem(&slots, place);
	__u64 now = bpf_ktime_get_ns();
	if (!s || now >= *(volatile __u64 *)&s->until_ns || s->family != family ||
	    differ(packet, s->packet, NOTE_LEN / 4) || differ(from, s->from, words) ||
	    differ(to, s->to, words))
		return XDP_PASS;
	s->last_ns = now;
	__sync_fetch_and_add(&s->noted, 1);
	return XDP_DROP;
}

static __always_inline int is_for_bfd(const __u8 *udp)
{
	return udp[2] == NOTE_PORT >> 8 && udp[3] == (NOTE_PORT & 0xff) && udp[4] == 0 &&
	       udp[5] == BODY_LEN;
}

static __always_inline int note_v4(struct xdp_md *ctx, const __u8 *ip)
{
	const __u8 *udp = ip + V4_LEN;

	/* Neither options nor a fragment; TTL 255, UDP. */
	if (ip[0] != 0x45 || ip[2] != 0 || ip[3] != V4_LEN + BODY_LEN || (ip[6] & 0xbf) || ip[7] ||
	    ip[8] != 255 || ip[9] != 17 || !is_for_bfd(udp))
		return XDP_PASS;
	return note_packet(ctx, NOTE_V4, (const __u32 *)(ip + 12), (const __u32 *)(ip + 16),
			   (const __u32 *)(udp + UDP_LEN));
}

static __always_inline int note_v6(struct xdp_md *ctx, const __u8 *ip)
{
	const __u8 *udp = ip + V6_LEN;

	if (ip[0] >> 4 != 6 || ip[4] != 0 || ip[5] != BODY_LEN || ip[6] != 17 || ip[7] != 255 ||
	    !is_for_bfd(udp))
		return XDP_PASS;
	return note_packet(ctx, NOTE_V6, (const __u32 *)(ip + 8), (const __u32 *)(ip + 24),
			   (const __u32 *)(udp + UDP_LEN));
}

static __always_inline int note_frame(struct xdp_md *ctx)
{
	void *at = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ether *e = at;

	if (at + IP_AT + V4_LEN + BODY_LEN > end)
		return XDP_PASS;
	if (e->type == bpf_htons(0x0800))
		return note_v4(ctx, at + IP_AT);
	if (e->type != bpf_htons(0x86dd) || at + IP_AT + V6_LEN + BODY_LEN > end)
		return XDP_PASS;
	return note_v6(ctx, at + IP_AT);
}

SEC("xdp")
int answer(struct xdp_md *ctx)
{
	return answer_frame(ctx);
}

SEC("xdp")
int note(struct xdp_md *ctx)
{
	return note_frame(ctx);
}

SEC("xdp")
int answer_and_note(struct xdp_md *ctx)
{
	return note_frame(ctx) == XDP_DROP ? XDP_DROP : answer_frame(ctx);
}

char _license[] SEC("license") = "Dual BSD/GPL";
