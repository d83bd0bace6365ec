/**
 * What a network card is like, as far as sysfs tells.
 */
#ifndef NET_CARD_H
#define NET_CARD_H

#include <stdbool.h>

/**
 * Is it of a kind that loses multicast unless all of it is let in? Wireless cards filter by lists that come and go
 * with power saving, and a virtual machine's host passes on what the card's driver remembered to ask for.
 * @sysfs: where sysfs is mounted
 */
bool card_loses_multicast(const char *sysfs, const char *name);

#endif
