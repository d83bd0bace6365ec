/**
 * The BGP speaker: peers by name, each with its session and the routes that it is to be told. It announces
 * and learns nothing. Runs on the control loop; nothing here blocks.
 *
 * Routes may be set and deleted at any rate and in any state of the session; what is wanted is kept, and sent
 * when the loop's turn ends. Events are delivered from a task at the end of the turn, so a hook may call
 * everything here.
 *
 * Next hop: ourselves, by the local address of the TCP connection. For the other family of a dual-stack session it is
 * an address of the interface that owns that local address; where there is none, that family stays
 * silent. A peer's configured next hop, and then a route's own, go before.
 *
 * Router id: the configured one; else the local IPv4 address of the connection; else the first IPv4 address
 * of the interface that owns the local IPv6 address; else the CRC-32 of the node's name, low byte first.
 */
#ifndef BGP_SPEAKER_H
#define BGP_SPEAKER_H

#include "base/loop.h"
#include "base/metric.h"
#include "bgp/hand.h"
#include "bgp/snapshot.h"
#include "bgp/trace.h"

struct bgp_speaker;
struct tcp_ao_key;

enum bgp_event_type {
	BGP_EVENT_UP,	  /* Established */
	BGP_EVENT_DOWN,	  /* no longer Established; reason says why */
	BGP_EVENT_STATE,  /* any other change of state, for debugging */
	BGP_EVENT_FAILED, /* an attempt failed before Established; repeated reasons come once */
	BGP_EVENT_NOTIFICATION_SENT, /* note */
	BGP_EVENT_NOTIFICATION_RECEIVED,
	BGP_EVENT_FOUND,	 /* an unnumbered peer; reason is where */
	BGP_EVENT_LISTEN_FAILED, /* reason; no peer. Tried again by itself, and told once */
	BGP_EVENT_STOPPED, /* after bgp_speaker_shutdown(): every connection is closed; no peer */
};

struct bgp_event {
	enum bgp_event_type type;
	const char *peer;    /* borrowed for the call */
	enum bgp_state from; /* of UP, DOWN, STATE and FAILED */
	enum bgp_state to;
	const char *reason;
	struct bgp_note note; /* of NOTIFICATION_… */
};

struct bgp_speaker_conf {
	const char *node; /* for the router id's last resort; copied */
	uint64_t seed;	  /* of all jitter; 0: random */
	void (*on_event)(void *ctx, const struct bgp_event *event); /* may be NULL */
	void *ctx;
};

struct bgp_peer_conf {
	const char *name;
	struct addr addr;
	uint16_t port;	      /* 0: 179 */
	bool unnumbered;      /* whoever is at the other end of zone; addr is :: */
	const char *zone;     /* interface, needed for a link-local address */
	const char *device;   /* bind to this interface or VRF, or NULL */
	struct addr source;   /* unset: the kernel's choice */
	const char *password; /* TCP MD5; NULL: none */
	const struct tcp_ao_key
		*ao; /* TCP-AO instead: what the peer sends with is accepted, the first asked for */
	size_t n_ao;
	uint8_t ttl;	   /* of our packets; 0: the system's default */
	uint8_t min_ttl;   /* RFC 5082: of the peer's packets; 0: any */
	uint32_t local_as; /* what the peer takes us for */
	uint32_t
		real_as; /* our own where that is another: it follows local_as in paths; 0: it is not */
	uint32_t peer_as; /* with BGP_ASN_EXACT */
	enum bgp_asn_rule asn_rule;
	uint32_t router_id;	 /* 0: by the rules above */
	uint16_t hold_s;	 /* 0 or at least 3 */
	uint16_t keepalive_s;	 /* 0: a third of the hold time */
	bool passive;		 /* never connect, wait for the peer */
	bool in_vrf;		 /* device is a VRF: what it listens on is apart */
	struct dur delay_open;	 /* before our OPEN */
	struct dur connect_wait; /* for one attempt; 0: 4 s */
	struct dur retry_max;	 /* longest pause between attempts; 0: 120 s */
	bool dual_stack;	 /* carry the other family too */
	bool held;		 /* as after bgp_speaker_hold(); looked at when the peer is added */
	uint32_t max_prefix;	 /* announced by the peer; 0: any number */
	uint16_t
		restart_s; /* graceful restart: how long the peer keeps our routes; 0: it does not */
	uint32_t
		stale_s; /* and so much longer as its last choice (RFC 9494); 24 bits, 0: no longer */
	uint8_t role;	 /* enum bgp_role: ours towards the peer, RFC 9234 */
	struct addr next_hop4; /* unset: ourselves */
	struct addr next_hop6;
};

NODISCARD int bgp_speaker_new(struct loop *loop, const struct bgp_speaker_conf *conf,
			      struct bgp_speaker **out, struct err *e);
/** Closes everything at once. Takes NULL, returns NULL. Not from inside a hook. */
struct bgp_speaker *bgp_speaker_free(struct bgp_speaker *sp);

struct bgp_listen_conf {
	struct addr addr; /* unspecified IPv6: both families */
	uint16_t port;	  /* 0: do not listen */
};

/**
 * Let peers connect to us. What cannot be opened is tried again every few seconds, and stands in
 * bgp_speaker_listen_next() meanwhile.
 */
void bgp_speaker_listen(struct bgp_speaker *sp, const struct bgp_listen_conf *conf);

enum bgp_peer_change {
	BGP_PEER_SAME = 0,
	BGP_PEER_ADDED = 1,
	BGP_PEER_LIVE =
		2, /* applied without touching the session: password, keys, retry_max, connect_wait */
	BGP_PEER_RESET = 3, /* needs reset: everything else */
};

/** What a change of configuration would do to the session (never BGP_PEER_ADDED). */
enum bgp_peer_change bgp_peer_conf_diff(const struct bgp_peer_conf *old,
					const struct bgp_peer_conf *now);

/**
 * Add a peer, or change the one of this name; strings are copied. A session that has to be reset is closed with
 * Cease/Other Configuration Change and opened again.
 * Returns an enum bgp_peer_change, or -ERR_CONFIG.
 */
NODISCARD int bgp_speaker_peer_set(struct bgp_speaker *sp, const struct bgp_peer_conf *conf,
				   struct err *e);
/** Cease/Peer De-configured, and forget the peer with its routes. Returns false when there is none. */
bool bgp_speaker_peer_del(struct bgp_speaker *sp, const char *name);

/**
 * Tell @peer about @p. Repeating it changes nothing.
 * Returns 0, -ERR_NOT_FOUND (no such peer) or -ERR_LIMIT (attributes too large).
 */
NODISCARD int bgp_speaker_route_set(struct bgp_speaker *sp, const char *peer,
				    const struct prefix *p, const struct bgp_route_attrs *attrs,
				    struct err *e);
/** Take it back; nothing when it was not wanted. Returns 0 or -ERR_NOT_FOUND (no such peer). */
NODISCARD int bgp_speaker_route_del(struct bgp_speaker *sp, const char *peer,
				    const struct prefix *p, struct err *e);

/**
 * Announce a prefix by hand, to the peers named or to all (also those to come). What services announce goes before:
 * -ERR_STATE when one announces it already; and when one begins to, this one ends.
 * Returns 0, -ERR_STATE, -ERR_NOT_FOUND (no such peer, unless they may be to come) or -ERR_LIMIT (attributes too large).
 */
NODISCARD int bgp_speaker_announce(struct bgp_speaker *sp, const struct prefix *p,
				   const struct bgp_route_attrs *attrs,
				   const struct bgp_audience *to, struct err *e);
/**
 * The same, and whoever hears the prefix by hand goes on hearing it; -ERR_STATE also when that is somebody else, and
 * with other attributes.
 */
NODISCARD int bgp_speaker_announce_also(struct bgp_speaker *sp, const struct prefix *p,
					const struct bgp_route_attrs *attrs,
					const struct bgp_audience *to, struct err *e);
/** For whom a prefix is announced by hand, borrowed until something changes; false when it is not. */
bool bgp_speaker_by_hand(const struct bgp_speaker *sp, const struct prefix *p,
			 struct bgp_audience *out);
/** Take it back from these peers only. -ERR_STATE when it is announced to all. */
NODISCARD int bgp_speaker_withdraw_from(struct bgp_speaker *sp, const struct prefix *p,
					const struct bgp_audience *from, struct err *e);
/** Returns 0, or -ERR_NOT_FOUND when it is not announced by hand. */
NODISCARD int bgp_speaker_withdraw(struct bgp_speaker *sp, const struct prefix *p, struct err *e);
/** Take back all that is @owner's. */
void bgp_speaker_withdraw_all(struct bgp_speaker *sp, uint32_t owner);

/**
 * Something outside says that the peer is gone (BFD: BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN). The session ends with this
 * NOTIFICATION and is tried again by itself. @text is the reason for people, sent along where RFC 9003 allows.
 */
NODISCARD int bgp_speaker_peer_down(struct bgp_speaker *sp, const char *name, uint8_t code,
				    uint8_t subcode, const char *text, struct err *e);

enum bgp_admin {
	BGP_ADMIN_DOWN, /* Administrative Shutdown; stays down until BGP_ADMIN_UP */
	BGP_ADMIN_UP,
	BGP_ADMIN_RESET,   /* Administrative Reset, and back */
	BGP_ADMIN_REFRESH, /* send all routes again */
	BGP_ADMIN_RETRY,   /* connect now when waiting: the path is known to be back */
};
/** @text (may be NULL) goes along with DOWN and RESET. Returns 0 or -ERR_NOT_FOUND. */
NODISCARD int bgp_speaker_peer_admin(struct bgp_speaker *sp, const char *name, enum bgp_admin what,
				     const char *text, struct err *e);

/**
 * Hold a session back: it stays in Idle, or ends without a further word, until it is let go. @why is its reason.
 * Returns 0 or -ERR_NOT_FOUND.
 */
NODISCARD int bgp_speaker_hold(struct bgp_speaker *sp, const char *name, bool hold, const char *why,
			       struct err *e);

/**
 * End all sessions; BGP_EVENT_STOPPED follows, within about a second at the latest.
 * @restart: we come back: peers with graceful restart keep our routes. Else Administrative Shutdown, as a Hard Reset
 * where that makes a difference (RFC 8538).
 */
void bgp_speaker_shutdown(struct bgp_speaker *sp, bool restart, const char *text);

/**
 * Leaving for good: what is announced carries GRACEFUL_SHUTDOWN from now on (RFC 8326), and LOCAL_PREF 0 to internal
 * peers, so that traffic moves where it can before the routes go. @leaving false takes it back.
 */
void bgp_speaker_leave(struct bgp_speaker *sp, bool leaving);

/**
 * All sessions end with Administrative Shutdown and @text (may be NULL), those of peers that come later do not begin, until
 * @retired is false. Peers that are down by hand stay so.
 */
void bgp_speaker_retire(struct bgp_speaker *sp, bool retired, const char *text);

/** Is any session established? */
bool bgp_speaker_is_heard(const struct bgp_speaker *sp);

/** What is to be known before all that was announced before a restart has been announced again. */
enum {
	BGP_AWAITS_VIEW = 1,	/* services, their addresses and health */
	BGP_AWAITS_FEEDERS = 2, /* who announces by hand or by program */
};
/**
 * We start; call it before peers are added.
 * @again: after a restart that graceful restart covers: OPENs say so, and End-of-RIB waits for what is awaited
 * @awaits: set of BGP_AWAITS_…
 * @at_most: then End-of-RIB goes out in any case
 */
void bgp_speaker_begin(struct bgp_speaker *sp, bool again, uint8_t awaits, struct dur at_most);
/** This (set of BGP_AWAITS_…) is known now. */
void bgp_speaker_known(struct bgp_speaker *sp, uint8_t what);
/** Whether something is awaited still. */
bool bgp_speaker_is_awaiting(const struct bgp_speaker *sp);
/** Whether anybody but @owner announced something by hand. */
bool bgp_speaker_is_fed(const struct bgp_speaker *sp, uint32_t owner);
/** Whether any session now has graceful restart agreed. */
bool bgp_speaker_is_kept(const struct bgp_speaker *sp);

/** Walk what we listen on: start with *at = 0; false at the end. */
bool bgp_speaker_listen_next(const struct bgp_speaker *sp, size_t *at,
			     struct bgp_listen_status *out);

/** Walk the peers in order of addition: start with *at = 0; false at the end. */
bool bgp_speaker_next(const struct bgp_speaker *sp, size_t *at, struct bgp_peer_status *out);
bool bgp_speaker_find(const struct bgp_speaker *sp, const char *name, struct bgp_peer_status *out);

/**
 * Walk a peer's routes: start with *at = 0. The walk may go on in a later turn of the loop.
 * @budget: how many places to look at, counted down
 * False at the end, when there is no such peer, and when the budget is 0.
 */
bool bgp_speaker_route_next(const struct bgp_speaker *sp, const char *peer, uint64_t *at,
			    size_t *budget, struct bgp_route_status *out);
bool bgp_speaker_route_find(const struct bgp_speaker *sp, const char *peer, const struct prefix *p,
			    struct bgp_route_status *out);

/** Walk a peer's last messages, the oldest first: start with *at = 0; false at the end, or without such a peer. */
bool bgp_speaker_message_next(const struct bgp_speaker *sp, const char *peer, size_t *at,
			      struct bgp_trace_entry *out);

/** All metrics: metallb_bgp_… with the label peer ("ip:port"), and crier_bgp_…. */
void bgp_speaker_collect(const struct bgp_speaker *sp, struct metric_writer *w);

#endif
