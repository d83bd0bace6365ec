#include "l2/cover.h"

#include <assert.h>
#include <string.h>

enum { WORD_BITS = 32, ADDR_BITS_MAX = 128 };

/** Leading bits that two addresses share. */
static unsigned common_bits(const struct addr *a, const struct addr *b)
{
	for (unsigned i = 0; i < addr_len(a); i++) {
		unsigned diff = a->b[i] ^ b->b[i];
		if (diff)
			return i * 8 + (unsigned)__builtin_clz(diff) - (WORD_BITS - 8);
	}
	return addr_bits(a);
}

/**
 * Minimal exact prefixes of the whole set, run of consecutive addresses by run. A run of n makes
 * fewer than n + 1, so there are never more than addresses.
 */
static size_t cover_exactly(const struct addr *addrs, size_t n, struct prefix *out)
{
	size_t n_out = 0;

	for (size_t i = 0; i < n;) {
		struct range run = { .first = addrs[i], .last = addrs[i] };
		struct addr next = addrs[i];
		while (++i < n && addr_next(&next) && addr_eq(&next, &addrs[i]))
			run.last = addrs[i];
		while (range_next_prefix(&run, &out[n_out]))
			n_out++;
	}
	return n_out;
}

/** The most bits that neighbours must share to be merged so that @max prefixes are enough. */
static unsigned merge_bits(const struct prefix *p, size_t n, size_t max)
{
	size_t sharing[ADDR_BITS_MAX + 1] = { 0 }; /* pairs of neighbours by shared bits */
	unsigned bits = ADDR_BITS_MAX + 1;	   /* none shares so many: nothing is merged */

	for (size_t i = 1; i < n; i++)
		sharing[common_bits(&p[i - 1].addr, &p[i].addr)]++;
	for (size_t left = n; left > max; left -= sharing[bits])
		bits--;
	return bits;
}

static size_t merge(const struct prefix *p, size_t n, unsigned bits, struct prefix *out)
{
	size_t n_out = 0;

	for (size_t i = 0; i < n; i++) {
		struct prefix *last = n_out ? &out[n_out - 1] : NULL;
		unsigned shared = last ? common_bits(&p[i - 1].addr, &p[i].addr) : 0;
		if (last && shared >= bits)
			*last = prefix_of(&last->addr, MIN(shared, last->len));
		else
			out[n_out++] = p[i];
	}
	return n_out;
}

size_t l2_cover(const struct addr *addrs, size_t n, size_t max, struct prefix *out)
{
	assert(max > 0);
	if (n == 0)
		return 0;

	struct prefix *exact = mem_new_n(struct prefix, n);
	size_t n_exact = cover_exactly(addrs, n, exact);
	size_t n_out = merge(exact, n_exact, merge_bits(exact, n_exact, max), out);
	free(exact);
	return n_out;
}

/** Where the target address stands, in libpcap's words. */
struct text {
	struct buf *out;
	const char *field;
	unsigned offset; /* of its first byte */
};

static uint32_t addr_word(const struct addr *a, unsigned word)
{
	const uint8_t *b = a->b + (size_t)word * 4;

	return ((uint32_t)b[0] << 24) | ((uint32_t)b[1] << 16) | ((uint32_t)b[2] << 8) | b[3];
}

/** The end of the prefixes from @i on that agree with it in the whole of @word. */
static size_t same_word_end(const struct prefix *p, size_t n, size_t i, unsigned word)
{
	size_t end = i + 1;

	if (p[i].len <= (word + 1) * WORD_BITS)
		return end;
	while (end < n && addr_word(&p[end].addr, word) == addr_word(&p[i].addr, word))
		end++;
	return end;
}

static void text_word(const struct text *t, const struct prefix *p, unsigned word)
{
	unsigned bits = MIN(p->len - word * WORD_BITS, WORD_BITS);
	unsigned offset = t->offset + word * 4;

	if (bits == WORD_BITS)
		buf_printf(t->out, "%s[%u:4] = 0x%08x", t->field, offset,
			   addr_word(&p->addr, word));
	else
		buf_printf(t->out, "%s[%u:4] & 0x%08x = 0x%08x", t->field, offset,
			   UINT32_MAX << (WORD_BITS - bits), addr_word(&p->addr, word));
}

/** Alternatives word by word, so that what many addresses begin with is compared once. */
static void text_prefixes(const struct text *t, const struct prefix *p, size_t n, unsigned word)
{
	for (size_t i = 0; i < n;) {
		size_t end = same_word_end(p, n, i, word);
		buf_puts(t->out, i ? " or (" : "(");
		text_word(t, &p[i], word);
		if (p[i].len > (word + 1) * WORD_BITS) {
			buf_puts(t->out, " and (");
			text_prefixes(t, p + i, end - i, word + 1);
			buf_puts(t->out, ")");
		}
		buf_puts(t->out, ")");
		i = end;
	}
}

static void text_targets(const struct text *t, const struct prefix *p, size_t n)
{
	if (p[0].len == 0) /* everything: nothing more to ask */
		return;
	buf_puts(t->out, " and (");
	text_prefixes(t, p, n, 0);
	buf_puts(t->out, ")");
}

void l2_cover_arp_text(struct buf *b, const struct prefix *prefixes, size_t n, bool claims)
{
	buf_puts(b, "(arp[6:2] = 1");
	text_targets(&(struct text){ .out = b, .field = "arp", .offset = 24 }, prefixes, n);
	buf_puts(b, ")");
	if (!claims)
		return;
	buf_puts(b, " or (arp");
	text_targets(&(struct text){ .out = b, .field = "arp", .offset = 14 }, prefixes, n);
	buf_puts(b, ")");
}

void l2_cover_ndp_text(struct buf *b, const struct prefix *prefixes, size_t n, bool claims)
{
	buf_puts(b, "ip6[6] = 58 and (");
	buf_puts(b, claims ? "((ip6[40] = 135 or ip6[40] = 136)" : "(ip6[40] = 135");
	text_targets(&(struct text){ .out = b, .field = "ip6", .offset = 48 }, prefixes, n);
	buf_puts(b, ")");
	if (claims) {
		buf_puts(b, " or (ip6[40] = 135");
		text_targets(&(struct text){ .out = b, .field = "ip6", .offset = 8 }, prefixes, n);
		buf_puts(b, ")");
	}
	buf_puts(b, ")");
}

void l2_cover_ping_text(struct buf *b, const struct prefix *prefixes, size_t n)
{
	bool v4 = prefixes[0].addr.family == FAMILY_V4;
	struct text target = { .out = b, .field = v4 ? "ip" : "ip6", .offset = v4 ? 16 : 24 };

	buf_puts(b, v4 ? "icmp[0] = 8" : "ip6[6] = 58 and ip6[40] = 128");
	text_targets(&target, prefixes, n);
}
