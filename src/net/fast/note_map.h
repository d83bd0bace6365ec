/**
 * What the program that notes BFD packets and the daemon share: the layout of its maps. Compiled for both.
 */
#ifndef NET_FAST_NOTE_MAP_H
#define NET_FAST_NOTE_MAP_H

#include <linux/types.h>

enum { NOTE_MAX = 2048, NOTE_LEN = 24, NOTE_PORT = 3784 };

enum { NOTE_V4 = 4, NOTE_V6 = 6 };

/** A session, by what its peer's packets say. */
struct note_key {
	__u32 ifindex;
	__be32 disc; /* Your Discriminator */
};

/** Read and written by both while the other does; two cache lines, so that sessions don't share any. */
struct note_slot {
	__u64 until_ns; /* packets are noted until then; 0: none is. Written last, and cleared first */
	__u64 last_ns; /* when the last one came */
	__u64 noted;   /* how many, ever */
	__u32 family;
	__u32 from[4], to[4]; /* as on the wire */
	__u32 packet[NOTE_LEN / 4];
	__u32 unused[11];
};

#endif
