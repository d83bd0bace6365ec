#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "control/client.h"
#include "control/protocol.h"
#include "control/server.h"
#include "rig.h"

#define BIG_BYTES (3 << 20)

/* The operations of a made-up daemon. */
struct daemon {
	struct rig rig;
	struct control_server *server;
	char folder[64];
	char path[96];
	struct control_stream *streams[4];
	int closed;
	struct loop_timer flood;
};

static int op_echo(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	(void)ctx;
	(void)e;
	*data = json_deep_copy(args);
	return 0;
}

static int op_null(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	(void)ctx;
	(void)args;
	(void)data;
	(void)e;
	return 0;
}

static int op_fail(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	(void)ctx;
	(void)data;
	return err_set(e, ERR_NOT_FOUND, "there is no %s",
		       json_string_value(json_object_get(args, "name")));
}

static int op_big(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	CLEANUP(mem_freep) char *text = mem_zero(BIG_BYTES + 1, 1);

	(void)ctx;
	(void)args;
	(void)e;
	memset(text, 'x', BIG_BYTES);
	*data = json_string(text);
	return 0;
}

static int op_count(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	json_int_t n = json_integer_value(json_object_get(args, "to"));

	(void)ctx;
	if (n < 0)
		return err_set(e, ERR_CONFIG, "cannot count to %d", (int)n);
	for (json_int_t i = 1; i <= n; i++) {
		json_t *item = json_integer(i);

		control_stream_send(s, item);
		json_decref(item);
	}
	control_stream_end(s);
	return 0;
}

static void stream_closed(void *ctx)
{
	((struct daemon *)ctx)->closed++;
}

/* Sends until the client is dropped. */
static void flood(struct loop_timer *t, struct mono now)
{
	struct daemon *d = CONTAINER_OF(t, struct daemon, flood);
	CLEANUP(mem_freep) char *text = mem_zero(64 * 1024 + 1, 1);

	if (d->closed > 0)
		return;
	memset(text, 'y', 64 * 1024);
	json_t *item = json_string(text);
	control_stream_send(d->streams[0], item);
	json_decref(item);
	loop_timer_set(t, now);
}

static int op_flood(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	struct daemon *d = ctx;

	(void)args;
	(void)e;
	d->streams[0] = s;
	control_stream_on_close(s, stream_closed, d);
	loop_timer_set(&d->flood, loop_now(d->rig.loop));
	return 0;
}

/* Sends one item and stays open. */
static int op_wait(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	json_t *item = json_string("first");

	(void)args;
	(void)e;
	control_stream_on_close(s, stream_closed, ctx);
	control_stream_send(s, item);
	json_decref(item);
	return 0;
}

static int op_break(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	struct err why;

	(void)ctx;
	(void)args;
	(void)e;
	err_set(&why, ERR_STATE, "broken");
	control_stream_fail(s, &why);
	return 0;
}

/* Counts lines of input, a hundred in a turn; those that begin with "no" are told. */
struct counter {
	struct control_stream *s;
	int lines;
};

static void counter_line(struct counter *c, const char *line)
{
	c->lines++;
	if (strncmp(line, "no", 2) != 0)
		return;
	json_t *item = json_integer(c->lines);
	control_stream_send(c->s, item);
	json_decref(item);
}

static size_t counter_take(void *ctx, const char *bytes, size_t len)
{
	size_t at = 0;

	for (int i = 0; i < 100; i++) {
		const char *end = memchr(bytes + at, '\n', len - at);

		if (!end)
			break;
		counter_line(ctx, bytes + at);
		at = (size_t)(end - bytes) + 1;
	}
	return at;
}

static void counter_end(void *ctx)
{
	struct counter *c = ctx;
	json_t *sum = json_pack("{s:i}", "sum", c->lines);

	control_stream_send(c->s, sum);
	control_stream_end(c->s);
	json_decref(sum);
	free(c);
}

static int op_feed(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	struct counter *c = mem_new(struct counter);

	(void)ctx;
	(void)args;
	(void)e;
	c->s = s;
	control_stream_on_close(s, free, c);
	control_stream_feed(s, &(struct control_feed){ counter_take, counter_end, c });
	return 0;
}

static const struct control_op ops[] = {
	{ "echo", .read_only = true, .run = op_echo },
	{ "nothing", .run = op_null },
	{ "fail", .run = op_fail },
	{ "big", .run = op_big },
	{ "count", .start = op_count },
	{ "flood", .start = op_flood },
	{ "wait", .start = op_wait },
	{ "break", .start = op_break },
	{ "feed", .start = op_feed },
};

static struct control_conf conf_of(struct daemon *d)
{
	return (struct control_conf){
		.path = d->path,
		.ops = { ops, ARRAY_LEN(ops), d },
		.max_clients = 4,
		.max_queue_bytes = 256 * 1024,
	};
}

static int set_up(void **state)
{
	struct daemon *d = mem_new(struct daemon);
	struct err e;

	snprintf(d->folder, sizeof(d->folder), "/tmp/crier-test-XXXXXX");
	assert_non_null(mkdtemp(d->folder));
	snprintf(d->path, sizeof(d->path), "%s/run/crier.sock", d->folder);
	rig_init(&d->rig);
	loop_timer_init(&d->flood, d->rig.loop, flood);
	const struct control_conf conf = conf_of(d);
	if (control_server_new(&conf, d->rig.loop, &d->server, &e) < 0)
		fail_msg("%s", e.text);
	rig_start(&d->rig);
	*state = d;
	return 0;
}

static int tear_down(void **state)
{
	struct daemon *d = *state;

	rig_stop(&d->rig);
	loop_timer_stop(&d->flood);
	control_server_free(d->server);
	assert_int_equal(access(d->path, F_OK), -1);
	rig_fini(&d->rig);
	*strrchr(d->path, '/') = '\0';
	rmdir(d->path);
	rmdir(d->folder);
	free(d);
	return 0;
}

static struct control_client *client_of(const struct daemon *d)
{
	struct control_client *c = NULL;
	struct err e;

	if (control_client_connect(d->path, DUR_S(10), &c, &e) < 0)
		fail_msg("%s", e.text);
	return c;
}

/* A client without manners: raw bytes. */
static int raw_connect(const struct daemon *d)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, d->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static bool raw_send(int fd, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = send(fd, text + at, len - at, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static void questions_are_answered(void **state)
{
	CLEANUP(control_client_freep) struct control_client *c = client_of(*state);
	struct err e = { 0 };
	json_t *data = NULL;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			control_client_call(c, "echo", json_pack("{s:i}", "n", i), &data, &e), 0);
		assert_int_equal(json_integer_value(json_object_get(data, "n")), i);
		json_decref(data);
	}
	assert_int_equal(control_client_call(c, "nothing", NULL, &data, &e), 0);
	assert_true(json_is_null(data));
	json_decref(data);
}

static void errors_carry_their_kind(void **state)
{
	CLEANUP(control_client_freep) struct control_client *c = client_of(*state);
	struct err e = { 0 };
	json_t *data = NULL;

	assert_int_equal(
		control_client_call(c, "fail", json_pack("{s:s}", "name", "web"), &data, &e),
		CONTROL_REFUSED);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_string_equal(e.text, "there is no web");
	assert_int_equal(control_client_call(c, "ecko", NULL, &data, &e), CONTROL_REFUSED);
	assert_int_equal(e.kind, ERR_PROTOCOL);
	assert_non_null(strstr(e.text, "did you mean 'echo'"));
	assert_null(data);
}

static void large_answers_arrive_whole(void **state)
{
	CLEANUP(control_client_freep) struct control_client *c = client_of(*state);
	struct err e = { 0 };
	json_t *data = NULL;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(control_client_call(c, "big", NULL, &data, &e), 0);
		assert_int_equal(json_string_length(data), BIG_BYTES);
		json_decref(data);
	}
}

struct sum {
	int n;
	json_int_t total;
	int stop_at;
};

static bool add_up(void *ctx, const json_t *item)
{
	struct sum *s = ctx;

	s->n++;
	s->total += json_integer_value(item);
	return s->n != s->stop_at;
}

static void streams_end(void **state)
{
	CLEANUP(control_client_freep) struct control_client *c = client_of(*state);
	struct sum s = { 0 };
	struct err e = { 0 };

	assert_int_equal(
		control_client_stream(c, "count", json_pack("{s:i}", "to", 100), add_up, &s, &e),
		0);
	assert_int_equal(s.n, 100);
	assert_int_equal(s.total, 5050);
	assert_int_equal(
		control_client_stream(c, "count", json_pack("{s:i}", "to", -1), add_up, &s, &e),
		CONTROL_REFUSED);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_int_equal(control_client_stream(c, "break", NULL, add_up, &s, &e), CONTROL_REFUSED);
	assert_int_equal(e.kind, ERR_STATE);
	assert_int_equal(s.n, 100);
}

/*
 * Wait until the daemon's thread has counted @n closed streams, by asking it something in between.
 */
static void wait_closed(struct daemon *d, int n)
{
	CLEANUP(control_client_freep) struct control_client *c = client_of(d);

	for (int i = 0; i < 5000; i++) {
		struct err e;
		json_t *data = NULL;

		assert_int_equal(control_client_call(c, "nothing", NULL, &data, &e), 0);
		if (__atomic_load_n(&d->closed, __ATOMIC_SEQ_CST) == n)
			return;
		poll(NULL, 0, 1);
	}
	fail_msg("no stream was closed");
}

static void a_client_that_leaves_closes_its_streams(void **state)
{
	struct daemon *d = *state;
	struct control_client *c = client_of(d);
	struct sum s = { .stop_at = 1 };
	struct err e = { 0 };

	assert_int_equal(control_client_stream(c, "wait", NULL, add_up, &s, &e), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(d->closed, 0);
	control_client_free(c);
	wait_closed(d, 1);
}

static void a_client_that_does_not_read_is_dropped(void **state)
{
	struct daemon *d = *state;
	int fd = raw_connect(d);

	assert_true(raw_send(fd, "{\"op\":\"flood\"}\n", 15));
	wait_closed(d, 1);
	close(fd);
	rig_stop(&d->rig);
	struct buf out = { 0 };
	struct metric_writer w = { &out };
	control_server_metrics(d->server, &w);
	assert_non_null(strstr(buf_text(&out), "\ncrier_control_dropped_slow_total 1\n"));
	buf_fini(&out);
	rig_start(&d->rig);
}

static void many_requests_in_one_piece(void **state)
{
	struct buf text = { 0 };
	int fd = raw_connect(*state);

	for (int i = 0; i < 500; i++)
		buf_printf(&text, "\r\n{\"id\":%d,\"op\":\"echo\"}\r\n\n", i);
	assert_true(raw_send(fd, text.p, text.len));
	/* The last one needs no end of line when the client says that it is done. */
	assert_true(raw_send(fd, "{\"id\":500,\"op\":\"echo\"}", 22));
	shutdown(fd, SHUT_WR);
	CLEANUP(mem_freep) char *got = rig_rest(fd);
	char *at = got;
	for (int i = 0; i <= 500; i++) {
		char want[64];

		snprintf(want, sizeof(want), "{\"id\":%d,\"ok\":true,\"data\":{}}\n", i);
		assert_memory_equal(at, want, strlen(want));
		at += strlen(want);
	}
	assert_string_equal(at, "");
	buf_fini(&text);
}

struct heard {
	json_int_t told, sum;
};

static bool hear_feed(void *ctx, const json_t *item)
{
	struct heard *h = ctx;

	h->told += json_is_integer(item);
	h->sum += json_integer_value(json_object_get(item, "sum"));
	return true;
}

/* More than a socket takes at once, both ways; the last line has no end. */
static void a_feed_is_no_requests(void **state)
{
	enum { LINES = 50000 };
	struct control_client *c = client_of(*state);
	struct heard heard = { 0 };
	struct err e = { 0 };
	FILE *input = tmpfile();

	for (int i = 0; i < LINES; i++)
		fprintf(input, "%s%s, said number %d", i ? "\n" : "", i % 2 ? "no" : "yes", i);
	rewind(input);
	assert_int_equal(control_client_feed(c, "feed", NULL, fileno(input), hear_feed, &heard, &e),
			 0);
	assert_int_equal(heard.told, LINES / 2);
	assert_int_equal(heard.sum, LINES);
	fclose(input);
	control_client_free(c);
}

/* What is not a whole line was cut by something. */
static void a_feed_may_be_broken_off(void **state)
{
	static const char text[] = "{\"op\":\"feed\"}\nyes\nno\nno end";
	int fd = raw_connect(*state);

	assert_true(raw_send(fd, text, strlen(text)));
	shutdown(fd, SHUT_WR);
	CLEANUP(mem_freep) char *got = rig_rest(fd);
	assert_string_equal(got, "{\"id\":null,\"ok\":true,\"data\":2}\n"
				 "{\"id\":null,\"ok\":true,\"data\":{\"sum\":2}}\n"
				 "{\"id\":null,\"ok\":true,\"done\":true}\n");
	fd = raw_connect(*state);
	assert_true(raw_send(fd, text, strlen(text)));
	close(fd);
}

static void nonsense_is_refused_and_the_client_stays(void **state)
{
	int fd = raw_connect(*state);

	assert_true(raw_send(fd, "hello\n{\"id\":1,\"op\":\"nothing\"}\n", 31));
	shutdown(fd, SHUT_WR);
	CLEANUP(mem_freep) char *got = rig_rest(fd);
	assert_non_null(strstr(got, "{\"id\":null,\"ok\":false,\"error\":{\"kind\":\"protocol\""));
	assert_non_null(strstr(got, "\n{\"id\":1,\"ok\":true,\"data\":null}\n"));
}

static void a_line_without_end_is_refused(void **state)
{
	size_t len = CONTROL_REQUEST_MAX + 100000;
	CLEANUP(mem_freep) char *text = mem_zero(len + 1, 1);
	int fd = raw_connect(*state);

	memset(text, 'z', len);
	raw_send(fd, text, len);
	CLEANUP(mem_freep) char *got = rig_rest(fd);
	assert_non_null(strstr(got, "\"kind\":\"limit\""));
}

static void too_many_clients_are_told(void **state)
{
	struct daemon *d = *state;
	struct control_client *c[4];
	struct control_client *extra;
	struct err e = { 0 };
	json_t *data = NULL;

	for (int i = 0; i < 4; i++) {
		c[i] = client_of(d);
		assert_int_equal(control_client_call(c[i], "nothing", NULL, &data, &e), 0);
	}
	extra = client_of(d);
	assert_int_equal(control_client_call(extra, "nothing", NULL, &data, &e), CONTROL_REFUSED);
	assert_int_equal(e.kind, ERR_LIMIT);
	control_client_free(extra);
	for (int i = 0; i < 4; i++)
		control_client_free(c[i]);
}

static void the_file_is_for_owner_and_group(void **state)
{
	const struct daemon *d = *state;
	struct stat st;

	assert_int_equal(stat(d->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_true(S_ISSOCK(st.st_mode));
}

static void a_second_daemon_is_refused(void **state)
{
	struct daemon *d = *state;
	const struct control_conf conf = conf_of(d);
	struct control_server *second = NULL;
	CLEANUP(loop_freep) struct loop *loop = loop_new_virtual();
	struct err e = { 0 };

	assert_int_equal(control_server_new(&conf, loop, &second, &e), -ERR_STATE);
	assert_non_null(strstr(e.text, "another crier listens there"));
	assert_int_equal(access(d->path, F_OK), 0);
}

static void a_socket_left_behind_is_replaced(void **state)
{
	CLEANUP(loop_freep) struct loop *loop = loop_new_virtual();
	char path[] = "/tmp/crier-test-stale-XXXXXX";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct control_server *s = NULL;
	struct err e = { 0 };

	(void)state;
	close(mkstemp(path));
	const struct control_conf conf = { .path = path };
	assert_int_equal(control_server_new(&conf, loop, &s, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.text, "no socket"));
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(control_server_new(&conf, loop, &s, &e), 0);
	/* A file that somebody else has put there since is not ours to remove. */
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	control_server_free(s);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
}

static void an_unknown_group_is_a_warning(void **state)
{
	CLEANUP(loop_freep) struct loop *loop = loop_new_virtual();
	char path[] = "/tmp/crier-test-group-XXXXXX";
	const struct control_conf conf = { .path = path, .group = "no-such-group" };
	struct control_server *s = NULL;
	struct err e = { 0 };
	char line[1024] = "";
	int ends[2];

	(void)state;
	close(mkstemp(path));
	unlink(path);
	assert_int_equal(pipe(ends), 0);
	log_set_fd(ends[1]);
	assert_int_equal(control_server_new(&conf, loop, &s, &e), 0);
	log_set_fd(STDERR_FILENO);
	assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
	assert_non_null(strstr(line, "controlGroup"));
	assert_non_null(strstr(line, "no-such-group"));
	close(ends[0]);
	close(ends[1]);
	control_server_free(s);
}

static void bad_paths(void **state)
{
	CLEANUP(loop_freep) struct loop *loop = loop_new_virtual();
	struct control_server *s = NULL;
	struct err e = { 0 };
	char path[300] = "/tmp/";

	(void)state;
	memset(path + 5, 'p', sizeof(path) - 6);
	assert_int_equal(control_server_new(&(struct control_conf){ .path = path }, loop, &s, &e),
			 -ERR_CONFIG);
	assert_int_equal(
		control_server_new(&(struct control_conf){ .path = "a.sock" }, loop, &s, &e),
		-ERR_CONFIG);
	assert_int_equal(control_server_new(&(struct control_conf){ .path = "/nowhere/a/b.sock" },
					    loop, &s, &e),
			 -ERR_SYSTEM);
}

static void connecting_says_what_is_wrong(void **state)
{
	struct daemon *d = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct control_client *c = NULL;
	struct err e = { 0 };

	assert_int_equal(control_client_connect("/nowhere/x.sock", DUR_S(1), &c, &e), -ERR_SYSTEM);
	assert_non_null(strstr(e.text, "no crier runs here"));

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/dead", d->folder);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(control_client_connect(address.sun_path, DUR_S(1), &c, &e), -ERR_SYSTEM);
	assert_non_null(strstr(e.text, "nobody listens"));

	/* Takes connections, and never answers. */
	assert_int_equal(listen(fd, 0), 0);
	json_t *data = NULL;
	assert_int_equal(control_client_connect(address.sun_path, DUR_MS(50), &c, &e), 0);
	assert_int_equal(control_client_call(c, "status", NULL, &data, &e), -ERR_SYSTEM);
	assert_non_null(strstr(e.text, "gave no answer within 50ms"));
	/* The one after it does not even get in. */
	struct control_client *second = NULL;
	assert_int_equal(control_client_connect(address.sun_path, DUR_MS(50), &second, &e),
			 -ERR_SYSTEM);
	assert_non_null(strstr(e.text, "took no connection"));
	control_client_free(c);
	close(fd);
	unlink(address.sun_path);
}

static void without_permission_the_group_is_named(void **state)
{
	struct daemon *d = *state;
	struct control_client *c = NULL;
	struct err e = { 0 };

	if (geteuid() != 0)
		skip();
	chmod(d->folder, 0755);
	assert_int_equal(chown(d->path, 0, 1), 0);
	assert_int_equal(seteuid(65534), 0);
	int rc = control_client_connect(d->path, DUR_S(1), &c, &e);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rc, -ERR_SYSTEM);
	assert_non_null(strstr(e.text, "the group 'daemon'"));
	/* This process stays in group 0, so that only the mode can keep it out. */
	assert_int_equal(chown(d->path, 0, 0), 0);
	assert_int_equal(chmod(d->path, 0600), 0);
	assert_int_equal(seteuid(65534), 0);
	rc = control_client_connect(d->path, DUR_S(1), &c, &e);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rc, -ERR_SYSTEM);
	assert_non_null(strstr(e.text, "only root may use it"));
}

int main(void)
{
#define ON_DAEMON(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ON_DAEMON(questions_are_answered),
		ON_DAEMON(errors_carry_their_kind),
		ON_DAEMON(large_answers_arrive_whole),
		ON_DAEMON(streams_end),
		ON_DAEMON(a_client_that_leaves_closes_its_streams),
		ON_DAEMON(a_client_that_does_not_read_is_dropped),
		ON_DAEMON(many_requests_in_one_piece),
		ON_DAEMON(a_feed_is_no_requests),
		ON_DAEMON(a_feed_may_be_broken_off),
		ON_DAEMON(nonsense_is_refused_and_the_client_stays),
		ON_DAEMON(a_line_without_end_is_refused),
		ON_DAEMON(too_many_clients_are_told),
		ON_DAEMON(the_file_is_for_owner_and_group),
		ON_DAEMON(a_second_daemon_is_refused),
		ON_DAEMON(connecting_says_what_is_wrong),
		ON_DAEMON(without_permission_the_group_is_named),
		cmocka_unit_test(a_socket_left_behind_is_replaced),
		cmocka_unit_test(an_unknown_group_is_a_warning),
		cmocka_unit_test(bad_paths),
	};

	return cmocka_run_group_tests_name("control server", tests, NULL, NULL);
}
