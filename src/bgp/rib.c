#include "bgp/rib.h"

#include <assert.h>

#include "base/list.h"
#include "base/map.h"
#include "bgp/update.h"

/* Routes of one family that wait to be announced with the same attributes. */
struct bucket {
	struct list link; /* in queue.buckets */
	struct list routes;
	struct bgp_attr *attr; /* borrowed from its routes */
};

struct route {
	struct list link; /* in bucket.routes or queue.withdrawals while queued */
	struct bucket *bucket;
	struct bgp_attr *want;
	struct bgp_attr *sent;
	struct prefix prefix;
	bool queued;
	bool again; /* a refresh was asked for: send although nothing changed */
};

struct queue {
	struct list buckets; /* oldest first */
	struct map *by_attr;
	struct list withdrawals;
	size_t queued;
	size_t wanted;
	size_t sent;
};

enum { V4, V6, FAMILIES };

struct bgp_rib {
	struct map *routes; /* by the bytes of struct key */
	struct queue queues[FAMILIES];
	struct bgp_format format;
	bool up;
	uint8_t marks_due; /* End-of-RIB: set of BGP_V4, BGP_V6 */
};

struct key {
	uint8_t family;
	uint8_t len;
	uint8_t b[16];
};

static struct key key_of(const struct prefix *p)
{
	struct key k = { .family = p->addr.family, .len = p->len };

	memcpy(k.b, p->addr.b, sizeof(k.b));
	return k;
}

static uint8_t bit_of(int i)
{
	return i == V4 ? BGP_V4 : BGP_V6;
}

static struct queue *queue_of(struct bgp_rib *r, const struct route *route)
{
	return &r->queues[route->prefix.addr.family == FAMILY_V4 ? V4 : V6];
}

struct bgp_rib *bgp_rib_new(void)
{
	struct bgp_rib *r = mem_new(struct bgp_rib);

	r->routes = map_new();
	for (int i = 0; i < FAMILIES; i++) {
		list_init(&r->queues[i].buckets);
		list_init(&r->queues[i].withdrawals);
		r->queues[i].by_attr = map_new();
	}
	return r;
}

static struct bucket *bucket_get(struct queue *q, struct bgp_attr *attr)
{
	uintptr_t key = (uintptr_t)attr;
	struct bucket *b = map_get_bytes(q->by_attr, &key, sizeof(key));

	if (b)
		return b;
	b = mem_new(struct bucket);
	b->attr = attr;
	list_init(&b->routes);
	list_append(&q->buckets, &b->link);
	map_put_bytes(q->by_attr, &key, sizeof(key), b);
	return b;
}

static void bucket_drop_empty(struct queue *q, struct bucket *b)
{
	uintptr_t key = (uintptr_t)b->attr;

	if (!list_empty(&b->routes))
		return;
	map_del_bytes(q->by_attr, &key, sizeof(key));
	list_remove(&b->link);
	free(b);
}

/* The bucket stays, even empty: whoever empties it on purpose drops it. */
static void leave_queue(struct bgp_rib *r, struct route *route)
{
	list_remove(&route->link);
	route->bucket = NULL;
	route->queued = false;
	queue_of(r, route)->queued--;
}

static void unqueue(struct bgp_rib *r, struct route *route)
{
	struct bucket *b = route->bucket;

	if (!route->queued)
		return;
	leave_queue(r, route);
	if (b)
		bucket_drop_empty(queue_of(r, route), b);
}

static void enqueue(struct bgp_rib *r, struct route *route)
{
	struct queue *q = queue_of(r, route);

	if (route->want) {
		route->bucket = bucket_get(q, route->want);
		list_append(&route->bucket->routes, &route->link);
	} else {
		list_append(&q->withdrawals, &route->link);
	}
	route->queued = true;
	q->queued++;
}

static void replace(struct bgp_attr **slot, struct bgp_attr *attr, size_t *count)
{
	*count -= *slot != NULL;
	*count += attr != NULL;
	bgp_attr_ref(attr);
	bgp_attr_unref(*slot);
	*slot = attr;
}

/* The one place that decides whether a route waits, rests or is forgotten. It is not queued now. */
static void settle(struct bgp_rib *r, struct route *route)
{
	if (!route->want && !route->sent) {
		struct key k = key_of(&route->prefix);

		map_del_bytes(r->routes, &k, sizeof(k));
		free(route);
	} else if (route->want != route->sent || route->again) {
		enqueue(r, route);
	}
}

static struct route *find(const struct bgp_rib *r, const struct prefix *p)
{
	struct key k = key_of(p);

	return map_get_bytes(r->routes, &k, sizeof(k));
}

static struct route *add(struct bgp_rib *r, const struct prefix *p)
{
	struct route *route = mem_new(struct route);
	struct key k = key_of(p);

	route->prefix = *p;
	list_init(&route->link);
	map_put_bytes(r->routes, &k, sizeof(k), route);
	return route;
}

bool bgp_rib_set(struct bgp_rib *r, const struct prefix *p, struct bgp_attr *attr)
{
	struct route *route = find(r, p);

	assert(attr);
	if (route && route->want == attr)
		return route->queued;
	if (!route)
		route = add(r, p);
	unqueue(r, route);
	replace(&route->want, attr, &queue_of(r, route)->wanted);
	settle(r, route);
	return route->queued;
}

bool bgp_rib_del(struct bgp_rib *r, const struct prefix *p)
{
	struct route *route = find(r, p);

	if (!route || !route->want)
		return false;
	unqueue(r, route);
	route->again = false;
	replace(&route->want, NULL, &queue_of(r, route)->wanted);
	settle(r, route);
	return true;
}

void bgp_rib_up(struct bgp_rib *r, const struct bgp_format *format)
{
	bgp_rib_down(r);
	r->format = *format;
	r->marks_due = format->families;
	r->up = true;
}

void bgp_rib_down(struct bgp_rib *r)
{
	void *p;

	if (!r->up)
		return;
	r->up = false;
	r->marks_due = 0;
	for (size_t at = 0; map_next(r->routes, &at, NULL, &p);) {
		struct route *route = p;

		unqueue(r, route);
		route->again = false;
		replace(&route->sent, NULL, &queue_of(r, route)->sent);
		settle(r, route);
	}
}

void bgp_rib_refresh(struct bgp_rib *r, uint8_t families)
{
	void *p;

	for (size_t at = 0; map_next(r->routes, &at, NULL, &p);) {
		struct route *route = p;

		if (!(bgp_family_bit(route->prefix.addr.family) & families) || !route->want ||
		    !route->sent)
			continue;
		unqueue(r, route);
		route->again = true;
		settle(r, route);
	}
}

/* The peer now has what we want it to have. */
static void mark_sent(struct bgp_rib *r, struct route *route)
{
	leave_queue(r, route);
	route->again = false;
	replace(&route->sent, route->want, &queue_of(r, route)->sent);
	settle(r, route);
}

static size_t nlri_len(const struct prefix *p)
{
	return 1 + (p->len + 7U) / 8;
}

/* Write prefixes from a list until @limit bytes of message or the list's end. */
static void put_routes(struct bgp_rib *r, struct wr *w, struct list *routes, size_t limit)
{
	struct route *route;

	LIST_EACH (route, routes, link) {
		if (w->len + nlri_len(&route->prefix) > limit)
			return;
		wr_u8(w, route->prefix.len);
		wr_bytes(w, route->prefix.addr.b, nlri_len(&route->prefix) - 1);
		mark_sent(r, route);
	}
}

static void reach_v4(struct bgp_rib *r, struct wr *w, struct bucket *b)
{
	wr_u16(w, 0);
	size_t attrs = wr_mark16(w);
	bgp_attr_encode_v4(w, b->attr, &r->format);
	wr_fill16(w, attrs);
	put_routes(r, w, &b->routes, w->cap);
}

static size_t begin_multiprotocol(struct wr *w, uint8_t code)
{
	wr_u8(w, BGP_FLAG_OPTIONAL | BGP_FLAG_EXTENDED);
	wr_u8(w, code);
	size_t mark = wr_mark16(w);
	wr_u16(w, BGP_AFI_V6);
	wr_u8(w, BGP_SAFI_UNICAST);
	return mark;
}

static void reach_v6(struct bgp_rib *r, struct wr *w, struct bucket *b)
{
	uint8_t bytes[BGP_MSG_MAX];
	struct wr rest = wr_to(bytes, sizeof(bytes));

	bgp_attr_encode_v6(&rest, b->attr, &r->format);
	wr_u16(w, 0);
	size_t attrs = wr_mark16(w);
	size_t reach = begin_multiprotocol(w, BGP_ATTR_MP_REACH);
	bgp_attr_encode_hop6(w, b->attr, &r->format);
	wr_u8(w, 0);
	put_routes(r, w, &b->routes, w->cap - rest.len);
	wr_fill16(w, reach);
	wr_bytes(w, bytes, rest.len);
	wr_fill16(w, attrs);
}

static void unreach_v4(struct bgp_rib *r, struct wr *w, struct list *routes)
{
	size_t withdrawn = wr_mark16(w);

	put_routes(r, w, routes, w->cap - 2);
	wr_fill16(w, withdrawn);
	wr_u16(w, 0);
}

/* With @routes NULL this is End-of-RIB. */
static void unreach_v6(struct bgp_rib *r, struct wr *w, struct list *routes)
{
	wr_u16(w, 0);
	size_t attrs = wr_mark16(w);
	size_t unreach = begin_multiprotocol(w, BGP_ATTR_MP_UNREACH);
	if (routes)
		put_routes(r, w, routes, w->cap);
	wr_fill16(w, unreach);
	wr_fill16(w, attrs);
}

static void encode_announcement(struct bgp_rib *r, struct wr *w, int family)
{
	struct queue *q = &r->queues[family];
	struct bucket *b = LIST_ENTRY(q->buckets.next, struct bucket, link);

	if (family == V4)
		reach_v4(r, w, b);
	else
		reach_v6(r, w, b);
	bucket_drop_empty(q, b);
}

static void encode_withdrawal(struct bgp_rib *r, struct wr *w, int family)
{
	struct list *routes = &r->queues[family].withdrawals;

	if (family == V4)
		unreach_v4(r, w, routes);
	else
		unreach_v6(r, w, routes);
}

static void encode_mark(struct bgp_rib *r, struct wr *w, int family)
{
	r->marks_due &= (uint8_t)~bit_of(family);
	if (family == V4)
		wr_u32(w, 0);
	else
		unreach_v6(r, w, NULL);
}

typedef void (*encode_fn)(struct bgp_rib *r, struct wr *w, int family);

/* What comes next on the wire: all announcements, all withdrawals, then the marks. */
static encode_fn choose(const struct bgp_rib *r, int *family)
{
	for (*family = 0; *family < FAMILIES; ++*family)
		if ((r->format.families & bit_of(*family)) &&
		    !list_empty(&r->queues[*family].buckets))
			return encode_announcement;
	for (*family = 0; *family < FAMILIES; ++*family)
		if ((r->format.families & bit_of(*family)) &&
		    !list_empty(&r->queues[*family].withdrawals))
			return encode_withdrawal;
	for (*family = 0; *family < FAMILIES; ++*family)
		if (r->marks_due & bit_of(*family))
			return encode_mark;
	return NULL;
}

bool bgp_rib_pending(const struct bgp_rib *r)
{
	int family;

	return r->up && choose(r, &family) != NULL;
}

bool bgp_rib_encode(struct bgp_rib *r, struct wr *w)
{
	struct wr msg = wr_to(w->p + w->len, MIN(w->cap - w->len, (size_t)BGP_MSG_MAX));
	int family;
	encode_fn encode = r->up ? choose(r, &family) : NULL;

	if (!encode)
		return false;
	size_t mark = bgp_frame_begin(&msg, BGP_UPDATE);
	encode(r, &msg, family);
	bgp_frame_end(&msg, mark);
	w->len += msg.len;
	w->bad |= msg.bad;
	return true;
}

struct bgp_rib_counts bgp_rib_count(const struct bgp_rib *r)
{
	struct bgp_rib_counts c = { 0 };

	for (int i = 0; i < FAMILIES; i++) {
		const struct queue *q = &r->queues[i];
		bool carried = !r->up || (r->format.families & bit_of(i));

		c.wanted += q->wanted;
		c.sent += q->sent;
		c.pending += carried ? q->queued : 0;
		c.silent += carried ? 0 : q->wanted;
	}
	return c;
}

static void view_of(const struct route *route, struct bgp_rib_route *out)
{
	*out = (struct bgp_rib_route){
		.prefix = route->prefix,
		.want = route->want,
		.sent = route->sent,
	};
}

bool bgp_rib_next(const struct bgp_rib *r, size_t *at, struct bgp_rib_route *out)
{
	void *route;

	if (!map_next(r->routes, at, NULL, &route))
		return false;
	view_of(route, out);
	return true;
}

bool bgp_rib_find(const struct bgp_rib *r, const struct prefix *p, struct bgp_rib_route *out)
{
	const struct route *route = find(r, p);

	if (!route)
		return false;
	view_of(route, out);
	return true;
}

const struct bgp_format *bgp_rib_format(const struct bgp_rib *r)
{
	return r->up ? &r->format : NULL;
}

static void route_free(struct bgp_rib *r, struct route *route)
{
	unqueue(r, route);
	bgp_attr_unref(route->want);
	bgp_attr_unref(route->sent);
	free(route);
}

struct bgp_rib *bgp_rib_free(struct bgp_rib *r)
{
	void *route;

	if (!r)
		return NULL;
	for (size_t at = 0; map_next(r->routes, &at, NULL, &route);)
		route_free(r, route);
	map_free(r->routes);
	for (int i = 0; i < FAMILIES; i++)
		map_free(r->queues[i].by_attr);
	free(r);
	return NULL;
}
