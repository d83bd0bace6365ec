/* Who counts for the larger part of a cluster. */
#include <string.h>

#include "app/quorum.h"
#include "support.h"

struct step {
	enum { LIVES = 1, DIES, LEAVES } what;
	const char *node;
	const char *addr;
};

static const struct quorum_case {
	const char *name;
	const char *join[4];
	struct step steps[8];
	size_t of, alive;
	const char *tie; /* NULL: none */
	bool tie_alive;
} cases[] = {
	{ "alone, with nobody to join", { NULL }, { { 0 } }, 1, 1, "me", true },
	{ "alone, and two were never seen",
	  { "10.0.0.2", "10.0.0.3" },
	  { { 0 } },
	  3,
	  1,
	  NULL,
	  false },
	{ "ourselves in the list", { "10.0.0.1", "10.0.0.2" }, { { 0 } }, 2, 1, NULL, false },
	{ "one was seen",
	  { "10.0.0.2", "10.0.0.3" },
	  { { LIVES, "b", "10.0.0.2" } },
	  3,
	  2,
	  NULL,
	  false },
	{ "all were, and one has died",
	  { "10.0.0.2", "10.0.0.3" },
	  { { LIVES, "b", "10.0.0.2" }, { LIVES, "c", "10.0.0.3" }, { DIES, "b", NULL } },
	  3,
	  2,
	  "b",
	  false },
	{ "who has left does not count, in the list or not",
	  { "10.0.0.2" },
	  { { LIVES, "b", "10.0.0.2" }, { LIVES, "z", "10.0.0.9" }, { LEAVES, "b", NULL } },
	  2,
	  2,
	  "me",
	  true },
	{ "who is back counts again",
	  { NULL },
	  { { LIVES, "b", "10.0.0.2" }, { LEAVES, "b", NULL }, { LIVES, "b", "10.0.0.2" } },
	  2,
	  2,
	  "b",
	  true },
	{ "a stranger that goes", { NULL }, { { DIES, "x", NULL } }, 1, 1, "me", true },
};

static struct addr addr_of(const char *text)
{
	struct addr a = { 0 };

	assert_true(!text || addr_parse(text, &a) == 0);
	return a;
}

static bool is_ours(void *ctx, const struct addr *a)
{
	const struct addr ours = addr_of("10.0.0.1");

	(void)ctx;
	return addr_eq(a, &ours);
}

static void counts(void **state)
{
	const struct quorum_case *c = *state;
	struct quorum *q = quorum_new();
	struct cfg_endpoint join[4];
	struct cfg_cluster conf = { .quorum = true, .join = join };

	for (; conf.n_join < 4 && c->join[conf.n_join]; conf.n_join++)
		join[conf.n_join] = (struct cfg_endpoint){ .addr = addr_of(c->join[conf.n_join]) };
	quorum_member(q, "me", &(struct addr){ 0 });
	for (const struct step *s = c->steps; s->what; s++) {
		struct addr a = addr_of(s->addr);

		if (s->what == LIVES)
			quorum_member(q, s->node, &a);
		else
			quorum_gone(q, s->node, s->what == LEAVES, (struct mono){ 0 });
	}
	struct world_quorum n = quorum_count(q, &conf, is_ours, NULL);
	assert_int_equal(n.of, c->of);
	assert_int_equal(n.alive, c->alive);
	assert_int_equal(n.tie != NULL, c->tie != NULL);
	if (c->tie)
		assert_string_equal(n.tie, c->tie);
	assert_int_equal(n.tie_alive, c->tie_alive);
	conf.quorum = false;
	assert_int_equal(quorum_count(q, &conf, is_ours, NULL).of, 0);
	quorum_free(q);
}

static size_t counted(const struct quorum *q, const struct cfg_cluster *c)
{
	return quorum_count(q, c, is_ours, NULL).of;
}

/* Neither who is named, nor who lives, nor before the time. */
static void the_dead_are_forgotten(void **state)
{
	struct quorum *q = quorum_new();
	struct cfg_endpoint named = { .addr = addr_of("10.0.0.2") };
	struct cfg_cluster conf = { .quorum = true, .join = &named, .n_join = 1 };
	struct mono died = { 1000 }, over = mono_add(died, QUORUM_MEMORY);
	struct addr b = addr_of("10.0.0.2"), c = addr_of("10.0.0.3"), d = addr_of("10.0.0.4");

	(void)state;
	quorum_member(q, "me", &(struct addr){ 0 });
	quorum_member(q, "b", &b);
	quorum_member(q, "c", &c);
	quorum_member(q, "d", &d);
	quorum_gone(q, "b", false, died);
	assert_int_equal(quorum_forgets_at(q, &conf).ns, MONO_NEVER.ns);
	quorum_gone(q, "c", false, died);
	assert_int_equal(quorum_forgets_at(q, &conf).ns, over.ns);
	quorum_forget(q, &conf, (struct mono){ over.ns - 1 });
	assert_int_equal(counted(q, &conf), 4);
	quorum_forget(q, &conf, over);
	assert_int_equal(counted(q, &conf), 3);
	assert_int_equal(quorum_forgets_at(q, &conf).ns, MONO_NEVER.ns);
	quorum_member(q, "c", &c); /* it is back */
	assert_int_equal(counted(q, &conf), 4);
	quorum_free(q);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(the_dead_are_forgotten),
	};

	return RUN_TABLE("quorum", cases, counts) + cmocka_run_group_tests(others, NULL, NULL);
}
