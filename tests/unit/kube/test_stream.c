#include "kube/stream.h"

#include <string.h>

#include "kube/credentials.h"
#include "support.h"

#define LINE(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"

struct stream_case {
	const char *name;
	const char *text;
	int events;
	enum kube_stream_result end;
};

static const struct stream_case cases[] = {
	{ "nothing", "", 0, KUBE_STREAM_MORE },
	{ "one", LINE("ADDED", "{}"), 1, KUBE_STREAM_MORE },
	{ "all types",
	  LINE("ADDED", "{}") LINE("MODIFIED", "{}") LINE("DELETED", "{}") LINE("BOOKMARK", "{}")
		  LINE("ERROR", "{}"),
	  5, KUBE_STREAM_MORE },
	{ "half a line", LINE("ADDED", "{}") "{\"type\":\"ADD", 1, KUBE_STREAM_MORE },
	{ "empty lines", "\n\n" LINE("ADDED", "{}") "\n", 1, KUBE_STREAM_MORE },
	{ "unknown type", LINE("SOON", "{}") LINE("ADDED", "{}"), 1, KUBE_STREAM_MORE },
	{ "no object", "{\"type\":\"ADDED\"}\n", 0, KUBE_STREAM_GARBAGE },
	{ "object is a list", LINE("ADDED", "[]"), 0, KUBE_STREAM_GARBAGE },
	{ "no json", LINE("ADDED", "{}") "<html>\n", 1, KUBE_STREAM_GARBAGE },
	{ "two on a line", "{\"type\":\"ADDED\",\"object\":{}}{}\n", 0, KUBE_STREAM_GARBAGE },
};

static enum kube_stream_result drain(struct kube_stream *s, int *events)
{
	enum kube_stream_result r;
	struct kube_event ev;

	while ((r = kube_stream_next(s, &ev)) == KUBE_STREAM_EVENT) {
		json_decref(ev.object);
		++*events;
	}
	return r;
}

/* Whole, and byte by byte: the same. */
static void splits(void **state)
{
	const struct stream_case *c = *state;
	struct kube_stream whole = { 0 }, bytes = { 0 };
	enum kube_stream_result r = KUBE_STREAM_MORE;
	int events = 0;

	kube_stream_feed(&whole, c->text, strlen(c->text));
	assert_int_equal(drain(&whole, &events), c->end);
	assert_int_equal(events, c->events);
	kube_stream_fini(&whole);
	events = 0;
	for (const char *at = c->text; *at && r == KUBE_STREAM_MORE; at++) {
		kube_stream_feed(&bytes, at, 1);
		r = drain(&bytes, &events);
	}
	assert_int_equal(r, c->end);
	assert_int_equal(events, c->events);
	kube_stream_fini(&bytes);
}

static void has_a_limit(void **state)
{
	struct kube_stream s = { 0 };
	struct kube_event ev;
	char *block = mem_zero(1 << 20, 1);

	(void)state;
	memset(block, 'x', 1 << 20);
	for (int i = 0; i < 16; i++)
		kube_stream_feed(&s, block, 1 << 20);
	assert_int_equal(kube_stream_next(&s, &ev), KUBE_STREAM_MORE);
	kube_stream_feed(&s, "x", 1);
	assert_int_equal(kube_stream_next(&s, &ev), KUBE_STREAM_GARBAGE);
	kube_stream_fini(&s);
	free(block);
}

static void reads_what_a_command_prints(void **state)
{
	static const char good[] = "{\"status\": {\"token\": \"t\", \"expirationTimestamp\": "
				   "\"2026-01-01T00:00:00Z\"}}";
	static const char *const bad[] = { "", "{}", "{\"status\": {\"token\": \"\"}}",
					   "{\"status\": {\"clientCertificateData\": \"x\"}}" };
	struct kube_exec_answer a = { 0 };

	(void)state;
	assert_int_equal(kube_exec_parse(good, strlen(good), &a, NULL), 0);
	assert_string_equal(a.token, "t");
	assert_int_equal(a.expires_s, 1767225600);
	kube_exec_answer_fini(&a);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(kube_exec_parse(bad[i], strlen(bad[i]), &a, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_a_limit),
		cmocka_unit_test(reads_what_a_command_prints),
	};

	return RUN_TABLE("streams", cases, splits) + cmocka_run_group_tests(tests, NULL, NULL);
}
