#include "support.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "control/http.h"
#include "control/page.h"
#include "control/route.h"
#include "rig.h"

static atomic_int reloads;
static atomic_bool sick;

static int op_status(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	(void)ctx;
	(void)args;
	(void)e;
	*data = json_pack("{s:s, s:b, s:[{s:s, s:s}], s:{s:s}}", "node", "a<b>", "healthy", 0,
			  "problems", "text", "<script>alert('1')</script>", "hint",
			  "\"quoted\" & so", "config", "files", "/etc/crier/crier.yaml");
	return 0;
}

static int op_get(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	const char *kind = json_string_value(json_object_get(args, "kind"));

	(void)ctx;
	if (strcmp(kind, "peers") != 0)
		return err_set(e, ERR_NOT_FOUND, "there is nothing called %s", kind);
	*data = json_deep_copy(args);
	return 0;
}

static int op_explain(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	(void)ctx;
	if (!json_object_get(args, "subject"))
		return err_set(e, ERR_PROTOCOL, "explain what?");
	*data = json_deep_copy(args);
	return 0;
}

static int op_reload(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	(void)ctx;
	(void)args;
	(void)data;
	(void)e;
	reloads++;
	return 0;
}

static int op_monitor(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	(void)ctx;
	(void)args;
	(void)s;
	return err_set(e, ERR_STATE, "never");
}

static const struct control_op op_rows[] = {
	{ "status", .read_only = true, .run = op_status },
	{ "get", .read_only = true, .run = op_get },
	{ "explain", .read_only = true, .run = op_explain },
	{ "reload", .run = op_reload },
	{ "monitor", .read_only = true, .start = op_monitor },
};
static const struct control_ops ops = { op_rows, ARRAY_LEN(op_rows), NULL };

static void metrics(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_puts(out, "metallb_up 1\n");
}

static int ready(void *ctx, struct err *e)
{
	(void)ctx;
	return sick ? err_set(e, ERR_STATE, "no configuration yet") : 0;
}

struct web {
	struct rig rig;
	struct http_server *server;
	uint16_t port;
};

static int start(void **state, const char *address)
{
	struct web *w = mem_new(struct web);
	struct http_conf conf = { .ops = ops, .metrics = metrics, .ready = ready };
	struct err e;

	assert_int_equal(addr_parse(address, &conf.addr), 0);
	rig_init(&w->rig);
	if (http_server_new(&conf, w->rig.loop, &w->server, &e) < 0)
		fail_msg("%s", e.text);
	w->port = http_server_port(w->server);
	rig_start(&w->rig);
	*state = w;
	return 0;
}

static int set_up(void **state)
{
	return start(state, "127.0.0.1");
}

static int tear_down(void **state)
{
	struct web *w = *state;

	rig_stop(&w->rig);
	http_server_free(w->server);
	rig_fini(&w->rig);
	free(w);
	return 0;
}

static int connect_to(const char *address, uint16_t port)
{
	struct sockaddr_storage ss;
	struct addr a;

	assert_int_equal(addr_parse(address, &a), 0);
	socklen_t len = addr_to_sockaddr(&a, port, 0, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

/* One request on a connection of its own; the whole answer. */
static char *ask(const struct web *w, const char *method, const char *path, const char *body)
{
	CLEANUP(mem_freep)
	char *text = mem_printf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
				"Content-Length: %zu\r\n\r\n%s",
				method, path, strlen(body), body);
	int fd = connect_to("127.0.0.1", w->port);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return rig_rest(fd);
}

static const struct answer_case {
	const char *name;
	const char *method;
	const char *path;
	const char *status;
	const char *want; /* a part of what follows */
} answers[] = {
	{ "metrics", "GET", "/metrics", "200", "\r\n\r\nmetallb_up 1\n" },
	{ "metrics' type", "GET", "/metrics", "200", "text/plain; version=0.0.4" },
	{ "health", "GET", "/healthz", "200", "\r\n\r\nok\n" },
	{ "ready", "GET", "/readyz", "200", "\r\n\r\nok\n" },
	{ "head", "HEAD", "/metrics", "200", "Content-Length: 13" },
	{ "status", "GET", "/v1/status", "200", "\"node\":\"a<b>\"" },
	{ "json's type", "GET", "/v1/status", "200", "application/json" },
	{ "a kind", "GET", "/v1/peers", "200", "{\"kind\":\"peers\"}\n" },
	{ "a kind with a slash", "GET", "/v1/peers/", "200", "{\"kind\":\"peers\"}\n" },
	{ "a name", "GET", "/v1/peers/tor-1", "200", "{\"kind\":\"peers\",\"name\":\"tor-1\"}" },
	{ "a name with a slash", "GET", "/v1/peers/ns/x", "200", "\"name\":\"ns/x\"" },
	{ "a name in percent signs", "GET", "/v1/peers/a%20b%2Fc", "200", "\"name\":\"a b/c\"" },
	{ "the query adds", "GET", "/v1/peers?wide=1", "200", "\"wide\":\"1\"" },
	{ "the query does not replace", "GET", "/v1/peers?kind=pools", "200",
	  "{\"kind\":\"peers\"}" },
	{ "no such kind", "GET", "/v1/frogs", "404", "\"kind\":\"not-found\"" },
	{ "explain", "GET", "/v1/explain?subject=10.0.0.1", "200", "\"subject\":\"10.0.0.1\"" },
	{ "explain nothing", "GET", "/v1/explain", "400", "explain what?" },
	{ "more behind an operation", "GET", "/v1/status/x", "404", "nothing at" },
	{ "an operation that changes", "GET", "/v1/reload", "404", "nothing at" },
	{ "a stream", "GET", "/v1/monitor", "404", "nothing at" },
	{ "bytes that are not UTF-8", "GET", "/v1/%ff", "404", "error" },
	{ "a query that is not UTF-8", "GET", "/v1/peers?a=%ff", "200", "{\"kind\":\"peers\"}" },
	{ "nothing", "GET", "/v2/status", "404", "nothing at /v2/status" },
	{ "nothing under v1", "GET", "/v1/", "404", "nothing at" },
	{ "post", "POST", "/v1/reload", "405", "this port only reads" },
	{ "post to a kind", "POST", "/v1/peers", "405", "Allow: GET, HEAD" },
	{ "put", "PUT", "/v1/peers", "405", "this port only reads" },
	{ "delete", "DELETE", "/v1/peers/tor-1", "405", "this port only reads" },
	{ "options", "OPTIONS", "/", "405", "this port only reads" },
	{ "a method of one's own", "RELOAD", "/", "405", "RELOAD is not possible" },
	{ "page", "GET", "/", "200", "text/html" },
	{ "page forbids scripts", "GET", "/", "200", "default-src 'none'" },
};

static void answer(void **state)
{
	const struct answer_case *c = *state;
	void *web;

	set_up(&web);
	CLEANUP(mem_freep)
	char *got = ask(web, c->method, c->path, c->method[0] == 'P' ? "body" : "");
	if (strncmp(got, "HTTP/1.1 ", 9) != 0 || strncmp(got + 9, c->status, 3) != 0 ||
	    !strstr(got, c->want))
		fail_msg("%s", got);
	assert_int_equal(reloads, 0);
	tear_down(&web);
}

static void the_page_shows_text_and_no_markup(void **state)
{
	CLEANUP(mem_freep) char *got = ask(*state, "GET", "/", "");

	assert_non_null(strstr(got, "a&lt;b&gt;"));
	assert_non_null(strstr(got, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
	assert_non_null(strstr(got, "&quot;quoted&quot; &amp; so"));
	assert_non_null(strstr(got, "not healthy"));
	assert_non_null(strstr(got, "/etc/crier/crier.yaml"));
	assert_null(strstr(got, "<script"));
}

static void not_ready_says_why(void **state)
{
	sick = true;
	CLEANUP(mem_freep) char *got = ask(*state, "GET", "/readyz", "");
	sick = false;
	assert_memory_equal(got, "HTTP/1.1 503", 12);
	assert_non_null(strstr(got, "no configuration yet"));
}

static void connections_are_kept(void **state)
{
	const struct web *w = *state;
	static const char again[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char last[] = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	int fd = connect_to("127.0.0.1", w->port);

	/* Three at once: pipelined. */
	assert_int_equal(write(fd, again, sizeof(again) - 1), sizeof(again) - 1);
	assert_int_equal(write(fd, again, sizeof(again) - 1), sizeof(again) - 1);
	assert_int_equal(write(fd, last, sizeof(last) - 1), sizeof(last) - 1);
	CLEANUP(mem_freep) char *got = rig_rest(fd);
	int n = 0;
	for (const char *p = got; (p = strstr(p, "HTTP/1.1 200")); p++)
		n++;
	assert_int_equal(n, 3);
}

static void a_slow_request_is_served(void **state)
{
	const struct web *w = *state;
	static const char text[] = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	int fd = connect_to("127.0.0.1", w->port);

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(write(fd, text + i, 1), 1);
		if (i % 8 == 0)
			usleep(1000);
	}
	CLEANUP(mem_freep) char *got = rig_rest(fd);
	assert_memory_equal(got, "HTTP/1.1 200", 12);
}

static void nonsense_is_refused(void **state)
{
	const struct web *w = *state;
	int fd = connect_to("127.0.0.1", w->port);
	CLEANUP(mem_freep) char *big = mem_zero(100000, 1);

	assert_int_equal(write(fd, "\x16\x03\x01\n\n", 5), 5);
	shutdown(fd, SHUT_WR);
	free(rig_rest(fd));
	fd = connect_to("127.0.0.1", w->port);
	memset(big, 'a', 99999);
	memcpy(big, "GET /", 5);
	send(fd, big, 99999, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	CLEANUP(mem_freep) char *got = rig_rest(fd);
	assert_true(got[0] == '\0' || strncmp(got, "HTTP/1.1 4", 10) == 0);
	/* It goes on. */
	CLEANUP(mem_freep) char *well = ask(w, "GET", "/healthz", "");
	assert_memory_equal(well, "HTTP/1.1 200", 12);
}

static void one_socket_for_both_families(void **state)
{
	static const char text[] = "GET /healthz HTTP/1.0\r\n\r\n";
	static const char *const from[] = { "127.0.0.1", "::1" };
	struct web *w;

	(void)state;
	start((void **)&w, "::");
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		int fd = connect_to(from[i], w->port);

		assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
		CLEANUP(mem_freep) char *got = rig_rest(fd);
		assert_non_null(strstr(got, " 200 OK"));
	}
	tear_down((void **)&w);
}

static void a_port_in_use_is_named(void **state)
{
	const struct web *w = *state;
	CLEANUP(loop_freep) struct loop *loop = loop_new_virtual();
	struct http_conf conf = { .port = w->port };
	struct http_server *second = NULL;
	struct err e = { 0 };

	assert_int_equal(addr_parse("127.0.0.1", &conf.addr), 0);
	assert_int_equal(http_server_new(&conf, loop, &second, &e), -ERR_STATE);
	assert_non_null(strstr(e.text, "another program listens on 127.0.0.1:"));
}

static void a_table_without_status_has_no_page(void **state)
{
	const struct control_ops none = { 0 };
	struct route r = route_find(&none, "/v1/peers");

	(void)state;
	assert_int_equal(r.what, ROUTE_NOTHING);
	route_fini(&r);
	r = route_find(&none, "/metrics");
	assert_int_equal(r.what, ROUTE_METRICS);
	route_fini(&r);
}

static void odd_status_still_gives_a_page(void **state)
{
	static const char *const statuses[] = {
		"null",
		"[]",
		"[1,[2,[3,[4,[5,[6]]]]]]",
		"{\"problems\":[1,{\"x\":{}}]}",
		"{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"<\":1}}}}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct buf out = { 0 };
		json_t *status = json_loads(statuses[i], JSON_DECODE_ANY, NULL);

		page_render(status, &out);
		assert_non_null(strstr(buf_text(&out), "</html>"));
		json_decref(status);
		buf_fini(&out);
	}
}

int main(void)
{
#define ON_WEB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ON_WEB(the_page_shows_text_and_no_markup),
		ON_WEB(not_ready_says_why),
		ON_WEB(connections_are_kept),
		ON_WEB(a_slow_request_is_served),
		ON_WEB(nonsense_is_refused),
		ON_WEB(a_port_in_use_is_named),
		cmocka_unit_test(one_socket_for_both_families),
		cmocka_unit_test(a_table_without_status_has_no_page),
		cmocka_unit_test(odd_status_still_gives_a_page),
	};

	return RUN_TABLE("http answers", answers, answer) +
	       cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
