#include "alloc/profile.h"

#include <string.h>

void profiles_init(struct profiles *p)
{
	*p = (struct profiles){ .seed = index_seed() };
	slab_init(&p->all, sizeof(struct profile));
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

static char *text_of(const char *backend)
{
	return (char *)(uintptr_t)(backend ? backend : "");
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

/* The one with that content, which is copied where it is new. */
static uint32_t intern(struct profiles *p, struct profile content)
{
	content.hash = index_hash(p->seed, content.backend, strlen(content.backend)) ^
		       index_hash(p->seed, content.ports, content.n * sizeof(*content.ports));
	uint32_t handle = find(p, &content);
	if (handle)
		return profile_ref(p, handle);
	content.refs = 1;
	content.ports = mem_dup(content.ports, MAX(content.n, 1U) * sizeof(*content.ports));
	content.backend = mem_strdup(content.backend);
	handle = slab_new(&p->all);
	*(struct profile *)slab_at(&p->all, handle) = content;
	index_add(&p->by_content, content.hash, handle);
	return handle;
}

/** Ports that are put together, mostly few. */
struct scratch {
	uint32_t few[32];
	uint32_t *ports;
};

/* At least one, so that there is something to point at. */
static void scratch_init(struct scratch *s, size_t n)
{
	s->ports = n < ARRAY_LEN(s->few) ? s->few : mem_new_n(uint32_t, n + 1);
	s->ports[0] = 0;
}

static void scratch_fini(struct scratch *s)
{
	if (s->ports != s->few)
		free(s->ports);
}

uint32_t profile_of(struct profiles *p, const struct alloc_request *r)
{
	CLEANUP(scratch_fini) struct scratch s;
	uint32_t n = 0;

	scratch_init(&s, r->n_ports);
	for (size_t i = 0; i < r->n_ports; i++)
		s.ports[i] = number_of(&r->ports[i]);
	qsort(s.ports, r->n_ports, sizeof(*s.ports), by_number);
	for (size_t i = 0; i < r->n_ports; i++)
		if (n == 0 || s.ports[n - 1] != s.ports[i])
			s.ports[n++] = s.ports[i];
	return intern(p,
		      (struct profile){ .ports = s.ports, .n = n, .backend = text_of(r->backend) });
}

uint32_t profile_join(struct profiles *p, uint32_t a, uint32_t b)
{
	const struct profile *l = profile_at(p, a), *r = profile_at(p, b);
	CLEANUP(scratch_fini) struct scratch s;
	uint32_t n = 0;

	scratch_init(&s, (size_t)l->n + r->n);
	for (uint32_t i = 0, j = 0; i < l->n || j < r->n;) {
		bool from_l = j == r->n || (i < l->n && l->ports[i] <= r->ports[j]);
		uint32_t port = from_l ? l->ports[i++] : r->ports[j++];

		if (n == 0 || s.ports[n - 1] != port)
			s.ports[n++] = port;
	}
	return intern(p, (struct profile){ .ports = s.ports, .n = n, .backend = l->backend });
}

uint32_t profile_without(struct profiles *p, uint32_t all, uint32_t part)
{
	const struct profile *l = profile_at(p, all), *r = profile_at(p, part);
	CLEANUP(scratch_fini) struct scratch s;
	uint32_t n = 0;

	scratch_init(&s, l->n);
	for (uint32_t i = 0, j = 0; i < l->n; i++)
		if (j < r->n && l->ports[i] == r->ports[j])
			j++;
		else
			s.ports[n++] = l->ports[i];
	return intern(p, (struct profile){ .ports = s.ports, .n = n, .backend = l->backend });
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
	return strcmp(p->backend, text_of(r->backend)) == 0;
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
