#include "cluster/pack.h"

#include "vectors.h"

static struct crypt_ring ring_counting(uint8_t len)
{
	struct crypt_ring ring = { 0 };
	uint8_t key[CRYPT_KEY_MAX];

	for (uint8_t i = 0; i < len; i++)
		key[i] = i;
	assert_int_equal(crypt_ring_add(&ring, key, len), 0);
	return ring;
}

/* Sealed packets: the nonce stands in them, so they can be made again. */
struct packet_case {
	const char *name; /* of the file; name_plain is what is in it */
	uint8_t key_len;
	const char *label;
};

static const struct packet_case packet_cases[] = {
	{ "sealed16_packet", 16, NULL },
	{ "label32_packet", 32, "l2" },
};

static void packet_both_ways(void **state)
{
	const struct packet_case *c = *state;
	struct crypt_ring ring = ring_counting(c->key_len);
	struct pack_conf conf = { .ring = &ring, .label = c->label, .crypt_version = 1 };
	struct vector sealed, plain;
	char plain_name[64];
	uint8_t room[VECTOR_MAX];
	struct rd got;

	snprintf(plain_name, sizeof(plain_name), "%s_plain", c->name);
	struct rd want = vector_load(plain_name, &plain);
	struct rd packet = vector_load(c->name, &sealed);
	assert_int_equal(pack_packet_open(&conf, packet, room, &got), PACK_OK);
	assert_bytes(got, want);

	struct wr w = wr_to(room, sizeof(room));
	size_t nonce_at = c->label ? 2 + strlen(c->label) + 1 : 1;
	pack_packet_seal(&conf, sealed.bytes + nonce_at, want, &w);
	assert_bytes(rd_from(w.p, w.len), packet);
	assert_int_equal(pack_overhead(&conf), packet.left - want.left);
}

/* Streams, each fed byte by byte and at once. */
struct stream_case {
	const char *name;
	const char *plain; /* file of the message */
	uint8_t key_len;
	const char *secret;
	const char *label;
	bool compress;
};

static const struct stream_case stream_cases[] = {
	{ "sync_join", "sync_join", 0, NULL, NULL, false },
	{ "sync_reply", "sync_reply", 0, NULL, NULL, false },
	{ "user_stream", "user_stream", 0, NULL, NULL, false },
	{ "ping_stream", "ping_stream", 0, NULL, NULL, false },
	{ "sync_compressed", "sync_join", 0, NULL, NULL, true },
	{ "sealed16_stream", "sync_join", 16, NULL, NULL, false },
	{ "label32_stream", "sync_join", 32, NULL, "l2", true },
	{ "metallb_stream", "sync_join", 32, "short-secret", NULL, true },
};

static struct rd label_in_front(const char *label, struct rd r, uint8_t *room, size_t cap)
{
	struct wr w = wr_to(room, cap);

	if (!label)
		return r;
	wr_u8(&w, WIRE_LABEL);
	wr_u8(&w, (uint8_t)strlen(label));
	wr_bytes(&w, label, strlen(label));
	wr_bytes(&w, r.p, r.left);
	return rd_from(w.p, w.len);
}

static void feed_in_steps(const struct pack_conf *conf, struct rd bytes, size_t step,
			  struct rd want)
{
	struct pack_stream s;
	enum pack_refusal why;
	struct rd got;

	pack_stream_init(&s, conf, PACK_ACCEPTOR);
	while (bytes.left > step) {
		assert_int_equal(pack_stream_feed(&s, rd_bytes(&bytes, step), step, &got, &why),
				 PACK_MORE);
	}
	assert_int_equal(pack_stream_feed(&s, bytes.p, bytes.left, &got, &why), PACK_WHOLE);
	assert_bytes(got, want);
	pack_stream_fini(&s);
}

static void stream_both_ways(void **state)
{
	const struct stream_case *c = *state;
	struct crypt_ring ring = { 0 };
	struct vector v, plain;
	uint8_t room[VECTOR_MAX];

	if (c->secret) {
		struct crypt_key key =
			crypt_key_from_secret(c->secret, strlen(c->secret), c->key_len);
		assert_int_equal(crypt_ring_add(&ring, key.bytes, key.len), 0);
	} else if (c->key_len) {
		ring = ring_counting(c->key_len);
	}
	struct pack_conf conf = {
		.ring = &ring, .label = c->label, .crypt_version = 1, .compress = c->compress
	};
	struct rd want = vector_load(c->plain, &plain);
	struct rd bytes = label_in_front(c->label, vector_load(c->name, &v), room, sizeof(room));
	feed_in_steps(&conf, bytes, 1, want);
	feed_in_steps(&conf, bytes, bytes.left, want);

	struct buf out = { 0 };
	/* The nonce stands behind the frame's head and the version. */
	pack_stream_seal(&conf, PACK_DIALLER, v.bytes + 6, want, &out);
	assert_bytes(rd_from(out.p, out.len), bytes);
	buf_fini(&out);
}

struct refused_case {
	const char *name;
	const char *hex;
	uint8_t key_len;
	const char *label;
	enum pack_refusal want;
};

static const struct refused_case refused_cases[] = {
	{ "plain where keys are", "00 80", 16, NULL, PACK_PLAIN },
	{ "sealed where no keys are", "0a 00000020", 0, NULL, PACK_ENCRYPTED },
	{ "garbage in a frame",
	  "0a 0000001d 01 000000000000000000000000 00000000000000000000000000000000", 16, NULL,
	  PACK_CRYPT },
	{ "frame of no bytes", "0a 00000000", 16, NULL, PACK_CRYPT },
	{ "frame too long", "0a 7fffffff", 16, NULL, PACK_TOO_LONG },
	{ "label where none is due", "f4 02 6c32 00 80", 0, NULL, PACK_LABEL },
	{ "no label where one is due", "00 80", 0, "l2", PACK_LABEL },
	{ "another label", "f4 02 6c33 00 80", 0, "l2", PACK_LABEL },
	{ "a longer label", "f4 03 6c", 0, "l2", PACK_LABEL },
	{ "label of no bytes", "f4 00 00 80", 0, "l2", PACK_LABEL },
	{ "unknown type", "20 80", 0, NULL, PACK_MALFORMED },
	{ "negative nodes", "06 81 a5 4e6f646573 ff", 0, NULL, PACK_MALFORMED },
	{ "too much user state", "06 81 ac 557365725374617465 4c656e ce 7fffffff", 0, NULL,
	  PACK_MALFORMED },
	{ "too deep", "06 91 91 91 91 91 91 91 91", 0, NULL, PACK_MALFORMED },
	{ "a node that can't be one", "06 81 a5 4e6f646573 01 81 a1 58 db 00010000", 0, NULL,
	  PACK_MALFORMED },
	{ "more values than fit", "09 df 00800000 01", 0, NULL, PACK_MALFORMED },
	{ "garbage where keys are", "47 45 54", 16, NULL, PACK_MALFORMED },
	{ "no LZW", "09 82 a4 416c676f 01 a3 427566 a0", 0, NULL, PACK_MALFORMED },
};

static void refuses(void **state)
{
	const struct refused_case *c = *state;
	struct crypt_ring ring = { 0 };
	struct pack_conf conf = { .ring = &ring, .label = c->label, .crypt_version = 1 };
	struct pack_stream s;
	enum pack_refusal why = PACK_OK;
	struct rd got;
	uint8_t bytes[128];

	if (c->key_len)
		ring = ring_counting(c->key_len);
	pack_stream_init(&s, &conf, PACK_ACCEPTOR);
	size_t n = unhex(c->hex, bytes, sizeof(bytes));
	assert_int_equal(pack_stream_feed(&s, bytes, n, &got, &why), PACK_REFUSED);
	assert_int_equal(why, c->want);
	pack_stream_fini(&s);
}

static void answers_carry_no_label(void **state)
{
	struct pack_conf conf = { .label = "l2" };
	struct pack_stream s;
	struct buf out = { 0 };
	enum pack_refusal why;
	struct rd got;

	(void)state;
	pack_stream_seal(&conf, PACK_ACCEPTOR, NULL, rd_from("\x02\x80", 2), &out);
	assert_int_equal(out.len, 2);
	pack_stream_init(&s, &conf, PACK_DIALLER);
	assert_int_equal(pack_stream_feed(&s, out.p, out.len, &got, &why), PACK_WHOLE);
	pack_stream_fini(&s);
	buf_fini(&out);
}

static void migration_takes_plain_too(void **state)
{
	struct crypt_ring ring = ring_counting(16);
	struct pack_conf conf = { .ring = &ring, .crypt_version = 1, .accept_plain = true };
	uint8_t room[8];
	struct rd got;

	(void)state;
	assert_int_equal(pack_packet_open(&conf, rd_from("\x02\x80", 2), room, &got), PACK_OK);
	conf.send_plain = true;
	assert_int_equal(pack_overhead(&conf), 0);
	conf.accept_plain = false;
	assert_int_equal(pack_packet_open(&conf, rd_from("\x02\x80", 2), room, &got), PACK_CRYPT);
}

static void compound_cut_short(void **state)
{
	struct pack_compound c;
	struct rd message;
	uint8_t bytes[32];

	(void)state;
	size_t n = unhex("03 0002 0002 0005 0080 0b80 01", bytes, sizeof(bytes));
	assert_true(pack_compound_open(rd_from(bytes, n), &c));
	assert_true(pack_compound_next(&c, &message));
	assert_true(pack_compound_next(&c, &message));
	assert_int_equal(message.p[0], WIRE_NACK);
	assert_false(pack_compound_next(&c, &message));
	assert_int_equal(c.missing, 1);
	assert_false(pack_compound_open(rd_from(bytes, 4), &c));
}

static void batch_makes_what_was_captured(void **state)
{
	struct vector v;
	struct rd packet = vector_load("ping_piggyback", &v);
	struct rd rest = packet;
	uint8_t room[VECTOR_MAX];
	uint8_t out[VECTOR_MAX];
	struct wr w = wr_to(out, sizeof(out));
	struct pack_compound c;
	struct pack_batch b;
	struct rd message;

	(void)state;
	rd_skip(&rest, 1);
	assert_true(pack_compound_open(rest, &c));
	pack_batch_init(&b, wr_to(room, sizeof(room)), packet.left);
	while (pack_compound_next(&c, &message))
		assert_true(pack_batch_add(&b, message));
	assert_false(pack_batch_add(&b, rd_from("x", 1)));
	pack_batch_write(&b, &w);
	assert_bytes(rd_from(w.p, w.len), packet);
}

static void crc_makes_what_was_captured(void **state)
{
	struct vector v;
	struct rd packet = vector_load("leave", &v);
	uint8_t out[VECTOR_MAX];
	struct wr w = wr_to(out, sizeof(out));

	(void)state;
	pack_crc_write(&w, rd_from(packet.p + 5, packet.left - 5));
	assert_bytes(rd_from(w.p, w.len), packet);
	v.bytes[packet.left - 1] ^= 1;
	rd_skip(&packet, 1);
	assert_false(pack_crc_check(&packet));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_carry_no_label),
		cmocka_unit_test(migration_takes_plain_too),
		cmocka_unit_test(compound_cut_short),
		cmocka_unit_test(batch_makes_what_was_captured),
		cmocka_unit_test(crc_makes_what_was_captured),
	};

	return RUN_TABLE("packets", packet_cases, packet_both_ways) +
	       RUN_TABLE("streams", stream_cases, stream_both_ways) +
	       RUN_TABLE("refused streams", refused_cases, refuses) +
	       cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
