/**
 * The BFD control packet: decode and encode, nothing else.
 *
 * struct bfd_pkt is the packet with its fields in host order and intervals in microseconds.
 * bfd_pkt_decode() does the checks of RFC 5880 §6.8.6 that need no session; what needs one is in
 * session.h, what needs the socket (TTL, interface) in engine.h. The session core and the engine
 * drive it.
 *
 * RFC 5880 §4.1 and the first steps of §6.8.6: covered. §4.2-4.4: the form of the authentication section; what
 * it proves is in auth.h.
 */
#ifndef BFD_PKT_H
#define BFD_PKT_H

#include "base/bytes.h"
#include "base/mem.h"

enum bfd_state { BFD_ADMIN_DOWN = 0, BFD_DOWN = 1, BFD_INIT = 2, BFD_UP = 3, BFD_STATE_COUNT };

/** Why the sender's session last changed its state (RFC 5880 §4.1). */
enum bfd_diag {
	BFD_DIAG_NONE = 0,
	BFD_DIAG_EXPIRED = 1,
	BFD_DIAG_ECHO_FAILED = 2,
	BFD_DIAG_NEIGHBOR_DOWN = 3,
	BFD_DIAG_FORWARDING_RESET = 4,
	BFD_DIAG_PATH_DOWN = 5,
	BFD_DIAG_CONCATENATED_PATH_DOWN = 6,
	BFD_DIAG_ADMIN_DOWN = 7,
	BFD_DIAG_REVERSE_PATH_DOWN = 8,
	BFD_DIAG_COUNT
};

#define BFD_PKT_LEN	 24 /* bytes without an authentication section */
#define BFD_PKT_AUTH_LEN 26 /* the least with one */
#define BFD_VERSION	 1

struct bfd_pkt {
	uint8_t diag; /* enum bfd_diag, or a number that only the sender knows (0-31) */
	uint8_t state;
	bool poll;
	bool final;
	bool cpi; /* control plane independent */
	bool demand;
	uint8_t detect_mult;
	uint32_t my_disc;
	uint32_t your_disc;
	uint32_t desired_min_tx_us;
	uint32_t required_min_rx_us;
	uint32_t required_min_echo_us;

	/* Of a decoded packet; borrowed from the datagram. */
	const uint8_t *wire;
	struct {
		uint8_t type; /* 0: no section */
		uint8_t key_id;
		uint32_t seq;
		struct rd proof; /* the password, or the digest */
	} auth;
};

/** Why a packet is refused: X(name, label, text). */
#define BFD_PKT_REFUSALS(X)                                                                       \
	X(SHORT, "short", "fewer bytes than a control packet has")                                \
	X(VERSION, "version", "not version 1")                                                    \
	X(LENGTH, "length", "length field too small, or larger than the payload")                 \
	X(DETECT_MULT, "detect-multiplier", "detect multiplier is zero")                          \
	X(MULTIPOINT, "multipoint", "multipoint bit is set")                                      \
	X(MY_DISC, "my-discriminator", "my discriminator is zero")                                \
	X(YOUR_DISC, "your-discriminator", "your discriminator is zero in a state that needs it") \
	X(AUTH_FORM, "authentication-form", "authentication section of an unknown form")

enum bfd_decode {
	BFD_PKT_OK,
#define BFD_PKT_OUTCOME(name, label, text) BFD_PKT_##name,
	BFD_PKT_REFUSALS(BFD_PKT_OUTCOME)
#undef BFD_PKT_OUTCOME
		BFD_DECODE_COUNT
};

/**
 * Decode the payload of one datagram. Bytes behind the length field are ignored (§6.8.6 asks only
 * that the length does not exceed the payload). @out is set on BFD_PKT_OK alone.
 */
NODISCARD enum bfd_decode bfd_pkt_decode(struct rd r, struct bfd_pkt *out);

/** Append the packet's BFD_PKT_LEN bytes. @auth_len: bytes of the section that follows; 0: none. */
void bfd_pkt_encode(const struct bfd_pkt *pkt, size_t auth_len, struct wr *w);

/** "AdminDown", "Down", "Init", "Up". */
const char *bfd_state_name(unsigned state);
/** Short text of a diagnostic; numbers without a meaning give "reserved". */
const char *bfd_diag_name(unsigned diag);

#endif
