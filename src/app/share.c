#include "app/share.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"

/* Of one user message, so that gossip's datagram of 1400 bytes still has room for its own. */
enum { SHARE_MESSAGE_MAX = 1000, SHARE_NODES_MAX = 4096, SHARE_SERVICES_MAX = 65536 };

struct verdict {
	uint64_t version;
	bool servable;
	bool gone; /* withdrawn: kept so that an older message does not bring it back */
};

struct speaker {
	uint64_t epoch;
	uint64_t config; /* hash; 0: not said */
	uint64_t config_version;
	struct map *verdicts; /* service -> struct verdict */
};

struct share {
	char *me;
	struct share_hooks hooks;
	struct map *speakers; /* node -> struct speaker; ourselves too */
	uint64_t version;
	uint64_t refused;
};

static void speaker_free(void *value)
{
	struct speaker *sp = value;

	map_clear(sp->verdicts, free);
	map_free(sp->verdicts);
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
	speaker_of(s, me)->epoch = epoch;
	return s;
}

struct share *share_free(struct share *s)
{
	if (!s)
		return NULL;
	map_clear(s->speakers, speaker_free);
	map_free(s->speakers);
	free(s->me);
	free(s);
	return NULL;
}

/* --- writing --- */

/* [version, servable], or [version] when it is gone. */
static json_t *verdict_json(const struct verdict *v)
{
	json_t *one = json_array();

	json_array_append_new(one, json_integer((json_int_t)v->version));
	if (!v->gone)
		json_array_append_new(one, json_boolean(v->servable));
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

static json_t *message_new(void)
{
	return json_pack("{s:i, s:[]}", "crier", 1, "states");
}

static void message_send(struct share *s, json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);

	s->hooks.broadcast(s->hooks.ctx, text, strlen(text));
	free(text);
	json_decref(message);
}

/* Verdicts of ours as messages of a limited size. */
static void tell_verdicts(struct share *s)
{
	const struct speaker *sp = map_get(s->speakers, s->me);
	json_t *statement = statement_new(s->me, sp), *message;
	size_t room = SHARE_MESSAGE_MAX;
	const char *service;
	struct verdict *v;

	MAP_EACH (sp->verdicts, service, v) {
		size_t cost = strlen(service) + 32;

		if (cost > room) {
			message = message_new();
			json_array_append_new(json_object_get(message, "states"), statement);
			message_send(s, message);
			statement = statement_new(s->me, sp);
			room = SHARE_MESSAGE_MAX;
		}
		room -= MIN(room, cost);
		json_object_set_new(json_object_get(statement, "serving"), service,
				    verdict_json(v));
	}
	message = message_new();
	json_array_append_new(json_object_get(message, "states"), statement);
	message_send(s, message);
}

static void tell_one(struct share *s, const char *service, const struct verdict *v)
{
	json_t *statement = statement_new(s->me, map_get(s->speakers, s->me));
	json_t *message = message_new();

	json_object_set_new(json_object_get(statement, "serving"), service, verdict_json(v));
	json_array_append_new(json_object_get(message, "states"), statement);
	message_send(s, message);
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
	*v = (struct verdict){ .version = ++s->version, .servable = servable, .gone = gone };
	tell_one(s, service, v);
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
	tell_verdicts(s);
}

json_t *share_disagreeing(const struct share *s)
{
	const struct speaker *me = map_get(s->speakers, s->me), *sp;
	json_t *names = json_array();
	const char *node;

	MAP_EACH (s->speakers, node, sp) {
		if (sp->config && sp->config != me->config)
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
		n += sp->config == me->config;
	}
	(void)node;
	return n;
}

void share_allocations(struct share *s, const json_t *changed)
{
	json_t *message = NULL, *entry;
	size_t i, room = 0;

	json_array_foreach(changed, i, entry)
	{
		size_t cost = json_dumpb(entry, NULL, 0, JSON_COMPACT) + 1;

		if (message && cost > room) {
			message_send(s, message);
			message = NULL;
		}
		if (!message) {
			message = json_pack("{s:i, s:[]}", "crier", 1, "allocations");
			room = SHARE_MESSAGE_MAX;
		}
		room -= MIN(room, cost);
		json_array_append(json_object_get(message, "allocations"), entry);
	}
	if (message)
		message_send(s, message);
}

void share_repeat(struct share *s)
{
	json_t *table = s->hooks.allocations(s->hooks.ctx);

	tell_verdicts(s);
	share_allocations(s, table);
	json_decref(table);
}

void share_write(const struct share *s, struct buf *out)
{
	json_t *message = message_new();
	const char *node, *service;
	struct speaker *sp;
	struct verdict *v;

	MAP_EACH (s->speakers, node, sp) {
		json_t *statement = statement_new(node, sp);

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

static bool verdict_take(struct share *s, const char *node, struct speaker *sp, const char *service,
			 const json_t *one)
{
	const json_t *version = json_array_get(one, 0), *servable = json_array_get(one, 1);
	struct verdict *v = map_get(sp->verdicts, service);

	if (!json_is_integer(version) || (servable && !json_is_boolean(servable))) {
		s->refused++;
		return false;
	}
	if (v && v->version >= (uint64_t)json_integer_value(version))
		return false;
	if (!v) {
		if (map_len(sp->verdicts) >= SHARE_SERVICES_MAX) {
			s->refused++;
			return false;
		}
		v = mem_new(struct verdict);
		(void)map_put(sp->verdicts, service, v);
	}
	v->version = (uint64_t)json_integer_value(version);
	v->gone = !servable;
	v->servable = json_is_true(servable);
	s->hooks.verdict(s->hooks.ctx, node, service, v->servable);
	return true;
}

static bool config_take(struct speaker *sp, const json_t *config)
{
	const json_t *version = json_array_get(config, 0);
	const char *hash = json_string_value(json_array_get(config, 1));

	if (!json_is_integer(version) || !hash ||
	    (uint64_t)json_integer_value(version) <= sp->config_version)
		return false;
	sp->config_version = (uint64_t)json_integer_value(version);
	sp->config = strtoull(hash, NULL, 16);
	return true;
}

/* The speaker of a statement, made anew when it has started again; NULL: nothing of it is of interest. */
static struct speaker *speaker_take(struct share *s, const char *node, uint64_t epoch)
{
	struct speaker *sp =
		strcmp(node, s->me) ? speaker_of(s, node) : NULL; /* ours: we know better */

	if (!sp || epoch < sp->epoch)
		return NULL;
	if (epoch > sp->epoch) {
		map_clear(sp->verdicts, free);
		sp->epoch = epoch;
		sp->config = sp->config_version = 0;
	}
	return sp;
}

static bool statement_take(struct share *s, const json_t *statement)
{
	const char *node = json_string_value(json_object_get(statement, "node"));
	const json_t *epoch = json_object_get(statement, "epoch");
	json_t *serving = json_object_get(statement, "serving"), *one;
	const char *service;

	if (!node || !json_is_integer(epoch) || !json_is_object(serving)) {
		s->refused++;
		return false;
	}
	struct speaker *sp = speaker_take(s, node, (uint64_t)json_integer_value(epoch));
	if (!sp)
		return false;
	bool news = config_take(sp, json_object_get(statement, "config"));
	json_object_foreach(serving, service, one)
	{
		news |= verdict_take(s, node, sp, service, one);
	}
	return news;
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

void share_forget(struct share *s, const char *node)
{
	struct speaker *sp = strcmp(node, s->me) ? map_del(s->speakers, node) : NULL;

	if (sp)
		speaker_free(sp);
}

uint64_t share_refused(const struct share *s)
{
	return s->refused;
}
