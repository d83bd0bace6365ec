#include "app/share.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"

/* Bounds of what other members may make us keep. */
enum {
	SHARE_NODES_MAX = 4096,
	SHARE_VERDICTS_MAX = 1 << 20,
	SHARE_NAME_MAX = 253,
	SHARE_HOST_MAX = 4096,
};

struct verdict {
	uint64_t version;
	bool servable;
	bool gone; /* withdrawn: kept so that an older message does not bring it back */
	bool untold;
	uint64_t term; /* in which the node took it; 0: it has it not */
};

struct speaker {
	uint64_t epoch;
	uint64_t config; /* hash; 0: not said */
	uint64_t config_version;
	json_t *host; /* NULL: not said */
	uint64_t host_version;
	struct map *verdicts; /* service -> struct verdict */
};

struct share {
	char *me;
	struct share_hooks hooks;
	struct map *speakers; /* node -> struct speaker; ourselves too */
	uint64_t version;
	struct map *terms; /* service -> the last term that was heard of */
	size_t heard;	   /* verdicts of others */
	bool refuted;
	uint64_t refused;
};

static void speaker_free(void *value)
{
	struct speaker *sp = value;

	map_clear(sp->verdicts, free);
	map_free(sp->verdicts);
	json_decref(sp->host);
	free(sp);
}

static struct speaker *speaker_of(struct share *s, const char *node)
{
	struct speaker *sp = map_get(s->speakers, node);

	if (sp || map_len(s->speakers) >= SHARE_NODES_MAX)
		return sp;
	sp = mem_new(struct speaker);
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
	speaker_of(s, me)->epoch = epoch;
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

/* --- writing --- */

/* [version, servable], or [version] when it is gone; who has the service adds its term: [version, servable or null, term]. */
static json_t *verdict_json(const struct verdict *v)
{
	json_t *one = json_array();

	json_array_append_new(one, json_integer((json_int_t)v->version));
	if (!v->gone)
		json_array_append_new(one, json_boolean(v->servable));
	else if (v->term)
		json_array_append_new(one, json_null());
	if (v->term)
		json_array_append_new(one, json_integer((json_int_t)v->term));
	return one;
}

static json_t *statement_new(const char *node, const struct speaker *sp)
{
	json_t *statement = json_pack("{s:s, s:I, s:{}}", "node", node, "epoch",
				      (json_int_t)sp->epoch, "serving");
	char hash[20];

	if (sp->config) {
		snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)sp->config);
		json_object_set_new(statement, "config",
				    json_pack("[I, s]", (json_int_t)sp->config_version, hash));
	}
	return statement;
}

static void statement_add_host(json_t *statement, const struct speaker *sp)
{
	if (sp->host)
		json_object_set_new(statement, "host",
				    json_pack("[I, O]", (json_int_t)sp->host_version, sp->host));
}

static size_t json_len(const json_t *j)
{
	return json_dumpb(j, NULL, 0, JSON_COMPACT);
}

/* What is too long for a datagram stays for push/pull. */
static void message_send(struct share *s, json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);
	size_t len = strlen(text);

	if (len <= SHARE_MESSAGE_MAX)
		s->hooks.broadcast(s->hooks.ctx, text, len);
	free(text);
	json_decref(message);
}

/* A message that is being filled. */
struct draft {
	json_t *message;
	json_t *body; /* lent: an object of verdicts, or an array of allocations */
	size_t len;
};

/* Begins with our epoch and what we say of our configuration. */
static struct draft draft_verdicts(const struct share *s)
{
	json_t *statement = statement_new(s->me, map_get(s->speakers, s->me));
	json_t *message = json_pack("{s:i, s:[O]}", "crier", 1, "states", statement);

	json_decref(statement); /* the message has it */
	return (struct draft){
		.message = message,
		.body = json_object_get(statement, "serving"),
		.len = json_len(message),
	};
}

static struct draft draft_allocations(void)
{
	json_t *message = json_pack("{s:i, s:[]}", "crier", 1, "allocations");

	return (struct draft){
		.message = message,
		.body = json_object_get(message, "allocations"),
		.len = json_len(message),
	};
}

/* {service: verdict}; as a part of a larger object a comma takes the place of the braces. */
static json_t *pair_json(const char *service, const struct verdict *v)
{
	return json_pack("{s:o}", service, verdict_json(v));
}

static void tell_verdicts(struct share *s, bool untold_only)
{
	const struct speaker *sp = map_get(s->speakers, s->me);
	struct draft d = draft_verdicts(s);
	const char *service;
	struct verdict *v;

	MAP_EACH (sp->verdicts, service, v) {
		if (untold_only && !v->untold)
			continue;
		v->untold = false;
		json_t *pair = pair_json(service, v);
		size_t len = json_len(pair) - 1;

		if (d.len + len > SHARE_MESSAGE_MAX && json_object_size(d.body) > 0) {
			message_send(s, d.message);
			d = draft_verdicts(s);
		}
		json_object_update(d.body, pair);
		d.len += len;
		json_decref(pair);
	}
	message_send(s, d.message);
}

static void tell_one(struct share *s, const char *service, const struct verdict *v)
{
	struct draft d = draft_verdicts(s);

	json_object_set_new(d.body, service, verdict_json(v));
	message_send(s, d.message);
}

static void own_verdict(struct share *s, const char *service, bool servable, bool gone)
{
	struct speaker *sp = map_get(s->speakers, s->me);
	struct verdict *v = map_get(sp->verdicts, service);

	if (v ? v->servable == servable && v->gone == gone : gone)
		return;
	if (!v) {
		v = mem_new(struct verdict);
		(void)map_put(sp->verdicts, service, v);
	}
	v->version = ++s->version;
	v->servable = servable;
	v->gone = gone;
	tell_one(s, service, v);
}

static void note_term(struct share *s, const char *service, uint64_t term)
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

void share_hold(struct share *s, const char *service, bool holds)
{
	struct speaker *sp = map_get(s->speakers, s->me);
	struct verdict *v = map_get(sp->verdicts, service);
	const uint64_t *last = map_get(s->terms, service);

	if (v ? (v->term > 0) == holds : !holds)
		return;
	if (!v) {
		v = mem_new(struct verdict);
		v->gone = true;
		(void)map_put(sp->verdicts, service, v);
	}
	v->version = ++s->version;
	v->term = holds ? (last ? *last : 0) + 1 : 0;
	v->untold = true;
	note_term(s, service, v->term);
	s->hooks.holds(s->hooks.ctx, s->me, service, v->term);
}

void share_flush(struct share *s)
{
	tell_verdicts(s, true);
}

const char *share_holder(const struct share *s, const char *service, uint64_t *term)
{
	const char *node, *holder = NULL;
	const struct speaker *sp;

	*term = 0;
	MAP_EACH (s->speakers, node, sp) {
		const struct verdict *v = map_get(sp->verdicts, service);
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
	struct speaker *sp = map_get(s->speakers, s->me);

	if (sp->config == hash)
		return;
	sp->config = hash;
	sp->config_version = ++s->version;
	message_send(s, draft_verdicts(s).message);
}

static void tell_host(struct share *s)
{
	const struct speaker *sp = map_get(s->speakers, s->me);
	struct draft d = draft_verdicts(s);

	statement_add_host(json_array_get(json_object_get(d.message, "states"), 0), sp);
	message_send(s, d.message);
}

void share_host(struct share *s, json_t *host)
{
	struct speaker *sp = map_get(s->speakers, s->me);

	if (json_equal(sp->host, host)) {
		json_decref(host);
		return;
	}
	json_decref(sp->host);
	sp->host = host;
	sp->host_version = ++s->version;
	tell_host(s);
}

const json_t *share_host_of(const struct share *s, const char *node)
{
	const struct speaker *sp = map_get(s->speakers, node);

	return sp ? sp->host : NULL;
}

static bool is_member(const struct share *s, const char *node)
{
	return strcmp(node, s->me) == 0 || s->hooks.is_member(s->hooks.ctx, node);
}

json_t *share_disagreeing(const struct share *s)
{
	const struct speaker *me = map_get(s->speakers, s->me), *sp;
	json_t *names = json_array();
	const char *node;

	MAP_EACH (s->speakers, node, sp) {
		if (sp->config && sp->config != me->config && is_member(s, node))
			json_array_append_new(names, json_string(node));
	}
	return names;
}

size_t share_agreeing(const struct share *s)
{
	const struct speaker *me = map_get(s->speakers, s->me), *sp;
	const char *node;
	size_t n = 0;

	MAP_EACH (s->speakers, node, sp) {
		n += sp->config == me->config && is_member(s, node);
	}
	return n;
}

void share_allocations(struct share *s, const json_t *changed)
{
	struct draft d = draft_allocations();
	json_t *entry;
	size_t i;

	json_array_foreach(changed, i, entry)
	{
		size_t len = json_len(entry) + 1;

		if (d.len + len > SHARE_MESSAGE_MAX && json_array_size(d.body) > 0) {
			message_send(s, d.message);
			d = draft_allocations();
		}
		json_array_append(d.body, entry);
		d.len += len;
	}
	if (json_array_size(d.body) > 0)
		message_send(s, d.message);
	else
		json_decref(d.message);
}

void share_repeat(struct share *s)
{
	json_t *table = s->hooks.allocations(s->hooks.ctx);

	tell_verdicts(s, false);
	tell_host(s);
	share_allocations(s, table);
	json_decref(table);
}

void share_write(const struct share *s, struct buf *out)
{
	json_t *message = json_pack("{s:i, s:[]}", "crier", 1, "states");
	const char *node, *service;
	struct speaker *sp;
	struct verdict *v;

	MAP_EACH (s->speakers, node, sp) {
		if (!is_member(s, node))
			continue;
		json_t *statement = statement_new(node, sp);

		statement_add_host(statement, sp);
		MAP_EACH (sp->verdicts, service, v) {
			json_object_set_new(json_object_get(statement, "serving"), service,
					    verdict_json(v));
		}
		json_array_append_new(json_object_get(message, "states"), statement);
	}
	json_object_set_new(message, "allocations", s->hooks.allocations(s->hooks.ctx));
	char *text = json_dumps(message, JSON_COMPACT);

	buf_puts(out, text);
	free(text);
	json_decref(message);
}

/* --- reading --- */

/* A number of a message. JSON's are signed here, and what is built on it must still be one. */
static bool number_of(const json_t *j, uint64_t *out)
{
	json_int_t v = json_integer_value(j);

	if (!json_is_integer(j) || v < 0 || v > INT64_MAX / 2)
		return false;
	*out = (uint64_t)v;
	return true;
}

static void tell_hooks(struct share *s, const char *node, const char *service,
		       const struct verdict *v)
{
	if (!v->gone)
		s->hooks.verdict(s->hooks.ctx, node, service, v->servable);
	else
		s->hooks.silent(s->hooks.ctx, node, service);
}

static void tell_term(struct share *s, const char *node, const char *service, uint64_t term)
{
	note_term(s, service, term);
	s->hooks.holds(s->hooks.ctx, node, service, term);
}

/* The verdict to be written, made if need be; NULL: too much is kept already. */
static struct verdict *verdict_of(struct share *s, struct speaker *sp, const char *service)
{
	struct verdict *v = map_get(sp->verdicts, service);

	if (v || s->heard >= SHARE_VERDICTS_MAX || strlen(service) > SHARE_NAME_MAX)
		return v;
	v = mem_new(struct verdict);
	v->gone = true; /* nothing was said so far */
	(void)map_put(sp->verdicts, service, v);
	s->heard++;
	return v;
}

static bool verdict_take(struct share *s, const char *node, struct speaker *sp, const char *service,
			 const json_t *one)
{
	const json_t *servable = json_array_get(one, 1), *in = json_array_get(one, 2);
	uint64_t version, term = 0;
	bool silent = !servable || json_is_null(servable);
	bool good = number_of(json_array_get(one, 0), &version) && version > 0 &&
		    (silent || json_is_boolean(servable)) && (!in || number_of(in, &term));
	struct verdict *v = good ? verdict_of(s, sp, service) : NULL;

	if (!v) {
		s->refused++;
		return false;
	}
	if (v->version >= version)
		return false;
	struct verdict before = *v;

	*v = (struct verdict){
		.version = version, .servable = json_is_true(servable), .gone = silent, .term = term
	};
	if (!v->gone || !before.gone)
		tell_hooks(s, node, service, v);
	if (v->term != before.term)
		tell_term(s, node, service, v->term);
	return true;
}

static bool config_take(struct speaker *sp, const json_t *config)
{
	const char *hash = json_string_value(json_array_get(config, 1));
	uint64_t version;

	if (!number_of(json_array_get(config, 0), &version) || !hash ||
	    version <= sp->config_version)
		return false;
	sp->config_version = version;
	sp->config = strtoull(hash, NULL, 16);
	return true;
}

static bool host_take(struct share *s, const char *node, struct speaker *sp, const json_t *said)
{
	json_t *host = json_array_get(said, 1);
	uint64_t version;

	if (!said)
		return false;
	if (!number_of(json_array_get(said, 0), &version) || !json_is_object(host) ||
	    json_len(host) > SHARE_HOST_MAX) {
		s->refused++;
		return false;
	}
	if (version <= sp->host_version)
		return false;
	json_decref(sp->host);
	sp->host = json_incref(host);
	sp->host_version = version;
	s->hooks.host(s->hooks.ctx, node, host);
	return true;
}

/*
 * Others remember an earlier life of ours with a later epoch: the clock went back before this
 * start. They would not listen to us until they forget. Another life may have met the same one: the
 * part of our own start keeps us apart. Said aloud once only: two nodes of one name would shout for
 * ever.
 */
static void refute(struct share *s, uint64_t epoch)
{
	struct speaker *sp = map_get(s->speakers, s->me);

	if (epoch <= sp->epoch)
		return;
	sp->epoch = epoch + 1 + sp->epoch % 1000000000;
	if (!s->refuted)
		tell_verdicts(s, false);
	s->refuted = true;
}

/* It has started anew: of what it said before nothing counts. */
static void speaker_restart(struct share *s, const char *node, struct speaker *sp, uint64_t epoch)
{
	const char *service;
	struct verdict *v;

	MAP_EACH (sp->verdicts, service, v) {
		const struct verdict before = *v;

		*v = (struct verdict){ .gone = true };
		if (!before.gone)
			tell_hooks(s, node, service, v);
		if (before.term)
			tell_term(s, node, service, 0);
	}
	s->heard -= map_len(sp->verdicts);
	map_clear(sp->verdicts, free);
	sp->epoch = epoch;
	sp->config = sp->config_version = sp->host_version = 0;
	if (sp->host)
		s->hooks.host(s->hooks.ctx, node, NULL);
	json_decref(sp->host);
	sp->host = NULL;
}

static bool statement_of(struct share *s, const char *node, uint64_t epoch, const json_t *statement)
{
	struct speaker *sp = speaker_of(s, node);
	json_t *serving = json_object_get(statement, "serving"), *one;
	const char *service;

	if (!sp) {
		s->refused++;
		return false;
	}
	if (epoch < sp->epoch)
		return false;
	bool news = epoch > sp->epoch;

	if (news)
		speaker_restart(s, node, sp, epoch);
	news |= config_take(sp, json_object_get(statement, "config"));
	news |= host_take(s, node, sp, json_object_get(statement, "host"));
	json_object_foreach(serving, service, one)
	{
		news |= verdict_take(s, node, sp, service, one);
	}
	return news;
}

static bool statement_take(struct share *s, const json_t *statement)
{
	const char *node = json_string_value(json_object_get(statement, "node"));
	uint64_t epoch;

	if (!node || strlen(node) > SHARE_NAME_MAX ||
	    !number_of(json_object_get(statement, "epoch"), &epoch) ||
	    !json_is_object(json_object_get(statement, "serving"))) {
		s->refused++;
		return false;
	}
	if (strcmp(node, s->me) != 0)
		return statement_of(s, node, epoch, statement);
	refute(s, epoch); /* of ourselves we know better */
	return false;
}

bool share_read(struct share *s, struct rd bytes)
{
	if (bytes.left == 0)
		return false;
	json_t *message = json_loadb((const char *)bytes.p, bytes.left, 0, NULL), *statement;
	bool news = false;
	size_t i;

	if (!json_is_object(message) ||
	    json_integer_value(json_object_get(message, "crier")) != 1) {
		s->refused++;
		json_decref(message);
		return false;
	}
	json_array_foreach(json_object_get(message, "states"), i, statement)
	{
		news |= statement_take(s, statement);
	}
	if (json_is_array(json_object_get(message, "allocations")))
		news |= s->hooks.merge_allocations(s->hooks.ctx,
						   json_object_get(message, "allocations"));
	json_decref(message);
	return news;
}

void share_replay(struct share *s)
{
	const char *node, *service;
	struct speaker *sp;
	struct verdict *v;

	MAP_EACH (s->speakers, node, sp) {
		if (strcmp(node, s->me) == 0)
			continue;
		MAP_EACH (sp->verdicts, service, v) {
			if (!v->gone)
				tell_hooks(s, node, service, v);
			if (v->term)
				tell_term(s, node, service, v->term);
		}
	}
}

void share_forget(struct share *s, const char *node)
{
	struct speaker *sp = strcmp(node, s->me) ? map_del(s->speakers, node) : NULL;
	const char *service;
	const struct verdict *v;

	if (!sp)
		return;
	s->heard -= map_len(sp->verdicts);
	MAP_EACH (sp->verdicts, service, v) {
		if (v->term)
			tell_term(s, node, service, 0);
	}
	speaker_free(sp);
}

uint64_t share_refused(const struct share *s)
{
	return s->refused;
}
