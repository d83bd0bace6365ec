#include "cluster/keys.h"

#include <assert.h>

void keys_fini(struct keys *k)
{
	free(k->v);
	*k = (struct keys){ 0 };
}

static struct keys_entry *find(const struct keys *k, const struct addr *addr)
{
	for (size_t i = 0; i < k->n; i++)
		if (addr_eq(&k->v[i].addr, addr))
			return &k->v[i];
	return NULL;
}

static struct keys_entry *find_or_add(struct keys *k, const struct addr *addr)
{
	struct keys_entry *x = find(k, addr);

	if (x || k->n == KEYS_ADDRESSES_MAX)
		return x;
	mem_grow(k->v, k->n, k->cap);
	assert(k->v);
	k->v[k->n] = (struct keys_entry){ .addr = *addr };
	return &k->v[k->n++];
}

uint8_t keys_for(const struct keys *k, const struct addr *addr)
{
	const struct keys_entry *x = find(k, addr);

	return x ? x->key : 0;
}

uint8_t keys_for_stream(struct keys *k, const struct addr *addr)
{
	struct keys_entry *x = find(k, addr);

	if (!x || !x->untried)
		return keys_for(k, addr);
	x->untried = false;
	return x->key % k->n_new; /* of the same length */
}

/* Who spoke with one that is gone now is unknown again. */
void keys_renewed(struct keys *k, uint8_t n)
{
	for (size_t i = 0; i < k->n; i++) {
		struct keys_entry *x = &k->v[i];
		bool kept = x->key < n;

		x->key = kept ? (uint8_t)(x->key + n) : 0;
		x->heard &= kept;
		x->untried = kept;
	}
	k->n_new = n;
}

void keys_heard(struct keys *k, const struct addr *addr, uint8_t key)
{
	struct keys_entry *x = find_or_add(k, addr);

	if (x) {
		x->key = key;
		x->heard = true;
		x->untried &= key >= k->n_new;
	}
}

/* Who was heard is merely away: the key is right. */
void keys_failed(struct keys *k, const struct addr *addr, uint8_t n)
{
	struct keys_entry *x = n > 1 ? find_or_add(k, addr) : NULL;

	if (x && !x->heard)
		x->key = (uint8_t)((x->key + 1) % n);
}
