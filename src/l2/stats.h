/**
 * What Layer 2 counts, and the names of what can become of a received frame.
 *
 * One thread (the packet thread) counts, any other may read: each counter is read and written
 * whole, nothing is promised between two of them.
 */
#ifndef L2_STATS_H
#define L2_STATS_H

#include "base/addr.h"
#include "base/metric.h"

/** What became of a frame: X(NAME, name). All but OK are reasons to drop it. */
#define L2_RX_OUTCOMES(X)                                                                          \
	X(OK, "ok")		  /* answered */                                                   \
	X(CUT, "cut")		  /* longer than any request */                                    \
	X(SHORT, "short")	  /* ends before its fields do */                                  \
	X(TYPE, "type")		  /* neither ARP nor ICMPv6, or inside a VLAN tag */               \
	X(FORMAT, "format")	  /* not ARP for IPv4 over Ethernet, or wrong version or code */   \
	X(OPERATION, "operation") /* neither a request nor a solicitation */                       \
	X(HOP_LIMIT, "hop-limit") /* crossed a router on its way (RFC 4861 §7.1.1) */             \
	X(CHECKSUM, "checksum")	  /* ICMPv6 checksum is wrong */                                   \
	X(OPTION, "option")	  /* an option is malformed or may not be there */                 \
	X(SENDER, "sender")	  /* the sender's address cannot be answered */                    \
	X(TARGET, "target")	  /* asks for an address that no host can have */                  \
	X(NO_INTERFACE, "no-interface")	      /* arrived where Layer 2 is not active */            \
	X(OTHER_MACHINE, "other-machine")     /* sent to another link-layer address */             \
	X(TWIN, "twin")			      /* the link below heard it, too, and answers */      \
	X(CLAIM, "claim")		      /* another machine says that it has one of ours */   \
	X(ECHO, "echo")			      /* our own announcement, come back by a loop */      \
	X(NOT_OURS, "not-ours")		      /* asks for an address that is not announced */      \
	X(NOT_OWNER, "not-owner")	      /* asks for an address that another node owns */     \
	X(WRONG_INTERFACE, "wrong-interface") /* the address is not announced on this interface */ \
	X(FRAGMENT, "fragment")		      /* of pings: comes in pieces */                      \
	X(RATE_LIMIT, "rate-limit")	      /* of pings: too many */                             \
	X(NOT_WANTED, "not-wanted")	      /* of pings: a kernel here answers, or nobody is to */

/** Why a node does not answer for an address that would be its own. */
enum l2_hold {
	L2_HOLD_NONE,
	L2_HOLD_PROBE,	  /* it asks whether the address is free */
	L2_HOLD_MEMBER,	  /* a member that goes before it claims the address */
	L2_HOLD_STRANGER, /* so does a machine outside the cluster */
};

/** What became of another machine's claim. */
enum l2_verdict {
	L2_VERDICT_NONE,
	L2_VERDICT_KEPT,    /* a stranger's: the address is kept */
	L2_VERDICT_YIELDED, /* a stranger's: it has the address */
	L2_VERDICT_WON,	    /* a member's that goes after this node: the address is kept */
	L2_VERDICT_LOST,    /* a member's that goes before: it has the address */
};

#define L2_RX_ENUM(name, text) L2_RX_##name,
enum l2_rx { L2_RX_OUTCOMES(L2_RX_ENUM) L2_RX_COUNT };
#undef L2_RX_ENUM

const char *l2_rx_name(enum l2_rx rx);

#define L2_METRICS(X, S)                                                                      \
	X(S, COUNTER, received, "Frames that passed the kernel's filter")                     \
	X(S, COUNTER, replies, "Replies sent")                                                \
	X(S, COUNTER, replies_lost, "Replies that the kernel did not take")                   \
	X(S, COUNTER, gratuitous, "Unasked announcements sent")                               \
	X(S, COUNTER, gratuitous_lost, "Announcements given up: the interface took none")     \
	X(S, COUNTER, send_busy, "Sends put off because a buffer was full")                   \
	X(S, COUNTER, kernel_dropped, "Frames that found the socket's receive buffer full")   \
	X(S, COUNTER, socket_errors, "Errors of packet sockets, an interface going down too") \
	X(S, COUNTER, took, "Addresses taken")                                                \
	X(S, COUNTER, lost, "Addresses given up")                                             \
	X(S, COUNTER, probes, "Questions whether an address is free")                         \
	X(S, COUNTER, conflicts, "Claims of other machines to addresses of ours")             \
	X(S, COUNTER, defended, "Claims answered by an announcement of ours")                 \
	X(S, COUNTER, yielded, "Times that an address was left to another machine")           \
	X(S, GAUGE, owned, "Addresses that this node answers for")

struct l2_stats {
	L2_METRICS(METRIC_FIELD, )
	uint64_t rx[L2_RX_COUNT];    /* frames of ARP and NDP by outcome */
	uint64_t pings[L2_RX_COUNT]; /* echo requests */
};

extern const struct metric_row l2_metric_rows[];
extern const size_t l2_metric_rows_n;

/**
 * Per address. Owned by the control thread; lives longer than every table that points at it. There may be very many:
 * what can't grow large is small.
 */
struct l2_address_stats {
	uint64_t requests; /* received for it, answered or not */
	uint64_t replies;
	uint32_t gratuitous;

	/* The last claim of another machine: its number, and what became of it. */
	uint32_t conflicts;
	uint64_t rival;	   /* Ethernet address, as l2_mac_pack() has it */
	uint64_t rival_at; /* ns of the loop's clock; 0: never */
	uint32_t rival_ifindex;
	uint32_t defended_at; /* ms of the loop's clock, the lower bits; 0: never */
	uint32_t told_at;     /* the same: when an event was due last */
	uint8_t verdict;      /* enum l2_verdict */

	uint8_t owned; /* 1 while this node answers for it, should events get lost */
	uint8_t hold;  /* enum l2_hold */
};

static inline uint64_t l2_mac_pack(const struct mac *m)
{
	uint64_t v = 0;

	for (size_t i = 0; i < sizeof(m->b); i++)
		v = v << 8 | m->b[i];
	return v;
}

static inline struct mac l2_mac_unpack(uint64_t v)
{
	struct mac m;

	for (size_t i = sizeof(m.b); i-- > 0; v >>= 8)
		m.b[i] = (uint8_t)v;
	return m;
}

/** Count, on the one thread that does. */
static inline void l2_count_n(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void l2_count(uint64_t *counter)
{
	l2_count_n(counter, 1);
}

static inline void l2_gauge_set(uint64_t *gauge, uint64_t v)
{
	__atomic_store_n(gauge, v, __ATOMIC_RELAXED);
}

/** The same for the small ones. */
static inline void l2_small_set(uint32_t *at, uint32_t v)
{
	__atomic_store_n(at, v, __ATOMIC_RELAXED);
}

static inline void l2_small_count(uint32_t *counter)
{
	l2_small_set(counter, *counter + 1);
}

static inline void l2_state_set(uint8_t *at, uint8_t v)
{
	__atomic_store_n(at, v, __ATOMIC_RELAXED);
}

/** Copy out, from any thread. */
void l2_stats_read(const struct l2_stats *s, struct l2_stats *out);
void l2_address_stats_read(const struct l2_address_stats *s, struct l2_address_stats *out);

#endif
