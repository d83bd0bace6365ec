#include "cluster/liveness.h"

#include <string.h>

#include "support.h"

/*
 * A script of one letter and one digit each, the digit naming a peer where there is one:
 *
 *   g G  gossip: alive, dead      u  session up      s  silent      x  lost otherwise
 *   k K  connected, or not        r  refused         y Y  it goes, it is back
 *   n h  an answer to the latest question: not heard, heard
 *   m    so many milliseconds pass      c  the time of confirmation passes (digit ignored)
 *   t    the mesh counts (1) or not (0)
 */
struct script_case {
	const char *name;
	const char *script;
	const char *alive; /* in the end */
	unsigned asked;	   /* questions that went out */
};

#define TWO "g1 g2 u1 u2 k1 k2 "

static const struct script_case cases[] = {
	{ "gossip alone", "g1 g2 G2", "1", 0 },
	{ "a session is no birth", "g1 G1 u1", "", 0 },
	{ "alone with it: nobody to ask", "g1 u1 k1 s1", "", 0 },
	{ "asking is alive", TWO "s1", "12", 1 },
	{ "no answer in time", TWO "s1 m3", "2", 1 },
	{ "not yet", TWO "s1 m2", "12", 1 },
	{ "the only witness heard nothing", TWO "s1 n1", "2", 1 },
	{ "the witness heard it", TWO "s1 h1", "12", 1 },
	{ "a veto lasts an interval", TWO "s1 h1 m9 m9 m9 m9 m9", "12", 1 },
	{ "then the question is repeated", TWO "s1 h1 m9 m9 m9 m9 m9 m9", "12", 2 },
	{ "and answered anew", TWO "s1 h1 m9 m9 m9 m9 m9 m9 n1", "2", 2 },
	{ "for that it has an interval's time", TWO "s1 h1 m9 m9 m9 m9 m9 m9 m9 m9 m9 m9 m9", "12",
	  2 },
	{ "and no more", TWO "s1 h1 m9 m9 m9 m9 m9 m9 m9 m9 m9 m9 m9 m9", "2", 2 },
	{ "two witnesses, one answers no", TWO "g3 u3 k3 s1 n1", "123", 1 },
	{ "two witnesses, both say no", TWO "g3 u3 k3 s1 n1 n1", "23", 1 },
	{ "two witnesses, the second vetoes", TWO "g3 u3 k3 s1 n1 h1", "123", 1 },
	{ "who is not connected is not asked", "g1 g2 u1 u2 k1 s1", "2", 0 },
	{ "who is silent too is not asked", TWO "s2 n1 s1", "", 1 },
	{ "an answer to nothing", TWO "n1 h1", "12", 0 },
	{ "an answer that comes too late", TWO "s1 m3 h1", "2", 1 },
	{ "never up, never dead", "g1 g2 k1 k2 s1 m3", "12", 0 },
	{ "it said itself that the session is over", TWO "x1 s1 m3", "12", 0 },
	{ "back", TWO "s1 m3 u1", "12", 1 },
	{ "refused", TWO "r1", "2", 0 },
	{ "refused, and silent from then on", TWO "r1 s1", "2", 0 },
	{ "gossip ends the verdict", TWO "r1 G1 g1", "12", 0 },
	{ "gossip does not confirm", TWO "r1 c0", "12", 0 },
	{ "it goes", TWO "y1", "2", 0 },
	{ "it goes, its heartbeats go on", TWO "y1 u1", "2", 0 },
	{ "it goes and is back", TWO "y1 Y1", "12", 0 },
	{ "it goes, ends, and is started again", TWO "y1 s1 u1", "12", 0 },
	{ "it goes, and gossip errs about it", TWO "y1 G1 g1", "2", 0 },
	{ "it goes, ends, and gossip brings it back", TWO "y1 G1 x1 g1", "12", 0 },
	{ "it goes and ends, and gossip forgives", TWO "y1 x1 G1 g1", "12", 0 },
	{ "the mesh does not count", "t0 " TWO "s1 m3 r2", "12", 0 },
	{ "it counts no more", TWO "s1 m3 t0", "12", 1 },
};

static struct liveness_out drain(struct liveness *l, unsigned *asked)
{
	struct liveness_out out, last = { 0 };

	while (liveness_next(l, &out)) {
		*asked += out.kind == LIVENESS_ASK_ALL;
		last = out;
	}
	return last;
}

static void step(struct liveness *l, char op, uint16_t id, struct mono *now)
{
	switch (op) {
	case 'g':
	case 'G':
		assert_int_equal(liveness_gossip(l, id, op == 'g'), 0);
		break;
	case 'u':
		liveness_up(l, id);
		break;
	case 's':
		liveness_silent(l, id, *now);
		break;
	case 'x':
		liveness_lost(l, id);
		break;
	case 'k':
	case 'K':
		liveness_linked(l, id, op == 'k');
		break;
	case 'r':
		liveness_refused(l, id, *now);
		break;
	case 'y':
	case 'Y':
		liveness_left(l, id, op == 'y');
		break;
	case 'n':
	case 'h':
		liveness_answer(l, l->queries, op == 'h', *now);
		break;
	case 't':
		liveness_trust(l, id != 0, DUR_MS(50));
		break;
	case 'm':
	case 'c':
		*now = mono_add(*now, op == 'm' ? DUR_MS(id) : LIVENESS_CONFIRM);
		liveness_tick(l, *now);
		break;
	default:
		fail_msg("no step '%c'", op);
	}
}

static void follows(void **state)
{
	const struct script_case *c = *state;
	struct liveness l;
	struct mono now = { .ns = 1000 };
	unsigned asked = 0;
	char alive[16] = "";

	liveness_init(&l);
	liveness_trust(&l, true, DUR_MS(50));
	for (const char *s = c->script; *s; s += s[2] ? 3 : 2) {
		step(&l, s[0], (uint16_t)(s[1] - '0'), &now);
		(void)drain(&l, &asked);
	}
	for (size_t i = 0; i < l.n; i++)
		if (liveness_is_alive(&l, l.peers[i].id))
			strncat(alive, (char[]){ (char)('0' + l.peers[i].id), 0 }, 2);
	assert_string_equal(alive, c->alive);
	assert_int_equal(asked, c->asked);
}

static void every_change_has_its_epoch(void **state)
{
	struct liveness l;
	struct mono now = { .ns = 1000 };
	unsigned asked = 0;
	(void)state;

	liveness_init(&l);
	liveness_trust(&l, true, DUR_MS(50));
	assert_int_equal(liveness_gossip(&l, 7, true), 0);
	assert_true(drain(&l, &asked).alive);
	assert_int_equal(l.epoch, 1);
	liveness_refused(&l, 7, now);
	struct liveness_out out = drain(&l, &asked);
	assert_false(out.alive);
	assert_int_equal(out.id, 7);
	assert_string_equal(liveness_state_name(out.state), "dead");
	assert_int_equal(l.epoch, 2);
	liveness_up(&l, 7);
	assert_true(drain(&l, &asked).alive);
	assert_int_equal(l.epoch, 3);
	assert_true(mono_is_never(liveness_deadline(&l)));
}

/* One more is linked before the question goes out: its no is not the last word. */
static void all_who_are_asked_are_waited_for(void **state)
{
	struct liveness l;
	struct mono now = { .ns = 1000 };
	unsigned asked = 0;
	(void)state;

	liveness_init(&l);
	liveness_trust(&l, true, DUR_MS(50));
	for (uint16_t id = 1; id <= 3; id++) {
		assert_int_equal(liveness_gossip(&l, id, true), 0);
		liveness_up(&l, id);
	}
	liveness_linked(&l, 2, true);
	liveness_silent(&l, 1, now);
	liveness_linked(&l, 3, true);
	(void)drain(&l, &asked);
	assert_int_equal(asked, 1);
	liveness_answer(&l, l.queries, false, now);
	assert_true(liveness_is_alive(&l, 1));
	liveness_answer(&l, l.queries, true, now);
	assert_true(liveness_is_alive(&l, 1));
}

static void there_is_room_for_so_many(void **state)
{
	struct liveness l;
	(void)state;

	liveness_init(&l);
	for (uint16_t i = 0; i < LIVENESS_PEERS_MAX; i++)
		assert_int_equal(liveness_gossip(&l, i, true), 0);
	assert_int_equal(liveness_gossip(&l, LIVENESS_PEERS_MAX, true), -1);
	assert_true(liveness_is_alive(&l, LIVENESS_PEERS_MAX)); /* others decide */
	liveness_forget(&l, 3);
	assert_null(liveness_find(&l, 3));
	assert_int_equal(liveness_gossip(&l, LIVENESS_PEERS_MAX, true), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_change_has_its_epoch),
		cmocka_unit_test(all_who_are_asked_are_waited_for),
		cmocka_unit_test(there_is_room_for_so_many),
	};
	int failed = RUN_TABLE("liveness: from what is known to who lives", cases, follows);

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
