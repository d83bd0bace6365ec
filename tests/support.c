#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/rng.h"

int run_table(const char *group, const void *rows, size_t n, size_t row_size,
	      void (*fn)(void **state))
{
	struct CMUnitTest *tests = mem_new_n(struct CMUnitTest, n);

	for (size_t i = 0; i < n; i++) {
		const char *row = (const char *)rows + i * row_size;

		tests[i].name = *(const char *const *)row;
		tests[i].test_func = fn;
		tests[i].initial_state = (void *)(uintptr_t)row;
	}
	int failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
	free(tests);
	return failed;
}

size_t unhex(const char *hex, uint8_t *out, size_t cap)
{
	long n = bytes_unhex(hex, out, cap);

	if (n < 0)
		fail_msg("bad hex: %s", hex);
	return (size_t)n;
}

char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");

	if (!f)
		fail_msg("cannot open %s", path);
	fseek(f, 0, SEEK_END);
	long size = ftell(f);
	rewind(f);
	char *text = mem_new_n(char, (size_t)size + 1);
	if (fread(text, 1, (size_t)size, f) != (size_t)size)
		fail_msg("cannot read %s", path);
	fclose(f);
	if (len)
		*len = (size_t)size;
	return text;
}

uint64_t test_seed(void)
{
	const char *given = getenv("TEST_SEED");
	uint64_t seed;

	if (given)
		seed = strtoull(given, NULL, 0);
	else
		rng_secure(&seed, sizeof(seed));
	printf("TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}
