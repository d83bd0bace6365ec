#include "kube/http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/map.h"
#include "net/curl.h"

/* An answer that is gathered; a page of a list is some MiB at most. */
enum { BODY_MAX = 64 << 20 };

/* Three probes, two seconds apart, after four of silence: a peer that is gone is gone after ten. */
enum { KEEPALIVE_IDLE_S = 4, KEEPALIVE_EVERY_S = 2, KEEPALIVE_PROBES = 3 };
enum { UNACKED_MS = 10000 };

struct kube_http {
	struct net_curl *curl;
	void (*judge)(void *ctx, const char *server, const struct kube_answer *answer);
	void *judge_ctx;
	struct loop_task hand_on;
	struct map *calls; /* by their own address */
};

struct kube_call {
	struct kube_http *http;
	const char *server;
	struct kube_call_conf conf;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	struct buf request, answer;
	char *authorization;
	bool told_good; /* `data` was called */
	bool ended;
	CURLcode code;
	char error[CURL_ERROR_SIZE];
};

/* --- handing on --- */

static void transfer_ended(void *ctx, CURL *easy, CURLcode code)
{
	struct kube_http *h = ctx;
	struct kube_call *c = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&c);
	c->ended = true;
	c->code = code;
	loop_task_queue(&h->hand_on);
}

static void call_free(struct kube_call *c)
{
	(void)map_del_bytes(c->http->calls, &c,
			    sizeof(c)); /* the end of a call takes it out first */
	net_curl_stop(c->http->curl, c->easy);
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	curl_slist_free_all(c->connect_to);
	if (c->authorization)
		explicit_bzero(c->authorization, strlen(c->authorization));
	free(c->authorization);
	buf_fini(&c->request);
	buf_fini(&c->answer);
	free(c);
}

static int call_status(const struct kube_call *c)
{
	long status = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

static bool is_good(int status)
{
	return status >= 200 && status < 300;
}

static void call_end(struct kube_call *c)
{
	struct kube_answer a = { .status = call_status(c) };
	curl_off_t retry_after = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_after);
	a.retry_after = DUR_S(MIN(retry_after, 86400));
	if (c->code != CURLE_OK) {
		a.status = 0;
		a.error = c->error[0] ? c->error : curl_easy_strerror(c->code);
	}
	a.body = buf_text(&c->answer);
	a.len = c->answer.len;
	/* The callback may ask for anything, but this call is no more. */
	(void)map_del_bytes(c->http->calls, &c, sizeof(c));
	c->http->judge(c->http->judge_ctx, c->server, &a);
	c->conf.done(c->conf.ctx, &a);
	call_free(c);
}

/* What has come so far; at first only that the answer is good. `data` may cancel the call. */
static void call_data(struct kube_call *c)
{
	struct buf bytes = { 0 };

	if (c->told_good) {
		bytes = c->answer;
		c->answer = (struct buf){ 0 };
	}
	c->told_good = true;
	c->conf.data(c->conf.ctx, buf_text(&bytes), bytes.len);
	buf_fini(&bytes);
}

/* One call that has something to hand on; its callbacks may change the list. */
static bool hand_on_one(struct kube_http *h)
{
	struct kube_call *c;
	const char *key;

	MAP_EACH (h->calls, key, c) {
		bool fresh = c->answer.len || !c->told_good;

		if (c->conf.data && fresh && is_good(call_status(c))) {
			call_data(c);
			return true;
		}
		if (c->ended) {
			call_end(c);
			return true;
		}
	}
	(void)key;
	return false;
}

static void hand_on(struct loop_task *t)
{
	struct kube_http *h = CONTAINER_OF(t, struct kube_http, hand_on);

	while (hand_on_one(h))
		;
}

static size_t on_bytes(char *data, size_t size, size_t n, void *ctx)
{
	struct kube_call *c = ctx;

	if (c->answer.len + size * n > BODY_MAX)
		return 0;
	buf_append(&c->answer, data, size * n);
	loop_task_queue(&c->http->hand_on);
	return size * n;
}

/* The answer's head is there: a watch may have nothing else to say for minutes. */
static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct kube_call *c = ctx;

	(void)data;
	if (c->conf.data && !c->told_good)
		loop_task_queue(&c->http->hand_on);
	return size * n;
}

/* --- start and end --- */

int kube_http_new(struct loop *l,
		  void (*judge)(void *ctx, const char *server, const struct kube_answer *answer),
		  void *ctx, struct kube_http **out, struct err *e)
{
	struct kube_http *h = mem_new(struct kube_http);
	int status = net_curl_new(l, transfer_ended, h, &h->curl, e);

	if (status < 0) {
		free(h);
		return status;
	}
	h->judge = judge;
	h->judge_ctx = ctx;
	h->calls = map_new();
	loop_task_init(&h->hand_on, l, hand_on);
	*out = h;
	return 0;
}

struct kube_http *kube_http_free(struct kube_http *h)
{
	struct kube_call *c;
	const char *key;

	if (!h)
		return NULL;
	MAP_EACH (h->calls, key, c) {
		call_free(c);
	}
	(void)key;
	map_free(h->calls);
	loop_task_cancel(&h->hand_on);
	h->curl = net_curl_free(h->curl);
	free(h);
	return NULL;
}

/* What libcurl has no option for. A socket without them still works. */
static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	const int probes = KEEPALIVE_PROBES, unacked = UNACKED_MS;

	(void)ctx;
	(void)purpose;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof(unacked));
	return CURL_SOCKOPT_OK;
}

static void set_pem(CURL *easy, CURLoption option, const char *pem)
{
	struct curl_blob blob = { .data = (char *)(uintptr_t)pem,
				  .len = pem ? strlen(pem) : 0,
				  .flags = CURL_BLOB_COPY };

	if (pem)
		curl_easy_setopt(easy, option, &blob);
}

/*
 * Texts and no paths: libcurl would go on with a connection, or with an authority that it has read,
 * for a day after the file has changed.
 */
static void set_tls(CURL *easy, const struct kube_identity *who)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	set_pem(easy, CURLOPT_CAINFO_BLOB, who->ca_pem);
	set_pem(easy, CURLOPT_SSLCERT_BLOB, who->cert_pem);
	set_pem(easy, CURLOPT_SSLKEY_BLOB, who->key_pem);
}

static void add_header(struct kube_call *c, const char *name, const char *value)
{
	char *line = mem_printf("%s: %s", name, value);

	c->headers = curl_slist_append(c->headers, line);
	explicit_bzero(line, strlen(line));
	free(line);
}

/*
 * Another name in the certificate than in the address: asked under that name, connected to this
 * address.
 */
static void set_url(struct kube_call *c, const char *name)
{
	CURLU *u = curl_url();
	char *host = NULL, *port = NULL, *server = NULL;

	if (name && curl_url_set(u, CURLUPART_URL, c->server, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_HOST, name, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_URL, &server, 0) == CURLUE_OK) {
		char *to = mem_printf("%s:%s:%s:%s", name, port, host, port);

		c->connect_to = curl_slist_append(NULL, to);
		free(to);
		curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, c->connect_to);
	}
	size_t len = server ? strlen(server) : 0;
	bool slash = len && server[len - 1] == '/';
	char *url = server ? mem_printf("%.*s%s", (int)(len - slash), server, c->conf.path)
			   : mem_printf("%s%s", c->server, c->conf.path);

	curl_easy_setopt(c->easy, CURLOPT_URL, url);
	free(url);
	curl_free(host);
	curl_free(port);
	curl_free(server);
	curl_url_cleanup(u);
}

static void set_request(struct kube_call *c, const struct kube_identity *who)
{
	const struct kube_call_conf *conf = &c->conf;

	curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, conf->method);
	if (conf->body) {
		buf_append(&c->request, conf->body, conf->len);
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)conf->len);
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, buf_text(&c->request));
	}
	add_header(c, "Accept", conf->accept ? conf->accept : "application/json");
	if (conf->body)
		add_header(c, "Content-Type",
			   conf->content_type ? conf->content_type : "application/json");
	if (who->token)
		add_header(c, "Authorization", c->authorization);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
}

static void set_transport(struct kube_call *c)
{
	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	/* Rather a stream of a connection that is being made than a connection more. */
	curl_easy_setopt(c->easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	/* As little as it takes: a dozen watches keep theirs for as long as they last. */
	curl_easy_setopt(c->easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
	curl_easy_setopt(c->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c->easy, CURLOPT_USERAGENT, "crier/" CRIER_VERSION);
	curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)dur_ms(c->conf.timeout));
	curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
	curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_EVERY_S);
	curl_easy_setopt(c->easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
}

struct kube_call *kube_http_start(struct kube_http *h, const char *server, const char *name,
				  const struct kube_identity *who,
				  const struct kube_call_conf *conf)
{
	struct kube_call *c = mem_new(struct kube_call);

	c->http = h;
	c->server = server;
	c->conf = *conf;
	c->easy = curl_easy_init();
	(void)map_put_bytes(h->calls, &c, sizeof(c), c);
	if (who->token)
		c->authorization = mem_printf("Bearer %s", who->token);
	curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
	set_transport(c);
	set_tls(c->easy, who);
	set_url(c, name);
	set_request(c, who);
	net_curl_start(h->curl, c->easy);
	return c;
}

struct kube_call *kube_call_cancel(struct kube_call *c)
{
	if (c)
		call_free(c);
	return NULL;
}
