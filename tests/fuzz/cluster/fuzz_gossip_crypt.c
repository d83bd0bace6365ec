/*
 * Packets as they come from the wire, where keys and a label are set. The first byte chooses the
 * settings.
 */
#include "fuzz.h"

#include "cluster/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[PACK_PACKET_MAX];
	struct rd packet = rd_from(data, MIN(size, sizeof(room)));
	uint8_t choice = rd_u8(&packet);
	struct crypt_ring ring = { .n = choice & 3 };
	struct pack_conf conf = {
		.ring = &ring,
		.label = choice & 4 ? "l2" : NULL,
		.crypt_version = 1,
		.accept_plain = choice & 8,
	};
	struct rd out;

	for (size_t i = 0; i < ring.n; i++) {
		ring.keys[i].len = (uint8_t)(16 + 8 * i);
		for (uint8_t k = 0; k < ring.keys[i].len; k++)
			ring.keys[i].bytes[k] = k;
	}
	if (pack_packet_open(&conf, packet, room, &out) == PACK_OK && out.left > packet.left)
		__builtin_trap();
	return 0;
}

FUZZ_MAIN;
