#include "config/hash.h"

#include <endian.h>
#include <string.h>

/* Multiply to 128 bits and fold: every bit of the input reaches every bit of the result. */
uint64_t hash_mix(uint64_t h, uint64_t v)
{
	unsigned __int128 x =
		(unsigned __int128)(h ^ 0x9fb21c651e98df25u) * (v ^ 0xd6e8feb86659fd93u);

	return ((uint64_t)x ^ (uint64_t)(x >> 64)) + h * 0xa0761d6478bd642fu;
}

static uint64_t mix_bytes(uint64_t h, const void *p, size_t len)
{
	const uint8_t *at = p;

	h = hash_mix(h, len);
	for (size_t left = len; left > 0;) {
		size_t n = MIN(left, sizeof(uint64_t));
		uint64_t word = 0;

		memcpy(&word, at, n);
		h = hash_mix(h, le64toh(word));
		at += n;
		left -= n;
	}
	return h;
}

/* Zero is for objects that nobody has looked at. */
static uint64_t nonzero(uint64_t h)
{
	return h ? h : 1;
}

/* Nothing is something else than an empty text. */
static uint64_t mix_text(uint64_t h, const char *text)
{
	return text ? mix_bytes(h, text, strlen(text)) : hash_mix(h, UINT64_MAX);
}

static uint64_t mix_texts(uint64_t h, const struct cfg_texts *t)
{
	h = hash_mix(h, t->n);
	for (size_t i = 0; i < t->n; i++)
		h = mix_text(h, t->v[i]);
	return h;
}

static uint64_t mix_addr(uint64_t h, const struct addr *a)
{
	return mix_bytes(hash_mix(h, a->family), a->b, addr_is_set(a) ? addr_bits(a) / 8 : 0);
}

static uint64_t mix_labels(uint64_t h, const struct labels *l)
{
	h = hash_mix(h, l->n);
	for (size_t i = 0; i < l->n; i++)
		h = mix_text(mix_text(h, l->v[i].key), l->v[i].value);
	return h;
}

static uint64_t mix_selector(uint64_t h, const struct selector *s)
{
	h = hash_mix(h, s->n);
	for (size_t i = 0; i < s->n; i++) {
		const struct selector_term *t = &s->terms[i];
		const struct cfg_texts values = { .v = t->values, .n = t->n_values };

		h = mix_texts(hash_mix(mix_text(h, t->key), t->op), &values);
	}
	return h;
}

static uint64_t mix_selectors(uint64_t h, const struct selectors *s)
{
	h = hash_mix(h, s->n);
	for (size_t i = 0; i < s->n; i++)
		h = mix_selector(h, &s->v[i]);
	return h;
}

/* One without conditions says of nodes what none says. */
static uint64_t mix_nodes(uint64_t h, const struct selectors *s)
{
	static const struct selectors any;

	return mix_selectors(h, s->n == 1 && s->v[0].n == 0 ? &any : s);
}

static uint64_t mix_targets(uint64_t h, const struct cfg_targets *t)
{
	return mix_selectors(mix_texts(h, &t->pools), &t->selectors);
}

/* --- advertisements --- */

uint64_t hash_l2_adv(const struct cfg_l2_adv *a)
{
	uint64_t h = mix_targets(mix_text(a->implicit, a->name), &a->targets);

	h = mix_texts(mix_nodes(h, &a->node_selectors), &a->interfaces);
	h = hash_mix(mix_selectors(h, &a->service_selectors), a->n_preferred);
	for (size_t i = 0; i < a->n_preferred; i++)
		h = mix_selector(hash_mix(h, (uint64_t)a->preferred[i].weight),
				 &a->preferred[i].nodes);
	return nonzero(h);
}

/* What is said of a route, and to whom. */
static uint64_t mix_route(uint64_t h, const struct cfg_bgp_adv *a)
{
	h = hash_mix(hash_mix(h, a->has_local_pref), a->has_local_pref ? a->local_pref : 0);
	h = hash_mix(hash_mix(h, a->has_med), a->has_med ? a->med : 0);
	h = hash_mix(hash_mix(h, a->as_path_prepend), a->n_communities);
	for (size_t i = 0; i < a->n_communities; i++)
		h = hash_mix(h, a->communities[i]);
	h = hash_mix(h, a->n_ext_communities);
	for (size_t i = 0; i < a->n_ext_communities; i++)
		h = hash_mix(h, a->ext_communities[i]);
	h = hash_mix(h, a->n_large_communities);
	for (size_t i = 0; i < a->n_large_communities; i++) {
		const struct large_community *l = &a->large_communities[i];

		h = hash_mix(hash_mix(hash_mix(h, l->global), l->local1), l->local2);
	}
	return mix_nodes(mix_texts(h, &a->peers), &a->node_selectors);
}

uint64_t hash_bgp_adv(const struct cfg_bgp_adv *a)
{
	uint64_t h = mix_targets(mix_text(a->implicit, a->name), &a->targets);

	h = hash_mix(hash_mix(h, a->aggregation_v4), a->aggregation_v6);
	return nonzero(mix_selectors(mix_route(h, a), &a->service_selectors));
}

/* --- pools --- */

uint64_t hash_pool(const struct cfg_pool *p)
{
	uint64_t h = hash_mix(mix_text(0, p->name), p->n_addresses);

	for (size_t i = 0; i < p->n_addresses; i++)
		h = mix_text(h, p->addresses[i].text);
	h = mix_labels(hash_mix(hash_mix(h, p->auto_assign), p->avoid_buggy_ips), &p->labels);
	if (!p->reserved)
		return nonzero(h);
	h = mix_texts(hash_mix(h, p->reserved->priority), &p->reserved->namespaces);
	h = mix_selectors(h, &p->reserved->namespace_selectors);
	return nonzero(mix_selectors(h, &p->reserved->service_selectors));
}

/* --- services and networks --- */

static uint64_t mix_health(uint64_t h, const struct cfg_health *health)
{
	h = hash_mix(h, health->kind);
	if (health->kind == CFG_HEALTH_NONE)
		return h;
	h = hash_mix(hash_mix(h, (uint64_t)health->interval.ns), (uint64_t)health->timeout.ns);
	return hash_mix(hash_mix(h, health->rise), health->fall);
}

/* A URL may name a user and a password (see tree.c): what members agree about leaves them out. */
static uint64_t mix_target(uint64_t h, const struct cfg_health *health)
{
	const char *url = health->target;
	const char *start = health->kind == CFG_HEALTH_HTTP ? strstr(url, "://") : NULL;

	if (health->kind == CFG_HEALTH_NONE || !start)
		return mix_text(h, health->kind == CFG_HEALTH_NONE ? NULL : url);
	start += strlen("://");
	const char *host = memrchr(start, '@', strcspn(start, "/?#"));
	return mix_text(mix_bytes(h, url, (size_t)(start - url)), host ? host : start);
}

/* What decides about its addresses. */
static uint64_t service_asks(const struct cfg_service *s)
{
	uint64_t h = mix_text(mix_labels(mix_text(0, s->name), &s->labels), s->pool);

	h = hash_mix(h, s->n_addresses);
	for (size_t i = 0; i < s->n_addresses; i++)
		h = mix_addr(h, &s->addresses[i]);
	h = mix_text(hash_mix(hash_mix(h, s->want_v4), s->want_v6), s->sharing_key);
	h = hash_mix(h, s->n_ports);
	for (size_t i = 0; i < s->n_ports; i++)
		h = hash_mix(hash_mix(h, s->ports[i].port), s->ports[i].protocol);
	return h;
}

/* All that members have to agree about; what it asks is known. */
static uint64_t service_says(const struct cfg_service *s)
{
	uint64_t h = hash_mix(s->asked, s->protocol), preferred = 0;

	h = mix_target(mix_health(h, &s->health), &s->health);
	h = hash_mix(hash_mix(h, s->bind), s->traffic_policy);
	if (s->bind == CFG_BIND_LINK)
		h = mix_text(h, s->bind_link);
	h = mix_nodes(h, &s->node_selectors);
	for (size_t i = 0; i < s->n_preferred; i++) /* a mapping has no order */
		preferred += hash_mix(mix_text(0, s->preferred[i].node),
				      (uint64_t)s->preferred[i].weight);
	return hash_mix(h, preferred);
}

void hash_service_set(struct cfg_service *s)
{
	s->asked = service_asks(s);
	s->agreed = service_says(s);
	s->hash = nonzero(mix_text(s->agreed, s->health.target));
}

uint64_t hash_network(const struct cfg_network *n)
{
	uint64_t h = mix_addr(hash_mix(0, n->prefix.len), &n->prefix.addr);

	h = mix_route(mix_addr(h, &n->next_hop), &n->adv);
	return nonzero(mix_text(mix_health(h, &n->health), n->health.target));
}

/* --- all of it --- */

static uint64_t mix_allocation(uint64_t h, const struct cfg *c)
{
	return hash_mix(hash_mix(h, c->allocation.sticky), (uint64_t)c->allocation.rest.ns);
}

uint64_t hash_agreed(const struct cfg *c)
{
	uint64_t h = hash_mix(hash_mix(mix_allocation(0, c), c->n_pools), c->n_services);

	for (size_t i = 0; i < c->n_pools; i++)
		h = hash_mix(h, c->pools[i].hash);
	for (size_t i = 0; i < c->n_l2_advs; i++)
		h = hash_mix(h, c->l2_advs[i].hash);
	for (size_t i = 0; i < c->n_bgp_advs; i++)
		h = hash_mix(h, c->bgp_advs[i].hash);
	for (size_t i = 0; i < c->n_services; i++)
		h = hash_mix(h, c->services[i].agreed);
	return h;
}

uint64_t hash_asked(const struct cfg *c)
{
	uint64_t h = hash_mix(hash_mix(mix_allocation(0, c), c->n_pools), c->n_services);

	for (size_t i = 0; i < c->n_pools; i++)
		h = hash_mix(h, c->pools[i].hash);
	for (size_t i = 0; i < c->n_services; i++)
		h = hash_mix(h, c->services[i].asked);
	return nonzero(h);
}
