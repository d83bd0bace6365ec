/**
 * What the parts of the session core share: the machine (session.c), what messages do to it (session_msg.c), and what
 * OPENs negotiate (session_open.c).
 */
#ifndef BGP_SESSION_PRIV_H
#define BGP_SESSION_PRIV_H

#include "bgp/session.h"

#define RETRY_MIN	  DUR_MS(100)
#define RETRY_AFTER_LIMIT DUR_S(60) /* a peer that said too much will say it again */
#define RETRY_AFTER_ERR	  DUR_S(1) /* somebody's mistake: no need to repeat it ten times a second */

struct bgp_out *session_push(struct bgp_session *s, enum bgp_out_type type);
void session_reason(struct bgp_session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct dur session_jitter(struct bgp_session *s, struct dur d);

struct wr session_begin(struct bgp_session *s);
/** One message of what was written into session_begin()'s writer. */
void session_end(struct bgp_session *s, struct bgp_leg *leg, enum bgp_type type,
		 const struct wr *w);
void session_send_open(struct bgp_session *s, struct bgp_leg *leg, struct mono now);
void session_send_keepalive(struct bgp_session *s, struct bgp_leg *leg, struct mono now);
void session_restart_hold(struct bgp_leg *leg, struct mono now);

void session_notify(struct bgp_session *s, struct bgp_leg *leg, const struct bgp_fault *fault,
		    struct mono now);
/** We refuse what the peer did on this leg; the reason is set. */
void session_refuse(struct bgp_session *s, struct bgp_leg *leg, const struct bgp_fault *fault,
		    struct mono now);
/** The same, without data. */
void session_refuse_code(struct bgp_session *s, struct bgp_leg *leg, uint8_t code, uint8_t subcode,
			 struct mono now);
/** The leg is over; when there is no other one, the session waits for at least so long. The reason is set. */
void session_drop(struct bgp_session *s, struct bgp_leg *leg, struct dur least, struct mono now);
/** This leg loses against the other one (RFC 4271 §6.8). */
void session_collide(struct bgp_session *s, struct bgp_leg *loser, struct mono now);

static inline struct bgp_leg *session_other(struct bgp_session *s, const struct bgp_leg *leg)
{
	return &s->leg[leg == &s->leg[BGP_OURS] ? BGP_THEIRS : BGP_OURS];
}

/* session_open.c */
/** Our OPEN, without what the peer refused. */
void session_open_make(const struct bgp_session *s, uint32_t router_id, struct bgp_open *out);
/** The peer's OPEN came on this leg. */
void session_open(struct bgp_session *s, struct bgp_leg *leg, struct rd body, struct mono now);
/** It refused ours: true when the next one is another, and may please. */
bool session_open_refused(struct bgp_session *s, struct rd notification);

/* session_msg.c */
void session_refuse_in_words(struct bgp_session *s, struct bgp_leg *leg,
			     const struct bgp_fault *fault, struct mono now);
void session_message(struct bgp_session *s, struct bgp_leg *leg, const struct bgp_frame *f,
		     struct mono now);

#endif
