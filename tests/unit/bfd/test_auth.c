#include "bfd/auth.h"

#include "bfd/session.h"
#include "support.h"

static const struct bfd_pkt up = {
	.state = BFD_UP,
	.detect_mult = 3,
	.my_disc = 1,
	.your_disc = 2,
	.desired_min_tx_us = 1000000,
	.required_min_rx_us = 1000000,
};

static struct bfd_auth_key key(uint8_t id, const char *secret)
{
	struct bfd_auth_key k = { .id = id, .len = (uint8_t)strlen(secret) };

	memcpy(k.secret, secret, k.len);
	return k;
}

static struct bfd_auth *auth(enum bfd_auth_type type, const struct bfd_auth_key *keys, size_t n)
{
	struct bfd_auth *a = NULL;
	struct err e;

	assert_int_equal(bfd_auth_new(type, keys, n, &a, &e), 0);
	return a;
}

static struct bfd_auth *auth_one(enum bfd_auth_type type, const char *secret)
{
	struct bfd_auth_key k = key(1, secret);

	return auth(type, &k, 1);
}

/** A packet as it flies. */
struct wire {
	uint8_t bytes[BFD_PKT_MAX];
	size_t len;
};

static struct wire sign(struct bfd_auth *a, uint32_t seq)
{
	struct wire x = { 0 };
	struct wr w = wr_to(x.bytes, sizeof(x.bytes));

	bfd_auth_encode(a, &up, seq, &w);
	assert_false(w.bad);
	x.len = w.len;
	return x;
}

static bool passes(struct bfd_auth *a, const struct wire *x)
{
	struct bfd_pkt pkt;

	return bfd_pkt_decode(rd_from(x->bytes, x->len), &pkt) == BFD_PKT_OK &&
	       bfd_auth_verify(a, &pkt);
}

/* The section as RFC 5880 §4.2-4.4 draws it; digests reckoned by `openssl dgst` from the bytes before. */
static void sections_are_as_the_rfc_draws_them(void **state)
{
	static const struct {
		enum bfd_auth_type type;
		const char *hex;
	} cases[] = {
		{ BFD_AUTH_SIMPLE, "20c40321 00000001 00000002 000f4240 000f4240 00000000"
				   "0109 01736563726574" },
		{ BFD_AUTH_KEYED_MD5, "20c40330 00000001 00000002 000f4240 000f4240 00000000"
				      "02180100 00000007 5c4a9f4af2c5e70bb53d85f4786e80dc" },
		{ BFD_AUTH_METICULOUS_MD5, "20c40330 00000001 00000002 000f4240 000f4240 00000000"
					   "03180100 00000007 2830e461c45adc4d6064b62a25c86206" },
		{ BFD_AUTH_KEYED_SHA1,
		  "20c40334 00000001 00000002 000f4240 000f4240 00000000"
		  "041c0100 00000007 e5596c9c41608f750b1d5c6ebee5c434e481967a" },
		{ BFD_AUTH_METICULOUS_SHA1,
		  "20c40334 00000001 00000002 000f4240 000f4240 00000000"
		  "051c0100 00000007 e71a9843dc21efc7aaa4ca938423190b93345146" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bfd_auth *a = auth_one(cases[i].type, "secret");
		struct wire x = sign(a, 7);
		uint8_t want[BFD_PKT_MAX];

		assert_int_equal(x.len, unhex(cases[i].hex, want, sizeof(want)));
		assert_memory_equal(x.bytes, want, x.len);
		assert_true(passes(a, &x));
		bfd_auth_free(a);
	}
}

static void a_changed_bit_is_seen(void **state)
{
	(void)state;
	for (unsigned type = BFD_AUTH_SIMPLE; type < BFD_AUTH_TYPE_COUNT; type++) {
		struct bfd_auth *a = auth_one(type, "secret");
		struct wire x = sign(a, 7);
		size_t from = type == BFD_AUTH_SIMPLE ? BFD_PKT_LEN : 0;

		for (size_t i = from * 8; i < x.len * 8; i++) {
			if (type != BFD_AUTH_SIMPLE && i / 8 == BFD_PKT_LEN + 3)
				continue; /* reserved, but signed as well: checked below */
			x.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
			assert_false(passes(a, &x));
			x.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		}
		x.bytes[BFD_PKT_LEN + 3] ^= 1;
		assert_false(passes(a, &x));
		bfd_auth_free(a);
	}
}

static void others_are_refused(void **state)
{
	(void)state;
	for (unsigned type = BFD_AUTH_SIMPLE; type < BFD_AUTH_TYPE_COUNT; type++) {
		unsigned next = type % (BFD_AUTH_TYPE_COUNT - 1) + 1;
		struct bfd_auth *a = auth_one(type, "secret");
		struct bfd_auth *other_key = auth_one(type, "Secret");
		struct bfd_auth *other_type = auth_one(next, "secret");
		struct wire x = sign(a, 7);

		assert_false(passes(other_key, &x));
		assert_false(passes(other_type, &x));
		bfd_auth_free(a);
		bfd_auth_free(other_key);
		bfd_auth_free(other_type);
	}
}

static void keys_can_change(void **state)
{
	const struct bfd_auth_key old_key = key(1, "old"), new_key = key(2, "new");
	const struct bfd_auth_key both[] = { new_key, old_key };
	struct bfd_auth *before = auth(BFD_AUTH_KEYED_SHA1, &old_key, 1);
	struct bfd_auth *between = auth(BFD_AUTH_KEYED_SHA1, both, 2);
	struct bfd_auth *after = auth(BFD_AUTH_KEYED_SHA1, &new_key, 1);
	struct wire with_old = sign(before, 1), with_new = sign(between, 2);

	(void)state;
	assert_true(passes(between, &with_old));
	assert_true(passes(between, &with_new));
	assert_true(passes(after, &with_new));
	assert_false(passes(after, &with_old));
	bfd_auth_free(before);
	bfd_auth_free(between);
	bfd_auth_free(after);
}

static void bad_keys_are_refused(void **state)
{
	const struct bfd_auth_key twice[] = { key(1, "a"), key(1, "b") };
	struct bfd_auth_key empty = key(1, ""), long_one = key(1, "12345678901234567");
	struct bfd_auth *a = NULL;
	struct err e;

	(void)state;
	assert_int_equal(bfd_auth_new(BFD_AUTH_SIMPLE, &empty, 1, &a, &e), -ERR_CONFIG);
	assert_int_equal(bfd_auth_new(BFD_AUTH_KEYED_MD5, &long_one, 1, &a, &e), -ERR_CONFIG);
	assert_int_equal(bfd_auth_new(BFD_AUTH_KEYED_MD5, twice, 2, &a, &e), -ERR_CONFIG);
	assert_int_equal(bfd_auth_new(BFD_AUTH_NONE, twice, 1, &a, &e), -ERR_CONFIG);
	assert_int_equal(bfd_auth_new(BFD_AUTH_KEYED_SHA1, &long_one, 0, &a, &e), -ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_as_the_rfc_draws_them),
		cmocka_unit_test(a_changed_bit_is_seen),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(keys_can_change),
		cmocka_unit_test(bad_keys_are_refused),
	};

	return cmocka_run_group_tests_name("BFD authentication", tests, NULL, NULL);
}
