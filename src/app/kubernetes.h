/**
 * The daemon's Kubernetes side: the connection to the API server, the source that feeds the world,
 * and the configuration that lies in the API. Without `--source kubernetes` there is none, and
 * every function takes NULL.
 */
#ifndef APP_KUBERNETES_H
#define APP_KUBERNETES_H

#include "base/metric.h"
#include "kube/source.h"

struct app;
struct kubernetes;

/**
 * @c: says where the server is. Watching begins at once; the configuration follows the first full
 * view.
 */
NODISCARD int kubernetes_new(struct app *a, const struct cfg *c, struct kubernetes **out,
			     struct err *e);
struct kubernetes *kubernetes_free(struct kubernetes *k);

/** Has everything been seen once? True where there is no Kubernetes. */
bool kubernetes_is_viewed(const struct kubernetes *k);
/** The API's configuration has come into force. Takes NULL. */
void kubernetes_configured(struct kubernetes *k);
/** Has it, once? */
bool kubernetes_is_configured(const struct kubernetes *k);
/** The configuration's texts of the API as they are now; none before everything has been seen. */
const struct cfg_text *kubernetes_texts(struct kubernetes *k, size_t *n);

/**
 * May this configuration come into force? As MetalLB: a ConfigMap takes no address away that is in
 * use.
 */
NODISCARD int kubernetes_check(const struct kubernetes *k, const struct cfg *c, struct err *e);

struct kube_client *kubernetes_client(const struct kubernetes *k);
struct kube_source *kubernetes_source(const struct kubernetes *k);
const char *kubernetes_namespace(const struct kubernetes *k);

/** Is it for us to look after? Services of files always are. */
bool kubernetes_handles(const struct app *a, const struct world_service *s);

/** {"server", "namespace", "state", "watches": […]}, or NULL; a new reference. */
NODISCARD json_t *kubernetes_json(const struct kubernetes *k);
/** What is wrong with the connection, or NULL. */
const char *kubernetes_problem(const struct kubernetes *k);
void kubernetes_collect(const struct kubernetes *k, struct metric_writer *w);

#endif
