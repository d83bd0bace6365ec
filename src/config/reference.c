#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "config/loader.h"
#include "config/print.h"
#include "config/resource.h"

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

static bool is_list(const struct field *f)
{
	return f->type == FIELD_LIST || (f->shape && strncmp(f->shape, "list ", 5) == 0);
}

static void print_levels(const struct level *level, const char *path, struct buf *out)
{
	for (size_t i = 0; i < level->n; i++) {
		const struct field *f = &level->fields[i];
		struct buf at = { 0 };

		if (!f->level || f->type == FIELD_SELECTORS)
			continue;
		buf_printf(&at, "%s%s%s", path, f->key, is_list(f) ? "[]." : ".");
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
			    "a `v1/ConfigMap`, or [custom resources](#custom-resources). `peers`, "
			    "`address-pools`, `bgp-communities`,\n"
			    "`bfd-profiles` and `services` add up over all documents; every other "
			    "key of the root stands once. Unknown keys\n"
			    "are errors. A `null` is an absent key. Durations look like `90s`, "
			    "`1m30s` or `300ms`. What MetalLB does with\n"
			    "the same text, and where crier differs: "
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

static const char resources_intro[] =
	"\n## Custom resources\n"
	"\n"
	"Objects of `metallb.io`, beside or instead of the above. `metadata` holds `name`, and may "
	"hold `namespace` (one for\n"
	"all) and `labels`; `status` is left alone. The annotation `crier/<key>` gives an object, "
	"as "
	"YAML, a key of ours that\n"
	"MetalLB has no field for; other annotations are left alone. Selectors are those of "
	"Kubernetes: `matchLabels` and\n"
	"`matchExpressions`, and nothing in them may stand twice.\n";

static const struct {
	const struct resource_kind *kind;
	const char *versions;
} resources[] = {
	{ &resource_ip_address_pool, "v1beta1" },	{ &resource_l2_advertisement, "v1beta1" },
	{ &resource_bgp_advertisement, "v1beta1" },	{ &resource_bgp_peer, "v1beta2, v1beta1" },
	{ &resource_bfd_profile, "v1beta1" },		{ &resource_community, "v1beta1" },
	{ &resource_address_pool, "v1beta1, v1beta2" },
};

static void print_own(const struct resource_kind *k, struct buf *out)
{
	if (!k->own)
		return;
	buf_puts(out, "\nAnnotations: ");
	for (size_t i = 0; k->own_fields[i]; i++)
		buf_printf(out, "%s`crier/%s`", i ? ", " : "", k->own_fields[i]);
	buf_puts(out, ".\n");
}

static void print_resources(struct buf *out)
{
	buf_puts(out, resources_intro);
	for (size_t i = 0; i < ARRAY_LEN(resources); i++) {
		const struct resource_kind *k = resources[i].kind;
		struct buf path = { 0 };

		buf_printf(out, "\n## `%s` (%s)\n\n", k->name, resources[i].versions);
		print_sentence(k->about, out);
		buf_puts(out, "\n\n");
		print_table(k->spec, out);
		print_own(k, out);
		buf_printf(&path, "%s.", k->name);
		print_levels(k->spec, buf_text(&path), out);
		buf_fini(&path);
	}
}

void cfg_reference(struct buf *out)
{
	buf_puts(out, intro);
	print_table(&level_root, out);
	print_levels(&level_root, "", out);
	buf_puts(out, selectors_intro);
	print_table(&level_selector, out);
	print_levels(&level_selector, "selectors[].", out);
	print_resources(out);
}
