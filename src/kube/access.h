/**
 * How to reach an API server and who we are there, out of a kubeconfig or of what a pod is given.
 *
 * Of a kubeconfig: clusters with server, certificate-authority(-data) and tls-server-name; users
 * with token, tokenFile, client-certificate(-data), client-key(-data) and exec
 * (client.authentication.k8s.io/v1 and v1beta1); contexts with namespace. Refused, because a server
 * that is not verified is nobody we know: insecure-skip-tls-verify, and http. Passwords and
 * auth-provider are gone from Kubernetes.
 */
#ifndef KUBE_ACCESS_H
#define KUBE_ACCESS_H

#include "base/err.h"

/** Zero-initialised: valid and empty. All texts are its own; NULL: not given. */
struct kube_access {
	char *server; /* "https://host:port", without a slash at the end */
	char *server_name;
	char *namespace;
	char *ca_file, *ca_pem;
	char *cert_file, *cert_pem;
	char *key_file, *key_pem;
	char *token, *token_file;
	struct {
		char *command; /* NULL: none */
		char *api_version;
		char **argv; /* the command first; NULL ends */
		char **env;  /* "NAME=value"; NULL ends */
	} exec;
};

void kube_access_fini(struct kube_access *a);

/**
 * Parse a kubeconfig.
 * @folder:  what relative paths in it start from
 * @context: NULL: its current one
 */
NODISCARD int kube_access_parse(const char *name, const char *text, size_t len, const char *folder,
				const char *context, struct kube_access *out, struct err *e);

/** Read one. */
NODISCARD int kube_access_load(const char *path, struct kube_access *out, struct err *e);

/** What a pod finds: KUBERNETES_SERVICE_HOST, _PORT, and the files of its service account. */
NODISCARD int kube_access_of_pod(struct kube_access *out, struct err *e);

#endif
