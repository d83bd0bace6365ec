#include "cli/output.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <yaml.h>

#include "base/buf.h"

static const char *const format_names[] = {
	[CLI_TABLE] = "table", [CLI_WIDE] = "wide", [CLI_JSON] = "json",
	[CLI_YAML] = "yaml",   [CLI_TEXT] = "text",
};

int cli_format_parse(const char *text, unsigned allows, enum cli_format *out)
{
	for (size_t i = 0; i < ARRAY_LEN(format_names); i++)
		if ((allows & 1u << i) && strcmp(format_names[i], text) == 0) {
			*out = (enum cli_format)i;
			return 0;
		}
	return -1;
}

bool cli_colour(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void cli_print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

/* Would a YAML 1.1 reader take this word for a boolean or null? */
static bool is_reserved(const char *s)
{
	static const char *const words[] = { "y",   "n",    "yes",   "no",   "on",
					     "off", "true", "false", "null", "~" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(s, words[i]) == 0)
			return true;
	return false;
}

/* Text that every YAML reader takes as text without quotes; in doubt it gets them. */
static bool is_plain(const char *s)
{
	if (!isalpha((unsigned char)s[0]) && s[0] != '/')
		return false;
	for (const char *c = s; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_./", *c))
			return false;
	return !is_reserved(s);
}

static bool emit(yaml_emitter_t *em, yaml_event_t *ev, int made)
{
	return made && yaml_emitter_emit(em, ev);
}

static bool emit_text(yaml_emitter_t *em, const char *text, bool plain)
{
	yaml_event_t ev;
	yaml_scalar_style_t style = plain		 ? YAML_PLAIN_SCALAR_STYLE
				    : strchr(text, '\n') ? YAML_LITERAL_SCALAR_STYLE
							 : YAML_DOUBLE_QUOTED_SCALAR_STYLE;

	return emit(em, &ev,
		    yaml_scalar_event_initialize(&ev, NULL, NULL, (const yaml_char_t *)text,
						 (int)strlen(text), plain, 1, style));
}

static bool emit_value(yaml_emitter_t *em, const json_t *v);

static bool emit_object(yaml_emitter_t *em, const json_t *v)
{
	yaml_event_t ev;
	const char *key;
	json_t *member;
	yaml_mapping_style_t style =
		json_object_size(v) ? YAML_BLOCK_MAPPING_STYLE : YAML_FLOW_MAPPING_STYLE;

	if (!emit(em, &ev, yaml_mapping_start_event_initialize(&ev, NULL, NULL, 1, style)))
		return false;
	json_object_foreach((json_t *)(uintptr_t)v, key, member)
	{
		if (!emit_text(em, key, is_plain(key)) || !emit_value(em, member))
			return false;
	}
	return emit(em, &ev, yaml_mapping_end_event_initialize(&ev));
}

static bool emit_array(yaml_emitter_t *em, const json_t *v)
{
	yaml_event_t ev;
	yaml_sequence_style_t style =
		json_array_size(v) ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE;

	if (!emit(em, &ev, yaml_sequence_start_event_initialize(&ev, NULL, NULL, 1, style)))
		return false;
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!emit_value(em, json_array_get(v, i)))
			return false;
	return emit(em, &ev, yaml_sequence_end_event_initialize(&ev));
}

/* Numbers, booleans and null read the same in YAML as in JSON. */
static bool emit_literal(yaml_emitter_t *em, const json_t *v)
{
	char *text = json_dumps(v, JSON_ENCODE_ANY);
	bool done = text && emit_text(em, text, true);

	free(text);
	return done;
}

static bool emit_value(yaml_emitter_t *em, const json_t *v)
{
	if (json_is_object(v))
		return emit_object(em, v);
	if (json_is_array(v))
		return emit_array(em, v);
	if (json_is_string(v))
		return emit_text(em, json_string_value(v), is_plain(json_string_value(v)));
	return emit_literal(em, v);
}

static bool emit_document(yaml_emitter_t *em, const json_t *value)
{
	yaml_event_t ev;

	return emit(em, &ev, yaml_stream_start_event_initialize(&ev, YAML_UTF8_ENCODING)) &&
	       emit(em, &ev, yaml_document_start_event_initialize(&ev, NULL, NULL, NULL, 1)) &&
	       emit_value(em, value) && emit(em, &ev, yaml_document_end_event_initialize(&ev, 1)) &&
	       emit(em, &ev, yaml_stream_end_event_initialize(&ev));
}

static int take_bytes(void *out, unsigned char *bytes, size_t n)
{
	buf_append(out, bytes, n);
	return 1;
}

void cli_yaml(const json_t *value, struct buf *out)
{
	yaml_emitter_t em;

	if (!yaml_emitter_initialize(&em))
		return;
	yaml_emitter_set_output(&em, take_bytes, out);
	yaml_emitter_set_unicode(&em, 1);
	yaml_emitter_set_width(&em, -1);
	emit_document(&em, value);
	yaml_emitter_delete(&em);
	if (out->len && out->p[out->len - 1] != '\n') /* after a literal it leaves that to us */
		buf_puts(out, "\n");
}

void cli_print_yaml(const json_t *value)
{
	struct buf text = { 0 };

	cli_yaml(value, &text);
	fputs(buf_text(&text), stdout);
	fflush(stdout);
	buf_fini(&text);
}

static const json_t *field_of(const json_t *item, const char *path)
{
	char name[64];

	for (;;) {
		size_t len = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		item = json_object_get(item, name);
		if (!path[len] || !item)
			return item;
		path += len + 1;
	}
}

static void cell_text(const json_t *v, struct buf *out);

static void cell_list(const json_t *v, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (i)
			buf_puts(out, ",");
		cell_text(json_array_get(v, i), out);
	}
}

static void cell_object(const json_t *v, struct buf *out)
{
	const char *key;
	json_t *member;
	bool first = true;

	json_object_foreach((json_t *)(uintptr_t)v, key, member)
	{
		buf_printf(out, "%s%s=", first ? "" : ",", key);
		cell_text(member, out);
		first = false;
	}
}

static void cell_text(const json_t *v, struct buf *out)
{
	if (json_is_string(v)) {
		buf_puts(out, json_string_value(v));
	} else if (json_is_boolean(v)) {
		buf_puts(out, json_is_true(v) ? "yes" : "no");
	} else if (json_is_array(v)) {
		cell_list(v, out);
	} else if (json_is_object(v)) {
		cell_object(v, out);
	} else if (v && !json_is_null(v)) {
		char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

		buf_puts(out, text ? text : "");
		free(text);
	}
}

bool cli_event_detail(const char *key)
{
	static const char *const common[] = {
		"ts", "level", "event", "msg", "caller", "name", "state", "since",
	};

	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (strcmp(key, common[i]) == 0)
			return false;
	return true;
}

/* Characters, not bytes. */
static size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

struct table {
	char **cells; /* row by row, the titles first */
	size_t rows, columns;
};

static char *cell_of(const json_t *item, const char *field)
{
	struct buf text = { 0 };

	cell_text(field_of(item, field), &text);
	char *cell = mem_strdup(text.len ? buf_text(&text) : "-");
	buf_fini(&text);
	return cell;
}

static struct table table_of(const json_t *items, const struct cli_column *columns, size_t n,
			     bool wide)
{
	struct table t = { .rows = json_array_size(items) + 1 };
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		t.columns += wide || !columns[i].wide;
	t.cells = mem_new_n(char *, t.rows *t.columns + 1);
	for (size_t row = 0; row < t.rows; row++)
		for (size_t i = 0; i < n; i++) {
			if (columns[i].wide && !wide)
				continue;
			t.cells[at++] =
				row ? cell_of(json_array_get(items, row - 1), columns[i].field)
				    : mem_strdup(columns[i].title);
		}
	return t;
}

static void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	free(t->cells);
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t widest = 0;

	for (size_t row = 0; row < t->rows; row++)
		widest = MAX(widest, text_width(t->cells[row * t->columns + column]));
	return widest;
}

static void table_print(const struct table *t)
{
	size_t *widths = mem_new_n(size_t, t->columns + 1);

	for (size_t i = 0; i < t->columns; i++)
		widths[i] = column_width(t, i);
	for (size_t row = 0; row < t->rows; row++)
		for (size_t i = 0; i < t->columns; i++) {
			const char *cell = t->cells[row * t->columns + i];
			bool last = i + 1 == t->columns;
			int pad = last ? 0 : (int)(widths[i] - text_width(cell)) + 2;

			printf("%s%*s%s", cell, pad, "", last ? "\n" : "");
		}
	free(widths);
}

void cli_print_table(const json_t *items, const struct cli_column *columns, size_t n, bool wide)
{
	if (!json_array_size(items)) {
		puts("none");
		return;
	}
	struct table t = table_of(items, columns, n, wide);
	table_print(&t);
	table_fini(&t);
}
