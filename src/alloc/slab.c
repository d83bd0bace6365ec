#include "alloc/slab.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Bytes of a chunk at most: no great loss where there are few records of a kind. Where there are
 * very many, many chunks come at once, in one block.
 */
enum { CHUNK_BYTES = 8192, MANY_CHUNKS = 512, HUGE_FROM = 2 << 20 };

void slab_init(struct slab *s, size_t record)
{
	*s = (struct slab){ .record = (uint32_t)record };
	while ((record << (s->shift + 1)) <= CHUNK_BYTES)
		s->shift++;
}

void slab_fini(struct slab *s)
{
	for (size_t i = 0; i < s->n_blocks; i++)
		free(s->blocks[i]);
	free(s->blocks);
	free(s->chunks);
	slab_init(s, s->record);
}

static void add_block(struct slab *s)
{
	size_t n = s->n_chunks < MANY_CHUNKS ? 1 : MANY_CHUNKS;
	size_t records = (size_t)1 << s->shift;
	uint8_t *block = table_new(n * records, s->record);

	mem_grow(s->blocks, s->n_blocks, s->cap_blocks);
	s->blocks[s->n_blocks++] = block;
	for (size_t i = 0; i < n; i++) {
		mem_grow(s->chunks, s->n_chunks, s->cap_chunks);
		s->chunks[s->n_chunks++] = block + i * records * s->record;
	}
}

static uint32_t append(struct slab *s)
{
	assert(s->n < SLAB_MAX);
	if (s->n == s->n_chunks << s->shift)
		add_block(s);
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

void *table_new(size_t n, size_t size)
{
	uint8_t *table = mem_zero(n, size);
	size_t bytes = n * size, page = (size_t)sysconf(_SC_PAGESIZE);
	size_t skip = (size_t)(-(uintptr_t)table % page);

	if (bytes >= HUGE_FROM) /* a kernel that has none does without */
		(void)madvise(table + skip, bytes - skip, MADV_HUGEPAGE);
	return table;
}
