#include "app/binding.h"

#include <string.h>

#include "base/log.h"
#include "vip/table.h"
#include "vip/vip.h"

/* One address, and what its services want for it. There may be very many: 40 bytes. */
struct bound {
	struct addr addr;  /* first, for the table */
	bool owned;	   /* by Layer 2 */
	bool prepared;	   /* it is going to be */
	uint32_t services; /* that have it and want it bound */
	uint32_t routed;   /* of these, announced by BGP */
	uint32_t link;	   /* named by a service: which of the names; 0: auto */
	struct mono until; /* lost but still forwarded for, or expected; 0: neither */
};

/* What a service put into the addresses above, so that it can be taken out again. */
struct share_of_service {
	struct addr *addrs;
	size_t n;
	bool routed;
};

struct binding {
	const struct layer2 *layer2;
	struct vip_manager *vips;
	struct vip_table addrs; /* of struct bound */
	char **links;		/* names that services have given, each once; [0]: NULL for auto */
	size_t n_links, cap_links;
	struct map *services; /* service -> struct share_of_service */
	struct loop *loop;
	struct loop_timer lingering;
	struct mono next_end; /* when it fires */
	struct dur linger;
};

static struct bound *bound_find(const struct binding *b, const struct addr *a)
{
	return vip_table_find(&b->addrs, a);
}

static struct bound *bound_of(struct binding *b, const struct addr *a)
{
	struct bound *x = bound_find(b, a);

	if (x)
		return x;
	x = mem_new(struct bound);
	x->addr = *a;
	x->owned = layer2_owns(b->layer2, a);
	vip_table_add(&b->addrs, x);
	return x;
}

/* Layer 2's link comes before lo: there the clients' packets arrive. */
static void bound_settle(struct binding *b, struct bound *x)
{
	if (x->services && (x->owned || x->prepared || x->until.ns))
		vip_want(b->vips, &x->addr, VIP_LAYER2, b->links[x->link]);
	else if (x->services && x->routed)
		vip_want(b->vips, &x->addr, VIP_ROUTED, b->links[x->link]);
	else
		vip_unwant(b->vips, &x->addr);
	if (!x->services && !x->owned && !x->prepared && !x->until.ns) {
		vip_table_remove(&b->addrs, &x->addr);
		free(x);
	}
}

static void share_take_out(struct binding *b, const char *service)
{
	struct share_of_service *s = map_del(b->services, service);

	for (size_t i = 0; s && i < s->n; i++) {
		struct bound *x = bound_of(b, &s->addrs[i]);

		x->services--;
		x->routed -= s->routed;
	}
	if (s)
		free(s->addrs);
	free(s);
}

static uint32_t link_numbered(struct binding *b, const struct cfg_service *c)
{
	size_t i = 1;

	if (c->bind != CFG_BIND_LINK)
		return 0;
	while (i < b->n_links && strcmp(b->links[i], c->bind_link) != 0)
		i++;
	if (i == b->n_links) {
		mem_grow(b->links, b->n_links, b->cap_links);
		b->links[b->n_links++] = mem_strdup(c->bind_link);
	}
	return (uint32_t)i;
}

static void share_put_in(struct binding *b, const struct world_service *ws, const struct plan *plan)
{
	struct share_of_service *s = mem_new(struct share_of_service);

	s->n = ws->n_addresses;
	s->addrs = mem_dup(ws->addresses, s->n * sizeof(*s->addrs));
	s->routed = plan->n_bgp > 0;
	uint32_t link = link_numbered(b, ws->cfg);
	for (size_t i = 0; i < s->n; i++) {
		struct bound *x = bound_of(b, &s->addrs[i]);

		x->services++;
		x->routed += s->routed;
		x->link = link;
	}
	(void)map_put(b->services, ws->key, s);
}

static bool wants_binding(const struct world_service *ws)
{
	return ws && ws->cfg && ws->cfg->bind != CFG_BIND_NONE;
}

void binding_service(struct binding *b, const struct world *w, const char *service,
		     const struct plan *plan)
{
	const struct world_service *ws = world_service(w, service);
	const struct share_of_service *before = map_get(b->services, service);
	struct addr *touched = before ? mem_dup(before->addrs, before->n * sizeof(*touched)) : NULL;
	size_t n = before ? before->n : 0;

	share_take_out(b, service);
	if (plan && wants_binding(ws))
		share_put_in(b, ws, plan);
	/* First all is counted, then addresses move: what stays is never taken off in between. */
	for (size_t i = 0; i < n; i++)
		if (bound_find(b, &touched[i]))
			bound_settle(b, bound_find(b, &touched[i]));
	for (size_t i = 0; plan && wants_binding(ws) && i < ws->n_addresses; i++)
		bound_settle(b, bound_of(b, &ws->addresses[i]));
	free(touched);
}

/* What is expected and does not come goes again. */
#define EXPECTED_MAX DUR_S(1)

static void keep_until(struct binding *b, struct bound *x, struct mono until)
{
	x->until = until;
	if (loop_timer_active(&b->lingering) && mono_before(b->next_end, until))
		return;
	b->next_end = until;
	loop_timer_set(&b->lingering, until);
}

void binding_expect(struct binding *b, const struct addr *addr)
{
	struct bound *x = bound_find(b, addr);

	if (!x || x->owned)
		return;
	keep_until(b, x, mono_add(loop_now(b->loop), EXPECTED_MAX));
	bound_settle(b, x);
}

void binding_owner(struct binding *b, const struct addr *addr, bool owned)
{
	struct bound *x = bound_find(b, addr);

	if (!x)
		return;
	x->until = (struct mono){ 0 };
	if (x->owned && !owned && b->linger.ns > 0)
		keep_until(b, x, mono_add(loop_now(b->loop), b->linger));
	x->owned = owned;
	bound_settle(b, x);
}

static void linger_over(struct loop_timer *t, struct mono now)
{
	struct binding *b = CONTAINER_OF(t, struct binding, lingering);
	struct mono next = MONO_NEVER;
	struct bound *x;

	for (size_t at = 0; (x = vip_table_next(&b->addrs, &at));) {
		if (x->until.ns && mono_before(now, x->until)) {
			next = mono_min(next, x->until);
		} else if (x->until.ns) {
			x->until = (struct mono){ 0 };
			bound_settle(b, x);
		}
	}
	b->next_end = next;
	loop_timer_set(t, next);
}

void binding_end_connections(struct binding *b, bool wanted)
{
	vip_end_connections(b->vips, wanted);
}

_Atomic int64_t *binding_pulse(struct binding *b)
{
	return vip_pulse(b->vips);
}

void binding_pulse_limit(struct binding *b, struct dur limit)
{
	vip_pulse_limit(b->vips, limit);
}

void binding_linger(struct binding *b, struct dur linger)
{
	b->linger = linger;
}

void binding_prepare(struct binding *b, const struct addr *addr, bool prepare)
{
	struct bound *x = bound_find(b, addr);

	if (!x || x->prepared == prepare)
		return;
	x->prepared = prepare;
	bound_settle(b, x);
}

bool binding_is_settled(const struct binding *b, const struct addr *addr)
{
	struct vip_status st;

	return !vip_state(b->vips, addr, &st) || st.state != VIP_PENDING;
}

struct binding_state binding_state(const struct binding *b, const struct addr *addr)
{
	struct vip_status st;

	if (!vip_state(b->vips, addr, &st))
		return (struct binding_state){ "", "" };
	bool trouble = st.state == VIP_UNPLACED || st.state == VIP_FAILED;
	return (struct binding_state){ st.link, trouble ? st.reason : "" };
}

bool binding_has(const struct binding *b, const struct addr *addr)
{
	struct vip_status st;

	return vip_state(b->vips, addr, &st) && st.state == VIP_BOUND;
}

const char *binding_impossible(const struct binding *b, const struct addr *addr, const char *link)
{
	struct vip_status st;

	return vip_possible(b->vips, addr, VIP_LAYER2, link, &st) ? NULL : st.reason;
}

static bool link_allowed(void *ctx, const char *name)
{
	const struct binding *b = ctx;

	return layer2_link_allowed(b->layer2, name);
}

static void binding_changed(void *ctx, const struct addr *a, const struct vip_status *now)
{
	(void)ctx;
	switch (now->state) {
	case VIP_BOUND:
		log_event(LOG_INFO, "addressBound", "address put on a link",
			  KV_STR("ip", ADDR_TEXT(a)), KV_STR("link", now->link));
		break;
	case VIP_FOREIGN:
		log_event(LOG_WARN, "addressForeign",
			  "address is on a link by somebody else's hand; left alone",
			  KV_STR("ip", ADDR_TEXT(a)), KV_STR("link", now->link));
		break;
	case VIP_UNPLACED:
	case VIP_FAILED:
		log_event(LOG_WARN, "addressNotBound", "address is on no link",
			  KV_STR("ip", ADDR_TEXT(a)), KV_STR("reason", now->reason));
		break;
	case VIP_PENDING:
		break;
	}
}

int binding_new(struct loop *l, struct net_links *links, const struct layer2 *layer2,
		const char *state_path, struct binding **out, struct err *e)
{
	struct binding *b = mem_new(struct binding);
	struct vip_conf conf = {
		.loop = l,
		.links = links,
		.state_path = state_path,
		.link_allowed = link_allowed,
		.changed = binding_changed,
		.ctx = b,
	};

	b->layer2 = layer2;
	if (vip_manager_new(&conf, &b->vips, e) < 0) {
		free(b);
		return err_wrap(e, "service addresses");
	}
	b->loop = l;
	loop_timer_init(&b->lingering, l, linger_over);
	vip_table_init(&b->addrs);
	mem_grow(b->links, b->n_links, b->cap_links);
	b->links[b->n_links++] = NULL; /* auto */
	b->services = map_new();
	*out = b;
	return 0;
}

static void share_of_service_free(void *value)
{
	struct share_of_service *s = value;

	free(s->addrs);
	free(s);
}

struct binding *binding_free(struct binding *b)
{
	if (!b)
		return NULL;
	loop_timer_stop(&b->lingering);
	vip_manager_free(b->vips);
	struct bound *x;
	for (size_t at = 0; (x = vip_table_next(&b->addrs, &at));)
		free(x);
	vip_table_fini(&b->addrs);
	for (size_t i = 0; i < b->n_links; i++)
		free(b->links[i]);
	free(b->links);
	map_clear(b->services, share_of_service_free);
	map_free(b->services);
	free(b);
	return NULL;
}
