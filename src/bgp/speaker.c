#include "bgp/speaker.h"

#include <stdio.h>
#include <string.h>

#include "bgp/bgp_priv.h"
#include "bgp/keys.h"

struct queued_event {
	struct list link;
	struct bgp_event event;
	char *peer;
	char reason[BGP_REASON_MAX];
};

static void flush_changed(struct loop_task *t)
{
	struct bgp_speaker *sp = CONTAINER_OF(t, struct bgp_speaker, flush);
	struct bgp_peer *p;

	LIST_EACH (p, &sp->changed, changed) {
		list_remove(&p->changed);
		bgp_peer_settle(p);
	}
}

static void deliver_events(struct loop_task *t)
{
	struct bgp_speaker *sp = CONTAINER_OF(t, struct bgp_speaker, deliver);

	struct queued_event *q;

	LIST_EACH (q, &sp->events, link) { /* what a hook causes queues the task again */
		list_remove(&q->link);
		if (sp->conf.on_event)
			sp->conf.on_event(sp->conf.ctx, &q->event);
		free(q->peer);
		free(q);
	}
}

void bgp_speaker_emit(struct bgp_speaker *sp, const struct bgp_peer *p,
		      const struct bgp_event *event)
{
	struct queued_event *q = mem_new(struct queued_event);

	q->event = *event;
	snprintf(q->reason, sizeof(q->reason), "%s", event->reason ? event->reason : "");
	q->event.reason = q->reason;
	q->peer = p ? mem_strdup(p->conf.name) : NULL;
	q->event.peer = q->peer;
	list_append(&sp->events, &q->link);
	loop_task_queue(&sp->deliver);
}

void bgp_speaker_lingered(void *speaker)
{
	struct bgp_speaker *sp = speaker;
	const struct bgp_event stopped = { .type = BGP_EVENT_STOPPED };

	if (!sp->stopping || !list_empty(&sp->lingering))
		return;
	sp->stopping = false;
	bgp_speaker_emit(sp, NULL, &stopped);
}

static void on_wake(void *speaker, unsigned number)
{
	struct bgp_speaker *sp = speaker;

	bgp_peer_touch(sp->numbered[number]);
}

static void on_rest(struct loop_timer *t, struct mono now)
{
	(void)now;
	bgp_rib_rest(CONTAINER_OF(t, struct bgp_speaker, rest)->rib);
	mem_trim(); /* buffers of many that came up together */
}

int bgp_speaker_new(struct loop *loop, const struct bgp_speaker_conf *conf,
		    struct bgp_speaker **out, struct err *e)
{
	if (!conf->node)
		return err_set(e, ERR_CONFIG, "BGP needs the node's name");
	struct bgp_speaker *sp = mem_new(struct bgp_speaker);
	uint64_t seed = conf->seed;
	if (seed == 0)
		rng_secure(&seed, sizeof(seed));

	sp->loop = loop;
	sp->conf = *conf;
	sp->conf.node = mem_strdup(conf->node);
	rng_seed(&sp->rng, seed);
	sp->attrs = bgp_attr_table_new();
	sp->rib = bgp_rib_new(&(struct bgp_rib_conf){ .seed = seed, .wake = on_wake, .ctx = sp });
	bgp_hand_init(&sp->hand, sp->rib);
	sp->peers = map_new();
	list_init(&sp->changed);
	list_init(&sp->lingering);
	list_init(&sp->events);
	loop_timer_init(&sp->rest, loop, on_rest);
	loop_task_init(&sp->flush, loop, flush_changed);
	loop_task_init(&sp->deliver, loop, deliver_events);
	bgp_listen_init(sp);
	bgp_restart_init(sp);
	*out = sp;
	return 0;
}

static void free_peer(void *peer)
{
	bgp_peer_free(peer);
}

struct bgp_speaker *bgp_speaker_free(struct bgp_speaker *sp)
{
	struct queued_event *q;

	if (!sp)
		return NULL;
	loop_timer_stop(&sp->rest);
	loop_task_cancel(&sp->flush);
	loop_task_cancel(&sp->deliver);
	bgp_listen_fini(sp);
	bgp_restart_fini(sp);
	map_clear(sp->peers, free_peer);
	map_free(sp->peers);
	bgp_linger_end_all(&sp->lingering);
	LIST_EACH (q, &sp->events, link) {
		free(q->peer);
		free(q);
	}
	bgp_hand_fini(&sp->hand);
	bgp_rib_free(sp->rib);
	bgp_attr_table_free(sp->attrs);
	free(sp->numbered);
	free((char *)(uintptr_t)sp->conf.node);
	free(sp);
	return NULL;
}

/* --- peers --- */

static int check_conf(const struct bgp_peer_conf *c, struct err *e)
{
	if (!c->name || !*c->name)
		return err_set(e, ERR_CONFIG, "a BGP peer needs a name");
	if (!addr_is_set(&c->addr))
		return err_set(e, ERR_CONFIG, "peer %s: no address", c->name);
	if (c->unnumbered && !c->zone)
		return err_set(e, ERR_CONFIG, "peer %s: neither an address nor an interface",
			       c->name);
	if (c->addr.family == FAMILY_V6 && addr_is_link_local(&c->addr) && !c->zone)
		return err_set(e, ERR_CONFIG, "peer %s: a link-local address needs an interface",
			       c->name);
	if (addr_is_set(&c->source) && c->source.family != c->addr.family)
		return err_set(e, ERR_CONFIG, "peer %s: source address of the other family",
			       c->name);
	if (c->local_as == 0 || (c->asn_rule == BGP_ASN_EXACT && c->peer_as == 0))
		return err_set(e, ERR_CONFIG, "peer %s: AS 0 is reserved", c->name);
	if (c->hold_s == 1 || c->hold_s == 2)
		return err_set(e, ERR_CONFIG, "peer %s: hold time must be 0 or at least 3 s",
			       c->name);
	if (c->password && c->n_ao)
		return err_set(e, ERR_CONFIG, "peer %s: a password or TCP-AO, not both", c->name);
	if (c->password && strlen(c->password) > TCP_PASSWORD_MAX)
		return err_set(e, ERR_CONFIG, "peer %s: password longer than %d bytes", c->name,
			       TCP_PASSWORD_MAX);
	return 0;
}

static bool text_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_transport(const struct bgp_peer_conf *a, const struct bgp_peer_conf *b)
{
	uint16_t port_a = a->port ? a->port : BGP_PORT;
	uint16_t port_b = b->port ? b->port : BGP_PORT;

	return addr_eq(&a->addr, &b->addr) && a->unnumbered == b->unnumbered && port_a == port_b &&
	       text_eq(a->zone, b->zone) && text_eq(a->device, b->device) &&
	       addr_eq(&a->source, &b->source) && a->ttl == b->ttl && a->min_ttl == b->min_ttl;
}

static bool same_session(const struct bgp_peer_conf *a, const struct bgp_peer_conf *b)
{
	return a->local_as == b->local_as && a->real_as == b->real_as && a->peer_as == b->peer_as &&
	       a->asn_rule == b->asn_rule && a->router_id == b->router_id &&
	       a->hold_s == b->hold_s && a->keepalive_s == b->keepalive_s &&
	       a->dual_stack == b->dual_stack && a->passive == b->passive &&
	       a->in_vrf == b->in_vrf && a->role == b->role && a->restart_s == b->restart_s &&
	       a->stale_s == b->stale_s && addr_eq(&a->next_hop4, &b->next_hop4) &&
	       addr_eq(&a->next_hop6, &b->next_hop6);
}

static bool same_keys(const struct bgp_peer_conf *a, const struct bgp_peer_conf *b)
{
	if (!text_eq(a->password, b->password) || a->n_ao != b->n_ao)
		return false;
	for (size_t i = 0; i < a->n_ao; i++)
		if (!tcp_ao_key_eq(&a->ao[i], &b->ao[i]))
			return false;
	return true;
}

enum bgp_peer_change bgp_peer_conf_diff(const struct bgp_peer_conf *old,
					const struct bgp_peer_conf *now)
{
	if (!same_transport(old, now) || !same_session(old, now))
		return BGP_PEER_RESET;
	if (!bgp_keys_are_live(old, now))
		return BGP_PEER_RESET;
	if (!same_keys(old, now) || old->retry_max.ns != now->retry_max.ns ||
	    old->connect_wait.ns != now->connect_wait.ns ||
	    old->delay_open.ns != now->delay_open.ns || old->max_prefix != now->max_prefix)
		return BGP_PEER_LIVE;
	return BGP_PEER_SAME;
}

static struct bgp_peer *find_peer(const struct bgp_speaker *sp, const char *name, struct err *e)
{
	struct bgp_peer *p = map_get(sp->peers, name);

	if (!p)
		err_set(e, ERR_NOT_FOUND, "no BGP peer %s", name);
	return p;
}

static void apply_live(struct bgp_peer *p, const struct bgp_peer_conf *old)
{
	p->session.conf = bgp_peer_session_conf(p);
	for (int i = 0; i < BGP_LEGS; i++)
		if (bgp_conn_is_open(&p->link[i].conn))
			bgp_keys_change(p->link[i].conn.fd, &p->addr, old, &p->conf);
}

static void apply_reset(struct bgp_peer *p)
{
	struct bgp_session_conf session = bgp_peer_session_conf(p);
	struct mono now = loop_now(p->sp->loop);
	bool was_open = p->session.state >= BGP_OPEN_SENT;
	struct bgp_fault fault;

	bgp_session_conf_set(&p->session, &session);
	bgp_peer_locate(p);
	bgp_cease_set(&fault, BGP_CEASE_CONFIG_CHANGE, NULL);
	bgp_session_reset(&p->session, &fault, "configuration changed", now);
	bgp_peer_settle(p);
	/* A peer that has just been told waits its short pause, else it would see a collision. */
	if (!was_open)
		bgp_session_retry(&p->session, now);
	bgp_peer_settle(p);
}

static int change_peer(struct bgp_peer *p, const struct bgp_peer_conf *conf)
{
	enum bgp_peer_change change = bgp_peer_conf_diff(&p->conf, conf);
	struct bgp_peer_conf old = p->conf;

	if (change == BGP_PEER_SAME)
		return change;
	bgp_peer_conf_copy(&p->conf, conf);
	if (change == BGP_PEER_LIVE)
		apply_live(p, &old);
	else
		apply_reset(p);
	bgp_peer_conf_fini(&old);
	bgp_listen_touch(p->sp);
	return change;
}

static void number_put(struct bgp_speaker *sp, unsigned number, struct bgp_peer *p)
{
	if (number >= sp->n_numbered) {
		sp->n_numbered = number + 1;
		sp->numbered = mem_resize(sp->numbered, sp->n_numbered, sizeof(struct bgp_peer *));
	}
	sp->numbered[number] = p;
}

int bgp_speaker_peer_set(struct bgp_speaker *sp, const struct bgp_peer_conf *conf, struct err *e)
{
	int rc = check_conf(conf, e);

	if (rc < 0)
		return rc;
	struct bgp_peer *p = map_get(sp->peers, conf->name);
	if (p)
		return change_peer(p, conf);
	unsigned number;
	if (bgp_rib_peer_add(sp->rib, &number) < 0)
		return err_set(e, ERR_LIMIT, "more than %d BGP peers", BGP_PEERS_MAX);
	p = bgp_peer_new(sp, conf, number);
	map_put(sp->peers, conf->name, p);
	number_put(sp, number, p);
	bgp_hand_peer(&sp->hand, conf->name, number, true);
	p->held = conf->held;
	bgp_listen_touch(sp);
	p->retired = p->admin_down = sp->retired;
	bgp_peer_start(p);
	return BGP_PEER_ADDED;
}

bool bgp_speaker_peer_del(struct bgp_speaker *sp, const char *name)
{
	struct bgp_peer *p = map_del(sp->peers, name);

	if (!p)
		return false;
	bgp_session_stop(&p->session, BGP_CEASE_DECONFIGURED, NULL, loop_now(sp->loop));
	bgp_peer_settle(p);
	bgp_hand_peer(&sp->hand, name, p->number, false);
	bgp_rib_peer_del(sp->rib, p->number);
	bgp_peer_free(p);
	bgp_listen_touch(sp);
	return true;
}

/* --- routes --- */

int bgp_speaker_route_set(struct bgp_speaker *sp, const char *peer, const struct prefix *prefix,
			  const struct bgp_route_attrs *attrs, struct err *e)
{
	struct bgp_peer *p = find_peer(sp, peer, e);
	struct bgp_attr *attr;

	if (!p)
		return -ERR_NOT_FOUND;
	int rc = bgp_attr_intern(sp->attrs, attrs, &attr, e);
	if (rc < 0)
		return rc;
	(void)bgp_rib_set(sp->rib, p->number, prefix, attr);
	bgp_attr_unref(attr);
	return 0;
}

int bgp_speaker_route_del(struct bgp_speaker *sp, const char *peer, const struct prefix *prefix,
			  struct err *e)
{
	struct bgp_peer *p = find_peer(sp, peer, e);

	if (!p)
		return -ERR_NOT_FOUND;
	(void)bgp_rib_del(sp->rib, p->number, prefix);
	return 0;
}

/* Announce by hand: @put is bgp_hand_set() or bgp_hand_add(). */
static int put_by_hand(struct bgp_speaker *sp,
		       int (*put)(struct bgp_hand *, const struct prefix *, struct bgp_attr *,
				  const struct bgp_audience *),
		       const struct prefix *prefix, const struct bgp_route_attrs *attrs,
		       const struct bgp_audience *to, struct err *e)
{
	struct bgp_attr *attr;

	for (size_t i = 0; i < to->n_peers && !to->to_come; i++)
		if (!find_peer(sp, to->peers[i], e))
			return -ERR_NOT_FOUND;
	int rc = bgp_attr_intern(sp->attrs, attrs, &attr, e);
	if (rc < 0)
		return rc;
	rc = put(&sp->hand, prefix, attr, to);
	bgp_attr_unref(attr);
	if (rc == -ERR_LIMIT)
		return err_set(e, ERR_STATE, "other peers hear %s with other attributes",
			       PREFIX_TEXT(prefix));
	if (rc < 0)
		return err_set(e, ERR_STATE, "a service announces %s", PREFIX_TEXT(prefix));
	return 0;
}

int bgp_speaker_announce(struct bgp_speaker *sp, const struct prefix *prefix,
			 const struct bgp_route_attrs *attrs, const struct bgp_audience *to,
			 struct err *e)
{
	return put_by_hand(sp, bgp_hand_set, prefix, attrs, to, e);
}

int bgp_speaker_announce_also(struct bgp_speaker *sp, const struct prefix *prefix,
			      const struct bgp_route_attrs *attrs, const struct bgp_audience *to,
			      struct err *e)
{
	return put_by_hand(sp, bgp_hand_add, prefix, attrs, to, e);
}

bool bgp_speaker_by_hand(const struct bgp_speaker *sp, const struct prefix *prefix,
			 struct bgp_audience *out)
{
	return bgp_hand_find(&sp->hand, prefix, out);
}

int bgp_speaker_withdraw_from(struct bgp_speaker *sp, const struct prefix *prefix,
			      const struct bgp_audience *from, struct err *e)
{
	int rc = bgp_hand_cut(&sp->hand, prefix, from);

	if (rc == -ERR_STATE)
		return err_set(e, ERR_STATE,
			       "%s is announced to all peers: withdraw it, or announce it to "
			       "those that are to keep it",
			       PREFIX_TEXT(prefix));
	if (rc < 0)
		return err_set(e, ERR_NOT_FOUND, "%s is not announced to such a peer by hand",
			       PREFIX_TEXT(prefix));
	return 0;
}

int bgp_speaker_withdraw(struct bgp_speaker *sp, const struct prefix *prefix, struct err *e)
{
	if (bgp_hand_del(&sp->hand, prefix))
		return 0;
	return err_set(e, ERR_NOT_FOUND, "%s is not announced by hand", PREFIX_TEXT(prefix));
}

void bgp_speaker_withdraw_all(struct bgp_speaker *sp, uint32_t owner)
{
	bgp_hand_drop(&sp->hand, owner);
}

/* --- by hand, and from outside --- */

static void reset(struct bgp_peer *p, const struct bgp_fault *fault, const char *reason)
{
	bgp_session_reset(&p->session, fault, reason, loop_now(p->sp->loop));
	bgp_peer_settle(p);
}

int bgp_speaker_peer_down(struct bgp_speaker *sp, const char *name, uint8_t code, uint8_t subcode,
			  const char *text, struct err *e)
{
	struct bgp_peer *p = find_peer(sp, name, e);
	struct bgp_fault fault;

	if (!p)
		return -ERR_NOT_FOUND;
	if (code == BGP_ERR_CEASE)
		bgp_cease_set(&fault, subcode, text);
	else
		(void)bgp_fault_set(&fault, code, subcode, NULL, 0);
	if (!text || !*text)
		text = bgp_note_words(code, subcode, (char[BGP_NOTE_TEXT_MAX]){ 0 });
	reset(p, &fault, text);
	return 0;
}

int bgp_speaker_peer_admin(struct bgp_speaker *sp, const char *name, enum bgp_admin what,
			   const char *text, struct err *e)
{
	struct bgp_peer *p = find_peer(sp, name, e);
	struct bgp_fault fault;

	if (!p)
		return -ERR_NOT_FOUND;
	switch (what) {
	case BGP_ADMIN_DOWN:
		bgp_peer_stop(p, false, text);
		return 0;
	case BGP_ADMIN_UP:
		bgp_peer_return(p);
		return 0;
	case BGP_ADMIN_RESET:
		bgp_cease_set(&fault, BGP_CEASE_RESET, text);
		reset(p, &fault, "reset by hand");
		return 0;
	case BGP_ADMIN_REFRESH:
		bgp_rib_refresh(sp->rib, p->number, BGP_V4 | BGP_V6);
		break;
	case BGP_ADMIN_RETRY:
		bgp_session_retry(&p->session, loop_now(sp->loop));
		break;
	}
	bgp_peer_settle(p);
	return 0;
}

int bgp_speaker_hold(struct bgp_speaker *sp, const char *name, bool hold, const char *why,
		     struct err *e)
{
	struct bgp_peer *p = find_peer(sp, name, e);

	if (!p)
		return -ERR_NOT_FOUND;
	if (p->held == hold)
		return 0;
	p->held = hold;
	if (!hold) {
		bgp_peer_start(p);
		return 0;
	}
	bgp_session_stop(&p->session, BGP_CEASE_BFD_DOWN, why, loop_now(sp->loop));
	bgp_peer_settle(p);
	return 0;
}
