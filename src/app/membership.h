/**
 * The cluster as the daemon sees it: gossip's members become nodes of the world, its messages carry what
 * members share, and the packet thread hears of a death before anything is planned.
 */
#ifndef APP_MEMBERSHIP_H
#define APP_MEMBERSHIP_H

#include <jansson.h>

#include "app/ids.h"
#include "app/mesh.h"
#include "app/packet.h"
#include "app/share.h"
#include "base/loop.h"
#include "base/metric.h"
#include "world/world.h"

struct membership;

struct membership_hooks {
	void *ctx;
	/** A member has joined, died, or left by its own word. */
	void (*joined)(void *ctx, const char *node, const struct addr *addr);
	void (*gone)(void *ctx, const char *node, bool left);
	/** A member's whole state has been read: we are not alone. */
	void (*synchronised)(void *ctx);
	void (*left)(void *ctx); /* membership_leave() is done */
};

/**
 * Without a cluster in the configuration this node is the only member, for ever.
 * @mesh: hears of the members; NULL: there is none
 */
NODISCARD int membership_new(struct loop *l, struct world *w, struct node_ids *ids,
			     struct share *share, struct mesh *mesh, const struct cfg_cluster *c,
			     const struct labels *labels, const struct membership_hooks *hooks,
			     struct membership **out, struct err *e);
struct membership *membership_free(struct membership *m);
void membership_attach(struct membership *m, struct packet *packet);

/** Follow a new configuration: whom to join, our labels, another secret. */
void membership_apply(struct membership *m, const struct cfg *c);
/** The others are told that this node gives everything up, or takes part again. */
void membership_drained(struct membership *m, bool drained);
/** Members seem to be at these addresses, on our own port; in place of those found before. */
void membership_found(struct membership *m, const struct addr *v, size_t n);

/** Exchange all that is known with a member now; @at: where, should gossip have forgotten it. */
void membership_sync(struct membership *m, const char *node, const struct addr *at);

void membership_broadcast(struct membership *m, const void *bytes, size_t len);

/** Tell everybody that we go; hooks.left follows, within a second. */
void membership_leave(struct membership *m);

size_t membership_count(const struct membership *m); /* live ones, ourselves too */
/** Since when a node is what it is, alive or dead; never heard of: since we run. */
struct mono membership_since(const struct membership *m, const char *node);
/** Which member gossips from this address; NULL: none. */
const char *membership_at(const struct membership *m, const struct addr *addr);
bool membership_enabled(const struct membership *m);

/** What is wrong with the cluster, each with what would mend it. */
void membership_problems(const struct membership *m,
			 void (*say)(void *ctx, const char *hint, const char *text), void *ctx);

NODISCARD json_t *membership_json(const struct membership *m);
void membership_collect(const struct membership *m, struct metric_writer *w);

#endif
