#include "app/app.h"

#include <signal.h>
#include <time.h>

#include "app/app_priv.h"
#include "app/folder.h"
#include "app/notify.h"
#include "app/privilege.h"
#include "app/verdict.h"

/* A node that joins a cluster claims nothing before it has synchronised, or been alone for so long. */
#define ALONE_AFTER DUR_S(1)

/* SIGTERM ends within 1.5 s, whoever answers or not. */
#define LEAVE_MAX DUR_MS(1300)

/* --- what the parts say to each other --- */

static void settle_holder(struct app *a, const char *service);

static void on_world(void *ctx, enum world_change what, const char *name)
{
	struct app *a = ctx;

	/* What was said of it before it was known here. */
	if (what == WORLD_SERVICE && a->cfg && !a->cfg->l2.preempt)
		settle_holder(a, name);

	/* The packet thread hears of a death before anybody plans. */
	if (what == WORLD_NODE && a->packet)
		layer2_node(&a->layer2, name);
	if (a->conf.is_announcer)
		planner_touch(a->planner, what, name);
	allocator_touch(a->allocator, what, name);
	if (what == WORLD_NODE)
		layer2_touch(&a->layer2);
	if (what == WORLD_NODE && strcmp(name, a->node) == 0)
		networks_settle(a->networks);
}

static void on_service_route(void *ctx, const struct prefix *prefix)
{
	networks_route(((struct app *)ctx)->networks, prefix);
}

static void on_decided(void *ctx, const char *service, const struct plan *before,
		       const struct plan *after)
{
	struct app *a = ctx;

	(void)before;
	sessions_route(&a->sessions, service, after ? after->bgp : NULL, after ? after->n_bgp : 0);
	binding_service(a->binding, a->world, service, after);
	services_decided(a->services, service, after);
	verdict_settle(a, service); /* its addresses may be others than before */
}

static void on_settled(void *ctx)
{
	struct app *a = ctx;

	layer2_touch(&a->layer2);
	app_tidy(a);
	reporter_settled(a->reporter);
	if (a->oriented && kubernetes_is_viewed(a->kubernetes))
		restart_viewed(a->restart);
}

static void on_owner(void *ctx, const struct addr *addr, bool owned)
{
	struct app *a = ctx;

	log_event(LOG_INFO, owned ? "addressTaken" : "addressGivenUp",
		  owned ? "this node answers for the address"
			: "this node is silent about the address",
		  KV_STR("ip", ADDR_TEXT(addr)));
	binding_owner(a->binding, addr, owned);
	services_owner(a->services, addr);
}

static void on_table(void *ctx)
{
	struct app *a = ctx;

	mesh_release(a->mesh);
	handover_on_table(a->handover);
}

static void on_links(void *ctx)
{
	struct app *a = ctx;
	struct err e = { 0 };
	uint64_t layout = net_links_layout(a->links);

	layer2_hosts_changed(&a->layer2);
	others_touch(a->others);
	if (layout == a->layout) /* what we bind may come in hundreds of bursts */
		return;
	a->layout = layout;
	layer2_touch(&a->layer2);
	if (a->cfg) {
		reach_settle(a->reach);
		verdict_settle_all(a);
	}
	if (a->cfg && a->conf.is_announcer && sessions_apply(&a->sessions, &e) < 0)
		log_event(LOG_WARN, "sessionsStale", "a peer could not be changed",
			  KV_STR("error", e.text));
}

static void on_health(void *ctx, const char *service, bool healthy, const char *reason)
{
	struct app *a = ctx;

	if (networks_health(a->networks, service, healthy, reason))
		return;
	log_event(healthy ? LOG_INFO : LOG_WARN, healthy ? "healthUp" : "healthDown",
		  healthy ? "health check passes" : "health check fails",
		  KV_STR("service", service), KV_STR("reason", healthy ? NULL : reason));
	verdict_settle(a, service);
}

/* --- the packet thread --- */

static void packet_l2(void *ctx, const struct l2_event *ev)
{
	layer2_on_event(&((struct app *)ctx)->layer2, ev);
}

static void packet_bfd(void *ctx, const struct bfd_event *ev)
{
	sessions_on_bfd(&((struct app *)ctx)->sessions, ev);
}

/* Gossip will say so too, but later: until then this node would dispute what the other has taken again. */
static void is_back(struct app *a, uint16_t id)
{
	const char *node = node_ids_name(a->ids, id);

	if (node)
		world_node_drained(a->world, node, false);
}

static void packet_pulse(void *ctx, const struct pulse_event *ev)
{
	struct app *a = ctx;

	mesh_on_event(a->mesh, ev);
	handover_on_event(a->handover, ev);
	if (ev->kind == PULSE_AWAY && !ev->away)
		is_back(a, ev->id);
}

/* Who said it tells everybody: it is not passed on. */
static void packet_news(void *ctx, struct rd text)
{
	(void)share_read(((struct app *)ctx)->share, text);
}

static void packet_pulse_retired(void *ctx, const struct pulse_table *t)
{
	mesh_retired(((struct app *)ctx)->mesh, t);
}

static void packet_l2_retired(void *ctx, struct l2_table *t)
{
	layer2_retired(&((struct app *)ctx)->layer2, t);
}

static void packet_bfd_retired(void *ctx, const struct bfd_table *t)
{
	sessions_bfd_retired(&((struct app *)ctx)->sessions, t);
}

static void packet_gap(void *ctx)
{
	struct app *a = ctx;

	log_event(LOG_WARN, "eventsLost", "the packet thread said more than could be heard",
		  KV_U64("lost", packet_events_lost(a->packet)));
	layer2_reconcile(&a->layer2);
	sessions_reconcile(&a->sessions);
}

static int packet_start(struct app *a, struct err *e)
{
	struct packet_hooks hooks = {
		.ctx = a,
		.fast = fastpath_fast(a->layer2.fastpath),
		.awake = binding_pulse(a->binding),
		.awake_every = mesh_interval(a->mesh),
		.l2 = packet_l2,
		.bfd = packet_bfd,
		.pulse = packet_pulse,
		.news = packet_news,
		.l2_retired = packet_l2_retired,
		.bfd_retired = packet_bfd_retired,
		.pulse_retired = packet_pulse_retired,
		.on_gap = packet_gap,
	};

	/* Others take over from a process that is stopped when so long nothing is heard of it: its addresses have to be gone. */
	binding_pulse_limit(a->binding, mesh_detection(a->mesh));
	if (packet_new(a->loop, &hooks, mesh_pulse(a->mesh), &a->packet, e) < 0)
		return -ERR_SYSTEM;
	layer2_attach(&a->layer2, a->packet, a->mesh);
	layer2_node(&a->layer2, a->node);
	sessions_attach(&a->sessions, a->packet, a->layer2.fastpath);
	membership_attach(a->membership, a->packet);
	mesh_attach(a->mesh, a->packet);
	handover_attach(a->handover, a->packet);
	return 0;
}

/* --- the cluster --- */

static void share_broadcast(void *ctx, const void *bytes, size_t len)
{
	struct app *a = ctx;

	if (a->packet)
		packet_say(a->packet, bytes, len); /* at once; gossip reaches the rest */
	if (a->membership)
		membership_broadcast(a->membership, bytes, len);
}

static void share_verdict(void *ctx, const char *node, const char *service, bool servable)
{
	world_service_endpoint(((struct app *)ctx)->world, service, node, servable);
}

static void share_silent(void *ctx, const char *node, const char *service)
{
	world_service_endpoint_forget(((struct app *)ctx)->world, service, node);
}

static void settle_holder(struct app *a, const char *service)
{
	uint64_t term;
	const char *holder = share_holder(a->share, service, &term);

	world_service_holder(a->world, service, holder, term);
}

static void share_holds(void *ctx, const char *node, const char *service, uint64_t term)
{
	(void)node, (void)term; /* others may have it too */
	settle_holder(ctx, service);
}

static void share_host_said(void *ctx, const char *node, const json_t *host)
{
	reach_heard(((struct app *)ctx)->reach, node, host);
}

static bool share_is_member(void *ctx, const char *node)
{
	const struct world_node *n = world_node(((struct app *)ctx)->world, node);

	return n && n->alive;
}

static json_t *share_table(void *ctx)
{
	struct app *a = ctx;

	return a->allocation ? allocation_table(a->allocation) : json_array();
}

/* What no file wants any more is forgotten once all live members have the same file. */
static void prune_when_agreed(struct app *a)
{
	if (share_agreeing(a->share) == membership_count(a->membership))
		allocation_prune(a->allocation);
}

static bool share_merge(void *ctx, const json_t *table)
{
	struct app *a = ctx;

	bool news = a->allocation && allocation_merge(a->allocation, table);

	if (news && a->membership)
		prune_when_agreed(a);
	return news;
}

static void allocations_changed(void *ctx, const json_t *entries)
{
	share_allocations(((struct app *)ctx)->share, entries);
}

static bool is_of_this_host(void *ctx, const struct addr *addr)
{
	const struct app *a = ctx;
	const struct net_link *link;

	for (size_t at = 0; (link = net_links_next(a->links, &at));)
		for (size_t i = 0; i < link->n_addrs; i++)
			if (addr_eq(&link->addrs[i].addr, addr))
				return true;
	return false;
}

void app_quorum_settle(struct app *a)
{
	const struct cfg *c = world_config(a->world);
	struct world_quorum q = { 0 };

	if (!c || !a->quorum)
		return;
	bool before = world_has_quorum(a->world);

	if (before)
		quorum_forget(a->quorum, &c->cluster, loop_now(a->loop));
	q = quorum_count(a->quorum, &c->cluster, is_of_this_host, a);
	world_set_quorum(a->world, &q);
	loop_timer_set(&a->quorum_forgets, world_has_quorum(a->world)
						   ? quorum_forgets_at(a->quorum, &c->cluster)
						   : MONO_NEVER);
	layer2_touch(&a->layer2); /* it is counted there too */
	if (world_has_quorum(a->world) != before)
		log_event(before ? LOG_WARN : LOG_INFO, before ? "quorumLost" : "quorumBack",
			  before ? "this is the smaller part of the cluster: silent by Layer 2"
				 : "this is the larger part of the cluster",
			  KV_U64("alive", q.alive), KV_U64("of", q.of));
}

static void somebody_is_forgotten(struct loop_timer *t, struct mono now)
{
	(void)now;
	app_quorum_settle(CONTAINER_OF(t, struct app, quorum_forgets));
}

static void member_joined(void *ctx, const char *node, const struct addr *addr)
{
	struct app *a = ctx;

	quorum_member(a->quorum, node, addr);
	app_quorum_settle(a);
	reach_joined(a->reach, node);
	share_repeat(a->share);
}

static void member_gone(void *ctx, const char *node, bool left)
{
	struct app *a = ctx;

	quorum_gone(a->quorum, node, left, loop_now(a->loop));
	app_quorum_settle(a);
	share_forget(a->share, node);
	world_endpoints_forget(a->world, node);
	world_node_reach(a->world, node, NULL);
}

/* This node knows who is there: it may allocate, and claim addresses by Layer 2. */
static void oriented(struct app *a)
{
	loop_timer_stop(&a->alone);
	a->oriented = true;
	allocation_ready(a->allocation);
	layer2_release(&a->layer2);
}

static void member_synchronised(void *ctx)
{
	oriented(ctx);
	prune_when_agreed(ctx);
}

/* Gossip may still take it for dead: that ends with an exchange. */
static void node_returned(void *ctx, const char *node, const struct addr *at)
{
	membership_sync(((struct app *)ctx)->membership, node, at);
}

static void alone_long_enough(struct loop_timer *t, struct mono now)
{
	(void)now;
	oriented(CONTAINER_OF(t, struct app, alone));
}

/* --- leaving --- */

static void leave_when_done(struct app *a)
{
	if (a->sessions_gone && a->members_told && a->lease_gone)
		loop_stop(a->loop);
}

static void on_sessions_gone(void *ctx)
{
	struct app *a = ctx;

	a->sessions_gone = true;
	leave_when_done(a);
}

static void on_members_told(void *ctx)
{
	struct app *a = ctx;

	a->members_told = true;
	leave_when_done(a);
}

static void on_lease_gone(void *ctx)
{
	struct app *a = ctx;

	a->lease_gone = true;
	leave_when_done(a);
}

static void leave_overdue(struct loop_timer *t, struct mono now)
{
	(void)now;
	loop_stop(CONTAINER_OF(t, struct app, leave_deadline)->loop);
}

static void lingered(struct loop_timer *t, struct mono now)
{
	struct app *a = CONTAINER_OF(t, struct app, lingering);

	(void)now;
	membership_leave(a->membership);
}

/* The others have what this node had. It ends when its last clients have heard of that. */
static void on_handed_over(void *ctx)
{
	struct app *a = ctx;

	if (!a->leaving) {
		app_drain_handed(a);
		return;
	}
	struct dur linger = a->cfg ? a->cfg->l2.linger : DUR_MS(0);

	loop_timer_set(&a->lingering, mono_add(loop_now(a->loop), linger));
}

/*
 * The others are told first and take over while this node still answers (app/handover.h); its addresses go when the
 * loop has ended. A second signal does not wait.
 */
static void leave(struct app *a)
{
	if (a->leaving) {
		loop_stop(a->loop);
		return;
	}
	a->leaving = true;
	notify_manager("STOPPING=1");
	log_plain(LOG_INFO, "stopping", "leaving: peers and members are told");
	loop_timer_set(&a->leave_deadline, mono_add(loop_now(a->loop), LEAVE_MAX));
	restart_leaving(a->restart);
	/* Who was drained leaves for good: nobody is to keep its routes. */
	sessions_shutdown(&a->sessions, a->drain.state == DRAIN_NO, "crier stops");
	handover_leave(a->handover);
	allocator_leave(a->allocator, on_lease_gone, a);
}

static void on_terminate(struct loop_signal *s, int signo)
{
	leave(signo == SIGINT ? CONTAINER_OF(s, struct app, sigint)
			      : CONTAINER_OF(s, struct app, sigterm));
}

static void on_hangup(struct loop_signal *s, int signo)
{
	(void)signo;
	app_hangup(CONTAINER_OF(s, struct app, sighup));
}

/* --- start and end --- */

static uint64_t epoch_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Parts without threads and descriptors of the outside: these can't fail. */
static void make_core(struct app *a, const struct cfg *c)
{
	const char *given = a->conf.node ? a->conf.node : a->environment.node;

	a->node = mem_strdup(given ? given : c->node.name);
	a->events = events_new();
	a->ids = node_ids_new();
	a->world = world_new(a->node);
	a->quorum = quorum_new();
	quorum_member(a->quorum, a->node, &(struct addr){ 0 });
	a->planner = planner_new(
		a->loop, a->world,
		&(struct planner_hooks){ .ctx = a, .decided = on_decided, .settled = on_settled });
	a->services = services_new(a);
	a->networks = networks_new(a);
	a->health = health_checker_new(a->loop,
				       &(struct health_hooks){ .ctx = a, .changed = on_health });
	a->share = share_new(a->node, epoch_now(),
			     &(struct share_hooks){ .ctx = a,
						    .broadcast = share_broadcast,
						    .verdict = share_verdict,
						    .silent = share_silent,
						    .holds = share_holds,
						    .host = share_host_said,
						    .is_member = share_is_member,
						    .allocations = share_table,
						    .merge_allocations = share_merge });
	world_on_change(a->world, on_world, a);
	app_configs_init(a);
	loop_timer_init(&a->leave_deadline, a->loop, leave_overdue);
	loop_timer_init(&a->lingering, a->loop, lingered);
	loop_timer_init(&a->alone, a->loop, alone_long_enough);
	loop_timer_init(&a->quorum_forgets, a->loop, somebody_is_forgotten);
	app_drain_init(a);
}

static const char *member_at(void *ctx, const struct addr *addr)
{
	const struct app *a = ctx;

	return a->membership ? membership_at(a->membership, addr) : NULL;
}

static bool in_place(void *ctx, const struct addr *addr)
{
	const struct app *a = ctx;

	binding_expect(a->binding, addr);
	return binding_is_settled(a->binding, addr);
}

static void on_heard(void *ctx, const char *node, bool heard)
{
	world_node_heard(((struct app *)ctx)->world, node, heard);
}

static int make_announcers(struct app *a, struct err *e)
{
	char *record = mem_printf("%s/%s.vips", a->runtime_dir, a->node);
	char *restart = mem_printf("%s/%s.restart.json", a->state_dir, a->node);
	int status = net_links_new(a->loop, on_links, a, &a->links, e);

	if (status == 0) {
		layer2_init(&a->layer2, a->loop, a->world, a->planner, a->links, a->ids);
		a->layer2.on_owner = on_owner;
		a->layer2.on_table = on_table;
		a->layer2.ctx = a;
		a->layer2.member_at = member_at;
		a->layer2.in_place = in_place;
		a->layer2.on_heard = on_heard;
		a->reach = reach_new(&(struct reach_conf){ .loop = a->loop,
							   .world = a->world,
							   .layer2 = &a->layer2,
							   .links = a->links,
							   .share = a->share });
		status = binding_new(a->loop, a->links, &a->layer2, record, &a->binding, e);
	}
	if (status == 0)
		status = sessions_init(&a->sessions, a->loop, a->world, a->links, e);
	if (status == 0) {
		a->sessions.on_stopped = on_sessions_gone;
		a->sessions.ctx = a;
		a->sessions.on_route = on_service_route;
		a->byhand = byhand_new(a->loop, a->sessions.bgp);
		status = restart_new(a->loop, restart, a->sessions.bgp, &a->restart, e);
	}
	free(restart);
	free(record);
	return status;
}

/* The cluster that the files tell of; else the one of the environment. */
static struct cfg_cluster cluster_of(const struct app *a, const struct cfg *c)
{
	const struct cfg_cluster *given = &a->environment.cluster;
	struct cfg_cluster cluster = c->cluster;

	if (!cluster.enabled && given->enabled) {
		cluster.enabled = true;
		cluster.bind = given->bind;
		cluster.secret = given->secret;
		cluster.secret_file = given->secret_file;
		cluster.wan = given->wan;
	}
	return cluster;
}

static struct handover *make_handover(struct app *a)
{
	return handover_new(&(struct handover_conf){ .loop = a->loop,
						     .world = a->world,
						     .planner = a->planner,
						     .binding = a->binding,
						     .mesh = a->mesh,
						     .ids = a->ids,
						     .ctx = a,
						     .on_done = on_handed_over });
}

static struct others *make_others(struct app *a)
{
	return others_new(&(struct others_conf){ .loop = a->loop,
						 .links = a->links,
						 .layer2 = &a->layer2,
						 .binding = a->binding,
						 .proc = "/proc" });
}

/* Are the members those of the environment, to be found among pods? */
static bool finds_pods(const struct app *a, const struct cfg *c)
{
	return a->environment.labels && !c->cluster.enabled && membership_enabled(a->membership);
}

void app_members_named(struct app *a)
{
	loop_timer_set(&a->alone, mono_add(loop_now(a->loop), ALONE_AFTER));
}

static int make_cluster(struct app *a, const struct cfg *c, struct err *e)
{
	struct cfg_cluster cluster = cluster_of(a, c);
	char *table = mem_printf("%s/%s.allocations.json", a->state_dir, a->node);
	struct membership_hooks hooks = {
		.ctx = a,
		.joined = member_joined,
		.gone = member_gone,
		.synchronised = member_synchronised,
		.left = on_members_told,
	};
	int status = allocation_new(
		a->loop, a->world, table,
		&(struct allocation_hooks){ .ctx = a, .changed = allocations_changed },
		&a->allocation, e);

	/* A shadow's name is that of somebody who is a member already. */
	cluster.enabled &= !a->conf.is_shadow;
	if (status == 0)
		status = mesh_new(a->loop, a->ids, a->node, &cluster,
				  &(struct mesh_hooks){ .ctx = a, .returned = node_returned },
				  &a->mesh, e);
	if (status == 0)
		status = membership_new(a->loop, a->world, a->ids, a->share, a->mesh, &cluster,
					&c->node.labels, &hooks, &a->membership, e);
	if (status == 0 && !a->conf.is_shadow) {
		if (!membership_enabled(a->membership))
			oriented(a);
		else if (!finds_pods(a, c))
			app_members_named(a);
	}
	free(table);
	return status;
}

/* Somebody has edited the file. While nobody can listen yet that is kept in mind: we may have read it before. */
static void hangups_wait(bool wait)
{
	sigset_t hangup;

	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	pthread_sigmask(wait ? SIG_BLOCK : SIG_UNBLOCK, &hangup, NULL);
}

static void watch_signals(struct app *a)
{
	signal(SIGPIPE, SIG_IGN);
	loop_signal_init(&a->sigterm, a->loop, on_terminate);
	loop_signal_init(&a->sigint, a->loop, on_terminate);
	loop_signal_init(&a->sighup, a->loop, on_hangup);
	loop_signal_start(&a->sigterm, SIGTERM);
	loop_signal_start(&a->sigint, SIGINT);
	loop_signal_start(&a->sighup, SIGHUP);
	hangups_wait(false);
}

/* In this order: the socket's group needs a privilege that nothing after it does, the keeper among that. */
static int app_start(struct app *a, const struct cfg *c, struct err *e)
{
	int status = loop_new(&a->loop, e);

	if (status < 0)
		return status;
	a->started = loop_now(a->loop);
	make_core(a, c);
	if (loader_new(a->loop, &a->conf, &a->loader, e) < 0 ||
	    folder_make(a->runtime_dir, e) < 0 || folder_make(a->state_dir, e) < 0)
		return -ERR_SYSTEM;
	a->cfg = c; /* control and HTTP read where to listen */
	status = app_control_start(a, e);
	a->cfg = NULL;
	if (status == 0)
		status = privilege_drop(e);
	if (status == 0)
		status = make_announcers(a, e);
	if (status == 0 && a->conf.is_announcer && !a->conf.is_shadow)
		a->others = make_others(a);
	if (status == 0)
		status = make_cluster(a, c, e);
	if (status == 0)
		a->handover = make_handover(a);
	if (status == 0)
		status = packet_start(a, e);
	if (status == 0 && a->conf.kubernetes)
		status = kubernetes_new(a, c, &a->kubernetes, e);
	if (status == 0 && a->kubernetes && a->conf.is_allocator)
		a->allocator = allocator_new(a);
	if (status == 0 && a->kubernetes && a->conf.is_announcer)
		a->reporter = reporter_new(a);
	if (status == 0 && a->kubernetes && a->conf.is_shadow)
		a->shadow = shadow_new(a);
	if (status == 0 && a->kubernetes && finds_pods(a, c))
		a->pods = pods_new(a, a->environment.labels);
	return status;
}

static void app_stop(struct app *a)
{
	app_control_stop(a);
	a->reporter = reporter_free(a->reporter);
	a->shadow = shadow_free(a->shadow);
	a->pods = pods_free(a->pods);
	a->allocator = allocator_free(a->allocator);
	a->kubernetes = kubernetes_free(a->kubernetes);
	a->loader = loader_free(a->loader);
	loop_signal_stop(&a->sigterm);
	loop_signal_stop(&a->sigint);
	loop_signal_stop(&a->sighup);
	if (a->loop) {
		loop_timer_stop(&a->quorum_forgets);
		loop_timer_stop(&a->leave_deadline);
		loop_timer_stop(&a->lingering);
		loop_timer_stop(&a->alone);
	}
	/* Answering ends first, then the addresses go; whoever took over has said so by now. */
	a->packet = packet_free(a->packet);
	a->handover = handover_free(a->handover);
	a->others = others_free(a->others);
	a->binding = binding_free(a->binding);
	app_drain_fini(a);
	a->membership = membership_free(a->membership);
	a->mesh = mesh_free(a->mesh);
	a->allocation = allocation_free(a->allocation);
	a->byhand = byhand_free(a->byhand);
	a->restart = restart_free(a->restart);
	sessions_fini(&a->sessions);
	a->reach = reach_free(a->reach);
	layer2_fini(&a->layer2);
	a->health = health_checker_free(a->health);
	a->networks = networks_free(a->networks);
	a->planner = planner_free(a->planner);
	a->services = services_free(a->services);
	a->share = share_free(a->share);
	a->quorum = quorum_free(a->quorum);
	a->links = net_links_free(a->links);
	a->world = world_free(a->world);
	a->ids = node_ids_free(a->ids);
	a->events = events_free(a->events);
	app_configs_fini(a);
	a->loop = loop_free(a->loop);
	free(a->config.why);
	free(a->http_problem);
	environment_fini(&a->environment);
	free(a->node);
	free(a->runtime_dir);
	free(a->state_dir);
}

static int app_serve(struct app *a, const struct cfg *c, struct err *e)
{
	int status = app_apply(a, c, NULL, false, e);

	if (status < 0)
		return status;
	watch_signals(a);
	notify_manager("READY=1\nSTATUS=%zu services, %zu peers", c->n_services, c->n_peers);
	log_event(LOG_INFO, "started", "crier is running", KV_STR("version", CRIER_VERSION),
		  KV_STR("node", a->node));
	loop_run(a->loop);
	log_plain(LOG_INFO, "stopped", "crier ends");
	return 0;
}

int app_run(const struct app_conf *conf, struct err *e)
{
	struct app a = { .conf = *conf };
	const struct cfg *c = NULL;

	hangups_wait(true);
	if (app_load(conf, &c, e) < 0)
		return -ERR_CONFIG;
	a.runtime_dir = folder_runtime(conf->runtime_dir);
	a.state_dir = folder_state(conf->state_dir);
	int status = conf->kubernetes ? environment_read(&a.environment, e) : 0;

	if (status == 0)
		status = app_start(&a, c, e);

	if (status == 0)
		status = app_serve(&a, c, e); /* takes the configuration */
	else
		cfg_free(c);
	app_stop(&a);
	return status;
}
