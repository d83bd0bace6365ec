#include "bgp/open.h"

#include "bgp/notify.h"

enum { VERSION = 4, PARAM_CAPABILITIES = 2, EXTENDED = 255 };

/* RFC 4724 §3 and RFC 8538 §2: of the capability, and of each family in it. */
enum { RESTART_R = 0x8000, RESTART_N = 0x4000, RESTART_TIME = 0x0fff, RESTART_FORWARDING = 0x80 };

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

/* --- writing --- */

static void put_flag(struct wr *w, uint8_t code)
{
	wr_u8(w, code);
	wr_u8(w, 0);
}

static void put_multiprotocol(struct wr *w, uint16_t afi)
{
	wr_u8(w, BGP_CAP_MULTIPROTOCOL);
	wr_u8(w, 4);
	wr_u16(w, afi);
	wr_u8(w, 0);
	wr_u8(w, BGP_SAFI_UNICAST);
}

/* RFC 8950 §4: IPv4 unicast by IPv6. */
static void put_extended_hop(struct wr *w)
{
	wr_u8(w, BGP_CAP_EXTENDED_HOP);
	wr_u8(w, 6);
	wr_u16(w, BGP_AFI_V4);
	wr_u16(w, BGP_SAFI_UNICAST);
	wr_u16(w, BGP_AFI_V6);
}

/* A family, and whether its forwarding was kept; false when there is nothing to say of it. */
static bool put_restart_family(struct wr *w, const struct bgp_restart *r, uint16_t afi)
{
	uint8_t bit = bgp_afi_bit(afi, BGP_SAFI_UNICAST);

	if (!(r->families & bit))
		return false;
	wr_u16(w, afi);
	wr_u8(w, BGP_SAFI_UNICAST);
	wr_u8(w, r->forwarding & bit ? RESTART_FORWARDING : 0);
	return true;
}

static void put_restart(struct wr *w, const struct bgp_restart *r)
{
	uint16_t flags = (r->restarting ? RESTART_R : 0) | (r->notifications ? RESTART_N : 0);

	wr_u8(w, BGP_CAP_RESTART);
	size_t mark = wr_mark8(w);
	wr_u16(w, flags | (r->time_s & RESTART_TIME));
	(void)put_restart_family(w, r, BGP_AFI_V4);
	(void)put_restart_family(w, r, BGP_AFI_V6);
	wr_fill8(w, mark);
}

static void put_long_lived(struct wr *w, const struct bgp_restart *r)
{
	static const uint16_t afis[] = { BGP_AFI_V4, BGP_AFI_V6 };

	wr_u8(w, BGP_CAP_LONG_LIVED);
	size_t mark = wr_mark8(w);
	for (size_t i = 0; i < ARRAY_LEN(afis); i++) {
		if (!put_restart_family(w, r, afis[i]))
			continue;
		wr_u8(w, (uint8_t)(r->stale_s >> 16));
		wr_u16(w, (uint16_t)r->stale_s);
	}
	wr_fill8(w, mark);
}

static void put_host(struct wr *w, const char *host)
{
	size_t len = strlen(host);

	wr_u8(w, BGP_CAP_FQDN);
	wr_u8(w, (uint8_t)(len + 2));
	wr_u8(w, (uint8_t)len);
	wr_bytes(w, host, len);
	wr_u8(w, 0); /* no domain */
}

static void put_capabilities(struct wr *w, const struct bgp_open *open)
{
	if (open->families & BGP_V4)
		put_multiprotocol(w, BGP_AFI_V4);
	if (open->families & BGP_V6)
		put_multiprotocol(w, BGP_AFI_V6);
	if (open->refresh)
		put_flag(w, BGP_CAP_ROUTE_REFRESH);
	if (open->extended_hop)
		put_extended_hop(w);
	if (open->extended_message)
		put_flag(w, BGP_CAP_EXTENDED_MESSAGE);
	if (open->role) {
		wr_u8(w, BGP_CAP_ROLE);
		wr_u8(w, 1);
		wr_u8(w, open->role - 1);
	}
	if (open->restart.on)
		put_restart(w, &open->restart);
	if (open->restart.on && open->restart.stale_s) /* §4.1: never alone */
		put_long_lived(w, &open->restart);
	if (open->as4) {
		wr_u8(w, BGP_CAP_AS4);
		wr_u8(w, 4);
		wr_u32(w, open->as);
	}
	if (open->enhanced_refresh)
		put_flag(w, BGP_CAP_ENHANCED_REFRESH);
	if (open->host[0])
		put_host(w, open->host);
}

void bgp_open_encode(struct wr *w, const struct bgp_open *open)
{
	size_t mark = bgp_frame_begin(w, BGP_OPEN);
	uint8_t bytes[UINT8_MAX];
	struct wr caps = wr_to(bytes, sizeof(bytes));

	put_capabilities(&caps, open);
	wr_u8(w, VERSION);
	wr_u16(w, open->as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)open->as);
	wr_u16(w, open->hold_s);
	wr_u32(w, open->id);
	if (caps.len == 0) { /* a peer that refuses the parameter gets none */
		wr_u8(w, 0);
	} else {
		wr_u8(w, (uint8_t)(caps.len + 2));
		wr_u8(w, PARAM_CAPABILITIES);
		wr_u8(w, (uint8_t)caps.len);
		wr_bytes(w, bytes, caps.len);
	}
	bgp_frame_end(w, mark);
}

/* --- reading --- */

static void remember_cap(struct bgp_open *open, uint8_t code)
{
	for (uint8_t i = 0; i < open->n_caps; i++)
		if (open->caps[i] == code)
			return;
	if (open->n_caps < ARRAY_LEN(open->caps))
		open->caps[open->n_caps++] = code;
}

static void read_extended_hop(struct bgp_open *open, struct rd r)
{
	while (r.left > 0) {
		uint16_t afi = rd_u16(&r), safi = rd_u16(&r), hop = rd_u16(&r);

		if (!r.bad && safi <= UINT8_MAX && hop == BGP_AFI_V6)
			open->extended_hop |= bgp_afi_bit(afi, (uint8_t)safi) & BGP_V4;
	}
}

/* One of a strange shape counts as none. */
static void read_restart(struct bgp_restart *out, struct rd r)
{
	uint16_t flags = rd_u16(&r);
	struct bgp_restart got = {
		.on = true,
		.restarting = flags & RESTART_R,
		.notifications = flags & RESTART_N,
		.time_s = flags & RESTART_TIME,
	};

	while (r.left > 0) {
		uint16_t afi = rd_u16(&r);
		uint8_t bit = bgp_afi_bit(afi, rd_u8(&r));

		got.families |= bit;
		if (rd_u8(&r) & RESTART_FORWARDING)
			got.forwarding |= bit;
	}
	if (!r.bad)
		*out = got;
}

/* RFC 9234 §4.2: several roles are fine as long as they are the same. */
static void read_role(struct bgp_open *open, struct rd r)
{
	uint8_t number = rd_u8(&r);
	uint8_t role = number < BGP_ROLE_PEER ? number + 1 : BGP_ROLE_OTHER;

	if (!r.bad)
		open->role = open->role && open->role != role ? BGP_ROLE_OTHER : role;
}

static void read_host(struct bgp_open *open, struct rd r)
{
	uint8_t len = rd_u8(&r);
	const uint8_t *host = rd_bytes(&r, len);

	if (host)
		bgp_text_copy(open->host, sizeof(open->host), host, len);
}

static bool read_capability(struct bgp_open *open, uint8_t code, struct rd value)
{
	size_t len = value.left;

	remember_cap(open, code);
	switch (code) {
	case BGP_CAP_MULTIPROTOCOL: {
		uint16_t afi = rd_u16(&value);
		rd_skip(&value, 1);
		open->families |= bgp_afi_bit(afi, rd_u8(&value));
		return len == 4;
	}
	case BGP_CAP_AS4:
		open->as4 = true;
		open->as = rd_u32(&value);
		return len == 4;
	case BGP_CAP_ROUTE_REFRESH:
		open->refresh = true;
		break;
	case BGP_CAP_ENHANCED_REFRESH:
		open->enhanced_refresh = true;
		break;
	case BGP_CAP_EXTENDED_MESSAGE:
		open->extended_message = true;
		break;
	case BGP_CAP_EXTENDED_HOP:
		read_extended_hop(open, value);
		break;
	case BGP_CAP_RESTART:
		read_restart(&open->restart, value);
		break;
	case BGP_CAP_ROLE:
		read_role(open, value);
		break;
	case BGP_CAP_FQDN:
		read_host(open, value);
		break;
	default:
		break;
	}
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
