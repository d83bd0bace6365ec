/**
 * Who we are to the server and whom we believe, kept fresh: files (token, certificate, key,
 * authority) are read again once a minute and when something was refused, for they rotate; a command
 * (exec of a kubeconfig) is run ahead of the end of what it gave.
 */
#ifndef KUBE_CREDENTIALS_H
#define KUBE_CREDENTIALS_H

#include <jansson.h>

#include "kube/access.h"
#include "kube/http.h"

struct kube_credentials;

/** @access is borrowed. */
NODISCARD struct kube_credentials *kube_credentials_new(struct loop *l,
							const struct kube_access *access);
struct kube_credentials *kube_credentials_free(struct kube_credentials *c);

/**
 * False: the command has not answered yet, or a file could not be read; ask again soon. @out is
 * borrowed until the loop turns.
 */
NODISCARD bool kube_credentials_get(struct kube_credentials *c, struct kube_identity *out);
/** The server did not know us (401). */
void kube_credentials_refused(struct kube_credentials *c);
/** There was no answer: perhaps we do not know the server any more. */
void kube_credentials_doubt(struct kube_credentials *c);
/** Why there are none, or NULL. */
const char *kube_credentials_problem(const struct kube_credentials *c);

/** What a command answered. All texts are its own. */
struct kube_exec_answer {
	char *token, *cert_pem, *key_pem;
	int64_t expires_s; /* of the wall clock; 0: it does not say */
};

/** Parse an ExecCredential. Pure. */
NODISCARD int kube_exec_parse(const char *text, size_t len, struct kube_exec_answer *out,
			      struct err *e);
void kube_exec_answer_fini(struct kube_exec_answer *a);

#endif
