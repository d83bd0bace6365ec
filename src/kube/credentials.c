#include "kube/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/file.h"

enum { FILE_MAX = 1 << 20, ANSWER_MAX = 1 << 20 };

#define FILES_LAST   DUR_S(60)
#define COMMAND_MAX  DUR_S(30) /* it runs */
#define COMMAND_WAIT DUR_S(10) /* from a failure to the next try */

/* Nothing that a command gave is trusted for longer than a day, whatever it says. */
enum { LASTS_MOST_S = 86400 };

/* What may lie in a file. */
enum held { HELD_TOKEN, HELD_AUTHORITY, HELD_CERTIFICATE, HELD_KEY, HELD_COUNT };

struct kube_credentials {
	struct loop *loop;
	const struct kube_access *access;
	char *held[HELD_COUNT]; /* of the files; NULL: none, or not read yet */
	struct mono read_at;
	char *problem;

	struct kube_exec_answer answer;
	bool has_answer;
	pid_t pid; /* 0: the command does not run */
	struct loop_io out;
	struct buf text;
	struct loop_timer next; /* run it, or end it */
};

/* --- files --- */

static const char *path_of(const struct kube_access *a, enum held what)
{
	const char *const paths[HELD_COUNT] = { [HELD_TOKEN] = a->token_file,
						[HELD_AUTHORITY] = a->ca_pem ? NULL : a->ca_file,
						[HELD_CERTIFICATE] =
							a->cert_pem ? NULL : a->cert_file,
						[HELD_KEY] = a->key_pem ? NULL : a->key_file };

	return paths[what];
}

static void forget(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void problem_set(struct kube_credentials *c, const char *text)
{
	free(c->problem);
	c->problem = text ? mem_strdup(text) : NULL;
}

/* What was there before stays when it can't be read: it may still be good. */
static void file_take(struct kube_credentials *c, enum held what, struct err *e)
{
	struct buf text = { 0 };

	if (file_read(path_of(c->access, what), FILE_MAX, &text, e) == 0) {
		size_t len = what == HELD_TOKEN ? strcspn(buf_text(&text), "\r\n") : text.len;

		forget(&c->held[what]);
		c->held[what] = mem_strndup(buf_text(&text), len);
	}
	if (text.p)
		explicit_bzero(text.p, text.len);
	buf_fini(&text);
}

static bool have_all_files(const struct kube_credentials *c)
{
	for (int i = 0; i < HELD_COUNT; i++)
		if (path_of(c->access, (enum held)i) && !c->held[i])
			return false;
	return true;
}

static bool has_files(const struct kube_access *a)
{
	for (int i = 0; i < HELD_COUNT; i++)
		if (path_of(a, (enum held)i))
			return true;
	return false;
}

static void files_read(struct kube_credentials *c)
{
	struct mono now = loop_now(c->loop);
	struct err e = { 0 };

	if (!has_files(c->access) ||
	    (have_all_files(c) && mono_before(now, mono_add(c->read_at, FILES_LAST))))
		return;
	c->read_at = now;
	for (int i = 0; i < HELD_COUNT; i++)
		if (path_of(c->access, (enum held)i))
			file_take(c, (enum held)i, &e);
	problem_set(c, e.kind ? e.text : NULL);
}

/* --- a command --- */

void kube_exec_answer_fini(struct kube_exec_answer *a)
{
	char *const texts[] = { a->token, a->cert_pem, a->key_pem };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i])
			explicit_bzero(texts[i], strlen(texts[i]));
		free(texts[i]);
	}
	*a = (struct kube_exec_answer){ 0 };
}

static char *text_of(const json_t *status, const char *key)
{
	const char *text = json_string_value(json_object_get(status, key));

	return text && *text ? mem_strdup(text) : NULL;
}

static int64_t time_of(const char *text)
{
	struct tm tm = { 0 };

	return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t)timegm(&tm) : 0;
}

int kube_exec_parse(const char *text, size_t len, struct kube_exec_answer *out, struct err *e)
{
	json_t *root = json_loadb(text, len, 0, NULL);
	const json_t *status = json_object_get(root, "status");
	struct kube_exec_answer a = {
		.token = text_of(status, "token"),
		.cert_pem = text_of(status, "clientCertificateData"),
		.key_pem = text_of(status, "clientKeyData"),
		.expires_s =
			time_of(json_string_value(json_object_get(status, "expirationTimestamp"))),
	};

	json_decref(root);
	if (!a.token && !(a.cert_pem && a.key_pem)) {
		kube_exec_answer_fini(&a);
		return err_set(
			e, ERR_PROTOCOL,
			"the command printed no ExecCredential with a token or a certificate");
	}
	*out = a;
	return 0;
}

static void command_run(struct kube_credentials *c);

/* The next one some time before this one's end. */
static void command_schedule(struct kube_credentials *c)
{
	int64_t left = c->answer.expires_s - (int64_t)time(NULL);

	if (c->answer.expires_s)
		loop_timer_set(&c->next, mono_add(loop_now(c->loop),
						  DUR_S(MAX(MIN(left, LASTS_MOST_S) * 4 / 5, 5))));
}

static void command_end(struct kube_credentials *c)
{
	struct err e = { 0 };
	struct kube_exec_answer fresh;

	int fd = c->out.fd;

	loop_io_stop(&c->out);
	close(fd);
	kill(c->pid, SIGKILL); /* it has said all; most have ended by now */
	waitpid(c->pid, NULL, 0);
	c->pid = 0;
	if (kube_exec_parse(buf_text(&c->text), c->text.len, &fresh, &e) == 0) {
		kube_exec_answer_fini(&c->answer);
		c->answer = fresh;
		c->has_answer = true;
		loop_timer_stop(&c->next);
		command_schedule(c);
	} else {
		(void)err_wrap(&e, "%s", c->access->exec.command);
		loop_timer_set(&c->next, mono_add(loop_now(c->loop), COMMAND_WAIT));
	}
	problem_set(c, e.kind ? e.text : NULL);
	if (c->text.p)
		explicit_bzero(c->text.p, c->text.len);
	buf_clear(&c->text);
}

static void command_says(struct loop_io *io, unsigned events)
{
	struct kube_credentials *c = CONTAINER_OF(io, struct kube_credentials, out);
	char bytes[4096];
	ssize_t n = read(io->fd, bytes, sizeof(bytes));

	(void)events;
	if (n > 0 && c->text.len < ANSWER_MAX)
		buf_append(&c->text, bytes, (size_t)n);
	else
		command_end(c);
}

/* Where it is to let us in, for commands that serve several clusters. */
static json_t *cluster_info(const struct kube_credentials *c)
{
	const struct kube_access *a = c->access;
	const char *pem = a->ca_pem ? a->ca_pem : c->held[HELD_AUTHORITY];
	struct buf authority = { 0 };

	if (pem)
		base64_encode(pem, strlen(pem), &authority);
	json_t *info = json_pack("{s:s, s:s*, s:s*}", "server", a->servers[0], "tls-server-name",
				 a->server_name, "certificate-authority-data",
				 pem ? buf_text(&authority) : NULL);

	buf_fini(&authority);
	return info;
}

/* "KUBERNETES_EXEC_INFO=…": what the command is asked. */
static char *command_question(const struct kube_credentials *c)
{
	json_t *spec = json_pack("{s:b}", "interactive", 0);

	if (c->access->exec.tell_cluster)
		json_object_set_new(spec, "cluster", cluster_info(c));
	json_t *root = json_pack("{s:s, s:s, s:o}", "apiVersion", c->access->exec.api_version,
				 "kind", "ExecCredential", "spec", spec);
	char *text = json_dumps(root, JSON_COMPACT);
	char *variable = mem_printf("KUBERNETES_EXEC_INFO=%s", text);

	free(text);
	json_decref(root);
	return variable;
}

/* Has one of these the name of @entry, too? */
static bool has_name_of(char *const *v, size_t n, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < n; i++)
		if (strncmp(v[i], entry, len) == 0)
			return true;
	return false;
}

/* The environment of the command: what it is asked, its own, and what of ours these leave. */
static char **command_env(const struct kube_credentials *c)
{
	size_t n = 0, used = 0;
	char **own = c->access->exec.env;

	while (environ[n])
		n++;
	for (char **at = own; at && *at; at++)
		n++;
	char **v = mem_new_n(char *, n + 2);
	v[used++] = command_question(c);
	for (char **at = own; at && *at; at++)
		v[used++] = *at;
	size_t given = used;

	for (char **at = environ; *at; at++)
		if (!has_name_of(v, given, *at))
			v[used++] = *at;
	return v;
}

static int command_spawn(struct kube_credentials *c, int out)
{
	posix_spawn_file_actions_t actions;
	char **env = command_env(c);

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	int error = posix_spawnp(&c->pid, c->access->exec.command, &actions, NULL,
				 c->access->exec.argv, env);

	posix_spawn_file_actions_destroy(&actions);
	free(env[0]); /* the only one that was made here */
	free(env);
	return error;
}

static void command_failed(struct kube_credentials *c, int error)
{
	char *text = mem_printf("%s: %s", c->access->exec.command, strerror(error));

	problem_set(c, text);
	free(text);
	c->pid = 0;
	loop_timer_set(&c->next, mono_add(loop_now(c->loop), COMMAND_WAIT));
}

static void command_run(struct kube_credentials *c)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) {
		command_failed(c, errno);
		return;
	}
	int error = command_spawn(c, ends[1]);

	close(ends[1]);
	if (error) {
		close(ends[0]);
		command_failed(c, error);
		return;
	}
	loop_io_watch(&c->out, ends[0], LOOP_READ);
	loop_timer_set(&c->next, mono_add(loop_now(c->loop), COMMAND_MAX));
}

static void command_due(struct loop_timer *t, struct mono now)
{
	struct kube_credentials *c = CONTAINER_OF(t, struct kube_credentials, next);

	(void)now;
	if (c->pid)
		command_end(c);
	else
		command_run(c);
}

/* --- for requests --- */

struct kube_credentials *kube_credentials_new(struct loop *l, const struct kube_access *access)
{
	struct kube_credentials *c = mem_new(struct kube_credentials);

	c->loop = l;
	c->access = access;
	loop_io_init(&c->out, l, command_says);
	loop_timer_init(&c->next, l, command_due);
	files_read(c); /* a command may be told of the authority */
	if (access->exec.command)
		command_run(c);
	return c;
}

struct kube_credentials *kube_credentials_free(struct kube_credentials *c)
{
	if (!c)
		return NULL;
	if (c->pid)
		command_end(c);
	loop_timer_stop(&c->next);
	kube_exec_answer_fini(&c->answer);
	buf_fini(&c->text);
	for (int i = 0; i < HELD_COUNT; i++)
		forget(&c->held[i]);
	free(c->problem);
	free(c);
	return NULL;
}

/* Of the kubeconfig itself, or of the file that it names. A file that can't be read is not nothing. */
static const char *text_or(const struct kube_credentials *c, const char *own, enum held what)
{
	if (own || !path_of(c->access, what))
		return own;
	return c->held[what] ? c->held[what] : "";
}

bool kube_credentials_get(struct kube_credentials *c, struct kube_identity *out)
{
	const struct kube_access *a = c->access;

	files_read(c);
	*out = (struct kube_identity){ .token =
					       c->held[HELD_TOKEN] ? c->held[HELD_TOKEN] : a->token,
				       .ca_pem = text_or(c, a->ca_pem, HELD_AUTHORITY),
				       .cert_pem = text_or(c, a->cert_pem, HELD_CERTIFICATE),
				       .key_pem = text_or(c, a->key_pem, HELD_KEY) };
	if (!a->exec.command)
		return have_all_files(c);
	if (c->answer.token)
		out->token = c->answer.token;
	if (c->answer.cert_pem) {
		out->cert_pem = c->answer.cert_pem;
		out->key_pem = c->answer.key_pem;
	}
	return c->has_answer && have_all_files(c);
}

void kube_credentials_doubt(struct kube_credentials *c)
{
	c->read_at = (struct mono){ INT64_MIN / 2 };
}

void kube_credentials_refused(struct kube_credentials *c)
{
	kube_credentials_doubt(c);
	if (c->access->exec.command && !c->pid)
		loop_timer_set(&c->next, loop_now(c->loop));
}

const char *kube_credentials_problem(const struct kube_credentials *c)
{
	return c->problem;
}
