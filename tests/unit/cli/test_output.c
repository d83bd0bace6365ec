/* How answers look: what the printers write to standard output. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/doc.h"
#include "cli/output.h"

/* Standard output goes into a file from begin to end. */
struct capture {
	FILE *file;
	int real;
};

static struct capture capture_begin(void)
{
	struct capture c = { .file = tmpfile(), .real = dup(STDOUT_FILENO) };

	fflush(stdout);
	dup2(fileno(c.file), STDOUT_FILENO);
	return c;
}

static char *capture_end(struct capture *c)
{
	fflush(stdout);
	dup2(c->real, STDOUT_FILENO);
	close(c->real);
	long size = lseek(fileno(c->file), 0, SEEK_END);
	char *text = mem_new_n(char, (size_t)size + 1);
	assert_int_equal(pread(fileno(c->file), text, (size_t)size, 0), size);
	fclose(c->file);
	return text;
}

static const struct cli_column columns[] = {
	{ "NAME", "name", false },
	{ "ADDRESSES", "addresses", false },
	{ "UP", "state.up", true },
	{ "LABELS", "labels", false },
};

static json_t *items(void)
{
	return json_loads("[{\"name\": \"wéb\", \"addresses\": [\"10.0.0.1\", \"::1\"], "
			  "\"state\": {\"up\": true}, \"labels\": {\"a\": \"b\", \"c\": 1}},"
			  " {\"name\": \"db-primary\", \"addresses\": []}]",
			  0, NULL);
}

static void table(void **state)
{
	(void)state;
	json_t *list = items();
	struct capture c = capture_begin();

	cli_print_table(list, columns, ARRAY_LEN(columns), false);
	char *text = capture_end(&c);
	assert_string_equal(text, "NAME        ADDRESSES     LABELS\n"
				  "wéb         10.0.0.1,::1  a=b,c=1\n"
				  "db-primary  -             -\n");
	free(text);
	json_decref(list);
}

static void wide_table(void **state)
{
	(void)state;
	json_t *list = items();
	struct capture c = capture_begin();

	cli_print_table(list, columns, ARRAY_LEN(columns), true);
	char *text = capture_end(&c);
	assert_non_null(strstr(text, "NAME        ADDRESSES     UP   LABELS\n"));
	assert_non_null(strstr(text, "::1  yes  a=b"));
	free(text);
	json_decref(list);
}

static void nothing_to_show(void **state)
{
	(void)state;
	json_t *list = json_array();
	struct capture c = capture_begin();

	cli_print_table(list, columns, ARRAY_LEN(columns), false);
	char *text = capture_end(&c);
	assert_string_equal(text, "none\n");
	free(text);
	json_decref(list);
}

/* Text that a YAML reader would take for something else keeps its quotes: what is read back is
 * what was printed. */
static void yaml_reads_back(void **state)
{
	(void)state;
	json_t *value =
		json_loads("{\"a\": [\"yes\", \"no\", \"10\", \"1e3\", \"null\", \"~\", \"\", "
			   "\"0x1\", \"a: b\", \"- x\", \"#c\", \"two\\nlines\", \"tab\\t\", "
			   "\"é\", \"64512:1\", \"plain-text\", \"/a/b\", \" s \"], \"on\": "
			   "{\"x\": true, \"y\": null, \"n\": -5, \"f\": 1.5}, \"e\": [], "
			   "\"o\": {}}",
			   0, NULL);
	struct capture c = capture_begin();
	struct doc_file *f = NULL;
	struct doc_error bad;

	cli_print_yaml(value);
	char *text = capture_end(&c);
	assert_int_equal(doc_parse("t", text, strlen(text), NULL, &f, &bad), 0);
	json_t *again = doc_to_json(f->docs[0]);
	if (!json_equal(value, again))
		fail_msg("%s", text);
	assert_non_null(strstr(text, "- plain-text\n"));
	json_decref(again);
	json_decref(value);
	doc_file_free(f);
	free(text);
}

static void formats(void **state)
{
	enum cli_format format = CLI_TEXT;
	unsigned allows = 1u << CLI_TABLE | 1u << CLI_JSON;

	(void)state;
	assert_int_equal(cli_format_parse("json", allows, &format), 0);
	assert_int_equal(format, CLI_JSON);
	assert_int_equal(cli_format_parse("yaml", allows, &format), -1);
	assert_int_equal(cli_format_parse("JSON", allows, &format), -1);
	assert_int_equal(format, CLI_JSON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),	   cmocka_unit_test(wide_table),
		cmocka_unit_test(nothing_to_show), cmocka_unit_test(yaml_reads_back),
		cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
