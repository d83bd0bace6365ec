/* Keys of peers: which changes a connection survives. */
#include "bgp/keys.h"

#include "bgp/speaker.h"
#include "bgp_test.h"
#include "net/tcp_ao.h"

#define KEY(send, receive, text)                                                     \
	{                                                                            \
		.send_id = (send), .receive_id = (receive), .len = sizeof(text) - 1, \
		.secret = text                                                       \
	}
#define A     KEY(1, 1, "a")
#define B     KEY(2, 2, "b")
#define OTHER KEY(1, 1, "other")
#define HALF  KEY(1, 3, "a")

static const struct change {
	const char *name;
	struct tcp_ao_key old[2];
	struct tcp_ao_key now[2];
	uint8_t n_old, n_now;
	enum bgp_peer_change want;
} changes[] = {
	{ "the same", { A, B }, { A, B }, 2, 2, BGP_PEER_SAME },
	{ "one more", { A }, { A, B }, 1, 2, BGP_PEER_LIVE },
	{ "the other first", { A, B }, { B, A }, 2, 2, BGP_PEER_LIVE },
	{ "one less", { B, A }, { B }, 2, 1, BGP_PEER_LIVE },
	{ "all at once", { A }, { B }, 1, 1, BGP_PEER_RESET },
	{ "another secret", { A }, { OTHER }, 1, 1, BGP_PEER_RESET },
	{ "another secret beside one that stays", { A, B }, { B, OTHER }, 2, 2, BGP_PEER_RESET },
	{ "another number in one direction", { A, B }, { B, HALF }, 2, 2, BGP_PEER_RESET },
	{ "the first ones", { { 0 } }, { A }, 0, 1, BGP_PEER_RESET },
	{ "none any more", { A }, { { 0 } }, 1, 0, BGP_PEER_RESET },
};

static struct bgp_peer_conf with(const struct tcp_ao_key *keys, size_t n)
{
	return (struct bgp_peer_conf){
		.name = "tor", .addr = addr_v4(192, 0, 2, 1), .ao = keys, .n_ao = n
	};
}

static void changes_are_live_where_both_can_follow(void **state)
{
	const struct change *c = *state;
	const struct bgp_peer_conf old = with(c->old, c->n_old), now = with(c->now, c->n_now);

	assert_int_equal(bgp_peer_conf_diff(&old, &now), c->want);
}

int main(void)
{
	return RUN_TABLE("changes of keys", changes, changes_are_live_where_both_can_follow);
}
