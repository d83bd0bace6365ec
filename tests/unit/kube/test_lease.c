#include "kube/lease.h"

#include <stdio.h>
#include <string.h>

#include "support.h"

/* The API as far as one Lease goes: versions, conflicts; and two who want it, with a clock that we move. */
struct server {
	json_t *lease;
	int version;
	bool away;
};

struct candidate {
	struct kube_lease l;
	bool cut_off;	  /* from the server */
	bool lose_answer; /* of the next write, which is carried out */
};

static const struct kube_lease_conf conf = { .duration = { 15000000000 },
					     .renew_within = { 10000000000 },
					     .retry = { 2000000000 },
					     .seed = 7 };

static void candidate_init(struct candidate *c, const char *me, struct mono now)
{
	struct kube_lease_conf own = conf;

	own.me = me;
	*c = (struct candidate){ 0 };
	kube_lease_init(&c->l, &own, now);
}

static const char *version_of(const json_t *lease)
{
	return json_string_value(
		json_object_get(json_object_get(lease, "metadata"), "resourceVersion"));
}

/* Returns the HTTP status. */
static int server_write(struct server *s, const json_t *body, bool create)
{
	char text[16];
	const char *based_on = version_of(body);

	if (create && s->lease)
		return 409;
	if (!create && (!s->lease || !based_on || strcmp(based_on, version_of(s->lease)) != 0))
		return s->lease ? 409 : 404;
	(void)snprintf(text, sizeof(text), "%d", ++s->version);
	json_decref(s->lease);
	s->lease = json_deep_copy(body);
	json_object_set_new(json_object_get(s->lease, "metadata"), "resourceVersion",
			    json_string(text));
	return 200;
}

/* One step of a candidate that is due. */
static void step(struct candidate *c, struct server *s, struct mono now)
{
	char wall[40];
	int status = s->lease ? 200 : 404;

	(void)snprintf(wall, sizeof(wall), "%lld", (long long)now.ns);
	if (c->l.step != KUBE_LEASE_READ) {
		json_t *body = kube_lease_body(&c->l, wall, now);

		status = c->cut_off || s->away
				 ? 0
				 : server_write(s, body, c->l.step == KUBE_LEASE_CREATE);
		json_decref(body);
		if (c->lose_answer)
			status = 0;
		c->lose_answer = false;
	} else if (c->cut_off || s->away) {
		status = 0;
	}
	if (status == 200)
		kube_lease_answer(&c->l, s->lease, now);
	else
		kube_lease_refused(&c->l, status, now);
}

/* Time goes on; at no instant do both hold it. */
static void run(struct candidate *a, struct candidate *b, struct server *s, struct mono *now,
		struct dur d)
{
	struct mono end = mono_add(*now, d);

	for (; mono_before(*now, end); *now = mono_add(*now, DUR_MS(50))) {
		if (!mono_before(*now, kube_lease_deadline(&a->l)))
			step(a, s, *now);
		if (!mono_before(*now, kube_lease_deadline(&b->l)))
			step(b, s, *now);
		assert_false(kube_lease_is_ours(&a->l, *now) && kube_lease_is_ours(&b->l, *now));
	}
}

struct scene {
	struct candidate a, b;
	struct server s;
	struct mono now;
};

static void scene_init(struct scene *x)
{
	*x = (struct scene){ .now = { DUR_S(100).ns } };
	candidate_init(&x->a, "a", x->now);
	candidate_init(&x->b, "b", x->now);
	run(&x->a, &x->b, &x->s, &x->now, DUR_S(3));
	assert_true(kube_lease_is_ours(&x->a.l, x->now));
}

static void scene_fini(struct scene *x)
{
	kube_lease_fini(&x->a.l);
	kube_lease_fini(&x->b.l);
	json_decref(x->s.lease);
}

static json_int_t transitions(const struct scene *x)
{
	return json_integer_value(
		json_object_get(json_object_get(x->s.lease, "spec"), "leaseTransitions"));
}

static void first_comes_first(void **state)
{
	struct scene x;

	(void)state;
	scene_init(&x);
	run(&x.a, &x.b, &x.s, &x.now, DUR_S(300));
	assert_true(kube_lease_is_ours(&x.a.l, x.now));
	assert_int_equal(transitions(&x), 0);
	scene_fini(&x);
}

static void the_dead_are_followed(void **state)
{
	struct scene x;

	(void)state;
	scene_init(&x);
	x.a.cut_off = true;
	run(&x.a, &x.b, &x.s, &x.now, DUR_S(10));
	assert_false(kube_lease_is_ours(&x.b.l, x.now));
	run(&x.a, &x.b, &x.s, &x.now, DUR_S(10));
	assert_true(kube_lease_is_ours(&x.b.l, x.now));
	assert_false(kube_lease_is_ours(&x.a.l, x.now));
	assert_int_equal(transitions(&x), 1);
	/* Who comes back has to wait. */
	x.a.cut_off = false;
	run(&x.a, &x.b, &x.s, &x.now, DUR_S(60));
	assert_true(kube_lease_is_ours(&x.b.l, x.now));
	scene_fini(&x);
}

static void nobody_holds_it_while_the_server_is_away(void **state)
{
	struct scene x;

	(void)state;
	scene_init(&x);
	x.s.away = true;
	run(&x.a, &x.b, &x.s, &x.now, DUR_S(8));
	assert_true(kube_lease_is_ours(&x.a.l, x.now)); /* for as long as it may */
	run(&x.a, &x.b, &x.s, &x.now, DUR_S(60));
	assert_false(kube_lease_is_ours(&x.a.l, x.now));
	assert_false(kube_lease_is_ours(&x.b.l, x.now));
	x.s.away = false;
	run(&x.a, &x.b, &x.s, &x.now, DUR_S(20));
	assert_true(kube_lease_is_ours(&x.a.l, x.now) || kube_lease_is_ours(&x.b.l, x.now));
	scene_fini(&x);
}

static void a_lost_answer_is_no_loss(void **state)
{
	struct scene x;

	(void)state;
	scene_init(&x);
	for (int i = 0; i < 5; i++) {
		x.a.lose_answer = true;
		run(&x.a, &x.b, &x.s, &x.now, DUR_S(5));
		assert_true(kube_lease_is_ours(&x.a.l, x.now));
	}
	scene_fini(&x);
}

static void what_is_let_go_of_is_taken_at_once(void **state)
{
	struct scene x;

	(void)state;
	scene_init(&x);
	json_t *body = kube_lease_release_body(&x.a.l, "now");
	assert_int_equal(server_write(&x.s, body, false), 200);
	json_decref(body);
	x.a.l.held = false;
	x.a.cut_off = true;
	run(&x.a, &x.b, &x.s, &x.now, DUR_S(3));
	assert_true(kube_lease_is_ours(&x.b.l, x.now));
	scene_fini(&x);
}

static void a_lease_that_was_deleted_is_made_anew(void **state)
{
	struct scene x;

	(void)state;
	scene_init(&x);
	json_decref(x.s.lease);
	x.s.lease = NULL;
	run(&x.a, &x.b, &x.s, &x.now, DUR_S(20));
	assert_non_null(x.s.lease);
	assert_true(kube_lease_is_ours(&x.a.l, x.now) || kube_lease_is_ours(&x.b.l, x.now));
	scene_fini(&x);
}

/* Somebody wrote nonsense into it. */
static void nonsense_is_survived(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"spec\": 1}",
		"{\"spec\": {\"holderIdentity\": \"x\", \"leaseDurationSeconds\": -5}}",
		"{\"spec\": {\"holderIdentity\": 7}}",
	};
	struct mono now = { DUR_S(1).ns };
	struct candidate c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		json_t *lease = json_loads(texts[i], 0, NULL);

		candidate_init(&c, "a", now);
		kube_lease_answer(&c.l, lease, now);
		assert_false(kube_lease_is_ours(&c.l, now));
		json_decref(lease);
		kube_lease_fini(&c.l);
	}
}

/* Everything that can fail does, at random; run() holds that two never hold it. */
static void never_two(void **state)
{
	struct scene x;
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	scene_init(&x);
	for (int i = 0; i < 2000; i++) {
		x.a.cut_off = rng_below(&rng, 3) == 0;
		x.b.cut_off = rng_below(&rng, 3) == 0;
		x.s.away = rng_below(&rng, 10) == 0;
		x.a.lose_answer = rng_below(&rng, 4) == 0;
		x.b.lose_answer = rng_below(&rng, 4) == 0;
		run(&x.a, &x.b, &x.s, &x.now, DUR_MS(rng_between(&rng, 100, 12000)));
	}
	scene_fini(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_comes_first),
		cmocka_unit_test(the_dead_are_followed),
		cmocka_unit_test(nobody_holds_it_while_the_server_is_away),
		cmocka_unit_test(a_lost_answer_is_no_loss),
		cmocka_unit_test(what_is_let_go_of_is_taken_at_once),
		cmocka_unit_test(a_lease_that_was_deleted_is_made_anew),
		cmocka_unit_test(nonsense_is_survived),
		cmocka_unit_test(never_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
