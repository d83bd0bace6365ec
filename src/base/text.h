/**
 * Small questions about text: the nearest known word, names that are alike.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** Number of edits (insert, delete, replace, swap of neighbours) between two words, case ignored. */
unsigned text_distance(const char *a, const char *b);

/** The nearest of @words to @word, or NULL when none is near enough to be meant. */
const char *text_nearest(const char *word, const char *const *words, size_t n);

/** Well-formed UTF-8 without control characters: nothing that a terminal would obey. */
bool text_is_printable(const char *s);
/** Put '?' in the place of every byte that makes it otherwise, but line ends and tabs. */
void text_calm(char *s);

/**
 * Look for @text among @n others in order; @text_at tells the i-th one of @ctx.
 * @at: where it is, or where it belongs
 */
bool text_search(const char *text, size_t n, const char *(*text_at)(const void *ctx, size_t i),
		 const void *ctx, size_t *at);

bool text_starts_with(const char *s, const char *prefix);
bool text_ends_with(const char *s, const char *suffix);

#endif
