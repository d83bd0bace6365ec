#include "vip/vip.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "net/ifaddr.h"
#include "net/sockdiag.h"
#include "net/worker.h"
#include "vip/change.h"
#include "vip/keeper.h"
#include "vip/sweep.h"
#include "vip/table.h"

#define AT_ONCE		VIP_CHANGES_MAX /* decisions in one turn of the loop */
#define END_AT_EXIT_MAX 16 /* addresses whose connections are ended: each walks the table of all */
#define RETRY		DUR_S(1) /* after a refusal */
#define LIFE_S		30
#define RENEW		DUR_S(10)
#define RENEWAL_PACE	DUR_MS(10)
#define HEARTBEAT	DUR_S(1)
#define STALLED		DUR_S(3)

/* What few addresses have. */
struct rare {
	char named[NET_NAME_MAX]; /* the link that was asked for; "": auto */
	char *reason;		  /* NULL: none */
};

/* One address: what is asked for, what we have done, and how it went. There may be very many: 40 bytes. */
struct vip {
	struct addr addr; /* first, for the table */
	bool wanted : 1;
	bool routed : 1; /* enum vip_mode */
	bool busy : 1;	 /* a change of it is under way */
	bool again : 1;	 /* and something has happened meanwhile */
	bool dirty : 1;	 /* to be looked at */
	bool seen : 1;	 /* as in struct vip_held */
	bool renew : 1;	 /* at once: it may have been taken off before the table has shown it */
	uint8_t state;	 /* enum vip_state */
	int held_on;	 /* as in struct vip_held */
	int link;	 /* where it is, as we have told; 0: nowhere */
	struct rare *rare;
};

/* First in, first out. */
struct queue {
	struct vip **v;
	size_t first, n, cap;
};

struct vip_manager {
	struct vip_conf conf;
	char *path;
	char instance[VIP_INSTANCE_MAX];
	int lock;
	bool proto_kept;
	bool end_connections;
	bool under_way;	    /* the changes */
	bool overslept;	    /* since they began */
	bool record_broken; /* it may lack something: to be written anew before anything is added */
	bool renewing;	    /* in rounds, while there is something on a link */
	bool link_allowed;  /* asked_link */
	bool ending;
	size_t record_more; /* so much more than there is stands in the record */
	struct netlink *nl; /* for the end */
	struct net_worker *worker;
	struct net_job job;
	struct vip_changes changes; /* under way, or being gathered */
	struct vip_keeper keeper;
	struct loop_io keeper_end; /* of its life */
	struct vip_pulse *pulse;
	struct dur pulse_limit;
	uint32_t swept; /* what the page said when we looked last */
	struct net_watch watch;
	uint64_t layout; /* of the links, when we looked at everything last */
	struct vip_table vips;
	struct queue dirty; /* to be looked at */
	struct mono round;  /* when this one began, or begins */
	size_t renewed;	    /* place in the table: those before it have been, in this round */
	struct loop_task reconcile;
	struct loop_timer renew;
	struct loop_timer retry;
	struct loop_timer heartbeat;
	struct vip_stats stats;
	char asked_reason[VIP_REASON_MAX]; /* what vip_possible() lends */
	char asked_link[NET_NAME_MAX];	   /* with the view that was made last; "": none yet */
};

/* Bookkeeping. */

static struct vip *vip_find(const struct vip_manager *m, const struct addr *a)
{
	return vip_table_find(&m->vips, a);
}

static struct vip *vip_new(struct vip_manager *m, const struct addr *a)
{
	struct vip *v = mem_new(struct vip);

	v->addr = *a;
	vip_table_add(&m->vips, v);
	return v;
}

static void rare_free(struct vip *v)
{
	if (v->rare)
		free(v->rare->reason);
	free(v->rare);
	v->rare = NULL;
}

static void vip_drop(struct vip_manager *m, struct vip *v)
{
	vip_table_remove(&m->vips, &v->addr);
	rare_free(v);
	free(v);
}

static struct rare *rare_of(struct vip *v)
{
	if (!v->rare)
		v->rare = mem_new(struct rare);
	return v->rare;
}

static const char *named(const struct vip *v)
{
	return v->rare ? v->rare->named : "";
}

static void set_named(struct vip *v, const char *link)
{
	if (strcmp(named(v), link) != 0)
		snprintf(rare_of(v)->named, NET_NAME_MAX, "%s", link);
}

static const char *reason(const struct vip *v)
{
	return v->rare && v->rare->reason ? v->rare->reason : "";
}

static void set_reason(struct vip *v, const char *why)
{
	if (strcmp(reason(v), why) == 0)
		return;
	struct rare *r = rare_of(v);
	free(r->reason);
	r->reason = why[0] ? mem_strdup(why) : NULL;
	if (!r->reason && !r->named[0])
		rare_free(v);
}

static struct vip_held held_of(const struct vip *v)
{
	return (struct vip_held){ .ifindex = v->held_on, .seen = v->seen };
}

static void queue_put(struct queue *q, struct vip *v)
{
	mem_grow(q->v, q->n, q->cap);
	q->v[q->n++] = v;
}

/* NULL when it is empty; then it takes no memory either. */
static struct vip *queue_take(struct queue *q)
{
	if (q->first < q->n)
		return q->v[q->first++];
	free(q->v);
	*q = (struct queue){ 0 };
	return NULL;
}

static void look_at(struct vip_manager *m, struct vip *v)
{
	v->again = v->busy;
	if (v->busy)
		return;
	if (!v->dirty)
		queue_put(&m->dirty, v);
	v->dirty = true;
	loop_task_queue(&m->reconcile);
}

static const char *link_name(const struct vip_manager *m, int ifindex)
{
	const struct net_link *l = net_links_by_index(m->conf.links, ifindex);

	return l ? l->name : "";
}

static struct vip_status status_of(const struct vip_manager *m, const struct vip *v)
{
	return (struct vip_status){ .state = (enum vip_state)v->state,
				    .link = link_name(m, v->link),
				    .reason = reason(v) };
}

static void set_status(struct vip_manager *m, struct vip *v, enum vip_state state, int link,
		       const char *why)
{
	if (v->state == state && v->link == link && strcmp(reason(v), why) == 0)
		return;
	v->state = (uint8_t)state;
	v->link = link;
	set_reason(v, why);
	struct vip_status now = status_of(m, v);
	if (m->conf.changed)
		m->conf.changed(m->conf.ctx, &v->addr, &now);
}

static void failed(struct vip_manager *m, struct vip *v, const char *why)
{
	m->stats.refused++;
	set_status(m, v, VIP_FAILED, v->held_on, why);
	if (!loop_timer_active(&m->retry))
		loop_timer_set(&m->retry, mono_add(loop_now(m->conf.loop), RETRY));
}

/* The record: what is on a link, and what is about to be. */

static void record_add(const struct vip_manager *m, struct vip_record *r, const struct addr *a,
		       int ifindex)
{
	if (ifindex)
		vip_record_add(r, ifindex, link_name(m, ifindex), a);
}

static void record_coming(const struct vip_manager *m, struct vip_record *r)
{
	for (size_t i = 0; i < m->changes.n; i++)
		record_add(m, r, &m->changes.v[i].addr, m->changes.v[i].add_to);
}

static struct vip_record record_make(const struct vip_manager *m)
{
	struct vip_record r = { 0 };
	struct vip *v;

	memcpy(r.instance, m->instance, sizeof(r.instance));
	for (size_t at = 0; (v = vip_table_next(&m->vips, &at));)
		record_add(m, &r, &v->addr, v->held_on);
	record_coming(m, &r);
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

/* Very many are renewed less often, and live longer: each time the kernel looks at all that it has of IPv6. */
static struct dur round_lasts(const struct vip_manager *m)
{
	struct dur paced = DUR_NS(RENEWAL_PACE.ns * (int64_t)m->vips.live);

	return m->conf.renew.ns > paced.ns ? m->conf.renew : paced;
}

static uint32_t life_s(const struct vip_manager *m)
{
	return (uint32_t)(m->conf.life_s * (double)round_lasts(m).ns / (double)m->conf.renew.ns);
}

static void round_begin(struct vip_manager *m, struct mono at)
{
	m->renewing = true;
	m->renewed = 0;
	m->round = at;
	loop_timer_set(&m->renew, at);
}

static void holds(struct vip_manager *m, struct vip *v, int ifindex)
{
	m->stats.bound += !!ifindex - !!v->held_on;
	pulse_watch(m);
	v->held_on = ifindex;
	v->seen = v->renew = false;
	if (ifindex && !m->renewing)
		round_begin(m, mono_add(loop_now(m->conf.loop), round_lasts(m)));
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
	m->changes.life_s = life_s(m);
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
	m->stats.added += ch->added;
	m->stats.removed += ch->was_there;
	m->record_more += ch->removed || (ch->add_to && !ch->added);
	if (ch->added) {
		holds(m, v, ch->add_to);
		v->renew = m->overslept;
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
	m->record_broken |= m->changes.record_failed;
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
	struct vip_manager *m = ctx;

	if (!m->conf.link_allowed)
		return true;
	if (strcmp(m->asked_link, name) != 0) {
		m->link_allowed = m->conf.link_allowed(m->conf.ctx, name);
		snprintf(m->asked_link, sizeof(m->asked_link), "%s", name);
	}
	return m->link_allowed;
}

static struct vip_view view_of(struct vip_manager *m)
{
	m->asked_link[0] = '\0';
	struct vip_view v = {
		.proto_kept = m->proto_kept,
		.allowed = ask_allowed,
		.default_link = ask_default_link,
		.ctx = m,
	};

	v.links = net_links_all(m->conf.links, &v.n_links);
	return v;
}

static struct vip_step decide(struct vip_manager *m, const struct vip_view *view, struct vip *v)
{
	struct vip_wish w = {
		.addr = v->addr,
		.mode = v->routed ? VIP_ROUTED : VIP_LAYER2,
		.link = named(v)[0] ? named(v) : NULL,
	};
	struct vip_step s = vip_decide(view, v->wanted ? &w : NULL, &v->addr, held_of(v));

	if (s.lost) {
		m->stats.vanished++;
		m->record_more++;
		holds(m, v, 0);
	}
	v->seen |= s.seen;
	return s;
}

/* Nothing has to be changed: say so. */
static void settle(struct vip_manager *m, struct vip *v, const struct vip_step *s)
{
	if (v->wanted)
		set_status(m, v, s->state, s->link, s->reason);
	else
		vip_drop(m, v);
}

static void look(struct vip_manager *m, const struct vip_view *view, struct vip *v)
{
	struct vip_step s = decide(m, view, v);
	int renew_on = v->renew ? v->held_on : 0;

	v->renew = false;
	if (!s.add_to && !s.remove_from && !renew_on) {
		settle(m, v, &s);
		return;
	}
	struct vip_change *ch = change_of(m, v);
	ch->add_to = s.add_to;
	ch->remove_from = s.remove_from;
	ch->renew_on = s.add_to || s.remove_from ? 0 : renew_on;
	v->again = ch->renew_on; /* what it is then is told afterwards */
	m->changes.end_connections = m->end_connections;
	m->changes.record_wanted = m->changes.record_wanted || s.add_to;
}

static void look_at_some(struct vip_manager *m)
{
	struct vip *v;

	net_links_catch_up(m->conf.links);
	struct vip_view view = view_of(m);
	for (size_t n = 0; n < AT_ONCE && (v = queue_take(&m->dirty)); n++) {
		v->dirty = false;
		look(m, &view, v);
	}
}

/* Written anew where it may lack something, when half of it is no longer so, and when there is nothing else to do. */
static void record_prepare(struct vip_manager *m)
{
	struct vip_changes *c = &m->changes;

	c->record_whole = m->record_broken || !c->n || m->record_more > m->stats.bound + c->n;
	c->record_wanted |= !c->n;
	if (!c->record_wanted)
		return;
	if (c->record_whole) {
		c->record = record_make(m);
		m->record_broken = false;
		m->record_more = 0;
	} else {
		record_coming(m, &c->record);
	}
}

/* Make the links match what is wanted, some at a time. */
static void reconcile(struct loop_task *t)
{
	struct vip_manager *m = CONTAINER_OF(t, struct vip_manager, reconcile);

	if (m->under_way)
		return;
	look_at_some(m);
	if (!m->changes.n && m->dirty.n) {
		loop_task_queue(&m->reconcile);
		return;
	}
	if (!m->changes.n && !m->record_more)
		return;
	record_prepare(m);
	changes_begin(m);
}

static void all_again(struct vip_manager *m, bool only_failed)
{
	struct vip *v;

	for (size_t at = 0; (v = vip_table_next(&m->vips, &at));)
		if (!only_failed || v->state == VIP_FAILED)
			look_at(m, v);
}

/*
 * The keeper has taken off what the record names. Of what the table has shown the kernel tells that it has gone; the
 * rest may be there or not, and is afterwards.
 */
static void has_overslept(struct vip_manager *m)
{
	struct vip *v;

	m->overslept = m->under_way;
	for (size_t at = 0; (v = vip_table_next(&m->vips, &at));) {
		v->renew = v->held_on && !v->seen;
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

	uint64_t layout = net_links_layout(m->conf.links);

	look_at_swept(m);
	if (layout != m->layout)
		all_again(m, false);
	m->layout = layout;
}

static void host_changed(struct net_watch *w, const struct addr *a)
{
	struct vip_manager *m = CONTAINER_OF(w, struct vip_manager, watch);
	struct vip *v = vip_find(m, a);

	if (v)
		look_at(m, v);
}

static void retry(struct loop_timer *t, struct mono now)
{
	(void)now;
	all_again(CONTAINER_OF(t, struct vip_manager, retry), true);
}

/* Renewing. */

static void renew_one(struct vip_manager *m, const struct vip_view *view, struct vip *v)
{
	struct vip_step s = vip_decide(view, NULL, &v->addr, held_of(v));

	v->seen |= s.seen;
	/* Renewing adds what is not there: see first that nobody took it away, or its place. */
	if (s.lost)
		look_at(m, v);
	else
		change_of(m, v)->renew_on = v->held_on;
}

/* The round is over when it has come to the end of the table. */
static bool renew_some(struct vip_manager *m)
{
	struct vip_view view = view_of(m);

	while (m->changes.n < VIP_CHANGES_MAX) {
		struct vip *v = vip_table_next(&m->vips, &m->renewed);

		if (!v)
			return true;
		if (v->held_on)
			renew_one(m, &view, v);
	}
	return false;
}

static void renew_due(struct vip_manager *m, struct mono now)
{
	net_links_catch_up(m->conf.links);
	if (!renew_some(m)) {
		loop_timer_set(&m->renew, mono_add(now, DUR_NS(RENEWAL_PACE.ns * VIP_CHANGES_MAX)));
	} else if (m->stats.bound) {
		struct mono next = mono_add(m->round, round_lasts(m));

		round_begin(m, mono_before(next, now) ? now : next);
	} else {
		m->renewing = false;
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
	if (m->renewing && !loop_timer_active(&m->renew))
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
	vip_table_init(&m->vips);
	m->watch.changed = links_changed;
	m->watch.host_changed = host_changed;
	m->job = (struct net_job){ .work = changes_work, .done = changes_done };
	m->changes.path = m->path;
	m->end_connections = true;
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
	unsigned ended = 0;

	net_links_catch_up(m->conf.links);
	struct vip_view view = view_of(m);
	for (size_t at = 0; (v = vip_table_next(&m->vips, &at));) {
		if (v->held_on && !vip_decide(&view, NULL, &v->addr, held_of(v)).lost) {
			if (m->end_connections && ended++ < END_AT_EXIT_MAX)
				(void)sockdiag_end_tcp(&v->addr);
			clean = ifaddr_remove(m->nl, v->held_on, &v->addr, NULL) >= 0 && clean;
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
	vip_table_fini(&m->vips);
	free(m->dirty.v);
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
	if (!fresh && v->wanted && v->routed == (mode == VIP_ROUTED) &&
	    strcmp(named(v), link ? link : "") == 0)
		return;
	v->wanted = true;
	v->routed = mode == VIP_ROUTED;
	set_named(v, link ? link : "");
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
	*out = status_of(m, v);
	return true;
}

bool vip_possible(struct vip_manager *m, const struct addr *a, enum vip_mode mode, const char *link,
		  struct vip_status *out)
{
	const struct vip *v = vip_find(m, a);
	struct vip_wish w = { .addr = *a, .mode = mode, .link = link };
	struct vip_view view = view_of(m);
	const struct net_link *l = vip_choose(&view, &w, v ? v->held_on : 0, m->asked_reason);

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
