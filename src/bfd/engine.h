/**
 * The BFD engine: many sessions on one loop, the packet thread's. It owns the sessions and their
 * sockets, finds the session of each packet, and reports changes of state.
 *
 * What is wanted comes as an immutable table from the control thread; everything here but
 * bfd_engine_counters() is called on the loop's thread. Only bfd_engine_apply() allocates and opens
 * sockets; receiving, sending and timers neither allocate nor log nor lock.
 *
 * One turn of the loop: packets are read (io.h), sessions whose deadline has come are run, the
 * earliest first and with them those that may send a little ahead of their time, and at the end all
 * packets leave together (tx.h). No turn runs more sessions than take about a millisecond, so that a
 * thousand that lose their peer at once keep nobody else waiting.
 *
 * Before a session is declared down the sockets are drained, so what waited while the process was
 * stopped or starved counts first.
 *
 * Where its link has our program (net/fast.h), packets that only repeat the one before are noted by the kernel, and are
 * looked up when their session is run.
 *
 * RFC 5880 §6.3 and §6.8.6 (finding the session); RFC 5881 §3-§5 (single hop: GTSM, interface,
 * source ports); RFC 5883 (multihop) with a minimum TTL; the echo function (echo_io.h). Left out:
 * unsolicited sessions.
 */
#ifndef BFD_ENGINE_H
#define BFD_ENGINE_H

#include "base/addr.h"
#include "base/loop.h"
#include "bfd/session.h"
#include "bfd/snapshot.h"
#include "net/fast.h"

/** One wanted session. */
struct bfd_target {
	uint32_t id; /* stable: the same session in the next table */
	struct addr peer;
	struct addr local; /* unset: the kernel chooses, and all our addresses are taken */
	uint32_t ifindex;  /* 0: any, unless the peer is link-local */
	uint32_t vrf;	   /* interface of the VRF that the peer is in; 0: none */
	bool multihop;
	uint8_t min_ttl; /* multihop: packets with less are refused; single hop is always 255 */
	uint32_t
		echo_us; /* pace of our echo packets; 0: none. Single hop, with @ifindex, not link-local */
	bool noted; /* the kernel may note packets that tell nothing new; single hop, with @ifindex */
	struct bfd_session_conf session;
	struct bfd_session_status *status; /* outlives each table that names it */
	const char *
		place; /* for bfd_table_collect() alone: VRF or link that the peer is bound to; NULL: none */
};

/**
 * Immutable once applied. No two targets have one id, or one peer, local, ifindex, vrf and multihop.
 */
struct bfd_table {
	const struct bfd_target *v;
	size_t n;
	bool udp_only; /* no raw sockets, also where they are permitted */
};

struct bfd_event {
	uint32_t id;
	struct bfd_change change;
};

struct bfd_engine_conf {
	struct loop *loop;
	/** Called on the loop's thread, before the peer is told; must not call the engine. */
	void (*event)(void *ctx, const struct bfd_event *ev);
	void *ctx;
	uint16_t port; /* on both ends, for sessions that are nobody else's; 0: those of the RFCs */
	struct fast *fast; /* borrowed, and its notes are ours alone; NULL: none */
};

struct bfd_engine;

NODISCARD struct bfd_engine *bfd_engine_new(const struct bfd_engine_conf *conf);

/** Stops at once without a word; to leave politely apply NULL and wait for bfd_engine_is_idle(). */
struct bfd_engine *bfd_engine_free(struct bfd_engine *e);

/**
 * Make the sessions match @t, which is borrowed until the next call (NULL: no session). New ones
 * start. Changed parameters go through a poll sequence and never flap; another peer, local address,
 * interface or hop kind under the same id is a new session. Removed ones tell the peer AdminDown,
 * some times, so that one loss does not look like a failure; their status is not touched any more.
 *
 * Sockets that cannot be opened (an address that is not there yet) are tried again each second; the
 * reason stands in the status. Returns the table of the previous call, for its owner to free.
 */
const struct bfd_table *bfd_engine_apply(struct bfd_engine *e, const struct bfd_table *t);

/** When the last packet of this session's peer came; false when none has, or there is no such session. */
NODISCARD bool bfd_engine_heard(struct bfd_engine *e, uint32_t id, struct mono *out);

/** True when no session is left, also none that is saying goodbye. */
bool bfd_engine_is_idle(const struct bfd_engine *e);

/** Any thread; lives as long as the engine. */
const struct bfd_counters *bfd_engine_counters(const struct bfd_engine *e);

#endif
