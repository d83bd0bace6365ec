/**
 * The next configuration out of the one before, where few objects differ: lists that say the same
 * are shared, others are copied but for what differs, and the rules between objects are applied to
 * what differs and to those objects that they could hold against it.
 *
 * That comes to the same as all rules for all objects, since those that stay were checked against
 * each other when the configuration before was loaded, and everything that they rest on (peers,
 * pools and their addresses, advertisements that choose pools) has to be the same, or all is checked
 * anew. As everywhere where objects are retained, a load that has anything to say is not used.
 */
#ifndef CONFIG_AMEND_H
#define CONFIG_AMEND_H

#include "config/loader.h"

/**
 * Make the lists of l->cfg after l->before, peers being resolved. False: nothing was done, and all
 * rules have to be applied to all objects.
 */
NODISCARD bool amend(struct loader *l);

#endif
