/**
 * Leaving without a gap: who goes tells the others, each successor puts the addresses on its links, announces them and says
 * so, and only then the former owner falls silent.
 *
 *   handover_leave()     this node goes: the others are told; on_done follows within HANDOVER_MAX, or HANDOVER_LONGEST
 *                        where it takes longer to notice that a successor has died meanwhile
 *   handover_asked()     another one goes: its addresses are made ready here, then the packet thread takes them
 *
 * The packet thread's half is app/pulse.h. Control thread.
 */
#ifndef APP_HANDOVER_H
#define APP_HANDOVER_H

#include "app/binding.h"
#include "app/mesh.h"

#define HANDOVER_MAX	 DUR_MS(200)
#define HANDOVER_LONGEST DUR_MS(500)

struct handover_conf {
	struct loop *loop;
	const struct world *world;
	const struct planner *planner;
	struct binding *binding;
	struct mesh *mesh; /* NULL: nobody is told */
	struct node_ids *ids;
	void *ctx;
	/** What this node had is taken, or nobody answered in time; it is silent now. */
	void (*on_done)(void *ctx);
};

struct handover;

NODISCARD struct handover *handover_new(const struct handover_conf *conf);
struct handover *handover_free(struct handover *h); /* takes NULL, returns NULL */
void handover_attach(struct handover *h, struct packet *packet);

void handover_leave(struct handover *h);
/** It does not go, or is back: it takes what is its own again, once a table says what that is. */
void handover_return(struct handover *h);
/** A table of the world as it is now has gone to the packet thread. */
void handover_on_table(struct handover *h);

/** From the packet thread. */
void handover_on_event(struct handover *h, const struct pulse_event *ev);

#endif
