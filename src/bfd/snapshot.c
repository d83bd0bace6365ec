#include "bfd/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "bfd/engine.h"

#define LOAD(field)	    atomic_load_explicit(&(field), memory_order_relaxed)
#define STORE(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

static const char *const drop_labels[BFD_DROP_COUNT] = {
#define BFD_DROP_ROW(name, label, text) [BFD_DROP_##name] = (label),
	BFD_DROPS(BFD_DROP_ROW)
#undef BFD_DROP_ROW
};

const char *bfd_drop_label(unsigned drop)
{
	return drop < BFD_DROP_COUNT ? drop_labels[drop] : "?";
}

static uint64_t pack(const struct bfd_transition *t)
{
	return (uint64_t)t->old_state | (uint64_t)t->new_state << 8 |
	       (uint64_t)t->remote_state << 16 | (uint64_t)t->local_diag << 24 |
	       (uint64_t)t->remote_diag << 32;
}

static struct bfd_transition unpack(int64_t at_ns, uint64_t what)
{
	return (struct bfd_transition){
		.at = { at_ns },
		.old_state = (uint8_t)what,
		.new_state = (uint8_t)(what >> 8),
		.remote_state = (uint8_t)(what >> 16),
		.local_diag = (uint8_t)(what >> 24),
		.remote_diag = (uint8_t)(what >> 32),
	};
}

void bfd_status_note(struct bfd_session_status *st, const struct bfd_transition *t)
{
	uint32_t n = LOAD(st->n_transitions);

	STORE(st->transitions[n % BFD_TRANSITIONS].at_ns, t->at.ns);
	STORE(st->transitions[n % BFD_TRANSITIONS].what, pack(t));
	atomic_store_explicit(&st->n_transitions, n + 1, memory_order_release);
}

/* The slot that the next change goes to is left out: it may be written just now. */
size_t bfd_status_transitions(const struct bfd_session_status *st,
			      struct bfd_transition out[static BFD_TRANSITIONS])
{
	uint32_t n = atomic_load_explicit(&st->n_transitions, memory_order_acquire);
	uint32_t kept = MIN(n, BFD_TRANSITIONS - 1);

	for (uint32_t i = 0; i < kept; i++) {
		uint32_t slot = (n - 1 - i) % BFD_TRANSITIONS;

		out[i] =
			unpack(LOAD(st->transitions[slot].at_ns), LOAD(st->transitions[slot].what));
	}
	return kept;
}

/** The sessions with one peer, added up: the reference knows no more than the peer and where it is. */
struct peer_sum {
	struct addr peer;
	const char *place; /* "": anywhere */
	uint64_t up;	   /* 1 when all of them are */
	uint64_t in;
	uint64_t out;
	uint64_t echo_in;
	uint64_t echo_out;
	uint64_t up_events;
	uint64_t down_events;
};

static const struct metric {
	const char *name;
	const char *help;
	enum metric_type type;
	size_t offset;
} metrics[] = {
	{ "metallb_bfd_session_up", "BFD session state (1 is up, 0 is down)", METRIC_GAUGE,
	  offsetof(struct peer_sum, up) },
	{ "metallb_bfd_control_packet_input", "Number of received BFD control packets",
	  METRIC_COUNTER, offsetof(struct peer_sum, in) },
	{ "metallb_bfd_control_packet_output", "Number of sent BFD control packets", METRIC_COUNTER,
	  offsetof(struct peer_sum, out) },
	{ "metallb_bfd_echo_packet_input", "Number of echo packets that came back", METRIC_COUNTER,
	  offsetof(struct peer_sum, echo_in) },
	{ "metallb_bfd_echo_packet_output", "Number of echo packets sent", METRIC_COUNTER,
	  offsetof(struct peer_sum, echo_out) },
	{ "metallb_bfd_session_up_events", "Number of times a BFD session came up", METRIC_COUNTER,
	  offsetof(struct peer_sum, up_events) },
	{ "metallb_bfd_session_down_events", "Number of times a BFD session went down",
	  METRIC_COUNTER, offsetof(struct peer_sum, down_events) },
};

static int by_peer(const void *a, const void *b)
{
	const struct peer_sum *x = a, *y = b;
	int order = addr_cmp(&x->peer, &y->peer);

	return order ? order : strcmp(x->place, y->place);
}

static void sum_add(struct peer_sum *sum, const struct peer_sum *one)
{
	sum->up = sum->up && one->up;
	sum->in += one->in;
	sum->out += one->out;
	sum->echo_in += one->echo_in;
	sum->echo_out += one->echo_out;
	sum->up_events += one->up_events;
	sum->down_events += one->down_events;
}

/* One element for each peer, sorted; returns how many. */
static size_t sum_by_peer(const struct bfd_table *t, struct peer_sum *sums)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct bfd_session_status *st = t->v[i].status;

		sums[i] = (struct peer_sum){
			.peer = t->v[i].peer,
			.place = t->v[i].place ? t->v[i].place : "",
			.up = LOAD(st->state) == BFD_UP,
			.in = LOAD(st->packets_in),
			.out = LOAD(st->packets_out),
			.echo_in = LOAD(st->echo_in),
			.echo_out = LOAD(st->echo_out),
			.up_events = LOAD(st->up_events),
			.down_events = LOAD(st->down_events),
		};
	}
	qsort(sums, t->n, sizeof(*sums), by_peer);
	for (size_t i = 0; i < t->n; i++) {
		if (n && by_peer(&sums[n - 1], &sums[i]) == 0)
			sum_add(&sums[n - 1], &sums[i]);
		else
			sums[n++] = sums[i];
	}
	return n;
}

static void sample(struct metric_writer *w, const char *name, const struct peer_sum *sum,
		   uint64_t v)
{
	char peer[ADDR_TEXT_MAX];
	const struct metric_label labels[] = { { "peer", addr_format(&sum->peer, peer) },
					       { "vrf", sum->place } };

	metric_sample(w, name, labels, sum->place[0] ? 2 : 1, (double)v);
}

void bfd_table_collect(const struct bfd_table *t, struct metric_writer *w)
{
	CLEANUP(mem_freep) struct peer_sum *sums = mem_new_n(struct peer_sum, t->n + 1);
	size_t n = sum_by_peer(t, sums);

	for (size_t m = 0; m < ARRAY_LEN(metrics); m++) {
		metric_family(w, metrics[m].type, metrics[m].name, metrics[m].help);
		for (size_t i = 0; i < n; i++) {
			uint64_t v;

			memcpy(&v, (const char *)&sums[i] + metrics[m].offset, sizeof(v));
			sample(w, metrics[m].name, &sums[i], v);
		}
	}
}

static void collect_one(struct metric_writer *w, enum metric_type type, const char *name,
			const char *help, uint64_t v)
{
	metric_family(w, type, name, help);
	metric_sample(w, name, NULL, 0, (double)v);
}

/* Bounds are the powers of two from 16 µs to 1 s. */
static void collect_hist(struct metric_writer *w, const char *name, const char *help,
			 const struct bfd_hist *h)
{
	CLEANUP(mem_freep) char *bucket = mem_printf("%s_bucket", name);
	CLEANUP(mem_freep) char *sum = mem_printf("%s_sum", name);
	CLEANUP(mem_freep) char *count = mem_printf("%s_count", name);
	double n = (double)bfd_hist_count(h);

	buf_printf(w->out, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
	for (uint64_t us = 16; us <= UINT64_C(1) << 20; us *= 2) {
		char le[24];

		snprintf(le, sizeof(le), "%.6f", (double)us / 1e6);
		metric_sample(w, bucket, METRIC_LABELS({ "le", le }),
			      MIN((double)bfd_hist_below(h, us), n));
	}
	metric_sample(w, bucket, METRIC_LABELS({ "le", "+Inf" }), n);
	metric_sample(w, sum, NULL, 0, (double)LOAD(h->sum_us) / 1e6);
	metric_sample(w, count, NULL, 0, n);
}

void bfd_counters_collect(const struct bfd_counters *c, struct metric_writer *w)
{
	static const char refused[] = "crier_bfd_packets_refused_total";

	collect_one(w, METRIC_GAUGE, "crier_bfd_sessions", "BFD sessions configured",
		    LOAD(c->sessions));
	collect_one(w, METRIC_GAUGE, "crier_bfd_sessions_up", "BFD sessions in state Up",
		    LOAD(c->sessions_up));
	collect_one(w, METRIC_COUNTER, "crier_bfd_packets_received_total",
		    "BFD control packets accepted", LOAD(c->packets_in));
	collect_one(w, METRIC_COUNTER, "crier_bfd_packets_noted_total",
		    "Of the accepted ones, BFD control packets that the kernel only noted",
		    LOAD(c->packets_noted));
	collect_one(w, METRIC_COUNTER, "crier_bfd_packets_sent_total", "BFD control packets sent",
		    LOAD(c->packets_out));
	collect_one(w, METRIC_COUNTER, "crier_bfd_send_failures_total",
		    "BFD control packets that could not be sent", LOAD(c->send_failed));
	metric_family(w, METRIC_COUNTER, refused, "BFD packets without effect, by reason");
	for (unsigned d = 0; d < BFD_DROP_COUNT; d++)
		metric_sample(w, refused, METRIC_LABELS({ "reason", drop_labels[d] }),
			      (double)LOAD(c->dropped[d]));
	collect_one(w, METRIC_COUNTER, "crier_bfd_packets_lost_total",
		    "BFD packets that found the socket's buffer full", LOAD(c->lost));
	collect_one(w, METRIC_COUNTER, "crier_bfd_late_sends_total",
		    "BFD control packets sent later than the agreed interval", LOAD(c->late_sends));
	collect_hist(w, "crier_bfd_detection_delay_seconds",
		     "Time from the end of the detection time to the report that a session is down",
		     &c->detection);
	collect_hist(w, "crier_bfd_receive_jitter_seconds",
		     "Difference between two gaps in turn of received BFD control packets",
		     &c->jitter);
}
