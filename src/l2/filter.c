#include "l2/filter.h"

#include "l2/cover.h"

static bool is_same(const struct l2_filter *f, const struct prefix *p, size_t n, bool claims)
{
	if (f->n_prefixes != n || f->claims != claims)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (prefix_cmp(&f->prefixes[i], &p[i]) != 0)
			return false;
	}
	return true;
}

static int filter_compile(enum l2_proto proto, struct l2_filter *f, struct err *e)
{
	struct buf text = { 0 };

	if (proto == L2_ARP)
		l2_cover_arp_text(&text, f->prefixes, f->n_prefixes, f->claims);
	else if (proto == L2_NDP)
		l2_cover_ndp_text(&text, f->prefixes, f->n_prefixes, f->claims);
	else
		l2_cover_ping_text(&text, f->prefixes, f->n_prefixes);
	int rc = pcap_prog_compile(buf_text(&text), &f->prog, e);
	buf_fini(&text);
	return rc;
}

/** One try with at most @max prefixes. */
static int filter_try(enum l2_proto proto, const struct addr *addrs, size_t n, size_t max,
		      bool claims, const struct l2_filter *known, struct l2_filter *out,
		      struct err *e)
{
	struct l2_filter f = { .prefixes = mem_new_n(struct prefix, max), .claims = claims };
	int rc = 0;

	f.n_prefixes = l2_cover(addrs, n, max, f.prefixes);
	if (known && is_same(known, f.prefixes, f.n_prefixes, claims))
		pcap_prog_copy(&known->prog, &f.prog);
	else if (f.n_prefixes > 0)
		rc = filter_compile(proto, &f, e);
	if (rc < 0)
		l2_filter_fini(&f);
	*out = f;
	return rc;
}

int l2_filter_make(enum l2_proto proto, const struct addr *addrs, size_t n, bool claims,
		   const struct l2_filter *known, struct l2_filter *out, struct err *e)
{
	int rc = 0;

	/* A coarser cover makes a shorter program; one prefix always fits. */
	for (size_t max = claims ? L2_FILTER_TERMS / 2 : L2_FILTER_TERMS; max > 0; max /= 2) {
		rc = filter_try(proto, addrs, n, max, claims, known, out, e);
		if (rc != -ERR_LIMIT)
			break;
	}
	return rc;
}

void l2_filter_fini(struct l2_filter *f)
{
	free(f->prefixes);
	pcap_prog_fini(&f->prog);
	*f = (struct l2_filter){ 0 };
}
