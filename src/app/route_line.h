/**
 * One line about a route by hand, as people type it and as programs that drive ExaBGP write it:
 *
 *   announce [route] PREFIX [next-hop ADDRESS|self] [med N] [local-pref N] [origin igp|egp|incomplete]
 *            [as-path AS…] [as-path-prepend N] [community C…] [large-community C…] [peer NAME…]
 *   withdraw [route] PREFIX [peer NAME…]
 *   neighbor ADDRESS announce|withdraw …
 *
 * Several values stand as `[ a b ]`, as `a,b`, or with their word repeated; quotes keep a name together. Blank
 * lines and those that begin with `#` say nothing. Pure.
 */
#ifndef APP_ROUTE_LINE_H
#define APP_ROUTE_LINE_H

#include "bgp/attr.h"

/** ROUTE_SYNC: all that a program announced before a restart of crier is announced again. */
enum route_verb { ROUTE_NOTHING, ROUTE_ANNOUNCE, ROUTE_WITHDRAW, ROUTE_SYNC };

enum {
	ROUTE_LINE_MAX = 4096,	/* bytes */
	ROUTE_VALUES_MAX = 255, /* of one attribute */
	ROUTE_PEERS_MAX = 64,
};

/** Points into itself: not to be copied. */
struct route_line {
	enum route_verb verb;
	struct prefix prefix;
	struct bgp_route_attrs attrs;	    /* arrays are those below */
	const char *peers[ROUTE_PEERS_MAX]; /* names or addresses, as written; none: all */
	size_t n_peers;
	bool is_neighbors; /* ExaBGP's `neighbor …`: other peers that hear the prefix go on */

	uint32_t as_path[ROUTE_VALUES_MAX];
	uint32_t communities[ROUTE_VALUES_MAX];
	struct bgp_large large[ROUTE_VALUES_MAX];
	uint64_t ext[ROUTE_VALUES_MAX];
	char text[ROUTE_LINE_MAX + 1]; /* the line, cut into words */
};

/**
 * @text: without its end; any bytes
 * Returns 0, or -ERR_CONFIG with the column (bytes from 1), the word and what would do.
 */
NODISCARD int route_line_parse(const char *text, size_t len, struct route_line *out, struct err *e);

/** "192.0.2.0/24", or an address alone; no bits may be set behind the length. Returns 0 or -ERR_CONFIG. */
NODISCARD int route_prefix_parse(const char *text, struct prefix *out, struct err *e);

#endif
