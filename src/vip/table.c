#include "vip/table.h"

#include <string.h>

#define INDEX_MIN ((size_t)16)

static size_t home_of(const struct vip_table *t, const void *object)
{
	return addr_hash(object) & t->mask;
}

void vip_table_init(struct vip_table *t)
{
	*t = (struct vip_table){ .index = mem_new_n(uint32_t, INDEX_MIN), .mask = INDEX_MIN - 1 };
}

void vip_table_fini(struct vip_table *t)
{
	free(t->v);
	free(t->index);
	*t = (struct vip_table){ 0 };
}

/* Linear probing: the slot of the address, or the free one where it would go. */
static size_t slot_of(const struct vip_table *t, const struct addr *a)
{
	size_t slot = home_of(t, a);

	while (t->index[slot] && !addr_eq(t->v[t->index[slot] - 1], a))
		slot = (slot + 1) & t->mask;
	return slot;
}

void *vip_table_find(const struct vip_table *t, const struct addr *a)
{
	uint32_t place = t->index[slot_of(t, a)];

	return place ? t->v[place - 1] : NULL;
}

/* Close the gaps of those that were removed, and find the others anew. */
static void rebuild(struct vip_table *t, size_t slots)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->v[i])
			t->v[n++] = t->v[i];
	t->n = n;
	free(t->index);
	t->index = mem_new_n(uint32_t, slots);
	t->mask = slots - 1;
	for (size_t i = 0; i < n; i++)
		t->index[slot_of(t, t->v[i])] = (uint32_t)i + 1;
}

/* Twice the slots when three quarters are taken; half of them when the table was much longer once. */
static void make_room(struct vip_table *t)
{
	size_t slots = t->mask + 1;

	if (t->live + 1 > slots / 4 * 3)
		rebuild(t, slots * 2);
	else if (t->n == t->cap && t->live < t->n / 2)
		rebuild(t, t->live < slots / 8 ? MAX(slots / 2, INDEX_MIN) : slots);
	mem_grow(t->v, t->n, t->cap);
}

void vip_table_add(struct vip_table *t, void *object)
{
	make_room(t);
	t->v[t->n++] = object;
	t->live++;
	t->index[slot_of(t, object)] = (uint32_t)t->n;
}

/* Those behind a slot that was freed move up, unless they would come before where probing begins. */
static void close_gap(struct vip_table *t, size_t gap)
{
	for (size_t slot = (gap + 1) & t->mask; t->index[slot]; slot = (slot + 1) & t->mask) {
		size_t home = home_of(t, t->v[t->index[slot] - 1]);

		if (((slot - home) & t->mask) < ((slot - gap) & t->mask))
			continue;
		t->index[gap] = t->index[slot];
		gap = slot;
	}
	t->index[gap] = 0;
}

void vip_table_remove(struct vip_table *t, const struct addr *a)
{
	size_t slot = slot_of(t, a);

	if (!t->index[slot])
		return;
	size_t place = t->index[slot] - 1;
	close_gap(t, slot);
	t->v[place] = NULL;
	t->live--;
}

void *vip_table_next(const struct vip_table *t, size_t *at)
{
	while (*at < t->n) {
		void *object = t->v[(*at)++];

		if (object)
			return object;
	}
	return NULL;
}
