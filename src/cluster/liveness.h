/**
 * Who is alive, decided in one place: gossip is slow and sure, the mesh between the nodes is quick and sees only what
 * reaches this node. Pure: inputs are what gossip says, sessions that come up or fall silent, connections that come
 * and end, answers of the other members, and the present time; the output is the alive set with an epoch.
 *
 *   silence of a session      the others are asked; whoever heard the accused lately vetoes; nobody does within
 *                             LIVENESS_ASK: dead
 *   a veto                    alive, and the question is repeated until the session is up or nobody vetoes; these
 *                             answers have an interval's time
 *   its port is refused       dead: its process is gone, and its kernel says so
 *   it says that it goes      not alive, until it says that it is back
 *   gossip says dead          dead; gossip's word also ends each verdict of the mesh about the node
 *   dead for LIVENESS_CONFIRM only by the mesh, gossip knowing it alive all the while: the mesh is wrong (a filter)
 *
 * Only a session that was up can accuse. Switched off (a member is not crier) gossip alone decides.
 *
 * The packet thread drives it: after each call drain liveness_next(), and tick at the deadline.
 */
#ifndef CLUSTER_LIVENESS_H
#define CLUSTER_LIVENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/time.h"

#define LIVENESS_PEERS_MAX 64
#define LIVENESS_ASK	   DUR_MS(3)
#define LIVENESS_CONFIRM   DUR_S(30)

enum liveness_state {
	LIVENESS_FINE,	 /* nothing but gossip speaks against it */
	LIVENESS_ASKING, /* silent, and the others have not answered yet: alive */
	LIVENESS_VETOED, /* silent here, heard elsewhere: alive */
	LIVENESS_DEAD,	 /* by the mesh */
	LIVENESS_LEFT,	 /* by its own word */
};
const char *liveness_state_name(enum liveness_state s);

struct liveness_peer {
	uint16_t id;
	bool gossip;  /* a live member */
	bool session; /* its heartbeats come, and ours reach it */
	bool linked;  /* it can be asked */
	bool told;    /* alive, as the last change said */
	bool ask;     /* the question has to go out */
	enum liveness_state state;
	uint16_t waiting; /* answers that may still come */
	uint32_t query;
	struct mono until; /* asking, vetoed, dead: what is next */
};

struct liveness {
	struct liveness_peer peers[LIVENESS_PEERS_MAX];
	size_t n;
	bool trusted;
	struct dur again; /* after a veto the question is repeated so often */
	uint32_t queries;
	uint64_t epoch; /* grows with each change of the alive set */
};

struct liveness_out {
	enum {
		LIVENESS_ASK_ALL, /* ask every linked peer but @id whether it heard @id lately */
		LIVENESS_CHANGE,  /* @alive is new */
	} kind;
	uint16_t id;
	uint32_t query;
	bool alive;
	enum liveness_state state; /* of a change: why */
};

void liveness_init(struct liveness *l);

/** Does the mesh count? @again: one heartbeat's interval. */
void liveness_trust(struct liveness *l, bool trusted, struct dur again);

/** Gossip's word; a peer that is new is added. -1: there are LIVENESS_PEERS_MAX already. */
NODISCARD int liveness_gossip(struct liveness *l, uint16_t id, bool alive);
/** Nothing is known of it any more; no change is told. */
void liveness_forget(struct liveness *l, uint16_t id);

void liveness_up(struct liveness *l, uint16_t id);
/** No heartbeat came for the detection time. */
void liveness_silent(struct liveness *l, uint16_t id, struct mono now);
/** The session is down for another reason, which the peer gave itself: it lives. */
void liveness_lost(struct liveness *l, uint16_t id);
void liveness_linked(struct liveness *l, uint16_t id, bool linked);
/** Nobody has its port any more. */
void liveness_refused(struct liveness *l, uint16_t id, struct mono now);
/** It hands everything over, or takes part again. */
void liveness_left(struct liveness *l, uint16_t id, bool left);
/** The answer to @query. */
void liveness_answer(struct liveness *l, uint32_t query, bool heard, struct mono now);

void liveness_tick(struct liveness *l, struct mono now);
bool liveness_next(struct liveness *l, struct liveness_out *out);
struct mono liveness_deadline(const struct liveness *l);

/** Also true of who is not known here: others decide then. */
bool liveness_is_alive(const struct liveness *l, uint16_t id);
const struct liveness_peer *liveness_find(const struct liveness *l, uint16_t id);

#endif
