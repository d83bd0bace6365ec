/**
 * Events about objects of the API, for people: what is said again is counted, and not too often.
 */
#ifndef KUBE_RECORDER_H
#define KUBE_RECORDER_H

#include "kube/client.h"

struct kube_recorder;

struct kube_recorder_conf {
	const char *component; /* "metallb-controller", "metallb-speaker" */
	const char *host;      /* the node, or NULL */
};

/** What an event is about; borrowed. */
struct kube_subject {
	const char *api_version, *kind;
	const char *namespace; /* NULL: of the whole cluster */
	const char *name, *uid, *version;
};

NODISCARD struct kube_recorder *kube_recorder_new(struct loop *l, struct kube_client *client,
						  const struct kube_recorder_conf *conf);
struct kube_recorder *kube_recorder_free(struct kube_recorder *r);

void kube_recorder_say(struct kube_recorder *r, const struct kube_subject *about, bool is_warning,
		       const char *reason, const char *text);

#endif
