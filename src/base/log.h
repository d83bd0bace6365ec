/**
 * Structured events. A line is an event with a stable name and typed keys; name and keys are the contract
 * (MetalLB's where it has the event). Keys come out sorted, always with caller, event, level, msg and ts.
 * Only the control thread logs; secrets never reach here.
 *
 *   log_event(LOG_INFO, "sessionUp", "BGP session established", KV_STR("peer", p->name), KV_U64("holdTime", s));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR, LOG_LEVEL_NONE };
#define LOG_DEBUG LOG_LEVEL_DEBUG
#define LOG_INFO  LOG_LEVEL_INFO
#define LOG_WARN  LOG_LEVEL_WARN
#define LOG_ERROR LOG_LEVEL_ERROR

enum log_format { LOG_JSON, LOG_TEXT };

struct log_kv {
	const char *key;
	enum { LOG_KV_STR, LOG_KV_I64, LOG_KV_U64, LOG_KV_F64, LOG_KV_BOOL, LOG_KV_JSON } type;
	union {
		const char *str; /* NULL: the key is left out */
		int64_t i64;
		uint64_t u64;
		double f64;
		bool boolean;
		json_t *json; /* borrowed */
	};
};

#define KV_STR(k, v)  ((struct log_kv){ .key = (k), .type = LOG_KV_STR, .str = (v) })
#define KV_I64(k, v)  ((struct log_kv){ .key = (k), .type = LOG_KV_I64, .i64 = (v) })
#define KV_U64(k, v)  ((struct log_kv){ .key = (k), .type = LOG_KV_U64, .u64 = (v) })
#define KV_F64(k, v)  ((struct log_kv){ .key = (k), .type = LOG_KV_F64, .f64 = (v) })
#define KV_BOOL(k, v) ((struct log_kv){ .key = (k), .type = LOG_KV_BOOL, .boolean = (v) })
#define KV_JSON(k, v) ((struct log_kv){ .key = (k), .type = LOG_KV_JSON, .json = (v) })

/** Each argument after @msg is a KV_…; at least one. */
#define log_event(level, event, msg, ...)                           \
	log_write((level), __FILE_NAME__, __LINE__, (event), (msg), \
		  (const struct log_kv[]){ __VA_ARGS__ },           \
		  sizeof((const struct log_kv[]){ __VA_ARGS__ }) / sizeof(struct log_kv))

/** An event without keys of its own. */
#define log_plain(level, event, msg) \
	log_write((level), __FILE_NAME__, __LINE__, (event), (msg), NULL, 0)

void log_write(enum log_level level, const char *file, int line, const char *event, const char *msg,
	       const struct log_kv *kv, size_t n);

/** Where lines go (default: standard error, text, info). */
void log_configure(enum log_format format, enum log_level at_least);
/** Do programs read the log? Then nothing but events may stand in it. */
bool log_is_json(void);
void log_set_fd(int fd);
NODISCARD int log_level_parse(const char *text, enum log_level *out);
const char *log_level_name(enum log_level level);

/**
 * A tap sees every event of at least level info whatever the output's level, as the JSON object that would
 * be printed (borrowed): the ring behind `crier get events` and `crier monitor`. NULL removes it.
 */
void log_set_tap(void (*tap)(void *ctx, json_t *event), void *ctx);

#endif
