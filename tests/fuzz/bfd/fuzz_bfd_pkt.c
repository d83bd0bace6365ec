#include "bfd/pkt.h"
#include "fuzz.h"

/* What is accepted must say the same after being written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t first[BFD_PKT_LEN], second[BFD_PKT_LEN];
	struct bfd_pkt pkt, again;

	if (bfd_pkt_decode(rd_from(data, size), &pkt) != BFD_PKT_OK)
		return 0;
	struct wr w = wr_to(first, sizeof(first));
	bfd_pkt_encode(&pkt, 0, &w);
	if (w.bad || w.len != BFD_PKT_LEN ||
	    bfd_pkt_decode(rd_from(first, sizeof(first)), &again) != BFD_PKT_OK)
		__builtin_trap();
	w = wr_to(second, sizeof(second));
	bfd_pkt_encode(&again, 0, &w);
	if (memcmp(first, second, sizeof(first)) != 0)
		__builtin_trap();
	return 0;
}

FUZZ_MAIN;
