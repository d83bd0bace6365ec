#include "base/ranking.h"

#include <string.h>

#include "support.h"

struct rank_case {
	const char *name;
	const char *ip;
	const char *nodes; /* name or name=score, in an order of no meaning */
	const char *want;
};

/* The worked examples of MetalLB's order. */
static const struct rank_case cases[] = {
	{ "v4", "10.0.0.1", "node-a node-b node-c", "node-b node-a node-c" },
	{ "v4, another address", "10.0.0.2", "node-c node-b node-a", "node-b node-c node-a" },
	{ "v6", "2001:db8::10", "node-c node-a node-b", "node-b node-a node-c" },
	{ "four workers", "192.168.1.240", "worker-1 worker-2 worker-3 worker-4",
	  "worker-2 worker-1 worker-3 worker-4" },
	{ "a fifth joins", "192.168.1.240", "worker-1 worker-2 worker-3 worker-4 worker-5",
	  "worker-5 worker-2 worker-1 worker-3 worker-4" },
	{ "no scores", "10.20.30.1", "edge-a edge-b worker-a worker-b",
	  "edge-b worker-a edge-a worker-b" },
	{ "one preferred", "10.20.30.1", "edge-a=100 edge-b worker-a worker-b",
	  "edge-a edge-b worker-a worker-b" },
	{ "two preferred alike", "10.20.30.1", "edge-a=60 edge-b worker-a worker-b=60",
	  "edge-a worker-b edge-b worker-a" },
	{ "alone", "10.0.0.1", "node-a", "node-a" },
	{ "nobody", "10.0.0.1", "", "" },
};

static void ranks(void **state)
{
	const struct rank_case *c = *state;
	char *words = mem_strdup(c->nodes);
	struct rank_node nodes[8] = { 0 };
	char got[128] = "";
	struct addr ip;
	size_t n = 0;
	char *save;

	assert_int_equal(addr_parse(c->ip, &ip), 0);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *score = strchr(w, '=');

		if (score)
			*score++ = '\0';
		nodes[n++] = (struct rank_node){ .name = w, .score = score ? atoi(score) : 0 };
	}
	rank_nodes(nodes, n, &ip);
	for (size_t i = 0; i < n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, nodes[i].name);
	}
	assert_string_equal(got, c->want);
	free(words);
}

static void digest_is_of_name_and_address(void **state)
{
	struct rank_node nodes[] = { { .name = "node-b", .score = 1 }, { .name = "node-a" } };
	uint8_t want[RANK_DIGEST_LEN];
	struct addr ip = addr_v4(10, 0, 0, 1);

	(void)state;
	unhex("2acae88581fd8b477d8abf5bd882a2094b0c9631507ebc7770a5682a13cd71f1", want,
	      sizeof(want));
	rank_nodes(nodes, ARRAY_LEN(nodes), &ip);
	assert_memory_equal(nodes[0].digest, want, sizeof(want));
	unhex("21d5668f18c03bbe00f394da685dde376e0293fd36d5320ac575f592bd70c06b", want,
	      sizeof(want));
	assert_int_equal(addr_parse("2001:db8::10", &ip), 0);
	rank_nodes(nodes, ARRAY_LEN(nodes), &ip);
	assert_memory_equal(nodes[0].digest, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(digest_is_of_name_and_address) };

	return RUN_TABLE("ranking", cases, ranks) +
	       cmocka_run_group_tests_name("ranking digest", tests, NULL, NULL);
}
