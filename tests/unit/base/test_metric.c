#include "support.h"

#include <math.h>

#include "base/metric.h"

static const struct value_case {
	const char *name;
	double v;
	const char *want;
} values[] = {
	{ "zero", 0, "m 0\n" },
	{ "whole", 42, "m 42\n" },
	{ "negative", -3, "m -3\n" },
	{ "large whole", 9007199254740992.0, "m 9007199254740992\n" },
	{ "fraction", 0.1, "m 0.1\n" },
	{ "needs all digits", 0.1 + 0.2, "m 0.30000000000000004\n" },
	{ "tiny", 1e-9, "m 1e-09\n" },
	{ "huge", 1e300, "m 1e+300\n" },
	{ "infinite", INFINITY, "m +Inf\n" },
	{ "minus infinite", -INFINITY, "m -Inf\n" },
	{ "not a number", NAN, "m NaN\n" },
};

static void value(void **state)
{
	const struct value_case *c = *state;
	struct buf out = { 0 };
	struct metric_writer w = { &out };

	metric_sample(&w, "m", NULL, 0, c->v);
	assert_string_equal(buf_text(&out), c->want);
	buf_fini(&out);
}

static void labels_are_escaped(void **state)
{
	struct buf out = { 0 };
	struct metric_writer w = { &out };

	(void)state;
	metric_sample(&w, "metallb_bgp_session_up",
		      METRIC_LABELS({ "peer", "10.0.0.1:179" }, { "odd", "a\"b\\c\nd" }), 1);
	assert_string_equal(
		buf_text(&out),
		"metallb_bgp_session_up{peer=\"10.0.0.1:179\",odd=\"a\\\"b\\\\c\\nd\"} 1\n");
	buf_fini(&out);
}

static void help_is_escaped(void **state)
{
	struct buf out = { 0 };
	struct metric_writer w = { &out };

	(void)state;
	metric_family(&w, METRIC_GAUGE, "up", "a \"quote\", a \\ and\na line");
	assert_string_equal(buf_text(&out), "# HELP up a \"quote\", a \\\\ and\\na line\n"
					    "# TYPE up gauge\n");
	buf_fini(&out);
}

#define PKT_METRICS(X, S)                             \
	X(S, COUNTER, rx_packets, "Packets accepted") \
	X(S, GAUGE, sessions_up, "Sessions up")
struct pkt_stats {
	PKT_METRICS(METRIC_FIELD, )
};
static const struct metric_row rows[] = { PKT_METRICS(METRIC_ROW, struct pkt_stats) };

static void a_struct_is_walked(void **state)
{
	struct buf out = { 0 };
	struct metric_writer w = { &out };
	const struct pkt_stats stats = { .rx_packets = 7, .sessions_up = 2 };

	(void)state;
	metric_struct(&w, "crier_bfd_", rows, ARRAY_LEN(rows), &stats);
	assert_string_equal(buf_text(&out), "# HELP crier_bfd_rx_packets_total Packets accepted\n"
					    "# TYPE crier_bfd_rx_packets_total counter\n"
					    "crier_bfd_rx_packets_total 7\n"
					    "# HELP crier_bfd_sessions_up Sessions up\n"
					    "# TYPE crier_bfd_sessions_up gauge\n"
					    "crier_bfd_sessions_up 2\n");
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(help_is_escaped),
		cmocka_unit_test(a_struct_is_walked),
	};
	int failed = RUN_TABLE("values", values, value);

	return failed + cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
