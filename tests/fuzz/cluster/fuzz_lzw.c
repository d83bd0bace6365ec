/* Any bytes decompress or are refused; and any bytes, compressed, come back. */
#include "fuzz.h"

#include "cluster/lzw.h"

enum { PLAIN_MAX = 1 << 16 };

static void round_trip(struct rd in)
{
	size_t cap = LZW_BOUND(in.left);
	uint8_t *packed = mem_new_n(uint8_t, cap);
	uint8_t *plain = mem_new_n(uint8_t, in.left + 1);
	struct wr w = wr_to(packed, cap);
	struct wr back = wr_to(plain, in.left);

	lzw_compress(in, &w);
	if (w.bad || !lzw_decompress(rd_from(packed, w.len), &back) || back.len != in.left ||
	    (in.left && memcmp(plain, in.p, in.left) != 0))
		__builtin_trap();
	free(packed);
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[PLAIN_MAX];
	struct wr w = wr_to(room, sizeof(room));

	if (lzw_decompress(rd_from(data, size), &w))
		round_trip(rd_from(w.p, w.len));
	round_trip(rd_from(data, size));
	return 0;
}

FUZZ_MAIN;
