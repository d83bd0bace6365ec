#include "plan/offline.h"

#include <string.h>

#include "alloc/standalone.h"
#include "config/diff.h"
#include "plan/kubernetes.h"
#include "plan/plan.h"

/** A Kubernetes service on its way to its addresses. */
struct candidate {
	struct converge_service s;
	struct converge_result *r; /* of its last pass */
};

struct offline {
	struct arena *arena;
	const struct cfg *cfg;
	struct world *w;
	struct alloc *alloc;
	struct alloc_assignments *standalone;
	struct candidate *candidates; /* in the order of the world */
	size_t n_candidates;
	struct offline_grant *grants;
	size_t n_grants;
	struct map *by_service;
};

/* --- nodes --- */

static bool text_in(const char *text, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i], text) == 0)
			return true;
	return false;
}

/* Somebody without a Node object: what the configuration says of ourselves is all there is. */
static void member_add(struct offline *o, const char *name, bool has_object)
{
	struct world_node node = { .name = name, .alive = true, .has_object = has_object };
	const struct cfg_node *own = &o->cfg->node;

	if (own->name && strcmp(name, own->name) == 0)
		node.labels = own->labels;
	if (!world_node(o->w, name))
		world_node_set(o->w, &node);
}

static void members_add(struct offline *o, const struct offline_conf *conf)
{
	const char *own = o->cfg->node.name ? o->cfg->node.name : "localhost";
	const struct world_node *node;
	bool any = false;

	for (size_t at = 0; (node = world_next_node(o->w, &at)); any = true)
		world_node_alive(o->w, node->name,
				 !conf->n_nodes || text_in(node->name, conf->nodes, conf->n_nodes));
	for (size_t i = 0; i < conf->n_nodes; i++)
		member_add(o, conf->nodes[i], !any);
	if (!conf->n_nodes && !any)
		member_add(o, own, true);
}

/* --- addresses --- */

static void candidates_take(struct offline *o)
{
	const struct world_service *s;
	size_t n = 0;

	for (size_t at = 0; world_next_service(o->w, &at);)
		n++;
	o->candidates = arena_new_n(o->arena, struct candidate, n);
	for (size_t at = 0; (s = world_next_service(o->w, &at));) {
		if (!s->object || !plan_handles(o->cfg, s))
			continue;
		struct candidate *c = &o->candidates[o->n_candidates++];

		c->s = kubernetes_request(o->w, s, o->arena);
		kubernetes_fill(&c->s, s, o->cfg, o->arena);
	}
}

/* Its status says these addresses, and nothing else. */
static void candidate_has(struct offline *o, struct candidate *c, const struct addr *v, size_t n,
			  const char *pool)
{
	struct converge_ingress *ingress = arena_new_n(o->arena, struct converge_ingress, n);

	for (size_t i = 0; i < n; i++)
		ingress[i].ip = arena_strdup(o->arena, ADDR_TEXT(&v[i]));
	c->s.ingress = ingress;
	c->s.n_ingress = n;
	c->s.allocated_from = (struct converge_annotation){ .current = pool };
}

static void candidates_hold(struct offline *o, const struct offline *held)
{
	for (size_t i = 0; i < o->n_candidates; i++) {
		struct candidate *c = &o->candidates[i];
		const struct offline_grant *g = offline_grant(held, c->s.key);

		if (g)
			candidate_has(o, c, g->addresses, g->n, g->pool);
	}
}

static struct candidate *candidate_of(const struct converge_service *s)
{
	return CONTAINER_OF((struct converge_service *)(uintptr_t)s, struct candidate, s);
}

/* True when others may fit now. */
static bool candidate_run(struct offline *o, struct candidate *c)
{
	converge_result_free(c->r);
	c->r = converge_run(o->alloc, &c->s);
	c->s.terms = c->r->terms;
	if (c->r->is_changed && !c->r->is_left)
		candidate_has(o, c, c->r->addresses, c->r->n, c->r->pool);
	return c->r->run_others;
}

/* Whoever gives something up may make room for those before it; that ends soon, and surely. */
static void candidates_run(struct offline *o, const struct converge_service **order)
{
	enum { PASSES_MAX = 16 };
	bool again = true;

	for (int pass = 0; again && pass < PASSES_MAX; pass++) {
		again = false;
		for (size_t i = 0; i < o->n_candidates; i++)
			again |= candidate_run(o, candidate_of(order[i]));
	}
}

/* The daemon that wrote it all: the name decides nothing while it is alone. */
static const char writer[] = "held";

/*
 * Follow another configuration as a daemon does: what is gone counts until the rest is written
 * down, and only then makes room.
 */
static void table_follow(struct alloc_table *t, const struct cfg *c)
{
	struct alloc_assignments *x = alloc_standalone(c, t);

	(void)alloc_table_record(t, x, writer);
	alloc_assignments_free(x);
	(void)alloc_table_prune(t, c, writer);
}

/* What standalone services had, as the table of their allocations would say it. */
static struct alloc_table *table_of(const struct offline *held)
{
	struct alloc_table *t = alloc_table_new();

	for (size_t i = 0; held && i < held->standalone->n; i++) {
		const struct alloc_assignment *x = &held->standalone->v[i];
		struct alloc_entry e = { .service = x->service,
					 .addresses = x->addresses,
					 .n = x->n,
					 .sharing_key = x->sharing_key,
					 .epoch = 1,
					 .node = writer };

		if (x->n && x->n <= ALLOC_ENTRY_MAX)
			(void)!alloc_table_put(t, &e);
	}
	return t;
}

static void addresses_find(struct offline *o, const struct offline *held)
{
	CLEANUP(alloc_table_freep) struct alloc_table *table = table_of(held);
	const struct converge_service **order;

	candidates_take(o);
	if (held) {
		candidates_hold(o, held);
		table_follow(table, o->cfg);
	}
	order = arena_new_n(o->arena, const struct converge_service *, o->n_candidates);
	for (size_t i = 0; i < o->n_candidates; i++)
		order[i] = &o->candidates[i].s;
	converge_order(order, o->n_candidates);
	/* To the letter, a controller that starts has no such thing; one that runs has no need. */
	for (size_t i = 0; i < o->n_candidates && (held || !world_is_reference(o->w)); i++)
		converge_claim(o->alloc, order[i]);
	o->standalone = alloc_standalone_with(o->alloc, o->cfg, table);
	candidates_run(o, order);
}

/* --- what came of it --- */

static void grant_add(struct offline *o, struct offline_grant g)
{
	struct offline_grant *at = &o->grants[o->n_grants++];

	*at = g;
	(void)map_put(o->by_service, g.service, at);
	world_service_assign(o->w, g.service, g.addresses, g.n);
}

static void grants_take(struct offline *o)
{
	const struct alloc_assignments *x = o->standalone;

	o->grants = arena_new_n(o->arena, struct offline_grant, x->n + o->n_candidates);
	for (size_t i = 0; i < x->n; i++)
		grant_add(o, (struct offline_grant){ .service = x->v[i].service,
						     .pool = x->v[i].pool,
						     .addresses = x->v[i].addresses,
						     .n = x->v[i].n,
						     .reason = x->v[i].reason });
	for (size_t i = 0; i < o->n_candidates; i++) {
		const struct candidate *c = &o->candidates[i];

		grant_add(o, (struct offline_grant){ .service = c->s.key,
						     .pool = c->r->pool,
						     .addresses = c->r->addresses,
						     .n = c->r->n,
						     .reason = c->r->n ? NULL : c->r->why });
	}
}

static void serve_everywhere(struct offline *o)
{
	const struct alloc_assignments *x = o->standalone;
	const struct world_node *node;

	for (size_t i = 0; i < x->n; i++)
		for (size_t at = 0; (node = world_next_node(o->w, &at));)
			world_service_endpoint(o->w, x->v[i].service, node->name, true);
}

struct offline *offline_new(const struct cfg *c, const struct offline_conf *conf)
{
	struct offline *o = mem_new(struct offline);

	o->arena = arena_new();
	o->cfg = c;
	o->w = world_new(NULL);
	o->alloc = alloc_new(c);
	o->by_service = map_new();
	world_set_config(o->w, c);
	world_set_reference(o->w, conf->reference);
	if (conf->objects)
		object_set_move(conf->objects, o->w);
	(void)kubernetes_tell_namespaces(o->w, o->alloc);
	members_add(o, conf);
	addresses_find(o, conf->held);
	grants_take(o);
	serve_everywhere(o);
	return o;
}

struct offline *offline_free(struct offline *o)
{
	if (!o)
		return NULL;
	for (size_t i = 0; i < o->n_candidates; i++)
		converge_result_free(o->candidates[i].r);
	alloc_assignments_free(o->standalone);
	alloc_free(o->alloc);
	map_free(o->by_service);
	world_free(o->w);
	arena_free(o->arena);
	free(o);
	return NULL;
}

const struct world *offline_world(const struct offline *o)
{
	return o->w;
}

const struct offline_grant *offline_grants(const struct offline *o, size_t *n)
{
	*n = o->n_grants;
	return o->grants;
}

const struct offline_grant *offline_grant(const struct offline *o, const char *service)
{
	return map_get(o->by_service, service);
}

int offline_check(const struct offline *in_force, const struct cfg *c, struct err *e)
{
	int status = cfg_check_emptied(in_force->cfg, c, e);

	return status < 0 ? status : alloc_check_shrink(in_force->standalone, c, e);
}
