/*
 * What a client of the daemon can send: a request's line, a path of the HTTP port with a query
 * behind it, and, since names come from other systems, a status that is made into a page. The
 * first byte chooses.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "control/page.h"
#include "control/protocol.h"
#include "control/route.h"

static int run(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	(void)ctx;
	*data = json_deep_copy(args);
	return json_object_get(args, "fail") ? err_set(e, ERR_CONFIG, "asked to fail") : 0;
}

static const struct control_op rows[] = {
	{ "status", .read_only = true, .run = run },
	{ "get", .read_only = true, .run = run },
	{ "reload", .run = run },
};
static const struct control_ops ops = { rows, ARRAY_LEN(rows), NULL };

static void fuzz_request(const char *text, size_t len)
{
	struct control_request r;
	struct err e = { 0 };
	json_t *answer;

	if (control_request_parse(text, len, &r, &e) == 0 && !control_op_find(&ops, r.op, &e))
		assert(e.kind == ERR_PROTOCOL);
	answer = e.kind ? control_answer_error(r.id, &e) : control_answer(r.id, json_null());
	assert(answer);
	json_decref(answer);
	control_request_fini(&r);
}

static void fuzz_path(const char *text, size_t len)
{
	CLEANUP(mem_freep) char *path = mem_strndup(text, len);
	char *query = strchr(path, '?');
	json_t *data = NULL;
	struct err e = { 0 };

	if (query)
		*query++ = '\0';
	struct route r = route_find(&ops, path);
	assert((r.what == ROUTE_OP) == (r.args != NULL));
	if (query)
		route_add_query(&r, "a", query);
	if (r.what == ROUTE_OP) {
		assert(r.op->read_only);
		(void)!control_op_run(&ops, r.op, r.args, &data, &e);
	}
	json_decref(data);
	route_fini(&r);
}

static void fuzz_page(const char *text, size_t len)
{
	json_t *status = json_loadb(text, len, JSON_DECODE_ANY, NULL);
	struct buf out = { 0 };

	if (!status)
		return;
	page_render(status, &out);
	assert(!strstr(buf_text(&out), "<script"));
	buf_fini(&out);
	json_decref(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	switch (data[0] % 3) {
	case 0:
		fuzz_request(text, size - 1);
		break;
	case 1:
		fuzz_path(text, size - 1);
		break;
	default:
		fuzz_page(text, size - 1);
	}
	return 0;
}

FUZZ_MAIN;
