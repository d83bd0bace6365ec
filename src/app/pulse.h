/**
 * Fast detection on the packet thread: a session of BFD and a connection with each other node of the cluster, the
 * liveness core, and what follows from it at once: who is out of the running for the addresses of Layer 2.
 *
 * app/mesh.h, on the control thread, says with whom. Everything here is called on the packet thread.
 */
#ifndef APP_PULSE_H
#define APP_PULSE_H

#include "bfd/engine.h"
#include "cluster/liveness.h"
#include "cluster/mesh_io.h"

#define PULSE_PEERS_MAX LIVENESS_PEERS_MAX

/** Immutable once applied. */
struct pulse_table {
	struct mesh_peer
		peers[PULSE_PEERS_MAX]; /* their ids are those of app/ids.h, and of the sessions */
	struct bfd_target targets[PULSE_PEERS_MAX]; /* in the same order */
	size_t n;
	struct bfd_table sessions; /* its targets are those above */
	bool trusted;		   /* all live members take part */
	struct dur interval;
	uint8_t multiplier;
};

struct pulse_event {
	enum {
		PULSE_HEARD,   /* its heartbeats come; whether ours reach it is not known yet */
		PULSE_UP,      /* its heartbeats come, and ours reach it */
		PULSE_DOWN,    /* they don't any more */
		PULSE_VERDICT, /* it is out of the running, or no more */
		PULSE_AWAY,    /* it gives everything up and waits for pulse_left(); or is back */
		PULSE_HANDED,  /* everybody has taken what this node gave up */
	} kind;
	uint16_t id;
	enum liveness_state state; /* verdict: why */
	bool away;		   /* away: or back */
	struct mono at;
};

struct pulse_conf {
	struct loop *loop;
	uint16_t port;
	const char *name;	/* ours; copied */
	struct crypt_ring ring; /* of the connections; empty: not sealed */
	/** A node is out of the running, or no more. Must not call back. */
	void (*bar)(void *ctx, uint16_t id, bool barred);
	/** Its heartbeats have come back: it may have taken what is ours for its own. Must not call back. */
	void (*returned)(void *ctx, uint16_t id);
	void (*event)(void *ctx, const struct pulse_event *ev);
	/** What a member shares; @text is borrowed. Must not call back. */
	void (*news)(void *ctx, struct rd text);
	void *ctx;
};

struct pulse;

NODISCARD struct pulse *pulse_new(const struct pulse_conf *conf);
/** Ends at once, without a word. Takes NULL, returns NULL. */
struct pulse *pulse_free(struct pulse *p);

/** @t is borrowed until the next call (NULL: nobody). Returns the one before. */
const struct pulse_table *pulse_apply(struct pulse *p, const struct pulse_table *t);

/** Gossip's word about a node; who is not in the table is of no interest. */
void pulse_gossip(struct pulse *p, uint16_t id, bool alive);

/**
 * This node gives everything up, or takes part again; those that it talks to are told. PULSE_HANDED follows when all of
 * them have answered, at once where there is nobody.
 */
void pulse_away(struct pulse *p, bool away);

/** What a node gives up may be taken now; it is told when that is announced. Or: it is back. */
void pulse_left(struct pulse *p, uint16_t id, bool left);

/** Tell everybody that a connection leads to; who is not reached learns it by gossip. */
void pulse_say(struct pulse *p, struct rd text);

/** After pulse_apply(NULL): nobody is told goodbye any more. */
bool pulse_is_idle(const struct pulse *p);

const struct bfd_counters *pulse_counters(const struct pulse *p); /* from any thread */
/** Why nobody can reach us by the mesh's port, UDP or TCP: an error number; 0: they can. From any thread. */
int pulse_listen_errno(const struct pulse *p);

#endif
