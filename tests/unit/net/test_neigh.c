/* The kernel's table of neighbours, in a namespace of its own. */
#include "net/neigh.h"

#include "netns.h"

static const char *const peers[] = { "10.9.0.2", "2001:db8::2" };

static struct addr must(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* Whoever has not answered is asked anew; who has, and who was not meant, stays as it is. */
static void only_the_unanswered_is_asked_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		struct addr a = must(peers[i]);

		netns_run("ip neigh replace %s dev veth0 nud incomplete", peers[i]);
		netns_run("ip neigh replace %s3 dev veth0 nud incomplete", peers[i]);
		netns_run("ip neigh show nud all dev veth0 | grep -q '^%s '", peers[i]);
		neigh_ask_again(&a);
		netns_run("! ip neigh show nud all dev veth0 | grep -q '^%s '", peers[i]);
		netns_run("ip neigh show nud all dev veth0 | grep -q '^%s3 '", peers[i]);
		netns_run("ip neigh replace %s dev veth0 lladdr 02:00:00:00:00:09 nud stale",
			  peers[i]);
		neigh_ask_again(&a);
		netns_run("ip neigh show dev veth0 | grep -q '^%s .*02:00:00:00:00:09'", peers[i]);
	}
}

/* Once the kernel has given a neighbour up it is sent to where it was; who has moved meanwhile stays where it is. */
static void a_silent_neighbour_is_kept(void **state)
{
	static const char *const forget[] = { "nud failed", "nud incomplete" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		struct addr a = must(peers[i]);
		struct neigh_place at = { 0 };

		netns_run("ip neigh replace %s dev veth0 nud incomplete", peers[i]);
		neigh_keep(&a, &at);
		assert_int_equal(at.ifindex, 0); /* nobody knows where it is */
		netns_run("ip neigh replace %s dev veth0 lladdr 02:00:00:00:00:07 nud stale",
			  peers[i]);
		neigh_keep(&a, &at);
		for (size_t j = 0; j < ARRAY_LEN(forget); j++) {
			netns_run("ip neigh replace %s dev veth0 %s", peers[i], forget[j]);
			neigh_keep(&a, &at);
			netns_run("ip neigh show dev veth0 | grep -q '^%s .*02:00:00:00:00:07'",
				  peers[i]);
		}
		netns_run("ip neigh del %s dev veth0", peers[i]);
		neigh_keep(&a, &at);
		netns_run("ip neigh show dev veth0 | grep -q '^%s .*02:00:00:00:00:07'", peers[i]);
		netns_run("ip neigh replace %s dev veth0 lladdr 02:00:00:00:00:08 nud stale",
			  peers[i]);
		neigh_keep(&a, &at);
		netns_run("ip neigh show dev veth0 | grep -q '^%s .*02:00:00:00:00:08'", peers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_unanswered_is_asked_again),
		cmocka_unit_test(a_silent_neighbour_is_kept),
	};

	if (!netns_enter())
		return 0;
	netns_run("ip link add veth0 type veth peer name veth1");
	netns_run("ip link set veth0 up; ip link set veth1 up; ip addr add 10.9.0.1/24 dev veth0");
	netns_run("ip -6 addr add 2001:db8::1/64 dev veth0 nodad");
	return cmocka_run_group_tests_name("neighbours", tests, NULL, NULL);
}
