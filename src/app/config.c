/* Putting configurations in force: at the start, and at each reload. */
#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"
#include "app/notify.h"
#include "app/verdict.h"
#include "config/diff.h"
#include "config/print.h"

/* All of it where the log is: with excerpts for people, one event for each error for programs. */
static void report_say(const struct cfg_report *r)
{
	struct buf text = { 0 };

	if (!log_is_json()) {
		cfg_report_text(r, false, &text);
		fputs(buf_text(&text), stderr);
		buf_fini(&text);
		return;
	}
	for (size_t i = 0; i < r->errors.n; i++) {
		const struct cfg_issue *bad = &r->errors.v[i];

		log_event(LOG_ERROR, "configError", bad->message, KV_STR("file", bad->file),
			  KV_U64("line", bad->pos.line), KV_U64("column", bad->pos.col),
			  KV_STR("path", bad->path), KV_STR("hint", bad->hint));
	}
}

/* The first error in one line, for logs and status. */
static int report_error(const struct cfg_report *r, struct err *e)
{
	const struct cfg_issue *first = &r->errors.v[0];

	if (r->errors.n == 0)
		return err_set(e, ERR_CONFIG, "the configuration can't be loaded");
	const char *hint = first->hint ? first->hint : "";
	char place[32] = ""; /* none where it is about the file as a whole */

	if (first->pos.line)
		snprintf(place, sizeof(place), ":%u:%u", first->pos.line, first->pos.col);
	return err_set(e, ERR_CONFIG, "%s%s: %s%s%s%s%s%s", first->file, place, first->path,
		       first->path[0] ? ": " : "", first->message, hint[0] ? "; " : "", hint,
		       r->errors.n > 1 ? " (and more errors: crier check lists them)" : "");
}

/* Say what there is to say of a result, and keep the configuration; *e when it is invalid. */
static int result_take(struct loaded *r, const struct cfg **out, struct err *e)
{
	int status = r->status;

	if (r->why.kind) {
		*e = r->why;
	} else if (status < 0) {
		report_say(&r->report);
		status = report_error(&r->report, e);
	}
	for (size_t i = 0; status == 0 && i < r->report.warnings.n; i++)
		log_event(LOG_WARN, "configWarning", r->report.warnings.v[i].message,
			  KV_STR("file", r->report.warnings.v[i].file),
			  KV_U64("line", r->report.warnings.v[i].pos.line),
			  KV_STR("path", r->report.warnings.v[i].path));
	cfg_report_fini(&r->report);
	*out = r->cfg;
	return status;
}

int app_load(const struct app_conf *conf, const struct cfg **out, struct err *e)
{
	struct loaded result;

	loader_load(conf, &result);
	if (result.cfg) /* its warnings are events already */
		log_configure(result.cfg->log.format, result.cfg->log.level);
	return result_take(&result, out, e);
}

/* --- health checks of standalone services --- */

struct health_conf app_health_conf(const char *name, const struct cfg_health *h)
{
	return (struct health_conf){
		.name = name,
		.kind = h->kind == CFG_HEALTH_HTTP ? HEALTH_HTTP : HEALTH_TCP,
		.addr = h->tcp.addr,
		.port = h->tcp.port,
		.url = h->target,
		.interval = h->interval,
		.timeout = h->timeout,
		.rise = h->rise,
		.fall = h->fall,
	};
}

static int checks_apply(struct app *a, const struct cfg *old, const struct cfg *now, struct err *e)
{
	if (old && cfg_shares(old, now, CFG_SERVICES))
		return 0;
	for (size_t i = 0; old && i < old->n_services; i++) {
		const char *name = old->services[i].name;

		if (old->services[i].health.kind == CFG_HEALTH_NONE)
			continue;
		const struct cfg_service *s = cfg_service_find(now, name);
		if (!s || s->health.kind == CFG_HEALTH_NONE) {
			health_checker_del(a->health, name);
			verdict_settle(a, name);
		}
	}
	for (size_t i = 0; i < now->n_services; i++) {
		const struct cfg_service *s = &now->services[i];
		struct health_status st;

		if (s->health.kind == CFG_HEALTH_NONE)
			continue;
		struct health_conf conf = app_health_conf(s->name, &s->health);
		bool known = health_checker_status(a->health, s->name, &st);
		if (health_checker_set(a->health, &conf, e) < 0)
			return -ERR_SYSTEM;
		if (!known)
			verdict_settle(a, s->name); /* no, until it has proved itself */
	}
	return 0;
}

/* --- putting in force --- */

/* Until what a reload changes is on the wire, and whoever asked has the answer. */
#define TIDY_AFTER DUR_S(1)

static void retired_free(struct app *a)
{
	for (size_t i = 0; i < a->n_retired; i++)
		cfg_free(a->retired[i]);
	a->n_retired = 0;
}

static void tidy_due(struct loop_timer *t, struct mono now)
{
	struct app *a = CONTAINER_OF(t, struct app, tidying);

	if (loader_is_busy(a->loader)) { /* it may be comparing with one of them */
		loop_timer_set(t, mono_add(now, TIDY_AFTER));
	} else if (planner_is_settled(a->planner)) {
		retired_free(a);
		mem_trim(); /* of a file, only a fraction is kept */
	}
}

void app_tidy(struct app *a)
{
	if (a->n_retired)
		loop_timer_set(&a->tidying, mono_add(loop_now(a->loop), TIDY_AFTER));
}

void app_configs_init(struct app *a)
{
	loop_timer_init(&a->tidying, a->loop, tidy_due);
	loop_timer_set(&a->tidying, mono_add(loop_now(a->loop), TIDY_AFTER));
}

void app_configs_fini(struct app *a)
{
	if (a->loop)
		loop_timer_stop(&a->tidying);
	retired_free(a);
	free(a->retired);
	a->cfg = cfg_free(a->cfg);
}

static void retire(struct app *a, const struct cfg *old)
{
	if (!old)
		return;
	mem_grow(a->retired, a->n_retired, a->cap_retired);
	a->retired[a->n_retired++] = old;
}

static bool same_fast_detection(const struct cfg_fast_detection *a,
				const struct cfg_fast_detection *b)
{
	return a->off == b->off && a->port == b->port && a->interval.ns == b->interval.ns &&
	       a->multiplier == b->multiplier;
}

/* What only a new start can change. */
static void warn_about_restart(const struct cfg *old, const struct cfg *now)
{
	if (!old)
		return;
	if (strcmp(old->control.socket, now->control.socket) != 0 ||
	    old->http.off != now->http.off || !addr_eq(&old->http.at.addr, &now->http.at.addr) ||
	    old->http.at.port != now->http.at.port)
		log_plain(LOG_WARN, "needsRestart",
			  "control.socket and http.listen change at the next start");
	if (strcmp(old->node.name, now->node.name) != 0)
		log_plain(LOG_WARN, "needsRestart", "node.name changes at the next start");
	if (old->cluster.enabled != now->cluster.enabled ||
	    old->cluster.bind.port != now->cluster.bind.port ||
	    !addr_eq(&old->cluster.bind.addr, &now->cluster.bind.addr))
		log_plain(LOG_WARN, "needsRestart", "cluster.bind changes at the next start");
	if (!same_fast_detection(&old->cluster.fast_detection, &now->cluster.fast_detection))
		log_plain(LOG_WARN, "needsRestart",
			  "cluster.fast-detection changes at the next start");
}

/* What a slip of the hand does, and a hand that insists. */
static int check_losses(const struct app *a, const struct cfg *c, struct err *e)
{
	int status = a->cfg ? cfg_check_emptied(a->cfg, c, e) : 0;

	if (status == 0)
		status = allocation_check(a->allocation, c, e);
	if (status == 0)
		status = kubernetes_check(a->kubernetes, c, e);
	return status < 0 ? err_wrap(e, "refused, unless by crier reload --force") : 0;
}

/* Services are decided anew, but for those that @ch has nothing to say about. */
static void decide_anew(struct app *a, const struct cfg *old, const struct cfg *c,
			const struct cfg_changes *ch)
{
	bool few = ch && !ch->all && planner_is_settled(a->planner);

	if (few)
		planner_follow(a->planner, old, c);
	world_change_config(a->world, c, few ? ch : NULL);
}

int app_apply(struct app *a, const struct cfg *c, const struct cfg_changes *ch, bool force,
	      struct err *e)
{
	const struct cfg *old = a->cfg;
	struct err later = { 0 };

	/* First everything that can refuse, then what can't. */
	if ((!force && check_losses(a, c, e) < 0) || layer2_configure(&a->layer2, c, e) < 0) {
		cfg_free(c);
		return -ERR_CONFIG;
	}
	log_configure(c->log.format, c->log.level);
	warn_about_restart(old, c);
	a->cfg = c;
	decide_anew(a, old, c, ch);
	share_replay(a->share); /* what was said of services that were not known yet */
	retire(a, old);
	binding_linger(a->binding, c->l2.linger);
	binding_end_connections(a->binding, c->l2.end_connections);
	bool reallocated = allocation_apply(a->allocation, c);
	membership_apply(a->membership, c);
	if (!old || old->l2.preempt != c->l2.preempt)
		services_hold(a->services);
	app_quorum_settle(a);
	reach_settle(a->reach); /* an advertisement may name other links */
	share_config(a->share, c->hash);
	if (reallocated && !membership_enabled(a->membership))
		allocation_prune(a->allocation);
	restart_configure(a->restart, c);
	bool partly = checks_apply(a, old, c, &later) < 0;
	if (a->conf.is_announcer) {
		partly |= sessions_apply(&a->sessions, &later) < 0;
		partly |= networks_apply(a->networks, old, c, &later) < 0;
	}
	if (partly)
		log_event(LOG_ERROR, "configPartly", "a part of the configuration is not in force",
			  KV_STR("error", later.text));
	free(a->config.why);
	a->config.why = later.kind ? mem_strdup(later.text) : NULL;
	a->config.since = loop_now(a->loop);
	a->config.loads++;
	kubernetes_configured(a->kubernetes);
	if (kubernetes_is_configured(a->kubernetes)) {
		allocator_configured(a->allocator);
		reporter_config(a->reporter, NULL);
	}
	log_event(LOG_INFO, "configLoaded", "configuration in force", KV_U64("peers", c->n_peers),
		  KV_U64("pools", c->n_pools), KV_U64("services", c->n_services),
		  KV_U64("networks", c->n_networks));
	return 0;
}

/* The reload is over (@diff is taken): whoever asked is told, and a hangup that came meanwhile gets its own. */
static void reload_end(struct app *a, json_t *diff, const struct err *e)
{
	struct control_stream *asked = a->reload.asked;

	a->reload.asked = NULL;
	loop_timer_set(&a->tidying, mono_add(loop_now(a->loop), TIDY_AFTER));
	notify_manager("READY=1");
	if (e) {
		free(a->config.why);
		a->config.why = mem_strdup(e->text);
		a->config.refusals++;
		log_event(LOG_ERROR, "configStale",
			  "configuration refused; the one before stays in force",
			  KV_STR("error", e->text));
		reporter_config(a->reporter, e);
	}
	if (asked && e)
		control_stream_fail(asked, e);
	else if (asked) {
		control_stream_send(asked, diff);
		control_stream_end(asked);
	}
	json_decref(diff);
	if (a->reload.again) {
		struct err why = { 0 };

		a->reload.again = false;
		if (app_reload(a, false, NULL, &why) < 0)
			reload_end(a, NULL, &why);
	}
}

static void reload_loaded(void *ctx, struct loaded *result)
{
	struct app *a = ctx;
	const struct cfg *now = NULL;
	struct err e = { 0 };
	int status = result_take(result, &now, &e);

	if (status == 0)
		status = app_apply(a, now, result->changes, a->reload.force, &e);
	cfg_changes_free(result->changes);
	reload_end(a, result->diff, status < 0 ? &e : NULL);
}

int app_reload(struct app *a, bool force, struct control_stream *asked, struct err *e)
{
	size_t n_texts;
	const struct cfg_text *texts = kubernetes_texts(a->kubernetes, &n_texts);

	if (!kubernetes_is_viewed(a->kubernetes))
		return err_set(e, ERR_STATE,
			       "the Kubernetes API has not been seen yet; its configuration comes "
			       "into force by itself");
	if (loader_start(a->loader, a->cfg, texts, n_texts, reload_loaded, a, e) < 0)
		return -ERR_STATE;
	notify_manager("RELOADING=1");
	a->reload.force = force;
	a->reload.asked = asked;
	return 0;
}

void app_hangup(struct app *a)
{
	struct err e = { 0 };

	if (loader_is_busy(a->loader))
		a->reload.again = true; /* what is being read may be older than the signal */
	else if (app_reload(a, false, NULL, &e) < 0)
		reload_end(a, NULL, &e);
}
