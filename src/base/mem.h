/**
 * Memory: allocation that never fails, allocation that may, ownership marks, and arenas.
 *
 * mem_new() and friends are for objects whose number the program itself decides: when memory runs out they
 * abort. mem_try() is for everything that a peer can grow; its callers keep a cap and a counter.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define NODISCARD	       __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/** Run @fn on the address of the variable when it leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/** Move a pointer out of a variable that CLEANUP guards: the variable becomes NULL. */
#define TAKE(p)                             \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

/** A name that no other line of the function has: for loops inside macros. */
#define UNIQUE_NAME(stem)	  UNIQUE_NAME_(stem, __LINE__)
#define UNIQUE_NAME_(stem, line)  UNIQUE_NAME__(stem, line)
#define UNIQUE_NAME__(stem, line) stem##line

/** The struct of type @type whose member @member is at @ptr. */
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/** Zeroed memory; aborts on exhaustion. @n elements of @size bytes, overflow checked. */
NODISCARD void *mem_zero(size_t n, size_t size);

#define mem_new(type)	   ((type *)mem_zero(1, sizeof(type)))
#define mem_new_n(type, n) ((type *)mem_zero((n), sizeof(type)))

/** Zeroed memory or NULL: for what input can grow. */
NODISCARD void *mem_try(size_t n, size_t size);

/** Resize @p to @n elements of @size bytes; new bytes are not zeroed; aborts on exhaustion. */
NODISCARD void *mem_resize(void *p, size_t n, size_t size);

/** Make room for one more element in a growing array: doubles @cap when @len has reached it. */
#define mem_grow(array, len, cap)                                               \
	do {                                                                    \
		if ((len) == (cap)) {                                           \
			(cap) = (cap) ? (cap)*2 : 8;                            \
			(array) = mem_resize((array), (cap), sizeof(*(array))); \
		}                                                               \
	} while (0)

NODISCARD char *mem_strdup(const char *s);
NODISCARD char *mem_strndup(const char *s, size_t n);
NODISCARD void *mem_dup(const void *p, size_t size);
NODISCARD char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/** For CLEANUP on plain pointers: frees *(void **)p. */
void mem_freep(void *p);

/** Give what lies free back to the system, after work that needed much more than is kept. */
void mem_trim(void);

/**
 * An arena owns everything allocated from it and frees all of it at once. A tree that is built once and
 * replaced whole (a parsed file, a configuration) lives in one.
 */
struct arena;

NODISCARD struct arena *arena_new(void);
/** One that begins with a chunk of @bytes: for small things that there are very many of. */
NODISCARD struct arena *arena_new_small(size_t bytes);
struct arena *arena_free(struct arena *a); /* takes NULL, returns NULL */
void arena_freep(struct arena **a);

/** Zeroed, aligned for any type. */
NODISCARD void *arena_zero(struct arena *a, size_t n, size_t size);
#define arena_new_of(a, type)	((type *)arena_zero((a), 1, sizeof(type)))
#define arena_new_n(a, type, n) ((type *)arena_zero((a), (n), sizeof(type)))

NODISCARD char *arena_strdup(struct arena *a, const char *s);
NODISCARD char *arena_strndup(struct arena *a, const char *s, size_t n);
NODISCARD char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Bytes handed out so far: what a tree costs. */
size_t arena_used(const struct arena *a);

#endif
