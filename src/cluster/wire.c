#include "cluster/wire.h"

enum field_type {
	FIELD_BOOL,
	FIELD_U16,
	FIELD_U32,
	FIELD_INT, /* int32_t, never negative with anything that makes sense */
	FIELD_NAME,
	FIELD_RAW,
	FIELD_ADDR,
	FIELD_VSN, /* uint8_t[WIRE_VSN_LEN] followed by a bool */
};

struct field {
	const char *key;
	size_t offset;
	enum field_type type;
	bool optional; /* left out when empty */
};

struct layout {
	const struct field *fields;
	size_t n;
	size_t size;
};

#define F(owner, key, type, member)                       \
	{                                                 \
		key, offsetof(owner, member), type, false \
	}
#define F_OPTIONAL(owner, key, type, member)             \
	{                                                \
		key, offsetof(owner, member), type, true \
	}

_Static_assert(offsetof(struct wire_node, has_vsn) ==
		       offsetof(struct wire_node, vsn) + WIRE_VSN_LEN,
	       "FIELD_VSN sets both");

/* One table for each body, in the order of the keys on the wire (bytewise). */

static const struct field ping_fields[] = {
	F(struct wire_ping, "Node", FIELD_NAME, node),
	F(struct wire_ping, "SeqNo", FIELD_U32, seq),
	F_OPTIONAL(struct wire_ping, "SourceAddr", FIELD_ADDR, source),
	F_OPTIONAL(struct wire_ping, "SourceNode", FIELD_NAME, source_node),
	F_OPTIONAL(struct wire_ping, "SourcePort", FIELD_U16, source_port),
};

static const struct field indirect_fields[] = {
	F(struct wire_indirect, "Nack", FIELD_BOOL, nack),
	F(struct wire_indirect, "Node", FIELD_NAME, node),
	F(struct wire_indirect, "Port", FIELD_U16, port),
	F(struct wire_indirect, "SeqNo", FIELD_U32, seq),
	F_OPTIONAL(struct wire_indirect, "SourceAddr", FIELD_ADDR, source),
	F_OPTIONAL(struct wire_indirect, "SourceNode", FIELD_NAME, source_node),
	F_OPTIONAL(struct wire_indirect, "SourcePort", FIELD_U16, source_port),
	F(struct wire_indirect, "Target", FIELD_ADDR, target),
};

static const struct field ack_fields[] = {
	F(struct wire_ack, "Payload", FIELD_RAW, payload),
	F(struct wire_ack, "SeqNo", FIELD_U32, seq),
};

static const struct field nack_fields[] = {
	F(struct wire_nack, "SeqNo", FIELD_U32, seq),
};

static const struct field accusation_fields[] = {
	F(struct wire_accusation, "From", FIELD_NAME, from),
	F(struct wire_accusation, "Incarnation", FIELD_U32, incarnation),
	F(struct wire_accusation, "Node", FIELD_NAME, node),
};

static const struct field alive_fields[] = {
	F(struct wire_node, "Addr", FIELD_ADDR, addr),
	F(struct wire_node, "Incarnation", FIELD_U32, incarnation),
	F(struct wire_node, "Meta", FIELD_RAW, meta),
	F(struct wire_node, "Node", FIELD_NAME, name),
	F(struct wire_node, "Port", FIELD_U16, port),
	F(struct wire_node, "Vsn", FIELD_VSN, vsn),
};

static const struct field sync_fields[] = {
	F(struct wire_sync, "Join", FIELD_BOOL, join),
	F(struct wire_sync, "Nodes", FIELD_INT, nodes),
	F(struct wire_sync, "UserStateLen", FIELD_INT, user_len),
};

static const struct field sync_node_fields[] = {
	F(struct wire_node, "Addr", FIELD_ADDR, addr),
	F(struct wire_node, "Incarnation", FIELD_U32, incarnation),
	F(struct wire_node, "Meta", FIELD_RAW, meta),
	F(struct wire_node, "Name", FIELD_NAME, name),
	F(struct wire_node, "Port", FIELD_U16, port),
	F(struct wire_node, "State", FIELD_INT, state),
	F(struct wire_node, "Vsn", FIELD_VSN, vsn),
};

static const struct field user_fields[] = {
	F(struct wire_user, "UserMsgLen", FIELD_INT, len),
};

static const struct field error_fields[] = {
	F(struct wire_error, "Error", FIELD_RAW, text),
};

static const struct field compressed_fields[] = {
	F(struct wire_compressed, "Algo", FIELD_U16, algorithm),
	F(struct wire_compressed, "Buf", FIELD_RAW, bytes),
};

static void read_name(struct rd *r, char *out)
{
	struct msgpack_raw raw = msgpack_read_raw(r);

	if (raw.len > WIRE_NAME_MAX || (raw.len && memchr(raw.p, '\0', raw.len))) {
		*r = (struct rd){ .bad = true };
		return;
	}
	if (raw.len)
		memcpy(out, raw.p, raw.len);
	out[raw.len] = '\0';
}

/* IPv4 in sixteen bytes is taken for what it is: four bytes are its only form here. */
static void read_addr(struct rd *r, struct addr *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct msgpack_raw raw = msgpack_read_raw(r);

	if (raw.len == 0)
		*out = (struct addr){ 0 };
	else if (raw.len == 4)
		*out = addr_from_bytes(FAMILY_V4, raw.p);
	else if (raw.len == 16 && memcmp(raw.p, mapped, sizeof(mapped)) == 0)
		*out = addr_from_bytes(FAMILY_V4, raw.p + sizeof(mapped));
	else if (raw.len == 16)
		*out = addr_from_bytes(FAMILY_V6, raw.p);
	else
		*r = (struct rd){ .bad = true };
}

/* Six bytes or none: one to five have brought down the Go program. */
static void read_vsn(struct rd *r, uint8_t *out)
{
	struct msgpack_raw raw = msgpack_read_raw(r);

	if (raw.len && raw.len < WIRE_VSN_LEN) {
		*r = (struct rd){ .bad = true };
		return;
	}
	if (raw.len)
		memcpy(out, raw.p, WIRE_VSN_LEN);
	*(bool *)(out + WIRE_VSN_LEN) = raw.len != 0;
}

static void read_field(struct rd *r, enum field_type type, void *at)
{
	switch (type) {
	case FIELD_BOOL:
		*(bool *)at = msgpack_read_bool(r);
		break;
	case FIELD_U16:
		*(uint16_t *)at = (uint16_t)msgpack_read_int(r, 0, UINT16_MAX);
		break;
	case FIELD_U32:
		*(uint32_t *)at = (uint32_t)msgpack_read_int(r, 0, UINT32_MAX);
		break;
	case FIELD_INT:
		*(int32_t *)at = (int32_t)msgpack_read_int(r, 0, INT32_MAX);
		break;
	case FIELD_NAME:
		read_name(r, at);
		break;
	case FIELD_RAW:
		*(struct msgpack_raw *)at = msgpack_read_raw(r);
		break;
	case FIELD_ADDR:
		read_addr(r, at);
		break;
	case FIELD_VSN:
		read_vsn(r, at);
		break;
	}
}

static const struct field *field_find(const struct layout *l, struct msgpack_raw key)
{
	for (size_t i = 0; i < l->n; i++) {
		if (msgpack_raw_is(key, l->fields[i].key))
			return &l->fields[i];
	}
	return NULL;
}

static bool decode(struct rd *r, const struct layout *l, void *out)
{
	uint32_t pairs = msgpack_read_map(r);

	memset(out, 0, l->size);
	for (uint32_t i = 0; i < pairs && !r->bad; i++) {
		const struct field *f = field_find(l, msgpack_read_raw(r));

		if (f)
			read_field(r, f->type, (char *)out + f->offset);
		else
			msgpack_skip(r);
	}
	return !r->bad;
}

static bool is_empty(const struct field *f, const void *at)
{
	switch (f->type) {
	case FIELD_U16:
		return *(const uint16_t *)at == 0;
	case FIELD_NAME:
		return *(const char *)at == '\0';
	case FIELD_ADDR:
		return !addr_is_set(at);
	default:
		return false;
	}
}

static void write_raw_or_nil(struct wr *w, const void *p, size_t len)
{
	if (p)
		msgpack_write_raw(w, p, len);
	else
		msgpack_write_nil(w);
}

static void write_field(struct wr *w, enum field_type type, const void *at)
{
	const struct msgpack_raw *raw = at;
	const struct addr *a = at;
	const uint8_t *vsn = at;

	switch (type) {
	case FIELD_BOOL:
		msgpack_write_bool(w, *(const bool *)at);
		break;
	case FIELD_U16:
		msgpack_write_uint(w, *(const uint16_t *)at);
		break;
	case FIELD_U32:
		msgpack_write_uint(w, *(const uint32_t *)at);
		break;
	case FIELD_INT:
		msgpack_write_int(w, *(const int32_t *)at);
		break;
	case FIELD_NAME:
		msgpack_write_text(w, at);
		break;
	case FIELD_RAW:
		write_raw_or_nil(w, raw->p, raw->len);
		break;
	case FIELD_ADDR:
		write_raw_or_nil(w, addr_is_set(a) ? a->b : NULL, addr_len(a));
		break;
	case FIELD_VSN:
		write_raw_or_nil(w, *(const bool *)(vsn + WIRE_VSN_LEN) ? vsn : NULL, WIRE_VSN_LEN);
		break;
	}
}

static bool is_written(const struct field *f, const void *in)
{
	return !f->optional || !is_empty(f, (const char *)in + f->offset);
}

static void encode(struct wr *w, const struct layout *l, const void *in)
{
	uint8_t pairs = 0;

	for (size_t i = 0; i < l->n; i++)
		pairs += is_written(&l->fields[i], in);
	msgpack_write_map(w, pairs);
	for (size_t i = 0; i < l->n; i++) {
		const struct field *f = &l->fields[i];

		if (!is_written(f, in))
			continue;
		msgpack_write_text(w, f->key);
		write_field(w, f->type, (const char *)in + f->offset);
	}
}

#define BODY(body, type)                                                                      \
	static const struct layout body##_layout = { body##_fields, ARRAY_LEN(body##_fields), \
						     sizeof(type) };                          \
	void wire_##body##_encode(struct wr *w, const type *in)                               \
	{                                                                                     \
		encode(w, &body##_layout, in);                                                \
	}                                                                                     \
	bool wire_##body##_decode(struct rd *r, type *out)                                    \
	{                                                                                     \
		return decode(r, &body##_layout, out);                                        \
	}
BODY(ping, struct wire_ping)
BODY(indirect, struct wire_indirect)
BODY(ack, struct wire_ack)
BODY(nack, struct wire_nack)
BODY(accusation, struct wire_accusation)
BODY(alive, struct wire_node)
BODY(sync, struct wire_sync)
BODY(sync_node, struct wire_node)
BODY(user, struct wire_user)
BODY(error, struct wire_error)
BODY(compressed, struct wire_compressed)
