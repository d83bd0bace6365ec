/*
 * Packets as they are after decryption; each input is a sequence of them, two bytes of length in
 * front.
 */
#include "fuzz.h"

#include "core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_from(data, size);
	struct addr from = addr_v4(10, 99, 0, 2);
	struct fuzz_core c;

	fuzz_core_init(&c);
	while (r.left) {
		struct rd packet = rd_sub(&r, rd_u16(&r));

		gossip_packet(c.g, &from, GOSSIP_PORT, packet, c.now);
		fuzz_core_drain(&c);
		fuzz_core_wait(&c, 1);
	}
	fuzz_core_wait(&c, 10);
	gossip_free(c.g);
	return 0;
}

FUZZ_MAIN;
