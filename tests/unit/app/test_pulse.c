/*
 * What a node that goes waits for, by stand-ins for sessions and connections: three peers, all of them heard and linked.
 */
#include "app/pulse.h"

#include "support.h"

enum { A = 1, B = 2, C = 3, PEERS = 3 };

/* Stand-ins. */

static struct bfd_engine_conf sessions;
static struct mesh_io_hooks connections;
static int asked;	/* AWAY frames */
static int taken;	/* TAKEN frames */
static int counters[1]; /* somewhere to point at */

struct bfd_engine *bfd_engine_new(const struct bfd_engine_conf *conf)
{
	sessions = *conf;
	return (struct bfd_engine *)counters;
}

struct bfd_engine *bfd_engine_free(struct bfd_engine *e)
{
	(void)e;
	return NULL;
}

const struct bfd_table *bfd_engine_apply(struct bfd_engine *e, const struct bfd_table *t)
{
	(void)e;
	return t;
}

bool bfd_engine_heard(struct bfd_engine *e, uint32_t id, struct mono *out)
{
	(void)e, (void)id, (void)out;
	return false;
}

bool bfd_engine_is_idle(const struct bfd_engine *e)
{
	(void)e;
	return true;
}

const struct bfd_counters *bfd_engine_counters(const struct bfd_engine *e)
{
	(void)e;
	return NULL;
}

struct mesh_io *mesh_io_new(const struct mesh_io_conf *conf)
{
	connections = conf->hooks;
	return (struct mesh_io *)counters;
}

struct mesh_io *mesh_io_free(struct mesh_io *io)
{
	(void)io;
	return NULL;
}

void mesh_io_set_peers(struct mesh_io *io, const struct mesh_peer *peers, size_t n)
{
	(void)io, (void)peers, (void)n;
}

void mesh_io_want(struct mesh_io *io, uint16_t id, bool wanted)
{
	(void)io, (void)id, (void)wanted;
}

int mesh_io_listen_errno(const struct mesh_io *io)
{
	(void)io;
	return 0;
}

bool mesh_io_send(struct mesh_io *io, uint16_t id, const struct mesh_frame *f)
{
	(void)io, (void)id;
	asked += f->type == MESH_AWAY;
	taken += f->type == MESH_TAKEN;
	return true;
}

/* One node, and what it was told. */

struct rig {
	struct loop *loop;
	struct pulse *p;
	struct pulse_table table;
	int handed;
	int verdicts;
};

static void on_bar(void *ctx, uint16_t id, bool barred)
{
	(void)ctx, (void)id, (void)barred;
}

static void on_returned(void *ctx, uint16_t id)
{
	(void)ctx, (void)id;
}

static void on_event(void *ctx, const struct pulse_event *ev)
{
	struct rig *r = ctx;

	r->handed += ev->kind == PULSE_HANDED;
	r->verdicts += ev->kind == PULSE_VERDICT;
}

static void session(const struct rig *r, uint16_t id, enum bfd_state before, enum bfd_state after)
{
	struct bfd_event ev = { .id = id,
				.change = { .old_state = before,
					    .new_state = after,
					    .local_diag = after == BFD_UP ? BFD_DIAG_NONE
									  : BFD_DIAG_EXPIRED } };

	sessions.event(sessions.ctx, &ev);
	loop_advance(r->loop, DUR_NS(0));
}

static struct rig *rig_new(void)
{
	static const char *const names[] = { "a", "b", "c" };
	struct rig *r = mem_new(struct rig);

	asked = taken = 0;
	r->loop = loop_new_virtual();
	r->p = pulse_new(&(struct pulse_conf){ .loop = r->loop,
					       .name = "me",
					       .bar = on_bar,
					       .returned = on_returned,
					       .event = on_event,
					       .ctx = r });
	r->table = (struct pulse_table){
		.n = PEERS, .trusted = true, .interval = DUR_MS(50), .multiplier = 3
	};
	for (size_t i = 0; i < PEERS; i++)
		r->table.peers[i] = (struct mesh_peer){ .id = (uint16_t)(A + i), .name = names[i] };
	(void)pulse_apply(r->p, &r->table);
	for (uint16_t id = A; id <= C; id++) {
		pulse_gossip(r->p, id, true);
		session(r, id, BFD_INIT, BFD_UP);
	}
	return r;
}

static void rig_free(struct rig *r)
{
	(void)pulse_apply(r->p, NULL);
	pulse_free(r->p);
	loop_free(r->loop);
	free(r);
}

static void takes(const struct rig *r, uint16_t id)
{
	connections.frame(connections.ctx, id, &(struct mesh_frame){ .type = MESH_TAKEN });
	loop_advance(r->loop, DUR_NS(0));
}

static void dies(const struct rig *r, uint16_t id)
{
	session(r, id, BFD_UP, BFD_DOWN);
}

static void all_have_taken(void **state)
{
	struct rig *r = rig_new();
	(void)state;

	pulse_away(r->p, true);
	assert_int_equal(asked, PEERS);
	takes(r, A);
	takes(r, B);
	assert_int_equal(r->handed, 0);
	takes(r, C);
	assert_int_equal(r->handed, 1);
	rig_free(r);
}

static void who_says_it_twice_counts_once(void **state)
{
	struct rig *r = rig_new();
	(void)state;

	pulse_away(r->p, true);
	takes(r, A);
	takes(r, A);
	takes(r, B);
	assert_int_equal(r->handed, 0);
	takes(r, C);
	takes(r, C);
	assert_int_equal(r->handed, 1);
	rig_free(r);
}

/* What it was to take is taken by others, who may find out a heartbeat later than this node. */
static void who_dies_is_not_waited_for(void **state)
{
	struct rig *r = rig_new();
	(void)state;

	pulse_away(r->p, true);
	takes(r, B);
	takes(r, C);
	dies(r, A);
	assert_int_equal(r->verdicts, 1);
	assert_int_equal(r->handed, 0);
	loop_advance(r->loop, DUR_MS(49));
	assert_int_equal(r->handed, 0);
	loop_advance(r->loop, DUR_MS(1));
	assert_int_equal(r->handed, 1);
	rig_free(r);
}

static void the_others_are_waited_for_all_the_same(void **state)
{
	struct rig *r = rig_new();
	(void)state;

	pulse_away(r->p, true);
	takes(r, B);
	dies(r, A);
	loop_advance(r->loop, DUR_S(1));
	assert_int_equal(r->handed, 0);
	takes(r, C);
	assert_int_equal(r->handed, 1);
	rig_free(r);
}

static void who_stays_hands_nothing_over(void **state)
{
	struct rig *r = rig_new();
	(void)state;

	pulse_away(r->p, true);
	takes(r, B);
	pulse_away(r->p, false);
	takes(r, A);
	takes(r, C);
	dies(r, A);
	loop_advance(r->loop, DUR_S(1));
	assert_int_equal(r->handed, 0);
	rig_free(r);
}

/* What it says while a connection is broken is lost. */
static void who_is_back_says_so_to_each_that_connects(void **state)
{
	struct rig *r = rig_new();
	(void)state;

	pulse_away(r->p, true);
	connections.linked(connections.ctx, A, false);
	pulse_away(r->p, false);
	asked = 0;
	connections.linked(connections.ctx, A, true);
	assert_int_equal(asked, 1);
	rig_free(r);
}

/* Who goes waits for that word. */
static void who_takes_says_so(void **state)
{
	struct rig *r = rig_new();
	(void)state;

	pulse_left(r->p, A, true);
	assert_int_equal(taken, 1);
	pulse_left(r->p, A, false);
	assert_int_equal(taken, 1);
	rig_free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_have_taken),
		cmocka_unit_test(who_says_it_twice_counts_once),
		cmocka_unit_test(who_dies_is_not_waited_for),
		cmocka_unit_test(the_others_are_waited_for_all_the_same),
		cmocka_unit_test(who_stays_hands_nothing_over),
		cmocka_unit_test(who_is_back_says_so_to_each_that_connects),
		cmocka_unit_test(who_takes_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
