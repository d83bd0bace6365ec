/**
 * One collection of the API kept up to date: what to ask the server next, given what it answered.
 * A server that offers it streams the list: a watch that begins with all there is (sendInitialEvents)
 * and says where that ends. Of others lists come in pages; a watch goes on from where the list was
 * taken, from bookmarks and after broken connections; whatever the server can't go on from (410 as a
 * status or as an event, a version from its future, versions that go back) means a new list, which is
 * compared with what is known, so that only differences are told. Pure.
 *
 * What is known of each object is its version and its uid; what is in it is the listener's
 * business.
 */
#ifndef KUBE_REFLECTOR_H
#define KUBE_REFLECTOR_H

#include <jansson.h>

#include "base/map.h"
#include "base/time.h"
#include "kube/backoff.h"
#include "kube/stream.h"

/** An object's identity; lives until it is told to be gone. */
struct kube_known {
	char *version;
	char *uid;
	unsigned mark; /* the list that had it last */
};

struct kube_reflector_hooks {
	void *ctx;
	/** An object is new or has changed. @key: "namespace/name", or the name. */
	void (*put)(void *ctx, const char *key, const json_t *object);
	void (*drop)(void *ctx, const char *key);
	/** Everything that is there has been told: after each list that was complete. */
	void (*listed)(void *ctx);
};

enum kube_step {
	KUBE_STREAM, /* a watch that begins with all there is */
	KUBE_LIST,
	KUBE_WATCH,
};

struct kube_reflector {
	struct kube_reflector_hooks hooks;
	struct kube_backoff backoff;
	struct map *known; /* key -> struct kube_known */
	bool no_streams;   /* the server does not offer them: lists */
	enum kube_step step;
	struct mono not_before; /* of the next step */
	char *resume;		/* of the next page; NULL: the first */
	char *version;		/* of the list, and then of the watch; NULL: everything is new */
	unsigned mark;
	bool complete;	   /* a whole list has been seen */
	struct mono began; /* the watch under way */
};

/** @seed: of the jitter. */
void kube_reflector_init(struct kube_reflector *r, const struct kube_reflector_hooks *hooks,
			 uint64_t seed);
void kube_reflector_fini(struct kube_reflector *r);

/** Nothing came of a stream, though the server took it: it does not know what was asked. */
void kube_reflector_no_stream(struct kube_reflector *r, struct mono now);

/** A page of a list. 0, or -1 when it is none: then it has been taken as a failure. */
NODISCARD int kube_reflector_page(struct kube_reflector *r, const json_t *list, struct mono now);

/** The server took the watch; events follow. */
void kube_reflector_watching(struct kube_reflector *r, struct mono now);
/** False: nothing more can come of this watch, end it; kube_reflector_ended() is not wanted. */
NODISCARD bool kube_reflector_event(struct kube_reflector *r, const struct kube_event *ev,
				    struct mono now);
/** The watch ended, whoever ended it. */
void kube_reflector_ended(struct kube_reflector *r, struct mono now);

/**
 * The step was refused, or there was no answer.
 * @status:      of HTTP; 0: no answer
 * @retry_after: what the server wishes for; 0: nothing
 */
void kube_reflector_refused(struct kube_reflector *r, int status, struct dur retry_after,
			    struct mono now);

/**
 * An object as the server answered to a write of ours: as if the watch had brought it, unless that was faster.
 */
void kube_reflector_written(struct kube_reflector *r, const json_t *object);

/** NULL: it is not there. */
const struct kube_known *kube_reflector_known(const struct kube_reflector *r, const char *key);

/** "namespace/name", or the name, of an object of the API; false when it has none. */
bool kube_object_key(const json_t *object, char *buf, size_t cap);
enum { KUBE_KEY_MAX = 64 + 1 + 254 };

#endif
