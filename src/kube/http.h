/**
 * HTTP requests to one server, on our loop: libcurl's multi handle, with TLS that is always
 * verified, and HTTP/2 where the server has it. A connection that is dead without a word is noticed
 * within about ten seconds.
 *
 * Nothing is called from inside libcurl: bytes and ends are handed on at the end of the loop's
 * turn, and there a callback may start and cancel requests as it likes.
 */
#ifndef KUBE_HTTP_H
#define KUBE_HTTP_H

#include "base/err.h"
#include "base/loop.h"

struct kube_http;
struct kube_call;

struct kube_answer;

/** @judge: hears of each answer before whoever asked does, with the server that was asked */
NODISCARD int kube_http_new(struct loop *l,
			    void (*judge)(void *ctx, const char *server,
					  const struct kube_answer *answer),
			    void *ctx, struct kube_http **out, struct err *e);
/** Cancels what is under way. */
struct kube_http *kube_http_free(struct kube_http *h);

/** What came of a request. Borrowed; valid during the call. */
struct kube_answer {
	int status;	   /* of HTTP; 0: none came */
	const char *error; /* why none did, else NULL */
	struct dur retry_after;
	const char *body; /* what `data` has not taken */
	size_t len;
};

struct kube_call_conf {
	const char *method; /* "GET", … */
	const char *path;   /* with the query */
	const char *accept; /* NULL: application/json */
	const char *content_type;
	const void *body; /* copied */
	size_t len;
	struct dur timeout; /* until all of the answer is there */
	void *ctx;
	/**
	 * Bytes of a good answer (2xx) as they come; NULL: they are gathered for @done. The first
	 * call, with no bytes, says that the answer is good.
	 */
	void (*data)(void *ctx, const void *bytes, size_t len);
	/** The end; the call is gone when this returns. */
	void (*done)(void *ctx, const struct kube_answer *answer);
};

/** Credentials of one request; borrowed. Other ones mean another connection. */
struct kube_identity {
	const char *token;		/* NULL: none */
	const char *ca_pem;		/* whom to believe; NULL: whomever the system does */
	const char *cert_pem, *key_pem; /* NULL: none */
};

/**
 * @server: borrowed for as long as the call lasts
 * @name:   what its certificate has to say, or NULL: what @server says
 */
NODISCARD struct kube_call *kube_http_start(struct kube_http *h, const char *server,
					    const char *name, const struct kube_identity *who,
					    const struct kube_call_conf *conf);
/** No callback follows. Takes NULL, returns NULL. */
struct kube_call *kube_call_cancel(struct kube_call *c);

#endif
