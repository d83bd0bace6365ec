/* The connections of the mesh, with the kernel's sockets: two nodes in two namespaces on one loop. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/mesh_io.h"
#include "net/tcp.h"
#include "netns.h"
#include "unit/cluster/ring.h"

enum { PORT = 7947, A = 1, B = 2, FLOOD = 20 };

/* Long enough for a machine that has other work. */
#define PATIENCE DUR_S(20)
#define LOOK	 DUR_MS(2)

struct end {
	struct mesh_io *io;
	bool linked;
	unsigned refused;
	unsigned heard[MESH_NEWS + 1]; /* frames by type */
	char text[16];
};

struct net {
	struct loop *loop;
	struct loop_timer look;
	struct mono until;
	bool (*done)(const struct net *n);
	struct end a, b;
	int ns_a, ns_b;
	int flood[FLOOD];
};

static const struct mesh_peer peer_a = { .id = A, .name = "a" }, peer_b = { .id = B, .name = "b" };

static void on_linked(void *ctx, uint16_t id, bool linked)
{
	(void)id;
	((struct end *)ctx)->linked = linked;
}

static void on_refused(void *ctx, uint16_t id)
{
	(void)id;
	((struct end *)ctx)->refused++;
}

static void on_frame(void *ctx, uint16_t id, const struct mesh_frame *f)
{
	struct end *e = ctx;

	e->heard[f->type]++;
	if (f->type == MESH_AWAY) /* its heartbeats end while it is listened to */
		mesh_io_want(e->io, id, false);
	if (f->type == MESH_NEWS && f->text.left < sizeof(e->text))
		memcpy(e->text, f->text.p, f->text.left);
}

static void look(struct loop_timer *t, struct mono now)
{
	struct net *n = CONTAINER_OF(t, struct net, look);

	if (n->done(n) || !mono_before(now, n->until))
		loop_stop(n->loop);
	else
		loop_timer_set(t, mono_add(now, LOOK));
}

static bool comes_true(struct net *n, bool (*done)(const struct net *n), struct dur within)
{
	n->done = done;
	n->until = mono_add(loop_now(n->loop), within);
	loop_timer_set(&n->look, loop_now(n->loop));
	loop_run(n->loop);
	return done(n);
}

static void end_start(struct net *n, struct end *e, const char *name, const struct mesh_peer *other,
		      const char *addr, uint8_t key)
{
	struct mesh_peer peer = *other;

	assert_int_equal(addr_parse(addr, &peer.addr), 0);
	e->io = mesh_io_new(&(struct mesh_io_conf){
		.loop = n->loop,
		.port = PORT,
		.name = name,
		.ring = one_key(key),
		.hooks = { .ctx = e,
			   .linked = on_linked,
			   .refused = on_refused,
			   .frame = on_frame },
	});
	mesh_io_set_peers(e->io, &peer, 1);
	mesh_io_want(e->io, other->id, true);
}

static void enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

static int ns_here(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* b listens in its own namespace; whoever dials does so from the one that we are in then: a's. */
static bool net_start(struct net *n, uint8_t key_b)
{
	memset(n, 0, sizeof(*n));
	if (!netns_enter())
		return false;
	n->ns_b = ns_here();
	assert_true(netns_enter());
	n->ns_a = ns_here();
	netns_run("ip link set lo up; ip link add x type veth peer name y netns /proc/%d/fd/%d",
		  getpid(), n->ns_b);
	netns_run("ip addr add 10.9.0.1/24 dev x; ip link set x up");
	enter(n->ns_b);
	netns_run("ip link set lo up; ip addr add 10.9.0.2/24 dev y; ip link set y up");
	assert_int_equal(loop_new(&n->loop, NULL), 0);
	loop_timer_init(&n->look, n->loop, look);
	end_start(n, &n->b, "b", &peer_a, "10.9.0.1", key_b);
	enter(n->ns_a);
	end_start(n, &n->a, "a", &peer_b, "10.9.0.2", 5);
	return true;
}

static void net_end(struct net *n)
{
	loop_timer_stop(&n->look);
	mesh_io_free(n->a.io);
	mesh_io_free(n->b.io);
	loop_free(n->loop);
	close(n->ns_a);
	close(n->ns_b);
}

static bool both_linked(const struct net *n)
{
	return n->a.linked && n->b.linked;
}

static bool b_heard_news(const struct net *n)
{
	return n->b.heard[MESH_NEWS] == 1;
}

static bool a_heard_answer(const struct net *n)
{
	return n->a.heard[MESH_ANSWER] == 1;
}

static bool nobody_linked(const struct net *n)
{
	return !n->a.linked && !n->b.linked;
}

static bool a_is_refused(const struct net *n)
{
	return n->a.refused > 0;
}

static void they_talk_and_part(void **state)
{
	const struct mesh_frame news = { .type = MESH_NEWS, .text = rd_from("hello", 5) };
	const struct mesh_frame answer = { .type = MESH_ANSWER, .query = 7, .yes = true };
	struct net n;

	(void)state;
	if (!net_start(&n, 5))
		skip();
	assert_true(comes_true(&n, both_linked, PATIENCE));
	assert_true(mesh_io_send(n.a.io, B, &news));
	assert_true(comes_true(&n, b_heard_news, PATIENCE));
	assert_string_equal(n.b.text, "hello");
	assert_true(mesh_io_send(n.b.io, A, &answer));
	assert_true(comes_true(&n, a_heard_answer, PATIENCE));
	mesh_io_want(n.a.io, B, false);
	assert_true(comes_true(&n, nobody_linked, PATIENCE));
	assert_false(mesh_io_send(n.a.io, B, &news));
	assert_int_equal(n.a.refused, 0);
	net_end(&n);
}

static void one_ends_while_its_frame_is_looked_at(void **state)
{
	const struct mesh_frame away = { .type = MESH_AWAY, .yes = true };
	struct net n;

	(void)state;
	if (!net_start(&n, 5))
		skip();
	assert_true(comes_true(&n, both_linked, PATIENCE));
	assert_true(mesh_io_send(n.b.io, A, &away));
	assert_true(mesh_io_send(n.b.io, A, &away)); /* comes together with the first */
	assert_true(comes_true(&n, nobody_linked, PATIENCE));
	assert_int_equal(n.a.heard[MESH_AWAY], 1);
	net_end(&n);
}

/* The end of a process is told by its kernel. */
static void the_end_of_one_is_noticed(void **state)
{
	struct net n;

	(void)state;
	if (!net_start(&n, 5))
		skip();
	assert_true(comes_true(&n, both_linked, PATIENCE));
	n.b.io = mesh_io_free(n.b.io);
	assert_true(comes_true(&n, a_is_refused, PATIENCE));
	assert_false(n.a.linked);
	assert_int_equal(n.a.refused, 1);
	net_end(&n);
}

static void another_key_never_links(void **state)
{
	struct net n;

	(void)state;
	if (!net_start(&n, 6))
		skip();
	assert_false(comes_true(&n, both_linked, DUR_MS(200)));
	assert_true(nobody_linked(&n));
	assert_int_equal(n.a.refused, 0);
	net_end(&n);
}

static bool the_first_was_ended(const struct net *n)
{
	char byte;

	for (;;) {
		ssize_t got = recv(n->flood[0], &byte, 1, MSG_DONTWAIT);

		if (got <= 0)
			return got == 0; /* or nothing yet */
	}
}

/* Who floods with connections that say nothing ends his own, and others still get in. */
static void a_flood_of_strangers_ends_the_oldest(void **state)
{
	struct tcp_conf to_a = { .port = PORT };
	struct net n;

	(void)state;
	if (!net_start(&n, 5))
		skip();
	assert_true(comes_true(&n, both_linked, PATIENCE));
	assert_int_equal(addr_parse("10.9.0.1", &to_a.peer), 0);
	for (int i = 0; i < FLOOD; i++) {
		n.flood[i] = tcp_connect(&to_a, NULL);
		assert_true(n.flood[i] >= 0);
	}
	assert_true(comes_true(&n, the_first_was_ended, PATIENCE));
	assert_true(both_linked(&n));
	for (int i = 0; i < FLOOD; i++)
		close(n.flood[i]);
	net_end(&n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_talk_and_part),
		cmocka_unit_test(one_ends_while_its_frame_is_looked_at),
		cmocka_unit_test(the_end_of_one_is_noticed),
		cmocka_unit_test(another_key_never_links),
		cmocka_unit_test(a_flood_of_strangers_ends_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
