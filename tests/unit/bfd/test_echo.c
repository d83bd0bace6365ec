#include "bfd/echo.h"

#include <string.h>

#include "support.h"

#define MS(n) ((struct mono){ .ns = (int64_t)(n)*1000000 })
#define DISC  0x1234

static struct rng jitter;

static struct bfd_echo echo_on(void)
{
	struct bfd_echo e;

	rng_seed(&jitter, 3);
	bfd_echo_init(&e, DISC, &jitter);
	assert_true(mono_is_never(bfd_echo_deadline(&e)));
	assert_true(bfd_echo_apply(&e, 50000, 3, MS(1000)));
	return e;
}

static struct rd packet(const uint8_t bytes[BFD_ECHO_LEN])
{
	return rd_from(bytes, BFD_ECHO_LEN);
}

static void it_is_sent_at_once_and_then_with_jitter(void **state)
{
	struct bfd_echo e = echo_on();
	uint8_t out[BFD_ECHO_LEN];

	(void)state;
	assert_int_equal(bfd_echo_tick(&e, MS(1000), out), BFD_ECHO_SEND);
	for (int i = 0; i < 1000; i++) {
		struct mono before = e.rx_last, at = bfd_echo_deadline(&e);

		assert_true(bfd_echo_rx(&e, packet(out), at));
		assert_int_equal(bfd_echo_tick(&e, at, out), BFD_ECHO_SEND);
		if (i == 0)
			continue;
		int64_t gap = mono_sub(at, before).ns;
		assert_in_range(gap, 37500000, 50000000);
	}
}

static void silence_fails(void **state)
{
	struct bfd_echo e = echo_on();
	uint8_t out[BFD_ECHO_LEN];
	unsigned sent = 0;
	enum bfd_echo_due due;

	(void)state;
	while ((due = bfd_echo_tick(&e, bfd_echo_deadline(&e), out)) == BFD_ECHO_SEND)
		sent++;
	assert_int_equal(due, BFD_ECHO_FAILED);
	assert_in_range(sent, 3, 5);
	assert_false(bfd_echo_is_on(&e));
	assert_true(mono_is_never(bfd_echo_deadline(&e)));
}

static void what_cannot_be_sent_proves_nothing(void **state)
{
	struct bfd_echo e = echo_on();
	uint8_t out[BFD_ECHO_LEN];

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct mono at = bfd_echo_deadline(&e);

		assert_int_equal(bfd_echo_tick(&e, at, out), BFD_ECHO_SEND);
		bfd_echo_unsent(&e, at);
	}
}

static void each_packet_counts_once(void **state)
{
	struct bfd_echo e = echo_on();
	uint8_t out[BFD_ECHO_LEN], forged[BFD_ECHO_LEN];

	(void)state;
	assert_int_equal(bfd_echo_tick(&e, MS(1000), out), BFD_ECHO_SEND);
	assert_int_equal(bfd_echo_disc(packet(out)), DISC);
	memcpy(forged, out, sizeof(forged));
	forged[BFD_ECHO_LEN - 1] ^= 1;
	assert_false(bfd_echo_rx(&e, packet(forged), MS(1001)));
	assert_true(bfd_echo_rx(&e, packet(out), MS(1001)));
	assert_false(bfd_echo_rx(&e, packet(out), MS(1002)));
	assert_false(bfd_echo_rx(&e, rd_from(out, 20), MS(1002)));
	memset(forged, 0, sizeof(forged));
	assert_false(bfd_echo_rx(&e, packet(forged), MS(1002)));
	assert_int_equal(bfd_echo_disc(packet(forged)), 0);
	assert_int_equal(e.rx_last.ns, MS(1001).ns);
}

static void a_new_pace_begins_anew(void **state)
{
	struct bfd_echo e = echo_on();
	uint8_t out[BFD_ECHO_LEN];

	(void)state;
	assert_int_equal(bfd_echo_tick(&e, MS(1000), out), BFD_ECHO_SEND);
	assert_true(bfd_echo_rx(&e, packet(out), MS(1001)));
	assert_false(bfd_echo_apply(&e, 10000, 3, MS(1100))); /* 99 ms after the last one */
	assert_int_equal(bfd_echo_tick(&e, MS(1100), out), BFD_ECHO_SEND);
	assert_true(bfd_echo_apply(&e, 0, 3, MS(1101)));
	assert_false(bfd_echo_rx(&e, packet(out), MS(1102)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_sent_at_once_and_then_with_jitter),
		cmocka_unit_test(silence_fails),
		cmocka_unit_test(what_cannot_be_sent_proves_nothing),
		cmocka_unit_test(each_packet_counts_once),
		cmocka_unit_test(a_new_pace_begins_anew),
	};

	return cmocka_run_group_tests_name("BFD echo", tests, NULL, NULL);
}
