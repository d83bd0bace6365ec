/**
 * The order in which nodes would take an address, so that every node finds the same owner and
 * successors without a word between them: preference score first, then the SHA-256 of
 * "name#address". Each address shuffles the nodes anew (rendezvous hashing): a node that goes moves
 * only what it had.
 *
 * MetalLB's order, so that mixed clusters agree. Pure.
 */
#ifndef BASE_RANKING_H
#define BASE_RANKING_H

#include "base/addr.h"

#define RANK_DIGEST_LEN 32

struct rank_node {
	const char *name;
	int score;			 /* higher comes first */
	uint8_t digest[RANK_DIGEST_LEN]; /* rank_nodes() fills it in where there are several */
};

/** Sort @nodes in place, the owner of @ip first. Names are distinct; @ip is set. */
void rank_nodes(struct rank_node *nodes, size_t n, const struct addr *ip);

#endif
