/**
 * The shell around kube/lease.h: keeps asking, and tells when we may act and when not any more.
 */
#ifndef KUBE_ELECTOR_H
#define KUBE_ELECTOR_H

#include "kube/client.h"
#include "kube/lease.h"

struct kube_elector;

struct kube_elector_conf {
	const char *namespace;
	const char *name; /* of the Lease */
	const char *me;
	void *ctx;
	/** From now on, or no longer. */
	void (*changed)(void *ctx, bool leads);
};

/* What was begun while we held it ends within this, or it is nobody's. */
#define KUBE_ELECTOR_WRITE_MAX DUR_S(4)

NODISCARD struct kube_elector *kube_elector_new(struct loop *l, struct kube_client *client,
						const struct kube_elector_conf *conf);
struct kube_elector *kube_elector_free(struct kube_elector *e);

bool kube_elector_leads(const struct kube_elector *e);
/** Who holds it as far as is known; "": nobody. */
const char *kube_elector_holder(const struct kube_elector *e);

/**
 * Let go of it, so that another need not wait; @done is called in any case, and `changed` no more.
 */
void kube_elector_release(struct kube_elector *e, void (*done)(void *ctx), void *ctx);

#endif
