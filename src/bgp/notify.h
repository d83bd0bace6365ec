/**
 * NOTIFICATION: codes, their names in words, the text that a shutdown carries, and the record of one that was
 * sent or received. Pure.
 *
 * Covered: RFC 4271 §4.5 and §6, RFC 4486, RFC 6608, RFC 7313 (code 7), RFC 8538 (Hard Reset and what it wraps),
 * RFC 9003, RFC 9384, RFC 9687.
 */
#ifndef BGP_NOTIFY_H
#define BGP_NOTIFY_H

#include "base/time.h"
#include "bgp/msg.h"

enum bgp_error_code {
	BGP_ERR_HEADER = 1,
	BGP_ERR_OPEN = 2,
	BGP_ERR_UPDATE = 3,
	BGP_ERR_HOLD_TIMER = 4,
	BGP_ERR_FSM = 5,
	BGP_ERR_CEASE = 6,
	BGP_ERR_REFRESH = 7,
	BGP_ERR_SEND_HOLD = 8,
};

enum { BGP_HEADER_NOT_SYNCHRONIZED = 1, BGP_HEADER_LENGTH = 2, BGP_HEADER_TYPE = 3 };

enum {
	BGP_OPEN_UNSPECIFIC = 0,
	BGP_OPEN_VERSION = 1,
	BGP_OPEN_PEER_AS = 2,
	BGP_OPEN_IDENTIFIER = 3,
	BGP_OPEN_PARAMETER = 4,
	BGP_OPEN_HOLD_TIME = 6,
	BGP_OPEN_CAPABILITY = 7,
	BGP_OPEN_ROLE = 11,
};

enum {
	BGP_UPDATE_ATTRIBUTE_LIST = 1,
	BGP_UPDATE_UNKNOWN_WELL_KNOWN = 2,
	BGP_UPDATE_OPTIONAL_ATTRIBUTE = 9,
	BGP_UPDATE_NETWORK_FIELD = 10,
};

enum { BGP_REFRESH_LENGTH = 1 };

/** RFC 6608: an unexpected message in this state. */
enum { BGP_FSM_OPEN_SENT = 1, BGP_FSM_OPEN_CONFIRM = 2, BGP_FSM_ESTABLISHED = 3 };

enum {
	BGP_CEASE_MAX_PREFIXES = 1,
	BGP_CEASE_SHUTDOWN = 2,
	BGP_CEASE_DECONFIGURED = 3,
	BGP_CEASE_RESET = 4,
	BGP_CEASE_REJECTED = 5,
	BGP_CEASE_CONFIG_CHANGE = 6,
	BGP_CEASE_COLLISION = 7,
	BGP_CEASE_RESOURCES = 8,
	BGP_CEASE_HARD_RESET = 9,
	BGP_CEASE_BFD_DOWN = 10,
};

#define BGP_SHUTDOWN_TEXT_MAX 256 /* RFC 9003: 255 bytes of UTF-8, and our end mark */

/** One NOTIFICATION, as kept for people. */
struct bgp_note {
	bool set;  /* there was one */
	bool sent; /* by us; else by the peer */
	bool hard; /* it came in a Hard Reset: routes are not kept (RFC 8538); code and subcode are the inner ones */
	uint8_t code;
	uint8_t subcode;
	struct mono at;
	char text[BGP_SHUTDOWN_TEXT_MAX]; /* RFC 9003 text, made safe to print; "" when none */
};

/** Copy what a peer wrote, as far as there is room; what is not plain printable UTF-8 becomes '?'. */
void bgp_text_copy(char *out, size_t cap, const uint8_t *p, size_t left);

#define BGP_NOTE_TEXT_MAX 128
/** "Cease/Administrative Shutdown (6/2)" into @buf; returns @buf. Unknown numbers stay numbers. */
const char *bgp_note_words(uint8_t code, uint8_t subcode, char buf[static BGP_NOTE_TEXT_MAX]);

/**
 * A Cease for people: @text goes along where RFC 9003 has room for it (subcodes 2 and 4), cut at a character
 * when longer than 255 bytes. @text may be NULL.
 */
void bgp_cease_set(struct bgp_fault *out, uint8_t subcode, const char *text);

/** Wrap a NOTIFICATION in a Hard Reset: the peer is not to keep our routes. */
void bgp_hard_reset_set(struct bgp_fault *out, const struct bgp_fault *why);

void bgp_notification_encode(struct wr *w, const struct bgp_fault *fault);

/** What the peer's NOTIFICATION said; @body was framed, so two bytes are there. */
void bgp_notification_decode(struct rd body, struct mono now, struct bgp_note *out);

/** The record of one that we send. */
void bgp_note_of_fault(const struct bgp_fault *fault, struct mono now, struct bgp_note *out);

#endif
