/**
 * Reading the fields of one Kubernetes object out of a document. Unknown keys are nobody's
 * business; null is as good as absent; what is of the wrong type is an issue at its place, and the
 * object counts as unreadable (an API server would not have taken it).
 *
 * Shared by the readers of this folder (object_*.c).
 */
#ifndef WORLD_OBJECT_READ_H
#define WORLD_OBJECT_READ_H

#include "config/cfg.h"
#include "config/issue.h"

struct object_reader {
	struct issues *issues;
	struct arena *arena; /* of what is read: texts are copied into it */
	bool failed;
};

/** A word of a closed set, and what it stands for; NULL ends a list of them. */
struct object_word {
	const char *text;
	int value;
};

/** The value of a key, which has to be of that kind. False: absent, or reported. */
bool object_field(struct object_reader *r, const struct place *up, const char *key,
		  enum doc_kind kind, struct place *out);
/** Element @i of a list, which has to be of that kind; else it is reported. */
bool object_element(struct object_reader *r, const struct place *list, size_t i, enum doc_kind kind,
		    struct place *out);
/** Say that the object can't be read; @hint may be NULL. */
void object_wrong(struct object_reader *r, const struct place *p, const char *hint, const char *fmt,
		  ...) PRINTF_LIKE(4, 5);

/* Values of keys; what is absent or wrong gives NULL, leaves *out alone, or is empty. */
const char *object_text(struct object_reader *r, const struct place *up, const char *key);
void object_bool(struct object_reader *r, const struct place *up, const char *key, bool *out);
void object_word(struct object_reader *r, const struct place *up, const char *key,
		 const struct object_word *words, int *out);
/** The same for the value itself. */
void object_word_at(struct object_reader *r, const struct place *p, const struct object_word *words,
		    int *out);
struct labels object_labels(struct object_reader *r, const struct place *up, const char *key);

/** What stands in `metadata`. */
struct object_meta {
	struct place at;       /* of the metadata */
	const char *name;      /* never NULL when read */
	const char *namespace; /* "default" where none is written; NULL: of the whole cluster */
	const char *key;       /* "namespace/name", or the name */
};
/** False: it has no name that could be one. */
bool object_meta(struct object_reader *r, const struct place *p, bool namespaced,
		 struct object_meta *out);

#endif
