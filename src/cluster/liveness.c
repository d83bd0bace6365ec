#include "cluster/liveness.h"

const char *liveness_state_name(enum liveness_state s)
{
	static const char *const names[] = {
		[LIVENESS_FINE] = "fine",     [LIVENESS_ASKING] = "asking",
		[LIVENESS_VETOED] = "vetoed", [LIVENESS_DEAD] = "dead",
		[LIVENESS_LEFT] = "left",
	};

	return names[s];
}

static struct liveness_peer *find(struct liveness *l, uint16_t id)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->peers[i].id == id)
			return &l->peers[i];
	return NULL;
}

const struct liveness_peer *liveness_find(const struct liveness *l, uint16_t id)
{
	return find((struct liveness *)l, id);
}

static bool is_alive(const struct liveness_peer *p)
{
	return p->gossip && p->state != LIVENESS_DEAD && p->state != LIVENESS_LEFT;
}

bool liveness_is_alive(const struct liveness *l, uint16_t id)
{
	const struct liveness_peer *p = liveness_find(l, id);

	return !p || is_alive(p);
}

static void enter(struct liveness_peer *p, enum liveness_state state, struct mono until)
{
	p->state = state;
	p->until = until;
	p->ask = false;
	p->waiting = 0;
}

static void fine(struct liveness_peer *p)
{
	enter(p, LIVENESS_FINE, MONO_NEVER);
}

static void dead(struct liveness_peer *p, struct mono now)
{
	enter(p, LIVENESS_DEAD, mono_add(now, LIVENESS_CONFIRM));
}

/* Whoever is silent itself could only say what it heard long ago. */
static uint16_t witnesses(const struct liveness *l, const struct liveness_peer *accused)
{
	uint16_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += &l->peers[i] != accused && l->peers[i].linked && l->peers[i].session;
	return n;
}

/* Who was heard elsewhere a moment ago need not be given up because a witness is busy. */
static struct dur patience(const struct liveness *l, const struct liveness_peer *p)
{
	bool again = p->state == LIVENESS_VETOED && l->again.ns > LIVENESS_ASK.ns;

	return again ? l->again : LIVENESS_ASK;
}

static void accuse(struct liveness *l, struct liveness_peer *p, struct mono now)
{
	if (witnesses(l, p) == 0) {
		dead(p, now);
		return;
	}
	enter(p, LIVENESS_ASKING, mono_add(now, patience(l, p)));
	p->ask = true;
	p->query = ++l->queries;
}

void liveness_init(struct liveness *l)
{
	*l = (struct liveness){ .again = DUR_MS(50) };
}

void liveness_trust(struct liveness *l, bool trusted, struct dur again)
{
	l->trusted = trusted;
	l->again = again;
	for (size_t i = 0; !trusted && i < l->n; i++)
		if (l->peers[i].state != LIVENESS_LEFT)
			fine(&l->peers[i]);
}

int liveness_gossip(struct liveness *l, uint16_t id, bool alive)
{
	struct liveness_peer *p = find(l, id);

	if (!p) {
		if (l->n == LIVENESS_PEERS_MAX)
			return -1;
		p = &l->peers[l->n++];
		*p = (struct liveness_peer){ .id = id, .until = MONO_NEVER };
	}
	/* Who said that it goes would say that it is back, as long as its heartbeats come. */
	bool left = p->state == LIVENESS_LEFT;
	if (p->gossip != alive && (left ? !p->session : !alive))
		fine(p);
	p->gossip = alive;
	return 0;
}

void liveness_forget(struct liveness *l, uint16_t id)
{
	struct liveness_peer *p = find(l, id);

	if (p)
		*p = l->peers[--l->n];
}

void liveness_up(struct liveness *l, uint16_t id)
{
	struct liveness_peer *p = find(l, id);

	if (!p)
		return;
	if (p->state != LIVENESS_LEFT || !p->session)
		fine(p);
	p->session = true;
}

void liveness_silent(struct liveness *l, uint16_t id, struct mono now)
{
	struct liveness_peer *p = find(l, id);

	if (!p || !p->session)
		return;
	p->session = false;
	if (l->trusted && p->state != LIVENESS_LEFT)
		accuse(l, p, now);
}

void liveness_lost(struct liveness *l, uint16_t id)
{
	struct liveness_peer *p = find(l, id);

	if (p)
		p->session = false;
}

void liveness_linked(struct liveness *l, uint16_t id, bool linked)
{
	struct liveness_peer *p = find(l, id);

	if (p)
		p->linked = linked;
}

void liveness_refused(struct liveness *l, uint16_t id, struct mono now)
{
	struct liveness_peer *p = find(l, id);

	if (!p || !l->trusted)
		return;
	p->session = false;
	dead(p, now);
}

void liveness_left(struct liveness *l, uint16_t id, bool left)
{
	struct liveness_peer *p = find(l, id);

	if (!p)
		return;
	if (left)
		enter(p, LIVENESS_LEFT, MONO_NEVER);
	else if (p->state == LIVENESS_LEFT)
		fine(p);
}

static struct liveness_peer *accused_in(struct liveness *l, uint32_t query)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->peers[i].state == LIVENESS_ASKING && l->peers[i].query == query)
			return &l->peers[i];
	return NULL;
}

void liveness_answer(struct liveness *l, uint32_t query, bool heard, struct mono now)
{
	struct liveness_peer *p = accused_in(l, query);

	if (!p)
		return;
	if (heard)
		enter(p, LIVENESS_VETOED, mono_add(now, l->again));
	else if (p->waiting <= 1)
		dead(p, now);
	else
		p->waiting--;
}

void liveness_tick(struct liveness *l, struct mono now)
{
	for (size_t i = 0; i < l->n; i++) {
		struct liveness_peer *p = &l->peers[i];

		if (mono_before(now, p->until))
			continue;
		if (p->state == LIVENESS_ASKING)
			dead(p, now);
		else if (p->state == LIVENESS_VETOED)
			accuse(l, p, now);
		else
			fine(p);
	}
}

static void change_of(struct liveness *l, struct liveness_peer *p, struct liveness_out *out)
{
	p->told = is_alive(p);
	l->epoch++;
	*out = (struct liveness_out){
		.kind = LIVENESS_CHANGE, .id = p->id, .alive = p->told, .state = p->state
	};
}

bool liveness_next(struct liveness *l, struct liveness_out *out)
{
	for (size_t i = 0; i < l->n; i++) {
		struct liveness_peer *p = &l->peers[i];

		if (p->told != is_alive(p)) {
			change_of(l, p, out);
			return true;
		}
		if (p->ask) {
			p->ask = false;
			p->waiting = witnesses(l, p); /* who is linked now is asked */
			*out = (struct liveness_out){ .kind = LIVENESS_ASK_ALL,
						      .id = p->id,
						      .query = p->query };
			return true;
		}
	}
	return false;
}

struct mono liveness_deadline(const struct liveness *l)
{
	struct mono at = MONO_NEVER;

	for (size_t i = 0; i < l->n; i++)
		at = mono_min(at, l->peers[i].until);
	return at;
}
