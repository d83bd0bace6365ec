#include "kube/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define CONTEXT                                                                                  \
	"contexts: [{name: x, context: {cluster: c, user: u, namespace: n}}]\ncurrent-context: " \
	"x\n"
#define CLUSTER(more) "clusters: [{name: c, cluster: {" more "}}]\n"
#define USER(more)    "users: [{name: u, user: {" more "}}]\n"
#define SERVER	      "server: 'https://api.test:6443/'"

struct access_case {
	const char *name;
	const char *text;
	const char *error; /* a part of it; NULL: it is taken */
};

static const struct access_case cases[] = {
	{ "token", CONTEXT CLUSTER(SERVER) USER("token: t"), NULL },
	{ "no user",
	  "contexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x\n" CLUSTER(SERVER),
	  NULL },
	{ "json",
	  "{\"contexts\": [{\"name\": \"x\", \"context\": {\"cluster\": \"c\"}}], "
	  "\"current-context\": "
	  "\"x\", \"clusters\": [{\"name\": \"c\", \"cluster\": {\"server\": \"https://h\"}}]}",
	  NULL },
	{ "certificates",
	  CONTEXT CLUSTER(SERVER ", certificate-authority-data: Y2E=")
		  USER("client-certificate-data: Y2VydA==, client-key-data: a2V5"),
	  NULL },
	{ "exec",
	  CONTEXT CLUSTER(SERVER)
		  USER("exec: {apiVersion: client.authentication.k8s.io/v1, command: get-token, "
		       "args: [a, b], env: [{name: A, value: b}]}"),
	  NULL },
	{ "empty", "", "current-context" },
	{ "no current context", CLUSTER(SERVER), "current-context" },
	{ "unknown context", "current-context: y\n" CLUSTER(SERVER), "no context 'y'" },
	{ "unknown cluster", CONTEXT, "no such cluster" },
	{ "unknown user", CONTEXT CLUSTER(SERVER), "no such user" },
	{ "no server", CONTEXT CLUSTER("tls-server-name: x") USER("token: t"), "no server" },
	{ "http", CONTEXT CLUSTER("server: 'http://h'") USER("token: t"), "https://" },
	{ "nothing after https", CONTEXT CLUSTER("server: 'https://'") USER("token: t"),
	  "https://" },
	{ "not verified",
	  CONTEXT CLUSTER(SERVER ", insecure-skip-tls-verify: true") USER("token: t"),
	  "insecure-skip-tls-verify" },
	{ "bad base64",
	  CONTEXT CLUSTER(SERVER ", certificate-authority-data: '?'") USER("token: t"),
	  "certificate-authority-data" },
	{ "certificate without key", CONTEXT CLUSTER(SERVER) USER("client-certificate: a.crt"),
	  "without its client-key" },
	{ "exec without command",
	  CONTEXT CLUSTER(SERVER) USER("exec: {apiVersion: client.authentication.k8s.io/v1}"),
	  "command" },
	{ "exec of another kind",
	  CONTEXT CLUSTER(SERVER) USER("exec: {apiVersion: v1, command: a}"), "apiVersion 'v1'" },
	{ "no yaml", "a: [", "kubeconfig:" },
	{ "a list", "- a\n", "current-context" },
};

static void parses(void **state)
{
	const struct access_case *c = *state;
	struct kube_access a = { 0 };
	struct err e = { 0 };
	int status =
		kube_access_parse("kubeconfig", c->text, strlen(c->text), "/etc", NULL, &a, &e);

	if (c->error) {
		assert_true(status < 0);
		assert_non_null(strstr(e.text, c->error));
		assert_null(a.servers);
	} else {
		assert_int_equal(status, 0);
		assert_true(strncmp(a.servers[0], "https://", 8) == 0);
		assert_int_not_equal(a.servers[0][strlen(a.servers[0]) - 1], '/');
		assert_null(a.servers[1]);
	}
	kube_access_fini(&a);
}

static void takes_everything(void **state)
{
	static const char text[] = CONTEXT CLUSTER(
		SERVER ", certificate-authority: ca.crt, tls-server-name: other")
		USER("tokenFile: /run/token, client-certificate: a.crt, client-key: sub/a.key, "
		     "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./get, "
		     "args: [x], "
		     "env: [{name: A, value: b}, {name: C}]}");
	struct kube_access a = { 0 };

	(void)state;
	assert_int_equal(kube_access_parse("k", text, strlen(text), "/etc/k", "x", &a, NULL), 0);
	assert_string_equal(a.servers[0], "https://api.test:6443");
	assert_string_equal(a.server_name, "other");
	assert_string_equal(a.namespace, "n");
	assert_string_equal(a.ca_file, "/etc/k/ca.crt");
	assert_string_equal(a.token_file, "/run/token");
	assert_string_equal(a.key_file, "/etc/k/sub/a.key");
	assert_string_equal(a.exec.command, "/etc/k/./get");
	assert_string_equal(a.exec.argv[1], "x");
	assert_null(a.exec.argv[2]);
	assert_string_equal(a.exec.env[0], "A=b");
	assert_string_equal(a.exec.env[1], "C=");
	assert_null(a.exec.env[2]);
	kube_access_fini(&a);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", folder, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void remove_file(const char *folder, const char *name)
{
	char *path = mem_printf("%s/%s", folder, name);

	assert_int_equal(remove(path), 0);
	free(path);
}

/* As kubectl does it: the first that names something counts, missing files are no error. */
static void merges_files(void **state)
{
	char folder[] = "/tmp/crier-test-XXXXXX";
	struct kube_access a = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	write_file(folder, "one",
		   CONTEXT "clusters: [{name: c, cluster: {server: 'https://first', "
			   "certificate-authority: ca.crt}}]\n");
	write_file(folder, "two",
		   "current-context: other\n"
		   "contexts: [{name: other, context: {cluster: c, user: u}}]\n" CLUSTER(
			   "server: 'https://second'") USER("token: t"));
	char *list = mem_printf("%s/none:%s/one::%s/two", folder, folder, folder);

	assert_int_equal(kube_access_load_list(list, NULL, &a, &e), 0);
	assert_string_equal(a.servers[0], "https://first");
	assert_string_equal(a.token, "t");
	assert_string_equal(a.namespace, "n");
	assert_true(strncmp(a.ca_file, folder, strlen(folder)) == 0);
	kube_access_fini(&a);
	assert_int_equal(kube_access_load_list(list, "other", &a, &e), 0);
	assert_null(a.namespace);
	kube_access_fini(&a);
	free(list);

	list = mem_printf("%s/none", folder);
	assert_true(kube_access_load_list(list, NULL, &a, &e) < 0);
	assert_non_null(strstr(e.text, "no such file"));
	free(list);
	remove_file(folder, "one");
	remove_file(folder, "two");
	assert_int_equal(remove(folder), 0);
}

static void takes_other_servers(void **state)
{
	static const char text[] = CONTEXT CLUSTER(SERVER) USER("token: t");
	const char *const good[] = { "https://one:1/", "https://[2001:db8::1]:6443" };
	const char *const bad[] = { "https://one:1/", "http://two" };
	struct kube_access a = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(kube_access_parse("k", text, strlen(text), "/", NULL, &a, &e), 0);
	assert_true(kube_access_set_servers(&a, bad, 2, &e) < 0);
	assert_non_null(strstr(e.text, "http://two"));
	assert_string_equal(a.servers[0], "https://api.test:6443");
	assert_int_equal(kube_access_set_servers(&a, good, 2, &e), 0);
	assert_string_equal(a.servers[0], "https://one:1");
	assert_string_equal(a.servers[1], "https://[2001:db8::1]:6443");
	assert_null(a.servers[2]);
	kube_access_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_everything),
		cmocka_unit_test(merges_files),
		cmocka_unit_test(takes_other_servers),
	};

	return RUN_TABLE("kubeconfigs", cases, parses) + cmocka_run_group_tests(tests, NULL, NULL);
}
