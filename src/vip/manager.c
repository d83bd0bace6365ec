#include "vip/vip.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/rng.h"
#include "net/ifaddr.h"
#include "net/sockdiag.h"
#include "net/worker.h"
#include "vip/change.h"
#include "vip/keeper.h"
#include "vip/sweep.h"

#define AT_ONCE		VIP_CHANGES_MAX /* decisions in one turn of the loop */
#define END_AT_EXIT_MAX 16 /* addresses whose connections are ended: each walks the table of all */
#define RETRY		DUR_S(1) /* after a refusal */
#define LIFE_S		30
#define RENEW		DUR_S(10)
#define HEARTBEAT	DUR_S(1)
#define STALLED		DUR_S(3)

/* One address: what is asked for, what we have done, and how it went. */
struct vip {
	struct addr addr;
	bool wanted;
	enum vip_mode mode;
	bool auto_link;
	char named[NET_NAME_MAX];

	struct vip_held held;
	char held_name[NET_NAME_MAX];
	int coming; /* the link that the record names, for the change under way; 0: none */
	bool busy;  /* a change of it is under way */
	bool again; /* and something has happened meanwhile */
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
	bool end_connections;
	bool record_stale;  /* it names more than there is */
	struct netlink *nl; /* for the end */
	struct net_worker *worker;
	struct net_job job;
	struct vip_changes changes; /* under way, or being gathered */
	bool under_way;
	bool overslept; /* since it began */
	bool ending;
	struct vip_keeper keeper;
	struct loop_io keeper_end; /* of its life */
	struct vip_pulse *pulse;
	struct dur pulse_limit;
	uint32_t swept; /* what the page said when we looked last */
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
	v->again = v->busy;
	if (v->busy)
		return;
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

static void failed(struct vip_manager *m, struct vip *v, const char *why)
{
	m->stats.refused++;
	set_status(m, v, VIP_FAILED, v->held.ifindex ? v->held_name : "", why);
	if (!loop_timer_active(&m->retry))
		loop_timer_set(&m->retry, mono_add(loop_now(m->conf.loop), RETRY));
}

static const char *link_name(const struct vip_manager *m, int ifindex)
{
	const struct net_link *l = net_links_by_index(m->conf.links, ifindex);

	return l ? l->name : "";
}

/* The record: what is on a link, and what is about to be. */

static struct vip_record record_make(const struct vip_manager *m)
{
	struct vip_record r = { 0 };
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
	return r;
}

/*
 * Changes: gathered here, carried out by the worker, one lot at a time. The record names an address before it is added,
 * and until after it is removed.
 */

static int keeper_start(struct vip_manager *m, struct err *e)
{
	int status = vip_keeper_start(&m->keeper, m->path, m->instance, m->pulse, e);

	if (status == 0)
		loop_io_watch(&m->keeper_end, m->keeper.fd, LOOP_READ);
	return status;
}

/* In the place of one that has died. Without any, lifetimes still run out; the next heartbeat tries again. */
static void keeper_need(struct vip_manager *m)
{
	if (m->keeper.fd < 0)
		(void)!keeper_start(m, NULL);
}

static void keeper_died(struct loop_io *io, unsigned events)
{
	struct vip_manager *m = CONTAINER_OF(io, struct vip_manager, keeper_end);

	(void)events;
	loop_io_stop(io);
	vip_keeper_bury(&m->keeper);
	m->stats.keeper_restarts++;
}

/* While there is something to take away. */
static void give_sign(struct vip_manager *m, struct mono now)
{
	atomic_store(&m->pulse->loop.at_ns, now.ns);
	/* Long before anybody misses it: with gossip's timers it costs no wake-up. */
	loop_timer_set_within(&m->heartbeat, mono_add(now, DUR_NS(m->conf.heartbeat.ns / 2)),
			      mono_add(now, m->conf.heartbeat));
}

static bool limit_set(struct vip_sign *s, struct dur limit)
{
	return atomic_exchange(&s->limit_ns, limit.ns) != limit.ns;
}

/* Nobody looks while there is nothing to take away. The keeper hears of a change at once: it may be asleep. */
static void pulse_watch(struct vip_manager *m)
{
	bool on = m->stats.bound || m->under_way;

	if (!on)
		loop_timer_stop(&m->heartbeat);
	else if (!loop_timer_active(&m->heartbeat))
		give_sign(m, mono_clock());
	bool changed = limit_set(&m->pulse->loop, on ? m->conf.stalled : DUR_S(0));

	changed |= limit_set(&m->pulse->packets, on ? m->pulse_limit : DUR_S(0));
	if (changed)
		vip_keeper_rouse(&m->keeper);
}

static void holds(struct vip_manager *m, struct vip *v, int ifindex)
{
	list_remove(&v->renewals);
	m->stats.bound += !!ifindex - !!v->held.ifindex;
	pulse_watch(m);
	v->held = (struct vip_held){ .ifindex = ifindex };
	snprintf(v->held_name, sizeof(v->held_name), "%s", ifindex ? link_name(m, ifindex) : "");
	if (!ifindex)
		return;
	v->renew_at = mono_add(loop_now(m->conf.loop), m->conf.renew);
	list_append(&m->renewals, &v->renewals);
	if (!loop_timer_active(&m->renew))
		loop_timer_set(&m->renew, v->renew_at);
}

static struct vip_change *change_of(struct vip_manager *m, struct vip *v)
{
	struct vip_change *ch = vip_changes_add(&m->changes, &v->addr);

	assert(ch && !v->busy);
	ch->owner = v;
	v->busy = true;
	return ch;
}

static void changes_begin(struct vip_manager *m)
{
	m->under_way = true;
	keeper_need(m);
	pulse_watch(m); /* before there is something that outlives us */
	net_worker_do(m->worker, &m->job);
}

static void changes_work(struct net_job *job, struct netlink *nl)
{
	vip_changes_do(&CONTAINER_OF(job, struct vip_manager, job)->changes, nl);
}

/* What came of one. A success is looked at again: the table shows whether the address is where it should be. */
static void change_finished(struct vip_manager *m, const struct vip_change *ch)
{
	struct vip *v = ch->owner;
	bool again = v->again || ch->add_to || ch->remove_from;

	v->busy = v->again = false;
	v->coming = 0;
	m->stats.added += ch->added;
	m->stats.removed += ch->was_there;
	m->record_stale = m->record_stale || ch->removed;
	if (ch->added) {
		holds(m, v, ch->add_to);
		v->held.seen = m->overslept;
	} else if (ch->removed) {
		holds(m, v, 0);
	}
	if (ch->failed[0])
		failed(m, v, ch->failed);
	else if (again)
		look_at(m, v);
}

static void carry_on(struct vip_manager *m);

static void changes_done(struct net_job *job)
{
	struct vip_manager *m = CONTAINER_OF(job, struct vip_manager, job);

	m->under_way = false;
	/* Too many names do no harm: where nothing else was to be done, the next change tries again. */
	m->record_stale = m->record_stale || (m->changes.record_failed && m->changes.n);
	for (size_t i = 0; i < m->changes.n; i++)
		change_finished(m, &m->changes.v[i]);
	m->overslept = false;
	vip_changes_clear(&m->changes);
	pulse_watch(m);
	carry_on(m);
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

/* Nothing has to be changed: say so. */
static void settle(struct vip_manager *m, struct vip *v, const struct vip_step *s)
{
	if (v->wanted)
		set_status(m, v, s->state, link_name(m, s->link), s->reason);
	else
		vip_drop(m, v);
}

static void look(struct vip_manager *m, const struct vip_view *view, struct vip *v)
{
	struct vip_step s = decide(m, view, v);

	if (!s.add_to && !s.remove_from) {
		settle(m, v, &s);
		return;
	}
	struct vip_change *ch = change_of(m, v);
	ch->add_to = s.add_to;
	ch->remove_from = s.remove_from;
	m->changes.end_connections = m->end_connections;
	m->changes.record_wanted = m->changes.record_wanted || s.add_to;
}

static void look_at_some(struct vip_manager *m)
{
	struct vip *v;
	size_t n = 0;

	net_links_catch_up(m->conf.links);
	struct vip_view view = view_of(m);
	LIST_EACH (v, &m->dirty, dirty) {
		if (n++ == AT_ONCE)
			break;
		list_remove(&v->dirty);
		look(m, &view, v);
	}
}

/* Make the links match what is wanted, some at a time. */
static void reconcile(struct loop_task *t)
{
	struct vip_manager *m = CONTAINER_OF(t, struct vip_manager, reconcile);

	if (m->under_way)
		return;
	look_at_some(m);
	if (!m->changes.n && !list_empty(&m->dirty)) {
		loop_task_queue(&m->reconcile);
		return;
	}
	if (!m->changes.n && !m->record_stale)
		return;
	if (!m->changes.n || m->changes.record_wanted) {
		m->changes.record_wanted = true;
		m->changes.record = record_make(m);
		m->record_stale = false;
	}
	changes_begin(m);
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

/*
 * The keeper has taken off what the record names, maybe before we have seen it in the table: what is not there now has
 * been lost, and is not still to come.
 */
static void has_overslept(struct vip_manager *m)
{
	struct vip *v;
	const char *key;

	m->overslept = m->under_way;
	MAP_EACH (m->vips, key, v) {
		(void)key;
		v->held.seen = true;
		look_at(m, v);
	}
}

static void look_at_swept(struct vip_manager *m)
{
	uint32_t swept = atomic_load(&m->pulse->swept);

	if (swept != m->swept)
		has_overslept(m);
	m->swept = swept;
}

static void links_changed(struct net_watch *w)
{
	struct vip_manager *m = CONTAINER_OF(w, struct vip_manager, watch);

	look_at_swept(m);
	all_again(m, false);
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
	list_remove(&v->renewals);
	v->renew_at = mono_add(now, m->conf.renew);
	list_append(&m->renewals, &v->renewals);
	struct vip_step s = vip_decide(view, NULL, &v->addr, v->held);
	v->held.seen = v->held.seen || s.seen;
	/* Renewing adds what is not there: see first that nobody took it away, or its place. */
	if (s.lost)
		look_at(m, v);
	else
		change_of(m, v)->renew_on = v->held.ifindex;
}

/* Some of those that are due. The timer is set for the first of the others. */
static void renew_due(struct vip_manager *m, struct mono now)
{
	net_links_catch_up(m->conf.links);
	struct vip_view view = view_of(m);
	while (!list_empty(&m->renewals) && m->changes.n < VIP_CHANGES_MAX) {
		struct vip *v = LIST_ENTRY(m->renewals.next, struct vip, renewals);

		if (mono_before(now, v->renew_at)) {
			loop_timer_set(&m->renew, v->renew_at);
			break;
		}
		renew_one(m, &view, v, now);
	}
	if (m->changes.n)
		changes_begin(m);
}

static void renew(struct loop_timer *t, struct mono now)
{
	struct vip_manager *m = CONTAINER_OF(t, struct vip_manager, renew);

	if (!m->under_way) /* else carry_on() comes by */
		renew_due(m, now);
}

/* What was under way is done. Renewals first: there may always be something to change. */
static void carry_on(struct vip_manager *m)
{
	struct mono now = loop_now(m->conf.loop);

	if (m->ending)
		return;
	if (!list_empty(&m->renewals) && !loop_timer_active(&m->renew))
		renew_due(m, now);
	loop_task_queue(&m->reconcile);
}

static void beat(struct loop_timer *t, struct mono now)
{
	struct vip_manager *m = CONTAINER_OF(t, struct vip_manager, heartbeat);

	look_at_swept(m);
	keeper_need(m);
	give_sign(m, now);
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
	struct vip_record none = record_make(m);
	if (status == 0)
		status = vip_record_write(m->path, &none, e);
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
	m->job = (struct net_job){ .work = changes_work, .done = changes_done };
	m->changes.path = m->path;
	m->end_connections = true;
	m->changes.life_s = m->conf.life_s;
	loop_task_init(&m->reconcile, conf->loop, reconcile);
	loop_timer_init(&m->renew, conf->loop, renew);
	loop_timer_init(&m->retry, conf->loop, retry);
	loop_timer_init(&m->heartbeat, conf->loop, beat);
	loop_io_init(&m->keeper_end, conf->loop, keeper_died);
	name_instance(m);

	int status = netlink_open(&m->nl, e);
	m->pulse = vip_pulse_new();
	if (status == 0 && !m->pulse)
		status = err_errno(e, "a page for the keeper");
	if (status == 0)
		status = take_over(m, e);
	if (status == 0)
		status = keeper_start(m, e);
	if (status == 0)
		status = net_worker_new(conf->loop, &m->worker, e);
	if (status < 0)
		return status;
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
	unsigned ended = 0;

	net_links_catch_up(m->conf.links);
	struct vip_view view = view_of(m);
	MAP_EACH (m->vips, key, v) {
		(void)key;
		if (v->held.ifindex && !vip_decide(&view, NULL, &v->addr, v->held).lost) {
			if (m->end_connections && ended++ < END_AT_EXIT_MAX)
				(void)sockdiag_end_tcp(&v->addr);
			clean = ifaddr_remove(m->nl, v->held.ifindex, &v->addr, NULL) >= 0 && clean;
		}
		vip_drop(m, v);
	}
	return clean;
}

void vip_end_connections(struct vip_manager *m, bool wanted)
{
	m->end_connections = wanted;
}

struct vip_manager *vip_manager_free(struct vip_manager *m)
{
	if (!m)
		return NULL;
	m->ending = true;
	net_links_unwatch(&m->watch);
	m->worker = net_worker_free(m->worker); /* what has begun is done first */
	loop_task_cancel(&m->reconcile);
	loop_timer_stop(&m->renew);
	loop_timer_stop(&m->retry);
	loop_timer_stop(&m->heartbeat);
	bool clean = take_all_off(m);
	if (clean && m->keeper.fd >= 0)
		(void)unlink(m->path); /* else the next start has something to clean up */
	loop_io_stop(&m->keeper_end);
	vip_keeper_stop(&m->keeper);
	m->pulse = vip_pulse_free(m->pulse);
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

_Atomic int64_t *vip_pulse(struct vip_manager *m)
{
	return &m->pulse->packets.at_ns;
}

void vip_pulse_limit(struct vip_manager *m, struct dur limit)
{
	m->pulse_limit = limit;
	pulse_watch(m);
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
