/**
 * The echo function: packets to ourselves that the neighbour sends back without looking at them. While they
 * come back the path is alive in both directions, whatever the neighbour's control plane does. The pure core.
 *
 * What a packet holds is our own business (RFC 5880 §5): the discriminator of its session, and a number that
 * nobody can guess and that counts once.
 *
 *   bfd_echo_apply()   switches it on and off, at the pace that both sides allow
 *   bfd_echo_tick()    says what is due
 *   bfd_echo_rx()      takes what came back
 *
 * RFC 5880 §6.4, §6.8.4 (detection), §6.8.9 (pace and jitter): covered.
 */
#ifndef BFD_ECHO_H
#define BFD_ECHO_H

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"

#define BFD_ECHO_LEN	  24 /* bytes of a packet */
#define BFD_ECHO_SENT_MAX 16 /* packets on their way that we remember */

struct bfd_echo {
	struct rng *rng; /* borrowed; jitter */
	uint32_t disc;
	uint32_t interval_us; /* 0: off */
	uint8_t detect_mult;
	struct mono tx_at;
	struct mono rx_last;		  /* the last one that came back, or when it began */
	uint64_t sent[BFD_ECHO_SENT_MAX]; /* numbers that have not come back; 0: none */
	unsigned next;
};

void bfd_echo_init(struct bfd_echo *e, uint32_t disc, struct rng *rng);

/**
 * Send at this pace from now on (0: not at all).
 * Returns true when it was off, or is now.
 */
bool bfd_echo_apply(struct bfd_echo *e, uint32_t interval_us, uint8_t detect_mult, struct mono now);

static inline bool bfd_echo_is_on(const struct bfd_echo *e)
{
	return e->interval_us != 0;
}

enum bfd_echo_due {
	BFD_ECHO_NOTHING,
	BFD_ECHO_SEND,	 /* @out holds a packet */
	BFD_ECHO_FAILED, /* none came back for a detection time; it is off now */
};

/** What is due; everything that came back before @now must have been fed. */
enum bfd_echo_due bfd_echo_tick(struct bfd_echo *e, struct mono now,
				uint8_t out[static BFD_ECHO_LEN]);

/** The packet could not be sent: that it does not come back says nothing. */
void bfd_echo_unsent(struct bfd_echo *e, struct mono now);

/** When to tick next, or MONO_NEVER. */
struct mono bfd_echo_deadline(const struct bfd_echo *e);

/** The session that a packet claims to be of; 0: it is no echo of ours. */
uint32_t bfd_echo_disc(struct rd packet);
/** False when it is not one that we wait for: invented, or back for the second time. */
bool bfd_echo_rx(struct bfd_echo *e, struct rd packet, struct mono at);

#endif
