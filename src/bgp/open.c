#include "bgp/open.h"

#include "bgp/notify.h"

enum { VERSION = 4, PARAM_CAPABILITIES = 2, EXTENDED = 255 };

static const struct {
	uint8_t code;
	const char *name;
} cap_names[] = {
	{ 1, "multiprotocol" },
	{ 2, "route-refresh" },
	{ 5, "extended-next-hop" },
	{ 6, "extended-message" },
	{ 9, "role" },
	{ 64, "graceful-restart" },
	{ 65, "4-octet-as" },
	{ 67, "dynamic-capability" },
	{ 69, "add-path" },
	{ 70, "enhanced-route-refresh" },
	{ 71, "long-lived-graceful-restart" },
	{ 73, "fqdn" },
	{ 75, "software-version" },
	{ 76, "paths-limit" },
	{ 77, "link-local-next-hop" },
	{ 128, "route-refresh-cisco" },
};

const char *bgp_cap_name(uint8_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(cap_names); i++)
		if (cap_names[i].code == code)
			return cap_names[i].name;
	return NULL;
}

static void put_multiprotocol(struct wr *w, uint16_t afi)
{
	wr_u8(w, BGP_CAP_MULTIPROTOCOL);
	wr_u8(w, 4);
	wr_u16(w, afi);
	wr_u8(w, 0);
	wr_u8(w, BGP_SAFI_UNICAST);
}

static void put_capabilities(struct wr *w, const struct bgp_open *open)
{
	if (open->families & BGP_V4)
		put_multiprotocol(w, BGP_AFI_V4);
	if (open->families & BGP_V6)
		put_multiprotocol(w, BGP_AFI_V6);
	if (open->refresh) {
		wr_u8(w, BGP_CAP_ROUTE_REFRESH);
		wr_u8(w, 0);
	}
	if (open->as4) {
		wr_u8(w, BGP_CAP_AS4);
		wr_u8(w, 4);
		wr_u32(w, open->as);
	}
}

void bgp_open_encode(struct wr *w, const struct bgp_open *open)
{
	size_t mark = bgp_frame_begin(w, BGP_OPEN);

	wr_u8(w, VERSION);
	wr_u16(w, open->as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)open->as);
	wr_u16(w, open->hold_s);
	wr_u32(w, open->id);
	size_t params = wr_mark8(w);
	wr_u8(w, PARAM_CAPABILITIES);
	size_t caps = wr_mark8(w);
	put_capabilities(w, open);
	wr_fill8(w, caps);
	wr_fill8(w, params);
	bgp_frame_end(w, mark);
}

static void remember_cap(struct bgp_open *open, uint8_t code)
{
	for (uint8_t i = 0; i < open->n_caps; i++)
		if (open->caps[i] == code)
			return;
	if (open->n_caps < ARRAY_LEN(open->caps))
		open->caps[open->n_caps++] = code;
}

static bool read_capability(struct bgp_open *open, uint8_t code, struct rd value)
{
	size_t len = value.left;

	remember_cap(open, code);
	if (code == BGP_CAP_MULTIPROTOCOL) {
		uint16_t afi = rd_u16(&value);
		rd_skip(&value, 1);
		open->families |= bgp_afi_bit(afi, rd_u8(&value));
		return len == 4;
	}
	if (code == BGP_CAP_AS4) {
		open->as4 = true;
		open->as = rd_u32(&value);
		return len == 4;
	}
	if (code == BGP_CAP_ROUTE_REFRESH)
		open->refresh = true;
	return true;
}

static bool read_capabilities(struct bgp_open *open, struct rd r)
{
	while (r.left > 0) {
		uint8_t code = rd_u8(&r);
		struct rd value = rd_sub(&r, rd_u8(&r));

		if (value.bad || !read_capability(open, code, value))
			return false;
	}
	return !r.bad;
}

/* RFC 9072: a first parameter of type 255 announces two-octet lengths, whatever the one-octet length says. */
static bool begin_params(struct rd *r, bool *extended)
{
	uint8_t len = rd_u8(r);
	struct rd peek = *r;

	*extended = len != 0 && rd_u8(&peek) == EXTENDED && !peek.bad;
	if (!*extended)
		return r->left == len;
	rd_skip(r, 1);
	uint16_t long_len = rd_u16(r);
	return !r->bad && r->left == long_len;
}

static int read_params(struct rd *r, struct bgp_open *open, struct bgp_fault *fault)
{
	bool extended;

	if (!begin_params(r, &extended))
		return bgp_fault_set(fault, BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC, NULL, 0);
	while (r->left > 0) {
		uint8_t type = rd_u8(r);
		struct rd value = rd_sub(r, extended ? rd_u16(r) : rd_u8(r));

		if (value.bad)
			return bgp_fault_set(fault, BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC, NULL, 0);
		if (type != PARAM_CAPABILITIES)
			return bgp_fault_set(fault, BGP_ERR_OPEN, BGP_OPEN_PARAMETER, NULL, 0);
		if (!read_capabilities(open, value))
			return bgp_fault_set(fault, BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC, NULL, 0);
	}
	return 0;
}

static bool has_cap(const struct bgp_open *open, uint8_t code)
{
	return open->n_caps && memchr(open->caps, code, open->n_caps) != NULL;
}

static int check_fields(const struct bgp_open *open, struct bgp_fault *fault)
{
	if (open->as == 0)
		return bgp_fault_set(fault, BGP_ERR_OPEN, BGP_OPEN_PEER_AS, NULL, 0);
	if (open->hold_s == 1 || open->hold_s == 2)
		return bgp_fault_set(fault, BGP_ERR_OPEN, BGP_OPEN_HOLD_TIME, NULL, 0);
	if (open->id == 0)
		return bgp_fault_set(fault, BGP_ERR_OPEN, BGP_OPEN_IDENTIFIER, NULL, 0);
	return 0;
}

int bgp_open_decode(struct rd body, struct bgp_open *out, struct bgp_fault *fault)
{
	static const uint8_t our_version[] = { 0, VERSION };
	struct bgp_open open = { 0 };

	if (rd_u8(&body) != VERSION)
		return bgp_fault_set(fault, BGP_ERR_OPEN, BGP_OPEN_VERSION, our_version,
				     sizeof(our_version));
	open.as = rd_u16(&body);
	open.hold_s = rd_u16(&body);
	open.id = rd_u32(&body);
	int rc = read_params(&body, &open, fault);
	if (rc != 0)
		return rc;
	/* RFC 4760 §8: who names no family speaks IPv4 unicast. */
	if (!has_cap(&open, BGP_CAP_MULTIPROTOCOL))
		open.families = BGP_V4;
	rc = check_fields(&open, fault);
	if (rc == 0)
		*out = open;
	return rc;
}
