#include "base/text.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

/* Longer words are never a slip of the fingers away from a key of ours. */
#define TEXT_WORD_MAX 64

static char lower(char c)
{
	return (char)tolower((unsigned char)c);
}

/* One row of the table of edits; @row, @above and @above2 are the rows of i, i - 1 and i - 2. */
static void distance_row(const char *a, const char *b, size_t i, unsigned *row,
			 const unsigned *above, const unsigned *above2)
{
	row[0] = (unsigned)i;
	for (size_t j = 1; b[j - 1]; j++) {
		unsigned replace = above[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
		unsigned best = MIN(replace, MIN(above[j], row[j - 1]) + 1);

		if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
		    lower(a[i - 2]) == lower(b[j - 1]))
			best = MIN(best, above2[j - 2] + 1);
		row[j] = best;
	}
}

unsigned text_distance(const char *a, const char *b)
{
	unsigned rows[3][TEXT_WORD_MAX + 1] = { 0 };
	size_t la = strlen(a);
	size_t lb = strlen(b);

	if (la > TEXT_WORD_MAX || lb > TEXT_WORD_MAX)
		return strcasecmp(a, b) == 0 ? 0 : (unsigned)MIN(MAX(la, lb), 1U << 30);
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++)
		distance_row(a, b, i, rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3]);
	return rows[la % 3][lb];
}

const char *text_nearest(const char *word, const char *const *words, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = MAX(strlen(word), strlen(words[i]));
		unsigned distance = text_distance(word, words[i]);

		/* A third of the letters may be wrong, but at least one must be right. */
		if (distance > MAX(len / 3, 1) || distance >= len)
			continue;
		if (!best || distance < best_distance) {
			best = words[i];
			best_distance = distance;
		}
	}
	return best;
}

bool text_search(const char *text, size_t n, const char *(*text_at)(const void *ctx, size_t i),
		 const void *ctx, size_t *at)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(text_at(ctx, mid), text);

		if (order == 0) {
			*at = mid;
			return true;
		}
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return false;
}

bool text_starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *s, const char *suffix)
{
	size_t ls = strlen(s);
	size_t lx = strlen(suffix);

	return ls >= lx && strcmp(s + ls - lx, suffix) == 0;
}

/* Bytes of the well-formed character at @s that no terminal obeys; 0: there is none. */
static size_t printable_len(const unsigned char *s)
{
	static const unsigned least[] = { 0, 0, 0xa0, 0x800,
					  0x10000 }; /* C1 controls end at 0x9f */
	size_t len = s[0] < 0x80       ? 1
		     : s[0] >> 5 == 6  ? 2
		     : s[0] >> 4 == 14 ? 3
		     : s[0] >> 3 == 30 ? 4
				       : 0;

	if (len <= 1)
		return len && s[0] >= ' ' && s[0] != 0x7f;
	unsigned point = s[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		point = point << 6 | (s[i] & 0x3f);
	}
	return point >= least[len] && point <= 0x10ffff && point >> 11 != 0x1b ? len : 0;
}

bool text_is_printable(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len;

	for (; *p; p += len) {
		len = printable_len(p);
		if (len == 0)
			return false;
	}
	return true;
}

void text_calm(char *s)
{
	unsigned char *p = (unsigned char *)s;

	while (*p) {
		size_t len = *p == '\n' || *p == '\t' ? 1 : printable_len(p);

		if (len == 0)
			*p = '?';
		p += len ? len : 1;
	}
}
