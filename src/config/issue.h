/**
 * What a load has to say, collected in any order and handed out as a sorted report. The number of
 * issues is bounded: a file of fifty megabytes may be wrong on every line.
 */
#ifndef CONFIG_ISSUE_H
#define CONFIG_ISSUE_H

#include "base/map.h"
#include "config/load.h"
#include "config/place.h"

#define ISSUE_MAX 1000 /* of each kind */

enum issue_kind { ISSUE_ERROR, ISSUE_WARNING, ISSUE_NOTE, ISSUE_KIND_COUNT };

struct issue {
	struct cfg_issue c;
	enum issue_kind kind;
	size_t order; /* of the file among those loaded */
	size_t seq;
};

struct issues {
	struct arena *arena; /* the report's: owns all texts */
	struct map *order;   /* file name -> its number */
	struct issue *v;
	size_t n, cap;
	size_t count[ISSUE_KIND_COUNT]; /* told, those beyond ISSUE_MAX included */
	struct issue spill;		/* takes what is beyond the limit */
};

void issues_init(struct issues *is);
/** The next file: its issues come after those of the files before. */
void issues_file(struct issues *is, const char *name);
/** Sort into @report, which takes the texts; what is left of @is is freed. */
void issues_finish(struct issues *is, struct cfg_report *report);

/**
 * Say something about a place.
 * @hint: what to do instead, static or of issues_text(); may be NULL
 *
 * Returns the issue (valid until the next one), for issue_other().
 */
struct issue *issue_add(struct issues *is, enum issue_kind kind, const struct place *p,
			const char *hint, const char *fmt, ...) PRINTF_LIKE(5, 6);
/** The same about a position of a file that may not have parsed; @file may be NULL. */
struct issue *issue_at(struct issues *is, enum issue_kind kind, const struct doc_file *file,
		       struct doc_pos pos, const char *path, const char *hint, const char *message);
/** The second place of an issue. */
void issue_other(struct issues *is, struct issue *i, const struct doc *other);

/** Text for a hint, which lives as long as the report; NULL when there are too many already. */
const char *issues_text(struct issues *is, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Does @a come before @b in the order of files and positions? */
bool issues_before(const struct issues *is, const struct doc *a, const struct doc *b);

#endif
