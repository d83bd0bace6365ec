/**
 * One BFD session: the pure core. It is given packets, changed parameters and the present time, and
 * answers with packets to send, changes of state and one deadline.
 *
 *   bfd_session_rx(), _apply(), _tick()   move it; after each of them
 *   bfd_session_next()                    is called until it says false, and
 *   bfd_session_deadline()                tells when to tick next.
 *
 * The engine drives it on the packet thread. It neither allocates nor looks at a clock.
 *
 * RFC 5880 covered: §6.1 (roles), §6.2 and §6.8.6 (states), §6.3 (discriminators: the engine draws
 * them), §6.5 (poll sequences), §6.6 (demand mode, on either side), §6.7 (authentication), §6.8.1-6.8.4,
 * §6.8.7 (when and what to send), §6.8.8 (echo: bfd/echo.h says when it fails), §6.8.16 (administrative
 * control), §6.8.18. Left out: §6.8.17 (concatenated paths).
 */
#ifndef BFD_SESSION_H
#define BFD_SESSION_H

#include "base/rng.h"
#include "base/time.h"
#include "bfd/auth.h"

/** RFC 5880 §6.8.3: nobody sends faster than this until the session is up. */
#define BFD_SLOW_TX_US 1000000u

struct bfd_session_conf {
	uint32_t desired_min_tx_us;  /* not zero */
	uint32_t required_min_rx_us; /* not zero */
	uint8_t detect_mult;	     /* not zero */
	bool passive;		     /* say nothing until the peer has spoken */
	bool admin_down;	     /* held down by us, and told so to the peer */
	bool demand;		     /* ask the peer to be quiet while all is well, and poll it */
	/* No slow start (§6.8.3) for so long after the start or a loss: both ends are ours, and agree about it. */
	struct dur full_rate;
	/* Numbers of authentication that start from @first_seq, a clock's: a new start is ahead of the one before
	 * it by any distance, so no number ahead is refused. */
	bool seq_by_clock;
	uint32_t first_seq;
	uint32_t required_min_echo_us; /* how often we loop echo packets back; 0: never */
	struct dur hold_down;  /* after a session was lost, it comes up again this much later */
	struct bfd_auth *auth; /* borrowed; NULL: none. Its use must be the session's thread's */
};

/** A change of state. */
struct bfd_change {
	uint8_t old_state;
	uint8_t new_state;
	uint8_t remote_state; /* AdminDown: the path is fine all the same (RFC 5882 §3.2) */
	uint8_t local_diag;
	uint8_t remote_diag;
	struct mono at;
};

struct bfd_out {
	enum { BFD_OUT_CHANGE, BFD_OUT_SEND } kind;
	union {
		struct bfd_change change;
		struct bfd_pkt pkt;
	};
};

/** A poll sequence of ours. */
enum bfd_poll {
	BFD_POLL_NONE,
	BFD_POLL_ACTIVE, /* P is set until F comes */
	BFD_POLL_PAUSE,	 /* one packet without P before the next sequence, so that a late F cannot
			    end it */
};

/** Fields are the core's own; others read them. Names follow RFC 5880 §6.8.1 where it has one. */
struct bfd_session {
	struct bfd_session_conf conf;
	struct rng *rng; /* borrowed; jitter */

	uint8_t state;
	uint8_t remote_state;
	uint8_t local_diag;
	uint8_t remote_diag;
	uint8_t remote_detect_mult;
	bool remote_demand;
	uint32_t local_disc;
	uint32_t remote_disc;
	uint32_t remote_min_rx_us;
	uint32_t remote_desired_tx_us;

	/* What our packets say, and what we count with until the poll sequence is over (§6.8.3). */
	uint32_t desired_tx_us;
	uint32_t desired_tx_used_us;
	uint32_t required_rx_us;
	uint32_t required_rx_used_us;

	enum bfd_poll poll;
	bool poll_again; /* parameters changed once more while P was out */

	uint32_t tx_interval_us; /* before jitter; 0: nothing periodic */
	struct mono tx_last;
	struct mono tx_at;
	struct mono rx_last;
	struct mono
		silent_from; /* the silence that counts: since rx_last, or since we were away after it */
	struct mono detect_at;

	/* §6.7.1. The sequence number of the next packet, and of the last one accepted. */
	uint32_t tx_seq;
	uint32_t rx_seq;
	bool rx_seq_known;
	struct mono rx_seq_until; /* any number will do after that much silence */

	struct mono polled_at; /* when the first P of the sequence left; MONO_NEVER: none did */
	struct mono poll_at;   /* and when the next one does */
	struct mono held_until;
	bool hurried;		/* no slow start, */
	struct mono full_until; /* until then */
	uint32_t remote_min_echo_us;
	bool echo_on;

	bool send_wanted;
	bool final_wanted;
	uint8_t urgent; /* packets sent out of turn since the last one in turn */
	bool changed;
	struct bfd_change change;
};

/** Discards of §6.8.6 that only the session can tell; 0 is "accepted". */
enum {
	BFD_RX_IGNORED = 1,	/* the session is held down by us */
	BFD_RX_UNAUTHENTIC = 2, /* no proof where one is due, one where none is, or a wrong one */
	BFD_RX_REPLAYED = 3,	/* a sequence number that was there before, or is far ahead */
};

/**
 * Start in Down (or AdminDown) with a discriminator that nobody else in this system has.
 * @rng: borrowed for the session's life
 */
void bfd_session_init(struct bfd_session *s, const struct bfd_session_conf *conf,
		      uint32_t local_disc, struct rng *rng, struct mono now);

/**
 * Feed one control packet to the session.
 * @pkt:  decoded and checked, its Your Discriminator zero or ours; not kept after return
 * @at:   arrival time on the loop's clock; may be a little before the last tick
 *
 * May move the state machine; drain bfd_session_next() afterwards.
 * Returns 0, or one of the discards above.
 */
NODISCARD int bfd_session_rx(struct bfd_session *s, const struct bfd_pkt *pkt, struct mono at);

/**
 * Does it stay as it is when the peer's last packet comes once more, but for the time that it was heard? Both sides are up,
 * neither has silenced the other, and no packet has to prove anything.
 */
bool bfd_session_is_steady(const struct bfd_session *s);

/** That packet has come again, last at @at; any number of times. When the session is not steady nothing happens. */
void bfd_session_heard(struct bfd_session *s, struct mono at);

/** Do what is due. Everything that arrived before @now must have been fed: an expiry is believed at
 * once. */
void bfd_session_tick(struct bfd_session *s, struct mono now);

/**
 * We were away for longer than the peer's interval, and have just come back: its silence counts from @now. What stops
 * us, a machine that pauses, often stops the peer too, or loses what it sent. Once in each silence.
 */
void bfd_session_was_away(struct bfd_session *s, struct mono now);

/**
 * How long before its time a packet may leave, so that packets of several sessions leave together:
 * 1/20 of the interval, 2.5 ms at most. The drawn interval (§6.8.7) leaves room for it.
 */
struct dur bfd_session_ahead(const struct bfd_session *s);

/** Send the packet that is due within @ahead, which is no more than bfd_session_ahead(). */
void bfd_session_send_ahead(struct bfd_session *s, struct mono now, struct dur ahead);

/**
 * Sessions that have sent in one turn, and when they send again. They draw their jitter (§6.8.7) together, each time anew: so
 * those that met in a turn, be it by bfd_session_ahead(), leave in the same one from then on, and two sessions soon take the
 * wake-ups of one. For few, BFD_COMPANY_MAX at most: what hundreds send stays spread over the interval.
 */
#define BFD_COMPANY_MAX 16

struct bfd_company {
	struct mono at;
	unsigned n; /* 0: nobody yet; how each turn begins */
};

/**
 * It has just sent: it keeps company with those before it, where their instant is in the range that this session draws
 * from, or begins another one.
 */
void bfd_session_accompany(struct bfd_session *s, struct bfd_company *c);

/** Change parameters. In Up this runs a poll sequence (§6.8.3) and never flaps. */
void bfd_session_apply(struct bfd_session *s, const struct bfd_session_conf *conf, struct mono now);

/** Take the next thing to do: first a change of state, then packets. @now: when a packet leaves. */
bool bfd_session_next(struct bfd_session *s, struct mono now, struct bfd_out *out);

/** Write a packet of bfd_session_next() with its authentication; at most BFD_PKT_MAX bytes. */
void bfd_session_encode(struct bfd_session *s, const struct bfd_pkt *pkt, struct wr *w);

/** The echo function runs, or not any more: while it does, control packets may be rare (§6.8.9). */
void bfd_session_set_echo(struct bfd_session *s, bool on, struct mono now);

/** The echo function has failed (§6.8.8: up sessions go down). */
void bfd_session_echo_failed(struct bfd_session *s, struct mono now);

/** When to tick next, or MONO_NEVER. */
struct mono bfd_session_deadline(const struct bfd_session *s);

/** §6.8.4: after how much silence the session goes down; 0 before the peer has spoken. */
struct dur bfd_session_detect_time(const struct bfd_session *s);

/** The interval at which the peer should send, by what both said; 0 before it has spoken. */
uint32_t bfd_session_rx_interval_us(const struct bfd_session *s);

/** §6.8.4 seen from the peer: after how much silence of ours it goes down. */
struct dur bfd_session_remote_detect_time(const struct bfd_session *s);

#endif
