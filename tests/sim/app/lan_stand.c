/*
 * Stand-ins for what the real parts call: sockets of heartbeats and connections, the packet thread's doors, links.
 * A `struct packet`, `struct binding` and `struct net_links` of these nodes is the node itself.
 */
#include "app/binding.h"
#include "net/neigh.h"
#include "sim/app/lan.h"

enum { RETRY_US = 1000000 };

static struct node *node_behind(const void *p)
{
	return (struct node *)(uintptr_t)p;
}

/* --- the packet thread's doors --- */

void packet_set_l2(struct packet *p, struct l2_table *t)
{
	struct node *n = node_behind(p);

	if (n->next_l2)
		layer2_retired(&n->l2, n->next_l2);
	n->next_l2 = t;
	node_wake_packet(n);
}

void packet_set_pulse(struct packet *p, const struct pulse_table *t)
{
	struct node *n = node_behind(p);

	if (n->next_pulse)
		mesh_retired(n->mesh, n->next_pulse);
	n->next_pulse = t;
	node_wake_packet(n);
}

void packet_set_alive(struct packet *p, uint16_t id, bool alive)
{
	l2_nodes_set(&node_behind(p)->alive, id, alive);
	node_wake_packet(node_behind(p));
}

void packet_set_left(struct packet *p, uint16_t id, bool left)
{
	l2_nodes_set(&node_behind(p)->left, id, left);
	node_wake_packet(node_behind(p));
}

void packet_set_away(struct packet *p, bool away)
{
	node_behind(p)->away = away;
	node_wake_packet(node_behind(p));
}

const struct l2_stats *packet_l2_stats(const struct packet *p)
{
	(void)p;
	return NULL;
}

const struct bfd_counters *packet_pulse_counters(const struct packet *p)
{
	(void)p;
	return NULL;
}

uint64_t packet_news_lost(const struct packet *p)
{
	(void)p;
	return 0;
}

/* --- links --- */

static void link_make(struct node *n)
{
	struct net_link *k = &n->links[0];

	if (k->ifindex)
		return;
	*k = (struct net_link){ .ifindex = LAN_IFINDEX,
				.mac = n->mac,
				.has_mac = true,
				.up = true,
				.running = true,
				.broadcast = true,
				.mtu = 1500 };
	(void)snprintf(k->name, sizeof(k->name), "eth0");
}

const struct net_link *net_links_next(const struct net_links *t, size_t *at)
{
	link_make(node_behind(t));
	return (*at)++ == 0 ? &node_behind(t)->links[0] : NULL;
}

const struct net_link *net_links_by_name(const struct net_links *t, const char *name)
{
	(void)name;
	return net_links_next(t, &(size_t){ 0 });
}

const struct net_link *net_links_by_index(const struct net_links *t, int ifindex)
{
	(void)ifindex;
	return net_links_next(t, &(size_t){ 0 });
}

const struct net_link *net_links_holder(const struct net_links *t, const struct addr *a, size_t *at)
{
	(void)t, (void)a, (void)at;
	return NULL;
}

struct fastpath *fastpath_new(void)
{
	return NULL;
}

struct fastpath *fastpath_free(struct fastpath *f)
{
	(void)f;
	return NULL;
}

struct fast *fastpath_fast(const struct fastpath *f)
{
	(void)f;
	return NULL;
}

/* There is a map in the kernel: tables bring none. */
bool fastpath_filters(const struct fastpath *f)
{
	(void)f;
	return true;
}

void fastpath_map_failed(struct fastpath *f)
{
	(void)f;
}

void fastpath_configure(struct fastpath *f, enum cfg_fast_path wanted)
{
	(void)f, (void)wanted;
}

void fastpath_links(struct fastpath *f, const struct l2_iface *ifaces, size_t n,
		    const struct net_links *links)
{
	(void)f, (void)ifaces, (void)n, (void)links;
}

void fastpath_collect(const struct fastpath *f, struct metric_writer *w)
{
	(void)f, (void)w;
}

struct l2_groups *l2_groups_new(struct loop *loop)
{
	(void)loop;
	return NULL;
}

struct l2_groups *l2_groups_free(struct l2_groups *g)
{
	(void)g;
	return NULL;
}

void l2_groups_apply(struct l2_groups *g, const struct l2_table *table)
{
	(void)g, (void)table;
}

enum l2_holder l2_groups_holder(const struct l2_groups *g, int ifindex, const struct addr *a)
{
	(void)g, (void)ifindex, (void)a;
	return (enum l2_holder)0;
}

struct l2_groups_count l2_groups_count(const struct l2_groups *g)
{
	(void)g;
	return (struct l2_groups_count){ 0 };
}

const struct mld_stats *l2_groups_stats(const struct l2_groups *g)
{
	(void)g;
	return NULL;
}

void neigh_ask_again(const struct addr *a)
{
	(void)a;
}

void neigh_keep(const struct addr *peer, struct neigh_place *at)
{
	(void)peer, (void)at;
}

size_t neigh_addrs(const struct mac *mac, struct addr *out, size_t cap)
{
	if (cap == 0 || mac->b[5] >= LAN_NODES_MAX)
		return 0;
	out[0] = lan_node_addr(mac->b[5]);
	return 1;
}

/* An address is there some milliseconds after it was wanted; rarely it takes much longer. */
void link_settle(struct node *n)
{
	struct lan *l = n->lan;
	bool wanted = n->wants_owned || n->prepared || l->now_us < n->wants_until_us;
	int64_t takes = 100 + (int64_t)rng_below(&l->rng, lan_happens(l, l->busy) ? 60000 : 3000);

	if (!wanted)
		n->placed_us = 0;
	else if (!n->placed_us)
		n->placed_us = l->now_us + takes;
}

void binding_prepare(struct binding *b, const struct addr *addr, bool prepare)
{
	(void)addr;
	node_behind(b)->prepared = prepare;
	link_settle(node_behind(b));
}

bool binding_is_settled(const struct binding *b, const struct addr *addr)
{
	const struct node *n = node_behind(b);

	(void)addr;
	return !n->placed_us || node_has(n);
}

/* --- heartbeats --- */

static void session_follow(struct lan_session *x)
{
	struct node *n = x->n;
	struct mono now = loop_now(n->loop);
	struct bfd_out out;

	while (x->used && bfd_session_next(&x->s, now, &out)) {
		if (out.kind == BFD_OUT_CHANGE) {
			n->session_event(n->session_ctx,
					 &(struct bfd_event){ .id = x->id, .change = out.change });
			continue;
		}
		if (!lan_reaches(n->lan, n->at, x->peer) || lan_happens(n->lan, n->lan->loss))
			continue;
		struct lan_mail *m =
			lan_mail_in(n->lan, LAN_BEAT, n->at, x->peer, lan_delay_us(n->lan));
		m->beat = out.pkt;
		lan_post(n->lan, m);
	}
	loop_timer_set(&x->timer, x->used ? bfd_session_deadline(&x->s) : MONO_NEVER);
}

static void session_due(struct loop_timer *t, struct mono now)
{
	struct lan_session *x = CONTAINER_OF(t, struct lan_session, timer);

	bfd_session_tick(&x->s, now);
	session_follow(x);
}

void sessions_hear(struct node *n, const struct lan_mail *m)
{
	struct lan_session *x = &n->sessions[m->from];

	if (!x->used || (m->beat.your_disc && m->beat.your_disc != x->s.local_disc))
		return;
	(void)!bfd_session_rx(&x->s, &m->beat, loop_now(n->loop));
	session_follow(x);
}

/* MONO_NEVER: it does not run. */
void sessions_wake(struct node *n, struct mono now)
{
	for (unsigned j = 0; j < n->lan->n; j++) {
		struct lan_session *x = &n->sessions[j];

		if (!x->used)
			continue;
		loop_timer_stop(&x->timer);
		if (now.ns == MONO_NEVER.ns)
			continue;
		bfd_session_was_away(&x->s, now);
		loop_timer_set(&x->timer, mono_add(now, DUR_US(3 * LAN_STEP_US)));
	}
}

static void session_stop(struct lan_session *x, bool politely)
{
	struct bfd_session_conf held = x->s.conf;

	if (politely) {
		held.admin_down = true;
		bfd_session_apply(&x->s, &held, loop_now(x->n->loop));
		session_follow(x);
	}
	x->used = false;
	loop_timer_stop(&x->timer);
}

void sessions_end(struct node *n)
{
	for (unsigned j = 0; j < n->lan->n; j++)
		if (n->sessions[j].used)
			session_stop(&n->sessions[j], n->leaves);
}

static unsigned place_at(const struct addr *a)
{
	for (unsigned j = 0; j < LAN_NODES_MAX; j++) {
		const struct addr at = lan_node_addr(j);

		if (addr_eq(a, &at))
			return j;
	}
	fail_msg("nobody has this address");
	return 0;
}

static void session_begin(struct node *n, const struct bfd_target *t)
{
	unsigned peer = place_at(&t->peer);
	struct lan_session *x = &n->sessions[peer];

	if (x->used && x->id == t->id)
		return;
	*x = (struct lan_session){ .n = n, .peer = peer, .id = (uint16_t)t->id, .used = true };
	loop_timer_init(&x->timer, n->loop, session_due);
	bfd_session_init(&x->s, &t->session, 1 + (uint32_t)rng_below(&n->lan->rng, UINT32_MAX - 1),
			 &n->lan->rng, loop_now(n->loop));
	session_follow(x);
}

static bool is_target(const struct bfd_table *t, const struct lan_session *x)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (t->v[i].id == x->id)
			return true;
	return false;
}

/* Whose parts are made next: their constructors do not say. */
static struct node *making;

void stand_for(struct node *n)
{
	making = n;
}

struct bfd_engine {
	struct node *n;
	const struct bfd_table *table;
};

struct bfd_engine *bfd_engine_new(const struct bfd_engine_conf *conf)
{
	struct bfd_engine *e = mem_new(struct bfd_engine);

	e->n = making;
	making->session_event = conf->event;
	making->session_ctx = conf->ctx;
	return e;
}

struct bfd_engine *bfd_engine_free(struct bfd_engine *e)
{
	free(e);
	return NULL;
}

const struct bfd_table *bfd_engine_apply(struct bfd_engine *e, const struct bfd_table *t)
{
	const struct bfd_table *before = e->table;
	struct node *n = e->n;

	for (unsigned j = 0; j < n->lan->n; j++)
		if (n->sessions[j].used && !is_target(t, &n->sessions[j]))
			session_stop(&n->sessions[j], true);
	for (size_t i = 0; t && i < t->n; i++)
		session_begin(n, &t->v[i]);
	e->table = t;
	return before;
}

bool bfd_engine_heard(struct bfd_engine *e, uint32_t id, struct mono *out)
{
	for (unsigned j = 0; j < e->n->lan->n; j++) {
		const struct lan_session *x = &e->n->sessions[j];

		if (!x->used || x->id != id || x->s.rx_last.ns == 0)
			continue;
		*out = x->s.rx_last;
		return true;
	}
	return false;
}

bool bfd_engine_is_idle(const struct bfd_engine *e)
{
	(void)e;
	return true;
}

const struct bfd_counters *bfd_engine_counters(const struct bfd_engine *e)
{
	(void)e;
	return NULL;
}

/* --- connections: who dials, and what their end means, as cluster/mesh_io.c has it --- */

struct mesh_io {
	struct node *n;
};

struct mesh_io *mesh_io_new(const struct mesh_io_conf *conf)
{
	struct mesh_io *io = mem_new(struct mesh_io);

	io->n = making;
	making->mesh_hooks = conf->hooks;
	return io;
}

struct mesh_io *mesh_io_free(struct mesh_io *io)
{
	free(io);
	return NULL;
}

int mesh_io_listen_errno(const struct mesh_io *io)
{
	(void)io;
	return 0;
}

static struct lan_end *end_of(struct node *n, uint16_t id, unsigned *peer)
{
	for (*peer = 0; *peer < n->lan->n; ++*peer)
		if (n->ends[*peer].known && n->ends[*peer].id == id)
			return &n->ends[*peer];
	return NULL;
}

/* When it arrives. */
static int64_t post_end(struct node *n, enum lan_kind kind, unsigned peer, unsigned number)
{
	struct lan *l = n->lan;
	struct lan_mail *m;
	int64_t at_us;

	if (!lan_reaches(l, n->at, peer))
		return 0;
	m = lan_mail_in(l, kind, n->at, peer, lan_delay_us(l));
	m->mesh.number = number;
	at_us = m->at_us;
	lan_post(l, m);
	return at_us;
}

/* To ask who has the port, either side dials. */
static void dial(struct node *n, unsigned peer)
{
	struct lan_end *e = &n->ends[peer];

	if (!e->known || e->linked || e->dialling || !(e->doubted || (e->wanted && n->at < peer)))
		return;
	e->dialling = true;
	e->again_us = n->lan->now_us + RETRY_US;
	(void)post_end(n, LAN_DIAL, peer, 0);
}

static void unlink_quietly(struct node *n, unsigned peer)
{
	struct lan_end *e = &n->ends[peer];

	if (!e->linked)
		return;
	e->linked = false;
	(void)post_end(n, LAN_ENDED, peer, e->number);
	n->mesh_hooks.linked(n->mesh_hooks.ctx, e->id, false);
}

void mesh_io_set_peers(struct mesh_io *io, const struct mesh_peer *peers, size_t n_peers)
{
	struct node *n = io->n;
	bool still[LAN_NODES_MAX] = { 0 };

	for (size_t i = 0; i < n_peers; i++)
		still[place_at(&peers[i].addr)] = true;
	for (unsigned j = 0; j < n->lan->n; j++) {
		if (still[j])
			continue;
		unlink_quietly(n, j);
		n->ends[j] = (struct lan_end){ 0 };
	}
	for (size_t i = 0; i < n_peers; i++) {
		struct lan_end *e = &n->ends[place_at(&peers[i].addr)];

		e->known = true;
		e->id = peers[i].id;
	}
}

void mesh_io_want(struct mesh_io *io, uint16_t id, bool wanted)
{
	unsigned peer;
	struct lan_end *e = end_of(io->n, id, &peer);

	if (!e || e->wanted == wanted)
		return;
	e->wanted = wanted;
	if (wanted)
		dial(io->n, peer);
	else
		unlink_quietly(io->n, peer);
}

bool mesh_io_send(struct mesh_io *io, uint16_t id, const struct mesh_frame *f)
{
	unsigned peer;
	struct node *n = io->n;
	struct lan_end *e = end_of(n, id, &peer);
	int64_t at_us = n->lan->now_us + lan_delay_us(n->lan);
	struct lan_mail *m;

	if (!e || !e->linked)
		return false;
	m = lan_mail_in(n->lan, LAN_MESH, n->at, peer, 0);
	e->last_us = MAX(e->last_us, at_us);
	m->at_us = e->last_us;
	m->mesh.number = e->number;
	m->mesh.frame = *f;
	if (f->name_len)
		(void)snprintf(m->mesh.name, sizeof(m->mesh.name), "%.*s", (int)f->name_len,
			       f->name);
	lan_post(n->lan, m);
	return true;
}

/* What is said on it arrives after @from_us. */
static void linked(struct node *n, unsigned peer, unsigned number, int64_t from_us)
{
	struct lan_end *e = &n->ends[peer];

	if (e->linked)
		n->mesh_hooks.linked(n->mesh_hooks.ctx, e->id, false);
	e->linked = true;
	e->dialling = e->doubted = false;
	e->number = number;
	e->last_us = from_us;
	n->mesh_hooks.linked(n->mesh_hooks.ctx, e->id, true);
}

/* Who doubts only wants to know that somebody is there; the lower name dials for good. */
static void dialled(struct node *n, const struct lan_mail *m)
{
	unsigned number;

	if (m->from > n->at || !n->ends[m->from].known) {
		(void)post_end(n, LAN_DIALLED, m->from, 0);
		return;
	}
	number = ++n->lan->connections;
	linked(n, m->from, number, post_end(n, LAN_DIALLED, m->from, number));
}

static void answered(struct node *n, const struct lan_mail *m)
{
	struct lan_end *e = &n->ends[m->from];

	e->dialling = e->doubted = false;
	if (m->mesh.number && e->known && e->wanted)
		linked(n, m->from, m->mesh.number, 0);
	else if (m->mesh.number)
		(void)post_end(n, LAN_ENDED, m->from, m->mesh.number);
}

static void refused(struct node *n, unsigned peer)
{
	struct lan_end *e = &n->ends[peer];

	e->dialling = false;
	if (e->known && e->doubted)
		n->mesh_hooks.refused(n->mesh_hooks.ctx, e->id);
	e->doubted = false;
}

static void ended(struct node *n, const struct lan_mail *m)
{
	struct lan_end *e = &n->ends[m->from];

	if (!e->linked || e->number != m->mesh.number)
		return;
	e->linked = false;
	e->doubted = true;
	n->mesh_hooks.linked(n->mesh_hooks.ctx, e->id, false);
	dial(n, m->from);
}

/* What was lost under way is sent again, until the connection is given up. */
static void frame_in(struct node *n, const struct lan_mail *m)
{
	struct lan *l = n->lan;
	struct mesh_frame f = m->mesh.frame;
	const struct lan_end *e = &n->ends[m->from];

	if (!lan_reaches(l, m->from, n->at)) {
		struct lan_mail *again = mem_dup(m, sizeof(*m));

		again->at_us = l->now_us + 200000;
		lan_post(l, again);
		return;
	}
	if (!e->linked || e->number != m->mesh.number)
		return;
	f.name = m->mesh.name;
	n->mesh_hooks.frame(n->mesh_hooks.ctx, e->id, &f);
}

void ends_mail(struct node *n, const struct lan_mail *m)
{
	if (m->kind == LAN_MESH)
		frame_in(n, m);
	else if (!lan_reaches(n->lan, m->from, n->at))
		return;
	else if (m->kind == LAN_DIAL)
		dialled(n, m);
	else if (m->kind == LAN_DIALLED)
		answered(n, m);
	else if (m->kind == LAN_REFUSED)
		refused(n, m->from);
	else
		ended(n, m);
}

void ends_step(struct node *n)
{
	for (unsigned j = 0; j < n->lan->n; j++) {
		struct lan_end *e = &n->ends[j];

		if (e->linked || !e->again_us || n->lan->now_us < e->again_us)
			continue;
		e->dialling = e->doubted = false;
		e->again_us = 0;
		dial(n, j);
	}
}

/* The process has ended: its kernel closes what it had. */
void ends_close(struct node *n)
{
	for (unsigned j = 0; j < n->lan->n; j++)
		if (n->ends[j].linked)
			(void)post_end(n, LAN_ENDED, j, n->ends[j].number);
}

/* Somebody in the middle cuts it: both sides find out. */
void ends_break(struct node *n, unsigned peer)
{
	struct lan_end *e = &n->ends[peer];
	struct lan_mail m = { .from = peer, .mesh = { .number = e->number } };

	if (!e->linked)
		return;
	(void)post_end(n, LAN_ENDED, peer, e->number);
	ended(n, &m);
}
