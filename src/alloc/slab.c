#include "alloc/slab.h"

#include <assert.h>
#include <string.h>

void slab_fini(struct slab *s)
{
	for (size_t i = 0; i < s->n_chunks; i++)
		free(s->chunks[i]);
	free(s->chunks);
	*s = (struct slab){ .record = s->record };
}

static uint32_t append(struct slab *s)
{
	assert(s->n < UINT32_MAX / 2); /* users keep a bit of the handle for themselves */
	if (s->n == s->n_chunks * SLAB_CHUNK) {
		mem_grow(s->chunks, s->n_chunks, s->cap_chunks);
		s->chunks[s->n_chunks++] = mem_zero(SLAB_CHUNK, s->record);
	}
	return ++s->n;
}

uint32_t slab_new(struct slab *s)
{
	uint32_t handle = s->free;

	if (!handle)
		return append(s);
	void *record = slab_at(s, handle);
	memcpy(&s->free, record, sizeof(s->free));
	memset(record, 0, s->record);
	return handle;
}

void slab_free(struct slab *s, uint32_t handle)
{
	memcpy(slab_at(s, handle), &s->free, sizeof(s->free));
	s->free = handle;
}
