#include "config/middle.h"

struct middle middle_of(size_t n_from, size_t n_to,
			bool (*same)(const void *ctx, size_t i, size_t j), const void *ctx)
{
	struct middle m = { .end_from = n_from, .end_to = n_to };

	while (m.first < m.end_from && m.first < m.end_to && same(ctx, m.first, m.first))
		m.first++;
	while (m.end_from > m.first && m.end_to > m.first &&
	       same(ctx, m.end_from - 1, m.end_to - 1)) {
		m.end_from--;
		m.end_to--;
	}
	return m;
}
