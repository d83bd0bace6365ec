#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"

/*
 * The one piece of state at file scope: every room logs, and none should have to carry this
 * around.
 */
static struct {
	enum log_format format;
	enum log_level at_least;
	int fd;
	void (*tap)(void *ctx, json_t *event);
	void *tap_ctx;
} sink = { .format = LOG_TEXT, .at_least = LOG_LEVEL_INFO, .fd = STDERR_FILENO };

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_NONE] = "none",
};

void log_configure(enum log_format format, enum log_level at_least)
{
	sink.format = format;
	sink.at_least = at_least;
}

bool log_is_json(void)
{
	return sink.format == LOG_JSON;
}

void log_set_fd(int fd)
{
	sink.fd = fd;
}

void log_set_tap(void (*tap)(void *ctx, json_t *event), void *ctx)
{
	sink.tap = tap;
	sink.tap_ctx = ctx;
}

int log_level_parse(const char *text, enum log_level *out)
{
	if (strcmp(text, "all") == 0) { /* MetalLB's word */
		*out = LOG_LEVEL_DEBUG;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -1;
}

const char *log_level_name(enum log_level level)
{
	return (size_t)level < ARRAY_LEN(level_names) ? level_names[level] : "?";
}

/* A peer's text may hold any bytes, JSON only UTF-8: what is not ASCII then becomes '?'. */
static json_t *json_from_text(const char *s)
{
	json_t *j = json_string(s);

	if (j)
		return j;
	CLEANUP(mem_freep) char *plain = mem_strdup(s);
	for (char *p = plain; *p; p++) {
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	}
	return json_string(plain);
}

static json_t *kv_to_json(const struct log_kv *kv)
{
	switch (kv->type) {
	case LOG_KV_STR:
		return kv->str ? json_from_text(kv->str) : NULL;
	case LOG_KV_I64:
		return json_integer(kv->i64);
	case LOG_KV_U64:
		if (kv->u64 > INT64_MAX)
			return json_real((double)kv->u64);
		return json_integer((json_int_t)kv->u64);
	case LOG_KV_F64: {
		json_t *real = json_real(kv->f64);
		return real ? real : json_null(); /* NaN and infinity are not JSON */
	}
	case LOG_KV_BOOL:
		return json_boolean(kv->boolean);
	case LOG_KV_JSON:
		return json_incref(kv->json);
	}
	return NULL;
}

struct event {
	enum log_level level;
	const char *file;
	int line;
	const char *name;
	const char *msg;
	const struct log_kv *kv;
	size_t n;
};

static json_t *event_to_json(const struct event *ev)
{
	json_t *o = json_object();
	char ts[WALL_TEXT_MAX];

	for (size_t i = 0; i < ev->n; i++) {
		json_t *value = kv_to_json(&ev->kv[i]);

		if (value)
			json_object_set_new(o, ev->kv[i].key, value);
	}
	/* Last, so that no event can replace them. */
	json_object_set_new(o, "caller", json_sprintf("%s:%d", ev->file, ev->line));
	json_object_set_new(o, "event", json_from_text(ev->name));
	json_object_set_new(o, "level", json_string(log_level_name(ev->level)));
	json_object_set_new(o, "msg", json_from_text(ev->msg ? ev->msg : ""));
	json_object_set_new(o, "ts", json_string(wall_now_text(ts)));
	return o;
}

static int append_chunk(const char *chunk, size_t len, void *out)
{
	buf_append(out, chunk, len);
	return 0;
}

/*
 * Anything that would split a key=value pair, or that a terminal would obey, is quoted and
 * escaped.
 */
static void put_text(struct buf *out, const char *s, bool words_may_be_many)
{
	bool plain = words_may_be_many || *s;

	for (const char *p = s; *p && plain; p++) {
		unsigned char c = (unsigned char)*p;

		plain = c >= ' ' && c < 0x7f && (words_may_be_many || !strchr(" \"\\=", c));
	}
	if (plain) {
		buf_puts(out, s);
		return;
	}
	json_t *j = json_from_text(s);
	json_dump_callback(j, append_chunk, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	json_decref(j);
}

static void put_pair(struct buf *out, const struct log_kv *kv)
{
	json_t *value = kv_to_json(kv);

	if (!value)
		return;
	buf_printf(out, " %s=", kv->key);
	if (json_is_string(value))
		put_text(out, json_string_value(value), false);
	else
		json_dump_callback(value, append_chunk, out,
				   JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT |
					   JSON_SORT_KEYS | JSON_REAL_PRECISION(6));
	json_decref(value);
}

/*
 * For eyes: the host's own time, the level in a column of its own, keys in the order of the
 * caller.
 */
static void put_event_as_text(struct buf *out, const struct event *ev)
{
	struct timeval tv;
	struct tm tm;

	gettimeofday(&tv, NULL);
	localtime_r(&tv.tv_sec, &tm);
	buf_printf(out, "%02d:%02d:%02d.%03d %-5s %s", tm.tm_hour, tm.tm_min, tm.tm_sec,
		   (int)(tv.tv_usec / 1000), log_level_name(ev->level), ev->name);
	for (size_t i = 0; i < ev->n; i++)
		put_pair(out, &ev->kv[i]);
	if (ev->msg && ev->msg[0]) {
		buf_puts(out, " ");
		put_text(out, ev->msg, true);
	}
}

/* One line is one write, so that lines of several processes on one pipe stay whole. */
static void write_line(struct buf *line)
{
	buf_puts(line, "\n");
	/* A log that cannot be written has nowhere to say so. */
	if (write(sink.fd, line->p, line->len) < 0)
		return;
}

void log_write(enum log_level level, const char *file, int line, const char *event, const char *msg,
	       const struct log_kv *kv, size_t n)
{
	const struct event ev = { level, file, line, event, msg, kv, n };
	bool print = level >= sink.at_least;
	bool tap = sink.tap && level >= LOG_LEVEL_INFO;

	if (!print && !tap)
		return;
	json_t *o = tap || sink.format == LOG_JSON ? event_to_json(&ev) : NULL;
	if (print) {
		struct buf out = { 0 };

		if (sink.format == LOG_JSON)
			json_dump_callback(o, append_chunk, &out, JSON_COMPACT | JSON_SORT_KEYS);
		else
			put_event_as_text(&out, &ev);
		write_line(&out);
		buf_fini(&out);
	}
	if (tap)
		sink.tap(sink.tap_ctx, o);
	json_decref(o);
}
