/**
 * One gossip core, "us" at 10.0.0.1, with a made-up clock, and what it has said and done.
 */
#ifndef TESTS_CLUSTER_BENCH_H
#define TESTS_CLUSTER_BENCH_H

#include "cluster/gossip.h"

#include "cluster/pack.h"
#include "cluster/wire.h"
#include "vectors.h"

#define SENT_MAX    256
#define PENDING_MAX 64

struct sent {
	enum wire_type type;
	struct addr to;
	uint16_t port;
	uint8_t bytes[VECTOR_MAX];
	size_t len;
};

struct bench {
	struct gossip *g;
	struct rng rng;
	struct mono now;
	struct sent sent[SENT_MAX]; /* messages, out of their packets */
	size_t n_sent;
	char events[512]; /* "+name -name ~name !name", answers on streams */
	uint32_t dialled; /* the last stream asked for; then all */
	uint32_t pending[PENDING_MAX];
	size_t n_pending;
	struct buf stream; /* the last request or answer on a stream */
};

static inline struct addr at(uint8_t last)
{
	return addr_v4(10, 0, 0, last);
}

static inline void note_message(struct bench *b, const struct gossip_out *out, struct rd message)
{
	struct sent *s = &b->sent[b->n_sent++];

	assert_true(b->n_sent < SENT_MAX);
	s->type = message.p[0];
	s->to = out->addr;
	s->port = out->port;
	s->len = message.left;
	memcpy(s->bytes, message.p, message.left);
}

static inline void note_packet(struct bench *b, const struct gossip_out *out)
{
	struct rd r = out->bytes;
	struct pack_compound c;
	struct rd message;

	if (r.p[0] == WIRE_CRC) {
		rd_skip(&r, 1);
		assert_true(pack_crc_check(&r));
	}
	if (r.p[0] != WIRE_COMPOUND) {
		note_message(b, out, r);
		return;
	}
	rd_skip(&r, 1);
	assert_true(pack_compound_open(r, &c));
	while (pack_compound_next(&c, &message))
		note_message(b, out, message);
}

static inline void note_event(struct bench *b, const char *mark, const char *name)
{
	size_t len = strlen(b->events);

	snprintf(b->events + len, sizeof(b->events) - len, "%s%s%s", len ? " " : "", mark, name);
}

static inline void note(struct bench *b, const struct gossip_out *out)
{
	static const char *const marks[] = {
		[GOSSIP_OUT_REPLY] = "reply",
		[GOSSIP_OUT_CLOSE] = "close",
		[GOSSIP_OUT_JOIN] = "+",
		[GOSSIP_OUT_UPDATE] = "~",
		[GOSSIP_OUT_LEAVE] = "-",
		[GOSSIP_OUT_CONFLICT] = "!",
		[GOSSIP_OUT_USER_MESSAGE] = "message",
		[GOSSIP_OUT_USER_STATE] = "state",
		[GOSSIP_OUT_REMOTE_ERROR] = "error",
		[GOSSIP_OUT_INCOMPATIBLE] = "incompatible",
		[GOSSIP_OUT_LEFT] = "left",
	};

	if (out->type == GOSSIP_OUT_PACKET) {
		note_packet(b, out);
		return;
	}
	if (out->type == GOSSIP_OUT_DIAL)
		b->dialled = b->pending[b->n_pending++ % PENDING_MAX] = out->stream;
	else
		note_event(b, marks[out->type], out->member ? out->member->name : "");
	buf_clear(&b->stream);
	if (out->bytes.left)
		buf_append(&b->stream, out->bytes.p, out->bytes.left);
}

static inline void drain(struct bench *b)
{
	struct gossip_out out;

	while (gossip_next(b->g, &out))
		note(b, &out);
}

static inline int setup(void **state)
{
	struct bench *b = mem_new(struct bench);
	struct gossip_conf conf = {
		.name = "us",
		.addr = at(1),
		.port = 7946,
		.meta = "m",
		.meta_len = 1,
		.timing = gossip_lan,
		.rng = &b->rng,
	};

	rng_seed(&b->rng, test_seed());
	b->now.ns = 1;
	b->g = gossip_new(&conf, b->now);
	*state = b;
	return 0;
}

static inline int teardown(void **state)
{
	struct bench *b = *state;

	gossip_free(b->g);
	buf_fini(&b->stream);
	free(b);
	return 0;
}

static inline void wait_ms(struct bench *b, int64_t ms)
{
	struct mono end = mono_add(b->now, DUR_MS(ms));

	for (;;) {
		struct mono next = gossip_deadline(b->g);

		if (mono_before(end, next))
			break;
		if (mono_before(b->now, next))
			b->now = next;
		gossip_tick(b->g, b->now);
		drain(b);
	}
	b->now = end;
}

static inline void forget(struct bench *b)
{
	b->n_sent = 0;
	b->events[0] = '\0';
}

/* All streams asked for so far come to nothing. */
static inline void fail_dials(struct bench *b)
{
	for (size_t i = 0; i < MIN(b->n_pending, PENDING_MAX); i++)
		gossip_stream_failed(b->g, b->pending[i]);
	b->n_pending = 0;
}

static inline void hear(struct bench *b, uint8_t from, const struct wr *w)
{
	struct addr a = at(from);

	assert_false(w->bad);
	gossip_packet(b->g, &a, 7946, rd_from(w->p, w->len), b->now);
	drain(b);
}

static inline struct wire_node node_of(const char *name, uint8_t addr, uint32_t inc)
{
	struct wire_node node = {
		.incarnation = inc,
		.addr = at(addr),
		.port = 7946,
		.vsn = { 1, 5, 2 },
		.has_vsn = true,
	};

	snprintf(node.name, sizeof(node.name), "%s", name);
	return node;
}

static inline void hear_node(struct bench *b, const struct wire_node *node)
{
	uint8_t room[VECTOR_MAX];
	struct wr w = wr_to(room, sizeof(room));

	wr_u8(&w, WIRE_ALIVE);
	wire_alive_encode(&w, node);
	hear(b, 2, &w);
}

static inline void hear_alive(struct bench *b, const char *name, uint8_t addr, uint32_t inc)
{
	struct wire_node node = node_of(name, addr, inc);

	hear_node(b, &node);
}

static inline void hear_accusation(struct bench *b, enum wire_type type, const char *name,
				   uint32_t inc, const char *from)
{
	uint8_t room[VECTOR_MAX];
	struct wr w = wr_to(room, sizeof(room));
	struct wire_accusation a = { .incarnation = inc };

	snprintf(a.node, sizeof(a.node), "%s", name);
	snprintf(a.from, sizeof(a.from), "%s", from);
	wr_u8(&w, (uint8_t)type);
	wire_accusation_encode(&w, &a);
	hear(b, 2, &w);
}

static inline void hear_hex(struct bench *b, uint8_t from, const char *hex)
{
	uint8_t room[VECTOR_MAX];
	struct wr w = wr_to(room, sizeof(room));

	w.len = unhex(hex, room, sizeof(room));
	hear(b, from, &w);
}

static inline const struct sent *find_sent(const struct bench *b, enum wire_type type)
{
	for (size_t i = 0; i < b->n_sent; i++) {
		if (b->sent[i].type == type)
			return &b->sent[i];
	}
	return NULL;
}

static inline size_t count_sent(const struct bench *b, enum wire_type type)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_sent; i++)
		n += b->sent[i].type == type;
	return n;
}

static inline enum gossip_state state_of(const struct bench *b, const char *name)
{
	const struct gossip_member *m = gossip_member_find(b->g, name);

	assert_non_null(m);
	return m->state;
}

static inline uint32_t own_incarnation(const struct bench *b)
{
	return gossip_member_find(b->g, "us")->incarnation;
}

#define BENCH_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
