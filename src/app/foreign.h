/**
 * Another allocator that writes addresses of the services that ours looks after: noticed by what
 * stands in their statuses. Two of them would take addresses from each other for ever.
 */
#ifndef APP_FOREIGN_H
#define APP_FOREIGN_H

#include "app/held.h"
#include "base/time.h"
#include "world/world.h"

/** Zero-initialised: nothing was noticed. */
struct foreign {
	struct mono since;
	unsigned writes; /* since then */
	bool at_work;
};

/** Do addresses stand in the service's status that are not ours, where ours were? */
bool foreign_wrote(const struct held *h, const struct world_service *s);

/** It did, once more. True when that is the one too many to be an accident. */
bool foreign_count(struct foreign *f, struct mono now);

#endif
