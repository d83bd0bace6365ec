#include "plan/plan.h"

#include <stdio.h>
#include <string.h>

#include "plan/plan_priv.h"

/* Of one decision: each service keeps its own. */
enum { PLAN_ARENA = 512 };

static void draft_silence(struct draft *d, const char *reason, const char *detail)
{
	mem_grow(d->silent, d->n_silent, d->cap_silent);
	d->silent[d->n_silent++] = (struct plan_silence){
		.mode = d->mode,
		.reason = reason,
		.detail = detail,
		.peer = d->peer,
	};
}

static void draft_condition(struct draft *d, const struct plan_condition *c)
{
	mem_grow(d->conditions, d->n_conditions, d->cap_conditions);
	d->conditions[d->n_conditions++] = *c;
}

bool draft_test(struct draft *d, const char *name, bool ok, const char *reason, const char *value,
		...)
{
	char text[512];
	va_list args;

	if (ok && !d->trace)
		return true;
	va_start(args, value);
	(void)vsnprintf(text, sizeof(text), value, args);
	va_end(args);
	const char *found = arena_strdup(d->a, text);
	if (!ok)
		draft_silence(d, reason, found);
	if (d->trace)
		draft_condition(d, &(struct plan_condition){ .name = name,
							     .value = found,
							     .ok = ok,
							     .reason = ok ? NULL : reason });
	return ok;
}

const char *draft_no_object(const struct draft *d)
{
	bool lacks = d->node && subject_lacks_object(&d->sub, d->node);

	return lacks ? ": there is no Node object of its name" : "";
}

/* Only for people: a plan that nobody asks about does not spell its addresses. */
static const char *addresses_text(const struct draft *d)
{
	const struct world_service *s = d->sub.s;
	const char *text = "";

	for (size_t i = 0; i < s->n_addresses; i++)
		text = arena_printf(d->scratch, "%s%s%s", text, i ? ", " : "",
				    ADDR_TEXT(&s->addresses[i]));
	return text;
}

/* What makes a service nobody's to announce, before it is looked at where. */
static const struct unfit {
	const char *reason, *name, *text;
} unfit[] = {
	{ REASON_NOT_LOAD_BALANCER, "load-balancer", "it is not of type LoadBalancer" },
	{ REASON_OTHER_CLASS, "load-balancer-class", "its loadBalancerClass is not ours" },
	{ REASON_BAD_ADDRESS, "address-assigned", "its status has an entry that is no address" },
	{ REASON_NO_ADDRESS, "address-assigned", "it has no address" },
};

static const struct unfit *unfit_find(const char *reason)
{
	for (size_t i = 0; reason && i < ARRAY_LEN(unfit); i++)
		if (strcmp(unfit[i].reason, reason) == 0)
			return &unfit[i];
	return NULL;
}

/* What comes before both modes; a failure silences each of them. */
static bool draft_begin(struct draft *d, const struct world *w, const char *key)
{
	const struct world_service *s = world_service(w, key);

	if (!s)
		return draft_test(d, "service", false, REASON_DELETED, "there is no such service");
	const char *reason = subject_init(&d->sub, w, s);
	const struct unfit *no = unfit_find(reason);
	if (no)
		return draft_test(d, no->name, false, reason, "%s", no->text);
	if (!reason && !d->trace)
		return true;
	(void)draft_test(d, "address-assigned", true, NULL, "%s", addresses_text(d));
	return draft_test(d, "address-allowed", !reason, reason, "%s",
			  reason ? "its addresses are not all in one pool"
				 : subject_where(&d->sub, d->scratch));
}

static bool mode_has_adv(const struct subject *sub, enum cfg_protocol mode)
{
	size_t at = 0;

	return mode == CFG_LAYER2 ? layer2_next_adv(sub, &at) != NULL
				  : bgp_next_adv(sub, &at) != NULL;
}

/* Go through the tests of one mode. An explanation leaves out what nobody asked for. */
static void draft_mode(struct draft *d, enum cfg_protocol mode, enum cfg_protocol other,
		       void (*decide)(struct draft *))
{
	bool unasked = !mode_has_adv(&d->sub, mode) && mode_has_adv(&d->sub, other);
	size_t from = d->n_silent;

	d->mode = mode;
	if (!unasked || !d->trace)
		decide(d);
	for (size_t i = from; i < d->n_silent; i++)
		d->silent[i].unasked = unasked;
}

/* The same silence holds for the other mode. */
static void draft_mirror(struct draft *d)
{
	struct plan_silence last = d->silent[d->n_silent - 1];

	d->mode = CFG_BGP;
	draft_silence(d, last.reason, last.detail);
}

static void draft_decide(struct draft *d, const struct world *w, const char *key)
{
	if (!world_config(w))
		return;
	d->mode = CFG_LAYER2;
	d->node = world_node(w, d->node_name);
	if (!draft_begin(d, w, key)) {
		draft_mirror(d);
		return;
	}
	draft_mode(d, CFG_LAYER2, CFG_BGP, layer2_decide);
	draft_mode(d, CFG_BGP, CFG_LAYER2, bgp_decide);
}

void *arena_settle(struct arena *a, void *v, size_t n, size_t size)
{
	void *out = n ? arena_zero(a, n, size) : NULL;

	if (n)
		memcpy(out, v, n * size);
	free(v);
	return out;
}

static void draft_init(struct draft *d, const char *node, bool trace)
{
	*d = (struct draft){ .a = arena_new_small(PLAN_ARENA),
			     .scratch = arena_new(),
			     .trace = trace };
	d->node_name = arena_strdup(d->a, node);
}

struct plan *plan_service(const struct world *w, const char *key, const char *node)
{
	struct plan *p = mem_new(struct plan);
	struct draft d;

	draft_init(&d, node, false);
	draft_decide(&d, w, key);
	*p = (struct plan){
		.arena = d.a,
		.service = arena_strdup(d.a, key),
		.node = d.node_name,
		.l2 = d.l2,
		.n_l2 = d.n_l2,
		.owner = d.owner,
		.bgp = arena_settle(d.a, d.bgp, d.n_bgp, sizeof(*d.bgp)),
		.n_bgp = d.n_bgp,
		.silent = arena_settle(d.a, d.silent, d.n_silent, sizeof(*d.silent)),
		.n_silent = d.n_silent,
	};
	arena_free(d.scratch);
	return p;
}

struct plan *plan_free(struct plan *p)
{
	if (!p)
		return NULL;
	arena_free(p->arena);
	free(p);
	return NULL;
}

static const struct cfg_peer *peer_follow(const struct cfg_peer *peer, const struct cfg *from,
					  const struct cfg *to)
{
	return peer ? &to->peers[peer - from->peers] : NULL;
}

void plan_follow(struct plan *p, const struct cfg *from, const struct cfg *to)
{
	struct plan_bgp *bgp = (struct plan_bgp *)(uintptr_t)p->bgp; /* in our own arena */
	struct plan_silence *silent = (struct plan_silence *)(uintptr_t)p->silent;

	for (size_t i = 0; i < p->n_bgp; i++)
		bgp[i].peer = peer_follow(bgp[i].peer, from, to);
	for (size_t i = 0; i < p->n_silent; i++)
		silent[i].peer = peer_follow(silent[i].peer, from, to);
}

struct plan_explanation *plan_explain(const struct world *w, const char *key, const char *node)
{
	struct plan_explanation *x = mem_new(struct plan_explanation);
	struct draft d;

	draft_init(&d, node, true);
	draft_decide(&d, w, key);
	*x = (struct plan_explanation){
		.arena = d.a,
		.subject = arena_strdup(d.a, key),
		.announced = d.owner || d.n_bgp > 0,
		.v = arena_settle(d.a, d.conditions, d.n_conditions, sizeof(*d.conditions)),
		.n = d.n_conditions,
	};
	free(d.bgp);
	free(d.silent);
	arena_free(d.scratch);
	return x;
}

struct plan_explanation *plan_explanation_free(struct plan_explanation *x)
{
	if (!x)
		return NULL;
	arena_free(x->arena);
	free(x);
	return NULL;
}

bool plan_peer_runs(const struct world *w, const struct cfg_peer *peer, const char *node)
{
	const struct world_node *n = world_node(w, node);

	return n && selectors_match(&peer->node_selectors, &n->labels);
}
