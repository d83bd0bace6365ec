/**
 * libcurl's multi handle on our loop: it names the descriptors and the next deadline, and we wait for both. What is
 * asked, and how, stays with whoever makes the easy handles.
 */
#ifndef NET_CURL_H
#define NET_CURL_H

#include <curl/curl.h>

#include "base/loop.h"

struct net_curl;

/**
 * @ended: a transfer has ended; called within libcurl's work, once for each. It may stop this and other transfers,
 *         and start new ones
 */
NODISCARD int net_curl_new(struct loop *l, void (*ended)(void *ctx, CURL *easy, CURLcode code),
			   void *ctx, struct net_curl **out, struct err *e);
/** After all transfers were stopped. Takes NULL, returns NULL. */
struct net_curl *net_curl_free(struct net_curl *n);

/** @easy stays the caller's. */
void net_curl_start(struct net_curl *n, CURL *easy);
/** Under way or ended. */
void net_curl_stop(struct net_curl *n, CURL *easy);

#endif
