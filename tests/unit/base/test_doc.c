#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/doc.h"

#define JSON_FLAGS (JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15))

static struct doc_file *parse_ok(const char *text)
{
	struct doc_file *f = NULL;
	struct doc_error bad;

	if (doc_parse("t.yaml", text, strlen(text), NULL, &f, &bad) < 0)
		fail_msg("%u:%u: %s", bad.pos.line, bad.pos.col, bad.text);
	return f;
}

/*
 * Each scalar as go-yaml v2.4.0 reads it; @json is what it is as JSON, NULL where JSON can't say
 * it.
 */
static const struct scalar_case {
	const char *name; /* the source */
	enum doc_kind kind;
	const char *json;
} scalars[] = {
	{ "true", DOC_BOOL, "true" },
	{ "True", DOC_BOOL, "true" },
	{ "TRUE", DOC_BOOL, "true" },
	{ "yes", DOC_BOOL, "true" },
	{ "on", DOC_BOOL, "true" },
	{ "y", DOC_BOOL, "true" },
	{ "Y", DOC_BOOL, "true" },
	{ "false", DOC_BOOL, "false" },
	{ "no", DOC_BOOL, "false" },
	{ "Off", DOC_BOOL, "false" },
	{ "n", DOC_BOOL, "false" },
	{ "N", DOC_BOOL, "false" },
	{ "yES", DOC_STRING, "\"yES\"" },
	{ "1", DOC_INT, "1" },
	{ "0", DOC_INT, "0" },
	{ "\"true\"", DOC_STRING, "\"true\"" },
	{ "'1'", DOC_STRING, "\"1\"" },
	{ "64512", DOC_INT, "64512" },
	{ "+5", DOC_INT, "5" },
	{ "-5", DOC_INT, "-5" },
	{ "-0", DOC_INT, "0" },
	{ "0xFF", DOC_INT, "255" },
	{ "0XfF", DOC_INT, "255" },
	{ "-0x10", DOC_INT, "-16" },
	{ "0x", DOC_STRING, "\"0x\"" },
	{ "0xg", DOC_STRING, "\"0xg\"" },
	{ "0o17", DOC_INT, "15" },
	{ "010", DOC_INT, "8" },
	{ "08", DOC_FLOAT, "8.0" },
	{ "0b101", DOC_INT, "5" },
	{ "-0b11", DOC_INT, "-3" },
	{ "0b2", DOC_STRING, "\"0b2\"" },
	{ "1_000", DOC_INT, "1000" },
	{ "0x_f_f", DOC_INT, "255" },
	{ "_1", DOC_STRING, "\"_1\"" },
	{ "9223372036854775807", DOC_INT, "9223372036854775807" },
	{ "-9223372036854775808", DOC_INT, "-9223372036854775808" },
	{ "18446744073709551615", DOC_INT, NULL },
	{ "18446744073709551616", DOC_FLOAT, NULL },
	{ "-9223372036854775809", DOC_FLOAT, NULL },
	{ "+18446744073709551615", DOC_FLOAT, NULL },
	{ "1e3", DOC_FLOAT, "1000.0" },
	{ "1.10", DOC_FLOAT, "1.1" },
	{ "1.", DOC_FLOAT, "1.0" },
	{ ".5", DOC_FLOAT, "0.5" },
	{ "-.5", DOC_FLOAT, "-0.5" },
	{ "._5", DOC_STRING, "\"._5\"" },
	{ ".5_0", DOC_FLOAT, "0.5" },
	{ ".5_", DOC_STRING, "\".5_\"" },
	{ "1e", DOC_STRING, "\"1e\"" },
	{ "1e+2", DOC_FLOAT, "100.0" },
	{ "1e999", DOC_STRING, "\"1e999\"" },
	{ "0x1p3", DOC_STRING, "\"0x1p3\"" },
	{ ".", DOC_STRING, "\".\"" },
	{ "-", DOC_LIST, "[null]" },
	{ "inf", DOC_STRING, "\"inf\"" },
	{ ".inf", DOC_FLOAT, NULL },
	{ "-.Inf", DOC_FLOAT, NULL },
	{ ".NaN", DOC_FLOAT, NULL },
	{ "~", DOC_NULL, "null" },
	{ "null", DOC_NULL, "null" },
	{ "Null", DOC_NULL, "null" },
	{ "nULL", DOC_STRING, "\"nULL\"" },
	{ "\"\"", DOC_STRING, "\"\"" },
	{ "64512:1234", DOC_STRING, "\"64512:1234\"" },
	{ "12:30:45", DOC_STRING, "\"12:30:45\"" },
	{ "2001-01-01", DOC_STRING, "\"2001-01-01\"" },
	{ "90s", DOC_STRING, "\"90s\"" },
	{ "10.0.0.1", DOC_STRING, "\"10.0.0.1\"" },
	{ "fc00::/7", DOC_STRING, "\"fc00::/7\"" },
	{ "!!str 90", DOC_STRING, "\"90\"" },
	{ "!!int \"90\"", DOC_INT, "90" },
	{ "!!float 1", DOC_FLOAT, "1.0" },
	{ "!!float -1", DOC_FLOAT, "-1.0" },
	{ "!!bool \"on\"", DOC_BOOL, "true" },
	{ "!!null ''", DOC_NULL, "null" },
	{ "!own 1", DOC_STRING, "\"1\"" },
};

static void scalar(void **state)
{
	const struct scalar_case *c = *state;
	CLEANUP(doc_file_freep) struct doc_file *f = parse_ok(c->name);

	assert_int_equal(f->n_docs, 1);
	assert_int_equal(f->docs[0]->kind, c->kind);
	if (!c->json)
		return;
	json_t *j = doc_to_json(f->docs[0]);
	CLEANUP(mem_freep) char *text = json_dumps(j, JSON_FLAGS);
	json_decref(j);
	assert_string_equal(text, c->json);
}

static void extremes_keep_their_value(void **state)
{
	CLEANUP(doc_file_freep)
	struct doc_file *f = parse_ok("[18446744073709551615, -9223372036854775808, -.inf, .nan]");
	const struct doc *const *v = f->docs[0]->items;

	(void)state;
	assert_true(v[0]->integer == UINT64_MAX && !v[0]->negative);
	assert_true(v[1]->integer == 1ULL << 63 && v[1]->negative);
	assert_true(isinf(v[2]->real) && v[2]->real < 0);
	assert_true(isnan(v[3]->real));
	assert_string_equal(v[0]->text, "18446744073709551615");
	json_t *j = doc_to_json(f->docs[0]);
	assert_string_equal(json_string_value(json_array_get(j, 2)), "-.inf");
	json_decref(j);
}

static void source_text_is_kept(void **state)
{
	CLEANUP(doc_file_freep)
	struct doc_file *f = parse_ok("{edge: true, hold: 0x10, q: \"x\", b: ~, 1: one}");
	const struct doc *d = f->docs[0];

	(void)state;
	assert_string_equal(doc_get_text(d, "edge"), "true");
	assert_string_equal(doc_get_text(d, "hold"), "0x10");
	assert_false(doc_get(d, "hold")->quoted);
	assert_true(doc_get(d, "q")->quoted);
	assert_string_equal(doc_get_text(d, "1"), "one");
	assert_null(doc_get(d, "b"));
	assert_null(doc_get(d, "absent"));
	assert_null(doc_get(NULL, "a"));
	assert_null(doc_get(doc_get(d, "edge"), "a"));
}

/* Whole documents as JSON, one line for each of the stream. */
static const struct tree_case {
	const char *name;
	const char *yaml;
	const char *want;
} trees[] = {
	{ "empty", "", "" },
	{ "only blanks and comments", "\n# nothing\n\n", "" },
	{ "byte order mark",
	  "\xef\xbb\xbf"
	  "a: 1\n",
	  "{\"a\":1}\n" },
	{ "an empty document", "---\n", "null\n" },
	{ "several documents", "a: 1\n---\nb: 2\n---\n- 3\n...\n", "{\"a\":1}\n{\"b\":2}\n[3]\n" },
	{ "JSON", "{\"a\": [1, 2.5, \"x\", null, true]}", "{\"a\":[1,2.5,\"x\",null,true]}\n" },
	{ "CR LF", "a:\r\n- 1\r\n- 2\r\n", "{\"a\":[1,2]}\n" },
	{ "tabs between things", "a:\t1\nb: [\t2 ]\n", "{\"a\":1,\"b\":[2]}\n" },
	{ "alias", "a: &x {k: 1}\nb: *x\n", "{\"a\":{\"k\":1},\"b\":{\"k\":1}}\n" },
	{ "alias as a key", "a: &x k\n*x : 2\n", "{\"a\":\"k\",\"k\":2}\n" },
	{ "the latest anchor counts", "[&x 1, &x 2, *x]", "[1,2,2]\n" },
	{ "merge", "d: &d {a: 1, b: 2}\ne:\n  <<: *d\n  b: 3\n",
	  "{\"d\":{\"a\":1,\"b\":2},\"e\":{\"b\":3,\"a\":1}}\n" },
	{ "merge after the key that wins", "e:\n  b: 3\n  <<: {a: 1, b: 2}\n",
	  "{\"e\":{\"b\":3,\"a\":1}}\n" },
	{ "merge of a list, earlier wins", "<<: [{a: 1}, {a: 2, b: 2}]\n", "{\"a\":1,\"b\":2}\n" },
	{ "two merge keys", "<<: {a: 1}\n<<: {b: 2}\n", "{\"a\":1,\"b\":2}\n" },
	{ "a quoted merge key is a key", "'<<': {a: 1}\n", "{\"<<\":{\"a\":1}}\n" },
	{ "merged twice over", "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}\n",
	  "{\"a\":{\"x\":1},\"b\":{\"y\":2,\"x\":1},\"c\":{\"y\":2,\"x\":1}}\n" },
	{ "a block is text", "|\n  12\n", "\"12\\n\"\n" },
	{ "a folded block", ">\n  a\n  b\n", "\"a b\\n\"\n" },
	{ "empty values", "a:\nb: []\nc: {}\n", "{\"a\":null,\"b\":[],\"c\":{}}\n" },
	{ "empty list items", "-\n-\n", "[null,null]\n" },
};

static void tree(void **state)
{
	const struct tree_case *c = *state;
	CLEANUP(doc_file_freep) struct doc_file *f = parse_ok(c->yaml);
	struct buf got = { 0 };

	for (size_t i = 0; i < f->n_docs; i++) {
		json_t *j = doc_to_json(f->docs[i]);
		CLEANUP(mem_freep) char *text = json_dumps(j, JSON_FLAGS);

		json_decref(j);
		buf_printf(&got, "%s\n", text);
	}
	assert_string_equal(buf_text(&got), c->want);
	buf_fini(&got);
}

static void aliases_share_nodes(void **state)
{
	CLEANUP(doc_file_freep) struct doc_file *f = parse_ok("a: &x [1]\nb: *x\n");

	(void)state;
	assert_ptr_equal(doc_get(f->docs[0], "a"), doc_get(f->docs[0], "b"));
}

static void assert_pos(struct doc_pos pos, uint32_t line, uint32_t col)
{
	if (pos.line != line || pos.col != col)
		fail_msg("%u:%u is not %u:%u", pos.line, pos.col, line, col);
}

static void positions_count_bytes_from_one(void **state)
{
	CLEANUP(doc_file_freep)
	struct doc_file *f = parse_ok("peers:\n- my-asn: 1\n  \xc3\xa4\xe2\x82\xac: 2\n"
				      "\xc3\xb6: {q: [a, b]}\r\nz: &n 5\nempty:\n");
	const struct doc *root = f->docs[0];
	const struct doc *peer = doc_get(root, "peers")->items[0];

	(void)state;
	assert_pos(root->pos, 1, 1);
	assert_pos(root->pairs[0].key->pos, 1, 1);
	assert_pos(doc_get(root, "peers")->pos, 2, 1);
	assert_pos(peer->pos, 2, 3);
	assert_pos(peer->pairs[0].value->pos, 2, 11);
	assert_pos(peer->pairs[1].key->pos, 3, 3);
	assert_pos(peer->pairs[1].value->pos, 3, 10);
	assert_pos(doc_get(doc_get(root, "\xc3\xb6"), "q")->items[1]->pos, 4, 13);
	assert_pos(doc_get(root, "z")->pos, 5, 4);
	assert_pos(root->pairs[3].value->pos, 6, 7);
}

static const struct line_case {
	const char *name;
	const char *source;
	uint32_t line;
	const char *want;
} lines[] = {
	{ "first", "ab: 1\ncd: 2\n", 1, "ab: 1" },
	{ "second", "ab: 1\ncd: 2\n", 2, "cd: 2" },
	{ "without an end", "ab: 1\ncd: 2", 2, "cd: 2" },
	{ "behind the last", "ab: 1\n", 2, "" },
	{ "far behind", "ab: 1\n", 9, "" },
	{ "CR LF", "ab: 1\r\ncd: 2\r\n", 1, "ab: 1" },
	{ "second after CR LF", "ab: 1\r\ncd: 2\r\n", 2, "cd: 2" },
	{ "CR alone", "ab: 1\rcd: 2\r", 2, "cd: 2" },
	{ "none", "ab: 1\n", 0, "" },
};

static void line(void **state)
{
	const struct line_case *c = *state;
	CLEANUP(doc_file_freep) struct doc_file *f = parse_ok(c->source);
	size_t len = 99;
	const char *got = doc_line(f, (struct doc_pos){ c->line, 1 }, &len);

	assert_int_equal(len, strlen(c->want));
	assert_memory_equal(got, c->want, len);
}

/* What goes wrong, where, and a part of what is said. */
static const struct error_case {
	const char *name;
	const char *yaml;
	struct doc_pos pos;
	const char *want;
	struct doc_pos other;
} errors[] = {
	{ "a key indented too far",
	  "a: 1\nb: 2\n a: 3\n",
	  { 3, 3 },
	  "a ': ' cannot stand here",
	  { 0 } },
	{ "duplicate key", "a: 1\nb: 2\na: 3\n", { 3, 1 }, "key 'a' stands here twice", { 1, 1 } },
	{ "duplicate key, the first of two",
	  "a: 1\nb: 2\nb: 4\na: 3\n",
	  { 3, 1 },
	  "key 'b'",
	  { 2, 1 } },
	{ "duplicate key, quoted", "x: {a: 1, \"a\": 2}", { 1, 11 }, "key 'a'", { 1, 5 } },
	{ "duplicate key beside a merge",
	  "<<: {a: 0}\na: 1\na: 2\n",
	  { 3, 1 },
	  "key 'a'",
	  { 2, 1 } },
	{ "list as a key", "? [a]\n: 1\n", { 1, 3 }, "a list cannot be a key", { 0 } },
	{ "mapping as a key", "{a: 1}: 2\n", { 1, 1 }, "a mapping cannot be a key", { 0 } },
	{ "alias of a list as a key",
	  "a: &l [1]\n*l : 2\n",
	  { 2, 1 },
	  "a list cannot be a key",
	  { 0 } },
	{ "merge of text", "a: 1\n<<: x\n", { 2, 5 }, "'<<' merges a mapping", { 0 } },
	{ "merge of a list of text", "<<: [x]\n", { 1, 6 }, "but this is text", { 0 } },
	{ "unknown alias", "a: *nope\n", { 1, 4 }, "no anchor '&nope'", { 0 } },
	{ "anchor of another document",
	  "a: &x 1\n---\nb: *x\n",
	  { 3, 4 },
	  "no anchor '&x'",
	  { 0 } },
	{ "alias inside its anchor", "a: &x [1, *x]\n", { 1, 11 }, "never end", { 0 } },
	{ "bad tag", "a: !!int x\n", { 1, 4 }, "'!!int'", { 0 } },
	{ "binary", "a: !!binary aGk=\n", { 1, 4 }, "'!!binary'", { 0 } },
	{ "NUL by escape", "a: \"x\\0y\"\n", { 1, 4 }, "NUL", { 0 } },
	{ "tab as indentation", "a:\n\tb: 1\n", { 2, 1 }, "a tab indents", { 0 } },
	{ "tab behind blanks", "a:\n  b: 1\n \tc: 1\n", { 3, 2 }, "a tab indents", { 0 } },
	{ "tab in a block", "a: |\n\tx\n", { 2, 1 }, "a tab indents", { 0 } },
	{ "no colon", "a: 1\nb\nc: 2\n", { 2, 1 }, "no ': ' follows this key", { 0 } },
	{ "no blank after the colon",
	  "a: 1\nb:2\nc: 2\n",
	  { 2, 1 },
	  "blank after the colon",
	  { 0 } },
	{ "second colon", "a: b: c\n", { 1, 5 }, "a ': ' cannot stand here", { 0 } },
	{ "open double quote", "a: 1\nb: \"x\nc: 2\n", { 2, 4 }, "never closed", { 0 } },
	{ "open single quote", "b: 'x\n", { 1, 4 }, "never closed", { 0 } },
	{ "quote open at the document's end",
	  "b: 'x\n---\na: 1\n",
	  { 1, 4 },
	  "before the document ends",
	  { 0 } },
	{ "text after a quoted value", "a: \"b\" c\n", { 1, 8 }, "nothing may follow", { 0 } },
	{ "indentation too small", "a:\n    b: 1\n  c: 2\n", { 3, 3 }, "indent it like", { 0 } },
	{ "item beside a key", "a: - b\n", { 1, 4 }, "list item cannot begin here", { 0 } },
	{ "item in a mapping", "a: 1\n- b\n", { 2, 1 }, "list item cannot stand among", { 0 } },
	{ "key in a list", "- a\nb: 1\n", { 2, 1 }, "does not fit the list", { 0 } },
	{ "open bracket", "a: [1, 2\nb: 3\n", { 2, 2 }, "closing ']'", { 0 } },
	{ "open bracket at the end", "x: 1\na: [1, 2\n", { 2, 4 }, "closing ']'", { 0 } },
	{ "open brace", "a: {b: 1\n", { 1, 4 }, "closing '}'", { 0 } },
	{ "at sign", "a: @b\n", { 1, 4 }, "cannot begin with '@'", { 0 } },
	{ "backquote", "a: `b`\n", { 1, 4 }, "cannot begin with '`'", { 0 } },
	{ "percent", "a: %b\n", { 1, 4 }, "cannot begin with '%'", { 0 } },
	{ "star", "a: *\n", { 1, 4 }, "'&' and '*'", { 0 } },
	{ "unknown escape", "a: \"\\q\"\n", { 1, 5 }, "escape does not exist", { 0 } },
	{ "short escape", "a: \"\\xg\"\n", { 1, 7 }, "hexadecimal", { 0 } },
	{ "undeclared tag", "a: !x!y z\n", { 1, 4 }, "not declared", { 0 } },
	{ "text after a block indicator",
	  "a: | x\n",
	  { 1, 6 },
	  "begin the text on the next",
	  { 0 } },
	{ "after the root", "[a]\nb: 1\n", { 2, 1 }, "document ends before this", { 0 } },
	{ "missing value in a list", "[a, , b]\n", { 1, 5 }, "value is missing", { 0 } },
	{ "not UTF-8", "a: 1\nb: \xff\n", { 2, 4 }, "0xff is not UTF-8", { 0 } },
	{ "overlong UTF-8", "a: \xc0\x80\n", { 1, 4 }, "0xc0 is not UTF-8", { 0 } },
	{ "surrogate in UTF-8", "\xc3\xa4: \xed\xa0\x80\n", { 1, 5 }, "0xed is not UTF-8", { 0 } },
	{ "cut UTF-8", "a: \xe2\x82", { 1, 4 }, "not UTF-8", { 0 } },
	{ "UTF-16",
	  "\xff\xfe"
	  "a",
	  { 1, 1 },
	  "UTF-16",
	  { 0 } },
	{ "control character", "a: b\x01\n", { 1, 5 }, "U+0001", { 0 } },
	{ "the escape character", "a: \"\x1b[0m\"\n", { 1, 5 }, "U+001B", { 0 } },
};

static void error(void **state)
{
	const struct error_case *c = *state;
	struct doc_file *f = NULL;
	struct doc_error bad;
	int rc = doc_parse("t.yaml", c->yaml, strlen(c->yaml), NULL, &f, &bad);

	assert_int_equal(rc, -ERR_CONFIG);
	assert_null(f);
	if (!strstr(bad.text, c->want))
		fail_msg("%u:%u: %s", bad.pos.line, bad.pos.col, bad.text);
	assert_pos(bad.pos, c->pos.line, c->pos.col);
	assert_pos(bad.other, c->other.line, c->other.col);
}

/* A ConfigMap's data.config: where the inner @mark stands in the outer file. */
static const struct nested_case {
	const char *name;
	const char *yaml;
	struct doc_pos value; /* of the inner key "k" */
} nested[] = {
	{ "literal", "data:\n  config: |\n    a: 1\n    k: 2\n", { 4, 8 } },
	{ "literal, stripped", "data:\n  config: |-\n    a: 1\n    k: 2", { 4, 8 } },
	{ "literal with a comment", "data:\n  config: |   # here\n    k: 2\n", { 3, 8 } },
	{ "blank lines first", "data:\n  config: |\n\n\n    k: 2\n", { 5, 8 } },
	{ "indentation given", "data:\n  config: |2\n      a: {\n    k: 2 }\n", { 4, 8 } },
	{ "behind an anchor", "data:\n  config: &c |\n   k: 2\n", { 3, 7 } },
	{ "CR LF", "data:\r\n  config: |\r\n    a: 1\r\n    k: 2\r\n", { 4, 8 } },
	{ "UTF-8 before it",
	  "\xc3\xa4: 1\ndata:\n  config: |\n    \"\xc3\xa4\": {k: 2}\n",
	  { 4, 15 } },
	{ "folded", "data:\n  config: >\n    k: 2\n", { 2, 11 } },
	{ "quoted", "data:\n  config: \"a: 1\\nk: 2\\n\"\n", { 2, 11 } },
	{ "plain", "data:\n  config: \"k: 2\"\n", { 2, 11 } },
	{ "a bar in a quoted text", "data:\n  config: '| k: 2'\n", { 0, 0 } },
};

static const struct doc *find_k(const struct doc *d)
{
	if (doc_get(d, "k"))
		return doc_get(d, "k");
	for (size_t i = 0; d->kind == DOC_MAP && i < d->n_pairs; i++) {
		const struct doc *found = find_k(d->pairs[i].value);

		if (found)
			return found;
	}
	return NULL;
}

static void nested_position(void **state)
{
	const struct nested_case *c = *state;
	CLEANUP(doc_file_freep) struct doc_file *outer = parse_ok(c->yaml);
	CLEANUP(doc_file_freep) struct doc_file *inner = NULL;
	struct doc_error bad;
	const struct doc *config = doc_get(doc_get(outer->docs[0], "data"), "config");
	int rc = doc_parse_nested(config, NULL, &inner, &bad);

	if (c->value.line == 0) {
		assert_int_equal(rc, -ERR_CONFIG);
		assert_pos(bad.pos, 2, 11);
		return;
	}
	assert_int_equal(rc, 0);
	assert_string_equal(inner->name, "t.yaml");
	assert_ptr_equal(inner->source, outer->source);
	const struct doc *k = find_k(inner->docs[0]);
	assert_int_equal(k->integer, 2);
	assert_pos(k->pos, c->value.line, c->value.col);
}

static void nested_errors_point_into_the_outer_file(void **state)
{
	CLEANUP(doc_file_freep)
	struct doc_file *outer = parse_ok("data:\n  dup: |\n    a: 1\n    a: 2\n"
					  "  tab: |\n    a:\n    \tb: 1\n"
					  "  open: |\n    x: [1\n"
					  "  list: [1]\n"
					  "  ctl: \"a\\x01\"\n"
					  "  empty: \"\"\n");
	const struct doc *data = doc_get(outer->docs[0], "data");
	CLEANUP(doc_file_freep) struct doc_file *inner = NULL;
	struct doc_error bad;
	size_t len;

	(void)state;
	assert_int_equal(doc_parse_nested(doc_get(data, "dup"), NULL, &inner, &bad), -ERR_CONFIG);
	assert_pos(bad.pos, 4, 5);
	assert_pos(bad.other, 3, 5);
	assert_non_null(strstr(bad.text, "first on line 3"));
	assert_memory_equal(doc_line(outer, bad.pos, &len), "    a: 2", 8);
	assert_int_equal(doc_parse_nested(doc_get(data, "tab"), NULL, &inner, &bad), -ERR_CONFIG);
	assert_pos(bad.pos, 7, 5);
	assert_int_equal(doc_parse_nested(doc_get(data, "open"), NULL, &inner, &bad), -ERR_CONFIG);
	assert_pos(bad.pos, 9, 8);
	assert_int_equal(doc_parse_nested(doc_get(data, "list"), NULL, &inner, &bad), -ERR_CONFIG);
	assert_pos(bad.pos, 10, 9);
	assert_int_equal(doc_parse_nested(doc_get(data, "ctl"), NULL, &inner, &bad), -ERR_CONFIG);
	assert_pos(bad.pos, 11, 8);
	assert_int_equal(doc_parse_nested(doc_get(data, "empty"), NULL, &inner, &bad), 0);
	assert_int_equal(inner->n_docs, 0);
}

static void a_document_in_a_document_in_a_document(void **state)
{
	CLEANUP(doc_file_freep) struct doc_file *f = parse_ok("a: |\n  b: |\n    c: 1\n");
	CLEANUP(doc_file_freep) struct doc_file *g = NULL;
	CLEANUP(doc_file_freep) struct doc_file *h = NULL;
	struct doc_error bad;

	(void)state;
	assert_int_equal(doc_parse_nested(doc_get(f->docs[0], "a"), NULL, &g, &bad), 0);
	assert_int_equal(doc_parse_nested(doc_get(g->docs[0], "b"), NULL, &h, &bad), 0);
	assert_pos(doc_get(h->docs[0], "c")->pos, 3, 8);
}

static void assert_refused(const char *text, const struct doc_limits *limits, const char *want)
{
	struct doc_file *f = NULL;
	struct doc_error bad;

	assert_int_equal(doc_parse("t", text, strlen(text), limits, &f, &bad), -ERR_CONFIG);
	if (!strstr(bad.text, want))
		fail_msg("%u:%u: %s", bad.pos.line, bad.pos.col, bad.text);
}

static void limits_hold(void **state)
{
	CLEANUP(doc_file_freep) struct doc_file *f = NULL;
	struct doc_error bad;

	(void)state;
	assert_refused("abcd", &(struct doc_limits){ .max_bytes = 3 }, "too many: at most 3");
	assert_refused("[[[1]]]", &(struct doc_limits){ .max_depth = 2 }, "deeper than 2");
	assert_refused("[&a [1], [*a]]", &(struct doc_limits){ .max_depth = 2 }, "through '*a'");
	assert_refused("[1, 2, 3]", &(struct doc_limits){ .max_nodes = 3 }, "more than 3");
	assert_refused("[&a [1], *a]", &(struct doc_limits){ .max_nodes = 4 }, "more than 4");
	assert_int_equal(doc_parse("t", "[&a [1], *a]", 12,
				   &(struct doc_limits){ .max_nodes = 5, .max_depth = 2 }, &f,
				   &bad),
			 0);
}

static void laughing_aliases_are_refused(void **state)
{
	struct buf text = { 0 };

	(void)state;
	buf_puts(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 12; i++) {
		buf_printf(&text, "a%d: &a%d [", i, i);
		for (int n = 0; n < 10; n++)
			buf_printf(&text, "%s*a%d", n ? "," : "", i - 1);
		buf_puts(&text, "]\n");
	}
	assert_refused(buf_text(&text), NULL, "more than 4000000 values");
	buf_fini(&text);
}

static void deep_nesting_is_refused(void **state)
{
	struct buf text = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "[");
	assert_refused(buf_text(&text), NULL, "deeper than 100");
	buf_clear(&text);
	for (int i = 0; i < 101; i++)
		buf_printf(&text, "%*sa:\n", i, "");
	assert_refused(buf_text(&text), NULL, "deeper than 100");
	buf_fini(&text);
}

static void large_files_meet_the_limit_of_values(void **state)
{
	size_t len = 50U << 20;
	CLEANUP(mem_freep) char *text = mem_zero(len + 1, 1);
	struct doc_file *f = NULL;
	struct doc_error bad;

	(void)state;
	for (size_t i = 0; i < len; i++)
		text[i] = "- 1\n"[i % 4];
	assert_int_equal(
		doc_parse("t", text, len, &(struct doc_limits){ .max_nodes = 100000 }, &f, &bad),
		-ERR_CONFIG);
	assert_non_null(strstr(bad.text, "more than 100000 values"));
	assert_pos(bad.pos, 100000, 3);
}

static void cut_texts_stay_utf8(void **state)
{
	struct buf text = { 0 };
	struct doc_file *f = NULL;
	struct doc_error bad;

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		buf_puts(&text, "x");
		for (int i = 0; i < 80; i++)
			buf_puts(&text, "\xc3\xa4");
		buf_puts(&text, ": 1\n");
	}
	assert_int_equal(doc_parse("t", text.p, text.len, NULL, &f, &bad), -ERR_CONFIG);
	json_t *j = json_string(bad.text);
	assert_non_null(j);
	json_decref(j);
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extremes_keep_their_value),
		cmocka_unit_test(source_text_is_kept),
		cmocka_unit_test(aliases_share_nodes),
		cmocka_unit_test(positions_count_bytes_from_one),
		cmocka_unit_test(nested_errors_point_into_the_outer_file),
		cmocka_unit_test(a_document_in_a_document_in_a_document),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(laughing_aliases_are_refused),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(large_files_meet_the_limit_of_values),
		cmocka_unit_test(cut_texts_stay_utf8),
	};
	int failed = RUN_TABLE("scalars", scalars, scalar);

	failed += RUN_TABLE("trees", trees, tree);
	failed += RUN_TABLE("lines", lines, line);
	failed += RUN_TABLE("errors", errors, error);
	failed += RUN_TABLE("nested positions", nested, nested_position);
	return failed + cmocka_run_group_tests_name("doc", tests, NULL, NULL);
}
