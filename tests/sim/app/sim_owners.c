/*
 * Who owns an address, found by several nodes that hear of each other late: the real world, plan, share and quorum of each,
 * over a network that loses, delays, doubles and reorders what they say, and is cut in two (in one direction too), with nodes that freeze, die, start again
 * (at once too), and whose health checks fail. Whoever is there is told by an oracle, in place of gossip. After each event, and
 * some quiet, or after many without any, the owners are what the settings promise:
 *
 *   as it comes      one in each part
 *   preempt: false   one in each part; and who has it in an undivided network keeps it while it lives and serves
 *   quorum: true     one in the larger part, none in the smaller
 */
#include "base/list.h"
#include "base/rng.h"
#include "sim/app/elector.h"
#include "sim/runs.h"

enum {
	NODES_MAX = 50,
	STEP_MS = 10,
	LATE_MS = 200,
	ALONE_MS = 1000,
	SYNC_MS = 500,
	MAIL_MAX_MS = 300, /* under way */
	FANOUT = 6,	   /* of a message: who hears news tells others */
	ORDERLY_MAX = 7,
};

struct sim;

struct node {
	struct elector e;
	struct sim *sim;
	int at;
	char name[16];
	bool runs, frozen;
	bool serves; /* as its health check says */
	unsigned lives;
	bool sees[NODES_MAX];
	int differs_since[NODES_MAX];
	bool first; /* in rank, by that plan */
	bool owns;
	int alone_until; /* it claims nothing before */
	int next_sync;
};

struct mail {
	struct list link;
	int to;
	unsigned to_life;
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
	bool one_way;		/* what side 1 says is heard on the other: it dies all the same */
	unsigned loss, doubled; /* of a hundred */
	struct rng rng;
	struct list mail;
};

static bool works(const struct node *n)
{
	return n->runs && !n->frozen;
}

static bool reaches(const struct sim *s, int from, int to)
{
	return works(&s->nodes[from]) && works(&s->nodes[to]) && s->side[from] == s->side[to];
}

static bool happens(struct sim *s, unsigned of_a_hundred)
{
	return of_a_hundred && rng_below(&s->rng, 100) < of_a_hundred;
}

/* --- what the parts of a node say to each other, as src/app has it --- */

static void mail_send(struct sim *s, int to, const void *bytes, size_t len)
{
	for (int copies = 1 + happens(s, s->doubled); copies > 0; copies--) {
		struct mail *m;

		if (happens(s, s->loss))
			continue;
		m = mem_new(struct mail);
		m->to = to;
		m->to_life = s->nodes[to].lives;
		m->at = s->now + (int)rng_below(&s->rng, MAIL_MAX_MS);
		m->len = len;
		memcpy(m->text, bytes, len);
		list_append(&s->mail, &m->link);
	}
}

static void on_broadcast(void *ctx, const void *bytes, size_t len)
{
	struct node *n = ctx;
	struct sim *s = n->sim;
	int first = (int)rng_below(&s->rng, (uint64_t)s->n);

	for (int k = 0, told = 0; k < s->n && told < FANOUT; k++) {
		int to = (first + k) % s->n;

		if (to == n->at || (!n->sees[to] && !s->one_way))
			continue;
		told++;
		if (s->side[to] == s->side[n->at] || (s->one_way && s->side[n->at]))
			mail_send(s, to, bytes, len);
	}
}

/* --- the life of a node --- */

/* Milliseconds of a wall clock that somebody sets now and then: it numbers the starts of a node. */
static uint64_t wall_clock(struct sim *s)
{
	uint64_t back = rng_below(&s->rng, 4) ? 0 : rng_below(&s->rng, 100000);

	return 1000000 + (uint64_t)s->now - back;
}

static void node_start(struct sim *s, int i)
{
	struct node *n = &s->nodes[i];
	unsigned lives = n->lives + 1;

	*n = (struct node){ .sim = s, .at = i, .runs = true, .serves = true, .lives = lives };
	(void)snprintf(n->name, sizeof(n->name), "n%d", i);
	n->alone_until = s->now + ALONE_MS;
	n->next_sync = s->now;
	elector_start(&n->e, &s->scene.cfg, (unsigned)i, n->name, wall_clock(s), on_broadcast);
}

static void node_end(struct node *n)
{
	n->runs = n->frozen = n->owns = false;
	elector_end(&n->e);
}

static void member_joins(struct node *n, int j)
{
	const struct addr at = elector_addr((unsigned)j);

	elector_joined(&n->e, n->sim->nodes[j].name, &at);
	n->next_sync = n->sim->now;
}

static void member_dies(struct node *n, int j)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "n%d", j);
	elector_gone(&n->e, name, false);
}

static void node_check(struct node *n, bool serves)
{
	n->serves = serves;
	elector_check(&n->e, n->name, serves);
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

	share_write(a->e.share, &of_a);
	share_write(b->e.share, &of_b);
	(void)share_read(a->e.share, rd_from(of_b.p, of_b.len));
	(void)share_read(b->e.share, rd_from(of_a.p, of_a.len));
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
	struct plan *p = plan_service(n->e.w, "web", n->name);

	n->first = p->owner;
	n->e.planned = true;
	plan_free(p);
}

static void decide(struct sim *s, struct node *n)
{
	bool before = n->owns;

	if (!n->e.planned)
		plan_now(n);
	n->owns = n->first && s->now >= n->alone_until;
	if (n->owns == before)
		return;
	share_hold(n->e.share, "web", n->owns && !s->scene.cfg.l2.preempt);
	share_flush(n->e.share);
}

/* What is for a frozen node waits; what is news is passed on. */
static void deliver(struct sim *s)
{
	struct mail *m;

	LIST_EACH (m, &s->mail, link) {
		struct node *to = &s->nodes[m->to];
		bool is_lost = !to->runs || m->to_life != to->lives;

		if (m->at > s->now || (to->frozen && !is_lost))
			continue;
		list_remove(&m->link);
		if (!is_lost && share_read(to->e.share, rd_from(m->text, m->len)))
			on_broadcast(to, m->text, m->len);
		free(m);
	}
}

static void node_step(struct sim *s, struct node *n)
{
	for (int j = 0; j < s->n; j++)
		if (j != n->at)
			look_at(s, n, j);
	sync_one(s, n);
	decide(s, n);
}

static void run(struct sim *s, int ms)
{
	for (int end = s->now + ms; s->now < end; s->now += STEP_MS) {
		deliver(s);
		for (int i = 0; i < s->n; i++)
			if (works(&s->nodes[i]))
				node_step(s, &s->nodes[i]);
	}
}

/*
 * Who is there is known late, the last one to start waits for a word or until it has been alone; what was lost spreads with
 * push/pulls, each of which may meet one who knows it already, so that some more rounds are allowed than doubling takes.
 */
static int bound_ms(const struct sim *s)
{
	int rounds = 6;

	for (int known = 1; known < s->n; known *= 2)
		rounds++;
	return LATE_MS + ALONE_MS + MAIL_MAX_MS + rounds * (SYNC_MS * 3 / 2);
}

/* --- what must be so --- */

/* Of those who work on one side; *@able: they can serve. */
static int owners_on(const struct sim *s, int side, int *present, int *able, int *which)
{
	int owners = 0;

	*present = *able = 0;
	for (int i = 0; i < s->n; i++) {
		const struct node *n = &s->nodes[i];

		if (!works(n) || s->side[i] != side)
			continue;
		++*present;
		*able += n->serves;
		owners += n->owns;
		if (n->owns)
			*which = i;
	}
	return owners;
}

static bool is_right(const struct sim *s, int *which)
{
	bool quorum = s->scene.cfg.cluster.quorum;
	int all = 0;

	for (int side = 0; side < 2; side++) {
		int present, able, owners = owners_on(s, side, &present, &able, which);

		all += owners;
		if ((!quorum || 2 * present > s->n) && owners != (able > 0))
			return false;
		if (quorum && 2 * present < s->n && owners != 0)
			return false;
	}
	return !quorum || all <= 1;
}

/* Settled is what stays so. */
static int settle(struct sim *s)
{
	int began = s->now, bound = bound_ms(s), last_bad = s->now, which = -1;

	while (s->now - began < bound) {
		if (!is_right(s, &which))
			last_bad = s->now + STEP_MS;
		run(s, STEP_MS);
	}
	sim_settled((last_bad - began) / 1000.0, bound / 1000.0);
	which = -1;
	assert_true(is_right(s, &which));
	return which;
}

/* Who stands still is a part of its own. */
static bool is_divided(const struct sim *s)
{
	for (int i = 0; i < s->n; i++)
		if (s->side[i] != s->side[0] || s->nodes[i].frozen)
			return true;
	return false;
}

/* --- what happens --- */

static void to_one_that_works(struct sim *s, struct node *n)
{
	switch (rng_below(&s->rng, 5)) {
	case 0:
		node_end(n);
		break;
	case 1: /* before anybody can miss it */
		node_end(n);
		node_start(s, n->at);
		break;
	case 2:
		n->frozen = true;
		break;
	default:
		node_check(n, !n->serves || rng_below(&s->rng, 4) == 0);
	}
}

static void to_a_node(struct sim *s, struct node *n)
{
	if (works(n))
		to_one_that_works(s, n);
	else if (!n->runs)
		node_start(s, n->at);
	else if (rng_below(&s->rng, 4))
		n->frozen = false;
	else
		node_end(n);
}

static void happen(struct sim *s)
{
	switch (rng_below(&s->rng, 5)) {
	case 0:
		for (int k = 0; k < s->n; k++)
			s->side[k] = (uint8_t)rng_below(&s->rng, 2);
		s->one_way = rng_below(&s->rng, 3) == 0;
		break;
	case 1:
		memset(s->side, 0, sizeof(s->side));
		break;
	default:
		to_a_node(s, &s->nodes[rng_below(&s->rng, (uint64_t)s->n)]);
	}
}

static struct sim *sim_new(unsigned n, uint64_t seed)
{
	struct sim *s = mem_new(struct sim);

	s->n = (int)n;
	list_init(&s->mail);
	rng_seed(&s->rng, seed);
	scene_init(&s->scene);
	s->scene.cfg.cluster.enabled = true;
	for (int i = 0; i < s->n; i++)
		s->join[i] = (struct cfg_endpoint){ .addr = elector_addr((unsigned)i) };
	s->scene.cfg.cluster.join = s->join;
	s->scene.cfg.cluster.n_join = (size_t)n;
	return s;
}

static void start_all(struct sim *s)
{
	int within = s->n > ORDERLY_MAX ? 60 : 600;

	for (int i = 0; i < s->n; i++) {
		node_start(s, i);
		run(s, (int)rng_below(&s->rng, (uint64_t)within));
	}
}

static void sim_free(struct sim *s)
{
	struct mail *m;

	LIST_EACH (m, &s->mail, link)
		free(m);
	for (int i = 0; i < s->n; i++)
		if (s->nodes[i].runs)
			node_end(&s->nodes[i]);
	scene_fini(&s->scene);
	free(s);
}

/* Quiet after each event: then what is so before tells what must be so after. */
static void orderly(uint64_t seed, unsigned n, bool preempt, bool quorum)
{
	struct sim *s = sim_new(2 + (unsigned)(seed % (n - 1)), seed);
	int owner = -1;

	s->scene.cfg.l2.preempt = preempt;
	s->scene.cfg.cluster.quorum = quorum;
	start_all(s);
	for (int e = 0; e < 8; e++) {
		bool was_divided = is_divided(s);
		unsigned lives = owner >= 0 ? s->nodes[owner].lives : 0;
		int which;

		s->loss = (unsigned)rng_below(&s->rng, 60);
		happen(s);
		which = settle(s);
		if (!preempt && !quorum && owner >= 0 && !was_divided && !is_divided(s) &&
		    works(&s->nodes[owner]) && s->nodes[owner].serves &&
		    s->nodes[owner].lives == lives)
			assert_int_equal(which, owner);
		owner = is_divided(s) ? -1 : which;
	}
	sim_free(s);
}

/* One after another, with hardly any quiet. Deaths, freezes, a cut and failed checks stay. */
static void any_order(uint64_t seed, unsigned n)
{
	struct sim *s = sim_new(n, seed);

	s->scene.cfg.l2.preempt = rng_below(&s->rng, 2);
	s->scene.cfg.cluster.quorum = rng_below(&s->rng, 2);
	start_all(s);
	for (uint64_t events = rng_below(&s->rng, 20); events > 0; events--) {
		s->loss = (unsigned)rng_below(&s->rng, 60);
		s->doubled = (unsigned)rng_below(&s->rng, 20);
		happen(s);
		run(s, (int)rng_below(&s->rng, rng_below(&s->rng, 2) ? 1500 : 50));
	}
	s->loss = s->doubled = 0;
	s->one_way = false;
	(void)settle(s);
	sim_free(s);
}

static void as_it_comes(uint64_t seed, unsigned n)
{
	orderly(seed, n, true, false);
}

static void without_preemption(uint64_t seed, unsigned n)
{
	orderly(seed, n, false, false);
}

static void with_quorum(uint64_t seed, unsigned n)
{
	orderly(seed, n, true, true);
}

static void with_both(uint64_t seed, unsigned n)
{
	orderly(seed, n, false, true);
}

int main(void)
{
	static const struct sim_kind kinds[] = {
		SIM(as_it_comes, 7, 5), SIM(without_preemption, 7, 5), SIM(with_quorum, 7, 5),
		SIM(with_both, 7, 5),	SIM(any_order, 3, 20),	       SIM(any_order, 7, 5),
		SIM(any_order, 50, 1),
	};

	return SIM_MAIN("owners", kinds);
}
