#include "vip/vip.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/rng.h"
#include "net/ifaddr.h"
#include "vip/choose.h"
#include "vip/keeper.h"
#include "vip/sweep.h"

#define AT_ONCE	  64	   /* changes in one turn of the loop: about half a ms */
#define RETRY	  DUR_S(1) /* after a refusal */
#define BREATHER  DUR_MS(1)
#define LIFE_S	  30
#define RENEW	  DUR_S(10)
#define HEARTBEAT DUR_MS(500)
#define STALLED	  DUR_S(3)

/* One address: what is asked for, what we have done, and how it went. */
struct vip {
	struct addr addr;
	bool wanted;
	enum vip_mode mode;
	bool auto_link;
	char named[NET_NAME_MAX];

	struct vip_held held;
	int coming; /* the link that the record names, for the change under way; 0: none */
	char held_name[NET_NAME_MAX];
	struct mono renew_at;
	struct list renewals; /* while it is on a link */
	struct list dirty;    /* while something is to be looked at */

	enum vip_state state;
	char link[NET_NAME_MAX];
	char reason[VIP_REASON_MAX];
};

struct vip_manager {
	struct vip_conf conf;
	char *path;
	char instance[VIP_INSTANCE_MAX];
	int lock;
	bool proto_kept;
	bool record_stale; /* it names more than there is */
	struct netlink *nl;
	struct vip_keeper keeper;
	struct net_watch watch;
	struct map *vips;     /* struct addr -> struct vip */
	struct list dirty;    /* to be looked at, first come first served */
	struct list renewals; /* on links, the next to be renewed first */
	struct loop_task reconcile;
	struct loop_timer renew;
	struct loop_timer retry;
	struct loop_timer heartbeat;
	struct vip_stats stats;
	char asked_reason[VIP_REASON_MAX]; /* what vip_possible() lends */
};

/* Bookkeeping. */

static struct vip *vip_find(const struct vip_manager *m, const struct addr *a)
{
	return map_get_bytes(m->vips, a, sizeof(*a));
}

static struct vip *vip_new(struct vip_manager *m, const struct addr *a)
{
	struct vip *v = mem_new(struct vip);

	v->addr = *a;
	list_init(&v->renewals);
	list_init(&v->dirty);
	(void)map_put_bytes(m->vips, a, sizeof(*a), v);
	return v;
}

static void vip_drop(struct vip_manager *m, struct vip *v)
{
	list_remove(&v->renewals);
	list_remove(&v->dirty);
	(void)map_del_bytes(m->vips, &v->addr, sizeof(v->addr));
	free(v);
}

static void look_at(struct vip_manager *m, struct vip *v)
{
	if (list_empty(&v->dirty))
		list_append(&m->dirty, &v->dirty);
	loop_task_queue(&m->reconcile);
}

static struct vip_status status_of(const struct vip *v)
{
	return (struct vip_status){ .state = v->state, .link = v->link, .reason = v->reason };
}

static void set_status(struct vip_manager *m, struct vip *v, enum vip_state state, const char *link,
		       const char *reason)
{
	bool same =
		v->state == state && strcmp(v->link, link) == 0 && strcmp(v->reason, reason) == 0;

	if (same)
		return;
	v->state = state;
	snprintf(v->link, sizeof(v->link), "%s", link);
	snprintf(v->reason, sizeof(v->reason), "%s", reason);
	struct vip_status now = status_of(v);
	if (m->conf.changed)
		m->conf.changed(m->conf.ctx, &v->addr, &now);
}

static void failed(struct vip_manager *m, struct vip *v, const struct err *e)
{
	m->stats.refused++;
	set_status(m, v, VIP_FAILED, v->held.ifindex ? v->held_name : "", e->text);
	if (!loop_timer_active(&m->retry))
		loop_timer_set(&m->retry, mono_add(loop_now(m->conf.loop), RETRY));
}

static const char *link_name(const struct vip_manager *m, int ifindex)
{
	const struct net_link *l = net_links_by_index(m->conf.links, ifindex);

	return l ? l->name : "";
}

/* The record: what is on a link, and what is about to be. */

static int record_write(struct vip_manager *m, struct err *e)
{
	CLEANUP(vip_record_fini) struct vip_record r = { 0 };
	struct vip *v;
	const char *key;

	memcpy(r.instance, m->instance, sizeof(r.instance));
	MAP_EACH (m->vips, key, v) {
		(void)key;
		if (v->held.ifindex)
			vip_record_add(&r, v->held.ifindex, v->held_name, &v->addr);
		if (v->coming)
			vip_record_add(&r, v->coming, link_name(m, v->coming), &v->addr);
	}
	int status = vip_record_write(m->path, &r, e);
	m->record_stale = status < 0;
	return status;
}

/* Changes. */

static void holds(struct vip_manager *m, struct vip *v, int ifindex)
{
	list_remove(&v->renewals);
	m->stats.bound += !!ifindex - !!v->held.ifindex;
	v->held = (struct vip_held){ .ifindex = ifindex };
	snprintf(v->held_name, sizeof(v->held_name), "%s", ifindex ? link_name(m, ifindex) : "");
	if (!ifindex)
		return;
	v->renew_at = mono_add(loop_now(m->conf.loop), m->conf.renew);
	list_append(&m->renewals, &v->renewals);
	if (!loop_timer_active(&m->renew))
		loop_timer_set(&m->renew, v->renew_at);
}

static int take_off(struct vip_manager *m, struct vip *v, int ifindex, struct err *e)
{
	int code = ifaddr_remove(m->nl, ifindex, &v->addr, e);

	if (code < 0)
		return code;
	m->stats.removed += code == 0;
	m->record_stale = true;
	if (v->held.ifindex == ifindex)
		holds(m, v, 0);
	return 0;
}

/* 0, IFADDR_EXISTS when somebody was faster, or an error. */
static int put_on(struct vip_manager *m, struct vip *v, struct err *e)
{
	int target = v->coming;
	int before = v->held.ifindex;
	int code = ifaddr_add(m->nl, target, &v->addr, m->conf.life_s, e);

	v->coming = 0;
	if (code != 0)
		return code;
	m->stats.added++;
	holds(m, v, target);
	return before && before != target ? take_off(m, v, before, e) : 0;
}

static void carry_out(struct vip_manager *m, struct vip *v, const struct vip_step *s,
		      const struct err *record_error)
{
	struct err e = { 0 };
	int code = 0;

	if (s->add_to && record_error) {
		v->coming = 0;
		failed(m, v, record_error);
		return;
	}
	if (s->add_to)
		code = put_on(m, v, &e);
	else if (s->remove_from)
		code = take_off(m, v, s->remove_from, &e);
	if (code == IFADDR_EXISTS)
		code = err_set(&e, ERR_STATE, "it was there already");
	if (code < 0)
		failed(m, v, &e);
	else if (v->wanted)
		set_status(m, v, s->state, link_name(m, s->link), s->reason);
	else
		vip_drop(m, v);
}

static int ask_default_link(void *ctx, enum family family)
{
	const struct vip_manager *m = ctx;

	return net_links_default(m->conf.links, family);
}

static bool ask_allowed(void *ctx, const char *name)
{
	const struct vip_manager *m = ctx;

	return !m->conf.link_allowed || m->conf.link_allowed(m->conf.ctx, name);
}

static struct vip_view view_of(const struct vip_manager *m)
{
	struct vip_view v = {
		.proto_kept = m->proto_kept,
		.allowed = ask_allowed,
		.default_link = ask_default_link,
		.ctx = (void *)(uintptr_t)m,
	};

	v.links = net_links_all(m->conf.links, &v.n_links);
	return v;
}

static struct vip_step decide(struct vip_manager *m, const struct vip_view *view, struct vip *v)
{
	struct vip_wish w = {
		.addr = v->addr,
		.mode = v->mode,
		.link = v->auto_link ? NULL : v->named,
	};
	struct vip_step s = vip_decide(view, v->wanted ? &w : NULL, &v->addr, v->held);

	if (s.lost) {
		m->stats.vanished++;
		m->record_stale = true;
		holds(m, v, 0);
	}
	v->held.seen = v->held.seen || s.seen;
	v->coming = s.add_to;
	return s;
}

/*
 * Make the links match what is wanted, some at a time. The record names an address before it is
 * added, and until after it is removed.
 */
static void reconcile(struct loop_task *t)
{
	struct vip_manager *m = CONTAINER_OF(t, struct vip_manager, reconcile);
	struct vip *batch[AT_ONCE];
	struct vip_step steps[AT_ONCE];
	size_t n = 0;
	bool adds = false;
	struct err e = { 0 };

	net_links_catch_up(m->conf.links);
	struct vip_view view = view_of(m);
	for (; n < AT_ONCE && !list_empty(&m->dirty); n++) {
		batch[n] = LIST_ENTRY(m->dirty.next, struct vip, dirty);
		list_remove(&batch[n]->dirty);
		steps[n] = decide(m, &view, batch[n]);
		adds = adds || steps[n].add_to;
	}
	bool recorded = !adds || record_write(m, &e) == 0;
	for (size_t i = 0; i < n; i++)
		carry_out(m, batch[i], &steps[i], recorded ? NULL : &e);
	if (!list_empty(&m->dirty))
		loop_task_queue(&m->reconcile);
	else if (m->record_stale)
		(void)record_write(
			m, NULL); /* too many names do no harm, and the next change tries again */
}

static void all_again(struct vip_manager *m, bool only_failed)
{
	struct vip *v;
	const char *key;

	MAP_EACH (m->vips, key, v) {
		(void)key;
		if (!only_failed || v->state == VIP_FAILED)
			look_at(m, v);
	}
}

static void links_changed(struct net_watch *w)
{
	all_again(CONTAINER_OF(w, struct vip_manager, watch), false);
}

static void retry(struct loop_timer *t, struct mono now)
{
	(void)now;
	all_again(CONTAINER_OF(t, struct vip_manager, retry), true);
}

/* Renewing. */

static void renew_one(struct vip_manager *m, const struct vip_view *view, struct vip *v,
		      struct mono now)
{
	struct err e = { 0 };

	list_remove(&v->renewals);
	v->renew_at = mono_add(now, m->conf.renew);
	list_append(&m->renewals, &v->renewals);
	struct vip_step s = vip_decide(view, NULL, &v->addr, v->held);
	v->held.seen = v->held.seen || s.seen;
	/* Renewing adds what is not there: see first that nobody took it away, or its place. */
	if (s.lost)
		look_at(m, v);
	else if (ifaddr_renew(m->nl, v->held.ifindex, &v->addr, m->conf.life_s, &e) < 0)
		failed(m, v, &e);
}

static void renew(struct loop_timer *t, struct mono now)
{
	struct vip_manager *m = CONTAINER_OF(t, struct vip_manager, renew);
	size_t n = 0;

	net_links_catch_up(m->conf.links);
	struct vip_view view = view_of(m);
	while (!list_empty(&m->renewals)) {
		struct vip *v = LIST_ENTRY(m->renewals.next, struct vip, renewals);

		if (mono_before(now, v->renew_at)) {
			loop_timer_set(t, v->renew_at);
			return;
		}
		if (n++ == AT_ONCE) {
			loop_timer_set(t, mono_add(now, BREATHER));
			return;
		}
		renew_one(m, &view, v, now);
	}
}

static void beat(struct loop_timer *t, struct mono now)
{
	struct vip_manager *m = CONTAINER_OF(t, struct vip_manager, heartbeat);

	if (!vip_keeper_beat(&m->keeper)) {
		m->stats.keeper_restarts++;
		if (vip_keeper_start(&m->keeper, m->path, m->instance, m->conf.stalled, NULL) < 0)
			m->keeper.fd = -1; /* the next beat tries again; lifetimes still run out */
	}
	loop_timer_set(t, mono_add(now, m->conf.heartbeat));
}

/* Beginning and end. */

static void fill_defaults(struct vip_conf *c)
{
	if (!c->life_s)
		c->life_s = LIFE_S;
	if (!c->renew.ns)
		c->renew = RENEW;
	if (!c->heartbeat.ns)
		c->heartbeat = HEARTBEAT;
	if (!c->stalled.ns)
		c->stalled = STALLED;
}

static void name_instance(struct vip_manager *m)
{
	uint64_t id;

	rng_secure(&id, sizeof(id));
	snprintf(m->instance, sizeof(m->instance), "%016llx", (unsigned long long)id);
}

/* Own the record: remove what an earlier daemon left, and put our name on it. */
static int take_over(struct vip_manager *m, struct err *e)
{
	if (m->path[0] != '/')
		return err_set(e, ERR_CONFIG, "%s is not an absolute path", m->path);
	m->lock = vip_lock_open(m->path, e);
	if (m->lock < 0)
		return m->lock;
	if (!vip_lock_try(m->lock, VIP_LOCK_OWNER))
		return err_set(e, ERR_STATE, "another daemon keeps %s", m->path);
	vip_lock_wait(m->lock, VIP_LOCK_WORK);
	int status = vip_sweep(m->path, NULL, NULL, e);
	if (status == 0)
		status = record_write(m, e);
	vip_lock_release(m->lock, VIP_LOCK_WORK);
	return status;
}

static void vip_manager_freep(struct vip_manager **m)
{
	*m = vip_manager_free(*m);
}

int vip_manager_new(const struct vip_conf *conf, struct vip_manager **out, struct err *e)
{
	CLEANUP(vip_manager_freep) struct vip_manager *m = mem_new(struct vip_manager);

	m->conf = *conf;
	fill_defaults(&m->conf);
	m->path = mem_strdup(conf->state_path);
	m->lock = m->keeper.fd = -1;
	m->proto_kept = ifaddr_proto_kept();
	m->vips = map_new();
	m->watch.changed = links_changed;
	list_init(&m->dirty);
	list_init(&m->renewals);
	loop_task_init(&m->reconcile, conf->loop, reconcile);
	loop_timer_init(&m->renew, conf->loop, renew);
	loop_timer_init(&m->retry, conf->loop, retry);
	loop_timer_init(&m->heartbeat, conf->loop, beat);
	name_instance(m);

	int status = netlink_open(&m->nl, e);
	if (status == 0)
		status = take_over(m, e);
	if (status == 0)
		status = vip_keeper_start(&m->keeper, m->path, m->instance, m->conf.stalled, e);
	if (status < 0)
		return status;
	loop_timer_set(&m->heartbeat, loop_now(conf->loop));
	net_links_watch(conf->links, &m->watch);
	*out = TAKE(m);
	return 0;
}

/* True when nothing of ours is left. */
static bool take_all_off(struct vip_manager *m)
{
	bool clean = true;
	struct vip *v;
	const char *key;

	net_links_catch_up(m->conf.links);
	struct vip_view view = view_of(m);
	MAP_EACH (m->vips, key, v) {
		(void)key;
		if (v->held.ifindex && !vip_decide(&view, NULL, &v->addr, v->held).lost)
			clean = take_off(m, v, v->held.ifindex, NULL) == 0 && clean;
		vip_drop(m, v);
	}
	return clean;
}

struct vip_manager *vip_manager_free(struct vip_manager *m)
{
	if (!m)
		return NULL;
	net_links_unwatch(&m->watch);
	loop_task_cancel(&m->reconcile);
	loop_timer_stop(&m->renew);
	loop_timer_stop(&m->retry);
	loop_timer_stop(&m->heartbeat);
	bool clean = take_all_off(m);
	if (clean && m->keeper.fd >= 0)
		(void)unlink(m->path); /* else the next start has something to clean up */
	vip_keeper_stop(&m->keeper);
	if (m->lock >= 0)
		close(m->lock);
	netlink_close(m->nl);
	map_free(m->vips);
	free(m->path);
	free(m);
	return NULL;
}

void vip_want(struct vip_manager *m, const struct addr *a, enum vip_mode mode, const char *link)
{
	struct vip *v = vip_find(m, a);
	bool fresh = !v;

	if (fresh)
		v = vip_new(m, a);
	if (!fresh && v->wanted && v->mode == mode && v->auto_link == !link &&
	    strcmp(v->named, link ? link : "") == 0)
		return;
	v->wanted = true;
	v->mode = mode;
	v->auto_link = !link;
	snprintf(v->named, sizeof(v->named), "%s", link ? link : "");
	look_at(m, v);
}

void vip_unwant(struct vip_manager *m, const struct addr *a)
{
	struct vip *v = vip_find(m, a);

	if (!v || !v->wanted)
		return;
	v->wanted = false;
	look_at(m, v);
}

bool vip_state(const struct vip_manager *m, const struct addr *a, struct vip_status *out)
{
	const struct vip *v = vip_find(m, a);

	if (!v)
		return false;
	*out = status_of(v);
	return true;
}

bool vip_possible(struct vip_manager *m, const struct addr *a, enum vip_mode mode, const char *link,
		  struct vip_status *out)
{
	const struct vip *v = vip_find(m, a);
	struct vip_wish w = { .addr = *a, .mode = mode, .link = link };
	struct vip_view view = view_of(m);
	const struct net_link *l = vip_choose(&view, &w, v ? v->held.ifindex : 0, m->asked_reason);

	*out = (struct vip_status){
		.state = l ? VIP_PENDING : VIP_UNPLACED,
		.link = l ? l->name : "",
		.reason = m->asked_reason,
	};
	return l;
}

const struct vip_stats *vip_stats(const struct vip_manager *m)
{
	return &m->stats;
}
