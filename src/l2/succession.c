#include "l2/succession.h"

void l2_nodes_follow(struct l2_nodes *n, const struct l2_nodes *before,
		     const struct l2_nodes *after)
{
	for (size_t i = 0; i < L2_NODES_WORDS; i++) {
		uint64_t changed = before->words[i] ^ after->words[i];
		n->words[i] = (n->words[i] & ~changed) | (after->words[i] & changed);
	}
}

struct l2_nodes l2_nodes_without(const struct l2_nodes *n, const struct l2_nodes *out)
{
	struct l2_nodes left;

	for (size_t i = 0; i < L2_NODES_WORDS; i++)
		left.words[i] = n->words[i] & ~out->words[i];
	return left;
}

bool l2_quorum_holds(const struct l2_quorum *q, uint16_t self, const struct l2_nodes *running)
{
	unsigned n = !l2_nodes_has(running, self);

	if (q->of == 0)
		return true;
	for (size_t i = 0; i < L2_NODES_WORDS; i++)
		n += (unsigned)__builtin_popcountll(running->words[i]);
	if (2 * n != q->of)
		return 2 * n > q->of;
	return q->has_tie && (q->tie == self || l2_nodes_has(running, q->tie));
}

bool l2_succession_is_mine(const uint16_t *list, size_t n, uint16_t self,
			   const struct l2_nodes *alive)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == self)
			return true;
		if (l2_nodes_has(alive, list[i]))
			return false;
	}
	return false;
}

bool l2_succession_before(const uint16_t *list, size_t n, uint16_t other, uint16_t self)
{
	for (size_t i = 0; i < n && list[i] != self; i++) {
		if (list[i] == other)
			return true;
	}
	return false;
}

bool l2_succession_has(const uint16_t *list, size_t n, uint16_t self)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == self)
			return true;
	}
	return false;
}
