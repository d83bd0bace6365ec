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

/* Nothing but counters, so it is read as the array that it is. */
static_assert(sizeof(struct l2_stats) % sizeof(uint64_t) == 0, "counters only");

void l2_stats_read(const struct l2_stats *s, struct l2_stats *out)
{
	const uint64_t *from = (const uint64_t *)s;
	uint64_t *to = (uint64_t *)out;

	for (size_t i = 0; i < sizeof(*s) / sizeof(*from); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void l2_address_stats_read(const struct l2_address_stats *s, struct l2_address_stats *out)
{
#define READ(field) .field = __atomic_load_n(&s->field, __ATOMIC_RELAXED)
	*out = (struct l2_address_stats){
		READ(requests), READ(replies),	READ(gratuitous),    READ(conflicts),
		READ(rival),	READ(rival_at), READ(rival_ifindex), READ(defended_at),
		READ(told_at),	READ(verdict),	READ(owned),	     READ(hold),
	};
#undef READ
}
