/**
 * Where in a document we are: a chain from a value up to its document. Chains live on the stack
 * while a tree is walked; place_keep() makes one that lasts as long as the load, for rules that
 * look at several objects.
 */
#ifndef CONFIG_PLACE_H
#define CONFIG_PLACE_H

#include "base/buf.h"
#include "base/doc.h"

struct place {
	const struct place *up; /* NULL: the document itself */
	const char *key;	/* NULL: element @index of a list */
	size_t index;
	const struct doc *at;
	const char *object; /* "IPAddressPool lan" where an object starts; else NULL */
};

static inline struct place place_key(const struct place *up, const char *key, const struct doc *at)
{
	return (struct place){ .up = up, .key = key, .at = at };
}

static inline struct place place_index(const struct place *up, size_t index, const struct doc *at)
{
	return (struct place){ .up = up, .index = index, .at = at };
}

/** The place of a key of the mapping at @up; the mapping's own position where the key is absent. */
struct place place_field(const struct place *up, const char *key);

/** Of element @i of the list at @list; the list's own where it is none (any more). */
struct place place_element(const struct place *list, size_t i);

/** The same for a key with two spellings: our own, and that of resources. */
struct place place_either(const struct place *up, const char *key, const char *other);
/** Where the name of an object stands that was loaded from @at, or from the spec at @at. */
struct place place_name(const struct place *at);
/** The object that @p is in ("IPAddressPool lan"), or NULL. */
const char *place_object(const struct place *p);

/** A copy in @arena. What @p hangs from must last as long. */
const struct place *place_keep(struct arena *arena, const struct place *p);

/** "address-pools[2].addresses[0]". */
void place_path(const struct place *p, struct buf *out);

#endif
