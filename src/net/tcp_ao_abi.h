/**
 * What the kernel takes for TCP-AO: include/uapi/linux/tcp.h of Linux 6.7. Older headers lack it, and then these stand in, with
 * its names; the kernel that runs decides whether it works.
 */
#ifndef NET_TCP_AO_ABI_H
#define NET_TCP_AO_ABI_H

#include <assert.h>
#include <linux/tcp.h>
#include <stddef.h>

#ifndef TCP_AO_ADD_KEY

#define TCP_AO_ADD_KEY	 38
#define TCP_AO_DEL_KEY	 39
#define TCP_AO_INFO	 40
#define TCP_AO_MAXKEYLEN 80

struct tcp_ao_add {
	struct __kernel_sockaddr_storage addr; /* the peer; port 0 */
	char alg_name[64];		       /* as the kernel's crypto calls it */
	__s32 ifindex;
	__u32 set_current : 1, set_rnext : 1, reserved : 30;
	__u16 reserved2;
	__u8 prefix; /* bits of addr that count */
	__u8 sndid;
	__u8 rcvid;
	__u8 maclen; /* bytes */
	__u8 keyflags;
	__u8 keylen;
	__u8 key[TCP_AO_MAXKEYLEN];
} __attribute__((aligned(8)));

struct tcp_ao_del {
	struct __kernel_sockaddr_storage addr;
	__s32 ifindex;
	__u32 set_current : 1, set_rnext : 1, del_async : 1, reserved : 29;
	__u16 reserved2;
	__u8 prefix;
	__u8 sndid;
	__u8 rcvid;
	__u8 current_key; /* a SendID */
	__u8 rnext;	  /* a RecvID */
	__u8 keyflags;
} __attribute__((aligned(8)));

struct tcp_ao_info_opt {
	__u32 set_current : 1, set_rnext : 1, ao_required : 1, set_counters : 1, accept_icmps : 1,
		reserved : 27;
	__u16 reserved2;
	__u8 current_key;
	__u8 rnext;
	__u64 pkt_good;
	__u64 pkt_bad;
	__u64 pkt_key_not_found;
	__u64 pkt_ao_required;
	__u64 pkt_dropped_icmp;
} __attribute__((aligned(8)));

#endif

/* What the kernel's own structures measure, on every architecture. */
static_assert(sizeof(struct tcp_ao_add) == 288 && offsetof(struct tcp_ao_add, prefix) == 202 &&
		      offsetof(struct tcp_ao_add, key) == 208,
	      "struct tcp_ao_add");
static_assert(sizeof(struct tcp_ao_del) == 144 && offsetof(struct tcp_ao_del, prefix) == 138,
	      "struct tcp_ao_del");
static_assert(sizeof(struct tcp_ao_info_opt) == 48 &&
		      offsetof(struct tcp_ao_info_opt, pkt_good) == 8,
	      "struct tcp_ao_info_opt");

struct addr;
struct tcp_ao_key;

/** The argument of TCP_AO_ADD_KEY, apart from the system call. */
void tcp_ao_encode(const struct addr *peer, const struct tcp_ao_key *key, bool first,
		   struct tcp_ao_add *out);

#endif
