/*
 * A text that is in force is changed in one place, and loaded again: in parts where that can be. What
 * comes out is what the whole text gives. The input: where (2 bytes), how many bytes go (1 byte), and
 * what takes their place.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/print.h"
#include "config/reread.h"

static void base_write(struct buf *t)
{
	buf_puts(t, "peers:\n- {my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1}\naddress-pools:\n");
	for (unsigned i = 0; i < 12; i++)
		buf_printf(t, "- name: p%u\n  protocol: bgp\n  addresses: [10.1.%u.0/28]\n", i, i);
	buf_puts(t, "services:\n");
	for (unsigned i = 0; i < 12; i++)
		buf_printf(t, "- {name: s%u, address-pool: p%u}\n", i, i);
	buf_puts(t, "networks:\n");
	for (unsigned i = 0; i < 12; i++)
		buf_printf(t, "  - prefix: 10.2.%u.0/24\n", i);
	/* Long enough to be remembered. */
	while (t->len < REREAD_MIN)
		buf_puts(t, "# ---------------------------------------------------------------\n");
	buf_puts(t, "log: {level: info}\n");
}

static int load(const struct buf *t, const struct cfg *before, const struct cfg **out,
		struct cfg_report *report)
{
	const struct cfg_text one = { "fuzz", buf_text(t), t->len };

	return cfg_load_input(&(struct cfg_input){ .texts = &one,
						   .n_texts = 1,
						   .host_name = "fuzz",
						   .before = before,
						   .keep = true },
			      out, report);
}

static void same_reports(const struct cfg_report *a, const struct cfg_report *b)
{
	struct buf x = { 0 }, y = { 0 };

	cfg_report_text(a, false, &x);
	cfg_report_text(b, false, &y);
	assert(strcmp(buf_text(&x), buf_text(&y)) == 0);
	buf_fini(&x);
	buf_fini(&y);
}

static void load_both(const struct buf *t, const struct cfg *before)
{
	struct cfg_report one, other;
	const struct cfg *again = NULL, *whole = NULL;
	int rc = load(t, before, &again, &one);

	assert(rc == load(t, NULL, &whole, &other));
	same_reports(&one, &other);
	if (rc == 0) {
		json_t *x = cfg_to_json(again, true), *y = cfg_to_json(whole, true);

		assert(json_equal(x, y));
		assert(again->hash == whole->hash && again->asked == whole->asked);
		json_decref(x);
		json_decref(y);
	}
	cfg_report_fini(&one);
	cfg_report_fini(&other);
	cfg_free(again);
	cfg_free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf base = { 0 }, text = { 0 };
	struct cfg_report report;
	const struct cfg *before = NULL;

	base_write(&base);
	assert(load(&base, NULL, &before, &report) == 0);
	if (size >= 3) {
		size_t from = (size_t)data[0] * 8 + data[1] % 8;
		size_t gone = data[2];

		buf_append(&text, base.p, from);
		buf_append(&text, data + 3, size - 3);
		buf_append(&text, base.p + from + gone, base.len - from - gone);
		load_both(&text, before);
	}
	cfg_report_fini(&report);
	cfg_free(before);
	buf_fini(&text);
	buf_fini(&base);
	return 0;
}

FUZZ_MAIN;
