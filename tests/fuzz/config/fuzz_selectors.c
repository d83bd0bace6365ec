/*
 * A list of label selectors, in Kubernetes' spelling: what is accepted keeps the rules of terms, and
 * answers for any labels.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "config/load.h"

static void selectors_are_sound(const struct selectors *s)
{
	static const struct label labels[] = { { "a", "b" }, { "example.org/c", "" } };
	const struct labels some = { .v = labels, .n = 2 }, none = { 0 };
	struct err e = { 0 };
	bool any = s->n == 0;

	for (size_t i = 0; i < s->n; i++) {
		any |= selector_matches(&s->v[i], &some);
		for (size_t j = 0; j < s->v[i].n; j++)
			assert(selector_term_check(&s->v[i].terms[j], &e) == 0);
		for (size_t j = 0; j < i; j++)
			assert(!selector_eq(&s->v[i], &s->v[j]));
	}
	assert(selectors_match(s, &some) == any);
	(void)selectors_match(s, &none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cfg_report report;
	const struct cfg *c = NULL;
	struct buf text = { 0 };

	buf_puts(&text, "apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\n"
			"metadata: {name: a}\nspec:\n  nodeSelectors: ");
	buf_append(&text, data, size);
	int rc = cfg_load_text("fuzz", buf_text(&text), text.len, "fuzz", &c, &report);
	assert((rc == 0) == (report.errors.n == 0));
	for (size_t i = 0; rc == 0 && i < c->n_l2_advs; i++)
		selectors_are_sound(&c->l2_advs[i].node_selectors);
	cfg_free(c);
	cfg_report_fini(&report);
	buf_fini(&text);
	return 0;
}

FUZZ_MAIN;
