/*
 * Many liveness cores in one process, over a network that loses, delays, doubles and reorders, is cut in two, and is deaf in one
 * direction; nodes freeze, go and come back, die and start again, at once or later; connections break; each clock has a rate
 * and a beginning of its own. Steps of a millisecond; heartbeats and detection as the mesh does them, gossip as an oracle that is
 * late, and errs. After the last event each address has exactly one owner in each part, in bounded time; and where every
 * node is heard by somebody, or all stood still, nobody is ever believed dead.
 */
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "cluster/liveness.h"
#include "sim/runs.h"

enum {
	NODES_MAX = 64,
	INTERVAL = 10, /* ms */
	MULTIPLIER = 3,
	DETECT = INTERVAL * MULTIPLIER,
	GOSSIP_LATE = 600, /* ms, or a third of it; the real one takes longer, in the same order */
	SETTLE = GOSSIP_LATE + 3 * DETECT,
	ADDRESSES = 16,
	DELAY_MAX = 8,
	BUCKETS = 64, /* ms that a heartbeat may be on its way, at most */
	BEATS_MAX = 2 * NODES_MAX * NODES_MAX,
	NEVER = -1,
};

/* A heartbeat on its way. */
struct beat {
	uint8_t from, to;
	bool says_up; /* for whom it is sent */
	unsigned start, to_start;
	unsigned seq;
};

struct bucket {
	struct beat v[BEATS_MAX];
	int n;
};

struct question {
	bool open;
	uint32_t query;
	int at; /* when the answer arrives */
	bool heard;
};

/* What a node knows of another one, beside its liveness core. */
struct peer {
	int64_t last_heard; /* its own clock, us */
	int64_t next_beat;
	bool up;
	unsigned start; /* of the peer, as it said last */
	unsigned seq;
	bool waits; /* for the end of a freeze */
	struct beat waiting;
	int differs_since, late; /* gossip's oracle */
	int broken_until;	 /* the connection */
	unsigned linked_to;	 /* which start of the peer */
};

struct node {
	struct liveness live;
	struct mono due;
	bool touched;
	bool runs, frozen, away;
	int64_t clock; /* us */
	int rate;      /* us in a ms */
	int64_t woken; /* it stood still before; silence counts from then */
	unsigned start, seq;
	struct peer peers[NODES_MAX];
	struct question questions[NODES_MAX * 4];
	int n_open;
};

struct sim {
	struct node nodes[NODES_MAX];
	struct bucket buckets[BUCKETS];
	int n;
	int now;
	struct rng rng;
	unsigned loss, doubled; /* of a thousand */
	int delay;		/* ms at most */
	uint8_t side[NODES_MAX];
	bool cut[2][2];			 /* [from][to] one side */
	bool deaf[NODES_MAX][NODES_MAX]; /* [at][from] */
	bool nobody_dies;
	int preference[ADDRESSES][NODES_MAX];
};

static struct mono instant(const struct node *n)
{
	return (struct mono){ .ns = n->clock * 1000 };
}

static bool hears(const struct sim *s, int at, int from)
{
	return !s->cut[s->side[from]][s->side[at]] && !s->deaf[at][from];
}

static bool joins(const struct sim *s, int a, int b)
{
	return hears(s, a, b) && hears(s, b, a);
}

static bool happens(struct sim *s, unsigned of_a_thousand)
{
	return of_a_thousand && rng_below(&s->rng, 1000) < of_a_thousand;
}

static bool works(const struct node *n)
{
	return n->runs && !n->frozen;
}

/* The core keeps them in the order in which they were told. */
static const struct liveness_peer *core_of(const struct sim *s, int i, int j)
{
	const struct liveness_peer *p = &s->nodes[i].live.peers[j - (j > i)];

	assert_int_equal(p->id, j);
	return p;
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
	n->clock = (int64_t)rng_below(&s->rng, 1000000000);
	n->rate = 980 + (int)rng_below(&s->rng, 41);
	n->runs = n->touched = true;
	liveness_init(&n->live);
	liveness_trust(&n->live, true, DUR_MS(INTERVAL));
	for (int j = 0; j < s->n; j++) {
		n->peers[j].last_heard = NEVER;
		n->peers[j].next_beat = n->clock + (int64_t)rng_below(&s->rng, INTERVAL * 1000);
		n->peers[j].differs_since = s->now;
		if (j != i)
			assert_int_equal(liveness_gossip(&n->live, (uint16_t)j, true), 0);
	}
}

/* --- questions --- */

static struct question *question_new(struct node *n)
{
	for (size_t q = 0; q < ARRAY_LEN(n->questions); q++)
		if (!n->questions[q].open)
			return &n->questions[q];
	return NULL; /* lost */
}

/* The answer leaves with what the witness knows when the question arrives. */
static void ask(struct sim *s, int i, const struct liveness_out *out)
{
	for (int w = 0; w < s->n; w++) {
		const struct node *witness = &s->nodes[w];
		const struct liveness_peer *p = w == i ? NULL : core_of(s, i, w);
		const struct peer *accused = &witness->peers[out->id];
		struct question *q;

		if (!p || w == out->id || !p->linked || !p->session || !works(witness) ||
		    !joins(s, i, w) || !(q = question_new(&s->nodes[i])))
			continue;
		s->nodes[i].n_open++;
		*q = (struct question){
			.open = true,
			.query = out->query,
			.at = s->now + 1 + (int)rng_below(&s->rng, 2),
			.heard = accused->last_heard != NEVER &&
				 witness->clock - accused->last_heard <=
					 (MULTIPLIER - 1) * INTERVAL * 1000,
		};
	}
}

static void answers(struct sim *s, struct node *n)
{
	for (size_t q = 0; n->n_open && q < ARRAY_LEN(n->questions); q++) {
		struct question *x = &n->questions[q];

		if (!x->open || x->at > s->now)
			continue;
		x->open = false;
		n->n_open--;
		n->touched = true;
		liveness_answer(&n->live, x->query, x->heard, instant(n));
	}
}

static void drain(struct sim *s, int i)
{
	struct node *n = &s->nodes[i];
	struct liveness_out out;

	while (liveness_next(&n->live, &out)) {
		if (out.kind == LIVENESS_ASK_ALL)
			ask(s, i, &out);
		else if (s->nobody_dies)
			assert_true(out.alive);
	}
	n->due = liveness_deadline(&n->live);
	n->touched = false;
}

/* --- heartbeats --- */

static void launch(struct sim *s, const struct beat *b)
{
	for (int copies = 1 + happens(s, s->doubled); copies > 0; copies--) {
		int at = s->now + 1 + (int)rng_below(&s->rng, (uint64_t)s->delay);
		struct bucket *to = &s->buckets[at % BUCKETS];

		if (hears(s, b->to, b->from) && !happens(s, s->loss) && to->n < BEATS_MAX)
			to->v[to->n++] = *b;
	}
}

static void beat(struct sim *s, int i, int j)
{
	struct node *n = &s->nodes[i];
	struct peer *p = &n->peers[j];

	if (n->clock < p->next_beat)
		return;
	p->next_beat = MAX(p->next_beat + INTERVAL * 1000, n->clock + INTERVAL * 500);
	launch(s, &(struct beat){ .from = (uint8_t)i,
				  .to = (uint8_t)j,
				  .says_up = p->last_heard != NEVER,
				  .start = n->start,
				  .to_start = p->start,
				  .seq = ++n->seq });
}

/* Three steps, as BFD's: heard; heard and told so; both. An old number is refused. */
static void hear(struct sim *s, const struct beat *b)
{
	struct node *n = &s->nodes[b->to];
	struct peer *p = &n->peers[b->from];
	bool says_up = b->says_up && b->to_start == n->start && b->start == p->start;

	if (b->start < p->start || (b->start == p->start && b->seq <= p->seq))
		return;
	p->last_heard = n->clock;
	p->start = b->start;
	p->seq = b->seq;
	if (says_up == p->up)
		return;
	p->up = n->touched = true;
	if (says_up) {
		liveness_up(&n->live, b->from);
		return;
	}
	p->up = false;
	p->linked_to = 0; /* its connection ends too */
	liveness_lost(&n->live, b->from);
}

static void arrivals(struct sim *s)
{
	struct bucket *b = &s->buckets[s->now % BUCKETS];

	for (int i = 0; i < b->n; i++) {
		struct node *to = &s->nodes[b->v[i].to];
		struct peer *p = &to->peers[b->v[i].from];

		if (works(to)) {
			hear(s, &b->v[i]);
		} else if (to->runs) {
			p->waits = true;
			p->waiting = b->v[i];
		}
	}
	b->n = 0;
}

static void silence(struct node *n, int j)
{
	struct peer *p = &n->peers[j];

	if (p->last_heard == NEVER || n->clock - MAX(p->last_heard, n->woken) < DETECT * 1000)
		return;
	p->last_heard = NEVER;
	p->up = false;
	p->linked_to = 0;
	n->touched = true;
	liveness_silent(&n->live, (uint16_t)j, instant(n));
}

/* --- connections --- */

static bool is_linked(const struct sim *s, int i, int j)
{
	return core_of(s, i, j)->linked && s->nodes[i].peers[j].linked_to == s->nodes[j].start;
}

/* A connection exists where both run and nothing divides them; a process that ends closes its port. */
static void connection(struct sim *s, int i, int j)
{
	struct node *n = &s->nodes[i];
	const struct node *other = &s->nodes[j];
	const struct liveness_peer *p = core_of(s, i, j);
	bool linked = other->runs && p->session && joins(s, i, j) &&
		      s->now >= n->peers[j].broken_until &&
		      (!p->linked || n->peers[j].linked_to == other->start);

	if (p->linked == linked)
		return;
	n->touched = true;
	if (!linked && !other->runs && joins(s, i, j))
		liveness_refused(&n->live, (uint16_t)j, instant(n));
	liveness_linked(&n->live, (uint16_t)j, linked);
	n->peers[j].linked_to = other->start;
	if (linked) /* as app/pulse.c has it */
		liveness_left(&n->live, (uint16_t)j, other->away);
}

/* Told to those who are connected; the others hear it when they are. */
static void say_away(struct sim *s, int i, bool away)
{
	s->nodes[i].away = away;
	for (int j = 0; j < s->n; j++) {
		if (j == i || !works(&s->nodes[j]) || !is_linked(s, j, i))
			continue;
		liveness_left(&s->nodes[j].live, (uint16_t)i, away);
		s->nodes[j].touched = true;
	}
}

/* Indirect probes find every node that somebody reaches. */
static void gossip(struct sim *s, int i, int j)
{
	struct node *n = &s->nodes[i];
	struct peer *p = &n->peers[j];
	bool truth = works(&s->nodes[j]) && s->side[i] == s->side[j];

	truth |= works(&s->nodes[j]) && !s->cut[0][1];
	if (core_of(s, i, j)->gossip == truth) {
		p->differs_since = s->now;
		p->late = 0;
		return;
	}
	if (!p->late)
		p->late = (int)rng_between(&s->rng, GOSSIP_LATE / 3, GOSSIP_LATE);
	if (s->now - p->differs_since < p->late)
		return;
	n->touched = true;
	assert_int_equal(liveness_gossip(&n->live, (uint16_t)j, truth), 0);
}

/* --- time --- */

static void node_step(struct sim *s, int i)
{
	struct node *n = &s->nodes[i];

	n->clock += n->rate;
	for (int j = 0; j < s->n; j++) {
		if (j == i)
			continue;
		silence(n, j);
		connection(s, i, j);
		gossip(s, i, j);
		beat(s, i, j);
	}
	answers(s, n);
	if (n->touched)
		drain(s, i);
	if (mono_before(instant(n), n->due))
		return;
	liveness_tick(&n->live, instant(n));
	drain(s, i);
}

static void run(struct sim *s, int ms)
{
	for (int end = s->now + ms; s->now < end; s->now++) {
		arrivals(s);
		for (int i = 0; i < s->n; i++) {
			if (works(&s->nodes[i]))
				node_step(s, i);
			else
				s->nodes[i].clock += s->nodes[i].rate;
		}
	}
}

static void thaw(struct sim *s, int i)
{
	struct node *n = &s->nodes[i];

	n->frozen = false;
	n->woken = n->clock;
	for (int j = 0; j < s->n; j++) {
		if (n->peers[j].waits)
			hear(s, &n->peers[j].waiting);
		n->peers[j].waits = false;
		if (j != i && is_linked(s, i, j)) /* what it said meanwhile waits too */
			liveness_left(&n->live, (uint16_t)j, s->nodes[j].away);
	}
	n->touched = true;
}

/* --- owners --- */

static bool claims(const struct sim *s, int i, int address)
{
	for (int r = 0; r < s->n; r++) {
		int candidate = s->preference[address][r];

		if (candidate == i)
			return !s->nodes[i].away;
		if (liveness_is_alive(&s->nodes[i].live, (uint16_t)candidate))
			return false;
	}
	return false;
}

static bool each_has_one_owner(const struct sim *s)
{
	for (int side = 0; side < 2; side++)
		for (int a = 0; a < ADDRESSES; a++) {
			int owners = 0, present = 0;

			for (int i = 0; i < s->n; i++) {
				int part = s->cut[0][1] ? s->side[i] : 0;

				if (part != side || !works(&s->nodes[i]))
					continue;
				present += !s->nodes[i].away;
				owners += claims(s, i, a);
			}
			if (owners != (present > 0))
				return false;
		}
	return true;
}

/* Who believes what: for whoever reads a failure. */
static void print_beliefs(const struct sim *s)
{
	for (int i = 0; i < s->n; i++) {
		const struct node *n = &s->nodes[i];

		printf("%d (side %d%s%s%s):", i, s->side[i], n->runs ? "" : ", does not run",
		       n->frozen ? ", frozen" : "", n->away ? ", away" : "");
		for (int j = 0; works(n) && j < s->n; j++) {
			const struct liveness_peer *p = j == i ? NULL : core_of(s, i, j);

			if (p)
				printf(" %d=%s%s%s%s", j, liveness_state_name(p->state),
				       p->gossip ? "" : "/gossip says dead",
				       p->session ? "/session" : "", p->linked ? "/linked" : "");
		}
		printf("\n");
	}
}

static void check(const struct sim *s)
{
	if (each_has_one_owner(s))
		return;
	print_beliefs(s);
	fail_msg("not one owner for each address");
}

/* Settled is what stays so. */
static void settle(struct sim *s)
{
	int since = s->now, last_bad = s->now;

	for (; s->now - since < SETTLE; run(s, 1))
		if (!each_has_one_owner(s))
			last_bad = s->now + 1;
	sim_settled((last_bad - since) / 1000.0, SETTLE / 1000.0);
	check(s);
}

/* --- what happens --- */

static struct sim *sim_new(unsigned n, uint64_t seed)
{
	struct sim *s = mem_new(struct sim);

	s->n = (int)n;
	s->now = 1000;
	s->delay = DELAY_MAX;
	rng_seed(&s->rng, seed);
	shuffle(s);
	for (int i = 0; i < s->n; i++)
		node_start(s, i);
	run(s, 10 * INTERVAL);
	return s;
}

static void cut_anywhere(struct sim *s)
{
	for (int k = 0; k < s->n; k++)
		s->side[k] = (uint8_t)rng_below(&s->rng, 2);
	s->cut[0][1] = true;
	s->cut[1][0] = rng_below(&s->rng, 3) > 0;
}

static void heal(struct sim *s)
{
	memset(s->cut, 0, sizeof(s->cut));
	memset(s->deaf, 0, sizeof(s->deaf));
}

static void to_the_network(struct sim *s, int i, int j)
{
	switch (rng_below(&s->rng, 6)) {
	case 0:
		cut_anywhere(s);
		break;
	case 1:
		heal(s);
		break;
	case 2:
		s->deaf[i][j] = true;
		break;
	case 3: /* either side finds out by itself */
		s->nodes[i].peers[j].broken_until = s->now + (int)rng_below(&s->rng, 100);
		s->nodes[j].peers[i].broken_until = s->now + (int)rng_below(&s->rng, 100);
		break;
	case 4:
		s->doubled = (unsigned)rng_below(&s->rng, 100);
		s->delay = 1 + (int)rng_below(&s->rng, 40);
		break;
	default:
		s->loss = (unsigned)rng_below(&s->rng, 300);
	}
}

static void to_one_that_works(struct sim *s, int i, int j)
{
	struct node *n = &s->nodes[i];

	switch (rng_below(&s->rng, 5)) {
	case 0:
		n->runs = false;
		break;
	case 1: /* before anybody can miss it */
		node_start(s, i);
		break;
	case 2:
		n->frozen = true;
		break;
	case 3:
		say_away(s, i, !n->away);
		break;
	default: /* gossip errs */
		if (i != j)
			assert_int_equal(liveness_gossip(&n->live, (uint16_t)j, false), 0);
		n->touched = true;
	}
}

static void happen(struct sim *s)
{
	int i = (int)rng_below(&s->rng, (uint64_t)s->n),
	    j = (int)rng_below(&s->rng, (uint64_t)s->n);

	if (rng_below(&s->rng, 2))
		to_the_network(s, i, j);
	else if (works(&s->nodes[i]))
		to_one_that_works(s, i, j);
	else if (!s->nodes[i].runs)
		node_start(s, i);
	else if (rng_below(&s->rng, 4))
		thaw(s, i);
	else
		s->nodes[i].runs = s->nodes[i].frozen = false;
}

/* Mend what hides a node from another one for ever; cuts in two, deaths, freezes and absences stay. */
static void calm_down(struct sim *s)
{
	s->loss = s->doubled = 0;
	s->delay = DELAY_MAX;
	memset(s->deaf, 0, sizeof(s->deaf));
	s->cut[1][0] = s->cut[0][1];
}

static void storm(uint64_t seed, unsigned n)
{
	struct sim *s = sim_new(n, seed);

	for (uint64_t events = rng_below(&s->rng, 16); events > 0; events--) {
		happen(s);
		run(s, 1 + (int)rng_below(&s->rng, rng_below(&s->rng, 2) ? 150 : 10));
	}
	calm_down(s);
	settle(s);
	free(s);
}

/* A is deaf for B, but somebody hears B: nobody takes anything over. */
static void one_way_loss(uint64_t seed, unsigned n)
{
	struct sim *s = sim_new(n + (unsigned)(seed % 4), seed);

	s->nobody_dies = true;
	s->deaf[0][1] = true;
	run(s, 20 * DETECT);
	check(s);
	free(s);
}

/*
 * Who is deaf for whom changes at any moment, but one node hears all and is heard by all: nobody takes anything over, neither
 * while it goes on nor afterwards.
 */
static void somebody_hears_each(uint64_t seed, unsigned n)
{
	struct sim *s = sim_new(n, seed);
	int hub = (int)rng_below(&s->rng, n);

	s->nobody_dies = true;
	for (uint64_t events = rng_below(&s->rng, 60); events > 0; events--) {
		int i = (int)rng_below(&s->rng, n), j = (int)rng_below(&s->rng, n);

		if (i != hub && j != hub)
			s->deaf[i][j] = !s->deaf[i][j];
		run(s, 1 + (int)rng_below(&s->rng, rng_below(&s->rng, 2) ? 100 : 10));
		check(s);
	}
	free(s);
}

/*
 * A node that dies has a successor for all that it had: when the last heartbeat that anybody heard is older than any veto, and the
 * question has been repeated once.
 */
static void takes_over_in_time(uint64_t seed, unsigned n)
{
	struct sim *s = sim_new(n + (unsigned)(seed % 3), seed);
	int vetoes = (MULTIPLIER - 1) * INTERVAL + 1, again = INTERVAL + 1, asking = 4;

	s->nodes[0].frozen = true;
	run(s, DELAY_MAX + vetoes + again + asking);
	check(s);
	free(s);
}

/* The machine under all of them stands still for a while; they wake one after the other. */
static void all_stand_still(struct sim *s)
{
	int pause = DETECT + (int)rng_below(&s->rng, 10 * DETECT);

	for (int i = 0; i < s->n; i++) {
		s->nodes[i].frozen = true;
		s->nodes[i].clock += (int64_t)pause * s->nodes[i].rate;
	}
	for (int i = 0; i < s->n; i++) {
		thaw(s, i);
		run(s, (int)rng_below(&s->rng, 3));
	}
}

static void pauses_of_everybody(uint64_t seed, unsigned n)
{
	struct sim *s = sim_new(n + (unsigned)(seed % 4), seed);

	s->nobody_dies = true;
	for (int pause = 0; pause < 20; pause++) {
		all_stand_still(s);
		run(s, INTERVAL + DELAY_MAX + (int)rng_below(&s->rng, DETECT));
	}
	check(s);
	free(s);
}

int main(void)
{
	static const struct sim_kind kinds[] = {
		SIM(takes_over_in_time, 3, 20),
		SIM(one_way_loss, 3, 10),
		SIM(somebody_hears_each, 4, 10),
		SIM(somebody_hears_each, 20, 1),
		SIM(pauses_of_everybody, 3, 5),
		SIM(storm, 3, 40),
		SIM(storm, 50, 5),
		SIM(storm, 64, 1),
	};

	return SIM_MAIN("liveness", kinds);
}
