#include "cluster/suspicion.h"

#include <math.h>
#include <stdio.h>

/* To a thousandth, as everybody else reckons. */
static double node_scale(size_t n)
{
	double scale = log10(fmax(1.0, (double)n));

	return floor(fmax(1.0, scale) * 1000) / 1000;
}

static struct mono end_of(const struct suspicion *s)
{
	if (s->wanted == 0)
		return mono_add(s->start, s->min);
	double share = log(s->confirmed + 1.0) / log(s->wanted + 1.0);
	double span_ns = (double)(s->max.ns - s->min.ns);
	double wait_ms = floor(((double)s->max.ns - span_ns * share) / 1e6);
	struct dur wait = DUR_MS((int64_t)wait_ms);

	return mono_add(s->start, wait.ns < s->min.ns ? s->min : wait);
}

void suspicion_start(struct suspicion *s, const char *from, size_t n, unsigned mult,
		     unsigned max_mult, struct dur probe_interval, struct mono now)
{
	*s = (struct suspicion){ .start = now };
	s->min = DUR_NS((int64_t)((double)probe_interval.ns * mult * node_scale(n)));
	s->max = DUR_NS(s->min.ns * max_mult);
	s->wanted = mult > 2 ? MIN(mult - 2, SUSPICION_CONFIRMATIONS_MAX) : 0;
	if (n < s->wanted + 2) /* besides us and the accused nobody could confirm often enough */
		s->wanted = 0;
	s->at = end_of(s);
	snprintf(s->from[0], sizeof(s->from[0]), "%s", from);
}

bool suspicion_confirm(struct suspicion *s, const char *from)
{
	if (s->confirmed >= s->wanted)
		return false;
	for (unsigned i = 0; i <= s->confirmed; i++) {
		if (strcmp(s->from[i], from) == 0)
			return false;
	}
	s->confirmed++;
	snprintf(s->from[s->confirmed], sizeof(s->from[0]), "%s", from);
	s->at = end_of(s);
	return true;
}
