#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "health/probe.h"

/* libcurl's multi handle on our loop: it names the descriptors and the next deadline, we wait for both. */
struct health_http {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer timer;
};

struct http_socket {
	struct loop_io io;
	struct health_http *http;
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
	curl_multi_remove_handle(p->http->multi, p->easy);
	curl_easy_cleanup(p->easy);
	free(p);
}

static void http_cancel(struct health_probe *base)
{
	http_free(CONTAINER_OF(base, struct http_probe, base));
}

static void http_end(struct http_probe *p, CURLcode code)
{
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

/* Reports what has finished. A `done` may start the next probe, so the list is asked anew each time. */
static void http_reap(struct health_http *h)
{
	int left;

	for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));) {
		struct http_probe *p = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&p);
		http_end(p, m->data.result);
	}
}

static void http_act(struct health_http *h, curl_socket_t fd, int events)
{
	int running;

	curl_multi_socket_action(h->multi, fd, events, &running);
	http_reap(h);
}

static void http_ready(struct loop_io *io, unsigned events)
{
	struct http_socket *s = CONTAINER_OF(io, struct http_socket, io);
	int curl_events = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
			  (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	http_act(s->http, io->fd, curl_events);
}

static void http_due(struct loop_timer *t, struct mono now)
{
	(void)now;
	http_act(CONTAINER_OF(t, struct health_http, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl wants to know less, more, or nothing any more about a descriptor. */
static int http_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct health_http *h = ctx;
	struct http_socket *s = known;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			loop_io_stop(&s->io);
		curl_multi_assign(h->multi, fd, NULL);
		free(s);
		return 0;
	}
	if (!s) {
		s = mem_new(struct http_socket);
		s->http = h;
		loop_io_init(&s->io, h->loop, http_ready);
		curl_multi_assign(h->multi, fd, s);
	}
	loop_io_watch(&s->io, fd,
		      (what & CURL_POLL_IN ? LOOP_READ : 0u) |
			      (what & CURL_POLL_OUT ? LOOP_WRITE : 0u));
	return 0;
}

static int http_timer_wanted(CURLM *multi, long ms, void *ctx)
{
	struct health_http *h = ctx;

	(void)multi;
	if (ms < 0)
		loop_timer_stop(&h->timer);
	else
		loop_timer_set(&h->timer, mono_add(loop_now(h->loop), DUR_MS(ms)));
	return 0;
}

int health_http_new(struct loop *l, struct health_http **out, struct err *e)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_SYSTEM, "libcurl does not start");

	struct health_http *h = mem_new(struct health_http);

	h->loop = l;
	h->multi = curl_multi_init();
	loop_timer_init(&h->timer, l, http_due);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, http_socket_wanted);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, http_timer_wanted);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	*out = h;
	return 0;
}

struct health_http *health_http_free(struct health_http *h)
{
	if (!h)
		return NULL;
	loop_timer_stop(&h->timer);
	curl_multi_cleanup(h->multi);
	curl_global_cleanup();
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
	curl_multi_add_handle(h->multi, p->easy);
	return &p->base;
}
