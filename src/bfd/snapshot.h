/**
 * What the control thread may read of BFD while the packet thread works: the state of each session
 * and the engine's counters. All fields are atomics with one writer, the packet thread; each is
 * right by itself, and two read together may be of two moments.
 */
#ifndef BFD_SNAPSHOT_H
#define BFD_SNAPSHOT_H

#include <stdatomic.h>

#include "base/metric.h"
#include "base/time.h"
#include "bfd/hist.h"
#include "bfd/pkt.h"

/** Why a received packet had no effect: the decoder's reasons first, then X(name, label, text). */
#define BFD_DROPS(X)                                                                    \
	BFD_PKT_REFUSALS(X)                                                             \
	X(CUT, "long", "longer than any control packet")                                \
	X(TTL, "ttl", "came from further away than allowed")                            \
	X(UNKNOWN_DISC, "unknown-discriminator", "your discriminator is of no session") \
	X(UNKNOWN_PEER, "unknown-peer", "no session with this sender")                  \
	X(PEER, "peer", "sender or destination is not the session's")                   \
	X(INTERFACE, "interface", "came in through another interface")                  \
	X(HOPS, "hops", "single hop and multihop mixed up")                             \
	X(FLOOD, "flood", "of no session, and more than we look at")                    \
	X(HELD_DOWN, "held-down", "session is administratively down")                   \
	X(UNAUTHENTIC, "unauthentic", "not authenticated as configured")                \
	X(REPLAYED, "replayed", "sequence number was there before, or is far ahead")

enum bfd_drop {
#define BFD_DROP_NAME(name, label, text) BFD_DROP_##name,
	BFD_DROPS(BFD_DROP_NAME)
#undef BFD_DROP_NAME
		BFD_DROP_COUNT
};

/** How a session's packets leave. */
enum bfd_via {
	BFD_VIA_NONE, /* not at all: no socket, or no address to send from */
	BFD_VIA_RAW,  /* the raw socket of all sessions, in batches */
	BFD_VIA_UDP,  /* a UDP socket of its own */
};

/** A change of state that was. */
struct bfd_transition {
	struct mono at;
	uint8_t old_state;
	uint8_t new_state;
	uint8_t remote_state;
	uint8_t local_diag;
	uint8_t remote_diag;
};

#define BFD_TRANSITIONS 8 /* the latest ones that a session keeps */

/**
 * One session. Owned by the control thread; zero-initialised before it is put into a table, and
 * kept until no table that the engine has names it.
 */
struct bfd_session_status {
	_Atomic uint8_t state; /* enum bfd_state */
	_Atomic uint8_t remote_state;
	_Atomic uint8_t local_diag; /* enum bfd_diag */
	_Atomic uint8_t remote_diag;
	_Atomic uint8_t remote_detect_mult;
	_Atomic uint32_t local_disc;
	_Atomic uint32_t remote_disc; /* 0: not known */
	_Atomic uint32_t tx_us;	      /* negotiated, before jitter; 0: nothing periodic is sent */
	_Atomic uint32_t rx_us;	      /* what the peer sends at most every; 0: not known */
	_Atomic uint64_t detect_us;   /* 0: not known */
	_Atomic uint16_t source_port;
	_Atomic uint8_t via;		/* enum bfd_via */
	_Atomic int send_errno;		/* why the last packet could not be sent; 0: it could */
	_Atomic int64_t changed_ns;	/* struct mono of the last change of state; 0: none yet */
	_Atomic uint64_t packets_in;	/* accepted */
	_Atomic uint64_t packets_noted; /* of these, by the kernel alone */
	_Atomic bool noting;		/* it does so now */
	_Atomic uint64_t packets_out;
	_Atomic uint64_t packets_dropped;
	_Atomic uint32_t echo_us; /* pace of our echo packets; 0: none are sent */
	_Atomic uint64_t echo_out;
	_Atomic uint64_t echo_in;		  /* come back */
	_Atomic uint64_t dropped[BFD_DROP_COUNT]; /* the same by reason */
	_Atomic uint64_t late_sends;		  /* after the interval that was agreed on */
	_Atomic uint64_t up_events;
	_Atomic uint64_t down_events; /* out of Up */
	/* Between packets in, since the session is up. Of those that the kernel notes each one that the thread finds alone. */
	struct bfd_hist gaps;
	struct bfd_hist jitter; /* by how much two gaps in turn differ */
	struct {
		_Atomic int64_t at_ns;
		_Atomic uint64_t what;
	} transitions[BFD_TRANSITIONS];
	_Atomic uint32_t n_transitions; /* ever */
};

/** Note a change; for the only writer. */
void bfd_status_note(struct bfd_session_status *st, const struct bfd_transition *t);

/** The latest changes, the newest first; how many. Any thread. */
size_t bfd_status_transitions(const struct bfd_session_status *st,
			      struct bfd_transition out[static BFD_TRANSITIONS]);

/** "ttl", "unknown-peer", …: the label of a reason to refuse. */
const char *bfd_drop_label(unsigned drop);

struct bfd_counters {
	_Atomic uint64_t packets_in;	/* accepted */
	_Atomic uint64_t packets_noted; /* of these, by the kernel alone */
	_Atomic uint64_t packets_out;
	_Atomic uint64_t send_failed;
	_Atomic uint64_t echo_reflected; /* of neighbours' */
	_Atomic uint64_t dropped[BFD_DROP_COUNT];
	_Atomic uint64_t lost;	     /* found a socket's buffer full */
	_Atomic uint64_t late_sends; /* after the interval that was agreed on */
	_Atomic uint64_t expiries;   /* sessions that went down by silence */
	struct bfd_hist detection;   /* from the deadline to the report of an expiry */
	struct bfd_hist jitter;	     /* of all sessions */
	_Atomic uint32_t sessions;
	_Atomic uint32_t sessions_up;
	_Atomic int listen_errno; /* why a receive socket could not be opened; 0: all are open */
};

/** For the only writer of the counter. */
static inline void bfd_count_n(_Atomic uint64_t *counter, uint64_t more)
{
	uint64_t n = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, n + more, memory_order_relaxed);
}

/** Add one. */
static inline void bfd_count(_Atomic uint64_t *counter)
{
	bfd_count_n(counter, 1);
}

struct bfd_table;

/** Write the metrics of all sessions, by the reference's names and its labels `peer` and, where it is bound to one, `vrf`.
 * Control thread. */
void bfd_table_collect(const struct bfd_table *t, struct metric_writer *w);

/** Write the engine's own metrics (crier_bfd_…). Control thread. */
void bfd_counters_collect(const struct bfd_counters *c, struct metric_writer *w);

#endif
