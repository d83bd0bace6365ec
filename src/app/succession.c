#include "app/succession.h"

#include <string.h>

#include "app/json.h"
#include "plan/plan.h"

/* What keeps a node from being first: the condition of Layer 2 that fails, but for the ranking itself. */
static void set_reason(json_t *item, const struct world *w, const char *service, const char *node)
{
	struct plan_explanation *x = plan_explain(w, service, node);

	for (size_t i = 0; i < x->n; i++) {
		const struct plan_condition *c = &x->v[i];

		if (c->ok || strncmp(c->name, "layer2-", strlen("layer2-")) != 0)
			continue;
		json_set_text(item, "reason", c->value);
		break;
	}
	plan_explanation_free(x);
}

static bool has_node(const struct plan_l2 *l2, const char *node)
{
	for (size_t i = 0; i < l2->n_succession; i++)
		if (strcmp(l2->succession[i].node, node) == 0)
			return true;
	return false;
}

static void add_candidates(json_t *nodes, const struct world *w, const char *service,
			   const struct plan_l2 *l2)
{
	for (size_t i = 0; i < l2->n_succession && i < SUCCESSION_NODES; i++) {
		const struct plan_candidate *c = &l2->succession[i];
		json_t *item = json_pack("{s:s, s:I}", "node", c->node, "place", (json_int_t)i + 1);

		if (c->score)
			json_object_set_new(item, "score", json_integer(c->score));
		set_reason(item, w, service, c->node);
		json_array_append_new(nodes, item);
	}
}

static void add_others(json_t *nodes, const struct world *w, const char *service,
		       const struct plan_l2 *l2)
{
	const struct world_node *n;
	size_t added = 0;

	for (size_t at = 0; added < SUCCESSION_NODES && (n = world_next_node(w, &at));) {
		if (!n->alive || has_node(l2, n->name))
			continue;
		json_t *item = json_pack("{s:s}", "node", n->name);

		set_reason(item, w, service, n->name);
		json_array_append_new(nodes, item);
		added++;
	}
}

static json_t *lists_of(const struct world *w, const char *service, const struct plan *p)
{
	json_t *lists = json_array();

	for (size_t i = 0; i < p->n_l2; i++) {
		const struct plan_l2 *l2 = &p->l2[i];
		json_t *nodes = json_array();

		if (i && l2->succession == p->l2[i - 1].succession) {
			json_decref(nodes);
			continue;
		}
		add_candidates(nodes, w, service, l2);
		add_others(nodes, w, service, l2);
		json_array_append_new(lists, json_pack("{s:s, s:o}", "address",
						       ADDR_TEXT(&l2->addr), "nodes", nodes));
	}
	return lists;
}

/* Each node's plan has the lists that it is in: that of any candidate will do. */
json_t *succession_json(const struct world *w, const char *service)
{
	const struct world_node *n;
	json_t *lists = json_array();
	size_t asked = 0;

	for (size_t at = 0; json_array_size(lists) == 0 && asked < SUCCESSION_NODES &&
			    (n = world_next_node(w, &at));) {
		if (!n->alive)
			continue;
		struct plan *p = plan_service(w, service, n->name);

		json_decref(lists);
		lists = lists_of(w, service, p);
		plan_free(p);
		asked++;
	}
	return lists;
}
