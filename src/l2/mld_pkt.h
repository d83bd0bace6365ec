/**
 * Multicast listener discovery as a listener of solicited-node groups needs it: reading queries,
 * writing reports. Pure.
 *
 * A group stands here as 24 bits, the X of ff02::1:ffXX:XXXX (RFC 4291 §2.7.1).
 *
 * Covered: RFC 9777 (before it: RFC 3810) §5.1 queries, §5.2 reports, whose records have no
 * sources, §6.2 which queries count, §8.1 versions told apart by length; RFC 2710 §3 version 1;
 * RFC 2711 the router alert; RFC 3590 reports without an address to send from. Left out: the
 * sources that a query names, because a listener of ours wants all of them.
 */
#ifndef L2_MLD_PKT_H
#define L2_MLD_PKT_H

#include "base/addr.h"
#include "base/bytes.h"

enum {
	MLD_ETHERTYPE = 0x86dd,
	MLD_FRAME_MAX = 1514,  /* larger links don't make larger reports */
	MLD_RECORDS_MAX = 72,  /* that fit */
	MLD_ROBUSTNESS_MAX = 7 /* that a query can ask for */
};

/** What became of a query: X(NAME, name). All but OK are reasons to drop it. */
#define MLD_RX_OUTCOMES(X)                                                          \
	X(OK, "ok")		      /* counts */                                  \
	X(CUT, "cut")		      /* longer than any frame */                   \
	X(SHORT, "short")	      /* ends before its headers do */              \
	X(TYPE, "type")		      /* no query */                                \
	X(FORMAT, "format")	      /* wrong version */                           \
	X(LENGTH, "length")	      /* of neither version, or without sources */  \
	X(HOP_LIMIT, "hop-limit")     /* may have crossed a router */               \
	X(ALERT, "router-alert")      /* does not carry the option for this */      \
	X(SENDER, "sender")	      /* not from a link-local address */           \
	X(CHECKSUM, "checksum")	      /* is wrong */                                \
	X(TARGET, "target")	      /* asks for what is no group */               \
	X(NOT_OURS, "not-ours")	      /* asks for a group that nobody wants here */ \
	X(NOTHING, "nothing-to-tell") /* asks for all, and there is none */

#define MLD_RX_ENUM(name, text) MLD_RX_##name,
enum mld_rx { MLD_RX_OUTCOMES(MLD_RX_ENUM) MLD_RX_COUNT };
#undef MLD_RX_ENUM

const char *mld_rx_name(enum mld_rx rx);

enum mld_scope {
	MLD_ALL,   /* a general query */
	MLD_ONE,   /* for one solicited-node group */
	MLD_OTHER, /* for a group of another kind */
};

struct mld_query {
	bool v1;
	enum mld_scope scope;
	uint32_t group; /* of MLD_ONE */
	uint32_t delay_ms;
	uint8_t robustness;  /* of the querier; 0: not said */
	uint32_t interval_s; /* between its queries; 0: not said */
};

/** Read a whole Ethernet frame; sets @out when it returns MLD_RX_OK. */
enum mld_rx mld_query_decode(struct rd frame, struct mld_query *out);

/** Where reports leave. */
struct mld_link {
	struct mac mac;
	struct addr source; /* link-local; unset: there is none yet */
	bool carrier;
	unsigned mtu;
};

/** What a record says of a group, by its number on the wire. */
enum mld_says {
	MLD_IS_EXCLUDE = 2, /* we listen to it, from whatever source */
	MLD_TO_INCLUDE = 3, /* we no longer do */
	MLD_TO_EXCLUDE = 4, /* from now on we do */
};

struct mld_record {
	uint32_t group;
	enum mld_says says;
};

/** How many records one report can carry on a link; at least 1, at most MLD_RECORDS_MAX. */
size_t mld_report_capacity(const struct mld_link *link);

/** Write a report of version 2, MLD_FRAME_MAX bytes at most. */
void mld_report_build(struct wr *w, const struct mld_link *link, const struct mld_record *records,
		      size_t n);

/** Write what says the same of one group in version 1: a report, or a done. */
void mld_v1_build(struct wr *w, const struct mld_link *link, const struct mld_record *record);

#endif
