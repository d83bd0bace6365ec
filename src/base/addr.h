/**
 * IP addresses, prefixes and ranges of both families, and MAC addresses.
 *
 * Addresses stay as bytes in network order. An IPv4 address uses the first 4 of the 16 bytes, the rest is zero,
 * so structs can be compared with addr_cmp() and hashed as a whole. Text forms: dotted quad, RFC 5952.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

enum family {
	FAMILY_NONE = 0, /* no address: the valid-empty form */
	FAMILY_V4 = 4,
	FAMILY_V6 = 6,
};

struct addr {
	uint8_t family; /* enum family */
	uint8_t b[16];
};

struct prefix {
	struct addr addr; /* host bits are zero */
	uint8_t len;	  /* bits */
};

/** Inclusive; both ends of one family; first <= last. */
struct range {
	struct addr first;
	struct addr last;
};

struct mac {
	uint8_t b[6];
};

#define ADDR_TEXT_MAX	   46
#define PREFIX_TEXT_MAX	   50
#define MAC_TEXT_MAX	   18
#define ADDR_PORT_TEXT_MAX 56

static inline bool addr_is_set(const struct addr *a)
{
	return a->family != FAMILY_NONE;
}

/** Bits of an address: 32 or 128. */
static inline unsigned addr_bits(const struct addr *a)
{
	return a->family == FAMILY_V4 ? 32 : 128;
}

/** Bytes of an address: 4 or 16. */
static inline unsigned addr_len(const struct addr *a)
{
	return a->family == FAMILY_V4 ? 4 : 16;
}

struct addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
struct addr addr_from_bytes(enum family family, const void *bytes);

/** Parse "192.0.2.1" or "2001:db8::1" (no zone, no mask); "::ffff:192.0.2.1" is IPv4, as in Go; 0 or -1. */
NODISCARD int addr_parse(const char *text, struct addr *out);

/** Canonical text into @buf; returns @buf. An unset address gives "". */
const char *addr_format(const struct addr *a, char buf[static ADDR_TEXT_MAX]);

/** Text in a compound literal that lives as long as the enclosing block: for printf and logs. */
#define ADDR_TEXT(a)   addr_format((a), (char[ADDR_TEXT_MAX]){ 0 })
#define PREFIX_TEXT(p) prefix_format((p), (char[PREFIX_TEXT_MAX]){ 0 })
#define MAC_TEXT(m)    mac_format((m), (char[MAC_TEXT_MAX]){ 0 })

/** Orders by family (v4 first), then numerically. */
int addr_cmp(const struct addr *a, const struct addr *b);
static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}
uint64_t addr_hash(const struct addr *a);

/** The next address numerically; false (and unchanged) at the family's last one. */
bool addr_next(struct addr *a);

bool addr_is_link_local(const struct addr *a); /* 169.254/16, fe80::/10 */
bool addr_is_multicast(const struct addr *a);
bool addr_is_loopback(const struct addr *a);
bool addr_is_unspecified(const struct addr *a); /* 0.0.0.0 or :: */

/** Fill a socket address; returns its length. @scope is the interface index for link-local, else 0. */
socklen_t addr_to_sockaddr(const struct addr *a, uint16_t port, uint32_t scope,
			   struct sockaddr_storage *out);

/** The other way; IPv4-mapped IPv6 becomes IPv4. Unknown families give an unset address. @port may be NULL. */
void addr_from_sockaddr(const struct sockaddr_storage *ss, struct addr *out, uint16_t *port);

/** "a.b.c.d:port" or "[v6]:port". Parsing takes a bare address too; *port is then left alone. */
NODISCARD int addr_port_parse(const char *text, struct addr *out, uint16_t *port);
const char *addr_port_format(const struct addr *a, uint16_t port,
			     char buf[static ADDR_PORT_TEXT_MAX]);

/** The solicited-node multicast address of a target, ff02::1:ffXX:XXXX (RFC 4291 §2.7.1). */
struct addr addr_solicited_node(const struct addr *target);

/** Parse "192.0.2.0/24"; host bits are masked away (as Go's ParseCIDR network); 0 or -1. */
NODISCARD int prefix_parse(const char *text, struct prefix *out);
const char *prefix_format(const struct prefix *p, char buf[static PREFIX_TEXT_MAX]);

/** The prefix of @len bits that holds @a. */
struct prefix prefix_of(const struct addr *a, unsigned len);
bool prefix_contains(const struct prefix *p, const struct addr *a);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
int prefix_cmp(const struct prefix *a, const struct prefix *b); /* address, then length */
struct range prefix_range(const struct prefix *p);

bool range_contains(const struct range *r, const struct addr *a);
bool range_overlaps(const struct range *a, const struct range *b);

/** Number of addresses, saturating at UINT64_MAX. */
uint64_t range_size(const struct range *r);

/**
 * Walk the minimal list of aligned prefixes that make up a range, in ascending order.
 * @rest: start with the whole range; holds what is left after each call
 * Returns false when nothing is left.
 */
bool range_next_prefix(struct range *rest, struct prefix *out);

NODISCARD int mac_parse(const char *text, struct mac *out);
const char *mac_format(const struct mac *m, char buf[static MAC_TEXT_MAX]);
bool mac_eq(const struct mac *a, const struct mac *b);
extern const struct mac mac_broadcast;

#endif
