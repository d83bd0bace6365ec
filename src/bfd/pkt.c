#include "bfd/pkt.h"

/* RFC 5880 §4.1: the second byte is the state and six flags. */
enum {
	FLAG_POLL = 0x20,
	FLAG_FINAL = 0x10,
	FLAG_CPI = 0x08,
	FLAG_AUTH = 0x04,
	FLAG_DEMAND = 0x02,
	FLAG_MULTIPOINT = 0x01,
};

struct head {
	uint8_t version;
	uint8_t flags;
	uint8_t len;
	size_t wire_len;
};

static struct head read_fields(struct rd *r, struct bfd_pkt *pkt)
{
	struct head head = { .wire_len = r->left };
	uint8_t vers_diag = rd_u8(r);
	uint8_t state_flags = rd_u8(r);

	head.version = vers_diag >> 5;
	head.flags = state_flags & 0x3f;
	pkt->diag = vers_diag & 0x1f;
	pkt->state = state_flags >> 6;
	pkt->poll = state_flags & FLAG_POLL;
	pkt->final = state_flags & FLAG_FINAL;
	pkt->cpi = state_flags & FLAG_CPI;
	pkt->demand = state_flags & FLAG_DEMAND;
	pkt->detect_mult = rd_u8(r);
	head.len = rd_u8(r);
	pkt->my_disc = rd_u32(r);
	pkt->your_disc = rd_u32(r);
	pkt->desired_min_tx_us = rd_u32(r);
	pkt->required_min_rx_us = rd_u32(r);
	pkt->required_min_echo_us = rd_u32(r);
	return head;
}

/* In the order of RFC 5880 §6.8.6, so that a packet that is wrong twice is counted as the RFC meets
 * it. */
static enum bfd_decode check_fields(const struct head *head, const struct bfd_pkt *pkt)
{
	bool auth = head->flags & FLAG_AUTH;

	if (head->version != BFD_VERSION)
		return BFD_PKT_VERSION;
	if (head->len < (auth ? BFD_PKT_AUTH_LEN : BFD_PKT_LEN) || head->len > head->wire_len)
		return BFD_PKT_LENGTH;
	if (pkt->detect_mult == 0)
		return BFD_PKT_DETECT_MULT;
	if (head->flags & FLAG_MULTIPOINT)
		return BFD_PKT_MULTIPOINT;
	if (pkt->my_disc == 0)
		return BFD_PKT_MY_DISC;
	if (pkt->your_disc == 0 && pkt->state != BFD_DOWN && pkt->state != BFD_ADMIN_DOWN)
		return BFD_PKT_YOUR_DISC;
	return BFD_PKT_OK;
}

/* §4.2-4.4. @r: what the length field says is behind the mandatory section. */
static bool read_auth(struct rd *r, struct bfd_pkt *pkt)
{
	enum { SIMPLE = 1, KEYED_MD5 = 2, METICULOUS_SHA1 = 5 };
	size_t given = r->left;

	pkt->auth.type = rd_u8(r);
	uint8_t len = rd_u8(r);
	pkt->auth.key_id = rd_u8(r);
	if (len != given)
		return false;
	if (pkt->auth.type == SIMPLE) {
		pkt->auth.proof = *r;
		return !r->bad && r->left >= 1 && r->left <= 16;
	}
	rd_skip(r, 1);
	pkt->auth.seq = rd_u32(r);
	pkt->auth.proof = *r;
	return !r->bad && pkt->auth.type >= KEYED_MD5 && pkt->auth.type <= METICULOUS_SHA1 &&
	       r->left == (pkt->auth.type < 4 ? 16 : 20);
}

enum bfd_decode bfd_pkt_decode(struct rd r, struct bfd_pkt *out)
{
	struct bfd_pkt pkt = { .wire = r.p };
	struct head head = read_fields(&r, &pkt);

	if (r.bad)
		return BFD_PKT_SHORT;
	enum bfd_decode outcome = check_fields(&head, &pkt);
	if (outcome != BFD_PKT_OK)
		return outcome;
	struct rd section = rd_sub(&r, head.len - BFD_PKT_LEN);
	if ((head.flags & FLAG_AUTH) && !read_auth(&section, &pkt))
		return BFD_PKT_AUTH_FORM;
	*out = pkt;
	return BFD_PKT_OK;
}

void bfd_pkt_encode(const struct bfd_pkt *pkt, size_t auth_len, struct wr *w)
{
	uint8_t flags = auth_len ? FLAG_AUTH : 0;

	flags |= pkt->poll ? FLAG_POLL : 0;
	flags |= pkt->final ? FLAG_FINAL : 0;
	flags |= pkt->cpi ? FLAG_CPI : 0;
	flags |= pkt->demand ? FLAG_DEMAND : 0;
	wr_u8(w, (uint8_t)(BFD_VERSION << 5 | (pkt->diag & 0x1f)));
	wr_u8(w, (uint8_t)(pkt->state << 6 | flags));
	wr_u8(w, pkt->detect_mult);
	wr_u8(w, (uint8_t)(BFD_PKT_LEN + auth_len));
	wr_u32(w, pkt->my_disc);
	wr_u32(w, pkt->your_disc);
	wr_u32(w, pkt->desired_min_tx_us);
	wr_u32(w, pkt->required_min_rx_us);
	wr_u32(w, pkt->required_min_echo_us);
}

const char *bfd_state_name(unsigned state)
{
	static const char *const names[BFD_STATE_COUNT] = {
		[BFD_ADMIN_DOWN] = "AdminDown",
		[BFD_DOWN] = "Down",
		[BFD_INIT] = "Init",
		[BFD_UP] = "Up",
	};
	return state < BFD_STATE_COUNT ? names[state] : "?";
}

const char *bfd_diag_name(unsigned diag)
{
	static const char *const names[BFD_DIAG_COUNT] = {
		[BFD_DIAG_NONE] = "none",
		[BFD_DIAG_EXPIRED] = "control detection time expired",
		[BFD_DIAG_ECHO_FAILED] = "echo function failed",
		[BFD_DIAG_NEIGHBOR_DOWN] = "neighbor signaled session down",
		[BFD_DIAG_FORWARDING_RESET] = "forwarding plane reset",
		[BFD_DIAG_PATH_DOWN] = "path down",
		[BFD_DIAG_CONCATENATED_PATH_DOWN] = "concatenated path down",
		[BFD_DIAG_ADMIN_DOWN] = "administratively down",
		[BFD_DIAG_REVERSE_PATH_DOWN] = "reverse concatenated path down",
	};
	return diag < BFD_DIAG_COUNT ? names[diag] : "reserved";
}
