/**
 * Writes a file on a thread of its own: what is in it may take longer to put into words than a keepalive may be late,
 * and the disk may take any time. One write at a time; what changes meanwhile is in the next.
 */
#ifndef APP_SAVER_H
#define APP_SAVER_H

#include <sys/types.h>

#include "base/loop.h"

struct saver;

struct saver_conf {
	const char *path; /* borrowed as long as the saver lives */
	mode_t mode;
	/** On the thread: @what as text, to be freed; @what ends with it. */
	char *(*text)(void *what);
	/** Something newer has come before @what was written. */
	void (*drop)(void *what);
	/** In the loop, or in saver_free(): a write is over; @why is NULL when it is on the disk. */
	void (*done)(void *ctx, const struct err *why);
	void *ctx;
};

NODISCARD int saver_new(struct loop *l, const struct saver_conf *conf, struct saver **out,
			struct err *e);
/** Waits until all is written. Takes NULL, returns NULL. */
struct saver *saver_free(struct saver *s);

/** Write this; it is taken, and nobody else's from now on. */
void saver_save(struct saver *s, void *take);

#endif
