#include "app/share_priv.h"

#include <string.h>

/* A number of a message. JSON's are signed here, and what is built on it must still be one. */
static bool number_of(const json_t *j, uint64_t *out)
{
	json_int_t v = json_integer_value(j);

	if (!json_is_integer(j) || v < 0 || v > INT64_MAX / 2)
		return false;
	*out = (uint64_t)v;
	return true;
}

/* The verdict to be written, made if need be; NULL: too much is kept already. */
static struct share_verdict *verdict_of(struct share *s, struct share_speaker *sp,
					const char *service)
{
	struct share_verdict *v = map_get(sp->verdicts, service);

	if (v || s->heard >= SHARE_VERDICTS_MAX || strlen(service) > SHARE_NAME_MAX)
		return v;
	v = mem_new(struct share_verdict);
	v->gone = true; /* nothing was said so far */
	(void)map_put(sp->verdicts, service, v);
	s->heard++;
	return v;
}

static bool verdict_take(struct share *s, const char *node, struct share_speaker *sp,
			 const char *service, const json_t *one)
{
	const json_t *servable = json_array_get(one, 1), *in = json_array_get(one, 2);
	uint64_t version, term = 0;
	bool silent = !servable || json_is_null(servable);
	bool good = number_of(json_array_get(one, 0), &version) && version > 0 &&
		    (silent || json_is_boolean(servable)) && (!in || number_of(in, &term));
	struct share_verdict *v = good ? verdict_of(s, sp, service) : NULL;

	if (!v) {
		s->refused++;
		return false;
	}
	if (v->version >= version)
		return false;
	struct share_verdict before = *v;

	*v = (struct share_verdict){
		.version = version, .servable = json_is_true(servable), .gone = silent, .term = term
	};
	if (!v->gone || !before.gone)
		share_tell_verdict(s, node, service, v);
	if (v->term != before.term)
		share_tell_term(s, node, service, v->term);
	return true;
}

static bool config_take(struct share_speaker *sp, const json_t *config)
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

static bool host_take(struct share *s, const char *node, struct share_speaker *sp,
		      const json_t *said)
{
	json_t *host = json_array_get(said, 1);
	uint64_t version;

	if (!said)
		return false;
	if (!number_of(json_array_get(said, 0), &version) || !json_is_object(host) ||
	    json_dumpb(host, NULL, 0, JSON_COMPACT) > SHARE_HOST_MAX) {
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
	struct share_speaker *sp = map_get(s->speakers, s->me);

	if (epoch <= sp->epoch)
		return;
	sp->epoch = epoch + 1 + sp->epoch % 1000000000;
	if (!s->refuted)
		share_say_verdicts(s, false);
	s->refuted = true;
}

/* It has started anew: of what it said before nothing counts. */
static void speaker_restart(struct share *s, const char *node, struct share_speaker *sp,
			    uint64_t epoch)
{
	const char *service;
	struct share_verdict *v;

	MAP_EACH (sp->verdicts, service, v) {
		const struct share_verdict before = *v;

		*v = (struct share_verdict){ .gone = true };
		if (!before.gone)
			share_tell_verdict(s, node, service, v);
		if (before.term)
			share_tell_term(s, node, service, 0);
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
	struct share_speaker *sp = share_speaker(s, node);
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
