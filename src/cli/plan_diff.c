#include "cli/plan_diff.h"

#include <stdio.h>

#include "base/buf.h"
#include "cli/output.h"
#include "plan/compare.h"

static const struct cli_column address_columns[] = {
	{ "SERVICE", "service", false },     { "CHANGE", "change", false },
	{ "FROM", "from.addresses", false }, { "TO", "to.addresses", false },
	{ "FROM POOL", "from.pool", false }, { "TO POOL", "to.pool", false },
	{ "REASON", "reason", false },
};

static const struct cli_column owner_columns[] = {
	{ "ADDRESS", "address", false }, { "SERVICE", "service", false },
	{ "CHANGE", "change", false },	 { "FROM", "from.node", false },
	{ "TO", "to.node", false },	 { "INTERFACES", "to.interfaces", false },
	{ "REASON", "reason", false },
};

static const struct cli_column route_columns[] = {
	{ "PREFIX", "prefix", false }, { "NODE", "node", false },	  { "PEER", "peer", false },
	{ "CHANGE", "change", false }, { "SERVICES", "services", false }, { "WHAT", "what", false },
	{ "REASON", "reason", false },
};

static void put_value(struct buf *text, const json_t *value)
{
	json_t *one;
	size_t i;

	if (json_is_integer(value))
		buf_printf(text, "%lld", (long long)json_integer_value(value));
	else if (json_is_string(value))
		buf_puts(text, json_string_value(value));
	else if (json_array_size(value) == 0)
		buf_puts(text, "none");
	json_array_foreach(value, i, one)
	{
		buf_puts(text, i ? "," : "");
		put_value(text, one);
	}
}

/* "local-pref 100 -> 200", or what is there alone. */
static void put_attribute(struct buf *text, const char *name, const json_t *from, const json_t *to,
			  bool is_change)
{
	buf_printf(text, "%s%s ", text->len ? "; " : "", name);
	if (is_change) {
		put_value(text, from);
		buf_puts(text, " -> ");
	}
	put_value(text, to);
}

/* The attributes of a route that come, or that are others. */
static void put_attributes(struct buf *text, const json_t *from, const json_t *to)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)to, name, value)
	{
		const json_t *old = json_object_get(from, name);

		if (from ? !json_equal(old, value)
			 : !json_is_array(value) || json_array_size(value))
			put_attribute(text, name, old, value, from != NULL);
	}
	json_object_foreach((json_t *)(uintptr_t)from, name, value) if (!json_object_get(to, name))
		put_attribute(text, name, value, NULL, true);
}

/* The rows of routes with one more field: their attributes as a text. */
static json_t *routes_with_text(const json_t *routes)
{
	json_t *rows = json_deep_copy(routes), *row;
	struct buf text = { 0 };
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_t *to = json_object_get(row, "to");

		buf_clear(&text);
		if (to)
			put_attributes(&text, json_object_get(row, "from"), to);
		if (text.len)
			json_object_set_new(row, "what", json_string(buf_text(&text)));
	}
	buf_fini(&text);
	return rows;
}

static void print_section(const char *title, const json_t *items, const struct cli_column *columns,
			  size_t n)
{
	if (json_array_size(items) == 0)
		return;
	printf("%s\n", title);
	cli_print_table(items, columns, n, false);
	putchar('\n');
}

void cli_print_plan_diff(const json_t *difference)
{
	const char *refused = json_string_value(json_object_get(difference, "refused"));
	json_t *routes = routes_with_text(json_object_get(difference, "bgp"));

	if (refused)
		printf("A daemon would refuse this (crier reload --force insists): %s\n\n",
		       refused);
	if (plan_compare_is_same(difference))
		puts("Nothing would change.");
	print_section("Addresses:", json_object_get(difference, "addresses"), address_columns,
		      ARRAY_LEN(address_columns));
	print_section("Layer 2 owners:", json_object_get(difference, "layer2"), owner_columns,
		      ARRAY_LEN(owner_columns));
	print_section("BGP routes:", routes, route_columns, ARRAY_LEN(route_columns));
	json_decref(routes);
}
