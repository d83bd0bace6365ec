#include "health/checker.h"

#include <string.h>

#include "base/map.h"
#include "base/rng.h"
#include "health/probe.h"
#include "health/verdict.h"

struct check {
	struct health_checker *owner;
	char *name;
	char *url;
	struct health_conf conf; /* its texts point at the copies above */
	struct health_verdict verdict;
	struct health_probe *probe; /* under way, or NULL */
	struct loop_timer timer;
	struct health_status status;
};

struct health_checker {
	struct loop *loop;
	struct health_hooks hooks;
	struct health_http *http;
	struct map *checks;
	struct rng rng;
};

static void check_ended(void *ctx, const struct health_probe_end *end)
{
	struct check *c = ctx;
	struct health_checker *h = c->owner;

	c->probe = NULL;
	c->status.probes++;
	memcpy(c->status.reason, end->reason, sizeof(c->status.reason));
	if (!health_verdict_take(&c->verdict, end->good))
		return;
	c->status.since = loop_now(h->loop);
	h->hooks.changed(h->hooks.ctx, c->name, c->verdict.healthy, end->reason);
}

/* Starts follow the interval's grid, so a slow probe does not shift the next; one at a time. */
static void check_due(struct loop_timer *t, struct mono now)
{
	struct check *c = CONTAINER_OF(t, struct check, timer);
	struct health_checker *h = c->owner;

	loop_timer_set(t, mono_add(now, c->conf.interval));
	if (c->probe)
		return;
	if (c->conf.kind == HEALTH_TCP)
		c->probe = health_probe_tcp(h->loop, &c->conf.addr, c->conf.port, c->conf.timeout,
					    check_ended, c);
	else
		c->probe = health_probe_http(h->http, c->conf.url, c->conf.timeout, check_ended, c);
}

static bool text_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool conf_eq(const struct health_conf *a, const struct health_conf *b)
{
	return a->kind == b->kind && addr_eq(&a->addr, &b->addr) && a->port == b->port &&
	       text_eq(a->url, b->url) && a->interval.ns == b->interval.ns &&
	       a->timeout.ns == b->timeout.ns && a->rise == b->rise && a->fall == b->fall;
}

static void check_configure(struct check *c, const struct health_conf *conf)
{
	free(c->url);
	c->url = conf->url ? mem_strdup(conf->url) : NULL;
	c->conf = *conf;
	c->conf.name = c->name;
	c->conf.url = c->url;
	c->verdict.rise = MAX(conf->rise, 1);
	c->verdict.fall = MAX(conf->fall, 1);
	c->probe = health_probe_cancel(c->probe);
}

static void check_free(void *value)
{
	struct check *c = value;

	loop_timer_stop(&c->timer);
	health_probe_cancel(c->probe);
	free(c->url);
	free(c->name);
	free(c);
}

static struct check *check_new(struct health_checker *h, const char *name)
{
	struct check *c = mem_new(struct check);

	c->owner = h;
	c->name = mem_strdup(name);
	c->status.since = loop_now(h->loop);
	loop_timer_init(&c->timer, h->loop, check_due);
	(void)map_put(h->checks, name, c);
	return c;
}

int health_checker_set(struct health_checker *h, const struct health_conf *conf, struct err *e)
{
	struct check *c = map_get(h->checks, conf->name);
	bool fresh = !c;

	if (c && conf_eq(&c->conf, conf))
		return 0;
	if (conf->kind == HEALTH_HTTP && !h->http && health_http_new(h->loop, &h->http, e) < 0)
		return err_wrap(e, "health check of %s", conf->name);
	if (!c)
		c = check_new(h, conf->name);
	check_configure(c, conf);
	/* The first probe goes out at once: a service waits for it. Later ones get a random phase. */
	uint64_t spread = (uint64_t)MAX(conf->interval.ns / 8, 1);
	struct dur phase = DUR_NS(fresh ? 0 : (int64_t)rng_below(&h->rng, spread));
	loop_timer_set(&c->timer, mono_add(loop_now(h->loop), phase));
	return 0;
}

void health_checker_del(struct health_checker *h, const char *name)
{
	struct check *c = map_del(h->checks, name);

	if (c)
		check_free(c);
}

bool health_checker_status(const struct health_checker *h, const char *name,
			   struct health_status *out)
{
	const struct check *c = map_get(h->checks, name);

	if (!c)
		return false;
	*out = c->status;
	out->healthy = c->verdict.healthy;
	out->good = c->verdict.good;
	out->bad = c->verdict.bad;
	return true;
}

struct health_checker *health_checker_new(struct loop *l, const struct health_hooks *hooks)
{
	struct health_checker *h = mem_new(struct health_checker);
	uint64_t seed;

	h->loop = l;
	h->hooks = *hooks;
	h->checks = map_new();
	rng_secure(&seed, sizeof(seed));
	rng_seed(&h->rng, seed);
	return h;
}

struct health_checker *health_checker_free(struct health_checker *h)
{
	if (!h)
		return NULL;
	map_clear(h->checks, check_free);
	map_free(h->checks);
	health_http_free(h->http);
	free(h);
	return NULL;
}
