#include "app/membership.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/json.h"
#include "base/log.h"
#include "cluster/io.h"

/* Those who are there have answered by then. */
#define ALONE_AFTER DUR_S(5)

struct membership {
	struct loop *loop;
	struct world *world;
	struct node_ids *ids;
	struct share *share;
	struct mesh *mesh; /* NULL: there is none */
	struct packet *packet;
	struct cluster *cluster; /* NULL: this node is alone */
	struct membership_hooks hooks;
	struct map *strangers;	       /* live members that are not crier: name -> itself */
	struct map *displaced;	       /* live ones in whose place another is: name -> itself */
	struct gossip_endpoint self;   /* where gossip listens */
	struct gossip_endpoint *found; /* to be joined, beside those of the configuration */
	size_t n_found;
	struct mono started;
	bool met; /* another member, ever */
	bool drained;
	struct loop_task left; /* says that leaving is done, where nobody has to be told */
};

/* --- metadata: what a node says of itself --- */

/* {"crier": version, "labels": {…}, "mesh": port, "drained": true}; members of other programs have none of it. */
static char *meta_text(const struct labels *l, uint16_t mesh_port, bool drained)
{
	json_t *labels = json_object();

	for (size_t i = 0; i < l->n; i++)
		json_object_set_new(labels, l->v[i].key, json_string(l->v[i].value));
	json_t *meta = json_pack("{s:s, s:o}", "crier", CRIER_VERSION, "labels", labels);
	if (mesh_port)
		json_set_u64(meta, "mesh", mesh_port);
	if (drained)
		json_object_set_new(meta, "drained", json_true());
	char *text = json_dumps(meta, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(meta);
	return text;
}

static json_t *meta_of(const struct gossip_member *member)
{
	return member->meta_len ? json_loadb((const char *)member->meta, member->meta_len, 0, NULL)
				: NULL;
}

static bool is_crier(const struct gossip_member *member)
{
	json_t *meta = meta_of(member);
	bool is = json_object_get(meta, "crier") != NULL;

	json_decref(meta);
	return is;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

/* 0: it has no mesh, or none that could be. */
static uint16_t mesh_port_of(const json_t *meta)
{
	json_int_t port = json_integer_value(json_object_get(meta, "mesh"));

	return port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* A node of the world, out of a member's metadata. Ill-formed labels count as none. */
static void node_take(struct membership *m, const struct gossip_member *member)
{
	json_t *meta = meta_of(member);
	json_t *labels = json_object_get(meta, "labels"), *value;
	struct label *v = mem_new_n(struct label, json_object_size(labels));
	const struct world_node *known = world_node(m->world, member->name);
	struct world_node node = { .name = member->name };
	const char *key;

	json_object_foreach(labels, key, value)
	{
		if (json_is_string(value) && label_key_valid(key) &&
		    label_value_valid(json_string_value(value)))
			v[node.labels.n++] = (struct label){ key, json_string_value(value) };
	}
	qsort(v, node.labels.n, sizeof(*v), by_key);
	mesh_member(m->mesh, member->name, &member->addr, mesh_port_of(meta));
	node.labels.v = v;
	/* What the API says of a node is its own; that it lives is ours. */
	if (known && known->has_object)
		node = *known;
	node.alive = true;
	if (json_object_get(meta, "crier"))
		(void)map_del(m->strangers, member->name);
	else
		(void)map_put(m->strangers, member->name, m);
	world_node_set(m->world, &node);
	world_node_drained(m->world, member->name, json_is_true(json_object_get(meta, "drained")));
	free(v);
	json_decref(meta);
}

/* While any live member follows the reference, all do: else owners would differ. */
static void reference_settle(struct membership *m)
{
	const struct cfg *c = world_config(m->world);
	bool reference = map_len(m->strangers) > 0;

	if (reference && !world_is_reference(m->world) && c && !c->l2.preempt)
		log_plain(LOG_WARN, "preemptNoEffect",
			  "members that are not crier follow the ranking alone: l2.preempt: false "
			  "has "
			  "no effect");
	world_set_reference(m->world, reference);
}

/* --- events --- */

static void log_member(const char *event, const char *msg, const struct gossip_member *member)
{
	log_event(LOG_INFO, event, msg, KV_STR("node", member->name),
		  KV_STR("address", ADDR_TEXT(&member->addr)),
		  KV_STR("state", gossip_state_name(member->state)));
}

static void member_takes_part(struct membership *m, const struct gossip_member *member)
{
	node_take(m, member);
	reference_settle(m);
	m->hooks.joined(m->hooks.ctx, member->name, &member->addr);
}

/* Before anything else: the packet thread takes over without waiting for any plan. */
static void tell_packet_gone(struct membership *m, const char *name)
{
	uint16_t id;

	if (m->packet && node_ids_find(m->ids, name, &id))
		packet_set_alive(m->packet, id, false);
}

static void member_does_not(struct membership *m, const char *name, bool left)
{
	mesh_member_gone(m->mesh, name, left);
	world_node_alive(m->world, name, false);
	(void)map_del(m->strangers, name);
	reference_settle(m);
	m->hooks.gone(m->hooks.ctx, name, left);
}

/* --- two names at one address: a daemon that crashed, and the one that was started in its place --- */

static bool is_there(const struct membership *m, const struct gossip_member *member)
{
	return gossip_member_is_live(member) && !map_get(m->displaced, member->name);
}

/*
 * Of the two, gossip takes the one before for alive until nobody has answered to its name for
 * seconds; but lives are numbered by the clock, and so this one is known to be over. Our own is not,
 * whatever the clock was.
 */
static const struct gossip_member *place_taken(const struct membership *m,
					       const struct gossip_member *member, bool by_later)
{
	const struct gossip_member *other;

	for (size_t at = 0; cluster_member_next(m->cluster, &at, &other);) {
		bool later = other->self || other->incarnation > member->incarnation;

		if (other != member && is_there(m, other) && later == by_later &&
		    other->port == member->port && addr_eq(&other->addr, &member->addr))
			return other;
	}
	return NULL;
}

static void displace(struct membership *m, const struct gossip_member *member, const char *by)
{
	(void)map_put(m->displaced, member->name, m);
	log_event(LOG_WARN, "nodeDisplaced",
		  "a node is gone: another one has started at its address",
		  KV_STR("node", member->name), KV_STR("by", by),
		  KV_STR("address", ADDR_TEXT(&member->addr)));
}

/* True when @member is the one that is over. The reference knows nothing of this. */
static bool settle_place(struct membership *m, const struct gossip_member *member)
{
	const struct gossip_member *other;

	if (map_len(m->strangers) > 0 || !is_crier(member))
		return false;
	other = place_taken(m, member, true);
	if (other) {
		displace(m, member, other->name);
		return true;
	}
	while ((other = place_taken(m, member, false))) {
		tell_packet_gone(m, other->name);
		displace(m, other, member->name);
		member_does_not(m, other->name, true);
	}
	return false;
}

static void give_place_back(struct membership *m, const struct gossip_member *gone)
{
	const struct gossip_member *other;

	for (size_t at = 0; cluster_member_next(m->cluster, &at, &other);) {
		if (map_get(m->displaced, other->name) && !place_taken(m, other, true) &&
		    addr_eq(&other->addr, &gone->addr)) {
			(void)map_del(m->displaced, other->name);
			member_takes_part(m, other);
		}
	}
}

static void member_joined(struct membership *m, const struct gossip_member *member)
{
	m->met = true;
	log_member("nodeJoin", "member joined", member);
	if (!settle_place(m, member))
		member_takes_part(m, member);
}

static void member_gone(struct membership *m, const struct gossip_member *member)
{
	bool left = member->state == GOSSIP_LEFT;

	tell_packet_gone(m, member->name);
	log_member("nodeLeave", left ? "member left" : "member died", member);
	if (map_del(m->displaced, member->name))
		return;
	member_does_not(m, member->name, left);
	give_place_back(m, member);
}

static void on_event(void *ctx, const struct cluster_event *ev)
{
	struct membership *m = ctx;

	switch (ev->type) {
	case CLUSTER_JOIN:
		member_joined(m, ev->member);
		break;
	case CLUSTER_UPDATE:
		if (map_get(m->displaced, ev->member->name))
			break;
		node_take(m, ev->member);
		reference_settle(m);
		break;
	case CLUSTER_LEAVE:
		member_gone(m, ev->member);
		break;
	case CLUSTER_USER_MESSAGE:
		/* Its sender reached some members only: news is passed on. */
		if (share_read(m->share, ev->bytes))
			membership_broadcast(m, ev->bytes.p, ev->bytes.left);
		break;
	}
}

static void local_state(void *ctx, struct buf *out)
{
	struct membership *m = ctx;
	size_t before = out->len;

	share_write(m->share, out);
	if (out->len - before > GOSSIP_STATE_MAX) {
		log_plain(LOG_ERROR, "stateTooLarge",
			  "too many services for gossip: members may not agree about allocations");
		out->len = before;
	}
}

static void merge_state(void *ctx, struct rd state)
{
	struct membership *m = ctx;

	(void)share_read(m->share, state);
	m->hooks.synchronised(m->hooks.ctx);
}

/* --- start --- */

/* Both lengths that MetalLB has had: each member is spoken to as it speaks (cluster/keys.h). */
static int secret_take(const void *secret, size_t n, struct crypt_ring *ring)
{
	static const uint8_t lengths[] = { 32, 16 };
	int status = 0;

	for (size_t i = 0; status == 0 && i < sizeof(lengths); i++) {
		struct crypt_key key = crypt_key_from_secret(secret, n, lengths[i]);

		status = crypt_ring_add(ring, key.bytes, key.len);
		explicit_bzero(&key, sizeof(key));
	}
	return status;
}

static int secret_read(const char *path, struct crypt_ring *ring, struct err *e)
{
	uint8_t secret[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, secret, sizeof(secret));
	int status = n < 0 ? err_errno(e, "cluster.secret-file %s", path) : 0;

	if (fd >= 0)
		close(fd);
	if (n == 0)
		status = err_set(e, ERR_CONFIG, "cluster.secret-file %s is empty", path);
	if (status == 0)
		status = secret_take(secret, (size_t)n, ring);
	explicit_bzero(secret, sizeof(secret));
	return status;
}

/* Whom the configuration names, and who was found. */
static struct gossip_endpoint *endpoints_of(const struct membership *m, const struct cfg_cluster *c,
					    size_t *n)
{
	struct gossip_endpoint *v = mem_new_n(struct gossip_endpoint, c->n_join + m->n_found);

	*n = 0;
	for (size_t i = 0; i < c->n_join; i++)
		v[(*n)++] = (struct gossip_endpoint){
			.addr = c->join[i].addr,
			.port = c->join[i].port ? c->join[i].port : c->bind.port,
		};
	for (size_t i = 0; i < m->n_found; i++)
		v[(*n)++] = m->found[i];
	return v;
}

/* No secret: no keys. */
static int ring_make(const struct cfg_cluster *c, struct crypt_ring *ring, struct err *e)
{
	if (c->secret_file)
		return secret_read(c->secret_file, ring, e);
	return c->secret ? secret_take(c->secret, strlen(c->secret), ring) : 0;
}

static int cluster_start(struct membership *m, const struct cfg_cluster *c,
			 const struct labels *labels, struct err *e)
{
	char *meta = meta_text(labels, mesh_port(m->mesh), m->drained);
	struct cluster_conf conf = {
		.name = world_me(m->world),
		.bind = { .addr = c->bind.addr, .port = c->bind.port },
		.meta = meta,
		.meta_len = strlen(meta),
		.timing = c->wan ? &gossip_wan : NULL,
		.hooks = { .ctx = m,
			   .on_event = on_event,
			   .local_state = local_state,
			   .merge_state = merge_state },
	};
	struct gossip_endpoint *join = endpoints_of(m, c, &conf.n_join);
	int status = 0;

	conf.join = join;
	m->self = conf.bind;

	if (conf.meta_len > GOSSIP_META_MAX)
		status = err_set(e, ERR_CONFIG,
				 "node.labels: %zu bytes as gossip sends them, %d is the most; use "
				 "fewer labels",
				 conf.meta_len, GOSSIP_META_MAX);
	if (status == 0)
		status = ring_make(c, &conf.ring, e);
	if (status == 0 && conf.ring.n == 0)
		log_plain(LOG_WARN, "clusterNotEncrypted",
			  "gossip is neither encrypted nor authenticated: set cluster.secret-file");
	if (status == 0)
		status = cluster_new(m->loop, &conf, &m->cluster, e);
	explicit_bzero(&conf.ring, sizeof(conf.ring));
	free(meta);
	free(join);
	return status;
}

static void say_left(struct loop_task *t)
{
	struct membership *m = CONTAINER_OF(t, struct membership, left);

	m->hooks.left(m->hooks.ctx);
}

int membership_new(struct loop *l, struct world *w, struct node_ids *ids, struct share *share,
		   struct mesh *mesh, const struct cfg_cluster *c, const struct labels *labels,
		   const struct membership_hooks *hooks, struct membership **out, struct err *e)
{
	struct membership *m = mem_new(struct membership);

	m->loop = l;
	m->started = loop_now(l);
	m->world = w;
	m->ids = ids;
	m->share = share;
	m->mesh = mesh;
	m->hooks = *hooks;
	m->strangers = map_new();
	m->displaced = map_new();
	loop_task_init(&m->left, l, say_left);
	if (c->enabled && cluster_start(m, c, labels, e) < 0) {
		membership_free(m);
		return -(int)e->kind;
	}
	*out = m;
	return 0;
}

struct membership *membership_free(struct membership *m)
{
	if (!m)
		return NULL;
	loop_task_cancel(&m->left);
	cluster_free(m->cluster);
	map_free(m->strangers);
	map_free(m->displaced);
	free(m->found);
	free(m);
	return NULL;
}

void membership_attach(struct membership *m, struct packet *packet)
{
	m->packet = packet;
}

static void meta_tell(struct membership *m, const struct cfg *c)
{
	char *meta = meta_text(&c->node.labels, mesh_port(m->mesh), m->drained);

	if (cluster_set_meta(m->cluster, meta, strlen(meta)) < 0)
		log_plain(LOG_ERROR, "labelsTooLong",
			  "node.labels do not fit into gossip; the other members see the ones "
			  "before");
	free(meta);
}

static void rejoin(struct membership *m, const struct cfg_cluster *c)
{
	size_t n;
	struct gossip_endpoint *join = endpoints_of(m, c, &n);

	cluster_rejoin(m->cluster, join, n);
	free(join);
}

static void secret_changed(const struct membership *m)
{
	log_plain(LOG_INFO, "secretChanged",
		  "gossip has the new secret; the one before is understood until the next start");
	if (m->mesh)
		log_plain(LOG_WARN, "needsRestart",
			  "fast detection takes the new secret at the next start");
}

/* The file is read again: it may say something else under the same name. */
static void secret_follow(struct membership *m, const struct cfg_cluster *c)
{
	struct crypt_ring ring = { 0 };
	struct err e = { 0 };

	if (!c->enabled) /* it is the environment's */
		return;
	if (ring_make(c, &ring, &e) < 0)
		log_event(LOG_ERROR, "secretUnread", "gossip goes on with the secret that it has",
			  KV_STR("error", e.text));
	else if ((ring.n > 0) != cluster_is_sealed(m->cluster))
		log_plain(LOG_WARN, "needsRestart",
			  "whether gossip is encrypted changes at the next start");
	else if (ring.n && cluster_rekey(m->cluster, &ring))
		secret_changed(m);
	explicit_bzero(&ring, sizeof(ring));
}

void membership_apply(struct membership *m, const struct cfg *c)
{
	if (!m->cluster)
		return;
	secret_follow(m, &c->cluster);
	rejoin(m, &c->cluster);
	meta_tell(m, c);
}

void membership_drained(struct membership *m, bool drained)
{
	m->drained = drained;
	if (m->cluster)
		meta_tell(m, world_config(m->world));
}

void membership_found(struct membership *m, const struct addr *v, size_t n)
{
	const struct cfg *c = world_config(m->world);

	if (!m->cluster || !c)
		return;
	free(m->found);
	m->found = mem_new_n(struct gossip_endpoint, n);
	m->n_found = 0;
	for (size_t i = 0; i < n; i++)
		if (!addr_eq(&v[i], &m->self.addr))
			m->found[m->n_found++] =
				(struct gossip_endpoint){ .addr = v[i], .port = m->self.port };
	rejoin(m, &c->cluster);
}

void membership_sync(struct membership *m, const char *node, const struct addr *at)
{
	if (m->cluster)
		cluster_sync(m->cluster, node, at);
}

void membership_broadcast(struct membership *m, const void *bytes, size_t len)
{
	/* Alone, or leaving: nobody to tell. What is too long reaches them by push/pull. */
	if (m->cluster)
		(void)!cluster_broadcast_user(m->cluster, bytes, len);
}

static void cluster_left(void *ctx)
{
	struct membership *m = ctx;

	m->hooks.left(m->hooks.ctx);
}

void membership_leave(struct membership *m)
{
	if (m->cluster)
		cluster_leave(m->cluster, cluster_left, m);
	else
		loop_task_queue(&m->left);
}

bool membership_enabled(const struct membership *m)
{
	return m->cluster != NULL;
}

size_t membership_count(const struct membership *m)
{
	const struct gossip_member *member;
	size_t n = 0;

	if (!m->cluster)
		return 1;
	for (size_t at = 0; cluster_member_next(m->cluster, &at, &member);)
		n += is_there(m, member);
	return n;
}

struct mono membership_since(const struct membership *m, const char *node)
{
	const struct gossip_member *member =
		m->cluster ? cluster_member_find(m->cluster, node) : NULL;

	return member ? member->since : m->started;
}

/* --- for people --- */

static json_t *member_json(const struct membership *m, const struct gossip_member *member)
{
	char address[ADDR_PORT_TEXT_MAX];
	json_t *item = json_item(member->name, gossip_state_name(member->state), member->since);

	json_set_text(item, "address", addr_port_format(&member->addr, member->port, address));
	json_set_u64(item, "incarnation", member->incarnation);
	json_object_set_new(item, "self", json_boolean(member->self));
	json_object_set_new(item, "crier", json_boolean(!map_get(m->strangers, member->name)));
	json_t *mesh = mesh_json(m->mesh, member->name);
	if (mesh)
		json_object_set_new(item, "mesh", mesh);
	return item;
}

/* Gossip may take one for dead whom a cut has kept away; of several names the latest life counts. */
const char *membership_at(const struct membership *m, const struct addr *addr)
{
	const struct gossip_member *member, *best = NULL;

	for (size_t at = 0; m->cluster && cluster_member_next(m->cluster, &at, &member);)
		if (addr_eq(&member->addr, addr) &&
		    (!best || member->incarnation > best->incarnation))
			best = member;
	return best ? best->name : NULL;
}

/* Live members; whoever died stands among the nodes. */
json_t *membership_json(const struct membership *m)
{
	const struct gossip_member *member;
	json_t *items = json_array();

	if (!m->cluster) {
		json_t *item = json_item(world_me(m->world), "alive", m->started);

		json_object_set_new(item, "self", json_true());
		json_array_append_new(items, item);
		return items;
	}
	for (size_t at = 0; cluster_member_next(m->cluster, &at, &member);)
		if (is_there(m, member))
			json_array_append_new(items, member_json(m, member));
	return items;
}

static char *rival_text(const struct gossip_member *member)
{
	char known[ADDR_PORT_TEXT_MAX], other[ADDR_PORT_TEXT_MAX];

	return mem_printf("two nodes use the name %s: %s and %s", member->name,
			  addr_port_format(&member->addr, member->port, known),
			  addr_port_format(&member->rival.addr, member->rival.port, other));
}

static bool has_rival(const struct membership *m, const struct gossip_member *member)
{
	return addr_is_set(&member->rival.addr) &&
	       mono_sub(loop_now(m->loop), member->rival_at).ns < GOSSIP_RIVAL_FOR.ns;
}

/* Told to join others, and nobody has ever answered: it answers for all, as they do. NULL: not so. */
static char *alone_text(const struct membership *m)
{
	const struct cfg_cluster *c = &world_config(m->world)->cluster;
	const struct gossip_member *self = cluster_member_find(m->cluster, world_me(m->world));
	struct buf text = { 0 };
	char at[ADDR_PORT_TEXT_MAX];

	if (m->met || mono_sub(loop_now(m->loop), m->started).ns < ALONE_AFTER.ns)
		return NULL;
	for (size_t i = 0; i < c->n_join; i++) {
		uint16_t port = c->join[i].port ? c->join[i].port : c->bind.port;

		if (!addr_eq(&c->join[i].addr, &self->addr) || port != self->port)
			buf_printf(&text, "%s%s", text.len ? ", " : "",
				   addr_port_format(&c->join[i].addr, port, at));
	}
	char *found = text.len ? mem_printf("this node is alone: nobody has been met at %s",
					    buf_text(&text))
			       : NULL;

	buf_fini(&text);
	return found;
}

void membership_problems(const struct membership *m,
			 void (*say)(void *ctx, const char *hint, const char *text), void *ctx)
{
	const struct gossip_member *member;
	const struct cluster_outsider *o;

	if (!m->cluster)
		return;
	char *alone = alone_text(m);

	if (alone)
		say(ctx, "is crier running there? gossip's port has to pass by UDP and TCP", alone);
	free(alone);
	for (size_t at = 0; cluster_member_next(m->cluster, &at, &member);) {
		char *text = has_rival(m, member) ? rival_text(member) : NULL;

		if (text)
			say(ctx, "give one of them another name: node.name, or --node", text);
		free(text);
	}
	for (size_t at = 0; cluster_outsider_next(m->cluster, &at, &o);) {
		char *text = mem_printf("the gossip of %s can't be read: %s", ADDR_TEXT(&o->addr),
					o->why);

		say(ctx, "cluster.secret-file has to be the same on all nodes", text);
		free(text);
	}
}

void membership_collect(const struct membership *m, struct metric_writer *w)
{
	if (m->cluster)
		cluster_collect(m->cluster, w);
}
