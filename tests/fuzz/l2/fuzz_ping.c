/* Any frame as an echo request: a reply is as long as the request, or shorter by what followed it. */
#include "fuzz.h"

#include "l2/ping.h"

FUZZ_MAIN;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t reply[1 << 17];
	const struct mac mac = { { 2, 0, 0, 0, 0, 0x0b } };
	struct ping_request p;
	struct wr w = wr_to(reply, sizeof(reply));

	if (ping_request_decode(rd_from(data, size), &p) != L2_RX_OK)
		return 0;
	ping_reply_build(&w, &mac, &p);
	if (w.bad || w.len > size)
		abort();
	return 0;
}
