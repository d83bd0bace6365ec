#include "l2/mld.h"

#include <string.h>

#include "base/rng.h"

enum {
	ROBUSTNESS = 2,	  /* RFC 9777 §9.1 */
	INTERVAL_S = 125, /* between queries, §9.2 */
};

/* §9.11, and RFC 2710 §7.10: a change is told again so much later at most. */
#define REPEAT_WITHIN	 DUR_S(1)
#define REPEAT_WITHIN_V1 DUR_S(10)
/* All groups are told no faster than so, however often somebody asks. */
#define ROUND_MIN DUR_S(1)

/** Ten thousand of them are normal: instants are the lower bits of the clock's milliseconds. */
struct group {
	uint32_t id : 24;
	uint32_t copies : 3; /* of the last change, still to be told */
	bool told : 1;	     /* one copy left */
	bool leaving : 1;    /* and gone when that has been told */
	bool asked : 1;	     /* a query is to be answered */
	uint32_t change_at;
	uint32_t answer_at;
};

/** An answer to a query for all: a walk around the groups, a packet at a time. */
struct round {
	size_t left;	 /* groups still to be told; 0: no answer is due */
	uint32_t cursor; /* this group, or the next one that there is, comes next */
	struct mono at;	 /* the next packet */
	struct mono last;
	struct mono until;
	struct dur step;
};

struct mld {
	struct rng rng;
	struct mld_stats *stats;
	struct mld_link link;
	struct group *groups; /* ascending by id */
	size_t n;
	size_t n_leaving;
	size_t walk;	  /* where the last look for what is due ended */
	struct mono soon; /* no change or answer is due before */
	struct round round;
	uint8_t robustness;
	uint32_t interval_s;
	bool v1;
	struct mono v1_until;
	struct mono pace_until; /* of this span of time, so many packets have been sent */
	unsigned paced;
};

const struct metric_row mld_metric_rows[] = { MLD_METRICS(METRIC_ROW, struct mld_stats) };
const size_t mld_metric_rows_n = ARRAY_LEN(mld_metric_rows);

struct mld *mld_new(uint64_t seed, struct mld_stats *stats)
{
	struct mld *m = mem_new(struct mld);

	rng_seed(&m->rng, seed);
	m->stats = stats;
	m->soon = MONO_NEVER;
	m->robustness = ROBUSTNESS;
	m->interval_s = INTERVAL_S;
	return m;
}

struct mld *mld_free(struct mld *m)
{
	if (!m)
		return NULL;
	free(m->groups);
	free(m);
	return NULL;
}

size_t mld_groups(const struct mld *m)
{
	return m->n - m->n_leaving;
}

bool mld_is_idle(const struct mld *m)
{
	return m->n == 0;
}

/* Time */

static uint32_t stamp_of(struct mono t)
{
	return (uint32_t)(t.ns / 1000000);
}

/** The instant of a stamp that is at most some days from @now. */
static struct mono stamp_instant(uint32_t at, struct mono now)
{
	int64_t ms = now.ns / 1000000 + (int32_t)(at - stamp_of(now));

	return (struct mono){ .ns = ms * 1000000 };
}

static bool stamp_is_due(uint32_t at, struct mono now)
{
	return (int32_t)(stamp_of(now) - at) >= 0;
}

static struct mono some_time_within(struct mld *m, struct mono from, struct dur span)
{
	return mono_add(from, DUR_NS(rng_between(&m->rng, MIN(1000000, span.ns), span.ns)));
}

/* Groups */

static bool group_is_gone(const struct group *g)
{
	return g->leaving && g->copies == 0;
}

static void groups_sweep(struct mld *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!group_is_gone(&m->groups[i]))
			m->groups[n++] = m->groups[i];
	m->n_leaving -= m->n - n;
	m->n = n;
}

/** The place of a group, or of the next one. */
static size_t group_place(const struct mld *m, uint32_t id)
{
	size_t from = 0, to = m->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (m->groups[mid].id < id)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static struct group *group_find(struct mld *m, uint32_t id)
{
	size_t at = group_place(m, id);

	return at < m->n && m->groups[at].id == id ? &m->groups[at] : NULL;
}

static void group_change(struct mld *m, struct group *g, bool leaving, struct mono now)
{
	m->n_leaving += (size_t)leaving - (size_t)g->leaving;
	g->leaving = leaving;
	g->copies = m->robustness;
	g->told = false;
	g->asked &= !leaving;
	g->change_at = stamp_of(now);
	m->soon = mono_min(m->soon, now);
}

/** Nobody wants it any more: what was never told need not be taken back. */
static struct group *group_leave(struct mld *m, struct group *to, const struct group *g,
				 struct mono now)
{
	if (!g->leaving && !g->told && g->copies > 0)
		return to;
	*to = *g;
	if (!to->leaving)
		group_change(m, to, true, now);
	return to + 1;
}

static struct group *group_keep(struct mld *m, struct group *to, const struct group *g,
				struct mono now)
{
	*to = *g;
	if (to->leaving)
		group_change(m, to, false, now);
	return to + 1;
}

static struct group *group_join(struct mld *m, struct group *to, uint32_t id, struct mono now)
{
	*to = (struct group){ .id = id & 0xffffff };
	group_change(m, to, false, now);
	return to + 1;
}

void mld_listen(struct mld *m, const uint32_t *groups, size_t n, struct mono now)
{
	struct group *merged = mem_new_n(struct group, m->n + n);
	struct group *end = merged;
	size_t i = 0, j = 0;

	while (i < m->n || j < n) {
		bool had = i < m->n && (j == n || m->groups[i].id <= groups[j]);
		bool wanted = j < n && (i == m->n || groups[j] <= m->groups[i].id);
		if (had && wanted)
			end = group_keep(m, end, &m->groups[i], now);
		else if (had)
			end = group_leave(m, end, &m->groups[i], now);
		else
			end = group_join(m, end, groups[j], now);
		i += had;
		j += wanted;
	}
	free(m->groups);
	m->n = (size_t)(end - merged);
	m->groups = mem_resize(merged, MAX(m->n, 1), sizeof(*merged));
}

void mld_forget(struct mld *m, uint32_t group)
{
	struct group *g = group_find(m, group);

	if (!g)
		return;
	m->n_leaving -= g->leaving;
	m->n--;
	memmove(g, g + 1, (size_t)(m->groups + m->n - g) * sizeof(*g));
}

void mld_end(struct mld *m, struct mono now)
{
	mld_listen(m, NULL, 0, now);
	for (size_t i = 0; i < m->n; i++)
		m->groups[i].copies = 1;
}

void mld_set_link(struct mld *m, const struct mld_link *link, struct mono now)
{
	bool speaker = addr_is_set(&link->source) && !addr_eq(&m->link.source, &link->source);
	bool anew = speaker || (link->carrier && !m->link.carrier);

	m->link = *link;
	for (size_t i = 0; anew && i < m->n; i++)
		group_change(m, &m->groups[i], m->groups[i].leaving, now);
}

/* Queries */

/** §8.2.1: whoever changes the language forgets what it was about to say. What was never said stays. */
static void language_update(struct mld *m, struct mono now)
{
	bool v1 = mono_before(now, m->v1_until);

	if (v1 == m->v1)
		return;
	m->v1 = v1;
	m->round.left = 0;
	for (size_t i = 0; i < m->n; i++) {
		struct group *g = &m->groups[i];
		g->asked = false;
		g->copies = g->told ? 0 : g->copies;
	}
	groups_sweep(m);
}

static size_t packet_capacity(const struct mld *m)
{
	return m->v1 ? 1 : mld_report_capacity(&m->link);
}

static enum mld_rx answer_all(struct mld *m, struct dur delay, struct mono now)
{
	struct round *r = &m->round;
	size_t packets = (m->n + packet_capacity(m) - 1) / packet_capacity(m);
	struct mono until = mono_add(now, delay);
	bool under_way = r->left > 0;

	if (mld_groups(m) == 0)
		return MLD_RX_NOTHING;
	/* Once around from where it is: those told before this query are told again. */
	r->left = m->n;
	r->until = under_way && mono_before(now, r->until) ? mono_min(r->until, until) : until;
	int64_t span = MAX(mono_sub(r->until, now).ns, ROUND_MIN.ns);
	r->step = DUR_NS(span / (int64_t)packets);
	if (under_way)
		r->at = mono_min(r->at, mono_add(r->last, r->step));
	else
		r->at = some_time_within(m, now, r->step);
	r->last = under_way ? r->last : now;
	return MLD_RX_OK;
}

static enum mld_rx answer_one(struct mld *m, uint32_t group, struct dur delay, struct mono now)
{
	struct group *g = group_find(m, group);

	if (!g || g->leaving)
		return MLD_RX_NOT_OURS;
	struct mono at = some_time_within(m, now, delay);
	if (g->asked)
		at = mono_min(at, stamp_instant(g->answer_at, now));
	g->asked = true;
	g->answer_at = stamp_of(at);
	m->soon = mono_min(m->soon, at);
	return MLD_RX_OK;
}

/** What it says of the querier; version 1 says nothing, but that it is there (§9.12). */
static void querier_note(struct mld *m, const struct mld_query *q, struct mono now)
{
	if (q->v1) {
		struct dur until_next = DUR_S((int64_t)m->robustness * m->interval_s);
		m->v1_until = mono_add(mono_add(now, until_next), DUR_MS(q->delay_ms));
	} else {
		m->robustness = q->robustness ? q->robustness : ROBUSTNESS;
		m->interval_s = q->interval_s ? q->interval_s : INTERVAL_S;
	}
	language_update(m, now);
}

static enum mld_rx query_answer(struct mld *m, const struct mld_query *q, struct mono now)
{
	struct dur delay = DUR_MS(MAX(q->delay_ms, 1));

	querier_note(m, q, now);
	switch (q->scope) {
	case MLD_ALL:
		return answer_all(m, delay, now);
	case MLD_ONE:
		return answer_one(m, q->group, delay, now);
	case MLD_OTHER:
		break;
	}
	return MLD_RX_NOT_OURS;
}

enum mld_rx mld_input(struct mld *m, struct rd frame, struct mono now)
{
	struct mld_query q;
	enum mld_rx rx = mld_query_decode(frame, &q);

	if (rx == MLD_RX_OK)
		rx = query_answer(m, &q, now);
	m->stats->rx[rx]++;
	return rx;
}

/* Reports */

/**
 * @again: when it is told once more, the same for all of a packet: they stay together. But version
 * 1 says only once that it is done (RFC 2710 §4).
 */
static bool take_change(const struct mld *m, struct group *g, struct mono now, struct mono again,
			struct mld_record *out)
{
	if (g->copies == 0 || !stamp_is_due(g->change_at, now))
		return false;
	*out = (struct mld_record){ g->id, g->leaving ? MLD_TO_INCLUDE : MLD_TO_EXCLUDE };
	g->asked = false; /* this is an answer, too */
	g->told = true;
	g->copies = m->v1 && g->leaving ? 0 : g->copies - 1;
	g->change_at = stamp_of(again);
	return true;
}

static bool take_answer(struct group *g, struct mono now, struct mld_record *out)
{
	if (!g->asked || !stamp_is_due(g->answer_at, now))
		return false;
	*out = (struct mld_record){ g->id, MLD_IS_EXCLUDE };
	g->asked = false;
	return true;
}

static struct mono group_deadline(const struct group *g, struct mono now)
{
	struct mono at = MONO_NEVER;

	if (g->copies > 0)
		at = stamp_instant(g->change_at, now);
	if (g->asked)
		at = mono_min(at, stamp_instant(g->answer_at, now));
	return at;
}

/** Changes, and answers to who asked for one group. Whoever was not looked at last time goes first. */
static size_t take_due(struct mld *m, struct mono now, struct mld_record *out, size_t max)
{
	struct mono again = some_time_within(m, now, m->v1 ? REPEAT_WITHIN_V1 : REPEAT_WITHIN);
	struct mono soon = MONO_NEVER;
	bool gone = false;
	size_t n = 0, k = 0;

	if (mono_before(now, m->soon))
		return 0;
	for (; k < m->n && n < max; k++) {
		struct group *g = &m->groups[(m->walk + k) % m->n];
		n += take_change(m, g, now, again, &out[n]) || take_answer(g, now, &out[n]);
		soon = mono_min(soon, group_deadline(g, now));
		gone |= group_is_gone(g);
	}
	if (k == m->n)
		m->soon = soon;
	m->walk = m->n > 0 ? (m->walk + k) % m->n : 0;
	if (gone)
		groups_sweep(m);
	return n;
}

/** The next packet of the walk around all. */
static size_t take_round(struct mld *m, struct mono now, struct mld_record *out, size_t max)
{
	struct round *r = &m->round;
	size_t n = 0, at = group_place(m, r->cursor);

	if (r->left == 0 || mono_before(now, r->at))
		return 0;
	for (r->left = MIN(r->left, m->n); r->left > 0 && n < max; r->left--, at++) {
		struct group *g = &m->groups[at % m->n];
		if (g->leaving)
			continue;
		out[n++] = (struct mld_record){ g->id, MLD_IS_EXCLUDE };
		g->asked = false;
	}
	r->cursor = m->n > 0 ? m->groups[at % m->n].id : 0;
	r->last = now;
	r->at = mono_add(r->at, r->step);
	return n;
}

static void pace_count(struct mld *m, struct mono now)
{
	if (!mono_before(now, m->pace_until)) {
		m->pace_until = mono_add(now, MLD_PACE);
		m->paced = 0;
	}
	m->paced++;
}

static bool pace_holds(const struct mld *m, struct mono now)
{
	return m->paced >= MLD_PACE_PACKETS && mono_before(now, m->pace_until);
}

bool mld_next(struct mld *m, struct mono now, struct wr *out)
{
	struct mld_record records[MLD_RECORDS_MAX];

	language_update(m, now);
	if (pace_holds(m, now))
		return false;
	size_t n = take_due(m, now, records, packet_capacity(m));
	if (n == 0)
		n = take_round(m, now, records, packet_capacity(m));
	if (n == 0)
		return false;
	if (m->v1)
		mld_v1_build(out, &m->link, &records[0]);
	else
		mld_report_build(out, &m->link, records, n);
	pace_count(m, now);
	m->stats->reports++;
	m->stats->records += n;
	return true;
}

struct mono mld_deadline(const struct mld *m)
{
	struct mono at = m->n > 0 ? m->soon : MONO_NEVER;

	if (m->round.left > 0)
		at = mono_min(at, m->round.at);
	if (!mono_is_never(at) && m->paced >= MLD_PACE_PACKETS && mono_before(at, m->pace_until))
		at = m->pace_until;
	return at;
}
