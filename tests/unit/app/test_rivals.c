#include "app/rivals.h"

#include <string.h>

#include "support.h"

static const struct mac theirs = { { 2, 0, 0, 0, 0, 9 } };

static const struct l2_event claim = {
	.kind = L2_CONFLICT,
	.addr = { .family = FAMILY_V4, .b = { 192, 0, 2, 1 } },
	.mac = { { 2, 0, 0, 0, 0, 9 } },
	.verdict = L2_VERDICT_WON,
};

struct claim_case {
	const char *name;
	bool is_member; /* it is known whose the other machine is */
	enum l2_verdict verdict;
	enum l2_hold hold;
	const char *told; /* a part of it; NULL: nothing */
};

static const struct claim_case claims[] = {
	{ "a stranger", false, L2_VERDICT_KEPT, L2_HOLD_NONE, "goes on answering for it" },
	{ "a stranger who has it", false, L2_VERDICT_YIELDED, L2_HOLD_STRANGER,
	  "leaves it to that" },
	{ "a member that lost", true, L2_VERDICT_WON, L2_HOLD_NONE, NULL },
	{ "a member that won", true, L2_VERDICT_LOST, L2_HOLD_MEMBER, NULL },
	{ "a member that was not known yet", true, L2_VERDICT_KEPT, L2_HOLD_NONE, NULL },
	{ "nobody", false, L2_VERDICT_NONE, L2_HOLD_NONE, NULL },
};

static void heard(void *ctx, const char *node, bool is)
{
	unsigned *times = ctx;

	(void)node;
	*times += is;
}

static void links_changed(void *ctx)
{
	(void)ctx;
}

struct stand {
	struct loop *loop;
	struct net_links *links;
	struct rivals *r;
	unsigned times; /* that a member was heard */
};

static void stand_init(struct stand *s)
{
	*s = (struct stand){ 0 };
	assert_int_equal(loop_new(&s->loop, NULL), 0);
	assert_int_equal(net_links_new(s->loop, links_changed, NULL, &s->links, NULL), 0);
	s->r = rivals_new(s->loop, &(struct rivals_hooks){ .ctx = &s->times, .heard = heard });
}

static void stand_fini(struct stand *s)
{
	rivals_free(s->r);
	net_links_free(s->links);
	loop_free(s->loop);
}

static void people_are_told(void **state)
{
	const struct claim_case *c = *state;
	struct stand s;

	stand_init(&s);
	struct l2_address_stats stats = {
		.rival = l2_mac_pack(&theirs),
		.rival_at = c->verdict == L2_VERDICT_NONE ? 0 : (uint64_t)loop_now(s.loop).ns,
		.verdict = c->verdict,
		.hold = c->hold,
	};

	if (c->is_member)
		assert_true(rivals_know(s.r, &theirs, "b"));
	char *text = rivals_problem(s.r, &stats, s.links, loop_now(s.loop));
	assert_int_equal(!text, !c->told);
	if (text)
		assert_non_null(strstr(text, c->told));
	free(text);
	stand_fini(&s);
}

/* The first claim may have come while gossip still held the member for alive: it did not count then. */
static void each_claim_of_a_member_is_told(void **state)
{
	struct stand s;
	(void)state;

	stand_init(&s);
	assert_true(rivals_know(s.r, &theirs, "b"));
	for (unsigned i = 1; i <= 3; i++) {
		(void)rivals_conflict(s.r, &claim, s.links);
		assert_int_equal(s.times, i);
	}
	stand_fini(&s);
}

/* Ranking has decided, and it claims all the same: it does not hear of it. */
static void a_stubborn_member_is_told_of(void **state)
{
	struct stand s;
	(void)state;

	stand_init(&s);
	struct mono now = loop_now(s.loop);
	struct l2_address_stats stats = { .rival = l2_mac_pack(&theirs),
					  .verdict = L2_VERDICT_WON };

	assert_true(rivals_know(s.r, &theirs, "b"));
	(void)rivals_conflict(s.r, &claim, s.links);
	static const struct {
		int64_t claimed_s, asked_s;
		bool told;
	} steps[] = { { 0, 1, false }, { 14, 14, false }, { 16, 20, true }, { 16, 40, false } };
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		stats.rival_at = (uint64_t)mono_add(now, DUR_S(steps[i].claimed_s)).ns;
		char *text = rivals_problem(s.r, &stats, s.links,
					    mono_add(now, DUR_S(steps[i].asked_s)));
		assert_int_equal(!!text, steps[i].told);
		assert_true(!text || strstr(text, "of b on"));
		free(text);
	}
	stand_fini(&s);
}

int main(void)
{
	const struct CMUnitTest plain[] = { cmocka_unit_test(each_claim_of_a_member_is_told),
					    cmocka_unit_test(a_stubborn_member_is_told_of) };

	return RUN_TABLE("claims", claims, people_are_told) |
	       cmocka_run_group_tests(plain, NULL, NULL);
}
