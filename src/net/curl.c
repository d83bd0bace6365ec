#include "net/curl.h"

#include "net/libcurl.h"

struct net_curl {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer timer;
	void (*ended)(void *ctx, CURL *easy, CURLcode code);
	void *ctx;
};

struct curl_socket {
	struct loop_io io;
	struct net_curl *owner;
};

/* An end may start the next transfer, so the list is asked anew each time. */
static void act(struct net_curl *n, curl_socket_t fd, int events)
{
	int running, left;

	curl_multi_socket_action(n->multi, fd, events, &running);
	for (CURLMsg *m; (m = curl_multi_info_read(n->multi, &left));)
		if (m->msg == CURLMSG_DONE)
			n->ended(n->ctx, m->easy_handle, m->data.result);
}

static void socket_ready(struct loop_io *io, unsigned events)
{
	struct curl_socket *s = CONTAINER_OF(io, struct curl_socket, io);
	int curl_events = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
			  (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	act(s->owner, io->fd, curl_events);
}

static void deadline(struct loop_timer *t, struct mono now)
{
	(void)now;
	act(CONTAINER_OF(t, struct net_curl, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl wants to know less, more, or nothing any more about a descriptor. */
static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct net_curl *n = ctx;
	struct curl_socket *s = known;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			loop_io_stop(&s->io);
		curl_multi_assign(n->multi, fd, NULL);
		free(s);
		return 0;
	}
	if (!s) {
		s = mem_new(struct curl_socket);
		s->owner = n;
		loop_io_init(&s->io, n->loop, socket_ready);
		curl_multi_assign(n->multi, fd, s);
	}
	loop_io_watch(&s->io, fd,
		      (what & CURL_POLL_IN ? LOOP_READ : 0u) |
			      (what & CURL_POLL_OUT ? LOOP_WRITE : 0u));
	return 0;
}

static int timer_wanted(CURLM *multi, long ms, void *ctx)
{
	struct net_curl *n = ctx;

	(void)multi;
	if (ms < 0)
		loop_timer_stop(&n->timer);
	else
		loop_timer_set(&n->timer, mono_add(loop_now(n->loop), DUR_MS(ms)));
	return 0;
}

int net_curl_new(struct loop *l, void (*ended)(void *ctx, CURL *easy, CURLcode code), void *ctx,
		 struct net_curl **out, struct err *e)
{
	int rc = libcurl_load(e);

	if (rc < 0)
		return rc;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_SYSTEM, "libcurl does not start");

	struct net_curl *n = mem_new(struct net_curl);

	n->loop = l;
	n->ended = ended;
	n->ctx = ctx;
	n->multi = curl_multi_init();
	loop_timer_init(&n->timer, l, deadline);
	curl_multi_setopt(n->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(n->multi, CURLMOPT_SOCKETDATA, n);
	curl_multi_setopt(n->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(n->multi, CURLMOPT_TIMERDATA, n);
	*out = n;
	return 0;
}

struct net_curl *net_curl_free(struct net_curl *n)
{
	if (!n)
		return NULL;
	curl_multi_cleanup(n->multi);
	loop_timer_stop(&n->timer);
	curl_global_cleanup();
	free(n);
	return NULL;
}

void net_curl_start(struct net_curl *n, CURL *easy)
{
	curl_multi_add_handle(n->multi, easy);
}

void net_curl_stop(struct net_curl *n, CURL *easy)
{
	curl_multi_remove_handle(n->multi, easy);
}
