#include "l2/stats.h"

#include <assert.h>

static const char *const outcomes[] = {
#define ROW(id, text) [L2_RX_##id] = text,
	L2_RX_OUTCOMES(ROW)
#undef ROW
};

const struct metric_row l2_metric_rows[] = { L2_METRICS(METRIC_ROW, struct l2_stats) };
const size_t l2_metric_rows_n = ARRAY_LEN(l2_metric_rows);

const char *l2_rx_name(enum l2_rx rx)
{
	return outcomes[rx];
}

/* The structs hold nothing but counters, so they are read as the arrays that they are. */
static_assert(sizeof(struct l2_stats) % sizeof(uint64_t) == 0, "counters only");
static_assert(sizeof(struct l2_address_stats) % sizeof(uint64_t) == 0, "counters only");

static void counters_read(const void *from, void *to, size_t size)
{
	const uint64_t *src = from;
	uint64_t *dst = to;

	for (size_t i = 0; i < size / sizeof(*src); i++)
		dst[i] = __atomic_load_n(&src[i], __ATOMIC_RELAXED);
}

void l2_stats_read(const struct l2_stats *s, struct l2_stats *out)
{
	counters_read(s, out, sizeof(*s));
}

void l2_address_stats_read(const struct l2_address_stats *s, struct l2_address_stats *out)
{
	counters_read(s, out, sizeof(*s));
}
