#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "config/loader.h"
#include "config/print.h"

static void type_number(const struct field *f, struct buf *out)
{
	buf_printf(out, "integer, %" PRIu64 " to %" PRIu64 "%s%s", f->min,
		   f->max ? f->max : UINT32_MAX, f->unit ? " " : "", f->unit ? f->unit : "");
}

static void type_words(const struct field *f, struct buf *out)
{
	if (!f->words)
		buf_puts(out, "text");
	for (const struct word *w = f->words; w && w->text; w++)
		buf_printf(out, "%s`%s`", w == f->words ? "" : ", ", w->text);
}

static void type_duration(const struct field *f, struct buf *out)
{
	buf_puts(out, "duration");
	if (f->max)
		buf_printf(out, ", %s to %s", DUR_TEXT(DUR_NS((int64_t)f->min)),
			   DUR_TEXT(DUR_NS((int64_t)f->max)));
}

static void print_type(const struct field *f, struct buf *out)
{
	static const char *const names[] = {
		[FIELD_BOOL] = "`true` or `false`",
		[FIELD_TEXT] = "text",
		[FIELD_ADDRESS] = "IP address",
		[FIELD_ENDPOINT] = "address:port",
		[FIELD_TEXTS] = "list of text",
		[FIELD_LABELS] = "mapping of text to text",
		[FIELD_SELECTORS] = "list of [selectors](#selectors)",
		[FIELD_MAP] = "mapping",
		[FIELD_LIST] = "list of mappings",
	};

	if (f->shape)
		buf_puts(out, f->shape);
	else if (f->type == FIELD_UINT)
		type_number(f, out);
	else if (f->type == FIELD_WORD)
		type_words(f, out);
	else if (f->type == FIELD_DURATION)
		type_duration(f, out);
	else
		buf_puts(out, names[f->type]);
}

static void print_default(const struct field *f, struct buf *out)
{
	if (f->required)
		buf_puts(out, "required");
	else if (f->preset)
		buf_printf(out, "`%s`", f->preset);
	else if (f->preset_text)
		buf_puts(out, f->preset_text);
	else
		buf_puts(out, "–");
}

/* What a person may write of a feature that is not built yet. */
static void print_not_built(const struct not_built *n, struct buf *out)
{
	buf_puts(out, " **Not built yet**");
	for (const char *at = n->neutral; at && *at;) {
		size_t len = strcspn(at, "|");

		buf_printf(out, "%s`%.*s`", at == n->neutral ? "; accepted: " : ", ", (int)len, at);
		at += len + (at[len] == '|');
	}
	buf_puts(out, ".");
}

/* What the table says in half a sentence, as a whole one. */
static void print_sentence(const char *about, struct buf *out)
{
	buf_printf(out, "%c%s.", toupper((unsigned char)about[0]), about + 1);
}

static void print_field(const struct field *f, struct buf *out)
{
	buf_printf(out, "| `%s` | ", f->key);
	print_type(f, out);
	buf_puts(out, " | ");
	print_default(f, out);
	buf_puts(out, " | ");
	print_sentence(f->about, out);
	if (f->not_built)
		print_not_built(f->not_built, out);
	buf_puts(out, " |\n");
}

static void print_table(const struct level *level, struct buf *out)
{
	buf_puts(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
	for (size_t i = 0; i < level->n; i++)
		print_field(&level->fields[i], out);
}

static void print_levels(const struct level *level, const char *path, struct buf *out)
{
	for (size_t i = 0; i < level->n; i++) {
		const struct field *f = &level->fields[i];
		struct buf at = { 0 };

		if (!f->level)
			continue;
		buf_printf(&at, "%s%s%s", path, f->key, f->type == FIELD_LIST ? "[]." : ".");
		buf_printf(out, "\n## `%.*s`\n\n", (int)at.len - 1, at.p);
		print_sentence(f->about, out);
		buf_puts(out, "\n\n");
		print_table(f->level, out);
		print_levels(f->level, buf_text(&at), out);
		buf_fini(&at);
	}
}

static const char intro[] = "# Configuration, key by key\n"
			    "\n"
			    "Written by the program from the table that loads the file "
			    "(`cfg_reference()`); a test keeps the two equal.\n"
			    "\n"
			    "A configuration is one or more YAML documents, in files or folders: "
			    "bare, or as the text of `data.config` in\n"
			    "a `v1/ConfigMap`. `peers`, `address-pools`, `bgp-communities`, "
			    "`bfd-profiles` and `services` add up over all\n"
			    "documents; every other key of the root stands once. Unknown keys are "
			    "errors. A `null` is an absent key.\n"
			    "Durations look like `90s`, `1m30s` or `300ms`. What MetalLB does with "
			    "the same text, and where crier differs:\n"
			    "[compatibility.md](compatibility.md).\n"
			    "\n"
			    "## The root\n"
			    "\n";

static const char selectors_intro[] = "\n## Selectors\n"
				      "\n"
				      "An element matches when all its conditions hold; a list "
				      "matches when any element does, and an empty list\n"
				      "always.\n"
				      "\n";

void cfg_reference(struct buf *out)
{
	buf_puts(out, intro);
	print_table(&level_root, out);
	print_levels(&level_root, "", out);
	buf_puts(out, selectors_intro);
	print_table(&level_selector, out);
	print_levels(&level_selector, "selectors[].", out);
}
