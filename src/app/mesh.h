/**
 * Fast detection, seen from the control thread: with whom the packet thread keeps up heartbeats (app/pulse.h), out of
 * what gossip says of the members, and what it found out.
 *
 * A member that died is kept, so that the mesh notices at once when it is back; one that left, or that another took
 * the place of, is not.
 */
#ifndef APP_MESH_H
#define APP_MESH_H

#include <jansson.h>

#include "app/ids.h"
#include "app/packet.h"
#include "base/loop.h"
#include "base/metric.h"
#include "config/cfg.h"

struct mesh;

struct mesh_hooks {
	void *ctx;
	/** Heartbeats of a node that gossip may take for dead, or have forgotten, have come back. */
	void (*returned)(void *ctx, const char *node, const struct addr *at);
};

/** NULL in @out where the configuration wants none. */
NODISCARD int mesh_new(struct loop *l, struct node_ids *ids, const char *me,
		       const struct cfg_cluster *c, const struct mesh_hooks *hooks,
		       struct mesh **out, struct err *e);
struct mesh *mesh_free(struct mesh *m); /* takes NULL, returns NULL; after the packet thread */

/** All functions below do nothing without a mesh. */
void mesh_attach(struct mesh *m, struct packet *packet);
/** This node answers for what it owns: it may take part. */
void mesh_release(struct mesh *m);

/** How often heartbeats go out, and how long silence is death; 0: there are none. */
struct dur mesh_interval(const struct mesh *m);
struct dur mesh_detection(const struct mesh *m);

uint16_t mesh_port(const struct mesh *m); /* 0: there is none */
/** What the packet thread has to know from the start; NULL: there is none. Lives as long as @m. */
const struct pulse_conf *mesh_pulse(const struct mesh *m);

/** A live member; @port of its mesh, 0: it has none. */
void mesh_member(struct mesh *m, const char *node, const struct addr *addr, uint16_t port);
/** It died, or left for good. */
void mesh_member_gone(struct mesh *m, const char *node, bool left);

/** From the packet thread. */
void mesh_on_event(struct mesh *m, const struct pulse_event *ev);
void mesh_retired(struct mesh *m, const struct pulse_table *t);

/** What is known of a node's heartbeats; NULL: nothing. */
NODISCARD json_t *mesh_json(const struct mesh *m, const char *node);
void mesh_collect(const struct mesh *m, struct metric_writer *w);
/** Has fast detection found it dead, or has it left? */
bool mesh_is_out(const struct mesh *m, const char *node);
bool mesh_trusted(const struct mesh *m);

#endif
