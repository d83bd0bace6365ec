/**
 * The BGP peers that run on this node, and their BFD sessions: keeps the speaker and the BFD engine in step with
 * the configuration, and carries what one has to say to the other.
 */
#ifndef APP_SESSIONS_H
#define APP_SESSIONS_H

#include <jansson.h>

#include "app/fastpath.h"
#include "app/packet.h"
#include "app/routes.h"
#include "base/map.h"
#include "bgp/speaker.h"
#include "net/link.h"

/** A peer's BFD session. Lives as long as a table names it. */
struct bfd_peer {
	uint32_t id;
	char *peer; /* its name */
	bool multihop;
	struct addr addr;
	uint8_t detect_mult;
	struct mono added;
	struct bfd_session_status status;
	uint8_t heard; /* its state, by the events so far */
	size_t refs;   /* one for the map, one for each table */
};

struct sessions {
	struct loop *loop;
	const struct world *world;
	struct bgp_speaker *bgp;
	struct routes *routes;
	struct packet *packet;
	struct fastpath *fastpath;
	struct net_links *links;
	struct map *bfd; /* peer name -> struct bfd_peer */
	uint32_t next_bfd_id;
	const struct bfd_table *table; /* the last one handed over; may be gone already */
	bool stopped;
	void (*on_stopped)(
		void *ctx); /* every BGP connection is closed after sessions_shutdown() */
	/** A service's route to some peer was set or withdrawn. */
	void (*on_route)(void *ctx, const struct prefix *prefix);
	void *ctx;
};

NODISCARD int sessions_init(struct sessions *s, struct loop *loop, const struct world *world,
			    struct net_links *links, struct err *e);
/** Hand the packet thread over once it runs, and the programs in the kernel. */
void sessions_attach(struct sessions *s, struct packet *packet, struct fastpath *fastpath);
void sessions_fini(struct sessions *s);

/**
 * Make the peers match the configuration, this node's labels and its links. Unchanged sessions go on. A peer whose password
 * cannot be read is left as it is, and @e tells about the last one of these; the others are still applied.
 */
NODISCARD int sessions_apply(struct sessions *s, struct err *e);

/** What one service wants announced. */
void sessions_route(struct sessions *s, const char *service, const struct plan_bgp *wanted,
		    size_t n);

/**
 * Act on one peer by hand.
 * @action: down, up, reset or refresh; @text goes along with down and reset, and may be NULL
 */
NODISCARD int sessions_peer_admin(const struct sessions *s, const char *name, const char *action,
				  const char *text, struct err *e);

/** The VRF or the link that a peer's BFD session is bound to; NULL: none. */
const char *sessions_bfd_place(const struct sessions *s, const struct bfd_peer *b);

/** From the packet thread. */
void sessions_on_bfd(struct sessions *s, const struct bfd_event *ev);
/** Events were lost: make good what they would have done. */
void sessions_reconcile(struct sessions *s);
void sessions_bfd_retired(struct sessions *s, const struct bfd_table *t);

/** The end of all sessions; on_stopped follows. */
/** @restart: peers with graceful restart keep our routes */
void sessions_shutdown(struct sessions *s, bool restart, const char *why);

/* For people: arrays of items, new references. */
NODISCARD json_t *sessions_peers_json(const struct sessions *s);
NODISCARD json_t *sessions_bfd_json(const struct sessions *s);
/** A peer's last messages: {"address", "local-address", "items": […]}. */
NODISCARD int sessions_messages(const struct sessions *s, const char *peer, json_t **data,
				struct err *e);
/**
 * Routes, a page at a time, so that a million of them keep nobody waiting: {"items": […], "next": …}. With "next" as
 * args.page the next page follows; it is absent at the end.
 * @args: "name": one prefix; "peer": one peer's; "page"
 */
NODISCARD int sessions_routes_page(const struct sessions *s, const json_t *args, json_t **data,
				   struct err *e);
void sessions_collect(const struct sessions *s, struct metric_writer *w);

#endif
