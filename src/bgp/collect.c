#include "bgp/bgp_priv.h"

/*
 * One row per family of samples. MetalLB counts UPDATEs that were sent as updates_total; names and labels are
 * those that its dashboards and alerts ask for.
 */
typedef double (*value_fn)(const struct bgp_peer_status *s);

static double session_up(const struct bgp_peer_status *s)
{
	return s->state == BGP_ESTABLISHED;
}

static double announced(const struct bgp_peer_status *s)
{
	return (double)s->routes.sent;
}

static double pending(const struct bgp_peer_status *s)
{
	return (double)s->routes.pending;
}

static double updates_out(const struct bgp_peer_status *s)
{
	return (double)s->msgs_out[BGP_UPDATE];
}

static double updates_in(const struct bgp_peer_status *s)
{
	return (double)s->msgs_in[BGP_UPDATE];
}

static double opens_out(const struct bgp_peer_status *s)
{
	return (double)s->msgs_out[BGP_OPEN];
}

static double opens_in(const struct bgp_peer_status *s)
{
	return (double)s->msgs_in[BGP_OPEN];
}

static double notifications_out(const struct bgp_peer_status *s)
{
	return (double)s->msgs_out[BGP_NOTIFICATION];
}

static double notifications_in(const struct bgp_peer_status *s)
{
	return (double)s->msgs_in[BGP_NOTIFICATION];
}

static double keepalives_out(const struct bgp_peer_status *s)
{
	return (double)s->msgs_out[BGP_KEEPALIVE];
}

static double keepalives_in(const struct bgp_peer_status *s)
{
	return (double)s->msgs_in[BGP_KEEPALIVE];
}

static double refreshes_out(const struct bgp_peer_status *s)
{
	return (double)s->msgs_out[BGP_REFRESH];
}

static double refreshes_in(const struct bgp_peer_status *s)
{
	return (double)s->msgs_in[BGP_REFRESH];
}

static double sum(const uint64_t *msgs)
{
	uint64_t n = 0;

	for (int i = 0; i < BGP_TYPE_COUNT; i++)
		n += msgs[i];
	return (double)n;
}

static double total_out(const struct bgp_peer_status *s)
{
	return sum(s->msgs_out);
}

static double total_in(const struct bgp_peer_status *s)
{
	return sum(s->msgs_in);
}

static double flaps(const struct bgp_peer_status *s)
{
	return (double)s->flaps;
}

static double received_prefixes(const struct bgp_peer_status *s)
{
	return (double)s->announced_in;
}

static double refused_updates(const struct bgp_peer_status *s)
{
	return (double)s->refused_in;
}

static double silent_prefixes(const struct bgp_peer_status *s)
{
	return (double)s->routes.silent;
}

static double queued_bytes(const struct bgp_peer_status *s)
{
	return (double)s->queued_bytes;
}

static const struct {
	enum metric_type type;
	const char *name;
	const char *help;
	value_fn value;
} rows[] = {
	{ METRIC_GAUGE, "metallb_bgp_session_up", "1 while the session is Established, else 0",
	  session_up },
	{ METRIC_COUNTER, "metallb_bgp_updates_total", "UPDATE messages sent", updates_out },
	{ METRIC_COUNTER, "metallb_bgp_updates_total_received", "UPDATE messages received",
	  updates_in },
	{ METRIC_GAUGE, "metallb_bgp_announced_prefixes_total",
	  "Prefixes that the peer has from us now", announced },
	{ METRIC_GAUGE, "metallb_bgp_pending_prefixes_total",
	  "Prefixes whose change the peer has not been told yet", pending },
	{ METRIC_COUNTER, "metallb_bgp_opens_sent", "OPEN messages sent", opens_out },
	{ METRIC_COUNTER, "metallb_bgp_opens_received", "OPEN messages received", opens_in },
	{ METRIC_COUNTER, "metallb_bgp_notifications_sent", "NOTIFICATION messages sent",
	  notifications_out },
	{ METRIC_COUNTER, "metallb_bgp_keepalives_sent", "KEEPALIVE messages sent",
	  keepalives_out },
	{ METRIC_COUNTER, "metallb_bgp_keepalives_received", "KEEPALIVE messages received",
	  keepalives_in },
	{ METRIC_COUNTER, "metallb_bgp_route_refresh_sent", "ROUTE-REFRESH messages sent",
	  refreshes_out },
	{ METRIC_COUNTER, "metallb_bgp_total_sent", "Messages sent, of all types", total_out },
	{ METRIC_COUNTER, "metallb_bgp_total_received", "Messages received, of all types",
	  total_in },
	{ METRIC_COUNTER, "crier_bgp_notifications_received_total",
	  "NOTIFICATION messages received", notifications_in },
	{ METRIC_COUNTER, "crier_bgp_route_refresh_received_total",
	  "ROUTE-REFRESH messages received", refreshes_in },
	{ METRIC_COUNTER, "crier_bgp_session_flaps_total",
	  "Times that an established session ended", flaps },
	{ METRIC_COUNTER, "crier_bgp_received_prefixes_total",
	  "Prefixes in received UPDATE messages (counted, not kept)", received_prefixes },
	{ METRIC_COUNTER, "crier_bgp_refused_updates_total",
	  "Received UPDATE messages treated as withdrawal", refused_updates },
	{ METRIC_GAUGE, "crier_bgp_silent_prefixes",
	  "Prefixes wanted but of a family that the session does not carry", silent_prefixes },
	{ METRIC_GAUGE, "crier_bgp_queued_bytes", "Bytes that the peer has not taken yet",
	  queued_bytes },
};

/* A peer is told by its address; where that may be another's too, also by its link or VRF. */
struct labels_text {
	char peer[ADDR_PORT_TEXT_MAX];
	struct metric_label v[4]; /* room for two of a sample's own */
	size_t n;
};

static void labels_of(const struct bgp_peer_status *s, struct labels_text *out)
{
	addr_port_format(&s->addr, s->port, out->peer);
	out->v[0] = (struct metric_label){ "peer", out->peer };
	out->n = 1;
	if (s->device || s->zone)
		out->v[out->n++] = (struct metric_label){ "vrf", s->device ? s->device : s->zone };
}

static void collect_messages(const struct bgp_speaker *sp, struct metric_writer *w)
{
	static const char name[] = "crier_bgp_messages_total";
	struct bgp_peer_status s;
	struct labels_text l;

	metric_family(w, METRIC_COUNTER, name, "Messages by direction and type");
	for (size_t at = 0; bgp_speaker_next(sp, &at, &s);)
		for (int i = 0; i < 2 * BGP_TYPE_COUNT; i++) {
			enum bgp_type type = (enum bgp_type)(i % BGP_TYPE_COUNT);
			bool out = i >= BGP_TYPE_COUNT;

			if (type == 0)
				continue;
			labels_of(&s, &l);
			l.v[l.n++] = (struct metric_label){ "direction", out ? "out" : "in" };
			l.v[l.n++] = (struct metric_label){ "type", bgp_type_name(type) };
			metric_sample(w, name, l.v, l.n,
				      (double)(out ? s.msgs_out : s.msgs_in)[type]);
		}
}

static void collect_time(const struct bgp_speaker *sp, struct metric_writer *w)
{
	static const char name[] = "crier_bgp_state_seconds";
	struct bgp_peer_status s;
	struct labels_text l;

	metric_family(w, METRIC_GAUGE, name, "Time since the session came into its state");
	for (size_t at = 0; bgp_speaker_next(sp, &at, &s);) {
		labels_of(&s, &l);
		l.v[l.n++] = (struct metric_label){ "state", bgp_state_name(s.state) };
		metric_sample(w, name, l.v, l.n,
			      (double)mono_sub(loop_now(sp->loop), s.since).ns / 1e9);
	}
}

static void collect_refused(const struct bgp_speaker *sp, struct metric_writer *w)
{
	static const char name[] = "crier_bgp_connections_refused_total";

	metric_family(w, METRIC_COUNTER, name, "Connections of others that no session wanted");
	metric_sample(w, name, NULL, 0, (double)sp->refused);
}

void bgp_speaker_collect(const struct bgp_speaker *sp, struct metric_writer *w)
{
	struct bgp_peer_status s;
	struct labels_text l;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		metric_family(w, rows[i].type, rows[i].name, rows[i].help);
		for (size_t at = 0; bgp_speaker_next(sp, &at, &s);) {
			labels_of(&s, &l);
			metric_sample(w, rows[i].name, l.v, l.n, rows[i].value(&s));
		}
	}
	collect_messages(sp, w);
	collect_time(sp, w);
	collect_refused(sp, w);
}
