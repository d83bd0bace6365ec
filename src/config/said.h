/**
 * What was said of texts that are remembered: warnings hold with the objects that they are about.
 *
 * A text that is read in parts (config/reread.h) may have been warned about, as long as nobody has
 * to think about what was said: each warning stands outside of what is read anew around the change,
 * each object stands where it stood, and the rules between objects found everything that they rest
 * on to be the same (config/amend.h). Then a warning of an item of a list holds; what is said of
 * places outside the lists, which are always read, has to be said again; and nothing else is said.
 * Otherwise the whole text is read.
 */
#ifndef CONFIG_SAID_H
#define CONFIG_SAID_H

#include "config/retain.h"

/** Lines of a text that is read in parts, and of what it was before. */
struct said_lines {
	const char *name; /* of the text */
	/* Around the change: [from, end_before) became [from, end). */
	uint32_t from, end_before, end;
	struct {
		uint32_t at, n;	  /* of the whole text */
	} cuts[2 * RETAIN_COUNT]; /* that were left out, ascending */
	size_t n_cuts;
};

/** The number of the line that @at is in. */
uint32_t said_line_at(const char *text, size_t at);

/** A copy in @arena, for said_again(). False: of this another load has to speak for itself. */
NODISCARD bool said_keep(const struct cfg_report *report,
			 bool (*is_known)(const void *ctx, const char *file), const void *ctx,
			 struct arena *arena, struct cfg_issues *out);

/**
 * The report of a load in parts becomes that of a whole one.
 * @said: what was said of the configuration before, by said_keep()
 * @lines: @n of them, of the texts that were read in parts
 *
 * False: only a whole one can tell.
 */
NODISCARD bool said_again(struct cfg_report *report, const struct cfg_issues *said,
			  const struct said_lines *lines, size_t n);

#endif
