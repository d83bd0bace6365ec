#include "base/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

const struct mac mac_broadcast = { .b = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

struct addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct addr){ .family = FAMILY_V4, .b = { a, b, c, d } };
}

struct addr addr_from_bytes(enum family family, const void *bytes)
{
	struct addr a = { .family = (uint8_t)family };

	if (family != FAMILY_NONE)
		memcpy(a.b, bytes, addr_len(&a));
	return a;
}

/* ::ffff:0:0/96, IPv4 in IPv6's clothes (RFC 4291 §2.5.5.2). */
static bool is_v4_mapped(const uint8_t b[static 16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(b, mapped, sizeof(mapped)) == 0;
}

/* Read either family; a mapped address stays IPv6. */
static int parse_as_written(const char *text, struct addr *out)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, text, b) == 1)
		*out = addr_from_bytes(FAMILY_V4, b);
	else if (inet_pton(AF_INET6, text, b) == 1)
		*out = addr_from_bytes(FAMILY_V6, b);
	else
		return -1;
	return 0;
}

int addr_parse(const char *text, struct addr *out)
{
	struct addr a;

	if (parse_as_written(text, &a) < 0)
		return -1;
	if (a.family == FAMILY_V6 && is_v4_mapped(a.b))
		a = addr_from_bytes(FAMILY_V4, a.b + 12);
	*out = a;
	return 0;
}

static uint16_t group_of(const struct addr *a, int i)
{
	const uint8_t *at = a->b + (size_t)i * 2;

	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The longest run of at least two zero groups, the first one of equals (RFC 5952 §4.2). */
static int longest_zero_run(const struct addr *a, int *len)
{
	int best = -1;

	*len = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;
		while (i + n < 8 && group_of(a, i + n) == 0)
			n++;
		if (n > *len) {
			best = i;
			*len = n;
		}
		i += n;
	}
	return best;
}

static void format_v6(const struct addr *a, char *buf)
{
	int run_len;
	int run = longest_zero_run(a, &run_len);
	char *p = buf;

	for (int i = 0; i < 8; i++) {
		if (i == run) {
			p += sprintf(p, "::");
			i += run_len - 1;
			continue;
		}
		bool colon = i > 0 && p[-1] != ':';
		p += sprintf(p, colon ? ":%x" : "%x", group_of(a, i));
	}
}

const char *addr_format(const struct addr *a, char buf[static ADDR_TEXT_MAX])
{
	const uint8_t *b = a->b;

	buf[0] = '\0';
	if (a->family == FAMILY_V4)
		snprintf(buf, ADDR_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	else if (a->family == FAMILY_V6 && is_v4_mapped(b)) /* RFC 5952 §5 */
		snprintf(buf, ADDR_TEXT_MAX, "::ffff:%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
	else if (a->family == FAMILY_V6)
		format_v6(a, buf);
	return buf;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

uint64_t addr_hash(const struct addr *a)
{
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	unsigned __int128 x =
		(unsigned __int128)(w[0] ^ 0x9e3779b97f4a7c15u) * (w[1] ^ 0xc2b2ae3d27d4eb4fu);
	uint64_t h = ((uint64_t)x ^ (uint64_t)(x >> 64)) + a->family;
	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}

bool addr_next(struct addr *a)
{
	struct addr n = *a;

	for (unsigned i = addr_len(a); i-- > 0;) {
		if (++n.b[i] != 0) {
			*a = n;
			return true;
		}
	}
	return false;
}

bool addr_is_link_local(const struct addr *a)
{
	if (a->family == FAMILY_V4)
		return a->b[0] == 169 && a->b[1] == 254;
	return a->family == FAMILY_V6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct addr *a)
{
	if (a->family == FAMILY_V4)
		return (a->b[0] & 0xf0) == 0xe0;
	return a->family == FAMILY_V6 && a->b[0] == 0xff;
}

bool addr_is_loopback(const struct addr *a)
{
	static const struct addr one = { .family = FAMILY_V6, .b = { [15] = 1 } };

	if (a->family == FAMILY_V4)
		return a->b[0] == 127;
	return addr_eq(a, &one);
}

bool addr_is_unspecified(const struct addr *a)
{
	static const uint8_t zero[16];

	return addr_is_set(a) && memcmp(a->b, zero, sizeof(zero)) == 0;
}

socklen_t addr_to_sockaddr(const struct addr *a, uint16_t port, uint32_t scope,
			   struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (a->family == FAMILY_V4) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
		memcpy(&in.sin_addr, a->b, 4);
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_scope_id = scope,
	};
	memcpy(&in6.sin6_addr, a->b, 16);
	memcpy(out, &in6, sizeof(in6));
	return sizeof(in6);
}

void addr_from_sockaddr(const struct sockaddr_storage *ss, struct addr *out, uint16_t *port)
{
	in_port_t wire_port = 0;

	*out = (struct addr){ 0 };
	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
		*out = addr_from_bytes(FAMILY_V4, &in->sin_addr);
		wire_port = in->sin_port;
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
		const uint8_t *b = in6->sin6_addr.s6_addr;
		*out = is_v4_mapped(b) ? addr_from_bytes(FAMILY_V4, b + 12)
				       : addr_from_bytes(FAMILY_V6, b);
		wire_port = in6->sin6_port;
	}
	if (port)
		*port = ntohs(wire_port);
}

/* All of @text as a decimal number up to @max; -1 when it is anything else. */
static long decimal(const char *text, long max)
{
	long v = 0;

	if (*text == '\0')
		return -1;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return -1;
		v = v * 10 + (*p - '0');
		if (v > max)
			return -1;
	}
	return v;
}

/* Split "host:port" or "[host]:port" into @host; *port_text is NULL when there is none. */
static int split_host_port(const char *text, char host[static ADDR_TEXT_MAX],
			   const char **port_text)
{
	bool bracket = *text == '[';
	const char *start = bracket ? text + 1 : text;
	const char *end = strchr(start, bracket ? ']' : ':');

	if (!end || (!bracket && strchr(end + 1, ':'))) {
		if (bracket)
			return -1;
		end = start + strlen(start); /* no port: IPv4 alone, or bare IPv6 */
	}
	if ((size_t)(end - start) >= ADDR_TEXT_MAX)
		return -1;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	const char *rest = bracket ? end + 1 : end;
	if (*rest && *rest != ':')
		return -1;
	*port_text = *rest ? rest + 1 : NULL;
	return 0;
}

int addr_port_parse(const char *text, struct addr *out, uint16_t *port)
{
	char host[ADDR_TEXT_MAX];
	const char *port_text;
	struct addr a;

	if (split_host_port(text, host, &port_text) < 0 || addr_parse(host, &a) < 0)
		return -1;
	if (*text == '[' && !strchr(host, ':'))
		return -1; /* brackets are IPv6's */
	if (port_text) {
		long n = decimal(port_text, UINT16_MAX);
		if (n < 0)
			return -1;
		*port = (uint16_t)n;
	}
	*out = a;
	return 0;
}

const char *addr_port_format(const struct addr *a, uint16_t port,
			     char buf[static ADDR_PORT_TEXT_MAX])
{
	snprintf(buf, ADDR_PORT_TEXT_MAX, a->family == FAMILY_V6 ? "[%s]:%u" : "%s:%u",
		 ADDR_TEXT(a), port);
	return buf;
}

struct addr addr_solicited_node(const struct addr *target)
{
	struct addr a = { .family = FAMILY_V6, .b = { 0xff, 0x02, [11] = 1, [12] = 0xff } };

	memcpy(a.b + 13, target->b + 13, 3);
	return a;
}

/* Clear (or set) the bits behind the first @len. */
static struct addr with_host_bits(const struct addr *a, unsigned len, bool ones)
{
	struct addr out = *a;

	for (unsigned i = len / 8; i < addr_len(a); i++) {
		uint8_t host = i == len / 8 ? (uint8_t)(0xff >> (len % 8)) : 0xff;
		out.b[i] = ones ? (out.b[i] | host) : (out.b[i] & (uint8_t)~host);
	}
	return out;
}

struct prefix prefix_of(const struct addr *a, unsigned len)
{
	len = MIN(len, addr_bits(a));
	return (struct prefix){ .addr = with_host_bits(a, len, false), .len = (uint8_t)len };
}

int prefix_parse(const char *text, struct prefix *out)
{
	const char *slash = strchr(text, '/');
	char host[ADDR_TEXT_MAX];
	struct addr a;

	if (!slash || (size_t)(slash - text) >= sizeof(host))
		return -1;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	if (parse_as_written(host, &a) < 0)
		return -1;
	long len = decimal(slash + 1, addr_bits(&a));
	if (len < 0)
		return -1;
	if (a.family == FAMILY_V6 && is_v4_mapped(a.b) && len >= 96) {
		a = addr_from_bytes(FAMILY_V4, a.b + 12);
		len -= 96;
	}
	*out = prefix_of(&a, (unsigned)len);
	return 0;
}

const char *prefix_format(const struct prefix *p, char buf[static PREFIX_TEXT_MAX])
{
	buf[0] = '\0';
	if (addr_is_set(&p->addr))
		snprintf(buf, PREFIX_TEXT_MAX, "%s/%u", ADDR_TEXT(&p->addr), p->len);
	return buf;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	if (p->addr.family != a->family || !addr_is_set(a))
		return false;
	struct addr net = with_host_bits(a, p->len, false);
	return addr_eq(&net, &p->addr);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return a->len <= b->len ? prefix_contains(a, &b->addr) : prefix_contains(b, &a->addr);
}

int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
	int c = addr_cmp(&a->addr, &b->addr);

	return c ? c : (a->len > b->len) - (a->len < b->len);
}

struct range prefix_range(const struct prefix *p)
{
	return (struct range){
		.first = p->addr,
		.last = with_host_bits(&p->addr, p->len, true),
	};
}

bool range_contains(const struct range *r, const struct addr *a)
{
	return r->first.family == a->family && addr_cmp(&r->first, a) <= 0 &&
	       addr_cmp(a, &r->last) <= 0;
}

bool range_overlaps(const struct range *a, const struct range *b)
{
	return a->first.family == b->first.family && addr_cmp(&a->first, &b->last) <= 0 &&
	       addr_cmp(&b->first, &a->last) <= 0;
}

static unsigned __int128 addr_number(const struct addr *a)
{
	unsigned __int128 n = 0;

	for (unsigned i = 0; i < addr_len(a); i++)
		n = n << 8 | a->b[i];
	return n;
}

uint64_t range_size(const struct range *r)
{
	unsigned __int128 less_one = addr_number(&r->last) - addr_number(&r->first);

	return less_one >= UINT64_MAX ? UINT64_MAX : (uint64_t)less_one + 1;
}

/* The shortest prefix that starts at @a: as many host bits as @a has zeros at its end. */
static unsigned shortest_len_at(const struct addr *a)
{
	unsigned len = addr_bits(a);

	while (len > 0 && !(a->b[(len - 1) / 8] & (1u << (7 - (len - 1) % 8))))
		len--;
	return len;
}

bool range_next_prefix(struct range *rest, struct prefix *out)
{
	if (!addr_is_set(&rest->first))
		return false;
	unsigned len = shortest_len_at(&rest->first);
	struct addr last = with_host_bits(&rest->first, len, true);
	while (addr_cmp(&last, &rest->last) > 0)
		last = with_host_bits(&rest->first, ++len, true);

	*out = (struct prefix){ .addr = rest->first, .len = (uint8_t)len };
	rest->first = last;
	if (addr_eq(&last, &rest->last) || !addr_next(&rest->first))
		*rest = (struct range){ 0 };
	return true;
}

int mac_parse(const char *text, struct mac *out)
{
	struct mac m;

	if (strlen(text) != MAC_TEXT_MAX - 1 || (text[2] != ':' && text[2] != '-'))
		return -1;
	for (size_t i = 0; i < 6; i++) {
		const char *pair = text + 3 * i;
		unsigned value;

		if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
			return -1;
		if (i < 5 && pair[2] != text[2])
			return -1;
		sscanf(pair, "%2x", &value);
		m.b[i] = (uint8_t)value;
	}
	*out = m;
	return 0;
}

const char *mac_format(const struct mac *m, char buf[static MAC_TEXT_MAX])
{
	snprintf(buf, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2],
		 m->b[3], m->b[4], m->b[5]);
	return buf;
}

bool mac_eq(const struct mac *a, const struct mac *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
