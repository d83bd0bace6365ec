#include "cluster/io.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cluster/cluster_priv.h"
#include "net/udp.h"

#define RCVBUF_BYTES  (2 << 20)
#define READS_AT_ONCE 64 /* datagrams, before others on the loop get their turn */
#define LEAVE_WITHIN  DUR_S(1)

static const struct metric_row socket_rows[] = { CLUSTER_METRICS(METRIC_ROW,
								 struct cluster_stats) };
static const struct metric_row core_rows[] = { GOSSIP_METRICS(METRIC_ROW, struct gossip_stats) };

void cluster_count_refusal(struct cluster *c, enum pack_refusal why)
{
	uint64_t *const counters[PACK_REFUSAL_COUNT] = {
		[PACK_LABEL] = &c->stats.dropped_label,
		[PACK_CRYPT] = &c->stats.dropped_crypt,
		[PACK_PLAIN] = &c->stats.dropped_plain,
		[PACK_ENCRYPTED] = &c->stats.dropped_encrypted,
		[PACK_MALFORMED] = &c->stats.dropped_malformed,
		[PACK_TOO_LONG] = &c->stats.dropped_long,
	};

	if (counters[why])
		(*counters[why])++;
}

static bool is_current(const struct cluster *c, const struct cluster_outsider *o)
{
	return addr_is_set(&o->addr) && mono_sub(loop_now(c->loop), o->at).ns < OUTSIDER_FOR.ns;
}

/* Its own place, else one that is free; all are taken: none, the first eight tell enough. */
static struct cluster_outsider *outsider_place(struct cluster *c, const struct addr *addr)
{
	struct cluster_outsider *place = NULL;

	for (size_t i = 0; i < OUTSIDERS_MAX; i++) {
		struct cluster_outsider *o = &c->outsiders[i];

		if (addr_eq(&o->addr, addr))
			return o;
		if (!is_current(c, o))
			place = o;
	}
	return place;
}

void cluster_note_outsider(struct cluster *c, const struct addr *addr, enum pack_refusal why)
{
	bool is_about_keys = why == PACK_CRYPT || why == PACK_PLAIN || why == PACK_ENCRYPTED;
	struct cluster_outsider *o = is_about_keys ? outsider_place(c, addr) : NULL;

	if (!o)
		return;
	bool goes_on = addr_eq(&o->addr, addr) && is_current(c, o);

	*o = (struct cluster_outsider){ *addr, pack_refusal_text(why), loop_now(c->loop) };
	if (!goes_on)
		log_event(LOG_WARN, "memberOutside",
			  "another node's gossip can't be read: cluster.secret-file has to be "
			  "the same on all nodes",
			  KV_STR("node addr", ADDR_TEXT(addr)), KV_STR("error", o->why));
}

void cluster_heard(struct cluster *c, const struct addr *from)
{
	if (c->ring.n == 0)
		return;
	keys_heard(&c->keys, from, c->ring.opened);
	for (size_t i = 0; i < OUTSIDERS_MAX; i++)
		if (addr_eq(&c->outsiders[i].addr, from))
			c->outsiders[i] = (struct cluster_outsider){ 0 };
}

bool cluster_outsider_next(const struct cluster *c, size_t *at, const struct cluster_outsider **out)
{
	while (*at < OUTSIDERS_MAX) {
		*out = &c->outsiders[(*at)++];
		if (is_current(c, *out))
			return true;
	}
	return false;
}

/* What the core wants. */

static void send_packet(struct cluster *c, const struct gossip_out *out)
{
	uint8_t nonce[CRYPT_NONCE_LEN];
	struct wr w = wr_to(c->packet, sizeof(c->packet));

	rng_secure(nonce, sizeof(nonce));
	c->ring.seals = keys_for(&c->keys, &out->addr);
	pack_packet_seal(&c->pack, nonce, out->bytes, &w);
	int r = w.bad ? -EMSGSIZE : udp_send(c->udp_fd, &out->addr, out->port, 0, w.p, w.len);
	if (r == 0) {
		c->stats.packets_out++;
		return;
	}
	c->stats.send_failed++;
	if (r != -EAGAIN)
		gossip_unsent(c->gossip, &out->addr, out->port, loop_now(c->loop));
}

static void tell_event(struct cluster *c, enum cluster_event_type type,
		       const struct gossip_out *out)
{
	struct cluster_event ev = { .type = type, .member = out->member, .bytes = out->bytes };

	c->hooks.on_event(c->hooks.ctx, &ev);
}

static void log_conflict(const struct gossip_out *out)
{
	char at[ADDR_PORT_TEXT_MAX];
	char known[ADDR_PORT_TEXT_MAX];
	const struct gossip_member *m = out->member;

	addr_port_format(&out->addr, out->port, at);
	addr_port_format(&m->addr, m->port, known);
	log_event(LOG_WARN, "memberConflict",
		  "two nodes use one name: give one of them another (node.name, or --node)",
		  KV_STR("node name", m->name), KV_STR("node addr", known), KV_STR("other", at));
}

/* Theirs: keep it printable. */
static void calm(struct rd bytes, char *text, size_t cap)
{
	size_t len = MIN(bytes.left, cap - 1);

	for (size_t i = 0; i < len; i++)
		text[i] = (char)(bytes.p[i] >= ' ' && bytes.p[i] < 0x7f ? bytes.p[i] : '?');
	text[len] = '\0';
}

static void log_incompatible(const struct gossip_out *out)
{
	char name[GOSSIP_NAME_MAX + 1];

	calm(out->bytes, name, sizeof(name));
	log_event(LOG_WARN, "memberIncompatible",
		  "nothing is exchanged by push/pull while a member speaks a version of the "
		  "protocol that others do not",
		  KV_STR("node name", name));
}

static void log_remote_error(const struct gossip_out *out)
{
	char at[ADDR_PORT_TEXT_MAX];
	char text[256];

	calm(out->bytes, text, sizeof(text));
	log_event(LOG_WARN, "memberRefused", "another member refuses our stream",
		  KV_STR("node addr", addr_port_format(&out->addr, out->port, at)),
		  KV_STR("error", text));
}

static void leave_done(struct cluster *c)
{
	void (*left)(void *) = c->left;

	loop_timer_stop(&c->left_timer);
	c->left = NULL;
	if (left)
		left(c->left_ctx);
}

static void perform(struct cluster *c, const struct gossip_out *out)
{
	switch (out->type) {
	case GOSSIP_OUT_PACKET:
		send_packet(c, out);
		break;
	case GOSSIP_OUT_DIAL:
		conns_dial(c, out);
		break;
	case GOSSIP_OUT_REPLY:
	case GOSSIP_OUT_CLOSE:
		conns_reply(c, out->stream, out->bytes);
		break;
	case GOSSIP_OUT_JOIN:
		tell_event(c, CLUSTER_JOIN, out);
		break;
	case GOSSIP_OUT_UPDATE:
		tell_event(c, CLUSTER_UPDATE, out);
		break;
	case GOSSIP_OUT_LEAVE:
		tell_event(c, CLUSTER_LEAVE, out);
		break;
	case GOSSIP_OUT_USER_MESSAGE:
		tell_event(c, CLUSTER_USER_MESSAGE, out);
		break;
	case GOSSIP_OUT_USER_STATE:
		if (c->hooks.merge_state)
			c->hooks.merge_state(c->hooks.ctx, out->bytes);
		break;
	case GOSSIP_OUT_CONFLICT:
		log_conflict(out);
		break;
	case GOSSIP_OUT_REMOTE_ERROR:
		log_remote_error(out);
		break;
	case GOSSIP_OUT_INCOMPATIBLE:
		log_incompatible(out);
		break;
	case GOSSIP_OUT_LEFT:
		/*
		 * From the timer, so that nobody is called back who is still in the middle of
		 * something.
		 */
		loop_timer_set(&c->left_timer, loop_now(c->loop));
		break;
	}
}

void cluster_drain(struct cluster *c)
{
	struct gossip_out out;

	if (c->draining) /* a hook called us: the loop below goes on */
		return;
	c->draining = true;
	while (gossip_next(c->gossip, &out))
		perform(c, &out);
	c->draining = false;
	loop_timer_set(&c->timer, gossip_deadline(c->gossip));
}

/* What the loop says. */

static void tick(struct loop_timer *t, struct mono now)
{
	struct cluster *c = CONTAINER_OF(t, struct cluster, timer);

	gossip_tick(c->gossip, now);
	cluster_drain(c);
}

static void leave_over(struct loop_timer *t, struct mono now)
{
	(void)now;
	leave_done(CONTAINER_OF(t, struct cluster, left_timer));
}

static void receive(struct cluster *c, struct rd packet, const struct sockaddr_storage *ss)
{
	enum pack_refusal why;
	struct addr from;
	uint16_t port;

	c->stats.packets_in++;
	addr_from_sockaddr(ss, &from, &port);
	c->ring.opened = keys_for(&c->keys, &from); /* what is not sealed changes nothing */
	why = pack_packet_open(&c->pack, packet, c->opened, &packet);
	if (why != PACK_OK) {
		cluster_count_refusal(c, why);
		return;
	}
	cluster_heard(c, &from);
	gossip_packet(c->gossip, &from, port, packet, loop_now(c->loop));
	cluster_drain(c);
}

static void udp_ready(struct loop_io *io, unsigned events)
{
	struct cluster *c = CONTAINER_OF(io, struct cluster, udp_io);

	(void)events;
	for (int i = 0; i < READS_AT_ONCE; i++) {
		struct sockaddr_storage ss;
		socklen_t ss_len = sizeof(ss);
		ssize_t n = recvfrom(c->udp_fd, c->packet, sizeof(c->packet), MSG_DONTWAIT,
				     (struct sockaddr *)&ss, &ss_len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0)
			receive(c, rd_from(c->packet, (size_t)n), &ss);
	}
}

/* Making and ending. */

static int check(const struct cluster_conf *conf, struct err *e)
{
	size_t name_len = strlen(conf->name);

	if (name_len == 0 || name_len > GOSSIP_NAME_MAX)
		return err_set(e, ERR_CONFIG, "the node's name has %zu bytes, not 1 to %d",
			       name_len, GOSSIP_NAME_MAX);
	if (!text_is_printable(conf->name)) /* the others would not have it */
		return err_set(e, ERR_CONFIG,
			       "the node's name has characters that can't be printed");
	if (conf->meta_len > GOSSIP_META_MAX)
		return err_set(e, ERR_CONFIG,
			       "what this node tells of itself has %zu bytes, more than %d",
			       conf->meta_len, GOSSIP_META_MAX);
	if (conf->label && strlen(conf->label) > PACK_LABEL_MAX)
		return err_set(e, ERR_CONFIG, "the label is longer than %d bytes", PACK_LABEL_MAX);
	return 0;
}

static int open_sockets(struct cluster *c, struct err *e)
{
	struct udp_conf udp = {
		.family = c->bind.addr.family,
		.local = c->bind.addr,
		.port = c->bind.port,
		.rcvbuf_bytes = RCVBUF_BYTES,
	};

	c->udp_fd = udp_open(&udp, e);
	if (c->udp_fd < 0)
		return -(int)e->kind;
	int r = conns_listen(c, e);
	if (r < 0)
		return r;
	loop_io_watch(&c->udp_io, c->udp_fd, LOOP_READ);
	return 0;
}

static void make_core(struct cluster *c, const struct cluster_conf *conf)
{
	struct gossip_conf core = {
		.name = conf->name,
		.addr = c->self.addr,
		.port = c->self.port,
		.meta = conf->meta,
		.meta_len = conf->meta_len,
		.timing = conf->timing ? *conf->timing : gossip_lan,
		.packet_overhead = pack_overhead(&c->pack),
		.compress = !conf->no_compression,
		.incarnation = (uint32_t)time(NULL),
		.rng = &c->rng,
		.local_state = conf->hooks.local_state,
		.ctx = conf->hooks.ctx,
	};
	uint64_t seed;

	rng_secure(&seed, sizeof(seed));
	rng_seed(&c->rng, seed);
	c->stream_timeout = core.timing.stream_timeout;
	c->gossip = gossip_new(&core, loop_now(c->loop));
	gossip_join(c->gossip, conf->join, conf->n_join, loop_now(c->loop));
}

static struct cluster *cluster_alloc(struct loop *loop, const struct cluster_conf *conf)
{
	struct cluster *c = mem_new(struct cluster);

	c->loop = loop;
	c->hooks = conf->hooks;
	c->label = conf->label ? mem_strdup(conf->label) : NULL;
	c->ring = conf->ring;
	c->pack = (struct pack_conf){
		.ring = &c->ring,
		.label = c->label,
		.crypt_version = 1,
		.accept_plain = conf->accept_plain,
		.send_plain = conf->send_plain,
		.compress = !conf->no_compression,
	};
	c->bind = conf->bind;
	c->udp_fd = -1;
	loop_io_init(&c->udp_io, loop, udp_ready);
	loop_timer_init(&c->timer, loop, tick);
	loop_timer_init(&c->left_timer, loop, leave_over);
	conns_init(c);
	return c;
}

static void cluster_freep(struct cluster **c)
{
	*c = cluster_free(*c);
}

int cluster_new(struct loop *loop, const struct cluster_conf *conf, struct cluster **out,
		struct err *e)
{
	CLEANUP(cluster_freep) struct cluster *c = cluster_alloc(loop, conf);
	struct err local = { 0 };
	int r = check(conf, &local);

	c->self = (struct gossip_endpoint){ conf->advertise, conf->bind.port };
	if (r == 0 && !addr_is_set(&c->self.addr)) {
		c->self.addr = conf->bind.addr;
		if (addr_is_unspecified(&conf->bind.addr))
			r = advertise_find(conf, &c->bind.addr, &c->self.addr, &local);
	}
	if (r == 0)
		r = open_sockets(c, &local);
	if (r < 0)
		return err_set(e, local.kind, "cluster: %s", local.text);
	make_core(c, conf);
	cluster_drain(c);
	*out = TAKE(c);
	return 0;
}

struct cluster *cluster_free(struct cluster *c)
{
	if (!c)
		return NULL;
	conns_fini(c);
	loop_io_stop(&c->udp_io);
	loop_timer_stop(&c->timer);
	loop_timer_stop(&c->left_timer);
	if (c->udp_fd >= 0)
		close(c->udp_fd);
	gossip_free(c->gossip);
	free(c->label);
	keys_fini(&c->keys);
	explicit_bzero(&c->ring, sizeof(c->ring));
	free(c);
	return NULL;
}

/* What the owner says. */

void cluster_leave(struct cluster *c, void (*done)(void *ctx), void *ctx)
{
	if (c->leaving)
		return;
	c->leaving = true;
	c->left = done;
	c->left_ctx = ctx;
	loop_timer_set(&c->left_timer, mono_add(loop_now(c->loop), LEAVE_WITHIN));
	gossip_leave(c->gossip, loop_now(c->loop));
	cluster_drain(c);
}

void cluster_rejoin(struct cluster *c, const struct gossip_endpoint *join, size_t n)
{
	gossip_join(c->gossip, join, n, loop_now(c->loop));
	cluster_drain(c);
}

static bool has_keys_of(const struct cluster *c, const struct crypt_ring *ring)
{
	for (size_t i = 0; i < ring->n; i++)
		if (c->ring.keys[i].len != ring->keys[i].len ||
		    memcmp(c->ring.keys[i].bytes, ring->keys[i].bytes, ring->keys[i].len) != 0)
			return false;
	return true;
}

bool cluster_rekey(struct cluster *c, const struct crypt_ring *ring)
{
	struct crypt_ring all = *ring;
	const struct gossip_member *m;

	assert(ring->n && 2 * ring->n <= CRYPT_KEYS_MAX && c->ring.n >= ring->n);
	if (has_keys_of(c, ring))
		return false;
	for (size_t i = 0; i < ring->n; i++)
		all.keys[all.n++] = c->ring.keys[i];
	c->ring = all;
	explicit_bzero(&all, sizeof(all));
	keys_renewed(&c->keys, (uint8_t)ring->n);
	for (size_t at = 0; gossip_member_next(c->gossip, &at, &m);)
		if (!m->self && gossip_member_is_live(m))
			gossip_sync(c->gossip, m->name, NULL);
	cluster_drain(c);
	return true;
}

bool cluster_is_sealed(const struct cluster *c)
{
	return c->ring.n > 0;
}

void cluster_sync(struct cluster *c, const char *name, const struct addr *at)
{
	gossip_sync(c->gossip, name, at);
	cluster_drain(c);
}

int cluster_set_meta(struct cluster *c, const void *meta, size_t len)
{
	int r = gossip_set_meta(c->gossip, meta, len, loop_now(c->loop));

	cluster_drain(c);
	return r;
}

int cluster_broadcast_user(struct cluster *c, const void *bytes, size_t len)
{
	int r = gossip_broadcast(c->gossip, rd_from(bytes, len), loop_now(c->loop));

	cluster_drain(c);
	return r;
}

bool cluster_member_next(const struct cluster *c, size_t *at, const struct gossip_member **out)
{
	return gossip_member_next(c->gossip, at, out);
}

const struct gossip_member *cluster_member_find(const struct cluster *c, const char *name)
{
	return gossip_member_find(c->gossip, name);
}

void cluster_collect(struct cluster *c, struct metric_writer *w)
{
	metric_struct(w, "crier_cluster_", socket_rows, ARRAY_LEN(socket_rows), &c->stats);
	metric_struct(w, "crier_cluster_gossip_", core_rows, ARRAY_LEN(core_rows),
		      gossip_stats(c->gossip));
}
