/*
 * Any frame, into the announcer as from the IPv6 socket: as it is, and again with the check sum
 * made right, so that what lies behind it is reached too.
 */
#include "fuzz.h"

#include <string.h>

#include "l2/ndp.h"
#include "rx.h"

FUZZ_MAIN;

enum { FRAME_MAX = 512, IPV6_AT = 14, ICMP6_AT = 54, CHECKSUM_AT = 56, NEXT_HEADER_ICMP6 = 58 };

static void fix_checksum(uint8_t *frame, size_t size)
{
	size_t len = ((size_t)frame[IPV6_AT + 4] << 8) | frame[IPV6_AT + 5];

	if (len > size - ICMP6_AT)
		return;
	memset(frame + CHECKSUM_AT, 0, 2);
	uint32_t sum = bytes_csum_add((uint32_t)len + NEXT_HEADER_ICMP6, frame + IPV6_AT + 8, 32);
	uint16_t check = bytes_csum_fold(bytes_csum_add(sum, frame + ICMP6_AT, len));
	frame[CHECKSUM_AT] = (uint8_t)(check >> 8);
	frame[CHECKSUM_AT + 1] = (uint8_t)check;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_rx f;
	uint8_t frame[FRAME_MAX];

	if (!f.announcer)
		fuzz_rx_init(&f, "2001:db8::10");
	fuzz_rx(&f, data, size, NDP_ADVERT_LEN);
	if (size < CHECKSUM_AT + 2 || size > sizeof(frame))
		return 0;
	memcpy(frame, data, size);
	fix_checksum(frame, size);
	fuzz_rx(&f, frame, size, NDP_ADVERT_LEN);
	return 0;
}
