#include "plan/compare.h"

#include <string.h>

#include "base/buf.h"
#include "plan/reason.h"

/*
 * Both answers are brought to the same form first, a view: an object from what identifies an item
 * (names, addresses and prefixes, which hold no blank) to {"row": what is said of it in any case,
 * "state": what can change}, and, of an announcement, "item": the (first) one. Objects are walked in
 * the order of insertion.
 */

static const char *text_of(const json_t *item, const char *key)
{
	const char *text = json_string_value(json_object_get(item, key));

	return text ? text : "";
}

static bool has_text(const json_t *item, const char *key, const char *text)
{
	return strcmp(text_of(item, key), text) == 0;
}

/* "a b" of the texts of two keys. */
static const char *pair_key(const json_t *item, const char *a, const char *b, struct buf *key)
{
	buf_clear(key);
	buf_printf(key, "%s %s", text_of(item, a), text_of(item, b));
	return buf_text(key);
}

static void copy_key(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value)
		json_object_set(to, key, value);
}

static json_t *view_add(json_t *view, const char *key)
{
	json_t *entry = json_pack("{s:{}, s:{}}", "row", "state");

	json_object_set_new(view, key, entry);
	return entry;
}

static json_t *view_addresses(const json_t *report)
{
	json_t *view = json_object(), *item;
	size_t i;

	json_array_foreach(json_object_get(report, "allocations"), i, item)
	{
		json_t *entry = view_add(view, text_of(item, "service"));

		copy_key(json_object_get(entry, "row"), item, "service");
		copy_key(json_object_get(entry, "state"), item, "pool");
		copy_key(json_object_get(entry, "state"), item, "addresses");
	}
	return view;
}

static json_t *view_owners(const json_t *report)
{
	json_t *view = json_object(), *item;
	struct buf key = { 0 };
	size_t i;

	json_array_foreach(json_object_get(report, "announcements"), i, item)
	{
		if (!has_text(item, "mode", "layer2"))
			continue;
		json_t *entry = view_add(view, pair_key(item, "service", "address", &key));

		json_object_set(entry, "item", item);
		copy_key(json_object_get(entry, "row"), item, "service");
		copy_key(json_object_get(entry, "row"), item, "address");
		copy_key(json_object_get(entry, "state"), item, "node");
		copy_key(json_object_get(entry, "state"), item, "interfaces");
	}
	buf_fini(&key);
	return view;
}

static json_t *route_row(const json_t *item)
{
	json_t *row = json_object();

	copy_key(row, item, "prefix");
	copy_key(row, item, "node");
	copy_key(row, item, "peer");
	json_object_set_new(row, "services", json_array());
	return row;
}

/* All that is said about a route beyond which one it is. */
static json_t *route_state(const json_t *item)
{
	static const char *const not_said[] = { "service", "address", "mode",
						"node",	   "peer",    "prefix" };
	json_t *state = json_copy((json_t *)(uintptr_t)item);

	for (size_t i = 0; i < ARRAY_LEN(not_said); i++)
		json_object_del(state, not_said[i]);
	return state;
}

static void route_serves(json_t *entry, const json_t *item)
{
	json_t *services = json_object_get(json_object_get(entry, "row"), "services");
	json_t *name = json_object_get(item, "service");
	size_t n = json_array_size(services);

	/* A service's announcements stand together. */
	if (n == 0 || !json_equal(json_array_get(services, n - 1), name))
		json_array_append(services, name);
}

static json_t *view_routes(const json_t *report)
{
	json_t *view = json_object(), *item;
	struct buf key = { 0 };
	size_t i;

	json_array_foreach(json_object_get(report, "announcements"), i, item)
	{
		if (!has_text(item, "mode", "bgp"))
			continue;
		(void)pair_key(item, "node", "peer", &key);
		buf_printf(&key, " %s", text_of(item, "prefix"));
		json_t *entry = json_object_get(view, buf_text(&key));

		if (!entry) {
			entry = view_add(view, buf_text(&key));
			json_object_set(entry, "item", item);
			json_object_set_new(entry, "row", route_row(item));
			json_object_set_new(entry, "state", route_state(item));
		}
		route_serves(entry, item);
	}
	buf_fini(&key);
	return view;
}

/** What tells why something is missing from the later answer. */
struct reasons {
	json_t *allocated; /* service -> the item of "allocations" */
	json_t *waiting;   /* service -> the item of "unallocated" */
	json_t *silent;	   /* "service mode node" -> its items */
};

static json_t *by_service(const json_t *report, const char *list)
{
	json_t *index = json_object(), *item;
	size_t i;

	json_array_foreach(json_object_get(report, list), i, item)
		json_object_set(index, text_of(item, "service"), item);
	return index;
}

static const char *silence_key(const json_t *item, struct buf *key)
{
	(void)pair_key(item, "service", "mode", key);
	buf_printf(key, " %s", text_of(item, "node"));
	return buf_text(key);
}

static json_t *by_silence(const json_t *report)
{
	json_t *index = json_object(), *item;
	struct buf key = { 0 };
	size_t i;

	json_array_foreach(json_object_get(report, "silent"), i, item)
	{
		const char *at = silence_key(item, &key);

		if (!json_object_get(index, at))
			json_object_set_new(index, at, json_array());
		json_array_append(json_object_get(index, at), item);
	}
	buf_fini(&key);
	return index;
}

static struct reasons reasons_of(const json_t *report)
{
	return (struct reasons){
		.allocated = by_service(report, "allocations"),
		.waiting = by_service(report, "unallocated"),
		.silent = by_silence(report),
	};
}

static void reasons_fini(struct reasons *why)
{
	json_decref(why->allocated);
	json_decref(why->waiting);
	json_decref(why->silent);
}

static void give_reason(json_t *row, const char *word)
{
	json_object_set_new(row, "reason", json_string(word));
}

static void explain_address(const struct reasons *why, const json_t *item, json_t *row)
{
	const json_t *waiting = json_object_get(why->waiting, text_of(row, "service"));

	(void)item;
	if (waiting)
		copy_key(row, waiting, "reason");
	else
		give_reason(row, REASON_DELETED);
}

static bool has_address(const json_t *allocation, const json_t *item)
{
	json_t *address;
	size_t i;

	json_array_foreach(
		json_object_get(allocation, "addresses"), i,
		address) if (json_equal(address, json_object_get(item, "address"))) return true;
	return false;
}

/* What the node says of the service, to that peer or to all. */
static void explain_silence(const struct reasons *why, const json_t *item, json_t *row)
{
	struct buf key = { 0 };
	json_t *silence;
	size_t i;

	json_array_foreach(json_object_get(why->silent, silence_key(item, &key)), i, silence)
	{
		if (json_object_get(silence, "peer") &&
		    !has_text(silence, "peer", text_of(item, "peer")))
			continue;
		copy_key(row, silence, "reason");
		copy_key(row, silence, "detail");
		break;
	}
	buf_fini(&key);
}

static void explain_announcement(const struct reasons *why, const json_t *item, json_t *row)
{
	const char *service = text_of(item, "service");
	const json_t *allocation = json_object_get(why->allocated, service);

	if (allocation && has_address(allocation, item))
		explain_silence(why, item, row);
	else if (allocation)
		give_reason(row, REASON_OTHER_ADDRESS);
	else if (json_object_get(why->waiting, service))
		give_reason(row, REASON_NO_ADDRESS);
	else
		give_reason(row, REASON_DELETED);
}

/** Say in @row why @item of the earlier answer is missing from the later one. */
typedef void explain_fn(const struct reasons *why, const json_t *item, json_t *row);

static json_t *row_of(const json_t *from, const json_t *to)
{
	json_t *row = json_deep_copy(json_object_get(to ? to : from, "row"));

	json_object_set_new(row, "change",
			    json_string(!from ? "added"
					: !to ? "removed"
					      : "changed"));
	if (from)
		json_object_set(row, "from", json_object_get(from, "state"));
	if (to)
		json_object_set(row, "to", json_object_get(to, "state"));
	return row;
}

static bool same_state(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "state"), json_object_get(b, "state"));
}

/* Takes both views. */
static json_t *differences(json_t *before, json_t *after, const struct reasons *why,
			   explain_fn *explain)
{
	json_t *rows = json_array(), *entry;
	const char *key;

	json_object_foreach(before, key, entry)
	{
		const json_t *to = json_object_get(after, key);

		if (to && same_state(entry, to))
			continue;
		json_t *row = row_of(entry, to);
		if (!to)
			explain(why, json_object_get(entry, "item"), row);
		json_array_append_new(rows, row);
	}
	json_object_foreach(after, key, entry) if (!json_object_get(before, key))
		json_array_append_new(rows, row_of(NULL, entry));
	json_decref(before);
	json_decref(after);
	return rows;
}

/* Those that want an address, have none, and were not there before. */
static void add_waiting(json_t *rows, const json_t *after, const struct reasons *had)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(after, "unallocated"), i, item)
	{
		const char *service = text_of(item, "service");

		if (!json_object_get(had->waiting, service) &&
		    !json_object_get(had->allocated, service))
			json_array_append_new(rows, json_pack("{s:s, s:s, s:O}", "service", service,
							      "change", "waiting", "reason",
							      json_object_get(item, "reason")));
	}
}

json_t *plan_compare(const json_t *before, const json_t *after)
{
	struct reasons had = reasons_of(before), why = reasons_of(after);
	json_t *addresses =
		differences(view_addresses(before), view_addresses(after), &why, explain_address);
	json_t *owners =
		differences(view_owners(before), view_owners(after), &why, explain_announcement);
	json_t *routes =
		differences(view_routes(before), view_routes(after), &why, explain_announcement);

	add_waiting(addresses, after, &had);
	reasons_fini(&had);
	reasons_fini(&why);
	return json_pack("{s:o, s:o, s:o}", "addresses", addresses, "layer2", owners, "bgp",
			 routes);
}

bool plan_compare_is_same(const json_t *differences)
{
	return json_array_size(json_object_get(differences, "addresses")) == 0 &&
	       json_array_size(json_object_get(differences, "layer2")) == 0 &&
	       json_array_size(json_object_get(differences, "bgp")) == 0;
}
