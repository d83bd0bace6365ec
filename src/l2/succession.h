/**
 * Who owns an address: the first live node of its succession list, the candidates in ranking order.
 *
 * Nodes go by small numbers that the control thread gives out. A node never counts itself dead.
 */
#ifndef L2_SUCCESSION_H
#define L2_SUCCESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { L2_NODES_WORDS = (UINT16_MAX + 1) / 64 };

/** A set of nodes. Zero-initialised: none. */
struct l2_nodes {
	uint64_t words[L2_NODES_WORDS];
};

static inline bool l2_nodes_has(const struct l2_nodes *n, uint16_t node)
{
	return (n->words[node / 64] >> (node % 64)) & 1;
}

static inline void l2_nodes_set(struct l2_nodes *n, uint16_t node, bool in)
{
	uint64_t bit = UINT64_C(1) << (node % 64);

	if (in)
		n->words[node / 64] |= bit;
	else
		n->words[node / 64] &= ~bit;
}

/** Bring to @n what differs between @before and @after, and leave the rest as it is. */
void l2_nodes_follow(struct l2_nodes *n, const struct l2_nodes *before,
		     const struct l2_nodes *after);

/** Those of @n that are not in @out. */
struct l2_nodes l2_nodes_without(const struct l2_nodes *n, const struct l2_nodes *out);

/** Who may own anything at all: the larger part of a divided cluster. Zero-initialised: everybody. */
struct l2_quorum {
	uint16_t of; /* nodes that count; 0: nobody asks */
	bool has_tie;
	uint16_t tie; /* exactly one half is enough where this node is in it */
};

/** @running: those that live, as we see it; @self is among them whether it is in the set or not. */
bool l2_quorum_holds(const struct l2_quorum *q, uint16_t self, const struct l2_nodes *running);

/** Is @self the first live node of @list? */
bool l2_succession_is_mine(const uint16_t *list, size_t n, uint16_t self,
			   const struct l2_nodes *alive);

/** Does @other go before @self in @list? Who is not in it goes after all. */
bool l2_succession_before(const uint16_t *list, size_t n, uint16_t other, uint16_t self);

/** Is @self in @list at all? */
bool l2_succession_has(const uint16_t *list, size_t n, uint16_t self);

#endif
