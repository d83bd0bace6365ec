/**
 * One frame into an announcer with a fixed table, for fuzz targets.
 */
#ifndef TESTS_FUZZ_L2_RX_H
#define TESTS_FUZZ_L2_RX_H

#include <stdio.h>

#include "l2/announcer.h"

enum { FUZZ_IFINDEX = 5, FUZZ_SELF = 1 };

struct fuzz_rx {
	struct l2_announcer *announcer;
	struct l2_address_stats stats;
};

static inline void fuzz_rx_init(struct fuzz_rx *f, const char *owned)
{
	static const uint16_t nodes[] = { FUZZ_SELF };
	static const struct l2_nodes alive;
	struct l2_iface iface = { .ifindex = FUZZ_IFINDEX,
				  .mac = { { 2, 0, 0, 0, 0, 0x0b } },
				  .arp = true,
				  .ndp = true };
	struct l2_address_conf address = {
		.nodes = nodes, .n_nodes = 1, .all_ifaces = true, .stats = &f->stats
	};
	struct l2_table_conf conf = { .self = FUZZ_SELF,
				      .policy = { .detect = true },
				      .alive = &alive,
				      .ifaces = &iface,
				      .n_ifaces = 1,
				      .addresses = &address,
				      .n_addresses = 1 };
	struct l2_table *t;

	if (addr_parse(owned, &address.addr) < 0 || l2_table_new(&conf, &t, NULL) < 0)
		abort();
	f->announcer = l2_announcer_new(&(struct l2_announcer_conf){ 0 });
	(void)l2_announcer_apply(f->announcer, t, (struct mono){ 0 });
}

/** Feed it; a reply has exactly the length of its kind. */
static inline void fuzz_rx(struct fuzz_rx *f, const uint8_t *frame, size_t len, size_t reply_len)
{
	struct l2_frame reply = { 0 };

	if (l2_announcer_rx(f->announcer, FUZZ_IFINDEX, rd_from(frame, len), &reply,
			    (struct mono){ 1 }) != L2_RX_OK)
		return;
	if (reply.len != reply_len || reply.ifindex != FUZZ_IFINDEX)
		abort();
}

#endif
