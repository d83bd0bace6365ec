#include "support.h"

#include <string.h>

#include "control/protocol.h"

static const struct parse_case {
	const char *name;
	const char *line;
	const char *op;	  /* NULL: refused */
	const char *want; /* the id and the arguments, or a part of the error */
} parses[] = {
	{ "whole", "{\"id\":7,\"op\":\"get\",\"args\":{\"kind\":\"peers\"}}", "get",
	  "7 {\"kind\": \"peers\"}" },
	{ "text as id", "{\"id\":\"a\",\"op\":\"status\",\"args\":{}}", "status", "\"a\" {}" },
	{ "without id and arguments", "{\"op\":\"status\"}", "status", "null {}" },
	{ "null arguments", "{\"op\":\"status\",\"args\":null}", "status", "null {}" },
	{ "unknown fields are ignored", "{\"op\":\"status\",\"later\":1}", "status", "null {}" },
	{ "not JSON", "get peers", NULL, "not JSON" },
	{ "cut off", "{\"op\":\"get\"", NULL, "not JSON" },
	{ "two values", "{\"op\":\"get\"} {}", NULL, "not JSON" },
	{ "a key twice", "{\"op\":\"get\",\"op\":\"put\"}", NULL, "not JSON" },
	{ "a list", "[1]", NULL, "JSON object" },
	{ "no op", "{\"id\":1}", NULL, "'op' is missing" },
	{ "op is a number", "{\"op\":1}", NULL, "'op' is missing" },
	{ "arguments are a list", "{\"op\":\"get\",\"args\":[]}", NULL, "'args' has to be" },
	{ "id is a list", "{\"id\":[],\"op\":\"get\"}", NULL, "'id' has to be" },
	{ "empty", "", NULL, "not JSON" },
};

static void parse(void **state)
{
	const struct parse_case *c = *state;
	struct control_request r;
	struct err e = { 0 };
	int rc = control_request_parse(c->line, strlen(c->line), &r, &e);

	assert_non_null(r.id);
	if (c->op) {
		CLEANUP(mem_freep) char *id = json_dumps(r.id, JSON_ENCODE_ANY);
		CLEANUP(mem_freep) char *args = json_dumps(r.args, 0);
		CLEANUP(mem_freep) char *got = mem_printf("%s %s", id, args);

		assert_int_equal(rc, 0);
		assert_string_equal(r.op, c->op);
		assert_string_equal(got, c->want);
	} else {
		assert_int_equal(rc, -ERR_PROTOCOL);
		if (!strstr(e.text, c->want))
			fail_msg("%s", e.text);
	}
	control_request_fini(&r);
}

static void a_refusal_carries_the_id(void **state)
{
	struct control_request r;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(control_request_parse("{\"id\":5}", 8, &r, &e), -ERR_PROTOCOL);
	json_t *answer = control_answer_error(r.id, &e);
	assert_int_equal(json_integer_value(json_object_get(answer, "id")), 5);
	assert_true(json_is_false(json_object_get(answer, "ok")));
	json_decref(answer);
	control_request_fini(&r);
}

static void errors_survive_the_way(void **state)
{
	(void)state;
	for (enum err_kind kind = ERR_SYSTEM; kind <= ERR_STATE; kind++) {
		struct err e;
		struct err back;

		err_set(&e, kind, "text %d", kind);
		json_t *error = control_error(&e);
		control_error_read(error, &back);
		json_decref(error);
		assert_int_equal(back.kind, kind);
		assert_string_equal(back.text, e.text);
	}
}

static void an_error_that_is_not_utf8_still_goes(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERR_NOT_FOUND, "no \xff here");
	json_t *error = control_error(&e);
	assert_string_equal(json_string_value(json_object_get(error, "message")), "no ? here");
	assert_string_equal(json_string_value(json_object_get(error, "kind")), "not-found");
	json_decref(error);
	control_error_read(NULL, &e);
	assert_int_equal(e.kind, ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_carries_the_id),
		cmocka_unit_test(errors_survive_the_way),
		cmocka_unit_test(an_error_that_is_not_utf8_still_goes),
	};

	return RUN_TABLE("requests", parses, parse) +
	       cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
