/*
 * The speaker on a real loop, against a router that is a socket of this very process on the loopback interface.
 */
#include "bgp/speaker.h"

#include <stdio.h>
#include <unistd.h>

#include "bgp_test.h"

#define MARKER "ffffffff ffffffff ffffffff ffffffff "
#define OPEN   MARKER "002d 01 04 fc01 005a 0a000001 10 02 0e 0104 0001 00 01 0200 4104 0000fc01"
#define ALIVE  MARKER "0013 04"

struct stage {
	struct loop *loop;
	struct bgp_speaker *sp;
	struct loop_timer limit;
	const int *until; /* stop when this is no longer 0 */
	int listener;
	uint16_t port;
	int router; /* the accepted connection */
	int count[BGP_EVENT_STOPPED + 1];
	char reason[BGP_REASON_MAX]; /* of the last FAILED or DOWN */
	char text[BGP_SHUTDOWN_TEXT_MAX];
	uint8_t got[8192];
	size_t got_len;
};

static void on_event(void *ctx, const struct bgp_event *event)
{
	struct stage *s = ctx;

	s->count[event->type]++;
	if (event->type == BGP_EVENT_DOWN || event->type == BGP_EVENT_FAILED)
		snprintf(s->reason, sizeof(s->reason), "%s", event->reason);
	if (event->type == BGP_EVENT_NOTIFICATION_RECEIVED)
		snprintf(s->text, sizeof(s->text), "%s", event->note.text);
	if (s->until == &s->count[event->type])
		loop_stop(s->loop);
}

static void on_limit(struct loop_timer *t, struct mono now)
{
	(void)now;
	loop_stop(t->loop);
}

static void run_for(struct stage *s, struct dur d)
{
	s->until = NULL;
	loop_timer_set(&s->limit, mono_add(mono_clock(), d));
	loop_run(s->loop);
}

/* Run until an event of this type has come (again); fail when it does not. */
static void run_until(struct stage *s, enum bgp_event_type type)
{
	s->count[type] = 0;
	s->until = &s->count[type];
	loop_timer_set(&s->limit, mono_add(mono_clock(), DUR_S(10)));
	loop_run(s->loop);
	assert_int_not_equal(s->count[type], 0);
}

static void listen_here(struct stage *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listener >= 0);
	assert_int_equal(bind(s->listener, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
}

static int setup(void **state)
{
	struct stage *s = mem_new(struct stage);
	struct err e;
	const struct bgp_speaker_conf conf = { .node = "node-a", .on_event = on_event, .ctx = s };

	s->router = -1;
	listen_here(s);
	assert_int_equal(loop_new(&s->loop, &e), 0);
	loop_timer_init(&s->limit, s->loop, on_limit);
	assert_int_equal(bgp_speaker_new(s->loop, &conf, &s->sp, &e), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	bgp_speaker_free(s->sp);
	loop_timer_stop(&s->limit);
	loop_free(s->loop);
	if (s->router >= 0)
		close(s->router);
	if (s->listener >= 0)
		close(s->listener);
	free(s);
	return 0;
}

static struct bgp_peer_conf conf_of(const struct stage *s)
{
	return (struct bgp_peer_conf){
		.name = "tor-1",
		.addr = addr_v4(127, 0, 0, 1),
		.port = s->port,
		.local_as = 64512,
		.peer_as = 64513,
		.hold_s = 90,
	};
}

static void say(struct stage *s, const char *hex)
{
	uint8_t wire[256];
	size_t len = unhex(hex, wire, sizeof(wire));

	assert_int_equal(send(s->router, wire, len, MSG_NOSIGNAL), len);
}

/* Everything that has arrived at the router. */
static void listen_to(struct stage *s)
{
	s->got_len = 0;
	for (;;) {
		ssize_t n = recv(s->router, s->got + s->got_len, sizeof(s->got) - s->got_len,
				 MSG_DONTWAIT);

		if (n <= 0)
			return;
		s->got_len += (size_t)n;
	}
}

static void ends_with(const struct stage *s, const char *hex)
{
	uint8_t want[64];
	size_t n = unhex(hex, want, sizeof(want));

	assert_true(s->got_len >= n);
	assert_memory_equal(s->got + s->got_len - n, want, n);
}

static void set_peer(struct stage *s, const struct bgp_peer_conf *conf, int want)
{
	struct err e;

	assert_int_equal(bgp_speaker_peer_set(s->sp, conf, &e), want);
}

static void bring_up(struct stage *s)
{
	struct bgp_peer_conf conf = conf_of(s);

	set_peer(s, &conf, BGP_PEER_ADDED);
	s->router = accept(s->listener, NULL, NULL);
	assert_true(s->router >= 0);
	say(s, OPEN ALIVE);
	run_until(s, BGP_EVENT_UP);
	listen_to(s);
}

static void set_route(struct stage *s, const char *prefix)
{
	const struct bgp_route_attrs plain = { .next_hop = ip("10.0.0.5") };
	struct prefix p = pfx(prefix);
	struct err e;

	assert_int_equal(bgp_speaker_route_set(s->sp, "tor-1", &p, &plain, &e), 0);
}

static void routes_arrive_at_the_end_of_the_turn(void **state)
{
	struct stage *s = *state;
	struct bgp_peer_status status;
	struct bgp_route_status route;
	struct prefix p = pfx("192.0.2.10/32");

	bring_up(s);
	set_route(s, "198.51.100.0/24");
	set_route(s, "192.0.2.10/32");
	struct prefix gone = pfx("198.51.100.0/24");
	struct err e;
	assert_int_equal(bgp_speaker_route_del(s->sp, "tor-1", &gone, &e), 0);
	run_for(s, DUR_MS(20));
	listen_to(s);
	vector_is("update_ebgp.hex", s->got, s->got_len);

	assert_true(bgp_speaker_find(s->sp, "tor-1", &status));
	assert_int_equal(status.state, BGP_ESTABLISHED);
	assert_int_equal(status.routes.sent, 1);
	assert_int_equal(status.router_id, 0x7f000001);
	assert_true(bgp_speaker_route_find(s->sp, "tor-1", &p, &route));
	assert_true(route.sent);
	assert_false(route.pending);
	assert_false(bgp_speaker_route_find(s->sp, "tor-1", &gone, &route));
}

/* What the peer hears first is written before its KEEPALIVE has come, and does not count as sent until then. */
static void routes_wait_for_the_keepalive(void **state)
{
	struct stage *s = *state;
	struct bgp_peer_conf conf = conf_of(s);
	struct bgp_peer_status status;

	set_peer(s, &conf, BGP_PEER_ADDED);
	set_route(s, "192.0.2.10/32");
	s->router = accept(s->listener, NULL, NULL);
	say(s, OPEN);
	run_until(s, BGP_EVENT_STATE);
	run_for(s, DUR_MS(20));
	assert_true(bgp_speaker_find(s->sp, "tor-1", &status));
	assert_int_equal(status.state, BGP_OPEN_CONFIRM);
	assert_int_equal(status.routes.sent, 0);
	assert_int_equal(status.routes.pending, 1);
	listen_to(s);
	ends_with(s, ALIVE);
	say(s, ALIVE);
	run_until(s, BGP_EVENT_UP);
	listen_to(s);
	vector_is("update_ebgp.hex", s->got, s->got_len - 23); /* and End-of-RIB */
	assert_true(bgp_speaker_find(s->sp, "tor-1", &status));
	assert_int_equal(status.routes.sent, 1);
}

static void wishes_outlive_the_session(void **state)
{
	struct stage *s = *state;

	bring_up(s);
	set_route(s, "192.0.2.10/32");
	run_for(s, DUR_MS(20));
	listen_to(s);
	close(s->router);
	run_until(s, BGP_EVENT_DOWN);
	assert_string_equal(s->reason, "connection closed by the peer");
	run_for(s, DUR_MS(120)); /* the first pause */
	s->router = accept(s->listener, NULL, NULL);
	say(s, OPEN ALIVE);
	run_until(s, BGP_EVENT_UP);
	run_for(s, DUR_MS(20));
	listen_to(s);
	/* OPEN, KEEPALIVE, the route, End-of-RIB */
	assert_int_equal(s->got_len, 59 + 19 + 48 + 23);
	uint8_t want[64];
	size_t n = vector_load("update_ebgp.hex", want, sizeof(want));
	assert_memory_equal(s->got + 59 + 19, want, n);
}

static void changes_of_configuration(void **state)
{
	struct stage *s = *state;
	struct bgp_peer_conf conf = conf_of(s);

	bring_up(s);
	set_peer(s, &conf, BGP_PEER_SAME);
	conf.retry_max = DUR_S(7);
	set_peer(s, &conf, BGP_PEER_LIVE);
	run_for(s, DUR_MS(20));
	listen_to(s);
	assert_int_equal(s->got_len, 0);
	conf.hold_s = 30;
	set_peer(s, &conf, BGP_PEER_RESET);
	run_until(s, BGP_EVENT_DOWN);
	assert_string_equal(s->reason, "configuration changed");
	listen_to(s);
	ends_with(s, MARKER "0015 03 0606");
}

static void removal_says_so(void **state)
{
	struct stage *s = *state;

	bring_up(s);
	assert_true(bgp_speaker_peer_del(s->sp, "tor-1"));
	assert_false(bgp_speaker_peer_del(s->sp, "tor-1"));
	listen_to(s);
	ends_with(s, MARKER "0015 03 0603");
	run_until(s, BGP_EVENT_DOWN);
}

static void notification_survives_unread_input(void **state)
{
	struct stage *s = *state;
	struct err e;

	bring_up(s);
	/* Bytes that nobody will read any more: a plain close() would answer with a reset. */
	say(s, ALIVE ALIVE);
	assert_int_equal(bgp_speaker_peer_down(s->sp, "tor-1", BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN,
					       "path died", &e),
			 0);
	run_until(s, BGP_EVENT_DOWN);
	assert_string_equal(s->reason, "path died");
	run_for(s, DUR_MS(20));
	listen_to(s);
	ends_with(s, MARKER "0015 03 060a");
}

static void shutdown_ends_with_an_event(void **state)
{
	struct stage *s = *state;

	bring_up(s);
	bgp_speaker_shutdown(s->sp, false, "goodbye\xe2\x82\xac");
	run_for(s, DUR_MS(20));
	listen_to(s);
	vector_is("notification_shutdown.hex", s->got, s->got_len);
	assert_int_equal(s->count[BGP_EVENT_STOPPED], 0);
	close(s->router);
	s->router = -1;
	run_until(s, BGP_EVENT_STOPPED);
}

static void shutdown_does_not_wait_for_ever(void **state)
{
	struct stage *s = *state;
	struct mono start = mono_clock();

	bring_up(s);
	bgp_speaker_shutdown(s->sp, false, NULL);
	run_until(s, BGP_EVENT_STOPPED);
	assert_in_range(dur_ms(mono_sub(mono_clock(), start)), 0, 1500);
}

static void shutdown_without_sessions(void **state)
{
	struct stage *s = *state;

	bgp_speaker_shutdown(s->sp, false, NULL);
	run_until(s, BGP_EVENT_STOPPED);
}

static void by_hand(void **state)
{
	struct stage *s = *state;
	struct bgp_peer_status status;
	struct err e;

	bring_up(s);
	assert_int_equal(bgp_speaker_peer_admin(s->sp, "tor-1", BGP_ADMIN_DOWN, NULL, &e), 0);
	run_for(s, DUR_MS(300));
	assert_true(bgp_speaker_find(s->sp, "tor-1", &status));
	assert_int_equal(status.state, BGP_IDLE);
	assert_true(status.admin_down);
	close(s->router);
	assert_int_equal(bgp_speaker_peer_admin(s->sp, "tor-1", BGP_ADMIN_UP, NULL, &e), 0);
	s->router = accept(s->listener, NULL, NULL);
	say(s, OPEN ALIVE);
	run_until(s, BGP_EVENT_UP);
	assert_int_equal(bgp_speaker_peer_admin(s->sp, "tor-2", BGP_ADMIN_UP, NULL, &e),
			 -ERR_NOT_FOUND);
	assert_string_equal(e.text, "no BGP peer tor-2");
}

/* An UPDATE of about 60 KB, in one piece. */
static void say_long_update(struct stage *s)
{
	enum { ROUTES = 12000 };
	static uint8_t wire[BGP_MSG_EXTENDED_MAX];
	size_t head =
		unhex(MARKER "ea8b 02 0000 0014 40010100 400206 0201 0000fc01 400304 0a000001",
		      wire, sizeof(wire));

	for (unsigned i = 0; i < ROUTES; i++)
		memcpy(wire + head + 5 * (size_t)i, (uint8_t[]){ 32, 10, 1, i >> 8, i & 255 }, 5);
	assert_int_equal(head + 5 * ROUTES, 0xea8b);
	assert_int_equal(send(s->router, wire, head + 5 * ROUTES, MSG_DONTWAIT), 0xea8b);
}

/* We do not run for longer than the hold time; what the peer said meanwhile waits for us, and it is a long message. */
static void a_pause_of_ours_is_not_the_peers_silence(void **state)
{
	struct stage *s = *state;
	struct bgp_peer_conf conf = conf_of(s);
	struct bgp_peer_status status;

	conf.hold_s = 3;
	set_peer(s, &conf, BGP_PEER_ADDED);
	s->router = accept(s->listener, NULL, NULL);
	say(s, MARKER
	    "002f 01 04 fc01 005a 0a000001 12 02 10 0104 0001 00 01 0200 0600 4104 0000fc01" ALIVE);
	run_until(s, BGP_EVENT_UP);
	say_long_update(s);
	usleep(3200000);
	run_for(s, DUR_MS(300));
	assert_true(bgp_speaker_find(s->sp, "tor-1", &status));
	assert_int_equal(status.state, BGP_ESTABLISHED);
	assert_int_equal(status.announced_in, 12000);
}

static bool is_down_by_hand(const struct stage *s)
{
	struct bgp_peer_status status;

	assert_true(bgp_speaker_find(s->sp, "tor-1", &status));
	return status.admin_down;
}

/* What somebody says of a peer holds, whatever all of them do meanwhile. */
static void by_hand_while_all_are_retired(void **state)
{
	struct stage *s = *state;

	bring_up(s);
	bgp_speaker_retire(s->sp, true, "maintenance");
	assert_true(is_down_by_hand(s));
	bgp_speaker_retire(s->sp, false, NULL);
	assert_false(is_down_by_hand(s));
	bgp_speaker_retire(s->sp, true, NULL);
	assert_int_equal(bgp_speaker_peer_admin(s->sp, "tor-1", BGP_ADMIN_DOWN, NULL, NULL), 0);
	bgp_speaker_retire(s->sp, false, NULL);
	assert_true(is_down_by_hand(s));
	bgp_speaker_retire(s->sp, true, NULL);
	bgp_speaker_retire(s->sp, false, NULL);
	assert_true(is_down_by_hand(s));
	assert_int_equal(bgp_speaker_peer_admin(s->sp, "tor-1", BGP_ADMIN_UP, NULL, NULL), 0);
	assert_false(is_down_by_hand(s));
}

static void notifications_are_told(void **state)
{
	struct stage *s = *state;
	struct bgp_peer_status status;

	bring_up(s);
	say(s, MARKER "0018 03 06 02 02 6869");
	run_until(s, BGP_EVENT_NOTIFICATION_RECEIVED);
	assert_string_equal(s->text, "hi");
	assert_true(bgp_speaker_find(s->sp, "tor-1", &status));
	assert_true(status.note_in.set);
	assert_int_equal(status.flaps, 1);
}

static void refused_connections_are_told_once(void **state)
{
	struct stage *s = *state;
	struct bgp_peer_conf conf = conf_of(s);

	close(s->listener);
	s->listener = -1;
	set_peer(s, &conf, BGP_PEER_ADDED);
	run_until(s, BGP_EVENT_FAILED);
	assert_string_equal(s->reason, "connect: Connection refused");
	run_for(s, DUR_MS(500));
	assert_int_equal(s->count[BGP_EVENT_FAILED], 1);
}

static void confs_are_checked(void **state)
{
	struct stage *s = *state;
	struct bgp_peer_conf conf = conf_of(s);
	struct err e;

	conf.hold_s = 2;
	assert_int_equal(bgp_speaker_peer_set(s->sp, &conf, &e), -ERR_CONFIG);
	conf = conf_of(s);
	conf.addr = ip("fe80::1");
	assert_int_equal(bgp_speaker_peer_set(s->sp, &conf, &e), -ERR_CONFIG);
	conf = conf_of(s);
	conf.peer_as = 0;
	assert_int_equal(bgp_speaker_peer_set(s->sp, &conf, &e), -ERR_CONFIG);
	assert_string_equal(e.text, "peer tor-1: AS 0 is reserved");
	conf = conf_of(s);
	conf.source = ip("2001:db8::1");
	assert_int_equal(bgp_speaker_peer_set(s->sp, &conf, &e), -ERR_CONFIG);
	size_t at = 0;
	struct bgp_peer_status status;
	assert_false(bgp_speaker_next(s->sp, &at, &status));
}

static void metrics_have_their_names(void **state)
{
	struct stage *s = *state;
	struct buf text = { 0 };
	struct metric_writer w = { &text };
	char line[128];

	bring_up(s);
	set_route(s, "192.0.2.10/32");
	run_for(s, DUR_MS(20));
	bgp_speaker_collect(s->sp, &w);
	snprintf(line, sizeof(line), "metallb_bgp_session_up{peer=\"127.0.0.1:%u\"} 1\n", s->port);
	assert_non_null(strstr(buf_text(&text), line));
	snprintf(line, sizeof(line),
		 "metallb_bgp_announced_prefixes_total{peer=\"127.0.0.1:%u\"} 1\n", s->port);
	assert_non_null(strstr(buf_text(&text), line));
	buf_fini(&text);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(routes_arrive_at_the_end_of_the_turn),
		TEST(routes_wait_for_the_keepalive),
		TEST(wishes_outlive_the_session),
		TEST(changes_of_configuration),
		TEST(removal_says_so),
		TEST(notification_survives_unread_input),
		TEST(shutdown_ends_with_an_event),
		TEST(shutdown_does_not_wait_for_ever),
		TEST(shutdown_without_sessions),
		TEST(a_pause_of_ours_is_not_the_peers_silence),
		TEST(by_hand),
		TEST(by_hand_while_all_are_retired),
		TEST(notifications_are_told),
		TEST(refused_connections_are_told_once),
		TEST(confs_are_checked),
		TEST(metrics_have_their_names),
	};

	return cmocka_run_group_tests_name("bgp speaker", tests, NULL, NULL);
}
