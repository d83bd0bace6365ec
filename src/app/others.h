/**
 * Who else on this host would answer for our addresses: the kernel, for an address that somebody else has put on a link, and
 * programs of the same trade. Looked for at the start, the first also when links have changed; said once in the log, and in
 * `status`.
 */
#ifndef APP_OTHERS_H
#define APP_OTHERS_H

#include <sys/types.h>

#include "app/binding.h"
#include "base/loop.h"

struct others_conf {
	struct loop *loop;
	const struct net_links *links;
	const struct layer2 *layer2;
	const struct binding *binding;
	const char *proc; /* where procfs is mounted */
};

struct others;

NODISCARD struct others *others_new(const struct others_conf *conf);
struct others *others_free(struct others *o); /* takes NULL, returns NULL */

/** Look again, soon. */
void others_touch(struct others *o);

/** Walk what was found, as sentences: start with *at = 0; NULL at the end. */
const char *others_next(const struct others *o, size_t *at);

#endif
