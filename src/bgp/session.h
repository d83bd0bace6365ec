/**
 * The session with one peer as a pure core: the state machine of RFC 4271 §8 with its timers, the negotiation of
 * OPEN, and what was said in NOTIFICATIONs. It owns no socket: the shell connects, reads and writes when it
 * is asked to, and reports what happened. UPDATEs are written by the shell from the rib while the state is Established.
 *
 * There may be two connections for a while, ours and one that the peer opened: two *legs*, each with states and
 * timers of its own. The one that got further stands for the session; when both know whom they talk to, one is
 * closed (§6.8).
 *
 * After each call the shell drains bgp_session_next() and arms bgp_session_deadline().
 *
 * Covered: RFC 4271 §8 (ConnectRetry with exponential back-off and jitter, IdleHold, DelayOpen, Hold, Keepalive; active,
 * passive and both at once) and §6.8, RFC 4724 (we restart; a peer that does is not waited for) and RFC 8538, RFC 5492 §5 (what the peer refuses is left away), RFC 6286, RFC 6608, RFC 6793, RFC 7313 (BoRR and EoRR are the
 * shell's), RFC 7606 verdicts, RFC 8654, RFC 8950, RFC 9234, RFC 9494 (as what restarts), RFC 9687.
 */
#ifndef BGP_SESSION_H
#define BGP_SESSION_H

#include "base/rng.h"
#include "bgp/notify.h"
#include "bgp/open.h"
#include "bgp/table.h"

enum bgp_state {
	BGP_IDLE,
	BGP_CONNECT,
	BGP_ACTIVE,
	BGP_OPEN_SENT,
	BGP_OPEN_CONFIRM,
	BGP_ESTABLISHED,
	BGP_STATE_COUNT,
};

/** "Idle", "Connect", … */
const char *bgp_state_name(enum bgp_state state);

enum bgp_asn_rule {
	BGP_ASN_EXACT,	  /* the peer's AS is peer_as */
	BGP_ASN_INTERNAL, /* it is ours */
	BGP_ASN_EXTERNAL, /* any but ours */
};

struct bgp_session_conf {
	uint32_t local_as;
	uint32_t peer_as;
	enum bgp_asn_rule asn_rule;
	uint16_t hold_s;	    /* offered; 0 or at least 3 */
	uint16_t keepalive_s;	    /* at most; 0: a third of the negotiated hold time */
	uint8_t families;	    /* offered: set of BGP_V4, BGP_V6 */
	bool passive;		    /* never connect, wait for the peer */
	bool accepts;		    /* the peer may connect to us; implied by passive */
	uint32_t max_prefix;	    /* prefixes that the peer may announce; 0: any number */
	struct dur delay_open;	    /* wait so long for the peer's OPEN before we send ours */
	bool extended_hop;	    /* IPv4 routes may have an IPv6 next hop (RFC 8950) */
	uint8_t role;		    /* enum bgp_role: ours, towards external peers */
	struct bgp_restart restart; /* that our OPEN says; .on is off: nothing */
	const char *host; /* told to the peer; NULL: nothing. Borrowed while the session lives */
	struct dur connect_wait; /* for one attempt; 0: 4 s */
	struct dur retry_max;	 /* longest pause between attempts; 0: 120 s */
};

/** What both sides agreed on. Valid from OpenConfirm on; the peer's half from its OPEN on. */
struct bgp_agreed {
	uint16_t hold_s; /* 0: no keepalives, no hold timer */
	uint16_t keepalive_s;
	uint8_t families;
	bool as4;
	bool ibgp;
	bool refresh;	       /* both understand requests to repeat */
	bool enhanced_refresh; /* and the marks around the answer */
	bool extended_message;
	bool extended_hop;
	bool restart;	 /* graceful restart: the peer keeps our routes while we restart */
	bool hard_reset; /* RFC 8538: after most NOTIFICATIONs too, but for a Hard Reset */
	uint8_t role;	 /* ours, where one was said */
	struct bgp_open peer;
};

/** The connections, by who opened them. */
enum bgp_leg_id { BGP_OURS, BGP_THEIRS, BGP_LEGS };

enum bgp_out_type {
	BGP_OUT_CONNECT, /* open a connection: leg BGP_OURS */
	BGP_OUT_CLOSE,	 /* close this leg, after what was sent before is flushed */
	BGP_OUT_SEND,	 /* these bytes on this leg, one message */
	BGP_OUT_STATE, /* old -> new, because reason; the leg that stands for the session may be another now */
	BGP_OUT_NOTE,	 /* a NOTIFICATION came or went */
	BGP_OUT_REFRESH, /* the peer wants these families again */
};

#define BGP_REASON_MAX 192

struct bgp_out {
	enum bgp_out_type type;
	enum bgp_leg_id leg; /* of CLOSE and SEND */
	union {
		struct {
			const uint8_t *
				bytes; /* valid until the next call that is not bgp_session_next() */
			size_t len;
		};
		struct {
			enum bgp_state from;
			enum bgp_state to;
		};
		bool note_sent;
		uint8_t families;
	};
};

#define BGP_OUT_MAX 16

struct bgp_leg {
	enum bgp_state state; /* Idle: there is none; Active: theirs, and we wait with our OPEN */
	bool open;	      /* connected; Connect without it is an attempt */
	struct bgp_open said; /* our OPEN */
	uint32_t router_id;   /* in it */
	struct bgp_agreed agreed;
	struct mono open_at;	  /* our OPEN goes out (DelayOpen) */
	struct mono hold_at;	  /* the peer was silent for too long */
	struct mono keepalive_at; /* we were */
	struct mono send_hold_at; /* the peer reads nothing */
};

struct bgp_session {
	struct bgp_session_conf conf;
	enum bgp_state state;
	struct mono since; /* of the state */
	bool running;	   /* started and not stopped */
	bool resting;	   /* idle hold: no attempt, and none is accepted */
	struct rng rng;
	uint32_t router_id; /* that was said last */
	enum bgp_leg_id lead;
	struct bgp_agreed agreed; /* the lead's */
	struct bgp_leg leg[BGP_LEGS];

	struct mono rest_at;  /* end of the idle hold */
	struct mono retry_at; /* next attempt, or end of one */
	struct dur backoff;   /* last pause; 0 after a lasting success */
	uint16_t
		omitted; /* capabilities that the peer refused, by place in session_open.c's table */

	char reason[BGP_REASON_MAX]; /* why the last state change happened */
	struct bgp_note note_in;
	struct bgp_note note_out;

	uint64_t msgs_in[BGP_TYPE_COUNT];
	uint64_t msgs_out
		[BGP_TYPE_COUNT]; /* BGP_UPDATE is counted by who writes them: bgp_session_wrote() */
	uint64_t established;	  /* times */
	struct bgp_table
		*heard[2];     /* prefixes of the peer by family, where they are limited; or NULL */
	uint64_t announced_in; /* prefixes in received UPDATEs */
	uint64_t withdrawn_in;
	uint64_t verdicts[4]; /* enum bgp_verdict */

	struct bgp_out out[BGP_OUT_MAX];
	uint8_t n_out;
	uint8_t next_out;
	uint16_t wire_len;
	uint8_t wire[1024]; /* OPEN, KEEPALIVE and NOTIFICATION of one call */
};

void bgp_session_init(struct bgp_session *s, const struct bgp_session_conf *conf, uint64_t seed,
		      struct mono now);

void bgp_session_fini(struct bgp_session *s);

/** Change the configuration; takes effect with the next connection. */
void bgp_session_conf_set(struct bgp_session *s, const struct bgp_session_conf *conf);

/** ManualStart; nothing when it runs. */
void bgp_session_start(struct bgp_session *s, struct mono now);
/** ManualStop, with a Cease of this subcode and text (may be NULL) where a peer listens. */
void bgp_session_stop(struct bgp_session *s, uint8_t subcode, const char *text, struct mono now);
/**
 * Stop because we restart: where graceful restart was agreed the peer keeps our routes, since nothing is said, or
 * Administrative Reset where RFC 8538 was agreed, too. Elsewhere it is Administrative Shutdown with this text.
 */
void bgp_session_leave(struct bgp_session *s, const char *text, struct mono now);
/** End the connection with a NOTIFICATION and go on by itself after the idle hold time. */
void bgp_session_reset(struct bgp_session *s, const struct bgp_fault *fault, const char *reason,
		       struct mono now);
/** Somebody knows that the peer is reachable again: try now instead of at the end of the pause. */
void bgp_session_retry(struct bgp_session *s, struct mono now);

/** The asked-for connection is there. @router_id is what the OPEN will say (host order). */
void bgp_session_connected(struct bgp_session *s, uint32_t router_id, struct mono now);
/** The asked-for connection could not be made. */
void bgp_session_failed(struct bgp_session *s, const char *why, struct mono now);

/**
 * The peer connected to us: may it? An older connection that it takes the place of is closed; drain before
 * bgp_session_accepted().
 */
NODISCARD bool bgp_session_offer(struct bgp_session *s, struct mono now);
/** Its connection is leg BGP_THEIRS from now on. */
void bgp_session_accepted(struct bgp_session *s, uint32_t router_id, struct mono now);

/** The connection ended without us: end of stream or an error. */
void bgp_session_closed(struct bgp_session *s, enum bgp_leg_id leg, const char *why,
			struct mono now);

/** Whether input of this leg is wanted. */
bool bgp_session_hears(const struct bgp_session *s, enum bgp_leg_id leg);
/**
 * Handle the message at the front of @bytes.
 * Returns the number of bytes used up, 0 when the message is not complete; after a close the rest is void.
 */
NODISCARD size_t bgp_session_input(struct bgp_session *s, enum bgp_leg_id leg, struct rd bytes,
				   struct mono now);

/** @updates UPDATE messages were handed to the connection: they count, and delay the next KEEPALIVE. */
void bgp_session_wrote(struct bgp_session *s, unsigned updates, struct mono now);
/** The kernel took bytes (@progress) and @queued bytes wait: feeds the send hold timer. */
void bgp_session_output(struct bgp_session *s, enum bgp_leg_id leg, bool progress, size_t queued,
			struct mono now);

void bgp_session_tick(struct bgp_session *s, struct mono now);
bool bgp_session_next(struct bgp_session *s, struct bgp_out *out);
struct mono bgp_session_deadline(const struct bgp_session *s);

#endif
