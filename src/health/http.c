#include <stdio.h>
#include <string.h>

#include "health/probe.h"
#include "net/curl.h"

struct health_http {
	struct net_curl *curl;
};

struct http_probe {
	struct health_probe base;
	struct health_http *http;
	CURL *easy;
	health_probe_done done;
	void *ctx;
	char error[CURL_ERROR_SIZE];
};

static void http_free(struct http_probe *p)
{
	net_curl_stop(p->http->curl, p->easy);
	curl_easy_cleanup(p->easy);
	free(p);
}

static void http_cancel(struct health_probe *base)
{
	http_free(CONTAINER_OF(base, struct http_probe, base));
}

static void http_ended(void *http, CURL *easy, CURLcode code)
{
	struct http_probe *p = NULL;

	(void)http;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&p);

	struct health_probe_end end = { 0 };
	health_probe_done done = p->done;
	void *ctx = p->ctx;
	long status = 0;

	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	end.good = code == CURLE_OK && status >= 200 && status < 400;
	if (code != CURLE_OK)
		snprintf(end.reason, sizeof(end.reason), "http: %.150s",
			 p->error[0] ? p->error : curl_easy_strerror(code));
	else if (!end.good)
		snprintf(end.reason, sizeof(end.reason), "http: status %ld", status);
	http_free(p);
	done(ctx, &end);
}

int health_http_new(struct loop *l, struct health_http **out, struct err *e)
{
	struct health_http *h = mem_new(struct health_http);
	int status = net_curl_new(l, http_ended, h, &h->curl, e);

	if (status < 0)
		free(h);
	else
		*out = h;
	return status;
}

struct health_http *health_http_free(struct health_http *h)
{
	if (!h)
		return NULL;
	h->curl = net_curl_free(h->curl);
	free(h);
	return NULL;
}

static size_t http_discard(char *data, size_t size, size_t n, void *ctx)
{
	(void)data;
	(void)ctx;
	return size * n;
}

struct health_probe *health_probe_http(struct health_http *h, const char *url, struct dur timeout,
				       health_probe_done done, void *ctx)
{
	struct http_probe *p = mem_new(struct http_probe);

	p->base.cancel = http_cancel;
	p->http = h;
	p->done = done;
	p->ctx = ctx;
	p->easy = curl_easy_init();
	curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
	curl_easy_setopt(p->easy, CURLOPT_URL, url);
	curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)dur_ms(timeout));
	curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->error);
	curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, http_discard);
	curl_easy_setopt(p->easy, CURLOPT_USERAGENT, "crier/" CRIER_VERSION);
	curl_easy_setopt(p->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
	/* A new connection each time: the question is whether one can be made. */
	curl_easy_setopt(p->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(p->easy, CURLOPT_FRESH_CONNECT, 1L);
	net_curl_start(h->curl, p->easy);
	return &p->base;
}
