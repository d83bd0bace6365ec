/**
 * How to reach an API server and who we are there, out of a kubeconfig or of what a pod is given.
 *
 * A kubeconfig may be several files: then of each cluster, user and context the first file that has
 * one of the name counts, and relative paths start from where that file lies, as for kubectl. Of it: clusters with server, certificate-authority(-data) and tls-server-name; users
 * with token, tokenFile, client-certificate(-data), client-key(-data) and exec
 * (client.authentication.k8s.io/v1 and v1beta1); contexts with namespace. Refused, because a server
 * that is not verified is nobody we know: insecure-skip-tls-verify, and http. Passwords and
 * auth-provider are gone from Kubernetes.
 */
#ifndef KUBE_ACCESS_H
#define KUBE_ACCESS_H

#include <stdbool.h>

#include "base/err.h"

/** Zero-initialised: valid and empty. All texts are its own; NULL: not given. */
struct kube_access {
	char **servers; /* "https://host:port", without a slash at the end; NULL ends */
	char *server_name;
	char *namespace;
	char *ca_file, *ca_pem;
	char *cert_file, *cert_pem;
	char *key_file, *key_pem;
	char *token, *token_file;
	struct {
		char *command; /* NULL: none */
		char *api_version;
		char **argv;	   /* the command first; NULL ends */
		char **env;	   /* "NAME=value"; NULL ends */
		bool tell_cluster; /* it wants to know where it is to be let in */
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

/** Read one file. */
NODISCARD int kube_access_load(const char *path, const char *context, struct kube_access *out,
			       struct err *e);

/** Read several, as KUBECONFIG names them ("a:b"). Files that are not there are passed over. */
NODISCARD int kube_access_load_list(const char *paths, const char *context, struct kube_access *out,
				    struct err *e);

/** What a pod finds: KUBERNETES_SERVICE_HOST, _PORT, and the files of its service account. */
NODISCARD int kube_access_of_pod(struct kube_access *out, struct err *e);

/** These servers of the same cluster instead of the one that it names. */
NODISCARD int kube_access_set_servers(struct kube_access *a, const char *const *urls, size_t n,
				      struct err *e);

#endif
