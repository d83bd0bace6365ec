/*
 * Many liveness cores in one process, over a network that loses, delays, is cut in two, and is deaf in one direction;
 * nodes freeze and start again. Steps of a millisecond; heartbeats and detection as the mesh does them, gossip as an
 * oracle that is seconds late. After the last event each address has exactly one owner, in bounded time, at a printed
 * seed; and where every node is heard by somebody, or all stood still, nobody is ever believed dead.
 */
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "cluster/liveness.h"
#include "support.h"

enum {
	NODES_MAX = 64,
	INTERVAL = 10, /* ms */
	MULTIPLIER = 3,
	DETECT = INTERVAL * MULTIPLIER,
	GOSSIP_LATE = 600, /* ms; the real one takes longer, in the same order */
	SETTLE = 2 * GOSSIP_LATE,
	ADDRESSES = 16,
	DELAY_MAX = 8,
};

struct question {
	bool open;
	uint16_t about;
	uint32_t query;
	int at; /* when the answer arrives */
	bool heard;
};

struct node {
	struct liveness live;
	bool runs, frozen;
	int last_heard[NODES_MAX]; /* ms; -1: not since the session began */
	int woken;		   /* ms: it stood still before; silence counts from then */
	bool up[NODES_MAX];
	int arrives[NODES_MAX];		    /* a heartbeat on its way; 0: none */
	bool says_up[NODES_MAX];	    /* what that heartbeat says of us */
	int disagree[NODES_MAX];	    /* since when gossip's oracle differs */
	unsigned start;			    /* which of its lives this is */
	unsigned knows_start[NODES_MAX];    /* of the peers */
	unsigned arriving_start[NODES_MAX]; /* of the heartbeat on its way */
	struct question questions[NODES_MAX * 4];
};

struct sim {
	struct node nodes[NODES_MAX];
	int n;
	int now;
	struct rng rng;
	unsigned loss; /* of a thousand */
	uint8_t side[NODES_MAX];
	bool deaf[NODES_MAX][NODES_MAX]; /* [at][from] */
	bool nobody_dies;
	int preference[ADDRESSES][NODES_MAX];
};

static struct mono instant(const struct sim *s)
{
	return (struct mono){ .ns = (int64_t)s->now * 1000000 };
}

static bool passes(struct sim *s, int from, int to)
{
	return s->side[from] == s->side[to] && !s->deaf[to][from] &&
	       rng_below(&s->rng, 1000) >= s->loss;
}

static bool works(const struct node *n)
{
	return n->runs && !n->frozen;
}

static void shuffle(struct sim *s)
{
	for (int a = 0; a < ADDRESSES; a++)
		for (int i = 0; i < s->n; i++) {
			int j = (int)rng_below(&s->rng, (uint64_t)i + 1);

			s->preference[a][i] = s->preference[a][j];
			s->preference[a][j] = i;
		}
}

static void node_start(struct sim *s, int i)
{
	struct node *n = &s->nodes[i];
	unsigned start = n->start + 1;

	memset(n, 0, sizeof(*n));
	n->start = start;
	liveness_init(&n->live);
	liveness_trust(&n->live, true, DUR_MS(INTERVAL));
	n->runs = true;
	for (int j = 0; j < s->n; j++) {
		n->last_heard[j] = -1;
		if (j != i)
			assert_int_equal(liveness_gossip(&n->live, (uint16_t)j, true), 0);
	}
}

/* The answer leaves with what the witness knows when the question arrives. */
static void ask(struct sim *s, int i, const struct liveness_out *out)
{
	struct node *n = &s->nodes[i];
	size_t at = 0;

	for (int w = 0; w < s->n; w++) {
		const struct liveness_peer *p = liveness_find(&n->live, (uint16_t)w);

		if (w == i || w == out->id || !p->linked || !p->session || !works(&s->nodes[w]) ||
		    s->side[w] != s->side[i])
			continue;
		while (at < ARRAY_LEN(n->questions) && n->questions[at].open)
			at++;
		if (at == ARRAY_LEN(n->questions))
			return; /* lost */
		int last = s->nodes[w].last_heard[out->id];
		n->questions[at] = (struct question){
			.open = true,
			.about = out->id,
			.query = out->query,
			.at = s->now + 1 + (int)rng_below(&s->rng, 2),
			.heard = last >= 0 && s->now - last <= (MULTIPLIER - 1) * INTERVAL,
		};
	}
}

static void drain(struct sim *s, int i)
{
	struct liveness_out out;

	while (liveness_next(&s->nodes[i].live, &out)) {
		if (out.kind == LIVENESS_ASK_ALL)
			ask(s, i, &out);
		else if (s->nobody_dies)
			assert_true(out.alive);
	}
}

static void beat(struct sim *s, int i)
{
	for (int j = 0; j < s->n; j++) {
		if (j == i || (s->now + i * 7 + j * 3) % INTERVAL || !passes(s, i, j))
			continue;
		s->nodes[j].arrives[i] = s->now + 1 + (int)rng_below(&s->rng, DELAY_MAX);
		s->nodes[j].arriving_start[i] = s->nodes[i].start;
		s->nodes[j].says_up[i] = s->nodes[i].last_heard[j] >= 0 &&
					 s->nodes[i].knows_start[j] == s->nodes[j].start;
	}
}

/* Three steps, as BFD's: heard; heard and told so; both. */
static void listen(struct sim *s, int i, int from)
{
	struct node *n = &s->nodes[i];

	if (n->arrives[from] && n->arrives[from] <= s->now) {
		n->arrives[from] = 0;
		n->last_heard[from] = s->now;
		n->says_up[from] &= n->knows_start[from] == n->arriving_start[from];
		n->knows_start[from] = n->arriving_start[from];
		if (n->says_up[from] && !n->up[from]) {
			n->up[from] = true;
			liveness_up(&n->live, (uint16_t)from);
		} else if (!n->says_up[from] && n->up[from]) {
			n->up[from] = false;
			liveness_lost(&n->live, (uint16_t)from);
		}
	}
	if (n->last_heard[from] >= 0 && s->now - MAX(n->last_heard[from], n->woken) >= DETECT) {
		n->last_heard[from] = -1;
		n->up[from] = false;
		liveness_silent(&n->live, (uint16_t)from, instant(s));
	}
}

/* A connection exists where both run and nothing divides them; a process that ends closes its port. */
static void connections(struct sim *s, int i, int j)
{
	struct node *n = &s->nodes[i];
	const struct liveness_peer *p = liveness_find(&n->live, (uint16_t)j);
	bool reaches = s->side[i] == s->side[j] && !s->deaf[i][j] && !s->deaf[j][i];

	if (p->linked && !s->nodes[j].runs && reaches)
		liveness_refused(&n->live, (uint16_t)j, instant(s));
	liveness_linked(&n->live, (uint16_t)j,
			s->nodes[j].runs && s->side[i] == s->side[j] && p->session);
}

/* Indirect probes find every node that somebody reaches. */
static void gossip(struct sim *s, int i, int j)
{
	struct node *n = &s->nodes[i];
	bool truth = works(&s->nodes[j]) && s->side[i] == s->side[j];

	if (liveness_find(&n->live, (uint16_t)j)->gossip == truth)
		n->disagree[j] = s->now;
	else if (s->now - n->disagree[j] >= GOSSIP_LATE)
		assert_int_equal(liveness_gossip(&n->live, (uint16_t)j, truth), 0);
}

static void answers(struct sim *s, int i)
{
	struct node *n = &s->nodes[i];

	for (size_t q = 0; q < ARRAY_LEN(n->questions); q++) {
		struct question *x = &n->questions[q];

		if (!x->open || x->at > s->now)
			continue;
		x->open = false;
		liveness_answer(&n->live, x->query, x->heard, instant(s));
	}
}

static void node_step(struct sim *s, int i)
{
	for (int j = 0; j < s->n; j++) {
		if (j == i)
			continue;
		listen(s, i, j);
		connections(s, i, j);
		gossip(s, i, j);
	}
	answers(s, i);
	drain(s, i);
	liveness_tick(&s->nodes[i].live, instant(s));
	drain(s, i);
	beat(s, i);
}

static void run(struct sim *s, int ms)
{
	for (int end = s->now + ms; s->now < end; s->now++)
		for (int i = 0; i < s->n; i++)
			if (works(&s->nodes[i]))
				node_step(s, i);
}

static bool claims(const struct sim *s, int i, int address)
{
	for (int r = 0; r < s->n; r++) {
		int candidate = s->preference[address][r];

		if (candidate == i)
			return true;
		if (liveness_is_alive(&s->nodes[i].live, (uint16_t)candidate))
			return false;
	}
	return false;
}

static void check_owners(const struct sim *s)
{
	for (int side = 0; side < 2; side++)
		for (int a = 0; a < ADDRESSES; a++) {
			int owners = 0, present = 0;

			for (int i = 0; i < s->n; i++) {
				if (s->side[i] != side || !works(&s->nodes[i]))
					continue;
				present++;
				owners += claims(s, i, a);
			}
			assert_int_equal(owners, present > 0);
		}
}

static void sim_init(struct sim *s, int n, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->n = n;
	s->now = 1000;
	rng_seed(&s->rng, seed);
	shuffle(s);
	for (int i = 0; i < n; i++)
		node_start(s, i);
	run(s, 10 * INTERVAL);
}

static void happen(struct sim *s)
{
	int i = (int)rng_below(&s->rng, (uint64_t)s->n),
	    j = (int)rng_below(&s->rng, (uint64_t)s->n);

	switch (rng_below(&s->rng, 6)) {
	case 0:
		s->nodes[i].runs = false;
		break;
	case 1:
		if (!s->nodes[i].runs)
			node_start(s, i);
		break;
	case 2:
		s->nodes[i].frozen = !s->nodes[i].frozen;
		break;
	case 3:
		for (int k = 0; k < s->n; k++)
			s->side[k] = (uint8_t)rng_below(&s->rng, 2);
		break;
	case 4:
		memset(s->side, 0, sizeof(s->side));
		break;
	default:
		s->deaf[i][j] = true;
	}
}

/* Mend what hides a node from another one for ever; cuts, deaths and freezes stay. */
static void storm(int n, uint64_t seed, int events)
{
	static struct sim s;

	sim_init(&s, n, seed);
	for (int e = 0; e < events; e++) {
		s.loss = (unsigned)rng_below(&s.rng, 200);
		happen(&s);
		run(&s, 1 + (int)rng_below(&s.rng, 150));
	}
	s.loss = 0;
	memset(s.deaf, 0, sizeof(s.deaf));
	run(&s, SETTLE);
	check_owners(&s);
}

static void storms(int n, int runs, int events)
{
	uint64_t seed = test_seed();

	for (int r = 0; r < runs; r++)
		storm(n, seed + (uint64_t)r, events);
}

static void three_nodes(void **state)
{
	(void)state;
	storms(3, 500, 8);
}

static void fifty_nodes(void **state)
{
	(void)state;
	storms(50, 1, 4);
}

static void sixty_four_nodes(void **state)
{
	(void)state;
	storms(64, 1, 4);
}

/* A is deaf for B, but somebody hears B: nobody takes anything over. */
static void one_way_loss(void **state)
{
	static struct sim s;
	uint64_t seed = test_seed();
	(void)state;

	for (uint64_t r = 0; r < 200; r++) {
		sim_init(&s, 3 + (int)(r % 4), seed + r);
		s.nobody_dies = true;
		s.deaf[0][1] = true;
		run(&s, 20 * DETECT);
		check_owners(&s);
	}
}

/* A node that dies has a successor for all that it had within the detection time and a question. */
static void takes_over_in_time(void **state)
{
	static struct sim s;
	uint64_t seed = test_seed();
	(void)state;

	for (uint64_t r = 0; r < 500; r++) {
		sim_init(&s, 3 + (int)(r % 3), seed + r);
		s.nodes[0].frozen = true;
		run(&s, DETECT + DELAY_MAX + 4);
		check_owners(&s);
	}
}

/* The machine under all of them stands still for a while; they wake one after the other. */
static void all_stand_still(struct sim *s)
{
	s->now += DETECT + (int)rng_below(&s->rng, 10 * DETECT);
	for (int i = 0; i < s->n; i++)
		s->nodes[i].frozen = true;
	for (int i = 0; i < s->n; i++) {
		s->nodes[i].frozen = false;
		s->nodes[i].woken = s->now;
		run(s, (int)rng_below(&s->rng, 3));
	}
}

static void pauses_of_everybody(void **state)
{
	static struct sim s;
	uint64_t seed = test_seed();
	(void)state;

	for (uint64_t r = 0; r < 100; r++) {
		sim_init(&s, 3 + (int)(r % 4), seed + r);
		s.nobody_dies = true;
		for (int pause = 0; pause < 20; pause++) {
			all_stand_still(&s);
			run(&s, INTERVAL + DELAY_MAX + (int)rng_below(&s.rng, DETECT));
		}
		check_owners(&s);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_over_in_time), cmocka_unit_test(one_way_loss),
		cmocka_unit_test(three_nodes),	      cmocka_unit_test(fifty_nodes),
		cmocka_unit_test(sixty_four_nodes),   cmocka_unit_test(pauses_of_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
