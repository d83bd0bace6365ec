#include "app/mesh.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/json.h"
#include "base/log.h"
#include "base/map.h"
#include "bfd/auth.h"
#include "cluster/mesh_key.h"
#include "net/neigh.h"

/* Sessions come up fast for so long after a start or a loss; then they look once a second. */
#define FULL_RATE DUR_S(60)

/* Well before the kernel has given up a neighbour that it has just begun to doubt. */
#define KEEP_EVERY DUR_S(1)

#define KEY_ID	   1

/** A node that was a member since we run, and has not left. */
struct mesh_node {
	char *name;
	struct addr addr;
	bool live;
	bool takes_part;
	uint16_t id;
	bool has_id;
	bool barred;		     /* by the packet thread's last word */
	uint64_t deaths, departures; /* verdicts that it is out, by reason */
	enum liveness_state state;
	struct bfd_session_status status;
	struct mono silent_since; /* MONO_NEVER: it is heard, or never was */
	struct neigh_place place; /* where it was before it fell silent */
	size_t refs;		  /* tables, and one while it is in `nodes` */
};

struct mesh {
	struct loop *loop;
	struct node_ids *ids;
	struct packet *packet;
	struct cfg_fast_detection conf;
	struct mesh_hooks hooks;
	struct bfd_auth *auth; /* NULL: the cluster has no secret */
	struct pulse_conf pulse;
	char *me;
	struct map *nodes; /* name -> struct mesh_node */
	struct loop_task rebuild;
	struct loop_timer keep; /* while somebody is silent */
	bool released;
	bool trusted;
	bool too_many;
};

/* What is handed over, with what only it keeps alive. */
struct handed {
	struct pulse_table table;
	struct mesh_node *nodes[PULSE_PEERS_MAX];
};

static void node_unref(struct mesh_node *n)
{
	if (--n->refs)
		return;
	free(n->name);
	free(n);
}

/* --- the keys --- */

static int frames_key(const uint8_t *secret, size_t len, struct crypt_ring *out)
{
	uint8_t key[CRYPT_KEY_MAX];
	bool done = mesh_key_derive(secret, len, MESH_KEY_FRAMES, key, sizeof(key)) &&
		    crypt_ring_add(out, key, sizeof(key)) == 0;

	explicit_bzero(key, sizeof(key));
	return done ? 0 : -ERR_SYSTEM;
}

static int heartbeats_key(const uint8_t *secret, size_t len, struct bfd_auth **out, struct err *e)
{
	struct bfd_auth_key key = { .id = KEY_ID, .len = BFD_AUTH_SECRET_MAX };
	int status = -ERR_SYSTEM;

	if (mesh_key_derive(secret, len, MESH_KEY_HEARTBEATS, key.secret, key.len))
		status = bfd_auth_new(BFD_AUTH_METICULOUS_SHA1, &key, 1, out, e);
	explicit_bzero(&key, sizeof(key));
	return status;
}

static int keys_make(struct mesh *m, const void *secret, size_t len, struct err *e)
{
	if (heartbeats_key(secret, len, &m->auth, e) == 0 &&
	    frames_key(secret, len, &m->pulse.ring) == 0)
		return 0;
	return err_set(e, ERR_SYSTEM, "HKDF-SHA256, SHA-1 or AES-GCM is not available");
}

static int keys_read(struct mesh *m, const char *path, struct err *e)
{
	uint8_t secret[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, secret, sizeof(secret));
	int status = n < 0 ? err_errno(e, "cluster.secret-file %s", path)
			   : keys_make(m, secret, (size_t)n, e);

	if (fd >= 0)
		close(fd);
	explicit_bzero(secret, sizeof(secret));
	return status;
}

static int keys_of(struct mesh *m, const struct cfg_cluster *c, struct err *e)
{
	if (c->secret_file)
		return keys_read(m, c->secret_file, e);
	return c->secret ? keys_make(m, c->secret, strlen(c->secret), e) : 0;
}

/* --- the table --- */

/* Numbers of heartbeats: of a clock that has gone on when this node starts again. */
static uint32_t sequence_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint32_t)((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

static struct bfd_target target_of(const struct mesh *m, struct mesh_node *n)
{
	uint32_t interval_us = (uint32_t)(m->conf.interval.ns / 1000);

	return (struct bfd_target){
		.id = n->id,
		.peer = n->addr,
		.multihop = true,
		.min_ttl = m->auth ? 1 : 255, /* without a key only neighbours can be believed */
		.session = { .desired_min_tx_us = interval_us,
			     .required_min_rx_us = interval_us,
			     .detect_mult = m->conf.multiplier,
			     .full_rate = FULL_RATE,
			     .seq_by_clock = true,
			     .first_seq = sequence_now(),
			     .auth = m->auth },
		.status = &n->status,
	};
}

static void hand_add(struct mesh *m, struct handed *h, struct mesh_node *n)
{
	size_t i = h->table.n;

	if (!n->has_id)
		n->has_id = node_ids_of(m->ids, n->name, &n->id) == 0;
	if (!n->has_id)
		return;
	node_ids_hold(m->ids, n->id);
	n->refs++;
	h->nodes[i] = n;
	h->table.peers[i] = (struct mesh_peer){ .id = n->id, .name = n->name, .addr = n->addr };
	h->table.targets[i] = target_of(m, n);
	h->table.n++;
}

/* The live first: of the dead as many as there is room for. */
static void hand_fill(struct mesh *m, struct handed *h, bool live)
{
	const char *key;
	struct mesh_node *n;

	MAP_EACH (m->nodes, key, n) {
		if (n->takes_part && n->live == live && h->table.n < PULSE_PEERS_MAX)
			hand_add(m, h, n);
	}
	(void)key;
}

static void count(struct mesh *m, size_t *live, size_t *strangers)
{
	const char *key;
	struct mesh_node *n;

	MAP_EACH (m->nodes, key, n) {
		*live += n->live;
		*strangers += n->live && !n->takes_part;
	}
	(void)key;
}

static void note_size(struct mesh *m, size_t live)
{
	bool too_many = live > PULSE_PEERS_MAX;

	if (too_many && !m->too_many)
		log_event(LOG_WARN, "meshTooLarge",
			  "fast detection is off: there are more members than it is made for",
			  KV_U64("members", live), KV_U64("most", PULSE_PEERS_MAX));
	m->too_many = too_many;
}

static void rebuild_now(struct loop_task *task)
{
	struct mesh *m = CONTAINER_OF(task, struct mesh, rebuild);
	size_t live = 0, strangers = 0;

	if (!m->packet || !m->released)
		return;
	struct handed *h = mem_new(struct handed);

	count(m, &live, &strangers);
	note_size(m, live);
	m->trusted = strangers == 0 && !m->too_many;
	if (!m->too_many) {
		hand_fill(m, h, true);
		hand_fill(m, h, false);
	}
	h->table.trusted = m->trusted;
	h->table.interval = m->conf.interval;
	h->table.multiplier = m->conf.multiplier;
	h->table.sessions = (struct bfd_table){ .v = h->table.targets, .n = h->table.n };
	packet_set_pulse(m->packet, &h->table);
}

void mesh_retired(struct mesh *m, const struct pulse_table *t)
{
	struct handed *h = CONTAINER_OF(t, struct handed, table);

	for (size_t i = 0; i < t->n; i++) {
		node_ids_release(m->ids, t->peers[i].id);
		node_unref(h->nodes[i]);
	}
	free(h);
}

/* --- members --- */

/* One address has one daemon: who died there does not come back while another is in its place. */
static bool is_displaced(const struct mesh *m, const struct mesh_node *n)
{
	const char *key;
	const struct mesh_node *other;

	if (n->live)
		return false;
	MAP_EACH (m->nodes, key, other) {
		if (other->live && addr_eq(&other->addr, &n->addr))
			return true;
	}
	(void)key;
	return false;
}

static void node_drop(struct mesh *m, struct mesh_node *n)
{
	(void)map_del(m->nodes, n->name);
	node_unref(n);
}

static void drop_displaced(struct mesh *m)
{
	const char *key;
	struct mesh_node *n;

	MAP_EACH (m->nodes, key, n) {
		if (is_displaced(m, n))
			node_drop(m, n);
	}
	(void)key;
}

void mesh_member(struct mesh *m, const char *node, const struct addr *addr, uint16_t port)
{
	if (!m)
		return;
	struct mesh_node *n = map_get(m->nodes, node);

	if (!n) {
		n = mem_new(struct mesh_node);
		n->name = mem_strdup(node);
		n->refs = 1;
		n->silent_since = MONO_NEVER;
		(void)map_put(m->nodes, node, n);
	}
	if (port && port != m->conf.port)
		log_event(LOG_WARN, "meshPort", "a member's fast detection is on another port",
			  KV_STR("node", node), KV_U64("port", port));
	n->addr = *addr;
	n->live = true;
	n->takes_part = port == m->conf.port;
	drop_displaced(m);
	loop_task_queue(&m->rebuild);
}

void mesh_member_gone(struct mesh *m, const char *node, bool left)
{
	struct mesh_node *n = m ? map_get(m->nodes, node) : NULL;

	if (!n)
		return;
	n->live = false;
	if (left || !n->takes_part || is_displaced(m, n))
		node_drop(m, n);
	loop_task_queue(&m->rebuild);
}

/* --- events --- */

static struct mesh_node *node_of(const struct mesh *m, uint16_t id)
{
	const char *name = node_ids_name(m->ids, id);

	return name ? map_get(m->nodes, name) : NULL;
}

static void on_verdict(struct mesh_node *n, const struct pulse_event *ev)
{
	n->state = ev->state;
	n->barred = ev->state == LIVENESS_DEAD || ev->state == LIVENESS_LEFT;
	n->deaths += ev->state == LIVENESS_DEAD;
	n->departures += ev->state == LIVENESS_LEFT;
	if (!n->barred && !n->live) /* gossip knows by now */
		return;
	log_event(n->barred ? LOG_WARN : LOG_INFO, n->barred ? "nodeOut" : "nodeIn",
		  n->barred ? "a node is out of the running, by fast detection"
			    : "fast detection has nothing against a node any more",
		  KV_STR("node", n->name), KV_STR("state", liveness_state_name(ev->state)));
}

/* So that heartbeats reach it as soon as it is back. */
static void keep_due(struct loop_timer *t, struct mono now)
{
	struct mesh *m = CONTAINER_OF(t, struct mesh, keep);
	const char *key;
	struct mesh_node *n;
	bool again = false;

	MAP_EACH (m->nodes, key, n) {
		if (mono_is_never(n->silent_since) ||
		    !mono_before(now, mono_add(n->silent_since, FULL_RATE)))
			continue;
		neigh_keep(&n->addr, &n->place);
		again = true;
	}
	(void)key;
	if (again)
		loop_timer_set(t, mono_add(now, KEEP_EVERY));
}

static void note_silence(struct mesh *m, struct mesh_node *n, const struct pulse_event *ev)
{
	bool silent = ev->kind == PULSE_DOWN;

	n->silent_since = silent ? ev->at : MONO_NEVER;
	if (silent && !loop_timer_active(&m->keep))
		loop_timer_set(&m->keep, mono_add(ev->at, KEEP_EVERY));
}

void mesh_on_event(struct mesh *m, const struct pulse_event *ev)
{
	struct mesh_node *n = node_of(m, ev->id);

	if (!n)
		return;
	if (ev->kind == PULSE_VERDICT) {
		on_verdict(n, ev);
		return;
	}
	if (ev->kind == PULSE_HEARD) /* after a long silence ours may wait for the kernel */
		neigh_ask_again(&n->addr);
	if (ev->kind != PULSE_UP && ev->kind != PULSE_DOWN)
		return;
	note_silence(m, n, ev);
	log_event(LOG_INFO, ev->kind == PULSE_UP ? "heartbeatUp" : "heartbeatDown",
		  ev->kind == PULSE_UP ? "a node's heartbeats come"
				       : "a node's heartbeats have ended",
		  KV_STR("node", n->name));
	if (ev->kind == PULSE_UP)
		m->hooks.returned(m->hooks.ctx, n->name, &n->addr);
}

/* --- life --- */

int mesh_new(struct loop *l, struct node_ids *ids, const char *me, const struct cfg_cluster *c,
	     const struct mesh_hooks *hooks, struct mesh **out, struct err *e)
{
	if (!c->enabled || c->fast_detection.off)
		return 0;
	struct mesh *m = mem_new(struct mesh);

	m->loop = l;
	m->ids = ids;
	m->conf = c->fast_detection;
	m->hooks = *hooks;
	m->me = mem_strdup(me);
	m->pulse = (struct pulse_conf){ .port = m->conf.port, .name = m->me };
	m->nodes = map_new();
	loop_task_init(&m->rebuild, l, rebuild_now);
	loop_timer_init(&m->keep, l, keep_due);
	if (keys_of(m, c, e) < 0) {
		mesh_free(m);
		return err_wrap(e, "cluster.fast-detection");
	}
	*out = m;
	return 0;
}

static void unref_value(void *value)
{
	node_unref(value);
}

struct mesh *mesh_free(struct mesh *m)
{
	if (!m)
		return NULL;
	loop_task_cancel(&m->rebuild);
	loop_timer_stop(&m->keep);
	map_clear(m->nodes, unref_value);
	map_free(m->nodes);
	bfd_auth_free(m->auth);
	explicit_bzero(&m->pulse.ring, sizeof(m->pulse.ring));
	free(m->me);
	free(m);
	return NULL;
}

void mesh_attach(struct mesh *m, struct packet *packet)
{
	if (m)
		m->packet = packet;
}

void mesh_release(struct mesh *m)
{
	if (!m || m->released)
		return;
	m->released = true;
	loop_task_queue(&m->rebuild);
}

struct dur mesh_interval(const struct mesh *m)
{
	return m ? m->conf.interval : DUR_NS(0);
}

struct dur mesh_detection(const struct mesh *m)
{
	return DUR_NS(mesh_interval(m).ns * (m ? m->conf.multiplier : 0));
}

uint16_t mesh_port(const struct mesh *m)
{
	return m ? m->conf.port : 0;
}

const struct pulse_conf *mesh_pulse(const struct mesh *m)
{
	return m ? &m->pulse : NULL;
}

bool mesh_is_out(const struct mesh *m, const char *node)
{
	const struct mesh_node *n = m ? map_get(m->nodes, node) : NULL;

	return n && n->barred;
}

bool mesh_trusted(const struct mesh *m)
{
	return m && m->trusted;
}

/* --- for people --- */

json_t *mesh_json(const struct mesh *m, const char *node)
{
	const struct mesh_node *n = m ? map_get(m->nodes, node) : NULL;

	if (!n || !n->takes_part)
		return NULL;
	return json_pack("{s:s, s:I, s:s}", "heartbeats",
			 bfd_state_name(atomic_load(&n->status.state)), "detection-time-us",
			 (json_int_t)atomic_load(&n->status.detect_us), "verdict",
			 liveness_state_name(n->state));
}

static void collect_one(struct metric_writer *w, enum metric_type type, const char *name,
			const char *help, uint64_t v)
{
	metric_family(w, type, name, help);
	metric_sample(w, name, NULL, 0, (double)v);
}

static void collect_engine(const struct bfd_counters *c, struct metric_writer *w)
{
	static const char refused[] = "crier_mesh_heartbeats_refused_total";

	collect_one(w, METRIC_GAUGE, "crier_mesh_sessions", "Members that heartbeats go to",
		    atomic_load(&c->sessions));
	collect_one(w, METRIC_GAUGE, "crier_mesh_sessions_up", "Members whose heartbeats come",
		    atomic_load(&c->sessions_up));
	collect_one(w, METRIC_COUNTER, "crier_mesh_heartbeats_received_total",
		    "Heartbeats accepted", atomic_load(&c->packets_in));
	collect_one(w, METRIC_COUNTER, "crier_mesh_heartbeats_sent_total", "Heartbeats sent",
		    atomic_load(&c->packets_out));
	collect_one(w, METRIC_COUNTER, "crier_mesh_late_heartbeats_total",
		    "Heartbeats sent later than agreed", atomic_load(&c->late_sends));
	collect_one(w, METRIC_COUNTER, "crier_mesh_silences_total",
		    "Sessions that ended by silence", atomic_load(&c->expiries));
	metric_family(w, METRIC_COUNTER, refused, "Heartbeats without effect, by reason");
	for (unsigned d = 0; d < BFD_DROP_COUNT; d++)
		metric_sample(w, refused, METRIC_LABELS({ "reason", bfd_drop_label(d) }),
			      (double)atomic_load(&c->dropped[d]));
}

static uint64_t is_up(const struct mesh_node *n)
{
	return atomic_load(&n->status.state) == BFD_UP;
}

static uint64_t ups(const struct mesh_node *n)
{
	return atomic_load(&n->status.up_events);
}

static uint64_t downs(const struct mesh_node *n)
{
	return atomic_load(&n->status.down_events);
}

static void collect_nodes(const struct mesh *m, struct metric_writer *w, enum metric_type type,
			  const char *name, const char *help,
			  uint64_t (*value)(const struct mesh_node *n))
{
	const char *key;
	struct mesh_node *n;

	metric_family(w, type, name, help);
	MAP_EACH (m->nodes, key, n) {
		if (n->takes_part)
			metric_sample(w, name, METRIC_LABELS({ "node", key }), (double)value(n));
	}
}

static void collect_verdicts(const struct mesh *m, struct metric_writer *w)
{
	static const char name[] = "crier_mesh_nodes_out_total";
	const char *key;
	struct mesh_node *n;

	metric_family(w, METRIC_COUNTER, name, "Times that a node was out, by reason");
	MAP_EACH (m->nodes, key, n) {
		metric_sample(w, name, METRIC_LABELS({ "node", key }, { "reason", "dead" }),
			      (double)n->deaths);
		metric_sample(w, name, METRIC_LABELS({ "node", key }, { "reason", "left" }),
			      (double)n->departures);
	}
}

void mesh_collect(const struct mesh *m, struct metric_writer *w)
{
	const struct bfd_counters *c = m ? packet_pulse_counters(m->packet) : NULL;

	if (!c)
		return;
	collect_engine(c, w);
	collect_nodes(m, w, METRIC_GAUGE, "crier_mesh_session_up", "Its heartbeats come", is_up);
	collect_nodes(m, w, METRIC_COUNTER, "crier_mesh_session_up_events_total",
		      "Times that its heartbeats began", ups);
	collect_nodes(m, w, METRIC_COUNTER, "crier_mesh_session_down_events_total",
		      "Times that its heartbeats ended", downs);
	collect_verdicts(m, w);
	collect_one(w, METRIC_GAUGE, "crier_mesh_trusted",
		    "1 while fast detection decides: all live members take part", m->trusted);
	collect_one(w, METRIC_COUNTER, "crier_mesh_news_lost_total",
		    "Texts of members that found a ring full, and came by gossip",
		    packet_news_lost(m->packet));
}
