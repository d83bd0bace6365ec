/**
 * What the programs inside the kernel and the daemon share: the layout of their maps. Compiled for both.
 */
#ifndef NET_FAST_ANSWER_MAP_H
#define NET_FAST_ANSWER_MAP_H

#include <linux/types.h>

/* Each start waits while the kernel makes room for them: 0.2 ms. */
enum { ANSWER_MAX = 32768, ANSWER_STALE_NS = 150000000 };

enum { ANSWER_V4 = 4, ANSWER_V6 = 6 };

/** An address on a link. */
struct answer_key {
	__u32 ifindex;
	__u32 family;
	__u8 addr[16];
};

struct answer_value {
	__u8 mac[6];
	__u8 answers; /* 0: the daemon wants to hear of it, and answers itself or not at all */
	__u8 reserved;
	__u64 answered;
	__u64 last_ns; /* when that was last */
};

enum answer_count {
	ANSWER_ARP,	 /* answered in the driver */
	ANSWER_NDP,	 /* the same */
	ANSWER_STALE,	 /* left to the daemon, whose heartbeat was too old */
	ANSWER_UNWANTED, /* requests for addresses of others that the filter kept away */
	ANSWER_COUNT
};

#endif
