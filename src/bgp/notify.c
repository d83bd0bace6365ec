#include "bgp/notify.h"

#include <stdio.h>

struct subcode_name {
	uint8_t subcode;
	const char *name;
};

static const struct subcode_name header_names[] = {
	{ 1, "Connection Not Synchronized" },
	{ 2, "Bad Message Length" },
	{ 3, "Bad Message Type" },
	{ 0, NULL },
};

static const struct subcode_name open_names[] = {
	{ 1, "Unsupported Version Number" },
	{ 2, "Bad Peer AS" },
	{ 3, "Bad BGP Identifier" },
	{ 4, "Unsupported Optional Parameter" },
	{ 5, "Authentication Failure" },
	{ 6, "Unacceptable Hold Time" },
	{ 7, "Unsupported Capability" },
	{ 11, "Role Mismatch" },
	{ 0, NULL },
};

static const struct subcode_name update_names[] = {
	{ 1, "Malformed Attribute List" },
	{ 2, "Unrecognized Well-known Attribute" },
	{ 3, "Missing Well-known Attribute" },
	{ 4, "Attribute Flags Error" },
	{ 5, "Attribute Length Error" },
	{ 6, "Invalid ORIGIN Attribute" },
	{ 7, "AS Routing Loop" },
	{ 8, "Invalid NEXT_HOP Attribute" },
	{ 9, "Optional Attribute Error" },
	{ 10, "Invalid Network Field" },
	{ 11, "Malformed AS_PATH" },
	{ 0, NULL },
};

static const struct subcode_name fsm_names[] = {
	{ 1, "Unexpected Message in OpenSent" },
	{ 2, "Unexpected Message in OpenConfirm" },
	{ 3, "Unexpected Message in Established" },
	{ 0, NULL },
};

static const struct subcode_name cease_names[] = {
	{ 1, "Maximum Number of Prefixes Reached" },
	{ 2, "Administrative Shutdown" },
	{ 3, "Peer De-configured" },
	{ 4, "Administrative Reset" },
	{ 5, "Connection Rejected" },
	{ 6, "Other Configuration Change" },
	{ 7, "Connection Collision Resolution" },
	{ 8, "Out of Resources" },
	{ 9, "Hard Reset" },
	{ 10, "BFD Down" },
	{ 0, NULL },
};

static const struct subcode_name refresh_names[] = {
	{ 1, "Invalid Message Length" },
	{ 0, NULL },
};

static const struct subcode_name no_names[] = { { 0, NULL } };

static const struct {
	const char *name;
	const struct subcode_name *subcodes;
} codes[] = {
	[BGP_ERR_HEADER] = { "Message Header Error", header_names },
	[BGP_ERR_OPEN] = { "OPEN Message Error", open_names },
	[BGP_ERR_UPDATE] = { "UPDATE Message Error", update_names },
	[BGP_ERR_HOLD_TIMER] = { "Hold Timer Expired", no_names },
	[BGP_ERR_FSM] = { "Finite State Machine Error", fsm_names },
	[BGP_ERR_CEASE] = { "Cease", cease_names },
	[BGP_ERR_REFRESH] = { "ROUTE-REFRESH Message Error", refresh_names },
	[BGP_ERR_SEND_HOLD] = { "Send Hold Timer Expired", no_names },
};

static const char *subcode_name(uint8_t code, uint8_t subcode)
{
	for (const struct subcode_name *s = codes[code].subcodes; s->name; s++)
		if (s->subcode == subcode)
			return s->name;
	return NULL;
}

const char *bgp_note_words(uint8_t code, uint8_t subcode, char buf[static BGP_NOTE_TEXT_MAX])
{
	if (code >= ARRAY_LEN(codes) || !codes[code].name) {
		snprintf(buf, BGP_NOTE_TEXT_MAX, "unknown (%u/%u)", code, subcode);
		return buf;
	}
	const char *sub = subcode_name(code, subcode);
	snprintf(buf, BGP_NOTE_TEXT_MAX, "%s%s%s (%u/%u)", codes[code].name, sub ? "/" : "",
		 sub ? sub : "", code, subcode);
	return buf;
}

static bool has_text(uint8_t code, uint8_t subcode)
{
	return code == BGP_ERR_CEASE &&
	       (subcode == BGP_CEASE_SHUTDOWN || subcode == BGP_CEASE_RESET);
}

/* The longest start of @text that fits and does not end inside a character. */
static size_t utf8_cut(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len <= max)
		return len;
	len = max;
	while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

void bgp_cease_set(struct bgp_fault *out, uint8_t subcode, const char *text)
{
	uint8_t data[BGP_FAULT_DATA_MAX];
	size_t len = 0;

	if (text && *text && has_text(BGP_ERR_CEASE, subcode)) {
		size_t n = utf8_cut(text, BGP_SHUTDOWN_TEXT_MAX - 1);

		data[0] = (uint8_t)n;
		memcpy(data + 1, text, n);
		len = n + 1;
	}
	(void)bgp_fault_set(out, BGP_ERR_CEASE, subcode, data, len);
}

void bgp_hard_reset_set(struct bgp_fault *out, const struct bgp_fault *why)
{
	uint8_t data[BGP_FAULT_DATA_MAX];
	size_t len = MIN(why->len, sizeof(data) - 2);

	data[0] = why->code;
	data[1] = why->subcode;
	memcpy(data + 2, why->data, len);
	(void)bgp_fault_set(out, BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, data, len + 2);
}

void bgp_notification_encode(struct wr *w, const struct bgp_fault *fault)
{
	size_t mark = bgp_frame_begin(w, BGP_NOTIFICATION);

	wr_u8(w, fault->code);
	wr_u8(w, fault->subcode);
	wr_bytes(w, fault->data, fault->len);
	bgp_frame_end(w, mark);
}

/* Bytes of the UTF-8 character at @p, or 0 when it is not one that a terminal should see. */
static size_t utf8_char(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);

	if (p[0] > 0xf4 || (p[0] & 0xc0) == 0x80 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = (c << 6) | (p[i] & 0x3f);
	}
	static const uint32_t least[] = { 0, 0x20, 0xa0, 0x800, 0x10000 };
	if (c < least[n] || c == 0x7f || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

void bgp_text_copy(char *out, size_t cap, const uint8_t *p, size_t left)
{
	while (left > 0) {
		size_t n = utf8_char(p, left), used = MAX(n, 1U);

		if (used >= cap)
			break;
		if (n == 0)
			*out++ = '?';
		for (size_t i = 0; i < n; i++)
			*out++ = (char)p[i];
		cap -= used;
		p += used;
		left -= used;
	}
	*out = '\0';
}

static void note_fill(struct bgp_note *out, uint8_t code, uint8_t subcode, struct rd data)
{
	if (code == BGP_ERR_CEASE && subcode == BGP_CEASE_HARD_RESET && data.left >= 2) {
		out->hard = true;
		code = rd_u8(&data);
		subcode = rd_u8(&data);
	}
	out->set = true;
	out->code = code;
	out->subcode = subcode;
	if (!has_text(code, subcode))
		return;
	uint8_t len = rd_u8(&data);
	const uint8_t *text = rd_bytes(&data, len);
	if (text)
		bgp_text_copy(out->text, sizeof(out->text), text, len);
}

void bgp_notification_decode(struct rd body, struct mono now, struct bgp_note *out)
{
	*out = (struct bgp_note){ .at = now };
	uint8_t code = rd_u8(&body);
	uint8_t subcode = rd_u8(&body);
	note_fill(out, code, subcode, body);
}

void bgp_note_of_fault(const struct bgp_fault *fault, struct mono now, struct bgp_note *out)
{
	*out = (struct bgp_note){ .at = now, .sent = true };
	note_fill(out, fault->code, fault->subcode, rd_from(fault->data, fault->len));
}
