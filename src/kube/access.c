#include "kube/access.h"

#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/doc.h"
#include "base/file.h"
#include "base/text.h"

#define POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

enum { KUBECONFIG_MAX = 4 << 20, FILES_MAX = 32 };

static void texts_free(char **v)
{
	for (char **at = v; at && *at; at++)
		free(*at);
	free(v);
}

void kube_access_fini(struct kube_access *a)
{
	char *const texts[] = {
		a->server_name, a->namespace,  a->ca_file,	a->ca_pem,
		a->cert_file,	a->cert_pem,   a->key_file,	a->key_pem,
		a->token,	a->token_file, a->exec.command, a->exec.api_version
	};

	if (a->key_pem)
		explicit_bzero(a->key_pem, strlen(a->key_pem));
	if (a->token)
		explicit_bzero(a->token, strlen(a->token));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	texts_free(a->servers);
	texts_free(a->exec.argv);
	texts_free(a->exec.env);
	*a = (struct kube_access){ 0 };
}

/* --- parts of a kubeconfig --- */

/* One file of what may be several. */
struct part {
	struct doc_file *file;
	const struct doc *root; /* NULL: it is empty */
	char *folder;		/* relative paths in it start here */
};

/* Where we read, for messages and relative paths. */
struct reader {
	const struct part *parts;
	size_t n;
	const char *folder; /* of the element that was found last */
	struct err *e;
};

static const struct doc *named_in(const struct doc *root, const char *list, const char *name,
				  const char *key)
{
	const struct doc *all = doc_get(root, list);

	for (size_t i = 0; name && all && all->kind == DOC_LIST && i < all->n_items; i++) {
		const char *have = doc_get_text(all->items[i], "name");

		if (have && strcmp(have, name) == 0)
			return doc_get(all->items[i], key);
	}
	return NULL;
}

/* The first element of a list that has this name; what it holds under @key. */
static const struct doc *element_named(struct reader *r, const char *list, const char *name,
				       const char *key)
{
	const struct doc *found = NULL;

	for (size_t i = 0; !found && i < r->n; i++) {
		found = named_in(r->parts[i].root, list, name, key);
		r->folder = r->parts[i].folder;
	}
	return found;
}

static const char *current_context(const struct reader *r)
{
	const char *name = NULL;

	for (size_t i = 0; (!name || !*name) && i < r->n; i++)
		name = doc_get_text(r->parts[i].root, "current-context");
	return name;
}

static char *text_dup(const struct doc *d, const char *key)
{
	const char *text = doc_get_text(d, key);

	return text && *text ? mem_strdup(text) : NULL;
}

static char *path_dup(const struct reader *r, const struct doc *d, const char *key)
{
	const char *text = doc_get_text(d, key);

	if (!text || !*text)
		return NULL;
	return *text == '/' ? mem_strdup(text) : mem_printf("%s/%s", r->folder, text);
}

static int data_dup(const struct reader *r, const struct doc *d, const char *key, char **out)
{
	const char *text = doc_get_text(d, key);
	struct buf plain = { 0 };

	if (!text || !*text)
		return 0;
	if (!base64_decode(text, &plain) || (plain.len && memchr(plain.p, '\0', plain.len))) {
		buf_fini(&plain);
		return err_set(r->e, ERR_CONFIG, "%s is not base64 of a text", key);
	}
	*out = mem_strdup(buf_text(&plain));
	buf_fini(&plain);
	return 0;
}

/* "https://host:port", however it was written; NULL: it is no address of a server. */
static char *server_dup(const char *url)
{
	if (!text_starts_with(url, "https://") || !url[8])
		return NULL;
	char *server = mem_strdup(url);

	for (size_t n = strlen(server); n && server[n - 1] == '/'; n--)
		server[n - 1] = '\0';
	return server;
}

int kube_access_set_servers(struct kube_access *a, const char *const *urls, size_t n, struct err *e)
{
	char **servers = mem_new_n(char *, n + 1);

	for (size_t i = 0; i < n; i++) {
		servers[i] = server_dup(urls[i]);
		if (!servers[i]) {
			texts_free(servers);
			return err_set(e, ERR_CONFIG, "server '%.200s': https:// is wanted",
				       urls[i]);
		}
	}
	texts_free(a->servers);
	a->servers = servers;
	return 0;
}

static int take_server(const struct reader *r, const struct doc *cluster, struct kube_access *a)
{
	const char *server = doc_get_text(cluster, "server");

	if (!server)
		return err_set(r->e, ERR_CONFIG, "the cluster has no server");
	return kube_access_set_servers(a, &server, 1, r->e);
}

static int take_cluster(const struct reader *r, const struct doc *cluster, struct kube_access *a)
{
	const struct doc *insecure = doc_get(cluster, "insecure-skip-tls-verify");

	if (insecure && insecure->kind == DOC_BOOL && insecure->boolean)
		return err_set(r->e, ERR_CONFIG,
			       "insecure-skip-tls-verify is not done: name the server's "
			       "certificate-authority");
	a->server_name = text_dup(cluster, "tls-server-name");
	a->ca_file = path_dup(r, cluster, "certificate-authority");
	if (data_dup(r, cluster, "certificate-authority-data", &a->ca_pem) < 0)
		return -ERR_CONFIG;
	return take_server(r, cluster, a);
}

static char **exec_args(const struct doc *exec, const char *command)
{
	const struct doc *args = doc_get(exec, "args");
	size_t n = args && args->kind == DOC_LIST ? args->n_items : 0;
	char **v = mem_new_n(char *, n + 2);

	v[0] = mem_strdup(command);
	for (size_t i = 0; i < n; i++)
		v[i + 1] = mem_strdup(args->items[i]->text ? args->items[i]->text : "");
	return v;
}

static char **exec_env(const struct doc *exec)
{
	const struct doc *env = doc_get(exec, "env");
	size_t n = env && env->kind == DOC_LIST ? env->n_items : 0, used = 0;
	char **v = mem_new_n(char *, n + 1);

	for (size_t i = 0; i < n; i++) {
		const char *name = doc_get_text(env->items[i], "name");
		const char *value = doc_get_text(env->items[i], "value");

		if (name)
			v[used++] = mem_printf("%s=%s", name, value ? value : "");
	}
	return v;
}

static int take_exec(const struct reader *r, const struct doc *exec, struct kube_access *a)
{
	const char *command = doc_get_text(exec, "command");
	const char *api = doc_get_text(exec, "apiVersion");
	const struct doc *tell = doc_get(exec, "provideClusterInfo");

	if (!command || !api)
		return err_set(r->e, ERR_CONFIG, "exec needs %s",
			       command ? "apiVersion" : "command");
	if (!text_starts_with(api, "client.authentication.k8s.io/"))
		return err_set(r->e, ERR_CONFIG, "exec: apiVersion '%.100s' is none that is known",
			       api);
	/* A path is the kubeconfig's own; a bare name is looked for as a shell does. */
	a->exec.command = strchr(command, '/') ? path_dup(r, exec, "command") : mem_strdup(command);
	a->exec.api_version = mem_strdup(api);
	a->exec.argv = exec_args(exec, a->exec.command);
	a->exec.env = exec_env(exec);
	a->exec.tell_cluster = tell && tell->kind == DOC_BOOL && tell->boolean;
	return 0;
}

static int take_user(const struct reader *r, const struct doc *user, struct kube_access *a)
{
	const struct doc *exec = doc_get(user, "exec");

	a->cert_file = path_dup(r, user, "client-certificate");
	a->key_file = path_dup(r, user, "client-key");
	a->token = text_dup(user, "token");
	a->token_file = path_dup(r, user, "tokenFile");
	if (data_dup(r, user, "client-certificate-data", &a->cert_pem) < 0 ||
	    data_dup(r, user, "client-key-data", &a->key_pem) < 0)
		return -ERR_CONFIG;
	if ((a->cert_file || a->cert_pem) && !a->key_file && !a->key_pem)
		return err_set(r->e, ERR_CONFIG,
			       "the user has a client-certificate without its client-key");
	return exec ? take_exec(r, exec, a) : 0;
}

static int take_context(struct reader *r, const char *name, struct kube_access *a)
{
	if (!name || !*name)
		return err_set(r->e, ERR_CONFIG, "current-context is not set");
	const struct doc *context = element_named(r, "contexts", name, "context");

	if (!context)
		return err_set(r->e, ERR_CONFIG, "there is no context '%.100s'", name);
	const char *cluster_name = doc_get_text(context, "cluster");
	const char *user_name = doc_get_text(context, "user");

	a->namespace = text_dup(context, "namespace");
	const struct doc *cluster = element_named(r, "clusters", cluster_name, "cluster");

	if (!cluster)
		return err_set(r->e, ERR_CONFIG, "context '%.100s': there is no such cluster",
			       name);
	if (take_cluster(r, cluster, a) < 0)
		return err_wrap(r->e, "cluster '%.100s'", cluster_name);
	const struct doc *user = element_named(r, "users", user_name, "user");

	if (user_name && !user)
		return err_set(r->e, ERR_CONFIG, "context '%.100s': there is no such user", name);
	if (user && take_user(r, user, a) < 0)
		return err_wrap(r->e, "user '%.100s'", user_name);
	return 0;
}

/* --- files --- */

static int part_parse(struct part *p, const char *name, const char *text, size_t len,
		      const char *folder, struct err *e)
{
	const struct doc_limits limits = { .max_nodes = 100000 };
	struct doc_error bad;

	if (doc_parse(name, text, len, &limits, &p->file, &bad) < 0)
		return err_set(e, ERR_CONFIG, "%s:%u:%u: %s", name, bad.pos.line, bad.pos.col,
			       bad.text);
	p->root = p->file->n_docs ? p->file->docs[0] : NULL;
	p->folder = mem_strdup(folder);
	return 0;
}

static int part_load(struct part *p, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup(".");
	struct buf text = { 0 };
	int status = file_read(path, KUBECONFIG_MAX, &text, e);

	if (status == 0)
		status = part_parse(p, path, buf_text(&text), text.len, folder, e);
	if (text.p)
		explicit_bzero(text.p, text.len);
	buf_fini(&text);
	free(folder);
	return status;
}

static void part_fini(struct part *p)
{
	doc_file_free(p->file);
	free(p->folder);
}

/* @name: of all the files, for messages */
static int parts_take(const struct part *parts, size_t n, const char *name, const char *context,
		      struct kube_access *out, struct err *e)
{
	struct reader r = { .parts = parts, .n = n, .e = e };
	struct kube_access a = { 0 };

	if (take_context(&r, context ? context : current_context(&r), &a) < 0) {
		kube_access_fini(&a);
		return err_wrap(e, "%s", name);
	}
	*out = a;
	return 0;
}

int kube_access_parse(const char *name, const char *text, size_t len, const char *folder,
		      const char *context, struct kube_access *out, struct err *e)
{
	struct part p = { 0 };
	int status = part_parse(&p, name, text, len, folder, e);

	if (status == 0)
		status = parts_take(&p, 1, name, context, out, e);
	part_fini(&p);
	return status;
}

int kube_access_load(const char *path, const char *context, struct kube_access *out, struct err *e)
{
	struct part p = { 0 };
	int status = part_load(&p, path, e);

	if (status == 0)
		status = parts_take(&p, 1, path, context, out, e);
	part_fini(&p);
	return status;
}

/* The next path of "a:b", or NULL; the caller frees it. */
static char *path_next(const char **at)
{
	*at += strspn(*at, ":");
	size_t len = strcspn(*at, ":");
	char *path = len ? mem_strndup(*at, len) : NULL;

	*at += len;
	return path;
}

int kube_access_load_list(const char *paths, const char *context, struct kube_access *out,
			  struct err *e)
{
	struct part parts[FILES_MAX] = { 0 };
	const char *at = paths;
	char *path;
	size_t n = 0;
	int status = 0;

	while (status == 0 && n < FILES_MAX && (path = path_next(&at))) {
		if (access(path, F_OK) == 0)
			status = part_load(&parts[n++], path, e);
		free(path);
	}
	if (status == 0 && n == 0)
		status = err_set(e, ERR_CONFIG, "%s: there is no such file", paths);
	else if (status == 0)
		status = parts_take(parts, n, paths, context, out, e);
	for (size_t i = 0; i < n; i++)
		part_fini(&parts[i]);
	return status;
}

int kube_access_of_pod(struct kube_access *out, struct err *e)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	struct buf namespace = { 0 };

	if (!host || !*host || access(POD_FOLDER "/token", F_OK) < 0)
		return err_set(e, ERR_CONFIG,
			       "this is no pod with a service account; outside a cluster name a "
			       "kubeconfig (kubernetes: {kubeconfig: FILE}, or KUBECONFIG)");
	char **servers = mem_new_n(char *, 2);

	servers[0] = mem_printf(strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host,
				port && *port ? port : "443");
	*out = (struct kube_access){
		.servers = servers,
		.ca_file = mem_strdup(POD_FOLDER "/ca.crt"),
		.token_file = mem_strdup(POD_FOLDER "/token"),
	};
	if (file_read(POD_FOLDER "/namespace", 1024, &namespace, NULL) == 0)
		out->namespace =
			mem_strndup(buf_text(&namespace), strcspn(buf_text(&namespace), "\n"));
	buf_fini(&namespace);
	return 0;
}
