#include "app/share_priv.h"

#include <stdio.h>

/* [version, servable], or [version] when it is gone; who has the service adds its term: [version, servable or null, term]. */
static json_t *verdict_json(const struct share_verdict *v)
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

static json_t *statement_new(const char *node, const struct share_speaker *sp)
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

static void statement_add_host(json_t *statement, const struct share_speaker *sp)
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
static json_t *pair_json(const char *service, const struct share_verdict *v)
{
	return json_pack("{s:o}", service, verdict_json(v));
}

void share_say_verdicts(struct share *s, bool untold_only)
{
	const struct share_speaker *sp = map_get(s->speakers, s->me);
	struct draft d = draft_verdicts(s);
	const char *service;
	struct share_verdict *v;

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

void share_say_verdict(struct share *s, const char *service, const struct share_verdict *v)
{
	struct draft d = draft_verdicts(s);

	json_object_set_new(d.body, service, verdict_json(v));
	message_send(s, d.message);
}

void share_say_config(struct share *s)
{
	message_send(s, draft_verdicts(s).message);
}

void share_say_host(struct share *s)
{
	const struct share_speaker *sp = map_get(s->speakers, s->me);
	struct draft d = draft_verdicts(s);

	statement_add_host(json_array_get(json_object_get(d.message, "states"), 0), sp);
	message_send(s, d.message);
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

	share_say_verdicts(s, false);
	share_say_host(s);
	share_allocations(s, table);
	json_decref(table);
}

void share_write(const struct share *s, struct buf *out)
{
	json_t *message = json_pack("{s:i, s:[]}", "crier", 1, "states");
	const char *node, *service;
	struct share_speaker *sp;
	struct share_verdict *v;

	MAP_EACH (s->speakers, node, sp) {
		if (!share_is_member(s, node))
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
