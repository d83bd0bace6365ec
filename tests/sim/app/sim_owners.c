/*
 * Who owns an address, found by several nodes that hear of each other late: the real world, plan, share and quorum of each,
 * over a network that loses, delays and is cut in two, with nodes that die and start again. Whoever is there is told by
 * an oracle, in place of gossip. After each event, and some quiet, the owners are what the settings promise, at a printed
 * seed:
 *
 *   as it comes      one in each part
 *   preempt: false   one in each part; and who has it in an undivided network keeps it while it lives
 *   quorum: true     one in the larger part, none in the smaller
 */
#include "app/quorum.h"
#include "app/share.h"
#include "base/rng.h"
#include "unit/plan/scene.h"

enum {
	NODES_MAX = 7,
	STEP_MS = 10,
	LATE_MS = 200,
	SYNC_MS = 500,
	SETTLE_MS = 2000,
	MAIL_MAX = 4096
};

struct sim;

struct node {
	struct sim *sim;
	int at;
	char name[16];
	bool runs;
	unsigned lives;
	bool sees[NODES_MAX];
	int differs_since[NODES_MAX];
	struct world *w;
	struct share *share;
	struct quorum *quorum;
	bool planned; /* and the world has not changed since */
	bool first;   /* in rank, by that plan */
	bool owns;
	int alone_until; /* it claims nothing before */
	int next_sync;
};

struct mail {
	int to;
	int at;
	size_t len;
	char text[SHARE_MESSAGE_MAX];
};

struct sim {
	struct scene scene;
	struct cfg_endpoint join[NODES_MAX];
	struct node nodes[NODES_MAX];
	int n;
	int now;
	uint8_t side[NODES_MAX];
	unsigned loss; /* of a hundred */
	struct rng rng;
	struct mail mail[MAIL_MAX];
	size_t n_mail;
};

static struct addr addr_of_node(int i)
{
	return addr_v4(10, 0, 0, (uint8_t)(i + 1));
}

static bool reaches(const struct sim *s, int from, int to)
{
	return s->nodes[from].runs && s->nodes[to].runs && s->side[from] == s->side[to];
}

/* --- what the parts of a node say to each other, as src/app has it --- */

static void on_broadcast(void *ctx, const void *bytes, size_t len)
{
	struct node *n = ctx;
	struct sim *s = n->sim;

	for (int to = 0; to < s->n; to++) {
		if (to == n->at || !reaches(s, n->at, to) || s->n_mail == MAIL_MAX ||
		    rng_below(&s->rng, 100) < s->loss)
			continue;
		struct mail *m = &s->mail[s->n_mail++];

		*m = (struct mail){ .to = to,
				    .at = s->now + (int)rng_below(&s->rng, 30),
				    .len = len };
		memcpy(m->text, bytes, len);
	}
}

static void on_verdict(void *ctx, const char *node, const char *service, bool servable)
{
	(void)ctx, (void)node, (void)service, (void)servable;
}

static void on_silent(void *ctx, const char *node, const char *service)
{
	(void)ctx, (void)node, (void)service;
}

static void on_host(void *ctx, const char *node, const json_t *host)
{
	(void)ctx, (void)node, (void)host;
}

static void on_holds(void *ctx, const char *node, const char *service, uint64_t term)
{
	struct node *n = ctx;
	const char *holder = share_holder(n->share, service, &term);

	(void)node;
	world_service_holder(n->w, service, holder, term);
}

static bool is_member(void *ctx, const char *node)
{
	const struct node *n = ctx;
	const struct world_node *known = world_node(n->w, node);

	return known && known->alive;
}

static json_t *no_allocations(void *ctx)
{
	(void)ctx;
	return json_array();
}

static bool merge_nothing(void *ctx, const json_t *table)
{
	(void)ctx, (void)table;
	return false;
}

static bool is_ours(void *ctx, const struct addr *a)
{
	const struct addr ours = addr_of_node(((struct node *)ctx)->at);

	return addr_eq(a, &ours);
}

static void on_change(void *ctx, enum world_change what, const char *name)
{
	(void)what, (void)name;
	((struct node *)ctx)->planned = false;
}

static void quorum_settle(struct node *n)
{
	struct world_quorum q = quorum_count(n->quorum, &n->sim->scene.cfg.cluster, is_ours, n);

	world_set_quorum(n->w, &q);
}

/* --- the life of a node --- */

static void node_start(struct sim *s, int i)
{
	struct node *n = &s->nodes[i];
	const struct addr at = addr_of_node(i);
	struct addr address = fx_addr("10.20.30.1");
	unsigned lives = n->lives + 1;

	*n = (struct node){ .sim = s, .at = i, .runs = true, .lives = lives };
	(void)snprintf(n->name, sizeof(n->name), "n%d", i);
	n->alone_until = s->now + 1000;
	n->next_sync = s->now;
	n->w = world_new(n->name);
	world_on_change(n->w, on_change, n);
	world_set_config(n->w, &s->scene.cfg);
	world_service_assign(n->w, "web", &address, 1);
	n->quorum = quorum_new();
	quorum_member(n->quorum, n->name, &at);
	n->share = share_new(n->name, lives,
			     &(struct share_hooks){ .ctx = n,
						    .broadcast = on_broadcast,
						    .verdict = on_verdict,
						    .silent = on_silent,
						    .holds = on_holds,
						    .host = on_host,
						    .is_member = is_member,
						    .allocations = no_allocations,
						    .merge_allocations = merge_nothing });
	quorum_settle(n);
}

static void node_end(struct node *n)
{
	n->runs = n->owns = false;
	n->share = share_free(n->share);
	n->quorum = quorum_free(n->quorum);
	n->w = world_free(n->w);
}

static void member_joins(struct node *n, int j)
{
	const struct addr at = addr_of_node(j);
	const struct world_node node = { .name = n->sim->nodes[j].name, .alive = true };

	world_node_set(n->w, &node);
	quorum_member(n->quorum, node.name, &at);
	quorum_settle(n);
	share_repeat(n->share);
	n->next_sync = n->sim->now;
}

static void member_dies(struct node *n, int j)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "n%d", j);
	world_node_alive(n->w, name, false);
	quorum_gone(n->quorum, name, false, (struct mono){ 0 });
	quorum_settle(n);
	share_forget(n->share, name);
}

static void look_at(struct sim *s, struct node *n, int j)
{
	bool truth = reaches(s, n->at, j);

	if (n->sees[j] == truth) {
		n->differs_since[j] = s->now;
		return;
	}
	if (s->now - n->differs_since[j] < (int)rng_below(&s->rng, LATE_MS))
		return;
	n->sees[j] = truth;
	if (truth)
		member_joins(n, j);
	else
		member_dies(n, j);
}

/* Both sides tell all that they know. */
static void sync_with(struct node *a, struct node *b)
{
	struct buf of_a = { 0 }, of_b = { 0 };

	share_write(a->share, &of_a);
	share_write(b->share, &of_b);
	(void)share_read(a->share, rd_from(of_b.p, of_b.len));
	(void)share_read(b->share, rd_from(of_a.p, of_a.len));
	buf_fini(&of_a);
	buf_fini(&of_b);
	a->alone_until = b->alone_until = 0;
}

static void sync_one(struct sim *s, struct node *n)
{
	int j = (int)rng_below(&s->rng, (uint64_t)s->n);

	if (s->now < n->next_sync)
		return;
	n->next_sync = s->now + SYNC_MS / 2 + (int)rng_below(&s->rng, SYNC_MS);
	for (int k = 0; k < s->n; k++, j = (j + 1) % s->n)
		if (j != n->at && n->sees[j] && reaches(s, n->at, j)) {
			sync_with(n, &s->nodes[j]);
			return;
		}
}

static void plan_now(struct node *n)
{
	struct plan *p = plan_service(n->w, "web", n->name);

	n->first = p->owner;
	n->planned = true;
	plan_free(p);
}

static void decide(struct sim *s, struct node *n)
{
	bool before = n->owns;

	if (!n->planned)
		plan_now(n);
	n->owns = n->first && s->now >= n->alone_until;
	if (n->owns == before)
		return;
	share_hold(n->share, "web", n->owns && !s->scene.cfg.l2.preempt);
	share_flush(n->share);
}

static void deliver(struct sim *s)
{
	size_t kept = 0, n = s->n_mail;

	for (size_t i = 0; i < n; i++) {
		struct mail m = s->mail[i];

		if (m.at > s->now)
			s->mail[kept++] = m;
		else if (s->nodes[m.to].runs)
			(void)share_read(s->nodes[m.to].share, rd_from(m.text, m.len));
	}
	for (size_t i = n; i < s->n_mail; i++) /* sent meanwhile */
		s->mail[kept++] = s->mail[i];
	s->n_mail = kept;
}

static void run(struct sim *s, int ms)
{
	for (int end = s->now + ms; s->now < end; s->now += STEP_MS) {
		deliver(s);
		for (int i = 0; i < s->n; i++) {
			struct node *n = &s->nodes[i];

			for (int j = 0; n->runs && j < s->n; j++)
				if (j != i)
					look_at(s, n, j);
			if (n->runs) {
				sync_one(s, n);
				decide(s, n);
			}
		}
	}
}

/* --- what must be so --- */

static int owners_on(const struct sim *s, int side, int *present, int *which)
{
	int owners = 0;

	*present = 0;
	for (int i = 0; i < s->n; i++) {
		if (!s->nodes[i].runs || s->side[i] != side)
			continue;
		++*present;
		owners += s->nodes[i].owns;
		if (s->nodes[i].owns)
			*which = i;
	}
	return owners;
}

static void check(const struct sim *s, int *which)
{
	bool quorum = s->scene.cfg.cluster.quorum;
	int all = 0;

	for (int side = 0; side < 2; side++) {
		int present, owners = owners_on(s, side, &present, which);

		all += owners;
		if (!quorum || 2 * present > s->n)
			assert_int_equal(owners, present > 0);
		else if (2 * present < s->n)
			assert_int_equal(owners, 0);
	}
	if (quorum)
		assert_true(all <= 1);
}

static bool is_divided(const struct sim *s)
{
	for (int i = 1; i < s->n; i++)
		if (s->side[i] != s->side[0])
			return true;
	return false;
}

/* --- what happens --- */

static void happen(struct sim *s)
{
	struct node *n = &s->nodes[rng_below(&s->rng, (uint64_t)s->n)];

	switch (rng_below(&s->rng, 4)) {
	case 0:
		if (n->runs)
			node_end(n);
		break;
	case 1:
		if (!n->runs)
			node_start(s, n->at);
		break;
	case 2:
		for (int k = 0; k < s->n; k++)
			s->side[k] = (uint8_t)rng_below(&s->rng, 2);
		break;
	default:
		memset(s->side, 0, sizeof(s->side));
	}
}

static void sim_init(struct sim *s, int n, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->n = n;
	rng_seed(&s->rng, seed);
	scene_init(&s->scene);
	s->scene.cfg.cluster.enabled = true;
	for (int i = 0; i < n; i++)
		s->join[i] = (struct cfg_endpoint){ .addr = addr_of_node(i) };
	s->scene.cfg.cluster.join = s->join;
	s->scene.cfg.cluster.n_join = (size_t)n;
}

static void storm(int n, uint64_t seed, bool preempt, bool quorum)
{
	static struct sim s;
	int owner = -1;

	sim_init(&s, n, seed);
	s.scene.cfg.l2.preempt = preempt;
	s.scene.cfg.cluster.quorum = quorum;
	for (int i = 0; i < n; i++) {
		node_start(&s, i);
		run(&s, (int)rng_below(&s.rng, 600));
	}
	for (int e = 0; e < 8; e++) {
		bool was_divided = is_divided(&s);
		int which = -1;

		s.loss = (unsigned)rng_below(&s.rng, 60);
		happen(&s);
		run(&s, SETTLE_MS);
		check(&s, &which);
		if (!preempt && !quorum && owner >= 0 && !was_divided && !is_divided(&s) &&
		    s.nodes[owner].runs)
			assert_int_equal(which, owner);
		owner = is_divided(&s) ? -1 : which;
	}
	for (int i = 0; i < n; i++)
		if (s.nodes[i].runs)
			node_end(&s.nodes[i]);
	scene_fini(&s.scene);
}

static void storms(bool preempt, bool quorum)
{
	uint64_t seed = test_seed();

	for (uint64_t r = 0; r < 40; r++)
		storm(2 + (int)(r % (NODES_MAX - 1)), seed + r, preempt, quorum);
}

static void as_it_comes(void **state)
{
	(void)state;
	storms(true, false);
}

static void without_preemption(void **state)
{
	(void)state;
	storms(false, false);
}

static void with_quorum(void **state)
{
	(void)state;
	storms(true, true);
}

static void with_both(void **state)
{
	(void)state;
	storms(false, true);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_it_comes),
		cmocka_unit_test(without_preemption),
		cmocka_unit_test(with_quorum),
		cmocka_unit_test(with_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
