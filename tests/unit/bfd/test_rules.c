/* RFC 5880 §6.8.6 and §6.8.7, sentence by sentence, as far as they are the session's: what a packet that comes in leaves
 * behind, who may send, and what each field of a packet that leaves says. State by state: test_session.c. */
#include "bfd/session.h"
#include "support.h"

#define OUR_DISC   0x11
#define THEIR_DISC 0x22
#define OUR_TX_US  50000
#define OUR_RX_US  60000
#define OUR_ECHO   70000

static struct rng jitter;
static struct mono now = { .ns = 5000000000 };

static const struct bfd_session_conf plain = { .desired_min_tx_us = OUR_TX_US,
					       .required_min_rx_us = OUR_RX_US,
					       .required_min_echo_us = OUR_ECHO,
					       .detect_mult = 3 };

static struct bfd_pkt from_peer(uint8_t state)
{
	return (struct bfd_pkt){ .state = state,
				 .detect_mult = 4,
				 .my_disc = THEIR_DISC,
				 .your_disc = OUR_DISC,
				 .desired_min_tx_us = 40000,
				 .required_min_rx_us = 30000 };
}

/* What is sent now, if anything; events are left out. */
static unsigned drain(struct bfd_session *s, struct bfd_pkt *last)
{
	struct bfd_out out;
	unsigned sent = 0;

	while (bfd_session_next(s, now, &out)) {
		if (out.kind != BFD_OUT_SEND)
			continue;
		*last = out.pkt;
		sent++;
	}
	return sent;
}

static void feed(struct bfd_session *s, const struct bfd_pkt *pkt)
{
	struct bfd_pkt ignored;

	(void)!bfd_session_rx(s, pkt, now);
	drain(s, &ignored);
}

static void start(struct bfd_session *s, const struct bfd_session_conf *conf, uint8_t state)
{
	struct bfd_session_conf held = *conf;
	struct bfd_pkt pkt = from_peer(state == BFD_UP ? BFD_INIT : BFD_DOWN);

	held.admin_down = state == BFD_ADMIN_DOWN;
	rng_seed(&jitter, 7);
	bfd_session_init(s, &held, OUR_DISC, &jitter, now);
	if (state == BFD_INIT || state == BFD_UP)
		feed(s, &pkt);
	assert_int_equal(s->state, state);
}

/* The same with its first poll answered and the peer up. */
static void start_settled(struct bfd_session *s, const struct bfd_session_conf *conf)
{
	struct bfd_pkt final = from_peer(BFD_UP);

	start(s, conf, BFD_UP);
	final.final = true;
	feed(s, &final);
	assert_int_equal(s->poll, BFD_POLL_NONE);
}

/* ---- §6.8.6: what a packet leaves behind ---- */

static void the_remote_ones_are_set(void **state)
{
	struct bfd_session s;
	struct bfd_pkt pkt = from_peer(BFD_UP);

	(void)state;
	start_settled(&s, &plain);
	pkt.my_disc = 0x33;
	pkt.diag = BFD_DIAG_PATH_DOWN;
	pkt.demand = true;
	pkt.required_min_rx_us = 90000;
	pkt.desired_min_tx_us = 80000;
	pkt.required_min_echo_us = 1000;
	pkt.detect_mult = 9;
	feed(&s, &pkt);
	assert_int_equal(s.remote_disc, 0x33);
	assert_int_equal(s.remote_state, BFD_UP);
	assert_int_equal(s.remote_diag, BFD_DIAG_PATH_DOWN);
	assert_true(s.remote_demand);
	assert_int_equal(s.remote_min_rx_us, 90000);
	assert_int_equal(s.remote_min_echo_us, 1000);
	assert_int_equal(bfd_session_rx_interval_us(&s), 80000);
	assert_int_equal(bfd_session_detect_time(&s).ns, INT64_C(9) * 80000 * 1000);
	assert_int_equal(s.rx_last.ns, now.ns);
	pkt.required_min_echo_us = 0; /* the owner stops its echo packets by this */
	feed(&s, &pkt);
	assert_int_equal(s.remote_min_echo_us, 0);
}

static void final_ends_a_poll_and_nothing_else_does(void **state)
{
	struct bfd_session s;
	struct bfd_pkt pkt = from_peer(BFD_UP);

	(void)state;
	start(&s, &plain, BFD_UP);
	assert_int_equal(s.poll, BFD_POLL_ACTIVE);
	feed(&s, &pkt);
	pkt.poll = true;
	feed(&s, &pkt);
	assert_int_equal(s.poll, BFD_POLL_ACTIVE);
	pkt.poll = false;
	pkt.final = true;
	feed(&s, &pkt);
	assert_int_equal(s.poll, BFD_POLL_NONE);
}

struct proof_case {
	const char *name;
	enum bfd_auth_type ours, theirs;
	int want;
};

static const struct proof_case proof_cases[] = {
	{ "neither", BFD_AUTH_NONE, BFD_AUTH_NONE, 0 },
	{ "A is set, and we use none", BFD_AUTH_NONE, BFD_AUTH_SIMPLE, BFD_RX_UNAUTHENTIC },
	{ "A is clear, and we use one", BFD_AUTH_SIMPLE, BFD_AUTH_NONE, BFD_RX_UNAUTHENTIC },
	{ "another type", BFD_AUTH_SIMPLE, BFD_AUTH_KEYED_SHA1, BFD_RX_UNAUTHENTIC },
	{ "another type, meticulous", BFD_AUTH_KEYED_MD5, BFD_AUTH_METICULOUS_MD5,
	  BFD_RX_UNAUTHENTIC },
	{ "simple", BFD_AUTH_SIMPLE, BFD_AUTH_SIMPLE, 0 },
	{ "keyed MD5", BFD_AUTH_KEYED_MD5, BFD_AUTH_KEYED_MD5, 0 },
	{ "meticulous MD5", BFD_AUTH_METICULOUS_MD5, BFD_AUTH_METICULOUS_MD5, 0 },
	{ "keyed SHA1", BFD_AUTH_KEYED_SHA1, BFD_AUTH_KEYED_SHA1, 0 },
	{ "meticulous SHA1", BFD_AUTH_METICULOUS_SHA1, BFD_AUTH_METICULOUS_SHA1, 0 },
};

static struct bfd_auth *auth_of(enum bfd_auth_type type)
{
	struct bfd_auth_key key = { .id = 1, .len = 6, .secret = "secret" };
	struct bfd_auth *a = NULL;

	if (type != BFD_AUTH_NONE)
		assert_int_equal(bfd_auth_new(type, &key, 1, &a, NULL), 0);
	return a;
}

static void proofs(void **state)
{
	const struct proof_case *c = *state;
	struct bfd_session_conf conf = plain;
	struct bfd_auth *theirs = auth_of(c->theirs);
	struct bfd_pkt said = from_peer(BFD_DOWN), pkt;
	struct bfd_session s;
	uint8_t wire[BFD_PKT_MAX];
	struct wr w = wr_to(wire, sizeof(wire));

	conf.auth = auth_of(c->ours);
	start(&s, &conf, BFD_DOWN);
	bfd_auth_encode(theirs, &said, 1, &w);
	assert_int_equal(bfd_pkt_decode(rd_from(wire, w.len), &pkt), BFD_PKT_OK);
	assert_int_equal(bfd_session_rx(&s, &pkt, now), c->want);
	assert_int_equal(s.state, c->want ? BFD_DOWN : BFD_INIT);
	assert_int_equal(s.remote_disc, c->want ? 0 : THEIR_DISC);
	bfd_auth_free(conf.auth);
	bfd_auth_free(theirs);
}

/* ---- §6.8.7: who may send ---- */

struct turn_case {
	const char *name;
	bool passive;
	bool heard;	      /* bfd.RemoteDiscr is not zero */
	bool mute;	      /* bfd.RemoteMinRxInterval is zero */
	bool demand;	      /* bfd.RemoteDemandMode */
	uint8_t ours, theirs; /* states */
	bool poll;	      /* a poll sequence of ours */
	bool want;
};

static const struct turn_case turn_cases[] = {
	{ "nothing heard, active", .ours = BFD_DOWN, .want = true },
	{ "nothing heard, passive", .passive = true, .ours = BFD_DOWN, .want = false },
	{ "heard, passive", .passive = true, .heard = true, .ours = BFD_INIT, .theirs = BFD_DOWN,
	  .want = true },
	{ "the peer wants none", .heard = true, .mute = true, .ours = BFD_UP, .theirs = BFD_UP,
	  .want = false },
	{ "nor for a poll", .heard = true, .mute = true, .ours = BFD_UP, .theirs = BFD_UP,
	  .poll = true, .want = false },
	{ "demand, both up", .heard = true, .demand = true, .ours = BFD_UP, .theirs = BFD_UP,
	  .want = false },
	{ "demand, both up, polling", .heard = true, .demand = true, .ours = BFD_UP,
	  .theirs = BFD_UP, .poll = true, .want = true },
	{ "demand, the peer not up", .heard = true, .demand = true, .ours = BFD_UP,
	  .theirs = BFD_INIT, .want = true },
	{ "demand, we not up", .heard = true, .demand = true, .ours = BFD_INIT, .theirs = BFD_DOWN,
	  .want = true },
	{ "both up", .heard = true, .ours = BFD_UP, .theirs = BFD_UP, .want = true },
};

static void turns(void **state)
{
	const struct turn_case *c = *state;
	struct bfd_session_conf conf = plain;
	struct bfd_session s;
	struct bfd_pkt pkt = from_peer(c->theirs);

	conf.passive = c->passive;
	if (c->ours == BFD_UP && !c->poll)
		start_settled(&s, &conf);
	else
		start(&s, &conf, c->ours);
	pkt.demand = c->demand;
	if (c->mute)
		pkt.required_min_rx_us = 0;
	if (c->heard)
		feed(&s, &pkt);
	assert_int_equal(s.state, c->ours);
	assert_int_equal(s.poll == BFD_POLL_ACTIVE, c->poll);
	assert_int_equal(!mono_is_never(s.tx_at), c->want);
}

/* ---- §6.8.7: what each field says ---- */

struct field_case {
	const char *name;
	uint8_t ours;
	bool poll, final; /* wanted */
	uint8_t diag;
	uint32_t your_disc, desired_us;
};

static const struct field_case field_cases[] = {
	{ "AdminDown", BFD_ADMIN_DOWN, false, false, BFD_DIAG_ADMIN_DOWN, 0, 1000000 },
	{ "Down", BFD_DOWN, false, false, BFD_DIAG_NONE, 0, 1000000 },
	{ "Init", BFD_INIT, false, false, BFD_DIAG_NONE, THEIR_DISC, 1000000 },
	{ "Up, polling", BFD_UP, true, false, BFD_DIAG_NONE, THEIR_DISC, OUR_TX_US },
	{ "Up, answering a poll while polling", BFD_UP, false, true, BFD_DIAG_NONE, THEIR_DISC,
	  OUR_TX_US },
};

static void fields(void **state)
{
	const struct field_case *c = *state;
	struct bfd_session s;
	struct bfd_pkt poll = from_peer(BFD_UP), said;
	uint8_t wire[BFD_PKT_MAX];
	struct wr w = wr_to(wire, sizeof(wire));

	start(&s, &plain, c->ours);
	poll.poll = true;
	if (c->final)
		assert_int_equal(bfd_session_rx(&s, &poll, now), 0);
	else
		bfd_session_send_ahead(&s, s.tx_at, DUR_NS(0));
	assert_true(drain(&s, &said) > 0);
	bfd_session_encode(&s, &said, &w);
	assert_int_equal(wire[0], 1 << 5 | c->diag);
	/* State, P and F; not control-plane independent, no authentication, no demand, not multipoint. */
	assert_int_equal(wire[1], c->ours << 6 | c->poll << 5 | c->final << 4);
	assert_int_equal(wire[2], 3);
	assert_int_equal(wire[3], BFD_PKT_LEN);
	assert_int_equal(bfd_pkt_decode(rd_from(wire, w.len), &said), BFD_PKT_OK);
	assert_int_equal(said.my_disc, OUR_DISC);
	assert_int_equal(said.your_disc, c->your_disc);
	assert_int_equal(said.desired_min_tx_us, c->desired_us);
	assert_int_equal(said.required_min_rx_us, OUR_RX_US);
	assert_int_equal(said.required_min_echo_us, OUR_ECHO);
}

/* D: wanted, and both are up; the peer hears of it in each packet. */
static void demand_is_said_when_both_are_up(void **state)
{
	struct bfd_session_conf conf = plain;
	struct bfd_session s;
	struct bfd_pkt pkt = from_peer(BFD_UP), said = { 0 };

	(void)state;
	conf.demand = true;
	start(&s, &conf, BFD_UP); /* the peer was in Init */
	bfd_session_send_ahead(&s, s.tx_at, DUR_NS(0));
	assert_int_equal(drain(&s, &said), 1);
	assert_false(said.demand);
	assert_int_equal(bfd_session_rx(&s, &pkt, now), 0);
	bfd_session_send_ahead(&s, s.tx_at, DUR_NS(0));
	assert_true(drain(&s, &said) > 0);
	assert_true(said.demand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_remote_ones_are_set),
		cmocka_unit_test(final_ends_a_poll_and_nothing_else_does),
		cmocka_unit_test(demand_is_said_when_both_are_up),
	};

	return RUN_TABLE("RFC 5880, 6.8.6: authentication", proof_cases, proofs) +
	       RUN_TABLE("RFC 5880, 6.8.7: who may send", turn_cases, turns) +
	       RUN_TABLE("RFC 5880, 6.8.7: what a packet says", field_cases, fields) +
	       cmocka_run_group_tests_name("RFC 5880, 6.8.6 and 6.8.7: the rest", tests, NULL,
					   NULL);
}
