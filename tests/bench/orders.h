/*
 * What the far ends of this folder are told to do: lines on standard input. Its end is theirs.
 */
#ifndef BENCH_ORDERS_H
#define BENCH_ORDERS_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct orders {
	char text[256];
	size_t len;
	size_t taken; /* of these: the line that was given out last */
};

/* Something has come. */
static inline void orders_read(struct orders *o)
{
	ssize_t n = read(STDIN_FILENO, o->text + o->len, sizeof(o->text) - 1 - o->len);

	if (n == 0)
		exit(0);
	o->len += n > 0 ? (size_t)n : 0;
}

/* The next whole line, until the next call; NULL: there is none yet. */
static inline const char *orders_next(struct orders *o)
{
	o->len -= o->taken;
	memmove(o->text, o->text + o->taken, o->len);
	o->text[o->len] = '\0';
	char *end = strchr(o->text, '\n');

	o->taken = end ? (size_t)(end + 1 - o->text) : 0;
	if (!end)
		return NULL;
	*end = '\0';
	return o->text;
}

#endif
