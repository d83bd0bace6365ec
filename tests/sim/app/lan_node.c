#include "base/log.h"
#include "sim/app/lan.h"

enum {
	ALONE_MS = 1000,
	MOST_PPM = 500,
	DEATH_MIN_MS = 2500, /* until gossip is sure */
	DEATH_MORE_MS = 4000,
	JOIN_MS = 400, /* until it hears of somebody by itself */
	LINGER_US = 50000,
	END_US = 100000, /* after it has left */
};

bool node_works(const struct node *n)
{
	return n->runs && !n->frozen;
}

bool node_owns(const struct node *n)
{
	uint32_t i =
		n->runs && n->l2_in_force ? l2_table_find(n->l2_in_force, &n->lan->addr) : L2_NONE;

	return i != L2_NONE && n->l2_in_force->slots[i].owned;
}

bool node_has(const struct node *n)
{
	return n->runs && n->placed_us && n->placed_us <= n->lan->now_us;
}

/* --- the packet thread, as app/packet.c and l2/io.c have it --- */

static void tell_l2(struct node *n)
{
	struct lan_mail *m;
	struct l2_event ev;

	while (l2_announcer_next_event(n->announcer, &ev)) {
		if (n->lan->trace)
			printf("%lld us: %s event %d verdict %d\n", (long long)n->lan->now_us,
			       n->name, ev.kind, ev.kind == L2_CONFLICT ? (int)ev.verdict : -1);
		if (ev.kind == L2_HELD)
			continue;
		m = lan_mail_in(n->lan, LAN_TO_CONTROL, n->at, n->at, 0);
		m->word.kind = LAN_L2_EVENT;
		m->word.l2 = ev;
		node_tell_control(n, m);
	}
}

static void say(struct node *n)
{
	struct mono now = loop_now(n->loop);
	struct l2_frame f;

	while (l2_announcer_next_frame(n->announcer, now, &f))
		lan_frame_send(n->lan, n->at, f.bytes, f.len);
	loop_timer_set(&n->speak, l2_announcer_deadline(n->announcer));
}

void node_follow(struct node *n)
{
	tell_l2(n);
	if (n->l2_in_force)
		say(n);
}

static void speak_due(struct loop_timer *t, struct mono now)
{
	struct node *n = CONTAINER_OF(t, struct node, speak);

	l2_announcer_tick(n->announcer, now);
	node_follow(n);
}

static void on_bar(void *ctx, uint16_t id, bool barred)
{
	struct node *n = ctx;

	l2_announcer_bar(n->announcer, id, barred, loop_now(n->loop));
	node_follow(n);
}

static void on_returned(void *ctx, uint16_t id)
{
	struct node *n = ctx;

	l2_announcer_remind(n->announcer, id, loop_now(n->loop));
	node_follow(n);
}

static void on_pulse(void *ctx, const struct pulse_event *ev)
{
	struct node *n = ctx;
	struct lan_mail *m = lan_mail_in(n->lan, LAN_TO_CONTROL, n->at, n->at, 0);

	m->word.kind = LAN_PULSE_EVENT;
	m->word.pulse = *ev;
	node_tell_control(n, m);
}

static void on_news(void *ctx, struct rd text)
{
	(void)ctx, (void)text;
}

static void take_alive(struct node *n)
{
	for (size_t w = 0; w < L2_NODES_WORDS; w++) {
		uint64_t changed = n->alive.words[w] ^ n->alive_told.words[w];

		n->alive_told.words[w] = n->alive.words[w];
		for (; changed; changed &= changed - 1) {
			uint16_t id = (uint16_t)(w * 64 + (unsigned)__builtin_ctzll(changed));
			bool alive = l2_nodes_has(&n->alive, id);

			l2_announcer_set_alive(n->announcer, id, alive, loop_now(n->loop));
			node_follow(n);
			pulse_gossip(n->pulse, id, alive);
		}
	}
}

static void take_one_left(struct node *n, uint16_t id, bool left)
{
	if (n->l2_in_force && n->l2_in_force->self == id)
		on_bar(n, id, left);
	else
		pulse_left(n->pulse, id, left);
}

static void take_left(struct node *n)
{
	for (size_t w = 0; w < L2_NODES_WORDS; w++) {
		uint64_t changed = n->left.words[w] ^ n->left_told.words[w];

		n->left_told.words[w] = n->left.words[w];
		for (; changed; changed &= changed - 1) {
			uint16_t id = (uint16_t)(w * 64 + (unsigned)__builtin_ctzll(changed));

			take_one_left(n, id, l2_nodes_has(&n->left, id));
		}
	}
	if (n->away != n->away_told) {
		l2_announcer_yield(n->announcer, n->away, loop_now(n->loop));
		node_follow(n);
		pulse_away(n->pulse, n->away);
	}
	n->away_told = n->away;
}

/* Who comes first in it, and whether the address is on its way to somebody else. */
static void trace_table(const struct node *n)
{
	const struct l2_table *t = n->l2_in_force;
	uint32_t i = l2_table_find(t, &n->lan->addr);

	if (!n->lan->trace)
		return;
	printf("%lld us: %s table:", (long long)n->lan->now_us, n->name);
	for (size_t k = 0; i != L2_NONE && k < t->addresses[i].rule->n_nodes; k++)
		printf(" %s", node_ids_name(n->ids, t->addresses[i].rule->nodes[k]));
	printf("%s\n", i != L2_NONE && t->addresses[i].going ? ", going" : "");
}

static void take_l2(struct node *n)
{
	static const struct l2_nodes nobody;
	struct l2_table *before = n->l2_in_force, *t = n->next_l2;

	n->next_l2 = NULL;
	n->l2_in_force = t;
	trace_table(n);
	(void)l2_announcer_apply(n->announcer, t, loop_now(n->loop));
	node_follow(n);
	l2_nodes_follow(&n->alive_told, before ? &before->alive : &nobody, &t->alive);
	take_alive(n);
	if (before)
		layer2_retired(&n->l2, before);
}

static void take_pulse(struct node *n)
{
	const struct pulse_table *before = n->pulse_in_force, *t = n->next_pulse;

	n->next_pulse = NULL;
	n->pulse_in_force = t;
	(void)pulse_apply(n->pulse, t);
	for (size_t i = 0; i < t->n; i++)
		pulse_gossip(n->pulse, t->peers[i].id,
			     l2_nodes_has(&n->alive_told, t->peers[i].id));
	if (before)
		mesh_retired(n->mesh, before);
}

static void packet_turn(struct node *n)
{
	n->to_packet_due = false;
	take_alive(n);
	take_left(n);
	if (n->next_l2)
		take_l2(n);
	if (n->next_pulse)
		take_pulse(n);
}

static void frame_in(struct node *n, const struct lan_mail *m)
{
	struct l2_frame reply;
	enum l2_rx rx =
		l2_announcer_rx(n->announcer, LAN_IFINDEX, rd_from(m->frame.bytes, m->frame.len),
				&reply, loop_now(n->loop));

	if (rx == L2_RX_OK)
		lan_frame_send(n->lan, n->at, reply.bytes, reply.len);
	node_follow(n);
}

/* --- between the threads --- */

void node_wake_packet(struct node *n)
{
	if (n->to_packet_due)
		return;
	n->to_packet_due = true;
	lan_post(n->lan, lan_mail_in(n->lan, LAN_TO_PACKET, n->at, n->at,
				     (int64_t)rng_below(&n->lan->rng, 300)));
}

/* The control thread may be busy; what it is told, it is told in order. */
void node_tell_control(struct node *n, struct lan_mail *m)
{
	int64_t late =
		(int64_t)rng_below(&n->lan->rng, lan_happens(n->lan, n->lan->busy) ? 20000 : 300);

	n->to_control_us = MAX(n->to_control_us, n->lan->now_us + late);
	m->at_us = n->to_control_us;
	lan_post(n->lan, m);
}

/* --- the control thread, as app/app.c has it --- */

static void on_world(void *ctx, enum world_change what, const char *name)
{
	struct node *n = ctx;

	if (what == WORLD_NODE)
		layer2_node(&n->l2, name);
	planner_touch(n->planner, what, name);
	if (what == WORLD_NODE)
		layer2_touch(&n->l2);
}

static void on_decided(void *ctx, const char *service, const struct plan *before,
		       const struct plan *after)
{
	(void)ctx, (void)service, (void)before, (void)after;
}

static void on_settled(void *ctx)
{
	layer2_touch(&((struct node *)ctx)->l2);
}

static void on_owner(void *ctx, const struct addr *addr, bool owned)
{
	struct node *n = ctx;

	(void)addr;
	n->wants_until_us = n->wants_owned && !owned ? n->lan->now_us + LINGER_US : 0;
	n->wants_owned = owned;
	link_settle(n);
}

static void on_table(void *ctx)
{
	struct node *n = ctx;

	mesh_release(n->mesh);
	handover_on_table(n->handover);
}

static bool in_place(void *ctx, const struct addr *a)
{
	struct node *n = ctx;

	(void)a;
	if (!n->wants_owned)
		n->wants_until_us = n->lan->now_us + 1000000;
	link_settle(n);
	return node_has(n);
}

static unsigned place_of(const struct node *n, const char *name)
{
	(void)n;
	return (unsigned)(name[1] - '0');
}

static const char *member_at(void *ctx, const struct addr *a)
{
	struct node *n = ctx;

	for (unsigned j = 0; j < n->lan->n; j++) {
		const struct addr at = lan_node_addr(j);

		if (addr_eq(a, &at))
			return n->lan->nodes[j].name;
	}
	return NULL;
}

static void on_heard(void *ctx, const char *node, bool heard)
{
	world_node_heard(((struct node *)ctx)->world, node, heard);
}

static void on_node_returned(void *ctx, const char *node, const struct addr *at);

static void oriented(struct node *n)
{
	loop_timer_stop(&n->alone);
	layer2_release(&n->l2);
}

static void alone_due(struct loop_timer *t, struct mono now)
{
	(void)now;
	oriented(CONTAINER_OF(t, struct node, alone));
}

/* In its metadata. */
static void say_drained(struct node *n, bool drained)
{
	n->said_drained = drained;
	world_node_drained(n->world, n->name, drained);
	for (unsigned j = 0; j < n->lan->n; j++)
		if (j != n->at)
			node_hear_gossip(&n->lan->nodes[j], n->at,
					 drained ? LAN_DRAINED : LAN_UNDRAINED);
}

static void on_handed_over(void *ctx)
{
	struct node *n = ctx;

	if (n->leaves) {
		n->ends_us = n->lan->now_us + LINGER_US;
		return;
	}
	say_drained(n, n->drained);
}

static void hear_pulse(struct node *n, const struct pulse_event *ev)
{
	if (n->lan->trace)
		printf("%lld us: %s pulse %d of %u state %d\n", (long long)n->lan->now_us, n->name,
		       ev->kind, ev->id, ev->state);
	mesh_on_event(n->mesh, ev);
	handover_on_event(n->handover, ev);
	if (ev->kind == PULSE_AWAY && !ev->away)
		world_node_drained(n->world, node_ids_name(n->ids, ev->id), false);
}

/* --- gossip: an oracle that is late --- */

static void tell_joined(struct node *n, unsigned to)
{
	struct lan_mail *m = lan_mail_in(n->lan, LAN_GOSSIP, n->at, to,
					 500 + (int64_t)rng_below(&n->lan->rng, 8000));

	m->gossip = LAN_JOINED;
	lan_post(n->lan, m);
}

static void view_change(struct node *n, unsigned j, bool sees, bool left);

/* All that the other one knows. */
static void meet_all_of(struct node *n, unsigned j)
{
	const struct lan *l = n->lan;

	for (unsigned k = 0; k < l->n; k++)
		if (k != n->at && l->nodes[j].views[k].sees && !n->views[k].sees &&
		    node_works(&l->nodes[k]) && !l->nodes[k].ends_us && lan_reaches(l, n->at, k))
			view_change(n, k, true, false);
}

static void view_change(struct node *n, unsigned j, bool sees, bool left)
{
	const struct node *other = &n->lan->nodes[j];
	const struct addr addr = lan_node_addr(j);
	const struct world_node node = { .name = other->name, .alive = true };
	struct lan_mail *m;
	uint16_t id;

	n->views[j].sees = sees;
	if (n->lan->trace)
		printf("%lld us: %s gossip: %s %s\n", (long long)n->lan->now_us, n->name,
		       other->name,
		       sees   ? "joins"
		       : left ? "left"
			      : "died");
	if (!sees) {
		if (node_ids_find(n->ids, other->name, &id)) {
			l2_nodes_set(&n->alive, id, false);
			node_wake_packet(n);
		}
		mesh_member_gone(n->mesh, other->name, left);
		world_node_alive(n->world, other->name, false);
		return;
	}
	mesh_member(n->mesh, other->name, &addr, 7947);
	world_node_set(n->world, &node);
	world_node_drained(n->world, other->name, other->said_drained);
	tell_joined(n, j); /* who meets somebody is met */
	meet_all_of(n, j);
	oriented(n);
	m = lan_mail_in(n->lan, LAN_GOSSIP, j, n->at,
			1000 + (int64_t)rng_below(&n->lan->rng, 200000));
	m->gossip = LAN_MAC;
	lan_post(n->lan, m);
}

void node_hear_gossip(struct node *n, unsigned j, enum lan_gossip what)
{
	struct lan_mail *m = lan_mail_in(n->lan, LAN_GOSSIP, j, n->at,
					 1000 + (int64_t)rng_below(&n->lan->rng, 300000));

	m->gossip = what;
	if (n->runs && (n->at == j || lan_reaches(n->lan, n->at, j)))
		lan_post(n->lan, m);
	else {
		n->views[j].missed |= what == LAN_DRAINED || what == LAN_UNDRAINED;
		free(m);
	}
}

/* Gossip repeats what was lost in a cut. */
static void catch_up(struct node *n, unsigned j)
{
	const struct node *other = &n->lan->nodes[j];

	if (!n->views[j].missed || !lan_chance(n->lan, 3000))
		return;
	n->views[j].missed = false;
	world_node_drained(n->world, other->name, other->said_drained);
}

static void gossip_in(struct node *n, unsigned j, enum lan_gossip what)
{
	const struct node *other = &n->lan->nodes[j];

	switch (what) {
	case LAN_JOINED:
		if (!n->views[j].sees && node_works(other) && !other->ends_us &&
		    lan_reaches(n->lan, n->at, j))
			view_change(n, j, true, false);
		break;
	case LAN_LEFT: /* not of a life before */
		if (n->views[j].sees && (!other->runs || other->leaves))
			view_change(n, j, false, true);
		break;
	case LAN_DRAINED:
	case LAN_UNDRAINED:
		world_node_drained(n->world, other->name, other->said_drained);
		break;
	case LAN_MAC:
		layer2_member_mac(&n->l2, other->name, &other->mac);
		break;
	}
}

/* Heartbeats have come back: both exchange at once. */
static void on_node_returned(void *ctx, const char *node, const struct addr *at)
{
	struct node *n = ctx;
	unsigned j = place_of(n, node);

	(void)at;
	tell_joined(n, j);
	tell_joined(&n->lan->nodes[j], n->at);
}

static void look_at(struct node *n, unsigned j)
{
	struct lan *l = n->lan;
	const struct node *other = &l->nodes[j];
	struct lan_view *v = &n->views[j];
	bool truth = node_works(other) && !other->ends_us && lan_reaches(l, n->at, j);

	if (v->sees == truth) {
		v->differs_us = 0;
		if (truth)
			catch_up(n, j);
		return;
	}
	if (!v->differs_us) {
		v->differs_us = l->now_us;
		v->late_us =
			truth ? (int64_t)rng_below(&l->rng, JOIN_MS) * 1000
			      : (DEATH_MIN_MS + (int64_t)rng_below(&l->rng, DEATH_MORE_MS)) * 1000;
	}
	if (l->now_us - v->differs_us < v->late_us)
		return;
	v->differs_us = 0;
	view_change(n, j, truth, false);
}

/* --- life --- */

static void control_start(struct node *n)
{
	struct lan *l = n->lan;
	struct err e = { 0 };

	n->ids = node_ids_new();
	n->world = world_new(n->name);
	world_on_change(n->world, on_world, n);
	n->planner = planner_new(
		n->loop, n->world,
		&(struct planner_hooks){ .ctx = n, .decided = on_decided, .settled = on_settled });
	layer2_init(&n->l2, n->loop, n->world, n->planner, (struct net_links *)(void *)n, n->ids);
	n->l2.on_owner = on_owner;
	n->l2.on_table = on_table;
	n->l2.ctx = n;
	n->l2.member_at = member_at;
	n->l2.in_place = in_place;
	n->l2.on_heard = on_heard;
	assert_int_equal(mesh_new(n->loop, n->ids, n->name, &l->scene.cfg.cluster,
				  &(struct mesh_hooks){ .ctx = n, .returned = on_node_returned },
				  &n->mesh, &e),
			 0);
	n->handover = handover_new(&(struct handover_conf){ .loop = n->loop,
							    .world = n->world,
							    .planner = n->planner,
							    .binding = (struct binding *)(void *)n,
							    .mesh = n->mesh,
							    .ids = n->ids,
							    .ctx = n,
							    .on_done = on_handed_over });
	assert_int_equal(layer2_configure(&n->l2, &l->scene.cfg, &e), 0);
}

static void packet_start(struct node *n)
{
	struct pulse_conf conf = *mesh_pulse(n->mesh);

	n->announcer = l2_announcer_new(
		&(struct l2_announcer_conf){ .seed = rng_below(&n->lan->rng, UINT64_MAX) });
	conf.loop = n->loop;
	conf.bar = on_bar;
	conf.returned = on_returned;
	conf.event = on_pulse;
	conf.news = on_news;
	conf.ctx = n;
	stand_for(n);
	n->pulse = pulse_new(&conf);
	loop_timer_init(&n->speak, n->loop, speak_due);
}

void node_start(struct lan *l, unsigned i)
{
	struct node *n = &l->nodes[i];
	unsigned life = n->life + 1;
	struct packet *packet = (struct packet *)(void *)n;

	*n = (struct node){ .lan = l, .at = i, .runs = true, .life = life, .mac = lan_mac(i) };
	(void)snprintf(n->name, sizeof(n->name), "n%u", i % 10);
	n->rate_ppm = rng_between(&l->rng, -MOST_PPM, MOST_PPM);
	n->loop = loop_new_virtual();
	loop_advance(n->loop, DUR_MS(1000 + (int64_t)rng_below(&l->rng, 1000000)));
	control_start(n);
	packet_start(n);
	layer2_attach(&n->l2, packet, n->mesh);
	layer2_node(&n->l2, n->name);
	mesh_attach(n->mesh, packet);
	handover_attach(n->handover, packet);
	loop_timer_init(&n->alone, n->loop, alone_due);
	loop_timer_set(&n->alone, mono_add(loop_now(n->loop), DUR_MS(ALONE_MS)));
	world_set_config(n->world, &l->scene.cfg);
	world_service_assign(n->world, "web", &l->addr, 1);
}

/* At once, as by SIGKILL; its keeper takes the address off. */
void node_end(struct node *n)
{
	ends_close(n);
	sessions_end(n);
	n->runs = n->frozen = false;
	n->placed_us = 0;
	loop_timer_stop(&n->speak);
	loop_timer_stop(&n->alone);
	n->pulse = pulse_free(n->pulse);
	n->announcer = l2_announcer_free(n->announcer);
	if (n->pulse_in_force)
		mesh_retired(n->mesh, n->pulse_in_force);
	if (n->next_pulse)
		mesh_retired(n->mesh, n->next_pulse);
	if (n->l2_in_force)
		layer2_retired(&n->l2, n->l2_in_force);
	if (n->next_l2)
		layer2_retired(&n->l2, n->next_l2);
	n->next_l2 = n->l2_in_force = NULL;
	n->next_pulse = n->pulse_in_force = NULL;
	n->handover = handover_free(n->handover);
	layer2_fini(&n->l2);
	n->mesh = mesh_free(n->mesh);
	n->planner = planner_free(n->planner);
	n->world = world_free(n->world);
	n->ids = node_ids_free(n->ids);
	n->loop = loop_free(n->loop);
}

void node_stop(struct node *n)
{
	if (n->leaves)
		return;
	n->leaves = true;
	handover_leave(n->handover);
}

void node_drain(struct node *n, bool drained)
{
	if (n->leaves || n->drained == drained)
		return;
	n->drained = drained;
	if (n->lan->trace)
		printf("%lld us: %s %s\n", (long long)n->lan->now_us, n->name,
		       drained ? "is drained" : "is undrained");
	if (drained) {
		handover_leave(n->handover);
		return;
	}
	say_drained(n, false);
	handover_return(n->handover);
}

/* It leaves gossip, and a little later its process ends. */
static void leave_step(struct node *n)
{
	struct lan *l = n->lan;

	if (!n->ends_us || l->now_us < n->ends_us)
		return;
	for (unsigned j = 0; j < l->n; j++)
		if (j != n->at)
			node_hear_gossip(&l->nodes[j], n->at, LAN_LEFT);
	node_end(n);
}

void node_thaw(struct node *n, int64_t paused_us)
{
	n->frozen = false;
	loop_timer_stop(&n->speak);
	sessions_wake(n, MONO_NEVER);
	loop_advance(n->loop, DUR_US(paused_us));
	sessions_wake(n, loop_now(n->loop));
	loop_timer_set(&n->speak, loop_now(n->loop));
}

void node_step(struct node *n)
{
	for (unsigned j = 0; j < n->lan->n; j++)
		if (j != n->at)
			look_at(n, j);
	ends_step(n);
	link_settle(n);
	loop_advance(n->loop, DUR_NS(LAN_STEP_US * (1000 + n->rate_ppm / 1000)));
	leave_step(n);
}

void node_mail(struct node *n, const struct lan_mail *m)
{
	switch (m->kind) {
	case LAN_FRAME:
		frame_in(n, m);
		break;
	case LAN_BEAT:
		sessions_hear(n, m);
		break;
	case LAN_TO_PACKET:
		packet_turn(n);
		break;
	case LAN_TO_CONTROL:
		if (m->word.kind == LAN_L2_EVENT)
			layer2_on_event(&n->l2, &m->word.l2);
		else
			hear_pulse(n, &m->word.pulse);
		break;
	case LAN_GOSSIP:
		gossip_in(n, m->from, m->gossip);
		break;
	default:
		ends_mail(n, m);
	}
}
