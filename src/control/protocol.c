#include "control/protocol.h"

#include <string.h>

static const char *const kind_names[] = {
	[ERR_NONE] = "none",   [ERR_SYSTEM] = "system",	    [ERR_CONFIG] = "config",
	[ERR_LIMIT] = "limit", [ERR_PROTOCOL] = "protocol", [ERR_NOT_FOUND] = "not-found",
	[ERR_STATE] = "state",
};

const char *control_kind_name(enum err_kind kind)
{
	return (size_t)kind < ARRAY_LEN(kind_names) ? kind_names[kind] : "system";
}

static enum err_kind kind_parse(const char *name)
{
	for (size_t i = ERR_SYSTEM; name && i < ARRAY_LEN(kind_names); i++) {
		if (strcmp(kind_names[i], name) == 0)
			return (enum err_kind)i;
	}
	return ERR_SYSTEM;
}

/* An id comes back as it came: a number, a text, or nothing. */
static int take_id(struct control_request *r, struct err *e)
{
	json_t *id = json_object_get(r->root, "id");

	if (id && !json_is_integer(id) && !json_is_string(id) && !json_is_null(id))
		return err_set(e, ERR_PROTOCOL, "'id' has to be a whole number or text");
	if (id) {
		json_decref(r->id);
		r->id = json_incref(id);
	}
	return 0;
}

static int take_op(struct control_request *r, struct err *e)
{
	r->op = json_string_value(json_object_get(r->root, "op"));
	if (!r->op)
		return err_set(e, ERR_PROTOCOL, "'op' is missing, or is not text");
	json_t *args = json_object_get(r->root, "args");
	if (!args || json_is_null(args)) {
		args = json_object();
		json_object_set_new(r->root, "args", args);
	}
	if (!json_is_object(args))
		return err_set(e, ERR_PROTOCOL, "'args' has to be an object");
	r->args = args;
	return 0;
}

int control_request_parse(const char *line, size_t len, struct control_request *out, struct err *e)
{
	json_error_t bad;

	*out = (struct control_request){ .id = json_null() };
	out->root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &bad);
	if (!out->root)
		return err_set(e, ERR_PROTOCOL, "this is not JSON: %s (at byte %d)", bad.text,
			       bad.position);
	if (!json_is_object(out->root))
		return err_set(e, ERR_PROTOCOL, "a request has to be a JSON object");
	int rc = take_id(out, e);
	return rc < 0 ? rc : take_op(out, e);
}

void control_request_fini(struct control_request *r)
{
	json_decref(r->root);
	json_decref(r->id);
	*r = (struct control_request){ 0 };
}

json_t *control_answer(json_t *id, json_t *data)
{
	return json_pack("{s:O, s:b, s:o}", "id", id, "ok", 1, "data", data);
}

json_t *control_answer_done(json_t *id)
{
	return json_pack("{s:O, s:b, s:b}", "id", id, "ok", 1, "done", 1);
}

json_t *control_answer_error(json_t *id, const struct err *e)
{
	return json_pack("{s:O, s:b, s:o}", "id", id, "ok", 0, "error", control_error(e));
}

json_t *control_error(const struct err *e)
{
	json_t *message = json_string(e->text);

	/*
	 * An error may quote what somebody sent, and that need not be UTF-8, or was cut inside a
	 * character.
	 */
	if (!message) {
		CLEANUP(mem_freep) char *plain = mem_strdup(e->text);

		for (char *p = plain; *p; p++) {
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		}
		message = json_string(plain);
	}
	return json_pack("{s:s, s:o}", "kind", control_kind_name(e->kind), "message", message);
}

void control_error_read(const json_t *error, struct err *e)
{
	const char *kind = json_string_value(json_object_get(error, "kind"));
	const char *message = json_string_value(json_object_get(error, "message"));

	err_set(e, kind_parse(kind), "%s",
		message ? message : "the daemon refused, and did not say why");
}
