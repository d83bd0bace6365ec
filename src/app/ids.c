#include "app/ids.h"

#include <assert.h>

#include "base/err.h"
#include "base/map.h"

struct number {
	char *name;
	uint32_t holds;
	bool living;
};

struct node_ids {
	struct map *by_name; /* id + 1, so that 0 means absent */
	struct number v[NODE_IDS_MAX];
	uint16_t n;
	uint16_t next; /* where the search for one that can be given away goes on */
};

struct node_ids *node_ids_new(void)
{
	struct node_ids *ids = mem_new(struct node_ids);

	ids->by_name = map_new();
	return ids;
}

struct node_ids *node_ids_free(struct node_ids *ids)
{
	if (!ids)
		return NULL;
	for (uint16_t i = 0; i < ids->n; i++)
		free(ids->v[i].name);
	map_free(ids->by_name);
	free(ids);
	return NULL;
}

/* A number that was never given out, or the next one in turn that nobody needs. */
static bool find_free(struct node_ids *ids, uint16_t *out)
{
	if (ids->n < NODE_IDS_MAX) {
		*out = ids->n++;
		return true;
	}
	for (unsigned tried = 0; tried < NODE_IDS_MAX; tried++) {
		uint16_t id = ids->next;

		ids->next = (uint16_t)((id + 1) % NODE_IDS_MAX);
		if (ids->v[id].holds || ids->v[id].living)
			continue;
		*out = id;
		return true;
	}
	return false;
}

bool node_ids_find(const struct node_ids *ids, const char *name, uint16_t *out)
{
	uintptr_t known = (uintptr_t)map_get(ids->by_name, name);

	if (known)
		*out = (uint16_t)(known - 1);
	return known != 0;
}

int node_ids_of(struct node_ids *ids, const char *name, uint16_t *out)
{
	if (node_ids_find(ids, name, out))
		return 0;
	if (!find_free(ids, out))
		return -ERR_LIMIT;
	struct number *x = &ids->v[*out];
	if (x->name)
		(void)map_del(ids->by_name, x->name);
	free(x->name);
	*x = (struct number){ .name = mem_strdup(name) };
	(void)map_put(ids->by_name, name, (void *)(uintptr_t)(*out + 1));
	return 0;
}

const char *node_ids_name(const struct node_ids *ids, uint16_t id)
{
	return id < ids->n ? ids->v[id].name : NULL;
}

void node_ids_hold(struct node_ids *ids, uint16_t id)
{
	ids->v[id].holds++;
}

void node_ids_release(struct node_ids *ids, uint16_t id)
{
	assert(ids->v[id].holds > 0);
	ids->v[id].holds--;
}

void node_ids_set_living(struct node_ids *ids, uint16_t id, bool living)
{
	ids->v[id].living = living;
}

bool node_ids_is_living(const struct node_ids *ids, uint16_t id)
{
	return ids->v[id].living;
}
