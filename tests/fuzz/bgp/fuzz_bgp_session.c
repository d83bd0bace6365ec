/*
 * The whole session machine driven by a script: each byte is an event or a piece of time, some are followed by a message
 * that is either well formed in its frame or raw. The shell's duties are kept: drain after each call.
 */
#include "bgp/session.h"
#include "fuzz.h"

#include <assert.h>

struct script {
	struct bgp_session s;
	struct mono now;
	struct rd r;
	bool flip; /* what is heard comes on their connection */
	bool connecting;
	bool connected[BGP_LEGS];
};

static void drain(struct script *x)
{
	struct bgp_out out;

	while (bgp_session_next(&x->s, &out)) {
		if (out.type == BGP_OUT_CONNECT) {
			assert(!x->connecting && !x->connected[BGP_OURS]);
			x->connecting = true;
		}
		if (out.type == BGP_OUT_CLOSE) {
			x->connected[out.leg] = false;
			x->connecting = x->connecting && out.leg != BGP_OURS;
		}
		if (out.type == BGP_OUT_SEND)
			assert(out.len >= BGP_HEADER_LEN && out.len <= BGP_MSG_MAX);
	}
	for (int i = 0; i < BGP_LEGS; i++)
		assert(x->connected[i] == bgp_session_hears(&x->s, (enum bgp_leg_id)i));
	assert(x->connected[x->s.lead] || x->s.state < BGP_OPEN_SENT);
	assert(!x->connecting || x->s.leg[BGP_OURS].state == BGP_CONNECT);
}

static void hear(struct script *x, struct rd bytes)
{
	enum bgp_leg_id leg = x->flip ? BGP_THEIRS : BGP_OURS;

	while (x->connected[leg]) {
		size_t used = bgp_session_input(&x->s, leg, bytes, x->now);

		assert(used <= bytes.left);
		drain(x);
		if (used == 0)
			return;
		rd_skip(&bytes, used);
	}
}

static void framed(struct script *x)
{
	uint8_t wire[BGP_HEADER_LEN + UINT8_MAX];
	struct wr w = wr_to(wire, sizeof(wire));
	size_t mark = bgp_frame_begin(&w, rd_u8(&x->r));
	struct rd body = rd_sub(&x->r, rd_u8(&x->r));

	if (body.bad)
		return;
	wr_bytes(&w, body.p, body.left);
	bgp_frame_end(&w, mark);
	hear(x, rd_from(wire, w.len));
}

/* The OPEN that fits, so that the later states are reached; a byte says what the peer knows. */
static void good_open(struct script *x)
{
	uint8_t wire[128];
	struct wr w = wr_to(wire, sizeof(wire));
	uint8_t hold_s = rd_u8(&x->r), knows = rd_u8(&x->r);
	const struct bgp_open open = {
		.as = x->s.conf.peer_as,
		.id = 1 + knows % 3, /* ours is 2 */
		.hold_s = hold_s,
		.families = knows & 1 ? BGP_V4 | BGP_V6 : BGP_V4,
		.as4 = true,
		.refresh = knows & 2,
		.enhanced_refresh = knows & 4,
		.extended_message = knows & 8,
		.extended_hop = knows & 16 ? BGP_V4 : 0,
		.restart = { .on = knows & 32, .notifications = knows & 64, .time_s = 120 },
	};

	bgp_open_encode(&w, &open);
	hear(x, rd_from(wire, w.len));
}

static void keepalive(struct script *x)
{
	uint8_t wire[BGP_HEADER_LEN];
	struct wr w = wr_to(wire, sizeof(wire));

	bgp_keepalive_encode(&w);
	hear(x, rd_from(wire, w.len));
}

/* A prefix comes, so that the guard against too many of them is reached. */
static void route(struct script *x)
{
	static const uint8_t attrs[] = { 0x40, 1,    1, 0,    0x40, 2, 6,  2, 1, 0,
					 0,    0xfc, 1, 0x40, 3,    4, 10, 0, 0, 1 };
	uint8_t wire[64];
	struct wr w = wr_to(wire, sizeof(wire));
	size_t mark = bgp_frame_begin(&w, BGP_UPDATE);

	wr_u16(&w, 0);
	wr_u16(&w, sizeof(attrs));
	wr_bytes(&w, attrs, sizeof(attrs));
	wr_u8(&w, 16);
	wr_u8(&w, 10);
	wr_u8(&w, rd_u8(&x->r));
	bgp_frame_end(&w, mark);
	hear(x, rd_from(wire, w.len));
}

static void connected(struct script *x)
{
	if (!x->connecting)
		return;
	x->connecting = false;
	x->connected[BGP_OURS] = true;
	bgp_session_connected(&x->s, 2, x->now);
}

static void accepted(struct script *x)
{
	if (!bgp_session_offer(&x->s, x->now))
		return;
	drain(x);
	x->connected[BGP_THEIRS] = true;
	bgp_session_accepted(&x->s, 2, x->now);
}

static void pass(struct script *x)
{
	struct mono at = bgp_session_deadline(&x->s);

	if (mono_is_never(at))
		return;
	x->now = mono_before(x->now, at) ? at : x->now;
	bgp_session_tick(&x->s, x->now);
}

static void reset(struct script *x)
{
	struct bgp_fault fault;

	bgp_cease_set(&fault, rd_u8(&x->r), "script");
	bgp_session_reset(&x->s, &fault, "script", x->now);
}

static void step(struct script *x)
{
	switch (rd_u8(&x->r) % 20) {
	case 0:
		bgp_session_start(&x->s, x->now);
		break;
	case 1:
		bgp_session_stop(&x->s, rd_u8(&x->r), "script", x->now);
		break;
	case 2:
		reset(x);
		break;
	case 3:
		bgp_session_retry(&x->s, x->now);
		break;
	case 4:
		connected(x);
		break;
	case 5:
		bgp_session_failed(&x->s, "script", x->now);
		break;
	case 6:
		bgp_session_closed(&x->s, x->flip ? BGP_THEIRS : BGP_OURS, "script", x->now);
		break;
	case 7:
		framed(x);
		break;
	case 8:
		hear(x, rd_sub(&x->r, rd_u8(&x->r)));
		break;
	case 9:
		good_open(x);
		break;
	case 10:
		keepalive(x);
		break;
	case 11:
		bgp_session_wrote(&x->s, 1, x->now);
		break;
	case 12:
		bgp_session_output(&x->s, x->s.lead, rd_u8(&x->r) & 1, rd_u8(&x->r), x->now);
		break;
	case 13:
		x->now = mono_add(x->now, DUR_MS(rd_u16(&x->r)));
		break;
	case 14:
		accepted(x);
		break;
	case 15:
		x->flip = !x->flip;
		break;
	case 16:
		bgp_session_leave(&x->s, "script", x->now);
		break;
	case 17:
		route(x);
		break;
	default:
		pass(x);
	}
	drain(x);
}

/* The first byte chooses what kind of session it is. */
static struct bgp_session_conf conf_of(uint8_t kind)
{
	return (struct bgp_session_conf){
		.local_as = 64512,
		.peer_as = kind & 1 ? 64512 : 64513,
		.hold_s = 90,
		.families = kind & 2 ? BGP_V4 | BGP_V6 : BGP_V4,
		.passive = kind & 4,
		.accepts = !(kind & 8),
		.delay_open = DUR_S(kind & 16 ? 2 : 0),
		.max_prefix = kind & 32 ? 2 : 0,
		.extended_hop = kind & 64,
		.role = kind & 128 ? BGP_ROLE_PROVIDER : BGP_ROLE_NONE,
		.restart = { .on = kind & 64,
			     .notifications = true,
			     .time_s = 120,
			     .families = BGP_V4 },
		.host = "script",
	};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script x = { .r = rd_from(data, size), .now = { 1 } };
	struct bgp_session_conf conf = conf_of(rd_u8(&x.r));

	bgp_session_init(&x.s, &conf, 1, x.now);
	while (x.r.left > 0)
		step(&x);
	bgp_session_fini(&x.s);
	return 0;
}

FUZZ_MAIN;
