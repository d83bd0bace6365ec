/**
 * The API server, for whoever wants something of it: requests with our credentials. Of several
 * servers one is asked for everything, until it does not answer: then the next one.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <jansson.h>

#include "kube/access.h"
#include "kube/http.h"

struct kube_client;

/** @take: its texts move in, whatever this returns. */
NODISCARD int kube_client_new(struct loop *l, struct kube_access *take, struct kube_client **out,
			      struct err *e);
struct kube_client *kube_client_free(struct kube_client *c);

/** False: there are no credentials yet; ask again soon. */
bool kube_client_is_ready(struct kube_client *c);
/** Why there are none, or NULL. */
const char *kube_client_problem(const struct kube_client *c);
/** Of several servers: the one that is asked now. */
const char *kube_client_server(const struct kube_client *c);
const char *kube_client_namespace(const struct kube_client *c); /* or NULL */

/** Start a request; see kube/http.h. kube_call_cancel() ends it early. */
NODISCARD struct kube_call *kube_client_call(struct kube_client *c,
					     const struct kube_call_conf *conf);
/**
 * What is wrong, in one line: the server's own message, or why there was no answer. Returns @buf.
 */
const char *kube_answer_text(const struct kube_answer *answer, char *buf, size_t cap);

#endif
