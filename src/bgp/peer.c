#include <string.h>

#include "bgp/bgp_priv.h"

enum { DSCP_CS6 = 48 };

/* Peers that come up together share what is written for them; this much apart they do not. */
#define TOGETHER DUR_S(1)

static char *dup_or_null(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

void bgp_peer_conf_copy(struct bgp_peer_conf *to, const struct bgp_peer_conf *from)
{
	*to = *from;
	to->name = mem_strdup(from->name);
	to->zone = dup_or_null(from->zone);
	to->device = dup_or_null(from->device);
	to->password = dup_or_null(from->password);
	if (to->port == 0)
		to->port = BGP_PORT;
}

void bgp_peer_conf_fini(struct bgp_peer_conf *conf)
{
	if (conf->password)
		explicit_bzero((char *)(uintptr_t)conf->password, strlen(conf->password));
	free((char *)(uintptr_t)conf->name);
	free((char *)(uintptr_t)conf->zone);
	free((char *)(uintptr_t)conf->device);
	free((char *)(uintptr_t)conf->password);
}

struct bgp_session_conf bgp_peer_session_conf(const struct bgp_peer_conf *conf)
{
	return (struct bgp_session_conf){
		.local_as = conf->local_as,
		.peer_as = conf->peer_as,
		.asn_rule = conf->asn_rule,
		.hold_s = conf->hold_s,
		.keepalive_s = conf->keepalive_s,
		.families = conf->dual_stack ? BGP_V4 | BGP_V6 : bgp_family_bit(conf->addr.family),
		.connect_wait = conf->connect_wait,
		.retry_max = conf->retry_max,
	};
}

/* --- identity and next hops, once a connection has a local end --- */

static uint32_t id_of_addr(const struct addr *a)
{
	struct rd r = rd_from(a->b, 4);

	return rd_u32(&r);
}

static uint32_t router_id(const struct bgp_peer *p)
{
	struct addr v4;

	if (p->conf.router_id)
		return p->conf.router_id;
	if (p->local.addr.family == FAMILY_V4)
		return id_of_addr(&p->local.addr);
	if (tcp_neighbour_addr(&p->local, FAMILY_V4, &v4))
		return id_of_addr(&v4);
	const char *node = p->sp->conf.node;
	return __builtin_bswap32(bytes_crc32(node, strlen(node)));
}

static struct addr own_hop(const struct bgp_peer *p, enum family family)
{
	const struct addr *given = family == FAMILY_V4 ? &p->conf.next_hop4 : &p->conf.next_hop6;
	struct addr found = { 0 };

	if (addr_is_set(given))
		return *given;
	if (p->local.addr.family == family && !addr_is_link_local(&p->local.addr))
		return p->local.addr;
	if (tcp_neighbour_addr(&p->local, family, &found))
		return found;
	if (p->local.addr.family == family) /* nothing but link-local: better than nothing */
		return p->local.addr;
	return found;
}

static struct bgp_format format_of(const struct bgp_peer *p)
{
	const struct bgp_agreed *a = &p->session.agreed;
	struct bgp_format f = {
		.ibgp = a->ibgp,
		.as4 = a->as4,
		.local_as = p->conf.local_as,
		.real_as = p->conf.real_as,
	};

	if (a->families & BGP_V4)
		f.hop4 = own_hop(p, FAMILY_V4);
	if (a->families & BGP_V6)
		f.hop6 = own_hop(p, FAMILY_V6);
	if (p->local.addr.family == FAMILY_V6 && addr_is_link_local(&p->local.addr))
		f.hop6_ll = p->local.addr;
	f.families = bgp_family_bit(f.hop4.family) | bgp_family_bit(f.hop6.family);
	return f;
}

/* --- what the session asks for --- */

static void connect_out(struct bgp_peer *p, struct mono now)
{
	struct err e = { 0 };
	const struct tcp_conf conf = {
		.peer = p->conf.addr,
		.port = p->conf.port,
		.zone = p->conf.zone,
		.source = p->conf.source,
		.device = p->conf.device,
		.password = p->conf.password,
		.ttl = p->conf.ttl,
		.min_ttl = p->conf.min_ttl,
		.dscp = DSCP_CS6,
		.user_timeout = DUR_S(p->conf.hold_s),
	};

	if (bgp_conn_open(&p->conn, &conf, &e) < 0)
		bgp_session_failed(&p->session, e.text, now);
}

static void close_conn(struct bgp_peer *p)
{
	if (!bgp_conn_is_open(&p->conn))
		return;
	if (p->conn.connecting)
		bgp_conn_close(&p->conn);
	else
		bgp_linger_start(&p->conn, &p->sp->lingering, bgp_speaker_lingered, p->sp);
}

static void queue_bytes(struct bgp_peer *p, const uint8_t *bytes, size_t len)
{
	if (!bgp_conn_is_open(&p->conn))
		return;
	/* When there is no room the peer has stopped reading: the send hold timer sees to it. */
	(void)bgp_conn_say(&p->conn, bytes, len);
}

/* True when this reason is new: a router that is away for a day fails in the same way ten thousand times. */
static bool note_error(struct bgp_peer *p, struct mono now)
{
	bool same = strcmp(p->last_error, p->session.reason) == 0;

	memcpy(p->last_error, p->session.reason, sizeof(p->last_error));
	p->last_error_at = now;
	return !same;
}

static enum bgp_event_type event_of(struct bgp_peer *p, const struct bgp_out *out, struct mono now)
{
	if (out->to == BGP_ESTABLISHED)
		return BGP_EVENT_UP;
	bool ended = out->to == BGP_IDLE || (out->to == BGP_ACTIVE && out->from != BGP_IDLE);
	if (!ended || !p->session.running)
		return out->from == BGP_ESTABLISHED ? BGP_EVENT_DOWN : BGP_EVENT_STATE;
	bool is_new = note_error(p, now);
	if (out->from == BGP_ESTABLISHED)
		return BGP_EVENT_DOWN;
	return is_new ? BGP_EVENT_FAILED : BGP_EVENT_STATE;
}

static void on_state(struct bgp_peer *p, const struct bgp_out *out, struct mono now)
{
	const struct bgp_event event = {
		.type = event_of(p, out, now),
		.from = out->from,
		.to = out->to,
		.reason = p->session.reason,
	};

	if (out->from == BGP_ESTABLISHED) {
		p->flaps++;
		bgp_rib_down(p->sp->rib, p->number);
	}
	if (out->to == BGP_ESTABLISHED) {
		const struct bgp_format format = format_of(p);

		bgp_rib_up(p->sp->rib, p->number, &format);
		loop_timer_set(&p->sp->rest, mono_add(now, TOGETHER));
		p->last_error[0] = '\0';
	}
	bgp_speaker_emit(p->sp, p, &event);
}

static void on_note(struct bgp_peer *p, bool sent)
{
	const struct bgp_event event = {
		.type = sent ? BGP_EVENT_NOTIFICATION_SENT : BGP_EVENT_NOTIFICATION_RECEIVED,
		.reason = p->session.reason,
		.note = sent ? p->session.note_out : p->session.note_in,
	};

	bgp_speaker_emit(p->sp, p, &event);
}

static void drain(struct bgp_peer *p, struct mono now)
{
	struct bgp_out out;

	while (bgp_session_next(&p->session, &out)) {
		switch (out.type) {
		case BGP_OUT_CONNECT:
			connect_out(p, now);
			break;
		case BGP_OUT_CLOSE:
			close_conn(p);
			break;
		case BGP_OUT_SEND:
			queue_bytes(p, out.bytes, out.len);
			break;
		case BGP_OUT_STATE:
			on_state(p, &out, now);
			break;
		case BGP_OUT_NOTE:
			on_note(p, out.note_sent);
			break;
		case BGP_OUT_REFRESH:
			bgp_rib_refresh(p->sp->rib, p->number, out.families);
			break;
		}
	}
}

/* --- reading --- */

static bool is_talking(const struct bgp_peer *p)
{
	return bgp_conn_is_open(&p->conn) && p->session.state >= BGP_OPEN_SENT;
}

/* The connection is dead: nothing is left to say on it. */
static void lose(struct bgp_peer *p, const char *why, struct mono now)
{
	bgp_conn_close(&p->conn);
	bgp_session_closed(&p->session, why, now);
	drain(p, now);
}

static void read_in(struct bgp_peer *p, struct mono now)
{
	struct err e = { 0 };
	int rc = bgp_conn_read(&p->conn, &e);

	while (is_talking(p)) {
		size_t used = bgp_session_input(&p->session, bgp_conn_input(&p->conn), now);

		if (used == 0)
			break;
		bgp_conn_consume(&p->conn, used);
		drain(p, now);
	}
	if (rc < 0 && is_talking(p))
		lose(p, e.text, now);
}

/* --- writing --- */

/* One batch a turn, so that no peer holds up the loop. */
static void fill(struct bgp_peer *p, struct mono now)
{
	if (p->session.state != BGP_ESTABLISHED || p->conn.batch)
		return;
	struct bgp_batch *b = bgp_rib_take(p->sp->rib, p->number);
	if (!b)
		return;
	bgp_session_wrote(&p->session, b->messages, now);
	bgp_conn_batch(&p->conn, b);
}

static void write_out(struct bgp_peer *p, struct mono now)
{
	struct err e = { 0 };

	if (!bgp_conn_is_open(&p->conn) || p->conn.connecting)
		return;
	fill(p, now);
	long n = bgp_conn_write(&p->conn, &e);
	if (n < 0) {
		read_in(p, now); /* the peer may have said why before it left */
		if (is_talking(p))
			lose(p, e.text, now);
		return;
	}
	bgp_session_output(&p->session, n > 0, bgp_conn_waiting(&p->conn), now);
	bgp_conn_watch(&p->conn, bgp_rib_pending(p->sp->rib, p->number));
}

void bgp_peer_settle(struct bgp_peer *p)
{
	struct mono now = loop_now(p->sp->loop);

	drain(p, now);
	write_out(p, now);
	loop_timer_set(&p->timer, bgp_session_deadline(&p->session));
}

void bgp_peer_touch(struct bgp_peer *p)
{
	if (p->session.state != BGP_ESTABLISHED)
		return;
	if (list_empty(&p->changed))
		list_append(&p->sp->changed, &p->changed);
	loop_task_queue(&p->sp->flush);
}

/* --- what the loop reports --- */

static void on_connected(struct bgp_peer *p, struct mono now)
{
	struct err e = { 0 };

	if (bgp_conn_finish(&p->conn, &p->local, &e) == 0) {
		bgp_session_connected(&p->session, router_id(p), now);
		return;
	}
	bgp_conn_close(&p->conn);
	bgp_session_failed(&p->session, e.text, now);
}

static void on_ready(struct loop_io *io, unsigned events)
{
	struct bgp_peer *p = CONTAINER_OF(io, struct bgp_peer, conn.io);
	struct mono now = loop_now(p->sp->loop);

	if (p->conn.connecting)
		on_connected(p, now);
	else if (events & LOOP_READ)
		read_in(p, now);
	bgp_peer_settle(p);
}

static void on_timer(struct loop_timer *t, struct mono now)
{
	struct bgp_peer *p = CONTAINER_OF(t, struct bgp_peer, timer);

	/* When we were late ourselves the peer's KEEPALIVE may be waiting: look before judging it silent. */
	if (is_talking(p) && !mono_before(now, p->session.hold_at))
		read_in(p, now);
	while (!mono_before(now, bgp_session_deadline(&p->session))) {
		bgp_session_tick(&p->session, now);
		drain(p, now);
	}
	bgp_peer_settle(p);
}

struct bgp_peer *bgp_peer_new(struct bgp_speaker *sp, const struct bgp_peer_conf *conf,
			      unsigned number)
{
	struct bgp_peer *p = mem_new(struct bgp_peer);
	struct bgp_session_conf session = bgp_peer_session_conf(conf);

	p->sp = sp;
	bgp_peer_conf_copy(&p->conf, conf);
	bgp_session_init(&p->session, &session, rng_u64(&sp->rng), loop_now(sp->loop));
	p->number = number;
	bgp_conn_init(&p->conn, sp->loop, on_ready);
	loop_timer_init(&p->timer, sp->loop, on_timer);
	list_init(&p->changed);
	return p;
}

void bgp_peer_free(struct bgp_peer *p)
{
	loop_timer_stop(&p->timer);
	bgp_conn_close(&p->conn);
	list_remove(&p->changed);
	bgp_peer_conf_fini(&p->conf);
	free(p);
}
