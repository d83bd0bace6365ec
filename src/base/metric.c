#include "base/metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Doubles hold every integer up to here. */
#define EXACT_INTEGER_MAX 9007199254740992.0

static void put_escaped(struct buf *out, const char *s, const char *special)
{
	for (; *s; s++) {
		if (*s == '\n') {
			buf_puts(out, "\\n");
			continue;
		}
		if (strchr(special, *s))
			buf_append(out, "\\", 1);
		buf_append(out, s, 1);
	}
}

/* Whole numbers as such, others with the fewest digits that read back as the same number. */
static void put_value(struct buf *out, double v)
{
	char text[32];

	if (isnan(v)) {
		buf_puts(out, "NaN");
	} else if (isinf(v)) {
		buf_puts(out, v > 0 ? "+Inf" : "-Inf");
	} else if (v == trunc(v) && fabs(v) <= EXACT_INTEGER_MAX) {
		buf_printf(out, "%.0f", v);
	} else {
		for (int digits = 15; digits <= 17; digits++) {
			snprintf(text, sizeof(text), "%.*g", digits, v);
			if (strtod(text, NULL) == v)
				break;
		}
		buf_puts(out, text);
	}
}

void metric_family(struct metric_writer *w, enum metric_type type, const char *name,
		   const char *help)
{
	buf_printf(w->out, "# HELP %s ", name);
	put_escaped(w->out, help, "\\");
	buf_printf(w->out, "\n# TYPE %s %s\n", name, type == METRIC_COUNTER ? "counter" : "gauge");
}

void metric_sample(struct metric_writer *w, const char *name, const struct metric_label *labels,
		   size_t n, double v)
{
	buf_puts(w->out, name);
	for (size_t i = 0; i < n; i++) {
		buf_printf(w->out, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
		put_escaped(w->out, labels[i].value, "\\\"");
		buf_puts(w->out, "\"");
	}
	buf_puts(w->out, n > 0 ? "} " : " ");
	put_value(w->out, v);
	buf_puts(w->out, "\n");
}

void metric_struct(struct metric_writer *w, const char *prefix, const struct metric_row *rows,
		   size_t n, const void *stats)
{
	for (size_t i = 0; i < n; i++) {
		const struct metric_row *r = &rows[i];
		CLEANUP(mem_freep)
		char *name = mem_printf("%s%s%s", prefix, r->name,
					r->type == METRIC_COUNTER ? "_total" : "");
		uint64_t v;

		memcpy(&v, (const char *)stats + r->offset, sizeof(v));
		metric_family(w, r->type, name, r->help);
		metric_sample(w, name, NULL, 0, (double)v);
	}
}
