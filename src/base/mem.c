#include "base/mem.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

static _Noreturn void exhausted(void)
{
	static const char text[] = "out of memory\n";

	(void)fwrite(text, 1, sizeof(text) - 1, stderr);
	abort();
}

static void *must(void *p)
{
	if (!p)
		exhausted();
	return p;
}

void *mem_try(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return calloc(1, bytes ? bytes : 1); /* never NULL for "nothing" */
}

void *mem_zero(size_t n, size_t size)
{
	return must(mem_try(n, size));
}

void *mem_resize(void *p, size_t n, size_t size)
{
	return must(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *mem_strdup(const char *s)
{
	return must(strdup(s));
}

char *mem_strndup(const char *s, size_t n)
{
	return must(strndup(s, n));
}

void *mem_dup(const void *p, size_t size)
{
	void *copy = mem_zero(1, size);

	if (size)
		memcpy(copy, p, size);
	return copy;
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		exhausted();
	return text;
}

void mem_freep(void *p)
{
	free(*(void **)p);
}

void mem_trim(void)
{
	(void)malloc_trim(0);
}

#define CHUNK_MIN ((size_t)4096)
#define CHUNK_MAX ((size_t)256 * 1024)

struct chunk {
	struct chunk *older;
	size_t cap;
	size_t len;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct chunk *newest;
	size_t next_cap;
	size_t used;
};

struct arena *arena_new(void)
{
	struct arena *a = mem_new(struct arena);

	a->next_cap = CHUNK_MIN;
	return a;
}

struct arena *arena_new_small(size_t bytes)
{
	struct arena *a = arena_new();

	a->next_cap = bytes;
	return a;
}

struct arena *arena_free(struct arena *a)
{
	if (!a)
		return NULL;
	for (struct chunk *c = a->newest, *older; c; c = older) {
		older = c->older;
		free(c);
	}
	free(a);
	return NULL;
}

void arena_freep(struct arena **a)
{
	*a = arena_free(*a);
}

static struct chunk *chunk_new(size_t cap)
{
	if (cap > SIZE_MAX - sizeof(struct chunk))
		exhausted();
	struct chunk *c = mem_zero(1, sizeof(*c) + cap);
	c->cap = cap;
	return c;
}

/* A chunk with room for @size bytes; what is large gets one of its own, behind the one being filled. */
static struct chunk *arena_room(struct arena *a, size_t size)
{
	struct chunk *c = a->newest;

	if (c && size <= c->cap - c->len)
		return c;
	if (c && size > a->next_cap / 4) {
		struct chunk *own = chunk_new(size);
		own->older = c->older;
		c->older = own;
		return own;
	}
	struct chunk *fresh = chunk_new(MAX(size, a->next_cap));
	fresh->older = c;
	a->newest = fresh;
	a->next_cap = MIN(a->next_cap * 2, CHUNK_MAX);
	return fresh;
}

void *arena_zero(struct arena *a, size_t n, size_t size)
{
	const size_t align = alignof(max_align_t);
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX - align)
		exhausted();
	bytes = bytes ? (bytes + align - 1) / align * align : align;
	struct chunk *c = arena_room(a, bytes);
	void *at = c->bytes + c->len;
	c->len += bytes;
	a->used += bytes;
	return at;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = arena_zero(a, len + 1, 1);

	memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		exhausted();
	char *text = arena_zero(a, (size_t)n + 1, 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
