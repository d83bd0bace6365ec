/**
 * Changes of addresses on links that are carried out together, by a thread that may wait for the kernel and for the
 * disk: the record of what will be there first, then one change after the other.
 */
#ifndef VIP_CHANGE_H
#define VIP_CHANGE_H

#include "net/netlink.h"
#include "vip/choose.h"
#include "vip/record.h"

#define VIP_CHANGES_MAX 64

/** About one address. What it asks for is done in this order; an ifindex of 0 asks for nothing. */
struct vip_change {
	void *owner; /* the caller's */
	struct addr addr;
	int add_to;
	int remove_from; /* only if what was to be added is there */
	int renew_on;

	/* What came of it. */
	bool added;
	bool removed;		     /* it is not there any more */
	bool was_there;		     /* and it was us who took it off */
	char failed[VIP_REASON_MAX]; /* "": all went well */
};

struct vip_changes {
	const char *path;     /* of the record */
	uint32_t life_s;      /* of what is added or renewed */
	bool end_connections; /* of what is taken off */
	bool record_wanted;
	bool record_whole;  /* the record is all there is; else it is what comes */
	bool record_failed; /* then nothing was added */
	struct vip_record record;
	struct vip_change v[VIP_CHANGES_MAX];
	size_t n;
};

/** A new one for @a at the end, or NULL when there is no room. */
struct vip_change *vip_changes_add(struct vip_changes *c, const struct addr *a);
/** Carry all of them out. May wait; any thread. */
void vip_changes_do(struct vip_changes *c, struct netlink *nl);
/** Empty it for the next ones; path and life_s stay. */
void vip_changes_clear(struct vip_changes *c);

#endif
