/**
 * Writes to the API at a rate that does no harm: in order, so many each second, so many at a time.
 */
#ifndef KUBE_WRITER_H
#define KUBE_WRITER_H

#include "kube/client.h"

struct kube_writer;

struct kube_writer_conf {
	unsigned per_second;
	unsigned burst;	    /* so many at once after a pause */
	size_t waiting_max; /* what is beyond is refused */
	struct dur timeout; /* of one write */
	void *ctx;
	/** An answer to a write; @tag is that of kube_writer_put(). */
	void (*done)(void *ctx, const char *tag, const struct kube_answer *answer);
};

struct kube_write {
	const char *method, *path;
	const char *content_type; /* NULL: application/json */
	const char *body;	  /* NULL: none */
	const char *tag;
};

NODISCARD struct kube_writer *kube_writer_new(struct loop *l, struct kube_client *client,
					      const struct kube_writer_conf *conf);
struct kube_writer *kube_writer_free(struct kube_writer *w);

/** All texts are copied. False: too many wait already. */
bool kube_writer_put(struct kube_writer *w, const struct kube_write *write);
/** Forget what waits; what is under way goes on, and is told. */
void kube_writer_clear(struct kube_writer *w);
/** Waiting or under way. */
size_t kube_writer_pending(const struct kube_writer *w);

#endif
