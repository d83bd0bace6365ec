/**
 * The answer to a watch: one JSON object on each line, for as long as the connection lasts. Bytes
 * go in as they come, events come out. Pure.
 */
#ifndef KUBE_STREAM_H
#define KUBE_STREAM_H

#include <jansson.h>

#include "base/buf.h"

/* etcd takes objects of 1.5 MiB; in JSON, with what the API server adds, they are some larger. */
enum { KUBE_LINE_MAX = 16 << 20 };

enum kube_event_type { KUBE_ADDED, KUBE_MODIFIED, KUBE_DELETED, KUBE_BOOKMARK, KUBE_ERROR };

struct kube_event {
	enum kube_event_type type;
	json_t *object; /* the caller's to json_decref() */
};

/** Zero-initialised: nothing has come yet. */
struct kube_stream {
	struct buf pending;
	size_t at;	/* where the next line begins */
	size_t scanned; /* no line ends before here */
};

void kube_stream_feed(struct kube_stream *s, const void *bytes, size_t len);
void kube_stream_fini(struct kube_stream *s);

enum kube_stream_result {
	KUBE_STREAM_EVENT,
	KUBE_STREAM_MORE,    /* bytes are wanted */
	KUBE_STREAM_GARBAGE, /* this is no watch; nothing more can be read */
};

/** The next event of what was fed. An event of a type that nobody knows is passed over. */
NODISCARD enum kube_stream_result kube_stream_next(struct kube_stream *s, struct kube_event *out);

#endif
