/**
 * Addresses that move from one living node to another by decision: the last endpoint of a service is gone from a node, a better
 * one has joined, a link has lost its carrier. Nobody is asked for leave: all decide alike, and hear of the reason at
 * once. The new owner puts the address on its link before it announces it; the former one goes on answering until it
 * hears that, and for no longer than MOVES_MAX.
 *
 * Part of app/layer2.h: called while a table is made.
 */
#ifndef APP_MOVES_H
#define APP_MOVES_H

#include "app/layer2.h"

#define MOVES_MAX DUR_MS(200)

/** Is everything in its place for the addresses that come here? If not, another look follows soon. */
bool moves_are_in_place(struct layer2 *l);

/** Shall the first that runs of this succession be this node? */
bool moves_is_ours(const struct layer2 *l, const struct plan_l2 *p);

/** We have the address and another node shall: is it still time to go on? Then another look follows later. */
bool moves_is_going(struct layer2 *l, struct l2_entry *e, bool ours);

/** Somebody could have the address: it is not gone altogether. */
bool moves_is_served(const struct layer2 *l, const struct addr *a);

#endif
