/* Any frame, into the announcer as from the ARP socket. */
#include "fuzz.h"

#include "l2/arp.h"
#include "rx.h"

FUZZ_MAIN;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_rx f;

	if (!f.announcer)
		fuzz_rx_init(&f, "192.0.2.10");
	fuzz_rx(&f, data, size, ARP_FRAME_LEN);
	return 0;
}
