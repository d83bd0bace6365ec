#include "bgp/bgp_priv.h"
#include "bgp/update.h"

static void fill_session(const struct bgp_peer *p, struct bgp_peer_status *out)
{
	const struct bgp_session *s = &p->session;

	out->state = s->state;
	out->since = s->since;
	out->reason = s->reason;
	out->router_id = s->router_id;
	out->open_seen = s->state >= BGP_OPEN_CONFIRM;
	if (out->open_seen)
		out->agreed = s->agreed;
	out->announced_in = s->announced_in;
	out->withdrawn_in = s->withdrawn_in;
	out->refused_in = s->verdicts[BGP_TREAT_AS_WITHDRAW];
	out->msgs_in = s->msgs_in;
	out->msgs_out = s->msgs_out;
	out->note_in = s->note_in;
	out->note_out = s->note_out;
}

static void fill_status(const struct bgp_peer *p, struct bgp_peer_status *out)
{
	const struct bgp_format *format = bgp_rib_format(p->sp->rib, p->number);

	*out = (struct bgp_peer_status){
		.name = p->conf.name,
		.admin_down = p->admin_down,
		.held = p->held,
		.addr = addr_is_set(&p->addr) ? p->addr : p->conf.addr,
		.port = p->conf.port,
		.zone = p->conf.zone,
		.device = p->conf.device,
		.local_as = p->conf.local_as,
		.peer_as = p->conf.asn_rule == BGP_ASN_EXACT ? p->conf.peer_as : 0,
		.asn_rule = p->conf.asn_rule,
		.families = format ? format->families : 0,
		.routes = bgp_rib_count(p->sp->rib, p->number),
		.flaps = p->flaps,
		.queued_bytes = bgp_conn_waiting(&p->link[p->session.lead].conn),
		.last_error = p->last_error,
		.last_error_at = p->last_error_at,
	};
	if (p->session.state >= BGP_OPEN_SENT) {
		out->local = p->link[p->session.lead].local.addr;
		out->local_port = p->link[p->session.lead].local.port;
	}
	fill_session(p, out);
}

bool bgp_speaker_next(const struct bgp_speaker *sp, size_t *at, struct bgp_peer_status *out)
{
	void *p;

	if (!map_next(sp->peers, at, NULL, &p))
		return false;
	fill_status(p, out);
	return true;
}

bool bgp_speaker_find(const struct bgp_speaker *sp, const char *name, struct bgp_peer_status *out)
{
	const struct bgp_peer *p = map_get(sp->peers, name);

	if (!p)
		return false;
	fill_status(p, out);
	return true;
}

static void fill_route(const struct bgp_peer *p, const struct bgp_rib_route *r,
		       struct bgp_route_status *out)
{
	const struct bgp_format *f = bgp_rib_format(p->sp->rib, p->number);
	const struct bgp_attr *shown = r->sent ? r->sent : r->want;
	struct bgp_audience audience;

	*out = (struct bgp_route_status){
		.prefix = r->prefix,
		.sent = r->sent != NULL,
		.pending = r->sent != r->want,
		.attrs = bgp_attr_get(shown),
	};
	out->by_hand = bgp_hand_find(&p->sp->hand, &r->prefix, &audience);
	if (out->by_hand)
		out->owner = audience.owner;
	if (!f)
		return;
	out->own_path = f->ibgp ? 0 : 1U + (f->real_as ? 1U : 0U) + out->attrs->prepend;
	out->first_as = f->local_as;
	out->own_as = f->real_as ? f->real_as : f->local_as;
	out->silent = !(bgp_family_bit(r->prefix.addr.family) & f->families);
	out->next_hop = bgp_attr_hop(shown, f, r->prefix.addr.family);
	out->has_local_pref = bgp_attr_local_pref(shown, f, &out->local_pref);
}

bool bgp_speaker_route_next(const struct bgp_speaker *sp, const char *peer, uint64_t *at,
			    size_t *budget, struct bgp_route_status *out)
{
	const struct bgp_peer *p = map_get(sp->peers, peer);
	struct bgp_rib_route r;

	if (!p || !bgp_rib_next(sp->rib, p->number, at, budget, &r))
		return false;
	fill_route(p, &r, out);
	return true;
}

bool bgp_speaker_route_find(const struct bgp_speaker *sp, const char *peer, const struct prefix *p,
			    struct bgp_route_status *out)
{
	const struct bgp_peer *found = map_get(sp->peers, peer);
	struct bgp_rib_route r;

	if (!found || !bgp_rib_find(sp->rib, found->number, p, &r))
		return false;
	fill_route(found, &r, out);
	return true;
}

bool bgp_speaker_message_next(const struct bgp_speaker *sp, const char *peer, size_t *at,
			      struct bgp_trace_entry *out)
{
	const struct bgp_peer *p = map_get(sp->peers, peer);

	return p && bgp_trace_next(&p->trace, at, out);
}
