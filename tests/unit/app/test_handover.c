#include "app/handover.h"

#include "app/packet.h"
#include "app/planner.h"
#include "support.h"

/* What the handover does, by stand-ins for its neighbours: one address, of a service that "a" has and we are next for. */

static const struct plan_candidate order[] = { { .node = "a" }, { .node = "me" } };
static struct plan_l2 address = { .succession = order, .n_succession = ARRAY_LEN(order) };
static const struct plan one = { .l2 = &address, .n_l2 = 1 };

static int prepared;  /* how often, less how often it was undone */
static bool is_there; /* the address, on its link */
static int left;      /* how often the packet thread was told so */
static bool is_left;
static bool is_away; /* so the packet thread was told */

const struct plan *planner_next(const struct planner *p, size_t *at)
{
	(void)p;
	return (*at)++ == 0 ? &one : NULL;
}

void binding_prepare(struct binding *b, const struct addr *addr, bool prepare)
{
	(void)b, (void)addr;
	prepared += prepare ? 1 : -1;
}

bool binding_is_settled(const struct binding *b, const struct addr *addr)
{
	(void)b, (void)addr;
	return is_there;
}

bool mesh_is_out(const struct mesh *m, const char *node)
{
	(void)m, (void)node;
	return false;
}

bool mesh_trusted(const struct mesh *m)
{
	(void)m;
	return true;
}

struct dur mesh_detection(const struct mesh *m)
{
	(void)m;
	return DUR_MS(150);
}

void packet_set_left(struct packet *p, uint16_t id, bool is)
{
	(void)p, (void)id;
	left += is;
	is_left = is;
}

void packet_set_away(struct packet *p, bool away)
{
	(void)p;
	is_away = away;
}

struct rig {
	struct loop *loop;
	struct world *world;
	struct node_ids *ids;
	struct handover *h;
	uint16_t a;
};

static struct rig rig_new(void)
{
	struct rig r = { .loop = loop_new_virtual(),
			 .world = world_new("me"),
			 .ids = node_ids_new() };

	prepared = left = 0;
	is_there = is_left = false;
	assert_int_equal(node_ids_of(r.ids, "a", &r.a), 0);
	world_node_set(r.world, &(struct world_node){ .name = "a", .alive = true });
	r.h = handover_new(
		&(struct handover_conf){ .loop = r.loop, .world = r.world, .ids = r.ids });
	return r;
}

static void rig_free(struct rig *r)
{
	handover_free(r->h);
	node_ids_free(r->ids);
	world_free(r->world);
	loop_free(r->loop);
}

static void says(const struct rig *r, bool away)
{
	handover_on_event(r->h,
			  &(struct pulse_event){ .kind = PULSE_AWAY, .id = r->a, .away = away });
}

static void taken_when_it_is_there(void **state)
{
	struct rig r = rig_new();
	(void)state;

	says(&r, true);
	loop_advance(r.loop, DUR_MS(5));
	assert_int_equal(prepared, 1);
	assert_false(is_left);
	is_there = true;
	loop_advance(r.loop, DUR_MS(5));
	assert_true(is_left);
	loop_advance(r.loop, DUR_S(2)); /* by now it is held for its own sake, or it is not ours */
	assert_int_equal(prepared, 0);
	rig_free(&r);
}

static void taken_without_when_that_takes_too_long(void **state)
{
	struct rig r = rig_new();
	(void)state;

	says(&r, true);
	loop_advance(r.loop, DUR_MS(100));
	assert_true(is_left);
	rig_free(&r);
}

/* A new connection says again what the one before said. */
static void said_twice_is_done_once(void **state)
{
	struct rig r = rig_new();
	(void)state;

	says(&r, true);
	says(&r, true);
	assert_int_equal(prepared, 1);
	loop_advance(r.loop, DUR_S(2));
	assert_int_equal(left, 1);
	assert_int_equal(prepared, 0);
	rig_free(&r);
}

/* Two that answer for one address would be the end of it. */
static void not_taken_from_who_is_back(void **state)
{
	struct rig r = rig_new();
	(void)state;

	says(&r, true);
	loop_advance(r.loop, DUR_MS(5));
	says(&r, false);
	assert_int_equal(prepared, 0);
	is_there = true;
	loop_advance(r.loop, DUR_S(2));
	assert_int_equal(left, 0);
	says(&r, true); /* the next time counts */
	assert_true(is_left);
	says(&r, false);
	assert_false(is_left);
	rig_free(&r);
}

/* It may be started again and go once more without a word in between. */
static void who_has_died_may_leave_again(void **state)
{
	struct rig r = rig_new();
	(void)state;

	is_there = true;
	says(&r, true);
	assert_true(is_left);
	handover_on_event(r.h, &(struct pulse_event){
				       .kind = PULSE_VERDICT, .id = r.a, .state = LIVENESS_LEFT });
	assert_true(is_left);
	handover_on_event(r.h, &(struct pulse_event){
				       .kind = PULSE_VERDICT, .id = r.a, .state = LIVENESS_DEAD });
	assert_false(is_left);
	rig_free(&r);
}

/* The others let go at once: what is ours has to be known by then. */
static struct rig returning(void)
{
	struct rig r = rig_new();

	handover_attach(r.h, (struct packet *)(void *)&is_away); /* its doors are replaced here */
	is_away = true;
	handover_return(r.h);
	assert_true(is_away);
	return r;
}

static void back_when_a_table_says_what_is_ours(void **state)
{
	struct rig r = returning();
	(void)state;

	handover_on_table(r.h);
	assert_false(is_away);
	rig_free(&r);
}

static void back_without_a_table_when_that_takes_too_long(void **state)
{
	struct rig r = returning();
	(void)state;

	loop_advance(r.loop, DUR_S(1));
	assert_false(is_away);
	rig_free(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_when_it_is_there),
		cmocka_unit_test(taken_without_when_that_takes_too_long),
		cmocka_unit_test(said_twice_is_done_once),
		cmocka_unit_test(not_taken_from_who_is_back),
		cmocka_unit_test(who_has_died_may_leave_again),
		cmocka_unit_test(back_when_a_table_says_what_is_ours),
		cmocka_unit_test(back_without_a_table_when_that_takes_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
