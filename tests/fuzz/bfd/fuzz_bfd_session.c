#include <string.h>

#include "bfd/session.h"
#include "fuzz.h"

#define DISC	 77
#define MAX_OUTS 8

static void require(bool so)
{
	if (!so)
		__builtin_trap();
}

static void check_sent(const struct bfd_session *s, const struct bfd_pkt *pkt)
{
	uint8_t wire[BFD_PKT_LEN];
	struct wr w = wr_to(wire, sizeof(wire));

	bfd_pkt_encode(pkt, 0, &w);
	require(!w.bad);
	require(!(pkt->poll && pkt->final));
	require(pkt->my_disc == DISC && pkt->your_disc == s->remote_disc);
	require(pkt->state == BFD_UP || pkt->desired_min_tx_us >= BFD_SLOW_TX_US);
	require(!(s->conf.passive && s->remote_disc == 0));
}

static void drain(struct bfd_session *s, struct mono now, uint8_t *state)
{
	struct bfd_out out;
	int n = 0;

	while (bfd_session_next(s, now, &out)) {
		require(++n <= MAX_OUTS);
		if (out.kind == BFD_OUT_SEND) {
			check_sent(s, &out.pkt);
			continue;
		}
		require(out.change.old_state == *state);
		require(out.change.new_state == s->state);
		*state = s->state;
	}
	require(*state == s->state);
	require(!s->send_wanted && !s->final_wanted && !s->changed);
	require(s->desired_tx_used_us <= s->desired_tx_us);
	require(s->required_rx_used_us >= s->required_rx_us);
	require(s->state == BFD_DOWN || s->state == BFD_ADMIN_DOWN || s->remote_disc != 0);
}

static struct bfd_session_conf read_conf(struct rd *r)
{
	uint8_t flags = rd_u8(r);

	return (struct bfd_session_conf){
		.desired_min_tx_us = rd_u32(r) | 1,
		.required_min_rx_us = rd_u32(r) | 1,
		.detect_mult = rd_u8(r) | 1,
		.passive = flags & 1,
		.admin_down = flags & 2,
	};
}

/* What the kernel only noted counts as what it stands for: the same packet once more. */
static void check_repetition(const struct bfd_session *s, const struct bfd_pkt *pkt,
			     struct mono now)
{
	struct bfd_session fed = *s, told = *s;

	if (!bfd_session_is_steady(s) || pkt->poll || pkt->final)
		return;
	require(bfd_session_rx(&fed, pkt, now) == 0);
	bfd_session_heard(&told, now);
	told.rx_seq_until = fed.rx_seq_until; /* which counts with authentication alone */
	require(memcmp(&fed, &told, sizeof(fed)) == 0);
}

static void one_step(struct bfd_session *s, struct rd *r, struct mono *now)
{
	uint8_t what = rd_u8(r);
	struct bfd_pkt pkt;

	switch (what % 4) {
	case 0:
		if (bfd_pkt_decode(rd_sub(r, BFD_PKT_LEN), &pkt) == BFD_PKT_OK &&
		    bfd_session_rx(s, &pkt, *now) == 0)
			check_repetition(s, &pkt, mono_add(*now, DUR_US(what)));
		break;
	case 1:
		*now = mono_add(*now, DUR_US(rd_u32(r)));
		if (what & 4)
			bfd_session_was_away(s, *now);
		bfd_session_tick(s, *now);
		break;
	case 2:
		if (!mono_is_never(bfd_session_deadline(s)) &&
		    mono_before(*now, bfd_session_deadline(s)))
			*now = bfd_session_deadline(s);
		bfd_session_tick(s, *now);
		require(!s->changed || s->state == BFD_DOWN);
		break;
	default: {
		struct bfd_session_conf conf = read_conf(r);
		bfd_session_apply(s, &conf, *now);
	}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_from(data, size);
	struct mono now = { 1000000000 };
	struct bfd_session_conf conf = read_conf(&r);
	struct bfd_session s;
	struct rng rng;

	rng_seed(&rng, rd_u8(&r));
	bfd_session_init(&s, &conf, DISC, &rng, now);
	uint8_t state = s.state;
	while (r.left && !r.bad) {
		one_step(&s, &r, &now);
		drain(&s, now, &state);
	}
	return 0;
}

FUZZ_MAIN;
