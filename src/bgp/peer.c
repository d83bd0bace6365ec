#include <stdio.h>
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
	to->ao = from->n_ao ? mem_dup(from->ao, from->n_ao * sizeof(*from->ao)) : NULL;
	if (to->port == 0)
		to->port = BGP_PORT;
}

void bgp_peer_conf_fini(struct bgp_peer_conf *conf)
{
	if (conf->password)
		explicit_bzero((char *)(uintptr_t)conf->password, strlen(conf->password));
	if (conf->ao)
		explicit_bzero((void *)(uintptr_t)conf->ao, conf->n_ao * sizeof(*conf->ao));
	free((void *)(uintptr_t)conf->ao);
	free((char *)(uintptr_t)conf->name);
	free((char *)(uintptr_t)conf->zone);
	free((char *)(uintptr_t)conf->device);
	free((char *)(uintptr_t)conf->password);
}

struct bgp_session_conf bgp_peer_session_conf(const struct bgp_peer *p)
{
	const struct bgp_peer_conf *conf = &p->conf;
	uint8_t families = conf->dual_stack ? BGP_V4 | BGP_V6 : bgp_family_bit(conf->addr.family);

	return (struct bgp_session_conf){
		.local_as = conf->local_as,
		.peer_as = conf->peer_as,
		.asn_rule = conf->asn_rule,
		.hold_s = conf->hold_s,
		.keepalive_s = conf->keepalive_s,
		.families = families,
		.accepts = bgp_listen_serves(p->sp, conf),
		.host = p->sp->conf.node,
		.restart = { .on = conf->restart_s != 0,
			     .restarting = p->sp->restarting,
			     .notifications = true,
			     .time_s = conf->restart_s,
			     .families = families,
			     .forwarding = p->sp->forwarding ? families : 0,
			     .stale_s = conf->stale_s },
		.passive = conf->passive,
		.delay_open = conf->delay_open,
		.extended_hop = conf->addr.family == FAMILY_V6,
		.role = conf->role,
		.max_prefix = conf->max_prefix,
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

static uint32_t router_id(const struct bgp_peer *p, const struct tcp_end *local)
{
	struct addr v4;

	if (p->conf.router_id)
		return p->conf.router_id;
	if (local->addr.family == FAMILY_V4)
		return id_of_addr(&local->addr);
	if (tcp_neighbour_addr(local, FAMILY_V4, &v4))
		return id_of_addr(&v4);
	const char *node = p->sp->conf.node;
	return __builtin_bswap32(bytes_crc32(node, strlen(node)));
}

static struct addr own_hop(const struct bgp_peer *p, const struct tcp_end *local,
			   enum family family)
{
	const struct addr *given = family == FAMILY_V4 ? &p->conf.next_hop4 : &p->conf.next_hop6;
	struct addr found = { 0 };

	if (addr_is_set(given))
		return *given;
	if (local->addr.family == family && !addr_is_link_local(&local->addr))
		return local->addr;
	if (tcp_neighbour_addr(local, family, &found))
		return found;
	if (local->addr.family == family) /* nothing but link-local: better than nothing */
		return local->addr;
	return found;
}

static struct bgp_format format_of(struct bgp_peer *p)
{
	const struct tcp_end *local = &bgp_peer_lead(p)->local;
	const struct bgp_agreed *a = &p->session.agreed;
	struct bgp_format f = {
		.ibgp = a->ibgp,
		.as4 = a->as4,
		.extended_message = a->extended_message,
		.enhanced_refresh = a->enhanced_refresh,
		.leaving = p->sp->leaving,
		.otc = !a->ibgp && (a->role == BGP_ROLE_PROVIDER || a->role == BGP_ROLE_RS ||
				    a->role == BGP_ROLE_PEER),
		.local_as = p->conf.local_as,
		.real_as = p->conf.real_as,
	};

	if (a->families & BGP_V4)
		f.hop4 = own_hop(p, local, FAMILY_V4);
	if (a->families & BGP_V6)
		f.hop6 = own_hop(p, local, FAMILY_V6);
	if (local->addr.family == FAMILY_V6 && addr_is_link_local(&local->addr))
		f.hop6_ll = local->addr;
	/* RFC 8950: without an IPv4 address of our own, the IPv6 one leads here as well. */
	if ((a->families & BGP_V4) && a->extended_hop && !addr_is_set(&f.hop4))
		f.hop4 = local->addr;
	f.families = (addr_is_set(&f.hop4) ? BGP_V4 : 0) | (addr_is_set(&f.hop6) ? BGP_V6 : 0);
	return f;
}

/* --- what the session asks for --- */

static struct tcp_conf tcp_conf(const struct bgp_peer *p)
{
	return (struct tcp_conf){
		.peer = addr_is_set(&p->addr) ? p->addr : p->conf.addr,
		.port = p->conf.port,
		.zone = p->conf.zone,
		.source = p->conf.source,
		.device = p->conf.device,
		.password = p->conf.password,
		.ao = p->conf.ao,
		.n_ao = p->conf.n_ao,
		.ttl = p->conf.ttl,
		.min_ttl = p->conf.min_ttl,
		.dscp = DSCP_CS6,
		.user_timeout = DUR_S(p->conf.hold_s),
	};
}

static void connect_out(struct bgp_peer *p, struct mono now)
{
	struct err e = { 0 };

	if (p->finder)
		p->addr = *bgp_unnumbered_peer(p->finder);
	if (!addr_is_set(&p->addr)) {
		err_set(&e, ERR_NOT_FOUND, "%s: %s", p->conf.zone,
			bgp_unnumbered_trouble(p->finder));
		bgp_session_failed(&p->session, e.text, now);
		return;
	}
	const struct tcp_conf conf = tcp_conf(p);

	if (bgp_conn_open(&p->link[BGP_OURS].conn, &conf, &e) < 0)
		bgp_session_failed(&p->session, e.text, now);
}

static void close_conn(struct bgp_peer *p, struct bgp_conn *c)
{
	if (!bgp_conn_is_open(c))
		return;
	if (c->connecting)
		bgp_conn_close(c);
	else
		bgp_linger_start(c, &p->sp->lingering, bgp_speaker_lingered, p->sp);
}

static void queue_bytes(struct bgp_conn *c, const uint8_t *bytes, size_t len)
{
	if (!bgp_conn_is_open(c))
		return;
	/* When there is no room the peer has stopped reading: the send hold timer sees to it. */
	(void)bgp_conn_say(c, bytes, len);
}

/* True when this reason is new: a router that is away for a day fails in the same way ten thousand times. */
static bool note_error(struct bgp_peer *p, const char *why, struct mono now)
{
	bool same = strcmp(p->last_error, why) == 0;

	snprintf(p->last_error, sizeof(p->last_error), "%s", why);
	p->last_error_at = now;
	return !same;
}

void bgp_peer_trouble(struct bgp_peer *p, const char *why)
{
	const struct bgp_event event = {
		.type = BGP_EVENT_FAILED,
		.from = p->session.state,
		.to = p->session.state,
		.reason = why,
	};

	if (p->session.state != BGP_ESTABLISHED && note_error(p, why, loop_now(p->sp->loop)))
		bgp_speaker_emit(p->sp, p, &event);
}

static enum bgp_event_type event_of(struct bgp_peer *p, const struct bgp_out *out, struct mono now)
{
	if (out->to == BGP_ESTABLISHED)
		return BGP_EVENT_UP;
	bool ended = out->to == BGP_IDLE || (out->to == BGP_ACTIVE && out->from != BGP_IDLE);
	if (!ended || !p->session.running)
		return out->from == BGP_ESTABLISHED ? BGP_EVENT_DOWN : BGP_EVENT_STATE;
	bool is_new = note_error(p, p->session.reason, now);
	if (out->from == BGP_ESTABLISHED)
		return BGP_EVENT_DOWN;
	return is_new ? BGP_EVENT_FAILED : BGP_EVENT_STATE;
}

/* --- in the rib --- */

/* In OpenConfirm: only the peer's KEEPALIVE is missing, and what it will hear first can be written meanwhile. */
static void prepare(struct bgp_peer *p)
{
	if (p->session.state != BGP_OPEN_CONFIRM || p->in_rib == bgp_peer_lead(p))
		return;
	const struct bgp_format format = format_of(p);
	bgp_rib_prepare(p->sp->rib, p->number, &format);
	p->in_rib = bgp_peer_lead(p);
}

static void enter_rib(struct bgp_peer *p)
{
	if (p->in_rib == bgp_peer_lead(p)) {
		bgp_rib_up(p->sp->rib, p->number, NULL);
		return;
	}
	const struct bgp_format format = format_of(p);
	bgp_rib_up(p->sp->rib, p->number, &format);
	p->in_rib = bgp_peer_lead(p);
}

static void leave_rib(struct bgp_peer *p)
{
	bgp_rib_down(p->sp->rib, p->number);
	p->in_rib = NULL;
}

/* --- what the session reports --- */

static void on_state(struct bgp_peer *p, const struct bgp_out *out, struct mono now)
{
	const struct bgp_event event = {
		.type = event_of(p, out, now),
		.from = out->from,
		.to = out->to,
		.reason = p->session.reason,
	};

	if (out->from == BGP_ESTABLISHED)
		p->flaps++;
	if (out->to < BGP_OPEN_CONFIRM)
		leave_rib(p);
	if (p->finder && out->to <= BGP_ACTIVE)
		bgp_unnumbered_doubt(p->finder);
	if (out->to == BGP_ESTABLISHED) {
		enter_rib(p);
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
			close_conn(p, &p->link[out.leg].conn);
			break;
		case BGP_OUT_SEND:
			bgp_trace_put(&p->trace, true, out.bytes, out.len, now);
			queue_bytes(&p->link[out.leg].conn, out.bytes, out.len);
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

static enum bgp_leg_id leg_of(const struct bgp_link *l)
{
	return l == &l->peer->link[BGP_OURS] ? BGP_OURS : BGP_THEIRS;
}

static bool is_talking(const struct bgp_link *l)
{
	return bgp_conn_is_open(&l->conn) && bgp_session_hears(&l->peer->session, leg_of(l));
}

/* The connection is dead: nothing is left to say on it. */
static void lose(struct bgp_link *l, const char *why, struct mono now)
{
	bgp_conn_close(&l->conn);
	bgp_session_closed(&l->peer->session, leg_of(l), why, now);
	drain(l->peer, now);
}

/* True when something came. */
static bool read_in(struct bgp_link *l, struct mono now)
{
	struct err e = { 0 };
	int rc = bgp_conn_read(&l->conn, &e);

	while (is_talking(l)) {
		size_t used = bgp_session_input(&l->peer->session, leg_of(l),
						bgp_conn_input(&l->conn), now);

		if (used == 0)
			break;
		bgp_trace_put(&l->peer->trace, false, bgp_conn_input(&l->conn).p, used, now);
		bgp_conn_consume(&l->conn, used);
		drain(l->peer, now);
	}
	if (rc < 0 && is_talking(l))
		lose(l, e.text, now);
	return rc > 0;
}

/* --- writing --- */

/* One batch a turn, so that no peer holds up the loop. */
static void fill(struct bgp_link *l, struct mono now)
{
	struct bgp_peer *p = l->peer;

	if (p->session.state != BGP_ESTABLISHED || l != bgp_peer_lead(p) || l->conn.batch)
		return;
	struct bgp_batch *b = bgp_rib_take(p->sp->rib, p->number);
	if (!b)
		return;
	bgp_trace_put_all(&p->trace, true, b->bytes, b->len, b->messages, now);
	bgp_session_wrote(&p->session, b->messages, now);
	p->session.msgs_out[BGP_REFRESH] += b->refreshes;
	bgp_conn_batch(&l->conn, b);
}

static void write_out(struct bgp_link *l, struct mono now)
{
	struct bgp_peer *p = l->peer;
	struct err e = { 0 };

	if (!bgp_conn_is_open(&l->conn) || l->conn.connecting)
		return;
	fill(l, now);
	long n = bgp_conn_write(&l->conn, &e);
	if (n < 0) {
		(void)read_in(l, now); /* the peer may have said why before it left */
		if (is_talking(l))
			lose(l, e.text, now);
		return;
	}
	bgp_session_output(&p->session, leg_of(l), n > 0, bgp_conn_waiting(&l->conn), now);
	bgp_conn_watch(&l->conn, l == bgp_peer_lead(p) && bgp_rib_pending(p->sp->rib, p->number));
}

void bgp_peer_settle(struct bgp_peer *p)
{
	struct mono now = loop_now(p->sp->loop);

	drain(p, now);
	for (int i = 0; i < BGP_LEGS; i++)
		write_out(&p->link[i], now);
	prepare(p);
	struct mono deadline = bgp_session_deadline(&p->session);
	if (p->timer.at.ns != deadline.ns)
		loop_timer_set(&p->timer, deadline);
}

void bgp_peer_reformat(struct bgp_peer *p)
{
	if (!p->in_rib)
		return;
	const struct bgp_format format = format_of(p);

	bgp_rib_reformat(p->sp->rib, p->number, &format);
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

static void on_connected(struct bgp_link *l, struct mono now)
{
	struct bgp_peer *p = l->peer;
	struct err e = { 0 };

	if (bgp_conn_finish(&l->conn, &l->local, &e) == 0) {
		bgp_session_connected(&p->session, router_id(p, &l->local), now);
		return;
	}
	bgp_conn_close(&l->conn);
	bgp_session_failed(&p->session, e.text, now);
}

static void on_ready(struct loop_io *io, unsigned events)
{
	struct bgp_link *l = CONTAINER_OF(io, struct bgp_link, conn.io);
	struct mono now = loop_now(l->peer->sp->loop);

	if (l->conn.connecting)
		on_connected(l, now);
	else if (events & LOOP_READ)
		(void)read_in(l, now);
	bgp_peer_settle(l->peer);
}

/* RFC 4271 §6.8 and RFC 4486: beside the other connection this one is too much, or it is not wanted at all. */
static void send_away(struct bgp_peer *p, struct bgp_conn *c)
{
	bool other = p->session.state >= BGP_OPEN_CONFIRM;
	uint8_t wire[BGP_HEADER_LEN + 2 + BGP_FAULT_DATA_MAX];
	struct wr w = wr_to(wire, sizeof(wire));
	struct bgp_fault fault;

	bgp_cease_set(&fault, other ? BGP_CEASE_COLLISION : BGP_CEASE_REJECTED, NULL);
	bgp_notification_encode(&w, &fault);
	queue_bytes(c, wire, w.len);
	close_conn(p, c);
	p->sp->refused++;
}

void bgp_peer_offer(struct bgp_peer *p, int fd)
{
	struct mono now = loop_now(p->sp->loop);
	struct bgp_link *l = &p->link[BGP_THEIRS];
	struct bgp_conn c;
	struct tcp_end local;
	const struct tcp_conf conf = tcp_conf(p);

	bgp_conn_init(&c, p->sp->loop, on_ready);
	if (bgp_conn_adopt(&c, fd, &conf, &local, NULL) < 0) {
		bgp_conn_close(&c);
		p->sp->refused++;
		return;
	}
	if (!bgp_session_offer(&p->session, now)) {
		send_away(p, &c);
		return;
	}
	drain(p, now);
	l->conn = c;
	l->local = local;
	bgp_session_accepted(&p->session, router_id(p, &local), now);
	bgp_peer_settle(p);
}

/* When we were late ourselves a message of the peer may be waiting, in many pieces: look before judging it silent. */
static void read_before_judging(struct bgp_peer *p, struct mono now)
{
	for (int i = 0; i < BGP_LEGS; i++) {
		struct bgp_link *l = &p->link[i];

		while (is_talking(l) && !mono_before(now, p->session.leg[i].hold_at) &&
		       read_in(l, now))
			;
	}
}

static void on_timer(struct loop_timer *t, struct mono now)
{
	struct bgp_peer *p = CONTAINER_OF(t, struct bgp_peer, timer);

	read_before_judging(p, now);
	while (!mono_before(now, bgp_session_deadline(&p->session))) {
		bgp_session_tick(&p->session, now);
		drain(p, now);
	}
	bgp_peer_settle(p);
}

void bgp_peer_found(struct bgp_peer *p, const struct addr *addr)
{
	char at[ADDR_TEXT_MAX + 32];
	const struct bgp_event event = { .type = BGP_EVENT_FOUND, .reason = at };

	snprintf(at, sizeof(at), "%s%%%s", ADDR_TEXT(addr), p->conf.zone);
	p->addr = *addr;
	bgp_speaker_emit(p->sp, p, &event);
	bgp_listen_touch(p->sp); /* its keys */
}

static void on_found(void *peer)
{
	struct bgp_peer *p = peer;

	if (p->session.state >= BGP_OPEN_SENT) /* it is told at the end of the session */
		return;
	bgp_peer_found(p, bgp_unnumbered_peer(p->finder));
	bgp_session_retry(&p->session, loop_now(p->sp->loop));
	bgp_peer_settle(p);
}

void bgp_peer_locate(struct bgp_peer *p)
{
	if (p->conf.unnumbered && p->finder && bgp_unnumbered_is_on(p->finder, p->conf.zone))
		return;
	p->finder = bgp_unnumbered_free(p->finder);
	p->addr = p->conf.addr;
	if (!p->conf.unnumbered)
		return;
	p->addr = (struct addr){ 0 };
	p->finder =
		bgp_unnumbered_new(p->sp->loop, p->conf.zone, rng_u64(&p->sp->rng), on_found, p);
}

/* --- by hand, and with the speaker --- */

void bgp_peer_start(struct bgp_peer *p)
{
	if (!p->held && !p->admin_down)
		bgp_session_start(&p->session, loop_now(p->sp->loop));
	bgp_peer_settle(p);
}

void bgp_peer_stop(struct bgp_peer *p, bool restart, const char *text)
{
	struct mono now = loop_now(p->sp->loop);

	p->admin_down = true;
	p->retired = false;
	if (restart)
		bgp_session_leave(&p->session, text, now);
	else
		bgp_session_stop(&p->session, BGP_CEASE_SHUTDOWN, text, now);
	bgp_peer_settle(p);
}

void bgp_peer_return(struct bgp_peer *p)
{
	p->admin_down = false;
	p->retired = false;
	bgp_peer_start(p);
}

struct bgp_peer *bgp_peer_new(struct bgp_speaker *sp, const struct bgp_peer_conf *conf,
			      unsigned number)
{
	struct bgp_peer *p = mem_new(struct bgp_peer);

	p->sp = sp;
	bgp_peer_conf_copy(&p->conf, conf);
	const struct bgp_session_conf session = bgp_peer_session_conf(p);
	bgp_session_init(&p->session, &session, rng_u64(&sp->rng), loop_now(sp->loop));
	p->number = number;
	for (int i = 0; i < BGP_LEGS; i++) {
		bgp_conn_init(&p->link[i].conn, sp->loop, on_ready);
		p->link[i].peer = p;
	}
	loop_timer_init(&p->timer, sp->loop, on_timer);
	list_init(&p->changed);
	bgp_peer_locate(p);
	return p;
}

void bgp_peer_free(struct bgp_peer *p)
{
	loop_timer_stop(&p->timer);
	bgp_unnumbered_free(p->finder);
	for (int i = 0; i < BGP_LEGS; i++)
		bgp_conn_close(&p->link[i].conn);
	list_remove(&p->changed);
	bgp_session_fini(&p->session);
	bgp_trace_fini(&p->trace);
	bgp_peer_conf_fini(&p->conf);
	free(p);
}
