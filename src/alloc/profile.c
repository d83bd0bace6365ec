#include "alloc/profile.h"

#include <string.h>

void profiles_init(struct profiles *p)
{
	*p = (struct profiles){ .all = SLAB_OF(struct profile), .seed = index_seed() };
}

static void content_free(struct profile *one)
{
	free(one->ports);
	free(one->backend);
}

void profiles_fini(struct profiles *p)
{
	size_t at = 0;

	for (uint32_t handle; (handle = index_each(&p->by_content, &at));)
		content_free(slab_at(&p->all, handle));
	slab_fini(&p->all);
	index_fini(&p->by_content);
}

static uint32_t number_of(const struct cfg_port *port)
{
	return (uint32_t)port->protocol << 16 | port->port;
}

static int by_number(const void *a, const void *b)
{
	uint32_t l = *(const uint32_t *)a, r = *(const uint32_t *)b;

	return l < r ? -1 : l > r;
}

static uint32_t find(const struct profiles *p, const struct profile *like)
{
	struct index_walk w = index_find(&p->by_content, like->hash);
	uint32_t handle;

	while ((handle = index_next(&w))) {
		const struct profile *one = profile_at(p, handle);

		if (one->n == like->n && strcmp(one->backend, like->backend) == 0 &&
		    memcmp(one->ports, like->ports, one->n * sizeof(*one->ports)) == 0)
			break;
	}
	return handle;
}

/* The one with that content; takes what @content points at. */
static uint32_t intern(struct profiles *p, struct profile content)
{
	content.hash = index_hash(p->seed, content.backend, strlen(content.backend)) ^
		       index_hash(p->seed, content.ports, content.n * sizeof(*content.ports));
	uint32_t handle = find(p, &content);
	if (handle) {
		content_free(&content);
		return profile_ref(p, handle);
	}
	content.refs = 1;
	handle = slab_new(&p->all);
	*(struct profile *)slab_at(&p->all, handle) = content;
	index_add(&p->by_content, content.hash, handle);
	return handle;
}

uint32_t profile_of(struct profiles *p, const struct alloc_request *r)
{
	struct profile content = {
		.ports = mem_new_n(uint32_t, r->n_ports + 1),
		.backend = mem_strdup(r->backend ? r->backend : ""),
	};

	for (size_t i = 0; i < r->n_ports; i++)
		content.ports[i] = number_of(&r->ports[i]);
	qsort(content.ports, r->n_ports, sizeof(*content.ports), by_number);
	for (size_t i = 0; i < r->n_ports; i++)
		if (content.n == 0 || content.ports[content.n - 1] != content.ports[i])
			content.ports[content.n++] = content.ports[i];
	return intern(p, content);
}

uint32_t profile_join(struct profiles *p, uint32_t a, uint32_t b)
{
	const struct profile *l = profile_at(p, a), *r = profile_at(p, b);
	struct profile content = {
		.ports = mem_new_n(uint32_t, (size_t)l->n + r->n + 1),
		.backend = mem_strdup(l->backend),
	};

	for (uint32_t i = 0, j = 0; i < l->n || j < r->n;) {
		bool from_l = j == r->n || (i < l->n && l->ports[i] <= r->ports[j]);
		uint32_t port = from_l ? l->ports[i++] : r->ports[j++];

		if (content.n == 0 || content.ports[content.n - 1] != port)
			content.ports[content.n++] = port;
	}
	return intern(p, content);
}

uint32_t profile_without(struct profiles *p, uint32_t all, uint32_t part)
{
	const struct profile *l = profile_at(p, all), *r = profile_at(p, part);
	struct profile content = {
		.ports = mem_new_n(uint32_t, (size_t)l->n + 1),
		.backend = mem_strdup(l->backend),
	};

	for (uint32_t i = 0, j = 0; i < l->n; i++)
		if (j < r->n && l->ports[i] == r->ports[j])
			j++;
		else
			content.ports[content.n++] = l->ports[i];
	return intern(p, content);
}

uint32_t profile_ref(struct profiles *p, uint32_t handle)
{
	((struct profile *)slab_at(&p->all, handle))->refs++;
	return handle;
}

void profile_unref(struct profiles *p, uint32_t handle)
{
	struct profile *one = slab_at(&p->all, handle);

	if (--one->refs)
		return;
	index_del(&p->by_content, one->hash, handle);
	content_free(one);
	slab_free(&p->all, handle);
}

bool profile_same_backend(const struct profile *p, const struct alloc_request *r)
{
	return strcmp(p->backend, r->backend ? r->backend : "") == 0;
}

const struct cfg_port *profile_meets(const struct profile *p, const struct alloc_request *r)
{
	for (size_t i = 0; i < r->n_ports; i++) {
		uint32_t number = number_of(&r->ports[i]);

		if (bsearch(&number, p->ports, p->n, sizeof(number), by_number))
			return &r->ports[i];
	}
	return NULL;
}
