/**
 * Health checks of standalone services: probes each at its interval and says when a verdict changes.
 * Checks run on one loop, each with its own phase so that they do not fire together.
 */
#ifndef HEALTH_CHECKER_H
#define HEALTH_CHECKER_H

#include "base/addr.h"
#include "base/loop.h"

enum health_kind { HEALTH_TCP, HEALTH_HTTP };

struct health_conf {
	const char *name; /* of the service; unique */
	enum health_kind kind;
	struct addr addr; /* TCP */
	uint16_t port;	  /* TCP */
	const char *url;  /* HTTP */
	struct dur interval;
	struct dur timeout;
	uint32_t rise, fall;
};

struct health_status {
	bool healthy;
	struct mono since;  /* of this verdict */
	uint32_t good, bad; /* probes in a row */
	uint64_t probes;
	char reason[160]; /* of the last bad probe, "" when the last one was good */
};

struct health_hooks {
	void *ctx;
	void (*changed)(void *ctx, const char *name, bool healthy, const char *reason);
};

struct health_checker;

NODISCARD struct health_checker *health_checker_new(struct loop *l,
						    const struct health_hooks *hooks);
struct health_checker *health_checker_free(struct health_checker *h); /* takes NULL, returns NULL */

/**
 * Add a check or change one; the texts are copied. An unchanged check goes on undisturbed; a changed one keeps
 * its verdict. Fails only when libcurl, which starts with the first HTTP check, does not start.
 */
NODISCARD int health_checker_set(struct health_checker *h, const struct health_conf *conf,
				 struct err *e);
void health_checker_del(struct health_checker *h, const char *name);

/** false when there is no such check. */
bool health_checker_status(const struct health_checker *h, const char *name,
			   struct health_status *out);

#endif
