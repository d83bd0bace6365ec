#include "net/pcap.h"

#include <assert.h>
#include <string.h>

#include "net/libpcap.h"

/* Any length will do: nothing is captured through this handle. */
#define SNAPLEN 65535

/* Programs travel between libpcap's struct and the kernel's as they are. */
static_assert(sizeof(struct bpf_insn) == sizeof(struct sock_filter), "one instruction format");
static_assert(offsetof(struct bpf_insn, k) == offsetof(struct sock_filter, k), "same layout");

static int prog_take(const struct bpf_program *bpf, struct pcap_prog *out, struct err *e)
{
	if (bpf->bf_len > PCAP_PROG_MAX)
		return err_set(e, ERR_LIMIT, "the filter has %u instructions, the kernel takes %u",
			       bpf->bf_len, (unsigned)PCAP_PROG_MAX);
	out->n = bpf->bf_len;
	out->insns = mem_dup(bpf->bf_insns, out->n * sizeof(*out->insns));
	return 0;
}

int pcap_prog_compile(const char *text, struct pcap_prog *out, struct err *e)
{
	int rc = libpcap_load(e);
	if (rc < 0)
		return rc;
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	if (!dead)
		return err_set(e, ERR_SYSTEM, "libpcap gave no handle");

	struct bpf_program bpf = { 0 };
	if (pcap_compile(dead, &bpf, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
		rc = err_set(e, ERR_CONFIG, "packet filter: %s", pcap_geterr(dead));
	else
		rc = prog_take(&bpf, out, e);
	pcap_freecode(&bpf);
	pcap_close(dead);
	return rc;
}

void pcap_prog_fini(struct pcap_prog *p)
{
	free(p->insns);
	*p = (struct pcap_prog){ 0 };
}

void pcap_prog_copy(const struct pcap_prog *p, struct pcap_prog *out)
{
	*out = (struct pcap_prog){ .n = p->n };
	if (p->n)
		out->insns = mem_dup(p->insns, p->n * sizeof(*p->insns));
}

bool pcap_prog_passes(const struct pcap_prog *p, const void *frame, size_t len)
{
	if (p->n == 0)
		return false;
	return bpf_filter((const struct bpf_insn *)p->insns, frame, (u_int)len, (u_int)len) != 0;
}

bool pcap_prog_eq(const struct pcap_prog *a, const struct pcap_prog *b)
{
	if (a->n != b->n)
		return false;
	return a->n == 0 || memcmp(a->insns, b->insns, a->n * sizeof(*a->insns)) == 0;
}
