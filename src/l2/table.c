#include "l2/table.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

/* Each socket of an interface that leaves, and as many that broke before. */
enum { RETIRED_PER_IFACE = 2 * L2_PROTO_COUNT };

static int compare_ifaces(const void *a, const void *b)
{
	const struct l2_iface *x = a;
	const struct l2_iface *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static int compare_addresses(const void *a, const void *b)
{
	const struct l2_address *x = a;
	const struct l2_address *y = b;

	return addr_cmp(&x->addr, &y->addr);
}

static int compare_members(const void *a, const void *b)
{
	const struct l2_member *x = a;
	const struct l2_member *y = b;

	return memcmp(&x->mac, &y->mac, sizeof(x->mac));
}

static const void *arena_copy(struct arena *arena, const void *from, size_t n, size_t size)
{
	void *to = arena_zero(arena, n, size);

	if (n > 0)
		memcpy(to, from, n * size);
	return to;
}

static int take_ifaces(struct l2_table *t, const struct l2_table_conf *conf, struct err *e)
{
	struct l2_iface *ifaces = arena_new_n(t->arena, struct l2_iface, conf->n_ifaces);

	for (size_t i = 0; i < conf->n_ifaces; i++)
		ifaces[i] = conf->ifaces[i];
	if (conf->n_ifaces > 1)
		qsort(ifaces, conf->n_ifaces, sizeof(*ifaces), compare_ifaces);
	for (size_t i = 1; i < conf->n_ifaces; i++) {
		if (ifaces[i - 1].ifindex == ifaces[i].ifindex)
			return err_set(e, ERR_CONFIG, "interface %d is there twice",
				       ifaces[i].ifindex);
	}
	t->ifaces = ifaces;
	t->n_ifaces = conf->n_ifaces;
	for (size_t i = 0; i < conf->n_ifaces; i++)
		t->twins |= conf->ifaces[i].below != 0;
	t->cap_retired = RETIRED_PER_IFACE * conf->n_ifaces;
	t->retired = arena_new_n(t->arena, int, t->cap_retired);
	return 0;
}

static void take_members(struct l2_table *t, const struct l2_table_conf *conf)
{
	struct l2_member *members = arena_new_n(t->arena, struct l2_member, conf->n_members);

	for (size_t i = 0; i < conf->n_members; i++)
		members[i] = conf->members[i];
	if (conf->n_members > 1)
		qsort(members, conf->n_members, sizeof(*members), compare_members);
	t->members = members;
	t->n_members = conf->n_members;
}

static bool same_nodes(const struct l2_rule *a, const struct l2_rule *b)
{
	return a->n_nodes == b->n_nodes &&
	       (a->n_nodes == 0 || memcmp(a->nodes, b->nodes, a->n_nodes * sizeof(*a->nodes)) == 0);
}

bool l2_rule_same_choice(const struct l2_rule *a, const struct l2_rule *b)
{
	return a->all_ifaces == b->all_ifaces && a->n_ifindexes == b->n_ifindexes &&
	       (a->n_ifindexes == 0 ||
		memcmp(a->ifindexes, b->ifindexes, a->n_ifindexes * sizeof(*a->ifindexes)) == 0);
}

/** One for all that follow each other and have the same. */
static const struct l2_rule *take_rule(struct l2_table *t, const struct l2_address_conf *c,
				       const struct l2_rule *before)
{
	const struct l2_rule given = {
		.nodes = c->nodes,
		.n_nodes = c->n_nodes,
		.all_ifaces = c->all_ifaces,
		.ifindexes = c->ifindexes,
		.n_ifindexes = c->n_ifindexes,
	};

	if (before && same_nodes(before, &given) && l2_rule_same_choice(before, &given))
		return before;
	struct l2_rule *rule = arena_new_n(t->arena, struct l2_rule, 1);

	*rule = given;
	rule->nodes = arena_copy(t->arena, c->nodes, c->n_nodes, sizeof(*c->nodes));
	rule->ifindexes = arena_copy(t->arena, c->ifindexes, c->n_ifindexes, sizeof(*c->ifindexes));
	return rule;
}

static struct l2_address take_address(struct l2_table *t, const struct l2_address_conf *c,
				      const struct l2_rule *before)
{
	assert(c->stats);
	return (struct l2_address){
		.addr = c->addr,
		.pings = c->pings,
		.going = c->going,
		.predicted =
			c->going || l2_succession_is_mine(c->nodes, c->n_nodes, t->self, &t->alive),
		.rule = take_rule(t, c, before),
		.stats = c->stats,
	};
}

static int check_address(const struct l2_address_conf *c, struct err *e)
{
	if (!addr_is_set(&c->addr))
		return err_set(e, ERR_CONFIG, "an address is empty");
	if (c->n_nodes > UINT16_MAX || c->n_ifindexes > UINT16_MAX)
		return err_set(e, ERR_CONFIG, "%s: too many nodes or interfaces",
			       ADDR_TEXT(&c->addr));
	return 0;
}

static int take_addresses(struct l2_table *t, const struct l2_table_conf *conf, struct err *e)
{
	if (conf->n_addresses >= UINT32_MAX / 4)
		return err_set(e, ERR_CONFIG, "too many addresses");
	struct l2_address *addresses = arena_new_n(t->arena, struct l2_address, conf->n_addresses);

	for (size_t i = 0; i < conf->n_addresses; i++) {
		int rc = check_address(&conf->addresses[i], e);
		if (rc < 0)
			return rc;
		addresses[i] =
			take_address(t, &conf->addresses[i], i ? addresses[i - 1].rule : NULL);
	}
	if (conf->n_addresses > 1)
		qsort(addresses, conf->n_addresses, sizeof(*addresses), compare_addresses);
	for (size_t i = 1; i < conf->n_addresses; i++) {
		if (addr_eq(&addresses[i - 1].addr, &addresses[i].addr))
			return err_set(e, ERR_CONFIG, "%s is there twice",
				       ADDR_TEXT(&addresses[i].addr));
	}
	t->addresses = addresses;
	t->n_addresses = (uint32_t)conf->n_addresses;
	t->slots = l2_slots_new(conf->n_addresses);
	return 0;
}

/** Open addressing, at most three quarters full. */
static void build_index(struct l2_table *t)
{
	uint32_t size = 2;

	while ((uint64_t)size * 3 < (uint64_t)t->n_addresses * 4)
		size *= 2;
	t->index_mask = size - 1;
	t->index = arena_new_n(t->arena, uint32_t, size);
	memset(t->index, 0xff, size * sizeof(*t->index)); /* L2_NONE */
	for (uint32_t i = 0; i < t->n_addresses; i++) {
		uint32_t at = (uint32_t)addr_hash(&t->addresses[i].addr) & t->index_mask;
		while (t->index[at] != L2_NONE)
			at = (at + 1) & t->index_mask;
		t->index[at] = i;
	}
}

/** Does a filter for @proto have to let requests for this address through? */
static bool is_heard(const struct l2_address *a, enum l2_proto proto)
{
	bool v4 = a->addr.family == FAMILY_V4;

	if (proto == L2_ARP || proto == L2_NDP)
		return v4 == (proto == L2_ARP);
	return a->pings && v4 == (proto == L2_PING4);
}

static bool in_set(const struct l2_table *t, const struct l2_address *a, enum l2_filter_set set)
{
	if (set == L2_FILTER_OWNED)
		return a->predicted;
	return l2_succession_has(a->rule->nodes, a->rule->n_nodes, t->self);
}

static int build_filter(struct l2_table *t, enum l2_filter_set set, enum l2_proto proto,
			const struct l2_table *previous, struct err *e)
{
	struct addr *addrs = mem_new_n(struct addr, t->n_addresses);
	size_t n = 0;

	for (uint32_t i = 0; i < t->n_addresses; i++) {
		const struct l2_address *a = &t->addresses[i];
		if (is_heard(a, proto) && in_set(t, a, set))
			addrs[n++] = a->addr;
	}
	const struct l2_filter *known = previous ? &previous->filters[set][proto] : NULL;
	bool claims = t->policy.detect && (proto == L2_ARP || proto == L2_NDP);
	int rc = l2_filter_make(proto, addrs, n, claims, known, &t->filters[set][proto], e);
	free(addrs);
	return rc;
}

static int build_filters(struct l2_table *t, const struct l2_table_conf *conf, struct err *e)
{
	for (unsigned set = 0; set < L2_FILTER_SET_COUNT; set++) {
		for (unsigned proto = 0; proto < L2_PROTO_COUNT; proto++) {
			if (conf->by_map && (proto == L2_ARP || proto == L2_NDP))
				continue;
			int rc = build_filter(t, set, proto, conf->previous, e);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

int l2_table_new(const struct l2_table_conf *conf, struct l2_table **out, struct err *e)
{
	CLEANUP(l2_table_freep) struct l2_table *t = mem_new(struct l2_table);

	t->arena = arena_new();
	t->self = conf->self;
	t->alive = *conf->alive;
	t->policy = conf->policy;
	t->quorum = conf->quorum;
	take_members(t, conf);
	int rc = take_ifaces(t, conf, e);
	if (rc == 0)
		rc = take_addresses(t, conf, e);
	if (rc == 0) {
		build_index(t);
		rc = build_filters(t, conf, e);
	}
	if (rc < 0)
		return rc;
	*out = TAKE(t);
	return 0;
}

struct l2_table *l2_table_free(struct l2_table *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n_retired; i++)
		close(t->retired[i]);
	for (unsigned set = 0; set < L2_FILTER_SET_COUNT; set++) {
		for (unsigned proto = 0; proto < L2_PROTO_COUNT; proto++)
			l2_filter_fini(&t->filters[set][proto]);
	}
	free(t->slots);
	arena_free(t->arena);
	free(t);
	return NULL;
}

void l2_table_freep(struct l2_table **t)
{
	l2_table_free(*t);
}

void l2_table_retire(struct l2_table *t, int fd)
{
	if (t->n_retired < t->cap_retired)
		t->retired[t->n_retired++] = fd;
	else
		close(fd);
}

uint32_t l2_table_find(const struct l2_table *t, const struct addr *addr)
{
	uint32_t at = (uint32_t)addr_hash(addr) & t->index_mask;

	while (t->index[at] != L2_NONE && !addr_eq(&t->addresses[t->index[at]].addr, addr))
		at = (at + 1) & t->index_mask;
	return t->index[at];
}

const struct l2_iface *l2_table_iface(const struct l2_table *t, int ifindex)
{
	const struct l2_iface key = { .ifindex = ifindex };

	if (t->n_ifaces == 0)
		return NULL;
	return bsearch(&key, t->ifaces, t->n_ifaces, sizeof(key), compare_ifaces);
}

bool l2_table_member(const struct l2_table *t, const struct mac *mac, uint16_t *node)
{
	const struct l2_member key = { .mac = *mac };
	const struct l2_member *found = NULL;

	if (t->n_members > 0)
		found = bsearch(&key, t->members, t->n_members, sizeof(key), compare_members);
	if (found)
		*node = found->node;
	return found;
}

bool l2_table_is_own_mac(const struct l2_table *t, const struct mac *mac)
{
	for (size_t i = 0; i < t->n_ifaces; i++) {
		if (mac_eq(&t->ifaces[i].mac, mac))
			return true;
	}
	return false;
}

bool l2_address_allows(const struct l2_address *a, const struct l2_iface *iface)
{
	if (!l2_iface_speaks(iface, l2_proto_of(&a->addr)))
		return false;
	if (a->rule->all_ifaces)
		return true;
	for (size_t i = 0; i < a->rule->n_ifindexes; i++) {
		if (a->rule->ifindexes[i] == iface->ifindex)
			return true;
	}
	return false;
}
