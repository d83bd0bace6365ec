/* What differs between two configurations. */
#include "config_test.h"

#include "config/diff.h"

struct diff_case {
	const char *name;
	const char *from, *to;
	const char *added, *removed, *changed; /* as compact JSON */
};

#define PEER_A "peers:\n- {name: a, " PEER_BASE ", password: one}\n"

static const struct diff_case cases[] = {
	{ "nothing", SERVICE(""), SERVICE(""), "[]", "[]", "[]" },
	{ "defaults written out", PEER(""), PEER(", hold-time: 90s, peer-port: 179"), "[]", "[]",
	  "[]" },
	{ "a peer more", "", PEER_A, "[\"peers/a\"]", "[]", "[]" },
	{ "a peer less", PEER_A, "", "[]", "[\"peers/a\"]", "[]" },
	{ "a password", PEER_A, "peers:\n- {name: a, " PEER_BASE ", password: two}\n", "[]", "[]",
	  "[{\"object\":\"peers/a\",\"fields\":[\"password\"],\"needs-restart\":true}]" },
	{ "a peer's nodes", PEER_A,
	  "peers:\n- {name: a, " PEER_BASE ", password: one, node-selectors: [{match-labels: {a: "
	  "b}}]}\n",
	  "[]", "[]",
	  "[{\"object\":\"peers/a\",\"fields\":[\"node-selectors\"],\"needs-restart\":false}]" },
	{ "a pool's addresses", LAN,
	  "address-pools:\n- {name: lan, protocol: layer2, addresses: [10.5.0.0/25]}\n", "[]", "[]",
	  "[{\"object\":\"pools/lan\",\"fields\":[\"addresses\"],\"needs-restart\":false}]" },
	{ "a pool's advertisement", BGP_POOL(""),
	  BGP_POOL(", bgp-advertisements: [{localpref: 7}]"), "[]", "[]",
	  "[{\"object\":\"pools/"
	  "p\",\"fields\":[\"bgp-advertisements\"],\"needs-restart\":false}]" },
	{ "a service", SERVICE(""), SERVICE(", bind: none"), "[]", "[]",
	  "[{\"object\":\"services/web\",\"fields\":[\"bind\"],\"needs-restart\":false}]" },
	{ "a service renamed", SERVICE(""), LAN "services: [{name: api}]\n", "[\"services/api\"]",
	  "[\"services/web\"]", "[]" },
	{ "networks",
	  PEER("") "networks: [{prefix: 192.0.2.0/24}, {prefix: 192.0.3.0/24, med: 1}]\n",
	  PEER("") "networks: [{prefix: 192.0.3.0/24, med: 2}, {prefix: 192.0.4.0/24}]\n",
	  "[\"networks/192.0.4.0/24\"]", "[\"networks/192.0.2.0/24\"]",
	  "[{\"object\":\"networks/192.0.3.0/24\",\"fields\":[\"med\"],\"needs-restart\":false}]" },
	{ "order", LAN "services: [{name: a}, {name: b}]\n",
	  LAN "services: [{name: b}, {name: a}]\n", "[]", "[]",
	  "[{\"object\":\"services\",\"fields\":[\"order\"],\"needs-restart\":false}]" },
	{ "an element in the middle keeps the order", LAN "services: [{name: a}, {name: b}]\n",
	  LAN "services: [{name: a}, {name: x}, {name: b}]\n", "[\"services/x\"]", "[]", "[]" },
	{ "the log", "", "log: {level: warn}\n", "[]", "[]",
	  "[{\"object\":\"log\",\"fields\":[\"level\"],\"needs-restart\":false}]" },
	{ "the node's name", "", "node: {name: x}\n", "[]", "[]",
	  "[{\"object\":\"node\",\"fields\":[\"name\"],\"needs-restart\":true}]" },
	{ "a cluster", "", "cluster: {}\n", "[]", "[]",
	  "[{\"object\":\"cluster\",\"fields\":[\"bind\",\"join\",\"fast-detection\",\"quorum\"],"
	  "\"needs-restart\":true}]" },
	{ "members to join", "cluster: {}\n", "cluster: {join: [10.0.0.1]}\n", "[]", "[]",
	  "[{\"object\":\"cluster\",\"fields\":[\"join\"],\"needs-restart\":false}]" },
	{ "a profile", "bfd-profiles: [{name: f}]\n",
	  "bfd-profiles: [{name: f, receive-interval: 50}]\n", "[]", "[]",
	  "[{\"object\":\"bfd-profiles/"
	  "f\",\"fields\":[\"receive-interval\"],\"needs-restart\":false}]" },
};

static void assert_member(const json_t *o, const char *key, const char *want)
{
	char *text = json_dumps(json_object_get(o, key), JSON_COMPACT);

	assert_string_equal(text, want);
	free(text);
}

static void differs(void **state)
{
	const struct diff_case *c = *state;
	struct loaded from = load_good(c->from), to = load_good(c->to);
	json_t *diff = cfg_diff(from.c, to.c);

	assert_member(diff, "added", c->added);
	assert_member(diff, "removed", c->removed);
	assert_member(diff, "changed", c->changed);
	json_decref(diff);
	loaded_fini(&from);
	loaded_fini(&to);
}

/* The rows of what makes a peer another one to a session. */
static const struct {
	const char *more;
	bool eq;
} peers[] = {
	{ "", true },
	{ ", hold-time: 90s", true },
	{ ", node-selectors: [{match-labels: {a: b}}]", true },
	{ ", hold-time: 91s", false },
	{ ", keepalive-time: 20s", false },
	{ ", peer-port: 1", false },
	{ ", source-address: 10.0.0.9", false },
	{ ", router-id: 10.0.0.9", false },
	{ ", password: x", false },
	{ ", password-file: x", false },
	{ ", interface: eth0", false },
	{ ", dual-stack: true", false },
	{ ", ebgp-multihop: true", false },
	{ ", bfd-profile: f", false },
	{ ", name: x", false },
};

static void peers_are_equal_or_not(void **state)
{
	(void)state;
	struct loaded base = load_good(PEER("") "bfd-profiles: [{name: f}]\n");

	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		char *text = mem_printf("peers:\n- {" PEER_BASE "%s}\nbfd-profiles: [{name: f}]\n",
					peers[i].more);
		struct loaded other = load_good(text);

		if (cfg_peer_eq(&base.c->peers[0], &other.c->peers[0]) != peers[i].eq)
			fail_msg("'%s'", peers[i].more);
		loaded_fini(&other);
		free(text);
	}
	loaded_fini(&base);
}

#define NOTHING "# nothing yet\n"

static void a_file_that_was_emptied_is_noticed(void **state)
{
	static const struct {
		const char *from, *to, *gone; /* NULL: nothing to speak of */
	} edits[] = {
		{ SERVICE(""), NOTHING, "all pools (1) and all services (1) are gone" },
		{ SERVICE(""), LAN, "all services (1) are gone" },
		{ PEER("") "networks: [{prefix: 192.0.2.0/24}]\n", PEER(""),
		  "all networks (1) are gone" },
		{ LAN, PEER(""), "all pools (1) are gone" },
		{ SERVICE(""), LAN "services: [{name: other}]\n", NULL },
		{ NOTHING, SERVICE(""), NULL },
		{ NOTHING, NOTHING, NULL },
		{ PEER(""), NOTHING, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		struct loaded from = load_good(edits[i].from), to = load_good(edits[i].to);
		struct err e = { 0 };

		assert_int_equal(cfg_check_emptied(from.c, to.c, &e),
				 edits[i].gone ? -ERR_STATE : 0);
		assert_string_equal(e.text, edits[i].gone ? edits[i].gone : "");
		loaded_fini(&from);
		loaded_fini(&to);
	}
}

static void a_profile_makes_a_difference(void **state)
{
	(void)state;
	struct loaded a = load_good(PEER(", bfd-profile: f") "bfd-profiles: [{name: f}]\n");
	struct loaded b = load_good(
		PEER(", bfd-profile: f") "bfd-profiles: [{name: f, detect-multiplier: 5}]\n");

	assert_true(cfg_peer_eq(&a.c->peers[0], &a.c->peers[0]));
	assert_false(cfg_peer_eq(&a.c->peers[0], &b.c->peers[0]));
	assert_false(cfg_bfd_profile_eq(&a.c->bfd_profiles[0], &b.c->bfd_profiles[0]));
	loaded_fini(&a);
	loaded_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peers_are_equal_or_not),
		cmocka_unit_test(a_profile_makes_a_difference),
		cmocka_unit_test(a_file_that_was_emptied_is_noticed),
	};

	return RUN_TABLE("differs", cases, differs) + cmocka_run_group_tests(tests, NULL, NULL);
}
