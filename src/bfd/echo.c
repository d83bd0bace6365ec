#include "bfd/echo.h"

#include <string.h>

enum { VERSION = 1, NUMBER_AT = 16 };

void bfd_echo_init(struct bfd_echo *e, uint32_t disc, struct rng *rng)
{
	*e = (struct bfd_echo){ .rng = rng, .disc = disc, .tx_at = MONO_NEVER };
}

static void forget_sent(struct bfd_echo *e)
{
	memset(e->sent, 0, sizeof(e->sent));
}

bool bfd_echo_apply(struct bfd_echo *e, uint32_t interval_us, uint8_t detect_mult, struct mono now)
{
	bool was_on = bfd_echo_is_on(e);
	bool faster = interval_us < e->interval_us;

	e->interval_us = interval_us;
	e->detect_mult = detect_mult;
	if (interval_us == 0) {
		e->tx_at = MONO_NEVER;
		forget_sent(e);
	} else if (!was_on || faster) {
		e->tx_at = now;
		e->rx_last = now; /* silence at the old pace says nothing about the new one */
	}
	return was_on != bfd_echo_is_on(e);
}

static struct mono detect_at(const struct bfd_echo *e)
{
	if (!bfd_echo_is_on(e))
		return MONO_NEVER;
	return mono_add(e->rx_last, DUR_NS((int64_t)e->detect_mult * e->interval_us * 1000));
}

/* §6.8.9: 75 to 100 % of the interval. */
static struct dur jittered(struct bfd_echo *e)
{
	int64_t ns = (int64_t)e->interval_us * 1000;

	return DUR_NS(rng_between(e->rng, ns - ns / 4, ns));
}

static uint64_t fresh_number(struct bfd_echo *e)
{
	uint64_t number;

	do
		rng_secure(&number, sizeof(number));
	while (number == 0);
	e->sent[e->next] = number;
	e->next = (e->next + 1) % BFD_ECHO_SENT_MAX;
	return number;
}

static void write_packet(struct bfd_echo *e, uint8_t out[static BFD_ECHO_LEN])
{
	struct wr w = wr_to(out, BFD_ECHO_LEN);

	wr_u8(&w, VERSION);
	wr_u8(&w, BFD_ECHO_LEN);
	wr_u16(&w, 0);
	wr_u32(&w, e->disc);
	wr_u64(&w, 0);
	wr_u64(&w, fresh_number(e));
}

enum bfd_echo_due bfd_echo_tick(struct bfd_echo *e, struct mono now,
				uint8_t out[static BFD_ECHO_LEN])
{
	if (!mono_before(now, detect_at(e))) {
		(void)bfd_echo_apply(e, 0, e->detect_mult, now);
		return BFD_ECHO_FAILED;
	}
	if (mono_before(now, e->tx_at))
		return BFD_ECHO_NOTHING;
	write_packet(e, out);
	e->tx_at = mono_add(now, jittered(e));
	return BFD_ECHO_SEND;
}

void bfd_echo_unsent(struct bfd_echo *e, struct mono now)
{
	e->rx_last = now;
}

struct mono bfd_echo_deadline(const struct bfd_echo *e)
{
	return mono_min(e->tx_at, detect_at(e));
}

uint32_t bfd_echo_disc(struct rd packet)
{
	uint8_t version = rd_u8(&packet);
	uint8_t len = rd_u8(&packet);

	rd_skip(&packet, 2);
	uint32_t disc = rd_u32(&packet);
	return !packet.bad && version == VERSION && len == BFD_ECHO_LEN ? disc : 0;
}

bool bfd_echo_rx(struct bfd_echo *e, struct rd packet, struct mono at)
{
	rd_skip(&packet, NUMBER_AT);
	uint64_t number = rd_u64(&packet);

	if (packet.bad || number == 0)
		return false;
	for (unsigned i = 0; i < BFD_ECHO_SENT_MAX; i++) {
		if (e->sent[i] != number)
			continue;
		e->sent[i] = 0;
		if (mono_before(e->rx_last, at))
			e->rx_last = at;
		return true;
	}
	return false;
}
