/* Files of great size, and files that would like to be: memory stays within bounds. */
#include "resource_test.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1024 * 1024)

#ifdef __SANITIZE_ADDRESS__
#define TIMES_MAX 80 /* shadow memory, red zones, quarantine */
#define BASE_KIB  (96 * 1024)
#else
#define TIMES_MAX 20
#define BASE_KIB  (16 * 1024)
#endif

/* Loads in a process of its own, whose peak is its own too. */
static void loads_within(const struct buf *text, bool good)
{
	struct rusage usage;
	size_t limit_kib = BASE_KIB + text->len / 1024 * TIMES_MAX;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct cfg_report report;
		const struct cfg *c = NULL;
		int rc = cfg_load_text("big", buf_text(text), text->len, "host", &c, &report);

		_exit((rc == 0) == good ? 0 : 1);
	}
	assert_int_equal(wait4(child, &status, 0, &usage), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if ((size_t)usage.ru_maxrss > limit_kib)
		fail_msg("%ld KiB for a text of %zu bytes", usage.ru_maxrss, text->len);
}

static void many_objects(void **state)
{
	(void)state;
	struct buf text = { 0 };

	for (unsigned i = 0; text.len < 4 * MIB; i++)
		buf_printf(&text,
			   "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n"
			   "  name: pool-%u\n  namespace: m\n  labels: {zone: z%u}\n"
			   "spec:\n  addresses:\n  - 10.%u.%u.%u/32\n  autoAssign: true\n---\n",
			   i, i % 100, i >> 16 & 255, i >> 8 & 255, i & 255);
	buf_puts(&text, R_L2(""));
	loads_within(&text, true);
	buf_fini(&text);
}

/* Every advertisement of every pool would be a square; all of them share one list. */
static void many_advertisements(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_puts(&text, R_EBGP);
	for (unsigned i = 0; i < 8000; i++) {
		buf_printf(&text, R_POOL("p%u", "addresses: [10.0.%u.%u/32]"), i, i >> 8, i & 255);
		buf_printf(&text, R_BGP("a%u", ""), i);
	}
	loads_within(&text, true);
	buf_fini(&text);
}

/* Selectors that would be matched a hundred million times. */
static void many_selectors(void **state)
{
	(void)state;
	struct buf text = { 0 };

	for (unsigned i = 0; i < 10000; i++) {
		buf_printf(&text, R_POOL("p%u", "addresses: [10.0.%u.%u/32]"), i, i >> 8, i & 255);
		buf_printf(&text,
			   RESOURCE("v1beta1", "L2Advertisement", "a%u",
				    "ipAddressPoolSelectors: [{matchLabels: {a: b}}]"),
			   i);
	}
	loads_within(&text, false);
	buf_fini(&text);
}

/* One Community of many values, by its name in many advertisements. */
static void many_values(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_puts(&text, "apiVersion: metallb.io/v1beta1\nkind: Community\nmetadata: {name: all}\n"
			"spec:\n  communities:\n");
	for (unsigned i = 0; i < 5000; i++)
		buf_printf(&text, "  - {name: c%u, value: '1:%u'}\n", i, i);
	buf_puts(&text, "---\n");
	for (unsigned i = 0; i < 5000; i++)
		buf_printf(&text, R_BGP("a%u", "communities: [all]"), i);
	loads_within(&text, false);
	buf_fini(&text);
}

static void aliases_that_explode(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_puts(&text, "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\n"
			"metadata: {name: a}\nspec:\n  a: &a [x, x, x, x, x, x, x, x, x, x]\n");
	for (char c = 'b'; c <= 'k'; c++)
		buf_printf(&text, "  %c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n",
			   c, c, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1,
			   c - 1);
	loads_within(&text, false);
	buf_fini(&text);
}

static void nesting_without_end(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_puts(&text, "apiVersion: v1\nkind: List\nitems: ");
	for (size_t i = 0; i < 1000000; i++)
		buf_puts(&text, "[");
	loads_within(&text, false);
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_objects),		cmocka_unit_test(many_advertisements),
		cmocka_unit_test(many_selectors),	cmocka_unit_test(many_values),
		cmocka_unit_test(aliases_that_explode), cmocka_unit_test(nesting_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
