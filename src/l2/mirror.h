/**
 * What the kernel's map of addresses (net/fast.h) holds: each address that this node owns, on each
 * interface where it may be announced, to be answered; and each that it would own but for another
 * machine, to be heard. What drivers answered by it comes to the address's counts when its entry goes; until
 * then whoever shows these adds fast_answers().
 *
 * A map that is full is not used any more: `fast` is then NULL, and filters are those of the table.
 */
#ifndef L2_MIRROR_H
#define L2_MIRROR_H

#include "l2/table.h"
#include "net/fast.h"

struct l2_mirror {
	struct fast *fast; /* NULL: there is none; nothing happens then */
};

/** An address was taken or given up, or is waited for. */
void l2_mirror_address(struct l2_mirror *m, const struct l2_table *t, const struct addr *addr);

/**
 * A new table is in force: what it does not have goes, and what moved to other interfaces follows.
 * @before: may be NULL; its slots tell where each address stands in @now
 */
void l2_mirror_table(struct l2_mirror *m, const struct l2_table *before,
		     const struct l2_table *now);

#endif
