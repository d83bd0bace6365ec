#include "control/page.h"

#include <stdbool.h>

/* Deeper values of the status are shown as JSON. */
#define DEPTH_MAX 4

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta http-equiv=\"refresh\" content=\"5\">\n<title>crier</title>\n<style>\n"
	"body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em;"
	"color:#222;background:#fff}\n"
	"h1 span{font-size:.6em;padding:.2em .6em;border-radius:.3em;color:#fff}\n"
	".good{background:#2a7a3b}.bad{background:#b3261e}\n"
	"table{border-collapse:collapse}th{text-align:left;font-weight:600;vertical-align:top}\n"
	"th,td{padding:.15em 1em .15em 0}li{margin:.3em 0}small{color:#666}\n"
	"@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8ab4f8}"
	"small{color:#999}}\n</style></head><body>\n";

static const char *const kinds[] = { "services", "pools", "peers",   "routes", "networks",
				     "bfd",	 "l2",	  "members", "nodes",  "events" };

void page_put_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		case '\'':
			buf_puts(out, "&#39;");
			break;
		default:
			buf_append(out, text, 1);
		}
	}
}

static void put_value(struct buf *out, const json_t *value, int depth);

static void put_object(struct buf *out, const json_t *object, int depth)
{
	const char *key;
	json_t *value;

	buf_puts(out, "<table>\n");
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		buf_puts(out, "<tr><th>");
		page_put_text(out, key);
		buf_puts(out, "</th><td>");
		put_value(out, value, depth + 1);
		buf_puts(out, "</td></tr>\n");
	}
	buf_puts(out, "</table>\n");
}

static void put_list(struct buf *out, const json_t *list, int depth)
{
	size_t i;
	json_t *value;

	json_array_foreach(list, i, value)
	{
		buf_puts(out, i > 0 ? ", " : "");
		put_value(out, value, depth + 1);
	}
}

static void put_value(struct buf *out, const json_t *value, int depth)
{
	if (json_is_string(value)) {
		page_put_text(out, json_string_value(value));
	} else if (json_is_object(value) && depth < DEPTH_MAX) {
		put_object(out, value, depth);
	} else if (json_is_array(value) && depth < DEPTH_MAX) {
		put_list(out, value, depth);
	} else {
		CLEANUP(mem_freep) char *text = json_dumps(value, JSON_ENCODE_ANY);

		page_put_text(out, text ? text : "");
	}
}

static void put_problems(struct buf *out, const json_t *problems)
{
	size_t i;
	json_t *p;

	if (json_array_size(problems) == 0)
		return;
	buf_puts(out, "<h2>Problems</h2>\n<ul>\n");
	json_array_foreach(problems, i, p)
	{
		const json_t *text = json_object_get(p, "text");
		const json_t *hint = json_object_get(p, "hint");

		buf_puts(out, "<li>");
		put_value(out, text ? text : p, 0);
		if (hint) {
			buf_puts(out, "<br><small>");
			put_value(out, hint, 0);
			buf_puts(out, "</small>");
		}
		buf_puts(out, "</li>\n");
	}
	buf_puts(out, "</ul>\n");
}

static void put_title(struct buf *out, const json_t *status)
{
	bool healthy = json_is_true(json_object_get(status, "healthy"));
	const char *node = json_string_value(json_object_get(status, "node"));

	buf_puts(out, "<h1>");
	page_put_text(out, node ? node : "crier");
	buf_printf(out, " <span class=\"%s\">%s</span></h1>\n", healthy ? "good" : "bad",
		   healthy ? "healthy" : "not healthy");
}

/* Everything but what the title and the problems have said. */
static void put_rest(struct buf *out, const json_t *status)
{
	static const char *const said[] = { "node", "healthy", "problems" };
	json_t *rest = json_copy((json_t *)(uintptr_t)status);

	for (size_t i = 0; i < ARRAY_LEN(said); i++)
		json_object_del(rest, said[i]);
	put_value(out, rest, 0);
	json_decref(rest);
}

void page_render(const json_t *status, struct buf *out)
{
	buf_puts(out, head);
	put_title(out, status);
	put_problems(out, json_object_get(status, "problems"));
	put_rest(out, status);
	buf_puts(out, "<p>More:");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		buf_printf(out, " <a href=\"/v1/%s\">%s</a>", kinds[i], kinds[i]);
	buf_puts(out, " <a href=\"/v1/status\">status</a> <a href=\"/metrics\">metrics</a></p>\n"
		      "</body></html>\n");
}
