#include "kube/reflector.h"

#include <stdio.h>
#include <string.h>

#include "support.h"

/* What the listener heard, as text: "+a +b -a |" ("|": everything has been listed). */
struct scene {
	struct kube_reflector r;
	struct buf heard;
	struct mono now;
};

static void on_put(void *ctx, const char *key, const json_t *object)
{
	(void)object;
	buf_printf(&((struct scene *)ctx)->heard, "+%s ", key);
}

static void on_drop(void *ctx, const char *key)
{
	buf_printf(&((struct scene *)ctx)->heard, "-%s ", key);
}

static void on_listed(void *ctx)
{
	buf_puts(&((struct scene *)ctx)->heard, "| ");
}

static void scene_init(struct scene *s)
{
	*s = (struct scene){ .now = { DUR_S(1000).ns } };
	kube_reflector_init(&s->r,
			    &(struct kube_reflector_hooks){
				    .ctx = s, .put = on_put, .drop = on_drop, .listed = on_listed },
			    1);
	kube_reflector_no_stream(&s->r, s->now);
}

/* Of a server that offers streams. */
static void scene_init_streaming(struct scene *s)
{
	scene_init(s);
	s->r.no_streams = false;
	s->r.step = KUBE_STREAM;
	kube_reflector_watching(&s->r, s->now);
}

static void scene_fini(struct scene *s)
{
	kube_reflector_fini(&s->r);
	buf_fini(&s->heard);
}

static void expect(struct scene *s, const char *heard)
{
	assert_string_equal(buf_text(&s->heard), heard);
	buf_clear(&s->heard);
}

static json_t *object(const char *name, int version)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", version);
	return json_pack("{s:{s:s, s:s, s:s}}", "metadata", "name", name, "resourceVersion", text,
			 "uid", name);
}

/* "a1 b2": objects and their versions. */
static void page(struct scene *s, const char *objects, const char *version, const char *more)
{
	json_t *items = json_array();
	char name[2] = "";
	int v, n;

	for (const char *at = objects; sscanf(at, " %1[a-z]%d%n", name, &v, &n) == 2; at += n)
		json_array_append_new(items, object(name, v));
	json_t *list = json_pack("{s:{s:s, s:s}, s:o}", "metadata", "resourceVersion", version,
				 "continue", more, "items", items);
	assert_int_equal(kube_reflector_page(&s->r, list, s->now), 0);
	json_decref(list);
}

static bool event(struct scene *s, enum kube_event_type type, const char *name, int version)
{
	struct kube_event ev = { type, object(name, version) };
	bool goes_on = kube_reflector_event(&s->r, &ev, s->now);

	json_decref(ev.object);
	return goes_on;
}

/* The end of what a stream begins with. */
static bool end_of_stream(struct scene *s, const char *version)
{
	struct kube_event ev = { KUBE_BOOKMARK, json_pack("{s:{s:s*, s:{s:s}}}", "metadata",
							  "resourceVersion", version, "annotations",
							  "k8s.io/initial-events-end", "true") };
	bool goes_on = kube_reflector_event(&s->r, &ev, s->now);

	json_decref(ev.object);
	return goes_on;
}

static int64_t wait_ms(const struct scene *s)
{
	return dur_ms(mono_sub(s->r.not_before, s->now));
}

static void lists_in_pages(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	page(&s, "a1 b2", "10", "more");
	expect(&s, "+a +b ");
	assert_int_equal(s.r.step, KUBE_LIST);
	assert_string_equal(s.r.resume, "more");
	assert_false(s.r.complete);
	page(&s, "c3", "10", "");
	expect(&s, "+c | ");
	assert_int_equal(s.r.step, KUBE_WATCH);
	assert_string_equal(s.r.version, "10");
	assert_null(s.r.resume);
	assert_string_equal(kube_reflector_known(&s.r, "c")->version, "3");
	scene_fini(&s);
}

static void follows_a_watch(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	page(&s, "a1", "10", "");
	kube_reflector_watching(&s.r, s.now);
	buf_clear(&s.heard);
	assert_true(event(&s, KUBE_ADDED, "b", 11));
	assert_true(event(&s, KUBE_MODIFIED, "a", 12));
	assert_true(event(&s, KUBE_MODIFIED, "a", 12)); /* again: nothing new */
	assert_true(event(&s, KUBE_DELETED, "b", 13));
	assert_true(event(&s, KUBE_DELETED, "x", 14)); /* never known */
	expect(&s, "+b +a -b ");
	assert_true(event(&s, KUBE_BOOKMARK, "", 50));
	expect(&s, "");
	assert_string_equal(s.r.version, "50");
	scene_fini(&s);
}

static void compares_a_new_list(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	page(&s, "a1 b2 c3", "10", "");
	kube_reflector_watching(&s.r, s.now);
	buf_clear(&s.heard);
	assert_false(event(&s, KUBE_ERROR, "", 0));
	assert_int_equal(s.r.step, KUBE_WATCH); /* an error without a code is not "too old" */
	kube_reflector_refused(&s.r, 410, DUR_NS(0), s.now);
	assert_int_equal(s.r.step, KUBE_LIST);
	expect(&s, "");
	page(&s, "a1 c9", "20", "");
	expect(&s, "-b +c | ");
	scene_fini(&s);
}

/* etcd was set back to a backup: versions go back, in a bookmark or an event. */
static void notices_that_time_went_back(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	page(&s, "a1", "100", "");
	kube_reflector_watching(&s.r, s.now);
	assert_false(event(&s, KUBE_BOOKMARK, "", 90));
	assert_int_equal(s.r.step, KUBE_LIST);
	scene_fini(&s);
}

struct refusal {
	const char *name;
	bool watching;
	bool paging; /* in the middle of a list */
	int status;
	enum kube_step then;
	bool from_start; /* of the list */
};

static const struct refusal refusals[] = {
	{ "list: no answer", false, false, 0, KUBE_LIST, true },
	{ "list: 500", false, false, 500, KUBE_LIST, true },
	{ "list: 429", false, false, 429, KUBE_LIST, true },
	{ "page: 500 goes on", false, true, 500, KUBE_LIST, false },
	{ "page: 410 begins anew", false, true, 410, KUBE_LIST, true },
	{ "page: 400 begins anew", false, true, 400, KUBE_LIST, true },
	{ "watch: no answer goes on", true, false, 0, KUBE_WATCH, true },
	{ "watch: 500 goes on", true, false, 500, KUBE_WATCH, true },
	{ "watch: 401 goes on", true, false, 401, KUBE_WATCH, true },
	{ "watch: 410 lists", true, false, 410, KUBE_LIST, true },
	{ "watch: 504, a version from the future, lists", true, false, 504, KUBE_LIST, true },
	{ "watch: 400 lists", true, false, 400, KUBE_LIST, true },
};

static void answers_refusals(void **state)
{
	const struct refusal *c = *state;
	struct scene s;

	scene_init(&s);
	if (c->watching || c->paging)
		page(&s, "a1", "10", c->paging ? "more" : "");
	kube_reflector_refused(&s.r, c->status, DUR_NS(0), s.now);
	assert_int_equal(s.r.step, c->then);
	assert_int_equal(s.r.resume == NULL, c->from_start);
	assert_in_range(wait_ms(&s), 100, 200);
	scene_fini(&s);
}

static void waits_longer_each_time(void **state)
{
	struct scene s;
	int64_t most = 200;

	(void)state;
	scene_init(&s);
	for (int i = 0; i < 20; i++, most = MIN(most * 2, 30000)) {
		kube_reflector_refused(&s.r, 500, DUR_NS(0), s.now);
		assert_in_range(wait_ms(&s), most / 2, most);
	}
	kube_reflector_refused(&s.r, 429, DUR_S(45), s.now);
	assert_int_equal(wait_ms(&s), 45000);
	kube_reflector_refused(&s.r, 429, DUR_S(86400), s.now);
	assert_int_equal(wait_ms(&s), 120000);
	page(&s, "", "1", "");
	kube_reflector_refused(&s.r, 500, DUR_NS(0), s.now);
	assert_in_range(wait_ms(&s), 100, 200);
	scene_fini(&s);
}

/* A server that ends every watch at once is not asked without pause. */
static void short_watches_are_failures(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	page(&s, "", "1", "");
	kube_reflector_watching(&s.r, s.now);
	kube_reflector_ended(&s.r, s.now);
	assert_in_range(wait_ms(&s), 100, 200);
	kube_reflector_watching(&s.r, s.now);
	s.now = mono_add(s.now, DUR_S(300));
	kube_reflector_ended(&s.r, s.now);
	assert_int_equal(wait_ms(&s), 0);
	assert_int_equal(s.r.step, KUBE_WATCH);
	scene_fini(&s);
}

static void streams_a_list(void **state)
{
	struct scene s;

	(void)state;
	scene_init_streaming(&s);
	assert_true(event(&s, KUBE_ADDED, "b", 20)); /* in no order */
	assert_true(event(&s, KUBE_ADDED, "a", 1));
	assert_true(event(&s, KUBE_ADDED, "c", 3));
	assert_true(event(&s, KUBE_BOOKMARK, "", 2)); /* not that one */
	assert_true(event(&s, KUBE_MODIFIED, "a", 21));
	assert_true(event(&s, KUBE_DELETED, "c", 22));
	expect(&s, "+b +a +c +a -c ");
	assert_false(s.r.complete);
	assert_true(end_of_stream(&s, "30"));
	expect(&s, "| ");
	assert_int_equal(s.r.step, KUBE_WATCH);
	assert_string_equal(s.r.version, "30");
	assert_true(event(&s, KUBE_ADDED, "d", 31));
	assert_false(event(&s, KUBE_MODIFIED, "d", 29)); /* now there is an order */
	expect(&s, "+d ");

	/* Once more: only the differences. */
	assert_int_equal(s.r.step, KUBE_STREAM);
	assert_true(event(&s, KUBE_ADDED, "a", 21));
	assert_true(event(&s, KUBE_ADDED, "d", 25));
	assert_true(end_of_stream(&s, "26"));
	expect(&s, "+d -b | ");
	scene_fini(&s);
}

/* What was seen of a stream that broke counts for nothing when the next one is compared. */
static void begins_a_broken_stream_anew(void **state)
{
	struct scene s;

	(void)state;
	scene_init_streaming(&s);
	assert_true(event(&s, KUBE_ADDED, "a", 1));
	assert_true(event(&s, KUBE_ADDED, "b", 2));
	kube_reflector_ended(&s.r, s.now);
	assert_int_equal(s.r.step, KUBE_STREAM);
	assert_in_range(wait_ms(&s), 100, 200);
	assert_true(event(&s, KUBE_ADDED, "b", 2));
	assert_true(end_of_stream(&s, "9"));
	expect(&s, "+a +b -a | ");
	scene_fini(&s);
}

static const struct refusal no_streams[] = {
	{ "stream: 422 lists", .status = 422, .then = KUBE_LIST },
	{ "stream: 400 lists", .status = 400, .then = KUBE_LIST },
	{ "stream: no answer tries again", .status = 0, .then = KUBE_STREAM },
	{ "stream: 429 tries again", .status = 429, .then = KUBE_STREAM },
	{ "stream: 504 tries again", .status = 504, .then = KUBE_STREAM },
};

static void goes_without_streams(void **state)
{
	const struct refusal *c = *state;
	struct scene s;

	scene_init_streaming(&s);
	kube_reflector_refused(&s.r, c->status, DUR_NS(0), s.now);
	assert_int_equal(s.r.step, c->then);
	assert_int_equal(wait_ms(&s) == 0, c->then == KUBE_LIST);
	if (c->then == KUBE_LIST) {
		page(&s, "a1", "10", "");
		kube_reflector_refused(&s.r, 410, DUR_NS(0), s.now);
		assert_int_equal(s.r.step, KUBE_LIST);
	}
	scene_fini(&s);
}

/* An end without a version is none that a watch could go on from. */
static void refuses_an_end_without_a_version(void **state)
{
	struct scene s;

	(void)state;
	scene_init_streaming(&s);
	assert_false(end_of_stream(&s, NULL));
	assert_int_equal(s.r.step, KUBE_STREAM);
	assert_false(s.r.complete);
	scene_fini(&s);
}

static void refuses_what_is_no_list(void **state)
{
	static const char *const texts[] = {
		"null",
		"{}",
		"[]",
		"{\"metadata\":{}}",
		"{\"metadata\":{\"resourceVersion\":\"1\"}}",
		"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":{}}"
	};
	struct scene s;

	(void)state;
	scene_init(&s);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		json_t *list = json_loads(texts[i], JSON_DECODE_ANY, NULL);

		assert_int_equal(kube_reflector_page(&s.r, list, s.now), -1);
		assert_true(wait_ms(&s) > 0);
		json_decref(list);
	}
	expect(&s, "");
	scene_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_in_pages),
		cmocka_unit_test(follows_a_watch),
		cmocka_unit_test(compares_a_new_list),
		cmocka_unit_test(notices_that_time_went_back),
		cmocka_unit_test(waits_longer_each_time),
		cmocka_unit_test(short_watches_are_failures),
		cmocka_unit_test(refuses_what_is_no_list),
		cmocka_unit_test(streams_a_list),
		cmocka_unit_test(begins_a_broken_stream_anew),
		cmocka_unit_test(refuses_an_end_without_a_version),
	};

	return RUN_TABLE("no streams", no_streams, goes_without_streams) +
	       RUN_TABLE("refusals", refusals, answers_refusals) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
