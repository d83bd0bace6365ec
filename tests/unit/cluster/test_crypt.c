#include "cluster/crypt.h"

#include "support.h"

static const char secret22[] = "AAECAwQFBgcICQoLDA0ODw";

struct key_case {
	const char *name;
	const char *secret;
	uint8_t len;
	const char *want;
};

static const struct key_case key_cases[] = {
	{ "padded to 32", "short-secret", 32,
	  "73686f72742d736563726574e3b0c44298fc1c149afbf4c8996fb92427ae41e4" },
	{ "22 characters, 16 bytes", secret22, 16, "41414543417751464267634943516f4c" },
	{ "22 characters, 32 bytes", secret22, 32,
	  "41414543417751464267634943516f4c4441304f4477e3b0c44298fc1c149afb" },
	{ "cut to 32", "0123456789abcdef0123456789abcdefXYZ", 32,
	  "3031323334353637383961626364656630313233343536373839616263646566" },
	{ "nothing", "", 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
};

static void derives(void **state)
{
	const struct key_case *c = *state;
	uint8_t want[CRYPT_KEY_MAX];
	struct crypt_key key = crypt_key_from_secret(c->secret, strlen(c->secret), c->len);

	assert_int_equal(unhex(c->want, want, sizeof(want)), c->len);
	assert_int_equal(key.len, c->len);
	assert_memory_equal(key.bytes, want, c->len);
}

static const uint8_t nonce[CRYPT_NONCE_LEN] = { 1, 2, 3 };

static struct crypt_ring ring_of(size_t key_len, uint8_t fill)
{
	struct crypt_ring ring = { 0 };
	uint8_t key[CRYPT_KEY_MAX];

	memset(key, fill, sizeof(key));
	assert_int_equal(crypt_ring_add(&ring, key, key_len), 0);
	return ring;
}

static struct rd seal(const struct crypt_ring *ring, uint8_t version, const char *text,
		      const char *aad, uint8_t *room, size_t cap)
{
	struct wr w = wr_to(room, cap);

	crypt_seal(ring, version, nonce, rd_from(text, strlen(text)), rd_from(aad, strlen(aad)),
		   &w);
	assert_false(w.bad);
	return rd_from(room, w.len);
}

static void opens_what_was_sealed(void **state)
{
	static const char *const texts[] = { "", "x", "fifteen bytes..", "sixteen bytes...",
					     "more than one block" };
	static const size_t key_lens[] = { 16, 24, 32 };
	uint8_t room[256];
	uint8_t plain[256];
	struct rd out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts) * ARRAY_LEN(key_lens) * 2; i++) {
		const char *text = texts[i % ARRAY_LEN(texts)];
		struct crypt_ring ring = ring_of(key_lens[i / 2 % ARRAY_LEN(key_lens)], 7);
		uint8_t version = i % 2;
		struct rd blob = seal(&ring, version, text, "aad", room, sizeof(room));

		if (version == 1)
			assert_int_equal(blob.left, strlen(text) + CRYPT_OVERHEAD);
		else
			assert_int_equal((blob.left - CRYPT_OVERHEAD) % CRYPT_PADDING, 0);
		assert_true(crypt_open(&ring, blob, rd_from("aad", 3), plain, &out));
		assert_int_equal(out.left, strlen(text));
		assert_memory_equal(out.p, text, out.left);
		assert_false(crypt_open(&ring, blob, rd_from("aae", 3), plain, &out));
		room[blob.left - 1] ^= 1;
		assert_false(crypt_open(&ring, blob, rd_from("aad", 3), plain, &out));
	}
}

static void tries_every_key(void **state)
{
	struct crypt_ring old = ring_of(16, 1);
	struct crypt_ring both = ring_of(32, 2);
	struct crypt_ring other = ring_of(16, 3);
	uint8_t room[64];
	uint8_t plain[64];
	struct rd out;

	(void)state;
	struct rd blob = seal(&old, 1, "hello", "", room, sizeof(room));
	assert_int_equal(crypt_ring_add(&both, old.keys[0].bytes, 16), 0);
	assert_true(crypt_open(&both, blob, rd_from(NULL, 0), plain, &out));
	assert_false(crypt_open(&other, blob, rd_from(NULL, 0), plain, &out));
	assert_false(crypt_open(&(struct crypt_ring){ 0 }, blob, rd_from(NULL, 0), plain, &out));
}

static void refuses_what_is_no_blob(void **state)
{
	struct crypt_ring ring = ring_of(16, 1);
	uint8_t room[64];
	uint8_t plain[64];
	struct rd out;

	(void)state;
	struct rd blob = seal(&ring, 1, "", "", room, sizeof(room));
	for (size_t n = 0; n < blob.left; n++)
		assert_false(crypt_open(&ring, rd_from(room, n), rd_from(NULL, 0), plain, &out));
	room[0] = 2;
	assert_false(crypt_open(&ring, blob, rd_from(NULL, 0), plain, &out));
	room[0] = 0; /* opens, but holds no padding */
	assert_false(crypt_open(&ring, blob, rd_from(NULL, 0), plain, &out));
}

static void ring_takes_only_keys_of_aes(void **state)
{
	struct crypt_ring ring = { 0 };
	static const uint8_t key[40];

	(void)state;
	for (size_t n = 0; n < sizeof(key); n++) {
		if (n != 16 && n != 24 && n != 32)
			assert_int_equal(crypt_ring_add(&ring, key, n), -1);
	}
	for (size_t i = 0; i < CRYPT_KEYS_MAX; i++)
		assert_int_equal(crypt_ring_add(&ring, key, 24), 0);
	assert_int_equal(crypt_ring_add(&ring, key, 24), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_what_was_sealed),
		cmocka_unit_test(tries_every_key),
		cmocka_unit_test(refuses_what_is_no_blob),
		cmocka_unit_test(ring_takes_only_keys_of_aes),
	};

	return RUN_TABLE("key of a secret", key_cases, derives) +
	       cmocka_run_group_tests_name("crypt", tests, NULL, NULL);
}
