#include "cluster/mesh_frame.h"

#include "support.h"
#include "unit/cluster/ring.h"

static const uint8_t nonce[CRYPT_NONCE_LEN] = { 1, 2, 3 };

struct pair {
	struct mesh_stream a, b; /* a dialled */
};

static void feed(struct mesh_stream *to, const struct wr *w)
{
	size_t cap;
	uint8_t *room = mesh_stream_room(to, &cap);

	assert_true(cap >= w->len);
	memcpy(room, w->p, w->len);
	mesh_stream_input(to, w->len);
}

static void open_pair(struct pair *p, const struct crypt_ring *of_a, const struct crypt_ring *of_b)
{
	uint8_t bytes[MESH_PREAMBLE_LEN], random[MESH_RANDOM_LEN] = { 9 };
	struct wr w = wr_to(bytes, sizeof(bytes));
	struct wr back = wr_to(bytes, sizeof(bytes));

	mesh_stream_open(&p->a, of_a, true, random, &w);
	random[0] = 8;
	struct mesh_stream b;
	uint8_t other[MESH_PREAMBLE_LEN];
	back = wr_to(other, sizeof(other));
	mesh_stream_open(&b, of_b, false, random, &back);
	p->b = b;
	feed(&p->b, &w);
	feed(&p->a, &back);
}

struct frame_case {
	const char *name;
	struct mesh_frame f;
};

static const struct frame_case frames[] = {
	{ "hello", { .type = MESH_HELLO, .name = "node-a", .name_len = 6 } },
	{ "heard", { .type = MESH_HEARD, .query = 77, .name = "b", .name_len = 1 } },
	{ "answer", { .type = MESH_ANSWER, .query = 77, .yes = true } },
	{ "away", { .type = MESH_AWAY, .yes = true } },
	{ "back", { .type = MESH_AWAY } },
	{ "taken", { .type = MESH_TAKEN } },
	{ "news", { .type = MESH_NEWS, .text = { (const uint8_t *)"{}", 2, false } } },
	{ "no news", { .type = MESH_NEWS } },
};

static void assert_same(const struct mesh_frame *got, const struct mesh_frame *want)
{
	assert_int_equal(got->type, want->type);
	assert_int_equal(got->query, want->query);
	assert_int_equal(got->yes, want->yes);
	assert_int_equal(got->name_len, want->name_len);
	if (want->name_len)
		assert_memory_equal(got->name, want->name, want->name_len);
	assert_int_equal(got->text.left, want->text.left);
	if (want->text.left)
		assert_memory_equal(got->text.p, want->text.p, want->text.left);
}

static void travels(const struct mesh_frame *f, const struct crypt_ring *ring)
{
	struct pair p;
	struct mesh_frame got;

	open_pair(&p, ring, ring);
	assert_int_equal(mesh_stream_next(&p.a, &got), MESH_NEXT_MORE);
	assert_true(mesh_stream_is_greeted(&p.a));
	for (int i = 0; i < 3; i++) {
		uint8_t bytes[MESH_FRAME_MAX];
		struct wr w = wr_to(bytes, sizeof(bytes));

		mesh_stream_write(&p.a, f, nonce, &w);
		assert_false(w.bad);
		feed(&p.b, &w);
		assert_int_equal(mesh_stream_next(&p.b, &got), MESH_NEXT_FRAME);
		assert_same(&got, f);
		assert_int_equal(mesh_stream_next(&p.b, &got), MESH_NEXT_MORE);
	}
}

static void goes_through(void **state)
{
	const struct frame_case *c = *state;
	struct crypt_ring sealed = one_key(5), plain = { 0 };

	travels(&c->f, &sealed);
	travels(&c->f, &plain);
}

static const struct mesh_frame away = { .type = MESH_AWAY, .yes = true };

/* What was said on one connection is worth nothing on another one, nor twice on the same. */
static void nothing_can_be_replayed(void **state)
{
	struct crypt_ring ring = one_key(5);
	struct pair p, q;
	uint8_t bytes[MESH_FRAME_MAX];
	struct wr w = wr_to(bytes, sizeof(bytes));
	struct mesh_frame got;
	(void)state;

	open_pair(&p, &ring, &ring);
	open_pair(&q, &ring, &ring);
	q.b.ours[3] ^= 1; /* another connection, other random bytes */
	assert_int_equal(mesh_stream_next(&p.a, &got), MESH_NEXT_MORE);
	assert_int_equal(mesh_stream_next(&p.b, &got), MESH_NEXT_MORE);
	assert_int_equal(mesh_stream_next(&q.b, &got), MESH_NEXT_MORE);
	mesh_stream_write(&p.a, &away, nonce, &w);
	feed(&q.b, &w);
	assert_int_equal(mesh_stream_next(&q.b, &got), MESH_NEXT_BROKEN);
	feed(&p.b, &w);
	assert_int_equal(mesh_stream_next(&p.b, &got), MESH_NEXT_FRAME);
	feed(&p.b, &w);
	assert_int_equal(mesh_stream_next(&p.b, &got), MESH_NEXT_BROKEN);
}

static void nor_sent_back(void **state)
{
	struct crypt_ring ring = one_key(5);
	struct pair p;
	uint8_t bytes[MESH_FRAME_MAX];
	struct wr w = wr_to(bytes, sizeof(bytes));
	struct mesh_frame got;
	(void)state;

	open_pair(&p, &ring, &ring);
	assert_int_equal(mesh_stream_next(&p.a, &got), MESH_NEXT_MORE);
	mesh_stream_write(&p.a, &away, nonce, &w);
	feed(&p.a, &w);
	assert_int_equal(mesh_stream_next(&p.a, &got), MESH_NEXT_BROKEN);
}

static void keys_must_be_the_same(void **state)
{
	struct crypt_ring ring = one_key(5), other = one_key(6), none = { 0 };
	struct pair p;
	uint8_t bytes[MESH_FRAME_MAX];
	struct wr w = wr_to(bytes, sizeof(bytes));
	struct mesh_frame got;
	(void)state;

	open_pair(&p, &ring, &other);
	assert_int_equal(mesh_stream_next(&p.a, &got), MESH_NEXT_MORE);
	mesh_stream_write(&p.a, &away, nonce, &w);
	feed(&p.b, &w);
	assert_int_equal(mesh_stream_next(&p.b, &got), MESH_NEXT_BROKEN);
	open_pair(&p, &ring, &none);
	assert_int_equal(mesh_stream_next(&p.b, &got), MESH_NEXT_BROKEN);
}

/* What finds no room on its way out was never said: the next one is understood. */
static void what_does_not_fit_is_not_counted(void **state)
{
	struct crypt_ring ring = one_key(5);
	struct pair p;
	uint8_t bytes[MESH_FRAME_MAX];
	struct wr narrow = wr_to(bytes, 8), w = wr_to(bytes, sizeof(bytes));
	struct mesh_frame got;
	(void)state;

	open_pair(&p, &ring, &ring);
	assert_int_equal(mesh_stream_next(&p.a, &got), MESH_NEXT_MORE);
	mesh_stream_write(&p.a, &away, nonce, &narrow);
	assert_true(narrow.bad);
	mesh_stream_write(&p.a, &away, nonce, &w);
	feed(&p.b, &w);
	assert_int_equal(mesh_stream_next(&p.b, &got), MESH_NEXT_FRAME);
}

struct bad_case {
	const char *name;
	const char *preamble; /* NULL: a good one */
	const char *hex;
	enum mesh_next want;
};

#define GOOD "43524d31 00000000 00000000 00000000 00000000 00000000"

static const struct bad_case bad[] = {
	{ "nothing", "", "", MESH_NEXT_MORE },
	{ "half a preamble", "43524d31 00", "", MESH_NEXT_MORE },
	{ "another protocol", "47455420 2f204854 54502f31 2e310d0a 0d0a0000 00000000", "",
	  MESH_NEXT_BROKEN },
	{ "only a preamble", GOOD, "", MESH_NEXT_MORE },
	{ "half a frame", GOOD, "0002 04", MESH_NEXT_MORE },
	{ "a frame", GOOD, "0002 04 01", MESH_NEXT_FRAME },
	{ "more than is known", GOOD, "0004 04 01 ffff", MESH_NEXT_FRAME },
	{ "of no length", GOOD, "0000", MESH_NEXT_BROKEN },
	{ "too long", GOOD, "ffff", MESH_NEXT_BROKEN },
	{ "a type of the future is passed over", GOOD, "0003 63 00 00 0002 04 01",
	  MESH_NEXT_FRAME },
	{ "a name that runs out", GOOD, "0003 01 05 41 0001 05", MESH_NEXT_FRAME },
	{ "a name of nothing", GOOD, "0002 01 00", MESH_NEXT_MORE },
};

static void is_taken_as(void **state)
{
	const struct bad_case *c = *state;
	struct crypt_ring none = { 0 };
	struct mesh_stream s;
	uint8_t bytes[128], random[MESH_RANDOM_LEN] = { 0 };
	struct wr w = wr_to(bytes, sizeof(bytes));
	struct mesh_frame got;

	mesh_stream_open(&s, &none, false, random, &w);
	w.len = unhex(c->preamble, bytes, sizeof(bytes));
	feed(&s, &w);
	w.len = unhex(c->hex, bytes, sizeof(bytes));
	feed(&s, &w);
	assert_int_equal(mesh_stream_next(&s, &got), c->want);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_can_be_replayed),
		cmocka_unit_test(nor_sent_back),
		cmocka_unit_test(keys_must_be_the_same),
		cmocka_unit_test(what_does_not_fit_is_not_counted),
	};

	return RUN_TABLE("mesh frames", frames, goes_through) |
	       RUN_TABLE("mesh streams", bad, is_taken_as) |
	       cmocka_run_group_tests(tests, NULL, NULL);
}
