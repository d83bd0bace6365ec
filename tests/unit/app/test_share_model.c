/*
 * Members that tell each other verdicts over a network that loses, doubles, delays and reorders,
 * and that are started anew with clocks that go forth and back: after some push/pull all of them
 * know the same.
 */
#include <string.h>

#include "app/share.h"
#include "base/map.h"
#include "base/rng.h"
#include "support.h"

enum { MEMBERS = 4, SERVICES = 5, ROUNDS = 60, STEPS = 80, FLYING_MAX = 4096 };

/* What is known of a service on a member: the words of the hooks, and the truth. */
enum known { SILENT, SERVES, SERVES_NOT };

struct member {
	char name[8];
	struct share *share;
	uint64_t epoch;
	uint64_t config;
	enum known truth[SERVICES];
	enum known told[MEMBERS][SERVICES];
};

struct datagram {
	size_t to;
	char *text;
	size_t len;
};

struct net {
	struct rng rng;
	int64_t back_ns; /* how far a clock may go back between two lives */
	struct member members[MEMBERS];
	struct datagram flying[FLYING_MAX];
	size_t n_flying;
};

static struct net net;
static const char *const services[SERVICES] = { "web", "mail", "ns/dns", "a \"quoted\" one", "ü" };

static size_t service_index(const char *name)
{
	for (size_t i = 0; i < SERVICES; i++)
		if (strcmp(services[i], name) == 0)
			return i;
	fail_msg("unknown service %s", name);
	return 0;
}

/* --- hooks --- */

static void fly(size_t to, const void *bytes, size_t len)
{
	if (net.n_flying < FLYING_MAX)
		net.flying[net.n_flying++] =
			(struct datagram){ .to = to, .text = mem_strndup(bytes, len), .len = len };
}

static void on_broadcast(void *ctx, const void *bytes, size_t len)
{
	struct member *from = ctx;

	assert_true(len <= SHARE_MESSAGE_MAX);
	for (size_t i = 0; i < MEMBERS; i++) {
		if (&net.members[i] == from)
			continue;
		/* Lost, once, or twice. */
		for (uint64_t n = rng_below(&net.rng, 3); n > 0; n--)
			fly(i, bytes, len);
	}
}

static enum known *told_of(void *ctx, const char *node, const char *service)
{
	struct member *m = ctx;

	assert_string_not_equal(node, m->name);
	return &m->told[node[1] - '0'][service_index(service)];
}

static void on_verdict(void *ctx, const char *node, const char *service, bool servable)
{
	*told_of(ctx, node, service) = servable ? SERVES : SERVES_NOT;
}

static bool on_is_member(void *ctx, const char *node)
{
	(void)ctx;
	(void)node;
	return true;
}

static void on_silent(void *ctx, const char *node, const char *service)
{
	enum known *k = told_of(ctx, node, service);

	assert_int_not_equal(*k, SILENT); /* said once */
	*k = SILENT;
}

static json_t *no_allocations(void *ctx)
{
	(void)ctx;
	return json_array();
}

static bool merge_nothing(void *ctx, const json_t *table)
{
	(void)ctx;
	assert_true(json_is_array(table));
	return false;
}

static void on_holds(void *ctx, const char *node, const char *service, uint64_t term)
{
	(void)ctx, (void)node, (void)service, (void)term;
}

static void on_host(void *ctx, const char *node, const json_t *host)
{
	(void)ctx, (void)node;
	assert_true(!host || json_is_object(host));
}

/* --- what happens --- */

static void member_start(size_t i)
{
	struct member *m = &net.members[i];

	*m = (struct member){ .epoch = m->epoch };
	m->name[0] = 'm';
	m->name[1] = (char)('0' + i);
	/* The clock went on, or back, by nanoseconds: never to the very same one. */
	m->epoch = (uint64_t)((int64_t)m->epoch +
			      rng_between(&net.rng, -net.back_ns, INT64_C(100000000000)));
	m->share = share_new(m->name, m->epoch,
			     &(struct share_hooks){ .ctx = m,
						    .broadcast = on_broadcast,
						    .verdict = on_verdict,
						    .silent = on_silent,
						    .holds = on_holds,
						    .host = on_host,
						    .is_member = on_is_member,
						    .allocations = no_allocations,
						    .merge_allocations = merge_nothing });
}

static void member_changes(struct member *m)
{
	size_t s = rng_below(&net.rng, SERVICES);
	enum known k = (enum known)rng_below(&net.rng, 3);

	m->truth[s] = k;
	if (k == SILENT)
		share_unserve(m->share, services[s]);
	else
		share_serve(m->share, services[s], k == SERVES);
}

static void deliver_one(void)
{
	if (net.n_flying == 0)
		return;
	size_t i = rng_below(&net.rng, net.n_flying);
	struct datagram d = net.flying[i];
	struct member *m = &net.members[d.to];

	net.flying[i] = net.flying[--net.n_flying];
	if (share_read(m->share, rd_from(d.text, d.len)))
		on_broadcast(m, d.text, d.len); /* pass it on */
	free(d.text);
}

static void push_pull(size_t a, size_t b)
{
	struct buf x = { 0 }, y = { 0 };

	share_write(net.members[a].share, &x);
	share_write(net.members[b].share, &y);
	(void)share_read(net.members[b].share, rd_from(x.p, x.len));
	(void)share_read(net.members[a].share, rd_from(y.p, y.len));
	buf_fini(&x);
	buf_fini(&y);
}

static void step(void)
{
	size_t i = rng_below(&net.rng, MEMBERS);

	switch (rng_below(&net.rng, 24)) {
	case 0:
		share_free(net.members[i].share);
		member_start(i);
		break;
	case 1:
		push_pull(i, rng_below(&net.rng, MEMBERS));
		break;
	case 2:
		share_repeat(net.members[i].share);
		break;
	case 3:
		net.members[i].config = 1 + rng_below(&net.rng, 2);
		share_config(net.members[i].share, net.members[i].config);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		member_changes(&net.members[i]);
		break;
	default:
		deliver_one();
		break;
	}
}

/* --- in the end --- */

static void everybody_push_pulls(void)
{
	/* Twice: who finds a later life of its own in the others' memory has to be heard again. */
	for (int round = 0; round < 2 * MEMBERS; round++)
		for (size_t i = 0; i < MEMBERS; i++)
			push_pull(i, (i + 1) % MEMBERS);
}

static void check_configs(const struct member *m)
{
	json_t *others = share_disagreeing(m->share);
	size_t agree = 0, disagree = 0;

	for (size_t i = 0; i < MEMBERS; i++) {
		agree += net.members[i].config == m->config;
		disagree += net.members[i].config && net.members[i].config != m->config;
	}
	assert_int_equal(share_agreeing(m->share), agree);
	assert_int_equal(json_array_size(others), disagree);
	json_decref(others);
}

static void check(void)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		const struct member *m = &net.members[i];

		for (size_t j = 0; j < MEMBERS; j++)
			for (size_t s = 0; j != i && s < SERVICES; s++)
				assert_int_equal(m->told[j][s], net.members[j].truth[s]);
		check_configs(m);
		assert_int_equal(share_refused(m->share), 0);
	}
}

static void land_all(void)
{
	while (net.n_flying > 0)
		deliver_one();
}

static const struct clock_case {
	const char *name;
	int64_t back_ns;
} clock_cases[] = {
	{ "clocks go on", -1 },
	{ "clocks go back too", INT64_C(50000000000) },
};

static void converges(void **state)
{
	const struct clock_case *c = *state;

	net.back_ns = c->back_ns;
	rng_seed(&net.rng, test_seed());
	for (size_t i = 0; i < MEMBERS; i++) {
		net.members[i].epoch = UINT64_C(1700000000000000000);
		member_start(i);
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < STEPS; i++)
			step();
		/* What is still under way comes before, or after, or is old when it comes. */
		if (round % 2)
			land_all();
		everybody_push_pulls();
		check();
		land_all();
		/* News of an earlier life with a later clock has to be refuted first. */
		if (c->back_ns > 0)
			everybody_push_pulls();
		check();
	}
	for (size_t i = 0; i < MEMBERS; i++)
		share_free(net.members[i].share);
}

int main(void)
{
	return RUN_TABLE("app/share model", clock_cases, converges);
}
