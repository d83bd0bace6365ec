/**
 * What the files of this folder share: the daemon's one struct. Each part has its own header; here they meet.
 */
#ifndef APP_APP_PRIV_H
#define APP_APP_PRIV_H

#include "app/allocation.h"
#include "app/allocator.h"
#include "app/app.h"
#include "app/binding.h"
#include "app/byhand.h"
#include "app/drain.h"
#include "app/environment.h"
#include "app/events.h"
#include "app/handover.h"
#include "app/kubernetes.h"
#include "app/layer2.h"
#include "app/loader.h"
#include "app/membership.h"
#include "app/mesh.h"
#include "app/networks.h"
#include "app/others.h"
#include "app/pods.h"
#include "app/quorum.h"
#include "app/reach.h"
#include "app/reporter.h"
#include "app/restart.h"
#include "app/services.h"
#include "app/sessions.h"
#include "app/shadow.h"
#include "app/share.h"
#include "config/load.h"
#include "control/http.h"
#include "control/server.h"
#include "health/checker.h"

struct app {
	struct app_conf conf;
	struct environment environment; /* empty without Kubernetes */
	char *node;
	char *runtime_dir;
	char *state_dir;
	struct mono started;

	struct loop *loop;
	struct loop_signal sigterm, sigint, sighup;

	const struct cfg *cfg;	    /* in force */
	const struct cfg **retired; /* earlier ones that decisions may still name */
	size_t n_retired, cap_retired;
	struct loop_timer tidying;
	struct {
		char *why; /* the last reload was refused; NULL: what is on disk is in force */
		struct mono since;
		uint64_t loads, refusals;
	} config;

	struct loader *loader;
	struct {
		bool force;
		bool again;		      /* another one was wanted meanwhile */
		struct control_stream *asked; /* who waits for the end, or NULL */
	} reload;

	struct world *world;
	struct planner *planner;
	struct node_ids *ids;
	struct net_links *links;
	uint64_t layout; /* of the links, as everybody was told */
	struct packet *packet;
	struct sessions sessions;
	struct byhand *byhand;
	struct restart *restart;
	bool oriented; /* who the members are, and what they know */
	struct networks *networks;
	struct layer2 layer2;
	struct binding *binding;
	struct others *others; /* NULL: nothing is announced from here */
	struct services *services;
	struct allocation *allocation;
	struct membership *membership;
	struct handover *handover;
	struct drain drain;
	struct mesh *mesh; /* NULL: none is wanted */
	struct share *share;
	struct reach *reach;
	struct quorum *quorum;
	struct loop_timer quorum_forgets; /* somebody who has died */
	struct health_checker *health;
	struct kubernetes *kubernetes; /* NULL: no such source */
	struct pods *pods;	       /* NULL: members are not found among pods */
	struct allocator *allocator;   /* NULL: not our role */
	struct reporter *reporter;     /* NULL: nobody to report to */
	struct shadow *shadow;	       /* NULL: we mean it */
	struct events *events;
	struct control_server *control;
	struct http_server *http;
	char *http_problem; /* why it does not listen, or NULL */

	struct loop_timer alone; /* nobody has answered: this node is on its own */
	bool leaving;
	bool sessions_gone, members_told, lease_gone;
	struct loop_timer lingering; /* silent, but clients may not have heard of it */
	struct loop_timer leave_deadline;
};

/* app.c */

/** It is known who the members may be: whoever hears nothing of them for a while is alone. */
void app_members_named(struct app *a);

/** Members, or who counts as one, have changed. */
void app_quorum_settle(struct app *a);

/* config.c: putting configurations in force */

/** Load what app_conf names; on failure the report's text goes to standard error. */
NODISCARD int app_load(const struct app_conf *conf, const struct cfg **out, struct err *e);
/**
 * Put @c (taken) in force; refused ones are freed and change nothing.
 * @ch: what it changes of the one in force; NULL: anything
 */
NODISCARD int app_apply(struct app *a, const struct cfg *c, const struct cfg_changes *ch,
			bool force, struct err *e);
/**
 * Read everything again, and put it in force if it is valid; goes on in the background.
 * @asked: gets the difference, or the error, and is ended; may be NULL
 * Returns 0 when it has begun; else nothing has, and @asked was not touched.
 */
NODISCARD int app_reload(struct app *a, bool force, struct control_stream *asked, struct err *e);
/** SIGHUP: the same, now or as soon as the one under way is done. */
void app_hangup(struct app *a);
/** Every decision names the configuration in force: those before are freed a little later. */
void app_tidy(struct app *a);
void app_configs_init(struct app *a);
/** Frees all of them. */
void app_configs_fini(struct app *a);

/** A health check of the configuration, as the checker takes it; borrows from both. */
struct health_conf app_health_conf(const char *name, const struct cfg_health *h);

/* drain.c: everything away from this node, and back */
void app_drain_init(struct app *a);
void app_drain_fini(struct app *a);
/**
 * Hand everything over: by Layer 2 at once; BGP routes ask for another path first, and go after @routes.
 * @asked: is answered when nothing is announced from here any more
 */
NODISCARD int app_drain(struct app *a, struct dur routes, struct control_stream *asked,
			struct err *e);
/** From the handover: others have what was ours by Layer 2. */
void app_drain_handed(struct app *a);
NODISCARD int app_undrain(struct app *a, struct err *e);

/* ops.c: what the control socket and the HTTP port can ask */
NODISCARD int app_control_start(struct app *a, struct err *e);
void app_control_stop(struct app *a);

/* views.c: what people see */
NODISCARD json_t *app_items(struct app *a, const char *kind); /* NULL: no such kind */
NODISCARD json_t *app_status(struct app *a);
NODISCARD json_t *app_explain(struct app *a, const char *subject); /* NULL: nothing known of it */
void app_collect(struct app *a, struct buf *out);

#endif
