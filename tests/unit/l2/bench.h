/** A bench for the announcer: a table in the making, a clock of our own, and what came out as short text. */
#ifndef TEST_L2_BENCH_H
#define TEST_L2_BENCH_H

#include "support.h"

#include <stdio.h>
#include <string.h>

#include "l2/announcer.h"
#include "l2/arp.h"

enum { ME = 1, OTHER = 2, THIRD = 3, ETH0 = 5, ETH1 = 6, MANY = 1000 };

static const uint16_t me_first[] = { ME, OTHER };
static const uint16_t other_first[] = { OTHER, ME };
static const uint16_t not_me[] = { OTHER, THIRD };
static const struct mac mac_eth0 = { { 2, 0, 0, 0, 0, 0x0b } };

static inline struct l2_iface iface(int ifindex)
{
	struct l2_iface i = { .ifindex = ifindex, .mac = mac_eth0, .arp = true, .ndp = true };

	snprintf(i.name, sizeof(i.name), "eth%d", ifindex - ETH0);
	i.mac.b[4] = (uint8_t)(ifindex - ETH0);
	assert_int_equal(addr_parse("fe80::b", &i.link_local), 0);
	return i;
}

static inline struct addr addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/** What a test puts into a table, and the announcer that gets it. */
struct bench {
	struct l2_announcer *a;
	struct l2_table *table;
	struct mono now;
	struct l2_policy policy;
	struct l2_quorum quorum;
	struct l2_member members[2];
	size_t n_members;
	struct l2_nodes alive;
	struct l2_iface ifaces[2];
	size_t n_ifaces;
	struct l2_address_conf addresses[MANY];
	struct l2_address_stats stats[MANY];
	size_t n;
};

static inline struct bench *bench_new(uint64_t rate, struct dur refresh)
{
	struct bench *b = mem_new(struct bench);

	b->a = l2_announcer_new(&(struct l2_announcer_conf){ 0 });
	b->policy = (struct l2_policy){ .rate = rate, .refresh = refresh };
	b->now = (struct mono){ INT64_C(1000000000000) };
	b->ifaces[0] = iface(ETH0);
	b->ifaces[1] = iface(ETH1);
	b->n_ifaces = 1;
	l2_nodes_set(&b->alive, OTHER, true);
	return b;
}

static inline void bench_free(struct bench *b)
{
	l2_announcer_free(b->a);
	l2_table_free(b->table);
	free(b);
}

static inline struct l2_address_conf *add(struct bench *b, const char *text,
					  const uint16_t nodes[2])
{
	struct l2_address_conf *c = &b->addresses[b->n];

	*c = (struct l2_address_conf){ .addr = addr_of(text),
				       .nodes = nodes,
				       .n_nodes = 2,
				       .all_ifaces = true,
				       .stats = &b->stats[b->n] };
	b->n++;
	return c;
}

/** Drain events into text: "+192.0.2.1 -192.0.2.2 !192.0.2.3:won ". */
static inline const char *events(struct bench *b)
{
	static const char *const verdicts[] = { "none", "kept", "yielded", "won", "lost" };
	static char text[512];
	struct l2_event ev;
	size_t len = 0;

	text[0] = '\0';
	while (l2_announcer_next_event(b->a, &ev)) {
		if (ev.kind == L2_HELD || len >= sizeof(text) - 64)
			continue;
		if (ev.kind == L2_CONFLICT)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "!%s:%s ",
						ADDR_TEXT(&ev.addr), verdicts[ev.verdict]);
		else
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%c%s ",
						ev.kind == L2_TOOK ? '+' : '-',
						ADDR_TEXT(&ev.addr));
	}
	return text;
}

static inline const char *apply(struct bench *b)
{
	struct l2_table *t;
	struct l2_table_conf conf = { .self = ME,
				      .policy = b->policy,
				      .quorum = b->quorum,
				      .members = b->members,
				      .n_members = b->n_members,
				      .alive = &b->alive,
				      .ifaces = b->ifaces,
				      .n_ifaces = b->n_ifaces,
				      .addresses = b->addresses,
				      .n_addresses = b->n,
				      .previous = b->table };

	assert_int_equal(l2_table_new(&conf, &t, NULL), 0);
	struct l2_table *before = l2_announcer_apply(b->a, t, b->now);
	assert_ptr_equal(before, b->table);
	const char *text = events(b);
	l2_table_free(before);
	b->table = t;
	return text;
}

/** A frame in short: interface, operation or flags, address. */
static inline void frame_text(const struct l2_frame *f, char *out, size_t cap)
{
	struct addr a;

	if (f->proto == L2_ARP)
		a = addr_from_bytes(FAMILY_V4, f->bytes + 38);
	else
		a = addr_from_bytes(FAMILY_V6, f->bytes + 62);
	snprintf(out, cap, "%d:%s:%s ", f->ifindex,
		 f->proto == L2_NDP ? "na" : (f->bytes[21] == ARP_REQUEST ? "req" : "rep"),
		 ADDR_TEXT(&a));
}

/** All that is due now, in order. */
static inline const char *sent(struct bench *b)
{
	static char text[1024];
	struct l2_frame f;

	text[0] = '\0';
	l2_announcer_tick(b->a, b->now);
	while (l2_announcer_next_frame(b->a, b->now, &f)) {
		char one[80];
		frame_text(&f, one, sizeof(one));
		if (strlen(text) + strlen(one) < sizeof(text))
			strcat(text, one);
	}
	return text;
}

static inline size_t sent_count(struct bench *b)
{
	struct l2_frame f;
	size_t n = 0;

	l2_announcer_tick(b->a, b->now);
	while (l2_announcer_next_frame(b->a, b->now, &f))
		n++;
	return n;
}

static inline void advance(struct bench *b, struct dur d)
{
	b->now = mono_add(b->now, d);
}

/** Milliseconds from now to the deadline, or -1 when there is none. */
static inline int64_t deadline_ms(struct bench *b)
{
	struct mono at = l2_announcer_deadline(b->a);

	return mono_is_never(at) ? -1 : dur_ms(mono_sub(at, b->now));
}

#endif
