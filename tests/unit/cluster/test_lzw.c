#include "cluster/lzw.h"

#include <zlib.h>

#include "base/rng.h"
#include "support.h"

enum { BIG = 100000 };

static struct rd pack(struct rd in, uint8_t *room, size_t cap)
{
	struct wr w = wr_to(room, cap);

	lzw_compress(in, &w);
	assert_false(w.bad);
	return rd_from(room, w.len);
}

static void round_trip(struct rd in)
{
	size_t cap = LZW_BOUND(in.left);
	uint8_t *packed = mem_new_n(uint8_t, cap);
	uint8_t *plain = mem_new_n(uint8_t, in.left + 1);
	struct wr w = wr_to(plain, in.left);

	assert_true(lzw_decompress(pack(in, packed, cap), &w));
	assert_int_equal(w.len, in.left);
	if (in.left)
		assert_memory_equal(plain, in.p, in.left);
	if (in.left) { /* one byte less room is too little */
		w = wr_to(plain, in.left - 1);
		assert_false(lzw_decompress(pack(in, packed, cap), &w));
	}
	free(packed);
	free(plain);
}

static void returns_what_was_packed(void **state)
{
	uint8_t *bytes = mem_new_n(uint8_t, BIG);
	struct rng rng;

	(void)state;
	rng_seed(&rng, test_seed());
	/*
	 * Few different bytes give long strings, many fill the dictionary soon: both cross a clear.
	 */
	for (unsigned letters = 1; letters <= 256; letters *= 4) {
		for (size_t i = 0; i < BIG; i++)
			bytes[i] = (uint8_t)rng_below(&rng, letters);
		round_trip(rd_from(bytes, BIG));
		for (int i = 0; i < 20; i++)
			round_trip(rd_from(bytes, (size_t)rng_below(&rng, 6000)));
	}
	free(bytes);
}

struct pack_case {
	const char *name;
	const char *plain;
	const char *packed; /* what Go's compress/lzw writes */
};

static const struct pack_case cases[] = {
	{ "empty", "", "00 03 02" },
	{ "one letter", "61", "00 c3 04 04" },
	{ "repeated", "616161616161", "00 c3 08 1c 18 10" },
};

static void packs_as_go_does(void **state)
{
	const struct pack_case *c = *state;
	uint8_t plain[64];
	uint8_t want[64];
	uint8_t got[64];
	size_t n_want = unhex(c->packed, want, sizeof(want));
	struct rd r = pack(rd_from(plain, unhex(c->plain, plain, sizeof(plain))), got, sizeof(got));

	assert_int_equal(r.left, n_want);
	assert_memory_equal(got, want, n_want);
}

/*
 * Go's output for the same bytes, known by length and checksum: long enough for clears and all
 * widths.
 */
static void packs_much_as_go_does(void **state)
{
	uint8_t plain[38000];
	uint8_t got[LZW_BOUND(sizeof(plain))];

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * i / 7 % 61);
	struct rd r = pack(rd_from(plain, sizeof(plain)), got, sizeof(got));
	assert_int_equal(r.left, 10644);
	assert_int_equal(crc32_z(0, r.p, r.left), 0x44ee84ca);
}

static const struct pack_case refused[] = {
	{ "nothing", "", "" },
	{ "no end", "", "00 c3 00" },
	{ "code not defined yet", "", "00 07 06 04" },
};

static void refuses(void **state)
{
	const struct pack_case *c = *state;
	uint8_t in[16];
	uint8_t out[64];
	struct wr w = wr_to(out, sizeof(out));

	assert_false(lzw_decompress(rd_from(in, unhex(c->packed, in, sizeof(in))), &w));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(returns_what_was_packed),
					    cmocka_unit_test(packs_much_as_go_does) };

	return cmocka_run_group_tests_name("lzw", tests, NULL, NULL) +
	       RUN_TABLE("lzw pack", cases, packs_as_go_does) +
	       RUN_TABLE("lzw refuse", refused, refuses);
}
