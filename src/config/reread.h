/**
 * Reading again only what changed. Of a large file that differs from the one before in a few
 * places, an abridged text is read: without most of the items of its long lists (config/retain.h),
 * whose objects are taken over from the configuration before.
 *
 * Why that gives the same as the whole text. An item is left out only when it, and what stands
 * around it, has not changed. A cut goes from the beginning of one item to that of another of the
 * same list: in both places the parser of YAML waits for the next dash of that list, and goes on
 * the same way. In front of the change that is so because nothing has changed in front of it.
 * Behind the change, the last item of each list is always read, and has to be found in its place,
 * as an item of its list: so the parser has come out of what changed as it came out of what was
 * there. No anchor reaches out of an item, since texts that have any are not remembered. What an
 * item says does not depend on others, but for the names of communities, which must be the same as
 * before. The rules between objects are applied to all of them, as ever.
 *
 * Whenever anything is not as it has to be, or there is anything new to say (an error, a warning, a
 * note), all is thrown away, and the whole text is read: what people are told never comes from an
 * abridged one. Warnings that hold are said as before (config/said.h).
 *
 * A text is remembered with the configuration that came of it: it costs its own size and 4 bytes
 * for each item. Short ones are not, since they are read in no time.
 */
#ifndef CONFIG_REREAD_H
#define CONFIG_REREAD_H

#include "base/buf.h"
#include "config/retain.h"

/** Shorter texts are always read whole. */
#define REREAD_MIN ((size_t)8 * 1024)

/** The texts of one configuration. */
struct reread;

NODISCARD struct reread *reread_new(void);
struct reread *reread_free(struct reread *r); /* takes NULL, returns NULL */

/** Of the texts of a configuration this was said, too. False: they are not to be read in parts. */
NODISCARD bool reread_say(struct reread *r, const struct cfg_report *report);
/** It; warnings alone. */
const struct cfg_issues *reread_said(const struct reread *r);

struct kept_text;

/**
 * Of the items before, [0, head) stand in front of those read, and [tail, end) in front of the last.
 */
struct reading_list {
	const struct doc *doc; /* as it was read; NULL: nothing is known of it */
	uint32_t *starts;      /* of doc's items, in the text that was read */
	size_t head, tail, end;
	size_t taken;  /* how many of them have been loaded */
	uint32_t last; /* where the last item has to be found, if there is a tail */
	size_t loaded; /* objects of the kind, before this text */
};

/** One text while it is loaded. */
struct reading {
	const char *name;
	const char *whole;
	size_t whole_len;
	struct buf *given;
	const struct kept_text *kept; /* of that configuration; NULL: it is read whole */
	struct buf text;	      /* the abridged one */
	struct {
		uint32_t at, len; /* in the whole text */
	} cuts[2 * RETAIN_COUNT];
	size_t n_cuts;
	/* Between the cuts that are next to the change, in the whole text and in that before. */
	size_t from, end, end_before;
	struct reading_list lists[RETAIN_COUNT];
};

/**
 * Begin with a text, which has to last until reading_fini(). @given: what holds it, to be taken when
 * it is remembered; NULL: it is copied then.
 */
void reading_init(struct reading *r, const struct loader *l, const char *name, const char *text,
		  size_t len, struct buf *given);
void reading_fini(struct reading *r);

/** What is to be parsed. */
const char *reading_text(const struct reading *r, size_t *len);
/** It was parsed. False: it can't stand for the whole text. */
NODISCARD bool reading_parsed(struct reading *r, const struct doc_file *f);
/** The next to be loaded is item @i of @list: those retained come first. */
void reading_item(struct reading *r, struct loader *l, const struct doc *list, size_t i);
/** It was loaded, and is remembered in @keep (may be NULL). False: something is missing. */
NODISCARD bool reading_loaded(struct reading *r, struct loader *l, const struct doc_file *f,
			      struct reread *keep);

#endif
