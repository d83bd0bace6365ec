#include "app/share_priv.h"

#include <string.h>

static void speaker_free(void *value)
{
	struct share_speaker *sp = value;

	map_clear(sp->verdicts, free);
	map_free(sp->verdicts);
	json_decref(sp->host);
	free(sp);
}

struct share_speaker *share_speaker(struct share *s, const char *node)
{
	struct share_speaker *sp = map_get(s->speakers, node);

	if (sp || map_len(s->speakers) >= SHARE_NODES_MAX)
		return sp;
	sp = mem_new(struct share_speaker);
	sp->verdicts = map_new();
	(void)map_put(s->speakers, node, sp);
	return sp;
}

struct share *share_new(const char *me, uint64_t epoch, const struct share_hooks *hooks)
{
	struct share *s = mem_new(struct share);

	s->me = mem_strdup(me);
	s->hooks = *hooks;
	s->speakers = map_new();
	s->terms = map_new();
	share_speaker(s, me)->epoch = epoch;
	return s;
}

struct share *share_free(struct share *s)
{
	if (!s)
		return NULL;
	map_clear(s->speakers, speaker_free);
	map_free(s->speakers);
	map_clear(s->terms, free);
	map_free(s->terms);
	free(s->me);
	free(s);
	return NULL;
}

static void own_verdict(struct share *s, const char *service, bool servable, bool gone)
{
	struct share_speaker *sp = map_get(s->speakers, s->me);
	struct share_verdict *v = map_get(sp->verdicts, service);

	if (v ? v->servable == servable && v->gone == gone : gone)
		return;
	if (!v) {
		v = mem_new(struct share_verdict);
		(void)map_put(sp->verdicts, service, v);
	}
	v->version = ++s->version;
	v->servable = servable;
	v->gone = gone;
	share_say_verdict(s, service, v);
}

void share_note_term(struct share *s, const char *service, uint64_t term)
{
	uint64_t *last = map_get(s->terms, service);

	if (!last && map_len(s->terms) >= SHARE_VERDICTS_MAX)
		return;
	if (!last) {
		last = mem_new(uint64_t);
		(void)map_put(s->terms, service, last);
	}
	*last = MAX(*last, term);
}

void share_tell_verdict(struct share *s, const char *node, const char *service,
			const struct share_verdict *v)
{
	if (!v->gone)
		s->hooks.verdict(s->hooks.ctx, node, service, v->servable);
	else
		s->hooks.silent(s->hooks.ctx, node, service);
}

void share_tell_term(struct share *s, const char *node, const char *service, uint64_t term)
{
	share_note_term(s, service, term);
	s->hooks.holds(s->hooks.ctx, node, service, term);
}

void share_hold(struct share *s, const char *service, bool holds)
{
	struct share_speaker *sp = map_get(s->speakers, s->me);
	struct share_verdict *v = map_get(sp->verdicts, service);
	const uint64_t *last = map_get(s->terms, service);

	if (v ? (v->term > 0) == holds : !holds)
		return;
	if (!v) {
		v = mem_new(struct share_verdict);
		v->gone = true;
		(void)map_put(sp->verdicts, service, v);
	}
	v->version = ++s->version;
	v->term = holds ? (last ? *last : 0) + 1 : 0;
	v->untold = true;
	share_note_term(s, service, v->term);
	s->hooks.holds(s->hooks.ctx, s->me, service, v->term);
}

void share_flush(struct share *s)
{
	share_say_verdicts(s, true);
}

const char *share_holder(const struct share *s, const char *service, uint64_t *term)
{
	const char *node, *holder = NULL;
	const struct share_speaker *sp;

	*term = 0;
	MAP_EACH (s->speakers, node, sp) {
		const struct share_verdict *v = map_get(sp->verdicts, service);
		bool later = v && v->term &&
			     (v->term > *term || (v->term == *term && strcmp(node, holder) < 0));

		if (!later)
			continue;
		*term = v->term;
		holder = node;
	}
	return holder;
}

void share_serve(struct share *s, const char *service, bool servable)
{
	own_verdict(s, service, servable, false);
}

void share_unserve(struct share *s, const char *service)
{
	own_verdict(s, service, false, true);
}

void share_config(struct share *s, uint64_t hash)
{
	struct share_speaker *sp = map_get(s->speakers, s->me);

	if (sp->config == hash)
		return;
	sp->config = hash;
	sp->config_version = ++s->version;
	share_say_config(s);
}

void share_host(struct share *s, json_t *host)
{
	struct share_speaker *sp = map_get(s->speakers, s->me);

	if (json_equal(sp->host, host)) {
		json_decref(host);
		return;
	}
	json_decref(sp->host);
	sp->host = host;
	sp->host_version = ++s->version;
	share_say_host(s);
}

const json_t *share_host_of(const struct share *s, const char *node)
{
	const struct share_speaker *sp = map_get(s->speakers, node);

	return sp ? sp->host : NULL;
}

bool share_is_member(const struct share *s, const char *node)
{
	return strcmp(node, s->me) == 0 || s->hooks.is_member(s->hooks.ctx, node);
}

json_t *share_disagreeing(const struct share *s)
{
	const struct share_speaker *me = map_get(s->speakers, s->me), *sp;
	json_t *names = json_array();
	const char *node;

	MAP_EACH (s->speakers, node, sp) {
		if (sp->config && sp->config != me->config && share_is_member(s, node))
			json_array_append_new(names, json_string(node));
	}
	return names;
}

size_t share_agreeing(const struct share *s)
{
	const struct share_speaker *me = map_get(s->speakers, s->me), *sp;
	const char *node;
	size_t n = 0;

	MAP_EACH (s->speakers, node, sp) {
		n += sp->config == me->config && share_is_member(s, node);
	}
	return n;
}

void share_replay(struct share *s)
{
	const char *node, *service;
	struct share_speaker *sp;
	struct share_verdict *v;

	MAP_EACH (s->speakers, node, sp) {
		if (strcmp(node, s->me) == 0)
			continue;
		MAP_EACH (sp->verdicts, service, v) {
			if (!v->gone)
				share_tell_verdict(s, node, service, v);
			if (v->term)
				share_tell_term(s, node, service, v->term);
		}
	}
}

void share_forget(struct share *s, const char *node)
{
	struct share_speaker *sp = strcmp(node, s->me) ? map_del(s->speakers, node) : NULL;
	const char *service;
	const struct share_verdict *v;

	if (!sp)
		return;
	s->heard -= map_len(sp->verdicts);
	MAP_EACH (sp->verdicts, service, v) {
		if (v->term)
			share_tell_term(s, node, service, 0);
	}
	speaker_free(sp);
}

uint64_t share_refused(const struct share *s)
{
	return s->refused;
}
