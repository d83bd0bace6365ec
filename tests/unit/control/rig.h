/**
 * A loop in a thread of its own with something on it, so that a test in the main thread can talk
 * to it as another process would.
 */
#ifndef TESTS_CONTROL_RIG_H
#define TESTS_CONTROL_RIG_H

#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/loop.h"

struct rig {
	struct loop *loop;
	struct loop_wake stop;
	pthread_t thread;
};

static inline void rig_woken(struct loop_wake *w)
{
	loop_stop(w->io.loop);
}

static inline void *rig_thread(void *rig)
{
	loop_run(((struct rig *)rig)->loop);
	return NULL;
}

static inline void rig_init(struct rig *r)
{
	struct err e;

	if (loop_new(&r->loop, &e) < 0 || loop_wake_init(&r->stop, r->loop, rig_woken, &e) < 0)
		fail_msg("%s", e.text);
}

static inline void rig_start(struct rig *r)
{
	assert_int_equal(pthread_create(&r->thread, NULL, rig_thread, r), 0);
}

/* After this what stands on the loop may be looked at again. */
static inline void rig_stop(struct rig *r)
{
	loop_wake_signal(&r->stop);
	pthread_join(r->thread, NULL);
}

static inline void rig_fini(struct rig *r)
{
	loop_wake_fini(&r->stop);
	loop_free(r->loop);
}

/** Everything until the other side closes; free it. */
static inline char *rig_rest(int fd)
{
	struct buf all = { 0 };
	char bytes[4096];

	for (ssize_t n; (n = read(fd, bytes, sizeof(bytes))) > 0;)
		buf_append(&all, bytes, (size_t)n);
	close(fd);
	return all.p ? all.p : mem_strdup("");
}

#endif
