#include "cluster/queue.h"

struct queue_item {
	char *name;
	uint64_t id;
	unsigned transmits;
	uint32_t len;
	uint8_t bytes[];
};

void queue_init(struct queue *q, size_t max)
{
	*q = (struct queue){ .max = max, .by_name = map_new() };
}

static void item_free(struct queue_item *item)
{
	free(item->name);
	free(item);
}

void queue_fini(struct queue *q)
{
	for (size_t i = 0; i < q->n; i++)
		item_free(q->v[i]);
	free(q->v);
	map_free(q->by_name);
	*q = (struct queue){ 0 };
}

static int in_order(const struct queue_item *a, const struct queue_item *b)
{
	if (a->transmits != b->transmits)
		return a->transmits < b->transmits ? -1 : 1;
	if (a->len != b->len)
		return a->len > b->len ? -1 : 1;
	return a->id == b->id ? 0 : a->id > b->id ? -1 : 1;
}

/* Where @item stands, or would stand. */
static size_t place_of(const struct queue *q, const struct queue_item *item)
{
	size_t lo = 0;
	size_t hi = q->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (in_order(q->v[mid], item) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void insert(struct queue *q, struct queue_item *item)
{
	size_t at = place_of(q, item);

	mem_grow(q->v, q->n, q->cap);
	memmove(q->v + at + 1, q->v + at, (q->n - at) * sizeof(q->v[0]));
	q->v[at] = item;
	q->n++;
}

static void drop(struct queue *q, size_t at)
{
	struct queue_item *item = q->v[at];

	q->n--;
	memmove(q->v + at, q->v + at + 1, (q->n - at) * sizeof(q->v[0]));
	if (item->name)
		map_del(q->by_name, item->name);
	item_free(item);
}

bool queue_put(struct queue *q, const char *name, struct rd message)
{
	struct queue_item *old = name ? map_get(q->by_name, name) : NULL;
	struct queue_item *item = mem_try(1, sizeof(*item) + message.left);

	if (!item)
		return false;
	if (old)
		drop(q, place_of(q, old));
	if (q->n == q->max)
		drop(q, q->n - 1);
	item->id = ++q->last_id;
	item->len = (uint32_t)message.left;
	memcpy(item->bytes, message.p, message.left);
	if (name) {
		item->name = mem_strdup(name);
		map_put(q->by_name, name, item);
	}
	insert(q, item);
	return true;
}

bool queue_has(const struct queue *q, const char *name)
{
	return map_get(q->by_name, name) != NULL;
}

void queue_take(struct queue *q, unsigned limit, struct pack_batch *b)
{
	struct queue_item *sent[PACK_COMPOUND_MAX];
	size_t n_sent = 0;
	size_t kept = 0;

	for (size_t i = 0; i < q->n; i++) {
		struct queue_item *item = q->v[i];

		if (n_sent < ARRAY_LEN(sent) && pack_batch_add(b, rd_from(item->bytes, item->len)))
			sent[n_sent++] = item;
		else
			q->v[kept++] = item;
	}
	q->n = kept;
	for (size_t i = 0; i < n_sent; i++) {
		struct queue_item *item = sent[i];

		item->transmits++;
		if (item->transmits < limit) {
			insert(q, item);
			continue;
		}
		if (item->name)
			map_del(q->by_name, item->name);
		item_free(item);
	}
}
