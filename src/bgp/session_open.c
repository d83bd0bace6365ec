/* What two OPENs make of each other: is this the peer that we mean, and what do both sides know? */
#include "bgp/session_priv.h"

#include <stdio.h>

/*
 * Capabilities that we can do without, in the order of leaving them away when the peer does not say which one it minds:
 * first all up to the last two, then these as well.
 */
static const uint8_t optional[] = {
	BGP_CAP_FQDN,
	BGP_CAP_ROLE,
	BGP_CAP_EXTENDED_HOP,
	BGP_CAP_LONG_LIVED,
	BGP_CAP_RESTART,
	BGP_CAP_EXTENDED_MESSAGE,
	BGP_CAP_ENHANCED_REFRESH,
	BGP_CAP_ROUTE_REFRESH,
	BGP_CAP_AS4,
	BGP_CAP_MULTIPROTOCOL,
};

enum { ALL_BUT_TWO = (1 << (ARRAY_LEN(optional) - 2)) - 1, ALL = (1 << ARRAY_LEN(optional)) - 1 };

static void omit(struct bgp_open *open, uint8_t code)
{
	switch (code) {
	case BGP_CAP_FQDN:
		open->host[0] = '\0';
		break;
	case BGP_CAP_ROLE:
		open->role = BGP_ROLE_NONE;
		break;
	case BGP_CAP_EXTENDED_HOP:
		open->extended_hop = 0;
		break;
	case BGP_CAP_LONG_LIVED:
		open->restart.stale_s = 0;
		break;
	case BGP_CAP_RESTART:
		open->restart.on = false;
		break;
	case BGP_CAP_EXTENDED_MESSAGE:
		open->extended_message = false;
		break;
	case BGP_CAP_ENHANCED_REFRESH:
		open->enhanced_refresh = false;
		break;
	case BGP_CAP_ROUTE_REFRESH:
		open->refresh = false;
		break;
	case BGP_CAP_AS4:
		open->as4 = false;
		break;
	default:
		open->families = 0;
	}
}

static bool might_be_external(const struct bgp_session_conf *c)
{
	return c->asn_rule == BGP_ASN_EXTERNAL ||
	       (c->asn_rule == BGP_ASN_EXACT && c->peer_as != c->local_as);
}

void session_open_make(const struct bgp_session *s, uint32_t router_id, struct bgp_open *out)
{
	const struct bgp_session_conf *c = &s->conf;

	*out = (struct bgp_open){
		.as = c->local_as,
		.id = router_id,
		.hold_s = c->hold_s,
		.families = c->families,
		.as4 = true,
		.refresh = true,
		.enhanced_refresh = true,
		.extended_message = true,
		.extended_hop = c->extended_hop ? c->families & BGP_V4 : 0,
		.role = might_be_external(c) ? c->role : BGP_ROLE_NONE,
		.restart = c->restart,
	};
	out->restart.families &= c->families;
	out->restart.forwarding &= out->restart.families;
	if (c->host)
		snprintf(out->host, sizeof(out->host), "%s", c->host);
	for (size_t i = 0; i < ARRAY_LEN(optional); i++)
		if (s->omitted & (1U << i))
			omit(out, optional[i]);
}

/* RFC 5492 §5: the data are the capabilities that the peer minds. */
static uint16_t minded(struct rd data)
{
	uint16_t set = 0;

	while (data.left > 0) {
		uint8_t code = rd_u8(&data);

		rd_skip(&data, rd_u8(&data));
		for (size_t i = 0; i < ARRAY_LEN(optional); i++)
			if (optional[i] == code)
				set |= (uint16_t)(1U << i);
	}
	return set;
}

bool session_open_refused(struct bgp_session *s, struct rd notification)
{
	uint16_t before = s->omitted;
	uint8_t code = rd_u8(&notification), subcode = rd_u8(&notification);

	if (code != BGP_ERR_OPEN ||
	    (subcode != BGP_OPEN_CAPABILITY && subcode != BGP_OPEN_PARAMETER))
		return false;
	if (subcode == BGP_OPEN_CAPABILITY)
		s->omitted |= minded(notification);
	if (s->omitted == before)
		s->omitted |=
			subcode == BGP_OPEN_CAPABILITY && (before & ALL_BUT_TWO) != ALL_BUT_TWO
				? ALL_BUT_TWO
				: ALL;
	return s->omitted != before;
}

static bool as_is_right(const struct bgp_session *s, uint32_t as)
{
	switch (s->conf.asn_rule) {
	case BGP_ASN_INTERNAL:
		return as == s->conf.local_as;
	case BGP_ASN_EXTERNAL:
		return as != s->conf.local_as;
	default:
		return as == s->conf.peer_as;
	}
}

static void refuse_as(struct bgp_session *s, struct bgp_leg *leg, uint32_t as, struct mono now)
{
	if (s->conf.asn_rule == BGP_ASN_EXACT)
		session_reason(s, "peer says AS %u, expected AS %u", as, s->conf.peer_as);
	else
		session_reason(s, "peer says AS %u, expected %s AS than our own %u", as,
			       s->conf.asn_rule == BGP_ASN_INTERNAL ? "no other" : "another",
			       s->conf.local_as);
	session_refuse_code(s, leg, BGP_ERR_OPEN, BGP_OPEN_PEER_AS, now);
}

static void agree(const struct bgp_session *s, struct bgp_leg *leg, const struct bgp_open *peer)
{
	const struct bgp_open *ours = &leg->said;
	struct bgp_agreed *a = &leg->agreed;

	a->peer = *peer;
	a->hold_s = MIN(s->conf.hold_s, peer->hold_s); /* 0 of either side switches it off */
	a->keepalive_s = a->hold_s / 3;
	if (a->hold_s && s->conf.keepalive_s)
		a->keepalive_s = MIN(a->keepalive_s, s->conf.keepalive_s);
	/* RFC 4760 §8: without the capability there is IPv4 unicast. */
	a->families = (ours->families ? ours->families : BGP_V4) & peer->families;
	a->as4 = ours->as4 && peer->as4;
	a->refresh = ours->refresh && peer->refresh;
	a->enhanced_refresh = ours->enhanced_refresh && peer->enhanced_refresh;
	a->extended_message = ours->extended_message && peer->extended_message;
	a->extended_hop = ours->extended_hop & peer->extended_hop;
	a->restart = ours->restart.on && peer->restart.on;
	a->hard_reset = a->restart && ours->restart.notifications && peer->restart.notifications;
	a->role = ours->role;
	a->ibgp = peer->as == s->conf.local_as;
}

/*
 * RFC 4271 §6.8: the connection of the side with the higher identifier survives; of equal ones (RFC 6286 §2.3) that of
 * the higher AS.
 */
static bool ours_survives(const struct bgp_session *s, const struct bgp_leg *leg)
{
	const struct bgp_open *peer = &leg->agreed.peer;

	if (leg->router_id != peer->id)
		return leg->router_id > peer->id;
	return s->conf.local_as > peer->as;
}

/* This leg has its OPEN; where the other one has too, one goes. True when it is this one. */
static bool collides(struct bgp_session *s, struct bgp_leg *leg, struct mono now)
{
	struct bgp_leg *other = session_other(s, leg);
	struct bgp_leg *loser = &s->leg[ours_survives(s, leg) ? BGP_THEIRS : BGP_OURS];

	if (other->state < BGP_OPEN_CONFIRM)
		return false;
	if (other->state == BGP_ESTABLISHED)
		loser = leg;
	session_collide(s, loser, now);
	return loser == leg;
}

static const char *role_name(uint8_t role)
{
	static const char *const names[] = {
		[BGP_ROLE_NONE] = "none",
		[BGP_ROLE_PROVIDER] = "provider",
		[BGP_ROLE_RS] = "rs",
		[BGP_ROLE_RS_CLIENT] = "rs-client",
		[BGP_ROLE_CUSTOMER] = "customer",
		[BGP_ROLE_PEER] = "peer",
		[BGP_ROLE_OTHER] = "of another kind",
	};

	return names[role];
}

/* RFC 9234 §4.2: the peer's role for each of ours. A peer that says none is fine. */
static bool roles_fit(uint8_t ours, uint8_t theirs)
{
	static const uint8_t counterpart[] = {
		[BGP_ROLE_PROVIDER] = BGP_ROLE_CUSTOMER, [BGP_ROLE_RS] = BGP_ROLE_RS_CLIENT,
		[BGP_ROLE_RS_CLIENT] = BGP_ROLE_RS,	 [BGP_ROLE_CUSTOMER] = BGP_ROLE_PROVIDER,
		[BGP_ROLE_PEER] = BGP_ROLE_PEER,
	};

	return ours == BGP_ROLE_NONE || theirs == BGP_ROLE_NONE || counterpart[ours] == theirs;
}

static bool open_is_fine(struct bgp_session *s, struct bgp_leg *leg, const struct bgp_open *peer,
			 struct mono now)
{
	if (!as_is_right(s, peer->as)) {
		refuse_as(s, leg, peer->as, now);
		return false;
	}
	if (peer->id == leg->router_id && peer->as == s->conf.local_as) { /* RFC 6286 §2.2 */
		session_reason(s, "peer has our router id");
		session_refuse_code(s, leg, BGP_ERR_OPEN, BGP_OPEN_IDENTIFIER, now);
		return false;
	}
	if (!roles_fit(leg->said.role, peer->role)) {
		session_reason(s, "peer's role is %s, which does not fit ours: %s",
			       role_name(peer->role), role_name(leg->said.role));
		session_refuse_code(s, leg, BGP_ERR_OPEN, BGP_OPEN_ROLE, now);
		return false;
	}
	return true;
}

void session_open(struct bgp_session *s, struct bgp_leg *leg, struct rd body, struct mono now)
{
	struct bgp_open peer;
	struct bgp_fault fault;

	if (leg->state < BGP_OPEN_SENT) /* the one that we waited for */
		session_send_open(s, leg, now);
	if (bgp_open_decode(body, &peer, &fault) != 0) {
		session_refuse_in_words(s, leg, &fault, now);
		return;
	}
	if (!open_is_fine(s, leg, &peer, now))
		return;
	agree(s, leg, &peer);
	if (collides(s, leg, now))
		return;
	session_send_keepalive(s, leg, now);
	session_restart_hold(leg, now);
	session_reason(s, "OPEN received");
	leg->state = BGP_OPEN_CONFIRM;
}
