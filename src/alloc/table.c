#include "alloc/table.h"

#include <string.h>

struct alloc_table {
	struct map *entries; /* service -> struct alloc_entry, all of it ours */
	uint64_t epoch;
	uint64_t floor; /* no entry has this or less */
	int64_t now_s;
};

struct alloc_table *alloc_table_new(void)
{
	struct alloc_table *t = mem_new(struct alloc_table);

	t->entries = map_new();
	return t;
}

static void entry_free(void *value)
{
	struct alloc_entry *e = value;

	free((void *)(uintptr_t)e->service);
	free((void *)(uintptr_t)e->addresses);
	free((void *)(uintptr_t)e->sharing_key);
	free((void *)(uintptr_t)e->node);
	free((void *)(uintptr_t)e->past);
	free(e);
}

struct alloc_table *alloc_table_free(struct alloc_table *t)
{
	if (!t)
		return NULL;
	map_clear(t->entries, entry_free);
	map_free(t->entries);
	free(t);
	return NULL;
}

void alloc_table_freep(struct alloc_table **t)
{
	*t = alloc_table_free(*t);
}

const struct alloc_entry *alloc_table_find(const struct alloc_table *t, const char *service)
{
	return map_get(t->entries, service);
}

const struct alloc_entry *alloc_table_next(const struct alloc_table *t, size_t *at)
{
	const char *service;
	void *entry;

	return map_next(t->entries, at, &service, &entry) ? entry : NULL;
}

size_t alloc_table_len(const struct alloc_table *t)
{
	return map_len(t->entries);
}

uint64_t alloc_table_epoch(const struct alloc_table *t)
{
	return t->epoch;
}

uint64_t alloc_table_floor(const struct alloc_table *t)
{
	return t->floor;
}

int alloc_table_raise(struct alloc_table *t, uint64_t floor)
{
	const struct alloc_entry *e;

	if (floor <= t->floor)
		return 0;
	t->floor = floor;
	t->epoch = MAX(t->epoch, floor);
	for (size_t at = 0; (e = alloc_table_next(t, &at));)
		if (e->epoch <= floor)
			entry_free(map_del(t->entries, e->service));
	return 1;
}

void alloc_table_set_time(struct alloc_table *t, int64_t now_s)
{
	t->now_s = now_s;
}

int64_t alloc_table_time(const struct alloc_table *t)
{
	return t->now_s;
}

static int addresses_cmp(const struct addr *a, size_t n_a, const struct addr *b, size_t n_b)
{
	if (n_a != n_b)
		return n_a < n_b ? -1 : 1;
	for (size_t i = 0; i < n_a; i++) {
		int order = addr_cmp(&a[i], &b[i]);

		if (order != 0)
			return order;
	}
	return 0;
}

static int key_cmp(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/*
 * Negative when @a is the better entry. A total order, or merging would depend on who came first:
 * one node does not say two things in one epoch, but a table of a restored disk may.
 */
static int entry_cmp(const struct alloc_entry *a, const struct alloc_entry *b)
{
	int order;

	if (a->epoch != b->epoch)
		return a->epoch > b->epoch ? -1 : 1;
	order = strcmp(a->node, b->node);
	if (order == 0)
		order = addresses_cmp(a->addresses, a->n, b->addresses, b->n);
	if (order == 0)
		order = key_cmp(a->sharing_key, b->sharing_key);
	if (order == 0)
		order = addresses_cmp(a->past, a->n_past, b->past, b->n_past);
	if (order == 0 && a->left_s != b->left_s)
		order = a->left_s > b->left_s ? -1 : 1;
	return order;
}

static struct addr *addresses_dup(const struct addr *v, size_t n)
{
	return n ? mem_dup(v, n * sizeof(*v)) : NULL;
}

static struct alloc_entry *entry_dup(const struct alloc_entry *e)
{
	struct alloc_entry *own = mem_new(struct alloc_entry);

	*own = (struct alloc_entry){
		.service = mem_strdup(e->service),
		.addresses = addresses_dup(e->addresses, e->n),
		.n = e->n,
		.sharing_key = e->sharing_key ? mem_strdup(e->sharing_key) : NULL,
		.epoch = e->epoch,
		.node = mem_strdup(e->node),
		.past = addresses_dup(e->past, e->n_past),
		.n_past = e->n_past,
		.left_s = e->left_s,
	};
	return own;
}

int alloc_table_put(struct alloc_table *t, const struct alloc_entry *e)
{
	const struct alloc_entry *known = map_get(t->entries, e->service);

	if (e->epoch <= t->floor || (known && entry_cmp(known, e) <= 0))
		return 0;
	if (!known && map_len(t->entries) >= ALLOC_TABLE_MAX)
		return -ERR_LIMIT;
	t->epoch = MAX(t->epoch, e->epoch);
	void *before = map_put(t->entries, e->service, entry_dup(e));
	if (before)
		entry_free(before);
	return 1;
}

int alloc_table_merge(struct alloc_table *t, const struct alloc_table *from)
{
	const struct alloc_entry *e;
	int changed = alloc_table_raise(t, from->floor);

	for (size_t at = 0; (e = alloc_table_next(from, &at));)
		if (alloc_table_put(t, e) > 0)
			changed = 1;
	return changed;
}

bool alloc_table_eq(const struct alloc_table *a, const struct alloc_table *b)
{
	const struct alloc_entry *e;

	if (a->floor != b->floor || alloc_table_len(a) != alloc_table_len(b))
		return false;
	for (size_t at = 0; (e = alloc_table_next(a, &at));) {
		const struct alloc_entry *other = alloc_table_find(b, e->service);

		if (!other || entry_cmp(e, other) != 0)
			return false;
	}
	return true;
}

static int by_service(const void *a, const void *b)
{
	const struct alloc_entry *l = *(const struct alloc_entry *const *)a;
	const struct alloc_entry *r = *(const struct alloc_entry *const *)b;

	return strcmp(l->service, r->service);
}

static json_t *addresses_encode(const struct addr *v, size_t n)
{
	json_t *addresses = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(addresses, json_string(ADDR_TEXT(&v[i])));
	return addresses;
}

static json_t *entry_encode(const struct alloc_entry *e)
{
	json_t *json = json_pack("{s:s, s:o, s:s*, s:I, s:s}", "service", e->service, "addresses",
				 addresses_encode(e->addresses, e->n), "sharing-key",
				 e->sharing_key, "epoch", (json_int_t)e->epoch, "node", e->node);

	if (e->n_past)
		json_object_set_new(json, "past", addresses_encode(e->past, e->n_past));
	if (e->left_s)
		json_object_set_new(json, "left", json_integer(e->left_s));
	return json;
}

json_t *alloc_table_encode_since(const struct alloc_table *t, uint64_t epoch)
{
	size_t n = 0;
	const struct alloc_entry **v = mem_new_n(const struct alloc_entry *, alloc_table_len(t));
	json_t *entries = json_array();
	const struct alloc_entry *e;

	for (size_t at = 0; (e = alloc_table_next(t, &at));)
		if (e->epoch > epoch)
			v[n++] = e;
	qsort(v, n, sizeof(struct alloc_entry *), by_service);
	if (t->floor)
		json_array_append_new(entries, json_pack("{s:I}", "floor", (json_int_t)t->floor));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(entries, entry_encode(v[i]));
	free(v);
	return json_pack("{s:i, s:o}", "version", 1, "entries", entries);
}

json_t *alloc_table_encode(const struct alloc_table *t)
{
	return alloc_table_encode_since(t, 0);
}

static int addresses_decode(const json_t *list, struct addr *out, size_t *n, struct err *e)
{
	size_t i;
	json_t *item;

	if (!json_is_array(list) || json_array_size(list) > ALLOC_ENTRY_MAX)
		return err_set(e, ERR_CONFIG, "no list of at most %d addresses", ALLOC_ENTRY_MAX);
	*n = 0;
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);

		if (!text || addr_parse(text, &out[(*n)++]) < 0)
			return err_set(e, ERR_CONFIG, "addresses[%zu] is no address", i);
	}
	return 0;
}

static bool is_name(const char *text)
{
	return text && *text && strlen(text) <= ALLOC_NAME_MAX;
}

/* An integer of that range; -1 and nothing else where it is none. */
static int number_decode(const json_t *json, json_int_t last, uint64_t *out)
{
	if (!json_is_integer(json) || json_integer_value(json) <= 0 ||
	    json_integer_value(json) > last)
		return -1;
	*out = (uint64_t)json_integer_value(json);
	return 0;
}

static int names_check(const struct alloc_entry *entry, struct err *e)
{
	if (entry->sharing_key && !is_name(entry->sharing_key))
		return err_set(e, ERR_CONFIG, "sharing-key is empty or too long");
	if (!is_name(entry->service) || !is_name(entry->node))
		return err_set(e, ERR_CONFIG, "service and node are needed");
	return 0;
}

static int past_decode(const json_t *json, struct addr *past, struct alloc_entry *out,
		       struct err *e)
{
	const json_t *list = json_object_get(json, "past"), *left = json_object_get(json, "left");
	uint64_t left_s = 0;

	if (left && number_decode(left, ALLOC_EPOCH_MAX, &left_s) < 0)
		return err_set(e, ERR_CONFIG, "left is out of range");
	if (list && addresses_decode(list, past, &out->n_past, e) < 0)
		return err_wrap(e, "past");
	if (list && (!left || out->n_past == 0))
		return err_set(e, ERR_CONFIG, "past is empty or without its end");
	out->past = past;
	out->left_s = (int64_t)left_s;
	return 0;
}

static int entry_decode(const json_t *json, struct alloc_table *t, struct err *e)
{
	struct addr addresses[ALLOC_ENTRY_MAX], past[ALLOC_ENTRY_MAX];
	struct alloc_entry entry = {
		.service = json_string_value(json_object_get(json, "service")),
		.node = json_string_value(json_object_get(json, "node")),
		.addresses = addresses,
		.sharing_key = json_string_value(json_object_get(json, "sharing-key")),
	};

	if (names_check(&entry, e) < 0)
		return -ERR_CONFIG;
	if (number_decode(json_object_get(json, "epoch"), ALLOC_EPOCH_MAX, &entry.epoch) < 0)
		return err_set(e, ERR_CONFIG, "epoch is out of range");
	if (addresses_decode(json_object_get(json, "addresses"), addresses, &entry.n, e) < 0 ||
	    past_decode(json, past, &entry, e) < 0)
		return -ERR_CONFIG;
	if (alloc_table_put(t, &entry) < 0)
		return err_set(e, ERR_LIMIT, "more than %d entries", ALLOC_TABLE_MAX);
	return 0;
}

static int item_decode(const json_t *json, struct alloc_table *t, struct err *e)
{
	const json_t *at = json_object_get(json, "floor");
	uint64_t floor;

	if (!at)
		return entry_decode(json, t, e);
	if (number_decode(at, ALLOC_FLOOR_MAX, &floor) < 0)
		return err_set(e, ERR_CONFIG, "floor is out of range");
	(void)alloc_table_raise(t, floor);
	return 0;
}

int alloc_table_decode(const json_t *json, struct alloc_table **out, struct err *e)
{
	CLEANUP(alloc_table_freep) struct alloc_table *t = alloc_table_new();
	const json_t *entries = json_object_get(json, "entries");
	size_t i;
	json_t *entry;

	if (json_integer_value(json_object_get(json, "version")) != 1)
		return err_set(e, ERR_CONFIG, "allocations: unknown version");
	if (!json_is_array(entries))
		return err_set(e, ERR_CONFIG, "allocations: entries are missing");
	json_array_foreach(entries, i, entry)
	{
		int rc = item_decode(entry, t, e);

		if (rc < 0) {
			(void)err_wrap(e, "allocations: entries[%zu]", i);
			return rc;
		}
	}
	*out = TAKE(t);
	return 0;
}

int alloc_table_parse(const void *text, size_t len, struct alloc_table **out, struct err *e)
{
	json_error_t bad;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &bad);

	if (!json)
		return err_set(e, ERR_CONFIG, "allocations: line %d: %s", bad.line, bad.text);
	int rc = alloc_table_decode(json, out, e);
	json_decref(json);
	return rc;
}
