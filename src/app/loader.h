/**
 * Reads and checks a configuration, and compares it with the one in force, on a thread of its own: a large file takes
 * longer than a keepalive may be late. The thread touches nothing but the files, what it makes of them, and the
 * configuration in force, which is never edited.
 */
#ifndef APP_LOADER_H
#define APP_LOADER_H

#include <jansson.h>

#include "app/app.h"
#include "base/loop.h"
#include "config/change.h"
#include "config/load.h"

/** What came of it: its parts are the receiver's. */
struct loaded {
	int status;	/* 0, or negative */
	struct err why; /* nothing was read; else the report says why */
	struct cfg_report report;
	const struct cfg *cfg;	     /* NULL when invalid */
	json_t *diff;		     /* of a reload: see cfg_diff(); NULL when invalid */
	struct cfg_changes *changes; /* the same for services */
};

/** The files alone, at once, on the caller's thread: for the start. */
void loader_load(const struct app_conf *conf, struct loaded *out);

struct loader;

/** @conf is borrowed as long as the loader lives. */
NODISCARD int loader_new(struct loop *l, const struct app_conf *conf, struct loader **out,
			 struct err *e);
/** Waits for a thread that is under way; its result is thrown away. Takes NULL, returns NULL. */
struct loader *loader_free(struct loader *ld);

bool loader_is_busy(const struct loader *ld);

/**
 * Start, with the files and @texts (copied). @in_force has to stay until @done is called, in the
 * loop, with the result. Returns 0, -ERR_STATE when one is under way, or -ERR_SYSTEM.
 */
NODISCARD int loader_start(struct loader *ld, const struct cfg *in_force,
			   const struct cfg_text *texts, size_t n_texts,
			   void (*done)(void *ctx, struct loaded *result), void *ctx,
			   struct err *e);

#endif
