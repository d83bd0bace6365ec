#include "app/ids.h"

#include "base/err.h"
#include "base/map.h"

struct node_ids {
	struct map *by_name; /* id + 1, so that 0 means absent */
	char *names[NODE_IDS_MAX];
	uint16_t n;
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
		free(ids->names[i]);
	map_free(ids->by_name);
	free(ids);
	return NULL;
}

int node_ids_of(struct node_ids *ids, const char *name, uint16_t *out)
{
	uintptr_t known = (uintptr_t)map_get(ids->by_name, name);

	if (known) {
		*out = (uint16_t)(known - 1);
		return 0;
	}
	if (ids->n == NODE_IDS_MAX)
		return -ERR_LIMIT;
	*out = ids->n;
	ids->names[ids->n++] = mem_strdup(name);
	(void)map_put(ids->by_name, name, (void *)(uintptr_t)ids->n);
	return 0;
}

const char *node_ids_name(const struct node_ids *ids, uint16_t id)
{
	return id < ids->n ? ids->names[id] : NULL;
}
