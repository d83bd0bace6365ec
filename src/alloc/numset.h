/**
 * A set of numbers that can tell the lowest one it lacks: the addresses of a range that are not to
 * be handed out.
 *
 * Words of 64 bits, one for each 64 neighbours; above them words of words, in which a bit says that
 * the word below is full. Words without any bit are not kept, so a set costs what is in it, not
 * what its numbers range over; and to find the lowest gap takes as many steps as its number has
 * digits to the base of 64.
 */
#ifndef ALLOC_NUMSET_H
#define ALLOC_NUMSET_H

#include "alloc/index.h"
#include "alloc/slab.h"

struct numset {
	struct slab words;
	struct index by_key;
};

void numset_init(struct numset *s);
void numset_fini(struct numset *s);
bool numset_has(const struct numset *s, uint64_t x);
/** Put a number in; one that is there already stays. */
void numset_add(struct numset *s, uint64_t x);
/** Take a number out; one that is not there is no matter. */
void numset_del(struct numset *s, uint64_t x);
/** The lowest number that is not in the set. */
uint64_t numset_gap(const struct numset *s);
/** Number of words that are kept: for tests, and for knowing what it costs. */
size_t numset_words(const struct numset *s);

#endif
