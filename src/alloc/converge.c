#include "alloc/converge.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 64, NAME_MAX_BYTES = 253 };

/* Families as a set. */
enum { NO_FAMILY, V4 = 1, V6 = 2, BOTH = V4 | V6 };

/** One pass over one service. */
struct pass {
	struct alloc *a;
	const struct converge_service *s;
	struct converge_result *r;
	unsigned families; /* of the cluster IPs; NO_FAMILY: they make no sense */
	/* What it has: that of its status, as long as nothing speaks against it. */
	struct addr held[CONVERGE_ADDRESSES_MAX];
	size_t n_held;
};

/** What it asks for by name. */
struct wish {
	struct addr v[CONVERGE_ADDRESSES_MAX];
	size_t n;
};

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static const char *annotation(const struct converge_annotation *a)
{
	return or_empty(a->current ? a->current : a->deprecated);
}

/* As much of a text as fits into @max bytes, without half a character at the end. */
static int clipped(const char *text, size_t max)
{
	size_t n = strnlen(text, max + 1);

	if (n <= max)
		return (int)n;
	for (n = max; n && ((uint8_t)text[n] & 0xc0) == 0x80;)
		n--;
	return (int)n;
}

static void note(struct pass *p, const char *reason, bool is_warning, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

static void note(struct pass *p, const char *reason, bool is_warning, const char *fmt, ...)
{
	char text[CONVERGE_TEXT_MAX + 2]; /* one more, to see that it is too long */
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text[clipped(text, CONVERGE_TEXT_MAX)] = '\0';
	p->r->events[p->r->n_events++] = (struct converge_event){
		.reason = reason,
		.is_warning = is_warning,
		.text = arena_strdup(p->r->arena, text),
	};
}

static void because(struct pass *p, const char *why)
{
	p->r->why = arena_strdup(p->r->arena, why);
}

static void clear(struct pass *p)
{
	alloc_release(p->a, p->s->key);
	p->n_held = 0;
}

/* The status is left to itself, whatever we think of it. */
static void leave(struct pass *p, const char *why)
{
	p->r->is_left = true;
	because(p, why);
}

/* One address, or one of each family; else NO_FAMILY. */
static unsigned families_of(const struct addr *v, size_t n)
{
	unsigned set = NO_FAMILY;

	for (size_t i = 0; i < n; i++) {
		unsigned family = v[i].family == FAMILY_V4 ? V4 : V6;

		if (set & family)
			return NO_FAMILY;
		set |= family;
	}
	return set;
}

static unsigned families_of_cluster(const struct converge_service *s)
{
	struct addr v[CONVERGE_ADDRESSES_MAX];

	if (s->n_cluster_ips > ARRAY_LEN(v))
		return NO_FAMILY;
	for (size_t i = 0; i < s->n_cluster_ips; i++)
		if (addr_parse(s->cluster_ips[i], &v[i]) < 0)
			return NO_FAMILY;
	return families_of(v, s->n_cluster_ips);
}

static bool has_ip(const struct converge_ingress *entry)
{
	return entry->ip && *entry->ip;
}

static size_t count_ips(const struct converge_service *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_ingress; i++)
		n += has_ip(&s->ingress[i]);
	return n;
}

/* False where what stands in the status are no addresses, or too many. */
static bool read_ingress(struct pass *p)
{
	size_t n = 0;

	p->n_held = 0;
	if (count_ips(p->s) > ARRAY_LEN(p->held))
		return false;
	for (size_t i = 0; i < p->s->n_ingress; i++)
		if (has_ip(&p->s->ingress[i]) && addr_parse(p->s->ingress[i].ip, &p->held[n++]) < 0)
			return false;
	p->n_held = n;
	return true;
}

/* A second address came on top of what the only family of the service asks for (complete_pair). */
static bool has_extra(const struct pass *p)
{
	return !p->s->reference && p->s->policy == CFG_PREFER_DUAL_STACK && p->families != BOTH &&
	       families_of(p->held, p->n_held) == BOTH;
}

static bool families_changed(const struct pass *p)
{
	unsigned held = families_of(p->held, p->n_held);

	if (held == NO_FAMILY)
		return true;
	if (held == p->families || has_extra(p))
		return false;
	return !(p->families == BOTH && p->s->policy == CFG_PREFER_DUAL_STACK);
}

/* Steps 6 and 7: what the status holds, and whether it is of the right families. True: go on. */
static bool take_status(struct pass *p)
{
	if (count_ips(p->s) == 0) {
		clear(p);
		return true;
	}
	bool is_bad = !read_ingress(p) || families_of(p->held, p->n_held) == NO_FAMILY;
	if (is_bad)
		note(p, "nolbIPsIPFamily", true,
		     "The addresses in the status of \"%s\" are not one of each family", p->s->key);
	if (p->families == NO_FAMILY) {
		note(p, "noclusterIPsIPFamily", true,
		     "The cluster IPs of \"%s\" are not one of each family", p->s->key);
		leave(p, "its cluster IPs are not one of each family");
		return false;
	}
	if (is_bad || families_changed(p))
		clear(p);
	return true;
}

/* On terms of sharing and of where it stands, and nothing that it asks for beyond. */
static struct alloc_request request_base(const struct converge_service *s)
{
	return (struct alloc_request){
		.service = s->key,
		.namespace = s->namespace,
		.namespace_labels = s->namespace_labels,
		.labels = s->labels,
		.sharing_key = annotation(&s->allow_shared_ip),
		.ports = s->ports,
		.n_ports = s->n_ports,
		.backend = or_empty(s->backend),
	};
}

/* Step 8: does the configuration, and do the others, still let it have what it has? */
static void assert_held(struct pass *p)
{
	struct alloc_request r = request_base(p->s);
	unsigned held = families_of(p->held, p->n_held);
	struct buf why = { 0 };

	r.want_v4 = held & V4;
	r.want_v6 = held & V6;
	r.policy = held == BOTH ? CFG_REQUIRE_DUAL_STACK : CFG_SINGLE_STACK;
	if (alloc_hold(p->a, &r, p->held, p->n_held, &why) < 0) {
		note(p, "ClearAssignment", false,
		     "The addresses of \"%s\" are not allowed any more, others are looked for: %s",
		     p->s->key, buf_text(&why));
		clear(p);
	}
	buf_fini(&why);
}

/* The pool that its addresses are from, or NULL. */
static const char *pool_of(const struct pass *p)
{
	struct alloc_grant grant;

	return alloc_find(p->a, p->s->key, &grant) ? grant.pool : NULL;
}

/* Step 9: another pool is asked for. */
static void compare_pool(struct pass *p)
{
	const char *pool = annotation(&p->s->address_pool);

	if (*pool && strcmp(or_empty(pool_of(p)), pool) != 0)
		clear(p);
}

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t\r\n");
	for (n = strlen(text); n && strchr(" \t\r\n", text[n - 1]);)
		text[--n] = '\0';
	return text;
}

static int parse_wish(const char *list, struct wish *out, struct buf *why)
{
	char *copy = mem_strdup(list), *rest = copy;
	struct wish wish = { 0 };
	int rc = 0;

	for (char *one; rc == 0 && (one = strsep(&rest, ","));) {
		one = trim(one);
		if (wish.n == ARRAY_LEN(wish.v)) {
			buf_puts(why, "more than two addresses are asked for");
			rc = -1;
		} else if (addr_parse(one, &wish.v[wish.n]) < 0) {
			buf_printf(why, "\"%.*s\" is asked for, which is no address",
				   clipped(one, WORD_MAX), one);
			rc = -1;
		} else {
			wish.n++;
		}
	}
	free(copy);
	if (rc == 0 && families_of(wish.v, wish.n) == NO_FAMILY) {
		buf_puts(why, "two addresses of one family are asked for");
		rc = -1;
	}
	if (rc == 0)
		*out = wish;
	return rc;
}

/* The addresses asked for by name, if any; -1 and @why where nobody can tell which. */
static int read_wish(const struct converge_service *s, struct wish *out, struct buf *why)
{
	const char *list = annotation(&s->load_balancer_ips);
	const char *field = or_empty(s->load_balancer_ip);

	*out = (struct wish){ 0 };
	if (*list && *field) {
		buf_puts(why, "both the annotation loadBalancerIPs and spec.loadBalancerIP ask for "
			      "addresses");
		return -1;
	}
	if (!*list && !*field)
		return 0;
	return parse_wish(*list ? list : field, out, why);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(ADDR_TEXT((const struct addr *)a), ADDR_TEXT((const struct addr *)b));
}

static bool holds(const struct pass *p, const struct addr *a)
{
	for (size_t i = 0; i < p->n_held; i++)
		if (addr_eq(&p->held[i], a))
			return true;
	return false;
}

static bool is_granted(const struct pass *p, const struct wish *wish)
{
	if (wish->n != p->n_held && !has_extra(p))
		return false;
	for (size_t i = 0; i < wish->n; i++)
		if (!holds(p, &wish->v[i]))
			return false;
	return true;
}

/* Step 10: other addresses are asked for. False: nobody can tell which, and all stays as it is. */
static bool compare_wish(struct pass *p)
{
	struct wish wish;
	struct buf why = { 0 };
	bool go_on = read_wish(p->s, &wish, &why) == 0;

	if (!go_on) {
		note(p, "LoadBalancerFailed", true, "invalid requested addresses: %s",
		     buf_text(&why));
		leave(p, buf_text(&why));
	} else if (wish.n && !is_granted(p, &wish)) {
		clear(p);
	} else if (wish.n) {
		/* The reference leaves them in the order in which it compared them. */
		qsort(p->held, p->n_held, sizeof(p->held[0]), by_text);
	}
	buf_fini(&why);
	return go_on;
}

static void take_grant(struct pass *p)
{
	struct alloc_grant grant = { 0 };

	(void)alloc_find(p->a, p->s->key, &grant);
	p->n_held = MIN(grant.n, ARRAY_LEN(p->held));
	if (p->n_held)
		memcpy(p->held, grant.addresses, p->n_held * sizeof(p->held[0]));
}

/* Step 11: one address, where two would be welcome: the other family's, from the same pool. */
static void complete_pair(struct pass *p)
{
	struct alloc_request r = request_base(p->s);
	struct addr had = p->held[0];

	r.want_v4 = r.want_v6 = true;
	r.policy = CFG_PREFER_DUAL_STACK;
	(void)!alloc_assign(p->a, &r, NULL);
	take_grant(p);
	if (p->n_held == 2)
		note(p, "IPAllocated", false, "Assigned additional IP \"%s\"",
		     ADDR_TEXT(&p->held[addr_eq(&p->held[0], &had)]));
	else
		note(p, "AdditionalAssignFailed", false,
		     "There is no second address for \"%s\": pool %s has no usable one of IPv%u",
		     p->s->key, or_empty(pool_of(p)), had.family == FAMILY_V4 ? 6U : 4U);
}

static struct alloc_request request_new(const struct pass *p, const struct wish *wish)
{
	const struct converge_service *s = p->s;
	struct alloc_request r = request_base(s);
	const char *pool = annotation(&s->address_pool);

	r.addresses = wish->v;
	r.n_addresses = wish->n;
	r.pool = *pool ? pool : NULL;
	r.want_v4 = p->families & V4;
	r.want_v6 = p->families & V6;
	r.policy = p->families != BOTH		   ? CFG_SINGLE_STACK
		   : s->policy == CFG_SINGLE_STACK ? CFG_REQUIRE_DUAL_STACK
						   : s->policy;
	r.v6_first = s->first_family == FAMILY_V6;
	return r;
}

static int allocate(struct pass *p, struct buf *why)
{
	const char *pool = annotation(&p->s->address_pool);
	struct wish wish;

	if (p->families == NO_FAMILY) {
		buf_puts(why, "its cluster IPs are not one of each family");
		return -1;
	}
	if (read_wish(p->s, &wish, why) < 0)
		return -1;
	if (strlen(pool) > NAME_MAX_BYTES) {
		buf_printf(why, "there is no pool %.*s…", clipped(pool, WORD_MAX), pool);
		return -1;
	}
	struct alloc_request r = request_new(p, &wish);
	return alloc_assign(p->a, &r, why);
}

/* Go's %q of a list, which people's tools look for. */
static void note_assigned(struct pass *p)
{
	struct buf list = { 0 };

	for (size_t i = 0; i < p->n_held; i++)
		buf_printf(&list, "%s\"%s\"", i ? " " : "", ADDR_TEXT(&p->held[i]));
	note(p, "IPAllocated", false, "Assigned IP [%s]", buf_text(&list));
	buf_fini(&list);
}

/* Step 12. */
static void allocate_afresh(struct pass *p)
{
	struct buf why = { 0 };

	if (allocate(p, &why) == 0) {
		take_grant(p);
		note_assigned(p);
	} else {
		note(p, "AllocationFailed", true, "Failed to allocate IP for \"%s\": %s", p->s->key,
		     buf_text(&why));
		because(p, buf_text(&why));
	}
	buf_fini(&why);
}

static void without_pools(struct pass *p)
{
	static const char why[] = "there are no pools";

	clear(p);
	if (!p->s->keep_without_pools) {
		because(p, why);
		return;
	}
	(void)read_ingress(p);
	leave(p, why);
}

/* Steps 3 to 5: what a service must have to be given anything. True: go on. */
static bool is_fit(struct pass *p)
{
	const struct converge_service *s = p->s;

	if (s->no_pools) {
		without_pools(p);
		return false;
	}
	if (s->n_cluster_ips == 0) {
		because(p, "it has no cluster IP");
	} else if (s->policy == CFG_REQUIRE_DUAL_STACK && s->n_cluster_ips < 2) {
		note(p, "not enough clusterips", true,
		     "\"%s\" requires two families and has one cluster IP", s->key);
		because(p, "it requires two families and has one cluster IP");
	} else {
		return true;
	}
	clear(p);
	return false;
}

/* Steps 2 to 10: what it has and may keep. True: go on. */
static bool keep(struct pass *p)
{
	if (!p->s->is_load_balancer) {
		clear(p);
		return false;
	}
	if (!is_fit(p) || !take_status(p))
		return false;
	if (p->n_held)
		assert_held(p);
	if (p->n_held)
		compare_pool(p);
	return p->n_held == 0 || compare_wish(p);
}

static void run(struct pass *p)
{
	if (!keep(p))
		return;
	if (p->n_held == 1 && p->s->policy == CFG_PREFER_DUAL_STACK)
		complete_pair(p);
	if (p->n_held == 0)
		allocate_afresh(p);
}

static bool is_absent_or(const char *text, const char *wanted)
{
	return wanted ? text && strcmp(text, wanted) == 0 : !text;
}

/* Newer servers put in "VIP" where nothing was said. */
static bool is_of_mode(const struct converge_ingress *entry, enum cfg_ip_mode mode)
{
	bool is_proxy = strcmp(or_empty(entry->ip_mode), "Proxy") == 0;

	return is_proxy == (mode == CFG_IP_MODE_PROXY);
}

/* Step 13: would writing the result change any of the addresses, or what is said of them? */
static bool entries_differ(const struct converge_service *s, const struct converge_result *r)
{
	if (s->n_ingress != r->n)
		return true;
	for (size_t i = 0; i < r->n; i++)
		if (s->ingress[i].has_more || !is_of_mode(&s->ingress[i], s->ip_mode) ||
		    strcmp(or_empty(s->ingress[i].ip), ADDR_TEXT(&r->addresses[i])) != 0)
			return true;
	return false;
}

/* … or the notes of where they are from? */
static bool notes_differ(const struct converge_service *s, const struct converge_result *r)
{
	return s->allocated_from.deprecated || !is_absent_or(s->allocated_from.current, r->pool);
}

static void list_deprecated(struct buf *list, const struct converge_annotation *a, const char *name)
{
	if (a->deprecated && !a->current)
		buf_printf(list, "%smetallb.universe.tf/%s", list->len ? ", " : "", name);
}

static void note_deprecated(struct pass *p)
{
	struct buf list = { 0 };

	list_deprecated(&list, &p->s->address_pool, "address-pool");
	list_deprecated(&list, &p->s->load_balancer_ips, "loadBalancerIPs");
	list_deprecated(&list, &p->s->allow_shared_ip, "allow-shared-ip");
	if (list.len)
		note(p, "deprecatedAnnotation", true,
		     "Annotations of an old name are in use: %s; their prefix is metallb.io/ by "
		     "now",
		     buf_text(&list));
	buf_fini(&list);
}

/* FNV-1a, the terminator included: the texts of a pair can't run into each other. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	do {
		hash ^= (uint8_t)*text;
		hash *= 0x100000001b3;
	} while (*text++);
	return hash;
}

static uint64_t terms_of(const struct converge_service *s)
{
	uint64_t hash = hash_text(0xcbf29ce484222325, annotation(&s->allow_shared_ip));

	hash = hash_text(hash, or_empty(s->backend));
	return hash ? hash : 1;
}

static void fill_result(struct pass *p)
{
	struct converge_result *r = p->r;
	const char *pool = pool_of(p);

	memcpy(r->addresses, p->held, p->n_held * sizeof(p->held[0]));
	r->n = p->n_held;
	if (r->n && !pool)
		pool = annotation(&p->s->allocated_from); /* left as it is */
	r->pool = r->n && *pool ? arena_strdup(r->arena, pool) : NULL;
	r->is_other_entry = !r->is_left && entries_differ(p->s, r);
	r->is_changed = r->is_other_entry || (!r->is_left && notes_differ(p->s, r));
	if (r->is_changed)
		note_deprecated(p);
}

static struct pass pass_begin(struct alloc *a, const struct converge_service *s)
{
	struct converge_result *r = mem_new(struct converge_result);

	r->arena = arena_new();
	return (struct pass){ .a = a, .s = s, .r = r, .families = families_of_cluster(s) };
}

struct converge_result *converge_run(struct alloc *a, const struct converge_service *s)
{
	struct pass p = pass_begin(a, s);
	struct alloc_grant grant;
	bool had = alloc_find(a, s->key, &grant);

	run(&p);
	fill_result(&p);
	bool has = alloc_find(a, s->key, &grant);
	p.r->terms = terms_of(s);
	p.r->run_others = had && (!has || (s->terms && s->terms != p.r->terms));
	return p.r;
}

void converge_claim(struct alloc *a, const struct converge_service *s)
{
	struct pass p = pass_begin(a, s);

	(void)keep(&p);
	converge_result_free(p.r);
}

struct converge_result *converge_result_free(struct converge_result *r)
{
	if (!r)
		return NULL;
	arena_free(r->arena);
	free(r);
	return NULL;
}

void converge_result_freep(struct converge_result **r)
{
	*r = converge_result_free(*r);
}

bool converge_forget(struct alloc *a, const char *key)
{
	struct alloc_grant grant;
	bool had = alloc_find(a, key, &grant);

	alloc_release(a, key);
	return had;
}

/** A service with its place, since qsort() keeps none. */
struct ordered {
	const struct converge_service *s;
	size_t n_ips, at;
};

static int more_ips_first(const void *a, const void *b)
{
	const struct ordered *l = a, *r = b;

	if (l->n_ips != r->n_ips)
		return l->n_ips > r->n_ips ? -1 : 1;
	return l->at < r->at ? -1 : 1;
}

void converge_order(const struct converge_service **v, size_t n)
{
	struct ordered *all = mem_new_n(struct ordered, n + 1);

	for (size_t i = 0; i < n; i++)
		all[i] = (struct ordered){ v[i], count_ips(v[i]), i };
	qsort(all, n, sizeof(*all), more_ips_first);
	for (size_t i = 0; i < n; i++)
		v[i] = all[i].s;
	free(all);
}
