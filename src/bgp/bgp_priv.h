/**
 * What the files of the shell share: the speaker and a peer. Cores do not see it.
 */
#ifndef BGP_PRIV_H
#define BGP_PRIV_H

#include "base/list.h"
#include "base/map.h"
#include "bgp/io.h"
#include "bgp/rib.h"
#include "bgp/speaker.h"
#include "bgp/unnumbered.h"

struct bgp_speaker {
	struct loop *loop;
	struct bgp_speaker_conf conf; /* node is ours */
	struct rng rng;
	struct bgp_attr_table *attrs;
	struct bgp_rib *rib;
	struct bgp_hand hand;
	struct map *peers;	    /* name -> struct bgp_peer */
	struct bgp_peer **numbered; /* by their number in the rib */
	size_t n_numbered;
	struct loop_timer rest; /* nobody came up for a while */
	struct list changed;	/* peers with routes to send in this turn */
	struct list lingering;	/* struct bgp_linger */
	struct list events;	/* struct queued_event, to be delivered in this turn */
	struct loop_task flush;
	struct loop_task deliver;
	bool stopping;
	struct bgp_listen_conf listen; /* port 0: nobody can connect to us */
	struct list listeners;	       /* struct bgp_listener */
	struct loop_task relisten;
	struct loop_timer listen_again;
	struct loop_timer known; /* at the latest */
	bool restarting;	 /* our OPENs say so */
	bool forwarding; /* what was announced before a session began is served all the same */
	bool leaving;
	bool retired; /* no session at all */
	uint8_t awaits;
	uint64_t refused; /* connections that were not wanted */
};

/** One end of a connection with a peer. */
struct bgp_link {
	struct bgp_conn conn;
	struct tcp_end local; /* of the connection that is or was last open */
	struct bgp_peer *peer;
};

struct bgp_peer {
	struct bgp_speaker *sp;
	struct bgp_peer_conf conf; /* strings are ours */
	struct addr
		addr; /* where it is: the configured address, or what was found; unset: not known */
	struct bgp_unnumbered *finder; /* of an unnumbered peer */
	struct bgp_session session;
	unsigned number; /* in the speaker's rib */
	struct bgp_link link[BGP_LEGS];
	const struct bgp_link *in_rib; /* for which the rib writes; NULL: for none */
	struct loop_timer timer;
	struct list changed; /* in speaker.changed */
	bool admin_down;
	bool retired; /* admin_down by bgp_speaker_retire(), not by hand */
	bool held;
	struct bgp_trace trace;
	uint64_t flaps;
	char last_error[BGP_REASON_MAX];
	struct mono last_error_at;
};

/* peer.c */
struct bgp_peer *bgp_peer_new(struct bgp_speaker *sp, const struct bgp_peer_conf *conf,
			      unsigned number);
/** Closes at once what is still open, without a word. */
void bgp_peer_free(struct bgp_peer *p);
void bgp_peer_conf_copy(struct bgp_peer_conf *to, const struct bgp_peer_conf *from);
void bgp_peer_conf_fini(struct bgp_peer_conf *conf);
struct bgp_session_conf bgp_peer_session_conf(const struct bgp_peer *p);
/** The configuration's address holds from now on; an unnumbered peer is looked for. */
void bgp_peer_locate(struct bgp_peer *p);
/** What stands in the way of the peer's own connections; it is told once. */
void bgp_peer_trouble(struct bgp_peer *p, const char *why);
/** An unnumbered peer is here. */
void bgp_peer_found(struct bgp_peer *p, const struct addr *addr);
/** Do what the session asks for, write what can be written, arm the timer. After every call into the session. */
void bgp_peer_settle(struct bgp_peer *p);
/** Begin the session, where nothing holds it back. */
void bgp_peer_start(struct bgp_peer *p);
/** Down until bgp_peer_return(); @restart: the peer may keep our routes. @text (may be NULL) goes along. */
void bgp_peer_stop(struct bgp_peer *p, bool restart, const char *text);
void bgp_peer_return(struct bgp_peer *p);
/** The peer connected: takes @fd. */
void bgp_peer_offer(struct bgp_peer *p, int fd);
/** The connection that stands for the session. */
static inline struct bgp_link *bgp_peer_lead(struct bgp_peer *p)
{
	return &p->link[p->session.lead];
}
/** The speaker's state changed: what is announced has other attributes. */
void bgp_peer_reformat(struct bgp_peer *p);
/** Something in the rib changed: send at the end of this turn. */
void bgp_peer_touch(struct bgp_peer *p);

/* listen.c */
void bgp_listen_init(struct bgp_speaker *sp);
void bgp_listen_fini(struct bgp_speaker *sp);
/** Peers changed: open and close listeners, and give them the peers' keys, at the end of this turn. */
void bgp_listen_touch(struct bgp_speaker *sp);
/** Whether this peer could connect to us. */
bool bgp_listen_serves(const struct bgp_speaker *sp, const struct bgp_peer_conf *conf);

/* restart.c */
void bgp_restart_init(struct bgp_speaker *sp);
void bgp_restart_fini(struct bgp_speaker *sp);

/* speaker.c */
/** Queue an event; everything is copied. @p is NULL for the speaker's own. */
void bgp_speaker_emit(struct bgp_speaker *sp, const struct bgp_peer *p,
		      const struct bgp_event *event);
void bgp_speaker_lingered(void *speaker);

#endif
