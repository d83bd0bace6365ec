/**
 * Packet filters: text in libpcap's language, compiled for Ethernet frames into classic BPF.
 * libpcap's one door, which loads it (net/libpcap.h).
 *
 * Compiling may take milliseconds for hundreds of terms: it is the control thread's work. The
 * result is read only and may be handed to another thread, which attaches it with
 * packet_set_filter().
 */
#ifndef NET_PCAP_H
#define NET_PCAP_H

#include <linux/filter.h>
#include <stdbool.h>

#include "base/err.h"

/** The most instructions that fit a socket once packet_set_filter() has put its own in front. */
#define PCAP_PROG_MAX (BPF_MAXINSNS - 4)

/** Zero-initialised: an empty program, which lets nothing through. */
struct pcap_prog {
	struct sock_filter *insns;
	size_t n;
};

/**
 * Compile @text with libpcap's optimiser. Free with pcap_prog_fini().
 * Returns 0, -ERR_CONFIG for text that libpcap refuses, -ERR_LIMIT when the program is longer than
 * PCAP_PROG_MAX.
 */
NODISCARD int pcap_prog_compile(const char *text, struct pcap_prog *out, struct err *e);
void pcap_prog_fini(struct pcap_prog *p);
void pcap_prog_copy(const struct pcap_prog *p, struct pcap_prog *out);

/** What the kernel would decide for this frame, worked out here. */
bool pcap_prog_passes(const struct pcap_prog *p, const void *frame, size_t len);
bool pcap_prog_eq(const struct pcap_prog *a, const struct pcap_prog *b);

#endif
