/* Every decoder of the wire, on one stream of bytes; what was decoded and can be written is written again. */
#include "bgp/describe.h"
#include "bgp/notify.h"
#include "bgp/open.h"
#include "bgp/update.h"
#include "fuzz.h"

#include <assert.h>

static void open_again(const struct bgp_open *open)
{
	uint8_t wire[BGP_MSG_MAX];
	struct wr w = wr_to(wire, sizeof(wire));
	struct bgp_frame frame;
	struct bgp_fault fault;
	struct bgp_open again;

	bgp_open_encode(&w, open);
	assert(!w.bad);
	int rc = bgp_frame_decode(rd_from(wire, w.len), BGP_MSG_MAX, &frame, &fault);
	assert(rc == 0 && frame.len == w.len);
	rc = bgp_open_decode(frame.body, &again, &fault);
	assert(rc == 0 && again.id == open->id && again.hold_s == open->hold_s);
}

static void one_open(struct rd body)
{
	struct bgp_open open;
	struct bgp_fault fault;

	if (bgp_open_decode(body, &open, &fault) == 0)
		open_again(&open);
}

/* Each part lies within the message, and what was counted can be walked. */
static void check_parts(struct rd body, const struct bgp_update *u)
{
	const struct rd *parts[] = { &u->withdrawn, &u->attrs, &u->nlri, &u->reach_nlri,
				     &u->unreach_nlri };
	struct rd nlri = u->nlri;
	struct prefix p;
	uint32_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		assert(parts[i]->left == 0 || (parts[i]->p >= body.p &&
					       parts[i]->p + parts[i]->left <= body.p + body.left));
	while (bgp_nlri_next(&nlri, FAMILY_V4, &p))
		n++;
	assert(!nlri.bad && n <= u->announced);
}

static void one_update(struct rd body)
{
	for (int i = 0; i < 4; i++) {
		struct bgp_update u;
		struct bgp_fault fault = { 0 };

		if (bgp_update_decode(body, (i & 1) != 0, (i & 2) != 0, &u, &fault) ==
		    BGP_SESSION_RESET)
			assert(fault.code == BGP_ERR_UPDATE);
		else
			check_parts(body, &u);
	}
}

static void one_notification(struct rd body)
{
	struct bgp_note note;
	char words[BGP_NOTE_TEXT_MAX];

	bgp_notification_decode(body, (struct mono){ 0 }, &note);
	assert(memchr(note.text, '\0', sizeof(note.text)));
	for (const char *p = note.text; *p; p++)
		assert((uint8_t)*p >= ' ' && *p != 0x7f);
	assert(strlen(bgp_note_words(note.code, note.subcode, words)) < sizeof(words));
}

static void one_refresh(struct rd body)
{
	uint8_t wire[BGP_HEADER_LEN + 4];
	struct wr w = wr_to(wire, sizeof(wire));
	struct bgp_refresh refresh;

	if (body.left != 4) /* a session looks at no other */
		return;
	bgp_refresh_decode(body, &refresh);
	bgp_refresh_encode(&w, &refresh);
	assert(!w.bad && memcmp(wire + BGP_HEADER_LEN, body.p, 4) == 0);
}

static void one_body(unsigned type, struct rd body)
{
	switch (type) {
	case BGP_OPEN:
		one_open(body);
		break;
	case BGP_UPDATE:
		one_update(body);
		break;
	case BGP_NOTIFICATION:
		if (body.left >= 2)
			one_notification(body);
		break;
	case BGP_REFRESH:
		one_refresh(body);
		break;
	default:
		break;
	}
}

/* What is not all there yet is waited for, whatever it begins with. */
static void cut_frame(struct rd bytes, const struct bgp_frame *whole)
{
	struct bgp_frame frame;
	struct bgp_fault fault;

	for (size_t n = 0; n < whole->len; n += 1 + n / 8)
		assert(bgp_frame_decode(rd_from(bytes.p, n), BGP_MSG_EXTENDED_MAX, &frame,
					&fault) == BGP_NEED_MORE);
}

static void one_stream(struct rd r, size_t max)
{
	struct bgp_frame frame;
	struct bgp_fault fault = { 0 };
	int rc;

	while ((rc = bgp_frame_decode(r, max, &frame, &fault)) == 0) {
		assert(frame.len <= max && frame.body.left == frame.len - BGP_HEADER_LEN);
		cut_frame(r, &frame);
		one_body(frame.type, frame.body);
		rd_skip(&r, frame.len);
	}
	assert(rc == BGP_NEED_MORE || fault.code == BGP_ERR_HEADER);
}

static void in_words(const uint8_t *data, size_t size)
{
	struct buf text = { 0 };

	(void)bgp_describe_type(rd_from(data, size));
	bgp_describe(rd_from(data, size), size + 1, &text);
	assert(text.len < 16 * size + 256); /* lists are cut */
	buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in_words(data, size);
	one_stream(rd_from(data, size), BGP_MSG_MAX);
	one_stream(rd_from(data, size), BGP_MSG_EXTENDED_MAX);
	/* The bodies alone, so that no marker and no length stands between the fuzzer and them. */
	if (size > 0)
		one_body(data[0] % BGP_TYPE_COUNT, rd_from(data + 1, size - 1));
	return 0;
}

FUZZ_MAIN;
