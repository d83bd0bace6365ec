/* The rules between standalone services and pools. */
#include <stdio.h>
#include <string.h>

#include "config/hash.h"
#include "config/loader.h"

/* What all services together know while they are checked one by one. */
struct context {
	struct loader *l;
	struct map *names; /* name -> raw_service */
	const char **pool_names;
	size_t n_pool_names;
	struct map *addresses; /* address bytes -> raw_service: the first that has it */
	struct map *ports;     /* address and port bytes -> raw_service */
};

static struct context context_new(struct loader *l)
{
	struct context x = {
		.l = l,
		.names = map_new(),
		.addresses = map_new(),
		.ports = map_new(),
		.pool_names = arena_new_n(l->scratch, const char *, l->n_pools),
	};

	for (size_t i = 0; i < l->n_pools; i++)
		if (l->pools[i]->c.name)
			x.pool_names[x.n_pool_names++] = l->pools[i]->c.name;
	return x;
}

static void context_fini(struct context *x)
{
	map_free(x->names);
	map_free(x->addresses);
	map_free(x->ports);
}

static void service_name(struct context *x, struct raw_service *raw)
{
	const struct raw_service *first = raw->c.name ? map_put(x->names, raw->c.name, raw) : NULL;

	if (!first)
		return;
	struct place at = place_field(raw->at, "name");
	struct issue *is =
		load_error(x->l, &at, "names are unique", "a second service '%.60s'", raw->c.name);
	issue_other(&x->l->issues, is, place_field(first->at, "name").at);
}

static const struct raw_pool *service_pool(struct context *x, const struct raw_service *raw)
{
	if (!raw->c.pool)
		return NULL;
	const struct raw_pool *pool = map_get(x->l->pools_by_name, raw->c.pool);
	if (!pool) {
		struct place at = place_field(raw->at, "address-pool");
		const char *hint = load_nearest(x->l, raw->c.pool, x->pool_names, x->n_pool_names);

		load_error(x->l, &at, hint ? hint : "define it in address-pools",
			   "there is no pool '%.60s'", raw->c.pool);
	}
	return pool;
}

static bool pool_has(const struct raw_pool *pool, enum family family)
{
	for (size_t i = 0; i < pool->n_spans; i++)
		if (pool->spans[i].range.first.family == family)
			return true;
	return false;
}

static const char *protocol_name(enum cfg_protocol p)
{
	return p == CFG_BGP ? "bgp" : "layer2";
}

/* What a pool is asked for, it must be able to give. */
static void service_asks(struct context *x, const struct raw_service *raw,
			 const struct raw_pool *pool)
{
	struct place families = place_field(raw->at, "ip-families");
	struct place protocol = place_field(raw->at, "protocol");

	if (pool && raw->c.want_v4 && !pool_has(pool, FAMILY_V4))
		load_error(x->l, &families, NULL, "pool '%.60s' has no IPv4 address", pool->c.name);
	if (pool && raw->c.want_v6 && !pool_has(pool, FAMILY_V6))
		load_error(x->l, &families, NULL, "pool '%.60s' has no IPv6 address", pool->c.name);
	if (pool && pool->protocol && raw->c.protocol && raw->c.protocol != pool->protocol)
		load_error(x->l, &protocol, "leave it away: the pool decides",
			   "pool '%.60s' is announced by %s", pool->c.name,
			   protocol_name(pool->protocol));
	if (!pool && !raw->n_addresses && raw->c.protocol)
		load_warning(x->l, &protocol, "it is for addresses outside every pool",
			     "protocol has no effect here");
	if (!raw->n_addresses && !raw->c.pool && !x->l->n_pools &&
	    !doc_get(raw->at->at, "address") && !doc_get(raw->at->at, "addresses"))
		load_error(x->l, raw->at, "add address-pools, or an address",
			   "there is no pool that could give the service an address");
}

static void address_pool(struct context *x, const struct raw_service *raw, size_t i,
			 const struct raw_pool *pool)
{
	const struct addr *a = &raw->addresses[i];
	const struct place *at = raw->address_at[i];
	const struct raw_span *span = resolve_span(x->l, a);
	const struct raw_pool *in = span ? span->pool : NULL;

	if (pool && in != pool)
		load_error(x->l, at, "leave address-pool away, or choose an address of the pool",
			   "%s is not in pool '%.60s'", ADDR_TEXT(a), pool->c.name);
	else if (!in && !raw->c.protocol)
		load_error(x->l, at, "add protocol: layer2 or protocol: bgp",
			   "%s is outside every pool", ADDR_TEXT(a));
	else if (in && in->protocol && raw->c.protocol && raw->c.protocol != in->protocol)
		load_error(x->l, at, "leave protocol away: the pool decides",
			   "%s is in pool '%.60s', which is announced by %s", ADDR_TEXT(a),
			   in->c.name ? in->c.name : "?", protocol_name(in->protocol));
	else if (!in && raw->c.protocol == CFG_BGP && !x->l->cfg->n_peers)
		load_warning(x->l, at, "add the routers to peers",
			     "nothing announces %s: there is no peer", ADDR_TEXT(a));
}

static void sharing_refuse(struct context *x, const struct place *at,
			   const struct raw_service *first, const char *hint, const char *what)
{
	struct issue *is = load_error(x->l, at, hint, "%s service '%.60s'", what,
				      first->c.name ? first->c.name : "?");

	issue_other(&x->l->issues, is, first->at->at);
}

/* MetalLB's conditions: an equal key, and no port in common. */
static void address_sharing(struct context *x, struct raw_service *raw, size_t i)
{
	const struct addr *a = &raw->addresses[i];
	const struct place *at = raw->address_at[i];
	const struct raw_service *first = map_get_bytes(x->addresses, a, sizeof(*a));
	char what[128];

	if (!first) {
		map_put_bytes(x->addresses, a, sizeof(*a), raw);
	} else if (first == raw) {
		load_error(x->l, at, "keep one of them", "%s is given twice", ADDR_TEXT(a));
		return;
	} else if (!raw->c.sharing_key || !first->c.sharing_key ||
		   strcmp(raw->c.sharing_key, first->c.sharing_key) != 0) {
		snprintf(what, sizeof(what), "%s belongs to", ADDR_TEXT(a));
		sharing_refuse(x, at, first, "to share it, give both the same allow-shared-ip",
			       what);
		return;
	}
	for (size_t j = 0; j < raw->c.n_ports; j++) {
		struct {
			struct addr a;
			uint8_t protocol;
			uint16_t port;
		} key;

		memset(&key, 0, sizeof(key));
		key.a = *a;
		key.protocol = (uint8_t)raw->c.ports[j].protocol;
		key.port = raw->c.ports[j].port;
		const struct raw_service *other = map_put_bytes(x->ports, &key, sizeof(key), raw);
		if (other && other != raw) {
			snprintf(what, sizeof(what), "%s: port %u is used by", ADDR_TEXT(a),
				 key.port);
			sharing_refuse(x, at, other,
				       "services that share an address differ in ports", what);
		}
	}
}

static void service_addresses(struct context *x, struct raw_service *raw,
			      const struct raw_pool *pool)
{
	bool has_v4 = false, has_v6 = false;

	for (size_t i = 0; i < raw->n_addresses; i++) {
		address_pool(x, raw, i, pool);
		address_sharing(x, raw, i);
		has_v4 |= raw->addresses[i].family == FAMILY_V4;
		has_v6 |= raw->addresses[i].family == FAMILY_V6;
	}
	bool asked = raw->c.want_v4 || raw->c.want_v6;
	if (raw->n_addresses && asked && (has_v4 != raw->c.want_v4 || has_v6 != raw->c.want_v6)) {
		struct place at = place_field(raw->at, "ip-families");

		load_error(x->l, &at, "leave ip-families away: the addresses say it",
			   "ip-families and the addresses differ");
	}
}

static int by_name(const void *x, const void *y)
{
	const struct cfg_service *a = *(const struct cfg_service *const *)x;
	const struct cfg_service *b = *(const struct cfg_service *const *)y;

	return strcmp(a->name, b->name);
}

/* As in the configuration before, where the services have the same names in the same order. */
static bool index_follows(const struct cfg *c, const struct cfg *before,
			  const struct cfg_service **v)
{
	if (!before || !before->services_by_name || before->n_services != c->n_services)
		return false;
	for (size_t i = 0; i < c->n_services; i++) {
		const char *a = c->services[i].name, *b = before->services[i].name;

		if (a != b && strcmp(a, b) != 0)
			return false;
	}
	for (size_t i = 0; i < c->n_services; i++)
		v[i] = &c->services[before->services_by_name[i] - before->services];
	return true;
}

/* Thousands of services are looked up by name for each of thousands. Where a name is missing there
 * is an error, and no configuration. */
static void services_index(struct loader *l)
{
	const struct cfg *c = l->cfg;
	const struct cfg_service **v =
		arena_new_n(load_list(l, CFG_SERVICES), const struct cfg_service *, c->n_services);

	if (l->issues.count[ISSUE_ERROR])
		return;
	l->cfg->services_by_name = v;
	if (index_follows(c, l->before, v))
		return;
	for (size_t i = 0; i < c->n_services; i++)
		v[i] = &c->services[i];
	if (c->n_services)
		qsort(v, c->n_services, sizeof(struct cfg_service *), by_name);
}

void resolve_services_check(struct loader *l)
{
	struct context x = context_new(l);

	for (size_t i = 0; i < l->n_services; i++) {
		struct raw_service *raw = l->services[i];
		const struct raw_pool *pool;

		service_name(&x, raw);
		pool = service_pool(&x, raw);
		service_asks(&x, raw, pool);
		service_addresses(&x, raw, pool);
	}
	context_fini(&x);
}

void resolve_services_take(struct loader *l, struct cfg_service *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!v[i].hash) /* it may be one of the configuration before */
			hash_service_set(&v[i]);
	l->cfg->services = v;
	l->cfg->n_services = n;
	services_index(l);
}

void resolve_services(struct loader *l)
{
	struct cfg_service *v =
		arena_new_n(load_list(l, CFG_SERVICES), struct cfg_service, l->n_services);

	resolve_services_check(l);
	for (size_t i = 0; i < l->n_services; i++)
		v[i] = l->services[i]->c;
	resolve_services_take(l, v, l->n_services);
}
