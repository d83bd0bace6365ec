/* What a message of the peer does to the session. */
#include "bgp/session_priv.h"
#include "bgp/update.h"

void session_refuse_in_words(struct bgp_session *s, struct bgp_leg *leg,
			     const struct bgp_fault *fault, struct mono now)
{
	session_reason(s, "notification sent: %s",
		       bgp_note_words(fault->code, fault->subcode, (char[BGP_NOTE_TEXT_MAX]){ 0 }));
	session_refuse(s, leg, fault, now);
}

static void on_keepalive(struct bgp_session *s, struct bgp_leg *leg, struct mono now)
{
	session_restart_hold(leg, now);
	if (leg->state == BGP_ESTABLISHED)
		return;
	session_collide(s, session_other(s, leg), now); /* or an attempt that is under way */
	s->established++;
	session_reason(s, "established");
	leg->state = BGP_ESTABLISHED;
}

static void on_notification(struct bgp_session *s, struct bgp_leg *leg, struct rd body,
			    struct mono now)
{
	struct bgp_note note;

	bgp_notification_decode(body, now, &note);
	bool lost = note.code == BGP_ERR_CEASE && note.subcode == BGP_CEASE_COLLISION &&
		    session_other(s, leg)->open;
	if (!lost) {
		s->note_in = note;
		session_push(s, BGP_OUT_NOTE)->note_sent = false;
		session_reason(
			s, "notification received: %s%s", note.hard ? "Hard Reset, " : "",
			bgp_note_words(note.code, note.subcode, (char[BGP_NOTE_TEXT_MAX]){ 0 }));
	}
	if (leg->state <= BGP_OPEN_CONFIRM && session_open_refused(s, body)) {
		session_drop(s, leg, RETRY_MIN, now);
		return;
	}
	/* A router that goes away politely is coming back: do not wait as after a quarrel. */
	session_drop(s, leg, note.code == BGP_ERR_CEASE ? RETRY_MIN : RETRY_AFTER_ERR, now);
}

/* --- the guard against a peer that announces too much --- */

static struct bgp_table **heard_table(struct bgp_session *s, enum family family)
{
	struct bgp_table **t = &s->heard[family == FAMILY_V6];

	if (!*t)
		*t = bgp_table_new(family, rng_u64(&s->rng));
	return t;
}

static size_t heard(const struct bgp_session *s)
{
	return (s->heard[0] ? bgp_table_len(s->heard[0]) : 0) +
	       (s->heard[1] ? bgp_table_len(s->heard[1]) : 0);
}

/* Counts what is new, never more than one above the limit. */
static void hear(struct bgp_session *s, struct rd nlri, enum family family)
{
	struct bgp_table *t = *heard_table(s, family);
	struct prefix p;

	while (heard(s) <= s->conf.max_prefix && bgp_nlri_next(&nlri, family, &p))
		if (bgp_table_find(t, &p) == BGP_SLOT_NONE)
			(void)bgp_table_add(t, &p, 0);
}

static void unhear(struct bgp_session *s, struct rd nlri, enum family family)
{
	struct bgp_table *t = *heard_table(s, family);
	struct prefix p;

	while (bgp_nlri_next(&nlri, family, &p)) {
		uint32_t slot = bgp_table_find(t, &p);

		if (slot != BGP_SLOT_NONE)
			bgp_table_del(t, slot);
	}
}

/* @withdraw: what is announced counts as withdrawn (RFC 7606). */
static void count_prefixes(struct bgp_session *s, const struct bgp_update *u, bool withdraw)
{
	void (*reach)(struct bgp_session *, struct rd, enum family) = withdraw ? unhear : hear;

	uint8_t gone = bgp_afi_bit(u->unreach_afi, u->unreach_safi);
	uint8_t come = bgp_afi_bit(u->reach_afi, u->reach_safi);

	unhear(s, u->withdrawn, FAMILY_V4);
	if (gone)
		unhear(s, u->unreach_nlri, gone == BGP_V6 ? FAMILY_V6 : FAMILY_V4);
	reach(s, u->nlri, FAMILY_V4);
	if (come)
		reach(s, u->reach_nlri, come == BGP_V6 ? FAMILY_V6 : FAMILY_V4);
}

/* RFC 4486 §4: the family and the limit go along. True when the leg is over. */
static bool is_too_much(struct bgp_session *s, struct bgp_leg *leg, const struct bgp_update *u,
			bool withdraw, struct mono now)
{
	uint8_t data[7];
	struct wr w = wr_to(data, sizeof(data));
	struct bgp_fault fault;

	if (s->conf.max_prefix == 0)
		return false;
	count_prefixes(s, u, withdraw);
	if (heard(s) <= s->conf.max_prefix)
		return false;
	wr_u16(&w, u->reach_afi ? u->reach_afi : BGP_AFI_V4);
	wr_u8(&w, BGP_SAFI_UNICAST);
	wr_u32(&w, s->conf.max_prefix);
	(void)bgp_fault_set(&fault, BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIXES, data, w.len);
	session_reason(s, "the peer announces more than %u prefixes", s->conf.max_prefix);
	session_notify(s, leg, &fault, now);
	session_drop(s, leg, RETRY_AFTER_LIMIT, now);
	return true;
}

static void on_update(struct bgp_session *s, struct bgp_leg *leg, struct rd body, struct mono now)
{
	struct bgp_update update;
	struct bgp_fault fault;
	enum bgp_verdict v =
		bgp_update_decode(body, leg->agreed.as4, leg->agreed.ibgp, &update, &fault);

	s->verdicts[v]++;
	if (v == BGP_SESSION_RESET) {
		session_refuse_in_words(s, leg, &fault, now);
		return;
	}
	if (v == BGP_TREAT_AS_WITHDRAW)
		s->withdrawn_in += update.announced;
	else
		s->announced_in += update.announced;
	s->withdrawn_in += update.withdrew;
	if (!is_too_much(s, leg, &update, v == BGP_TREAT_AS_WITHDRAW, now))
		session_restart_hold(leg, now);
}

/* RFC 7313 §5: of a mark; else it is any message of a bad length. */
static void refuse_refresh(struct bgp_session *s, struct bgp_leg *leg, struct rd body,
			   struct mono now)
{
	uint8_t bytes[BGP_FAULT_DATA_MAX];
	struct wr w = wr_to(bytes, sizeof(bytes));
	struct bgp_fault fault;
	struct rd at_type = body;

	rd_skip(&at_type, 2);
	if (leg->agreed.enhanced_refresh && rd_u8(&at_type) != BGP_REFRESH_REQUEST) {
		wr_fill(&w, 0xff, 16);
		wr_u16(&w, (uint16_t)(body.left + BGP_HEADER_LEN));
		wr_u8(&w, BGP_REFRESH);
		wr_bytes(&w, body.p, MIN(body.left, sizeof(bytes) - BGP_HEADER_LEN));
		(void)bgp_fault_set(&fault, BGP_ERR_REFRESH, BGP_REFRESH_LENGTH, bytes, w.len);
	} else {
		wr_u16(&w, (uint16_t)(body.left + BGP_HEADER_LEN));
		(void)bgp_fault_set(&fault, BGP_ERR_HEADER, BGP_HEADER_LENGTH, bytes, w.len);
	}
	session_refuse_in_words(s, leg, &fault, now);
}

static void on_refresh(struct bgp_session *s, struct bgp_leg *leg, struct rd body, struct mono now)
{
	struct bgp_refresh r;

	if (body.left != 4) {
		refuse_refresh(s, leg, body, now);
		return;
	}
	bgp_refresh_decode(body, &r);
	uint8_t families = bgp_afi_bit(r.afi, r.safi) & leg->agreed.families;
	if (families && r.subtype == BGP_REFRESH_REQUEST)
		session_push(s, BGP_OUT_REFRESH)->families = families;
}

static void on_unexpected(struct bgp_session *s, struct bgp_leg *leg, enum bgp_type type,
			  struct mono now)
{
	static const uint8_t subcodes[BGP_STATE_COUNT] = {
		[BGP_OPEN_SENT] = BGP_FSM_OPEN_SENT,
		[BGP_OPEN_CONFIRM] = BGP_FSM_OPEN_CONFIRM,
		[BGP_ESTABLISHED] = BGP_FSM_ESTABLISHED,
	};
	struct bgp_fault fault;
	uint8_t byte = (uint8_t)type;

	session_reason(s, "unexpected %s in state %s", bgp_type_name(type),
		       bgp_state_name(leg->state));
	(void)bgp_fault_set(&fault, BGP_ERR_FSM, subcodes[leg->state], &byte, 1); /* RFC 6608 */
	session_refuse(s, leg, &fault, now);
}

/* RFC 4271 §8.2.2: which message may come in which state; the first two with DelayOpen only. */
static const bool expected[BGP_STATE_COUNT][BGP_TYPE_COUNT] = {
	[BGP_CONNECT] = { [BGP_OPEN] = true, [BGP_NOTIFICATION] = true },
	[BGP_ACTIVE] = { [BGP_OPEN] = true, [BGP_NOTIFICATION] = true },
	[BGP_OPEN_SENT] = { [BGP_OPEN] = true, [BGP_NOTIFICATION] = true },
	[BGP_OPEN_CONFIRM] = { [BGP_KEEPALIVE] = true, [BGP_NOTIFICATION] = true },
	[BGP_ESTABLISHED] = { [BGP_UPDATE] = true,
			      [BGP_KEEPALIVE] = true,
			      [BGP_NOTIFICATION] = true,
			      [BGP_REFRESH] = true },
};

void session_message(struct bgp_session *s, struct bgp_leg *leg, const struct bgp_frame *f,
		     struct mono now)
{
	s->msgs_in[f->type]++;
	if (!expected[leg->state][f->type]) {
		on_unexpected(s, leg, f->type, now);
		return;
	}
	switch (f->type) {
	case BGP_OPEN:
		session_open(s, leg, f->body, now);
		break;
	case BGP_UPDATE:
		on_update(s, leg, f->body, now);
		break;
	case BGP_NOTIFICATION:
		on_notification(s, leg, f->body, now);
		break;
	case BGP_KEEPALIVE:
		on_keepalive(s, leg, now);
		break;
	default:
		on_refresh(s, leg, f->body, now);
	}
}
