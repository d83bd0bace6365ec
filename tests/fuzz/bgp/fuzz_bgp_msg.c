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

static void one_update(struct rd body)
{
	for (int i = 0; i < 4; i++) {
		struct bgp_update u;
		struct bgp_fault fault;

		(void)bgp_update_decode(body, (i & 1) != 0, (i & 2) != 0, &u, &fault);
	}
}

static void one_message(const struct bgp_frame *f)
{
	struct bgp_note note;
	struct bgp_refresh refresh;

	switch (f->type) {
	case BGP_OPEN:
		one_open(f->body);
		break;
	case BGP_UPDATE:
		one_update(f->body);
		break;
	case BGP_NOTIFICATION:
		bgp_notification_decode(f->body, (struct mono){ 0 }, &note);
		assert(memchr(note.text, '\0', sizeof(note.text)));
		break;
	case BGP_REFRESH:
		bgp_refresh_decode(f->body, &refresh);
		break;
	default:
		break;
	}
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
	struct rd r = rd_from(data, size);
	struct bgp_frame frame;
	struct bgp_fault fault;

	in_words(data, size);
	while (bgp_frame_decode(r, BGP_MSG_MAX, &frame, &fault) == 0) {
		one_message(&frame);
		rd_skip(&r, frame.len);
	}
	/* The bodies alone, so that no marker and no length stands between the fuzzer and them. */
	if (size > 0) {
		struct rd body = rd_from(data + 1, size - 1);

		if (data[0] & 1)
			one_open(body);
		else
			one_update(body);
	}
	return 0;
}

FUZZ_MAIN;
