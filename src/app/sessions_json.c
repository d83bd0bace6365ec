/* What people see of peers and BFD sessions. */
#include <ctype.h>
#include <string.h>

#include "app/json.h"
#include "app/sessions.h"

static json_t *capabilities_json(const struct bgp_open *open)
{
	json_t *all = json_array();

	for (size_t i = 0; i < open->n_caps && i < sizeof(open->caps); i++) {
		const char *name = bgp_cap_name(open->caps[i]);
		char number[8];

		snprintf(number, sizeof(number), "%u", open->caps[i]);
		json_array_append_new(all, json_string(name ? name : number));
	}
	return all;
}

static void note_put(json_t *item, const char *key, const struct bgp_note *note)
{
	char words[BGP_NOTE_TEXT_MAX];

	if (!note->set)
		return;
	json_object_set_new(item, key,
			    json_pack("{s:s, s:s, s:s}", "what",
				      bgp_note_words(note->code, note->subcode, words), "text",
				      note->text, "at", JSON_TIME(note->at)));
}

static json_t *families_json(uint8_t families)
{
	json_t *all = json_array();

	if (families & BGP_V4)
		json_array_append_new(all, json_string("ipv4"));
	if (families & BGP_V6)
		json_array_append_new(all, json_string("ipv6"));
	return all;
}

static const char *id_text(uint32_t id, char *buf)
{
	struct addr a = { .family = FAMILY_V4 };
	struct wr w = wr_to(a.b, 4);

	wr_u32(&w, id);
	return addr_format(&a, buf);
}

static void agreed_put(json_t *item, const struct bgp_peer_status *st)
{
	char id[ADDR_TEXT_MAX];

	if (!st->open_seen)
		return;
	json_set_text(item, "router-id", id_text(st->agreed.peer.id, id));
	json_object_set_new(item, "families", families_json(st->families));
	json_set_u64(item, "hold-time-s", st->agreed.hold_s);
	json_set_u64(item, "keepalive-time-s", st->agreed.keepalive_s);
	json_object_set_new(item, "capabilities", capabilities_json(&st->agreed.peer));
	if (st->agreed.peer.host[0])
		json_set_text(item, "hostname", st->agreed.peer.host);
}

static uint64_t messages_sum(const uint64_t *counts)
{
	uint64_t n = 0;

	for (int i = 0; i < BGP_TYPE_COUNT; i++)
		n += counts[i];
	return n;
}

static json_t *messages_json(const uint64_t *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "open", (json_int_t)counts[BGP_OPEN],
			 "update", (json_int_t)counts[BGP_UPDATE], "notification",
			 (json_int_t)counts[BGP_NOTIFICATION], "keepalive",
			 (json_int_t)counts[BGP_KEEPALIVE], "refresh",
			 (json_int_t)counts[BGP_REFRESH]);
}

static void bfd_put(json_t *item, const struct sessions *s, const char *peer)
{
	const struct bfd_peer *b = map_get(s->bfd, peer);
	char state[16];

	if (b)
		json_set_text(item, "bfd",
			      json_lower(bfd_state_name(b->status.state), state, sizeof(state)));
}

/* How long it is up, or down. */
static void since_put(json_t *item, const struct sessions *s, const struct bgp_peer_status *st)
{
	int64_t seconds = mono_sub(loop_now(s->loop), st->since).ns / 1000000000;

	json_set_u64(item, "state-time-s", (uint64_t)seconds);
	json_set_text(item, "up-down", DUR_TEXT(DUR_S(seconds)));
}

static void traffic_put(json_t *item, const struct bgp_peer_status *st)
{
	json_set_u64(item, "prefixes-announced", st->routes.sent);
	json_set_u64(item, "prefixes-pending", st->routes.pending);
	json_set_u64(item, "prefixes-silent", st->routes.silent);
	json_set_u64(item, "prefixes-received", st->announced_in);
	json_set_u64(item, "updates-refused", st->refused_in);
	json_set_u64(item, "queued-bytes", st->queued_bytes);
	json_set_u64(item, "messages-received", messages_sum(st->msgs_in));
	json_set_u64(item, "messages-sent", messages_sum(st->msgs_out));
	json_object_set_new(item, "messages-in", messages_json(st->msgs_in));
	json_object_set_new(item, "messages-out", messages_json(st->msgs_out));
}

static json_t *peer_json(const struct sessions *s, const struct bgp_peer_status *st)
{
	char port[ADDR_PORT_TEXT_MAX], state[24];
	json_t *item = json_item(
		st->name, json_lower(bgp_state_name(st->state), state, sizeof(state)), st->since);

	json_set_text(item, "address",
		      addr_is_unspecified(&st->addr) ? ""
						     : addr_port_format(&st->addr, st->port, port));
	json_set_text(item, "interface", st->zone ? st->zone : st->device);
	json_set_u64(item, "my-asn", st->local_as);
	json_set_u64(item, "peer-asn", st->peer_as);
	if (addr_is_set(&st->local))
		json_set_text(item, "local-address", ADDR_TEXT(&st->local));
	agreed_put(item, st);
	traffic_put(item, st);
	json_set_u64(item, "flaps", st->flaps);
	since_put(item, s, st);
	bfd_put(item, s, st->name);
	json_set_text(item, "reason", st->held ? "waits for BFD" : st->reason);
	json_set_text(item, "last-error", st->last_error);
	note_put(item, "last-notification-received", &st->note_in);
	note_put(item, "last-notification-sent", &st->note_out);
	return item;
}

json_t *sessions_peers_json(const struct sessions *s)
{
	json_t *items = json_array();
	struct bgp_peer_status st;

	for (size_t at = 0; bgp_speaker_next(s->bgp, &at, &st);)
		json_array_append_new(items, peer_json(s, &st));
	return items;
}

/* Milliseconds with their decimals; 0 (not negotiated) is left out. */
static void ms_put(json_t *item, const char *key, uint64_t us)
{
	if (us && us % 1000 == 0)
		json_set_u64(item, key, us / 1000);
	else if (us)
		json_object_set_new(item, key, json_real((double)us / 1000.0));
}

static void quantile_put(json_t *item, const char *key, const struct bfd_hist *h,
			 unsigned per_mille)
{
	if (bfd_hist_count(h))
		json_set_u64(item, key, bfd_hist_quantile(h, per_mille));
}

static void pace_put(json_t *item, const struct bfd_session_status *st)
{
	quantile_put(item, "receive-gap-p50-us", &st->gaps, 500);
	quantile_put(item, "receive-gap-p99-us", &st->gaps, 990);
	quantile_put(item, "receive-gap-max-us", &st->gaps, 1000);
	quantile_put(item, "receive-jitter-p50-us", &st->jitter, 500);
	quantile_put(item, "receive-jitter-p99-us", &st->jitter, 990);
}

static json_t *drops_json(const struct bfd_session_status *st)
{
	json_t *drops = json_object();

	for (unsigned d = 0; d < BFD_DROP_COUNT; d++)
		if (st->dropped[d])
			json_set_u64(drops, bfd_drop_label(d), st->dropped[d]);
	return drops;
}

static void state_put(json_t *item, const char *key, uint8_t state)
{
	char lower[16];

	json_set_text(item, key, json_lower(bfd_state_name(state), lower, sizeof(lower)));
}

static json_t *transitions_json(const struct bfd_session_status *st)
{
	struct bfd_transition t[BFD_TRANSITIONS];
	size_t n = bfd_status_transitions(st, t);
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *one = json_object();

		json_set_text(one, "at", JSON_TIME(t[i].at));
		state_put(one, "from", t[i].old_state);
		state_put(one, "to", t[i].new_state);
		json_set_text(one, "local-diagnostic", bfd_diag_name(t[i].local_diag));
		state_put(one, "remote-state", t[i].remote_state);
		json_set_text(one, "remote-diagnostic", bfd_diag_name(t[i].remote_diag));
		json_array_append_new(all, one);
	}
	return all;
}

/* How its packets leave, and what became of them. */
static void packets_put(json_t *item, const struct bfd_session_status *st)
{
	static const char *const via[] = {
		[BFD_VIA_NONE] = "none", [BFD_VIA_RAW] = "raw", [BFD_VIA_UDP] = "udp"
	};

	json_set_text(item, "via", via[st->via]);
	json_set_u64(item, "source-port", st->source_port);
	json_set_text(item, "received-by", st->noting ? "kernel" : "process");
	json_set_u64(item, "packets-in", st->packets_in);
	json_set_u64(item, "packets-noted", st->packets_noted);
	json_set_u64(item, "packets-out", st->packets_out);
	if (st->echo_us)
		ms_put(item, "echo-interval-ms", st->echo_us);
	json_set_u64(item, "echo-packets-out", st->echo_out);
	json_set_u64(item, "echo-packets-in", st->echo_in);
	json_set_u64(item, "packets-dropped", st->packets_dropped);
	json_object_set_new(item, "drops", drops_json(st));
	json_set_u64(item, "late-sends", st->late_sends);
}

static json_t *bfd_json(const struct bfd_peer *b)
{
	const struct bfd_session_status *st = &b->status;
	struct mono changed = { .ns = st->changed_ns }; /* 0: never yet */
	char state[16];
	json_t *item =
		json_item(b->peer, json_lower(bfd_state_name(st->state), state, sizeof(state)),
			  changed.ns ? changed : b->added);

	json_set_text(item, "address", ADDR_TEXT(&b->addr));
	json_set_text(item, "hops", b->multihop ? "multi" : "single");
	ms_put(item, "transmit-interval-ms", st->tx_us);
	ms_put(item, "receive-interval-ms", st->rx_us);
	ms_put(item, "detect-time-ms", st->detect_us);
	json_set_text(item, "local-diagnostic", bfd_diag_name(st->local_diag));
	json_set_text(item, "remote-diagnostic", bfd_diag_name(st->remote_diag));
	state_put(item, "remote-state", st->remote_state);
	json_set_u64(item, "local-discriminator", st->local_disc);
	json_set_u64(item, "remote-discriminator", st->remote_disc);
	json_set_u64(item, "multiplier", b->detect_mult);
	json_set_u64(item, "remote-multiplier", st->remote_detect_mult);
	packets_put(item, st);
	pace_put(item, st);
	json_set_u64(item, "up-events", st->up_events);
	json_set_u64(item, "down-events", st->down_events);
	json_object_set_new(item, "transitions", transitions_json(st));
	if (st->send_errno)
		json_set_text(item, "send-error", strerror(st->send_errno));
	return item;
}

json_t *sessions_bfd_json(const struct sessions *s)
{
	json_t *items = json_array();
	const char *name;
	struct bfd_peer *b;

	MAP_EACH (s->bfd, name, b) {
		json_array_append_new(items, bfd_json(b));
	}
	(void)name;
	return items;
}

static void collect_bfd(const struct sessions *s, struct metric_writer *w)
{
	struct bfd_target *targets = mem_new_n(struct bfd_target, map_len(s->bfd));
	struct bfd_table table = { .v = targets };
	const char *name;
	struct bfd_peer *b;

	MAP_EACH (s->bfd, name, b) {
		targets[table.n++] = (struct bfd_target){ .peer = b->addr,
							  .status = &b->status,
							  .place = sessions_bfd_place(s, b) };
	}
	(void)name;
	bfd_table_collect(&table, w);
	free(targets);
}

void sessions_collect(const struct sessions *s, struct metric_writer *w)
{
	bgp_speaker_collect(s->bgp, w);
	collect_bfd(s, w);
	bfd_counters_collect(packet_bfd_counters(s->packet), w);
}
