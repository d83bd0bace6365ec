/**
 * The packet thread: the Layer 2 responder, the BFD engine and fast detection on a loop of their own. It never
 * waits for the control thread, whose only means are these:
 *
 *   control -> packet  the latest tables (immutable, swapped by pointer), who is alive, and short texts for
 *                      the other members
 *   packet -> control  a fixed ring of events, plus the latest state inside each object's status
 *
 * A table that is no longer in use comes back and is freed by the control thread. When the ring is
 * full events are lost and counted (`on_gap` says so), tables and states are not.
 *
 * Every function here is called on the control thread.
 */
#ifndef APP_PACKET_H
#define APP_PACKET_H

#include "app/ids.h"
#include "app/priority.h"
#include "app/pulse.h"
#include "bfd/engine.h"
#include "l2/io.h"

/** The longest text that members tell each other this way. */
enum { PACKET_NEWS_MAX = 1000 };

struct packet_hooks {
	void *ctx;
	struct fast *fast;	/* lent until packet_free(); NULL: none */
	_Atomic int64_t *awake; /* lent; where the thread writes the time */
	struct dur awake_every; /* so often; 0: never */
	void (*l2)(void *ctx, const struct l2_event *ev);
	void (*bfd)(void *ctx, const struct bfd_event *ev);
	void (*pulse)(void *ctx, const struct pulse_event *ev);
	/** What another member shares; @text is borrowed. */
	void (*news)(void *ctx, struct rd text);
	/** Tables that the thread has let go of: they, and what only they name, may be freed. */
	void (*l2_retired)(void *ctx, struct l2_table *t);
	void (*bfd_retired)(void *ctx, const struct bfd_table *t);
	void (*pulse_retired)(void *ctx, const struct pulse_table *t);
	/** Events were lost: compare with the latest states. */
	void (*on_gap)(void *ctx);
};

struct packet;

/**
 * Start the thread. @loop is the control thread's, where the hooks are called.
 * @pulse: port, name and keys of fast detection; NULL: there is none
 */
NODISCARD int packet_new(struct loop *loop, const struct packet_hooks *hooks,
			 const struct pulse_conf *pulse, struct packet **out, struct err *e);

/**
 * Stop the thread and free it; tables come back through the hooks first. Takes NULL, returns NULL.
 */
struct packet *packet_free(struct packet *p);

/** Hand over a table; the one before it comes back when the thread has let go of it. */
void packet_set_l2(struct packet *p, struct l2_table *t);
void packet_set_bfd(struct packet *p, const struct bfd_table *t);
void packet_set_pulse(struct packet *p, const struct pulse_table *t);

/**
 * Takes effect at once, before any table that follows. The last word said here about a node counts,
 * whatever a table brings: say it of every node that a table holds alive.
 */
void packet_set_alive(struct packet *p, uint16_t node_id, bool alive);

/**
 * This node gives everything up, or takes part again: pulse_away(). Without fast detection nothing follows.
 */
void packet_set_away(struct packet *p, bool away);
/** What this node, if the number is its own, owns is given up; of another one: pulse_left(). Or: no longer. */
void packet_set_left(struct packet *p, uint16_t node_id, bool left);

/**
 * Tell the members that the mesh reaches: at most PACKET_NEWS_MAX bytes. More at a time than there is room for are
 * lost: gossip carries them too.
 */
void packet_say(struct packet *p, const void *text, size_t len);

/** Real-time priority for the thread where it is permitted; off until this is called. */
void packet_set_real_time(struct packet *p, bool wanted);
/** What the thread has; soon after packet_set_real_time(). */
enum priority packet_priority(const struct packet *p);

/** Events that did not fit into the ring. */
uint64_t packet_events_lost(const struct packet *p);

/** For metrics: counters that may be read from here. */
const struct bfd_counters *packet_bfd_counters(const struct packet *p);
const struct bfd_counters *packet_pulse_counters(const struct packet *p); /* NULL: no mesh */
/** Why packets can't be received, error numbers; 0: they can, or there is nothing to receive. */
int packet_bfd_listen_errno(const struct packet *p);
int packet_pulse_listen_errno(const struct packet *p);
/** Texts for and from members that found a ring full; gossip brought them. */
uint64_t packet_news_lost(const struct packet *p);
const struct l2_stats *packet_l2_stats(const struct packet *p);

#endif
