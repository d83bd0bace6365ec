#include "cluster/mesh_key.h"

#include <string.h>

#include "support.h"

/* RFC 5869, appendix A.3: no salt, no info. */
static void as_the_rfc_has_it(void **state)
{
	static const uint8_t secret[22] = { [0 ... 21] = 0x0b };
	uint8_t want[42], got[42];
	(void)state;

	assert_int_equal(unhex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
			       "9d201395faa4b61a96c8",
			       want, sizeof(want)),
			 42);
	assert_true(mesh_key_derive(secret, sizeof(secret), "", got, sizeof(got)));
	assert_memory_equal(got, want, 42);
}

static void each_use_has_its_own(void **state)
{
	uint8_t a[32], b[32];
	(void)state;

	assert_true(mesh_key_derive("s", 1, MESH_KEY_HEARTBEATS, a, sizeof(a)));
	assert_true(mesh_key_derive("s", 1, MESH_KEY_FRAMES, b, sizeof(b)));
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_rfc_has_it),
		cmocka_unit_test(each_use_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
