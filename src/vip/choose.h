/**
 * Where a service address belongs, and what is to be done about it: pure decisions over the table
 * of links.
 */
#ifndef VIP_CHOOSE_H
#define VIP_CHOOSE_H

#include "vip/vip.h"

#define VIP_REASON_MAX 160

/** The host, as the decisions see it. */
struct vip_view {
	const struct net_link *links; /* by index; their addresses in order */
	size_t n_links;
	bool proto_kept;			      /* the kernel keeps IFA_PROTO */
	bool (*allowed)(void *ctx, const char *name); /* NULL: all are */
	int (*default_link)(void *ctx,
			    enum family family); /* asked only when two links fit equally */
	void *ctx;
};

struct vip_wish {
	struct addr addr;
	enum vip_mode mode;
	const char *link; /* NULL: auto */
};

/**
 * The link for a wish, or NULL with a reason.
 * @now_on: where the address is already (0: nowhere); a carrier that went away does not move it
 *
 * Layer 2: of the links that are up, allowed, and speak ARP, those whose connected network holds
 * the address; the longest prefix first, then the default route's, then the lowest index. BGP: lo.
 */
const struct net_link *vip_choose(const struct vip_view *v, const struct vip_wish *w, int now_on,
				  char reason[static VIP_REASON_MAX]);

/** True when an address found on a link is what we have put there. */
bool vip_is_ours(const struct net_addr *found, const struct addr *a, int ifindex, bool proto_kept);

/** What we have put on a link. */
struct vip_held {
	int ifindex; /* 0: nothing */
	bool seen;   /* the table has shown it: of IPv6 the kernel tells some time afterwards */
};

/** What to do about one address. Adding comes before removing. */
struct vip_step {
	int add_to;	      /* ifindex; 0: nothing to add */
	int remove_from;      /* ifindex; 0: nothing to remove */
	bool seen;	      /* what we hold stands in the table */
	bool lost;	      /* what we held has gone, or is somebody else's now */
	enum vip_state state; /* once the step is done */
	int link;	      /* where it is then; 0: nowhere */
	char reason[VIP_REASON_MAX];
};

/** @w: NULL when the address @a is not wanted */
struct vip_step vip_decide(const struct vip_view *v, const struct vip_wish *w, const struct addr *a,
			   struct vip_held held);

#endif
