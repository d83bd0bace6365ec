/*
 * Any frames, as a listener's socket hears them: each as it is, and again with its check sum made right, so that what
 * lies behind that is reached too. Whatever comes, what is said keeps to the pace and fits a frame.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "l2/mld.h"

FUZZ_MAIN;

enum {
	FRAME_MAX = 512,
	GROUPS = 200,
	IPV6_AT = 14,
	ICMP6_AT = 62,
	CHECKSUM_AT = 64,
	NEXT_HEADER_ICMP6 = 58,
	LOOKS = 50
};

static void fix_checksum(uint8_t *frame, size_t size)
{
	size_t len = ((size_t)frame[IPV6_AT + 4] << 8) | frame[IPV6_AT + 5];
	size_t options = ICMP6_AT - IPV6_AT - 40;

	if (len < options || len - options > size - ICMP6_AT)
		return;
	len -= options;
	memset(frame + CHECKSUM_AT, 0, 2);
	uint32_t sum = bytes_csum_add((uint32_t)len + NEXT_HEADER_ICMP6, frame + IPV6_AT + 8, 32);
	uint16_t check = bytes_csum_fold(bytes_csum_add(sum, frame + ICMP6_AT, len));
	frame[CHECKSUM_AT] = (uint8_t)(check >> 8);
	frame[CHECKSUM_AT + 1] = (uint8_t)check;
}

/** A hundred milliseconds of what it says, in steps. */
static void listen_to_it(struct mld *m, struct mono now)
{
	unsigned said = 0;

	for (unsigned i = 0; i < LOOKS; i++, now = mono_add(now, DUR_MS(2))) {
		uint8_t frame[MLD_FRAME_MAX];
		struct wr w = wr_to(frame, sizeof(frame));
		while (mld_next(m, now, &w)) {
			if (w.bad || w.len == 0)
				abort();
			w = wr_to(frame, sizeof(frame));
			said++;
		}
		if (mono_before(mld_deadline(m), now) && said % MLD_PACE_PACKETS != 0)
			abort();
	}
	if (said > 11 * MLD_PACE_PACKETS)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mld_stats stats;
	static uint32_t groups[GROUPS];
	const struct mld_link link = { .mtu = 1500 };
	struct mld *m = mld_new(1, &stats);
	struct mono now = { .ns = 1 };
	uint8_t frame[FRAME_MAX];

	for (uint32_t i = 0; i < GROUPS; i++)
		groups[i] = 8 * i;
	mld_set_link(m, &link, now);
	mld_listen(m, groups, GROUPS, now);
	(void)mld_input(m, rd_from(data, size), now);
	listen_to_it(m, now);
	if (size >= CHECKSUM_AT + 2 && size <= sizeof(frame)) {
		memcpy(frame, data, size);
		fix_checksum(frame, size);
		now = mono_add(now, DUR_MS(100));
		(void)mld_input(m, rd_from(frame, size), now);
		listen_to_it(m, now);
	}
	mld_free(m);
	return 0;
}
