/**
 * Instants and lengths of time that the compiler keeps apart. Instants are of CLOCK_MONOTONIC.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct mono {
	int64_t ns;
};

struct dur {
	int64_t ns;
};

#define DUR_NS(n) ((struct dur){ .ns = (n) })
#define DUR_US(n) ((struct dur){ .ns = (int64_t)(n)*1000 })
#define DUR_MS(n) ((struct dur){ .ns = (int64_t)(n)*1000000 })
#define DUR_S(n)  ((struct dur){ .ns = (int64_t)(n)*1000000000 })

/** Later than every instant: a timer that is not set. */
#define MONO_NEVER ((struct mono){ .ns = INT64_MAX })

static inline struct mono mono_add(struct mono t, struct dur d)
{
	return (struct mono){ .ns = t.ns + d.ns };
}

static inline struct dur mono_sub(struct mono later, struct mono earlier)
{
	return (struct dur){ .ns = later.ns - earlier.ns };
}

static inline bool mono_before(struct mono a, struct mono b)
{
	return a.ns < b.ns;
}

static inline bool mono_is_never(struct mono t)
{
	return t.ns == INT64_MAX;
}

static inline struct mono mono_min(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

static inline int64_t dur_ms(struct dur d)
{
	return d.ns / 1000000;
}

static inline double dur_seconds(struct dur d)
{
	return (double)d.ns / 1e9;
}

/** The system's clock now. Cores never call it: they are told. */
struct mono mono_clock(void);

/** Parse Go's duration text: "90s", "1m30s", "300ms", "3.3ms", "0", "-1s"; 0 or -1. */
NODISCARD int dur_parse(const char *text, struct dur *out);

#define DUR_TEXT_MAX 32
/** Go's shortest text: "1m30s", "300ms", "0s". Returns @buf. */
const char *dur_format(struct dur d, char buf[static DUR_TEXT_MAX]);
#define DUR_TEXT(d)   dur_format((d), (char[DUR_TEXT_MAX]){ 0 })

#define WALL_TEXT_MAX 40
/** The wall clock now, RFC 3339 with milliseconds in UTC. For people; nothing is decided by it. */
const char *wall_now_text(char buf[static WALL_TEXT_MAX]);
/** The wall-clock text of an instant of the monotonic clock, seen from now. */
const char *wall_text_of(struct mono t, char buf[static WALL_TEXT_MAX]);

#endif
