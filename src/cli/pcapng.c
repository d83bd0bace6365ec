#include "cli/pcapng.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "cli/remote.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	ORDER_MAGIC = 0x1a2b3c4d,
	LINK_RAW = 101, /* packets begin with IP */
	OPTION_COMMENT = 1,
	PROTOCOL_TCP = 6,
	TCP_LEN = 20,
	TCP_FLAGS = 0x5018, /* five words of header; PSH and ACK */
	BLOCK_MAX = 2048,
};

struct end {
	struct addr addr;
	uint16_t port;
	uint32_t seq; /* of its next byte */
};

struct message {
	uint8_t bytes[1024];
	size_t kept, len;
	uint64_t time_us;
	char comment[96]; /* "" when there is none */
};

static size_t put_block(struct wr *w, uint32_t type)
{
	wr_u32(w, type);
	wr_u32(w, 0);
	return w->len - 4;
}

/* Its length stands in front and at the end. */
static void end_block(struct wr *w, size_t mark)
{
	uint32_t len = (uint32_t)(w->len - (mark - 4)) + 4;
	struct wr front = wr_to(w->p + mark, 4);

	wr_u32(&front, len);
	wr_u32(w, len);
}

static void pad(struct wr *w, size_t len)
{
	wr_fill(w, 0, (4 - len % 4) % 4);
}

static void put_file_head(struct wr *w)
{
	size_t mark = put_block(w, BLOCK_SECTION);

	wr_u32(w, ORDER_MAGIC);
	wr_u16(w, 1); /* version 1.0 */
	wr_u16(w, 0);
	wr_u64(w, UINT64_MAX); /* of a length that nobody knows */
	end_block(w, mark);
	mark = put_block(w, BLOCK_INTERFACE);
	wr_u16(w, LINK_RAW);
	wr_u16(w, 0);
	wr_u32(w, 0); /* nothing is cut but what says so; microseconds, by default */
	end_block(w, mark);
}

static void put_ip(struct wr *w, const struct end *from, const struct end *to, size_t len)
{
	size_t payload = TCP_LEN + len;

	if (from->addr.family == FAMILY_V6) {
		wr_u32(w, 6u << 28);
		wr_u16(w, (uint16_t)payload);
		wr_u8(w, PROTOCOL_TCP);
		wr_u8(w, 64);
	} else {
		wr_u16(w, 0x4500);
		wr_u16(w, (uint16_t)(20 + payload));
		wr_u32(w, 0);
		wr_u16(w, 64u << 8 | PROTOCOL_TCP);
		wr_u16(w, 0); /* no checksum, as with hardware that fills it in */
	}
	wr_bytes(w, from->addr.b, addr_len(&from->addr));
	wr_bytes(w, to->addr.b, addr_len(&to->addr));
}

static void put_tcp(struct wr *w, const struct end *from, const struct end *to)
{
	wr_u16(w, from->port);
	wr_u16(w, to->port);
	wr_u32(w, from->seq);
	wr_u32(w, to->seq);
	wr_u16(w, TCP_FLAGS);
	wr_u16(w, UINT16_MAX);
	wr_u32(w, 0);
}

static void put_comment(struct wr *w, const char *text)
{
	size_t len = strlen(text);

	if (!len)
		return;
	wr_u16(w, OPTION_COMMENT);
	wr_u16(w, (uint16_t)len);
	wr_bytes(w, text, len);
	pad(w, len);
	wr_u32(w, 0);
}

static void put_packet(struct wr *w, const struct message *m, struct end *from,
		       const struct end *to)
{
	size_t headers = (from->addr.family == FAMILY_V6 ? 40 : 20) + TCP_LEN;
	size_t mark = put_block(w, BLOCK_PACKET);

	wr_u32(w, 0);
	wr_u64(w, m->time_us);
	wr_u32(w, (uint32_t)(headers + m->kept));
	wr_u32(w, (uint32_t)(headers + m->len));
	put_ip(w, from, to, m->len);
	put_tcp(w, from, to);
	wr_bytes(w, m->bytes, m->kept);
	pad(w, m->kept);
	put_comment(w, m->comment);
	end_block(w, mark);
	from->seq += (uint32_t)m->len;
}

/* --- out of the daemon's answer --- */

static uint64_t time_read(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	double part = rest && *rest == '.' ? strtod(rest, NULL) : 0;

	return rest ? (uint64_t)timegm(&tm) * 1000000 + (uint64_t)(part * 1e6) : 0;
}

static void hex_read(const char *text, struct message *m)
{
	for (m->kept = 0; m->kept < sizeof(m->bytes); m->kept++, text += 2) {
		char two[3] = { 0 };

		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
			return;
		memcpy(two, text, 2);
		m->bytes[m->kept] = (uint8_t)strtoul(two, NULL, 16);
	}
}

static void message_read(const json_t *item, struct message *m)
{
	json_int_t count = json_integer_value(json_object_get(item, "count"));
	json_int_t len = json_integer_value(json_object_get(item, "length-bytes"));

	hex_read(remote_text(item, "wire", ""), m);
	m->len = len >= 0 && len <= UINT16_MAX ? MAX((size_t)len, m->kept) : m->kept;
	m->time_us = time_read(remote_text(item, "since", ""));
	m->comment[0] = '\0';
	if (count > 1)
		snprintf(m->comment, sizeof(m->comment), "said %lld times, the last at %.30s",
			 (long long)count, remote_text(item, "last", "?"));
}

static void end_read(const json_t *data, const char *key, struct end *end)
{
	(void)!addr_port_parse(remote_text(data, key, ""), &end->addr, &end->port);
}

/* A peer that is not connected has no other end: it gets one of the same family. */
static void ends_read(const json_t *data, struct end *us, struct end *peer)
{
	*us = *peer = (struct end){ .seq = 1 };
	end_read(data, "address", peer);
	end_read(data, "local-address", us);
	if (us->addr.family != peer->addr.family)
		us->addr = (struct addr){ .family = peer->addr.family };
}

int pcapng_save(const char *path, const json_t *data, struct err *e)
{
	struct message *m = mem_new(struct message);
	struct end us, peer;
	uint8_t block[BLOCK_MAX];
	struct wr w = wr_to(block, sizeof(block));
	const json_t *item;
	size_t i;
	FILE *f = fopen(path, "wbe");

	ends_read(data, &us, &peer);
	if (f) {
		put_file_head(&w);
		fwrite(block, 1, w.len, f);
		json_array_foreach(json_object_get(data, "items"), i, item)
		{
			bool sent = strcmp(remote_text(item, "state", ""), "sent") == 0;

			message_read(item, m);
			w = wr_to(block, sizeof(block));
			put_packet(&w, m, sent ? &us : &peer, sent ? &peer : &us);
			fwrite(block, 1, w.len, f);
		}
	}
	free(m);
	bool bad = !f || ferror(f);
	if (f && fclose(f) != 0)
		bad = true;
	return bad ? err_errno(e, "%s", path) : 0;
}
