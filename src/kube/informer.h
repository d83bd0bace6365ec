/**
 * One collection of the API, watched: the shell around the reflector. It lists and watches for
 * ever, through whatever failure, and tells its listener of every difference.
 */
#ifndef KUBE_INFORMER_H
#define KUBE_INFORMER_H

#include "kube/client.h"
#include "kube/reflector.h"

struct kube_informer_conf {
	const char *kind;    /* for people, and for listeners that have several */
	const char *path;    /* of the collection */
	const char *instead; /* where the path is not there: that of another version, or NULL */
	const char *query;   /* selectors, or NULL */
	bool metadata_only;
	size_t page;   /* objects in one answer; 0: 100 */
	bool optional; /* may be forbidden to us: then it is empty */
	struct kube_reflector_hooks hooks;
	/** It can't be read, or (NULL) it can again. */
	void (*trouble)(void *ctx, const char *kind, const char *why);
};

struct kube_informer;

/** Texts of @conf are borrowed. Starts at once. */
NODISCARD struct kube_informer *kube_informer_new(struct loop *l, struct kube_client *client,
						  const struct kube_informer_conf *conf);
struct kube_informer *kube_informer_free(struct kube_informer *i);

/** Has everything been told once, or is it known that there is nothing? */
bool kube_informer_is_complete(const struct kube_informer *i);
/**
 * The path is not there at all: another version of the API, or definitions that are not installed.
 */
bool kube_informer_is_absent(const struct kube_informer *i);
/** Is it the other path that is read? */
bool kube_informer_uses_instead(const struct kube_informer *i);
/** Why it can't be read, or NULL. */
const char *kube_informer_problem(const struct kube_informer *i);
/** An object as the server answered to a write of ours. */
void kube_informer_written(struct kube_informer *i, const json_t *object);
const struct kube_known *kube_informer_known(const struct kube_informer *i, const char *key);

#endif
