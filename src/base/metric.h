/**
 * Metrics: each room counts in a plain struct that is described next to the code that counts (METRIC_FIELD,
 * METRIC_ROW), and a collector walks them when somebody asks. Nothing is registered per sample.
 *
 *   #define BFD_METRICS(X, S) X(S, COUNTER, rx_packets, "Control packets accepted") ...
 *   struct bfd_stats { BFD_METRICS(METRIC_FIELD, ) };
 *   static const struct metric_row rows[] = { BFD_METRICS(METRIC_ROW, struct bfd_stats) };
 *
 * Text form: Prometheus exposition 0.0.4.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdint.h>

#include "base/buf.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

struct metric_row {
	enum metric_type type;
	const char *name;
	const char *help;
	size_t offset; /* of a uint64_t in the struct */
};

#define METRIC_FIELD(owner, type, name, help) uint64_t name;
#define METRIC_ROW(owner, type, name, help)   { METRIC_##type, #name, help, offsetof(owner, name) },

struct metric_label {
	const char *name;
	const char *value; /* escaped on output */
};

struct metric_writer {
	struct buf *out;
};

/** HELP and TYPE lines; samples of the family follow. */
void metric_family(struct metric_writer *w, enum metric_type type, const char *name,
		   const char *help);
void metric_sample(struct metric_writer *w, const char *name, const struct metric_label *labels,
		   size_t n, double v);

#define METRIC_LABELS(...)                            \
	(const struct metric_label[]){ __VA_ARGS__ }, \
		sizeof((const struct metric_label[]){ __VA_ARGS__ }) / sizeof(struct metric_label)

/** All rows of one struct, without labels, named @prefix + name (counters get "_total"). */
void metric_struct(struct metric_writer *w, const char *prefix, const struct metric_row *rows,
		   size_t n, const void *stats);

#endif
