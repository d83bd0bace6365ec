#include "vip/choose.h"

#include <stdio.h>
#include <string.h>

#include "net/ifaddr.h"
#include "support.h"

/*
 * A host in one line: "name flags address/len …; …". Flags: u up, r running, l loopback, n no
 * ARP, x excluded, d default route; - none. An address with ! behind it carries our mark. Indexes
 * count from 1.
 */
struct host {
	struct net_link links[8];
	struct net_addr addrs[8][8];
	struct prefix nets[8][8];
	size_t n;
	int default_link;
	char excluded[NET_NAME_MAX];
};

static struct host host; /* of the case that runs */

static bool allowed(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, host.excluded) != 0;
}

static int default_link(void *ctx, enum family family)
{
	(void)ctx;
	(void)family;
	return host.default_link;
}

static void parse_addr(struct net_link *l, char *word)
{
	struct net_addr *a = &l->addrs[l->n_addrs++];
	char *mark = strchr(word, '!');

	*a = (struct net_addr){ .ifindex = l->ifindex, .proto = mark ? IFADDR_PROTO : 0 };
	if (mark)
		*mark = '\0';
	assert_int_equal(prefix_parse(word, &a->subnet), 0);
	a->prefix_len = a->subnet.len;
	if (a->subnet.len < addr_bits(&a->subnet.addr))
		l->nets[l->n_nets++] = a->subnet;
	*strchr(word, '/') = '\0';
	assert_int_equal(addr_parse(word, &a->addr), 0);
}

static void parse_link(char *text)
{
	char *rest;
	char *name = strtok_r(text, " ", &rest);
	char *flags = strtok_r(NULL, " ", &rest);
	struct net_link *l = &host.links[host.n];

	*l = (struct net_link){
		.ifindex = (int)host.n + 1,
		.up = strchr(flags, 'u'),
		.running = strchr(flags, 'r'),
		.loopback = strchr(flags, 'l'),
		.noarp = strchr(flags, 'n'),
		.addrs = host.addrs[host.n],
		.nets = host.nets[host.n],
	};
	snprintf(l->name, sizeof(l->name), "%s", name);
	if (strchr(flags, 'x'))
		snprintf(host.excluded, sizeof(host.excluded), "%s", name);
	if (strchr(flags, 'd'))
		host.default_link = l->ifindex;
	for (char *word; (word = strtok_r(NULL, " ", &rest));)
		parse_addr(l, word);
	host.n++;
}

static struct vip_view view_of(const char *text)
{
	char copy[512];
	char *rest;

	memset(&host, 0, sizeof(host));
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *l = strtok_r(copy, ";", &rest); l; l = strtok_r(NULL, ";", &rest))
		parse_link(l);
	return (struct vip_view){
		.links = host.links,
		.n_links = host.n,
		.proto_kept = true,
		.allowed = allowed,
		.default_link = default_link,
	};
}

struct choose_case {
	const char *name;
	const char *host;
	const char *addr;
	const char *link; /* by name */
	const char *want; /* a link, or the reason why none */
	enum vip_mode mode;
	int now_on;
};

#define LO "lo ulr 127.0.0.1/8"

static const struct choose_case choose_cases[] = {
	{ "the link of the network", LO "; eth0 ur 192.0.2.1/24; eth1 ur 198.51.100.1/24",
	  "198.51.100.9", .want = "eth1" },
	{ "v6", LO "; eth0 ur fe80::1/64 2001:db8::1/64", "2001:db8::10", .want = "eth0" },
	{ "longest prefix", LO "; eth0 urd 10.0.0.1/8; eth1 ur 10.1.0.1/16", "10.1.2.3",
	  .want = "eth1" },
	{ "longest prefix first", LO "; eth0 ur 10.1.0.1/16; eth1 urd 10.0.0.1/8", "10.1.2.3",
	  .want = "eth0" },
	{ "then the default route's", LO "; eth0 ur 10.0.0.1/8; eth1 urd 10.0.0.2/8", "10.1.2.3",
	  .want = "eth1" },
	{ "the default route's among three",
	  LO "; eth0 ur 10.0.0.1/8; eth1 urd 10.0.0.2/8; eth2 ur 10.0.0.3/8", "10.1.2.3",
	  .want = "eth1" },
	{ "then the lowest index", LO "; eth0 ur 10.0.0.1/8; eth1 ur 10.0.0.2/8", "10.1.2.3",
	  .want = "eth0" },
	{ "a second network of a link", LO "; eth0 ur 192.0.2.1/24 198.51.100.1/24", "198.51.100.9",
	  .want = "eth0" },
	{ "no network", LO "; eth0 ur 192.0.2.1/24", "203.0.113.1",
	  .want = "no link is on a network that holds 203.0.113.1" },
	{ "family differs", LO "; eth0 ur 192.0.2.1/24", "2001:db8::1",
	  .want = "no link is on a network that holds 2001:db8::1" },
	{ "down", LO "; eth0 - 192.0.2.1/24", "192.0.2.9",
	  .want = "link eth0 holds 192.0.2.9, but is down" },
	{ "no carrier", LO "; eth0 u 192.0.2.1/24", "192.0.2.9",
	  .want = "link eth0 holds 192.0.2.9, but has no carrier" },
	{ "a carrier lost does not move it", LO "; eth0 u 192.0.2.1/24; eth1 ur 192.0.0.1/16",
	  "192.0.2.9", .now_on = 2, .want = "eth0" },
	{ "down does", LO "; eth0 - 192.0.2.1/24; eth1 ur 192.0.0.1/16", "192.0.2.9", .now_on = 2,
	  .want = "eth1" },
	{ "excluded", LO "; eth0 urx 192.0.2.1/24", "192.0.2.9",
	  .want = "link eth0 holds 192.0.2.9, but is excluded" },
	{ "excluded, another fits", LO "; eth0 urx 192.0.2.1/24; eth1 ur 192.0.0.1/16", "192.0.2.9",
	  .want = "eth1" },
	{ "a tunnel speaks no ARP", LO "; tun0 urn 192.0.2.1/24", "192.0.2.9",
	  .want = "no link is on a network that holds 192.0.2.9" },
	{ "loopback is no Layer 2", "lo ulr 127.0.0.1/8 192.0.2.1/24", "192.0.2.9",
	  .want = "no link is on a network that holds 192.0.2.9" },
	{ "host prefixes are no network", LO "; eth0 ur 192.0.2.9/32", "192.0.2.9",
	  .want = "no link is on a network that holds 192.0.2.9" },
	{ "BGP: lo", LO "; eth0 ur 192.0.2.1/24", "192.0.2.9", .mode = VIP_ROUTED, .want = "lo" },
	{ "BGP: lo is down", "lo l; eth0 ur 192.0.2.1/24", "192.0.2.9", .mode = VIP_ROUTED,
	  .want = "the loopback link is down" },
	{ "by name", LO "; eth0 ur 192.0.2.1/24; eth1 ur", "192.0.2.9", "eth1", .want = "eth1" },
	{ "by name, although excluded", LO "; eth0 urx", "192.0.2.9", "eth0", .want = "eth0" },
	{ "by name, BGP", LO "; dummy0 urn", "192.0.2.9", "dummy0", "dummy0", VIP_ROUTED },
	{ "by name, not there", LO "; eth0 ur 192.0.2.1/24", "192.0.2.9", "eth7",
	  .want = "there is no link eth7" },
	{ "by name, down", LO "; eth0 -", "192.0.2.9", "eth0", .want = "link eth0 is down" },
	{ "by name, no carrier", LO "; eth0 u", "192.0.2.9", "eth0",
	  .want = "link eth0 has no carrier" },
};

static void chooses(void **state)
{
	const struct choose_case *c = *state;
	struct vip_view v = view_of(c->host);
	struct vip_wish w = { .mode = c->mode, .link = c->link };
	char reason[VIP_REASON_MAX];

	assert_int_equal(addr_parse(c->addr, &w.addr), 0);
	const struct net_link *l = vip_choose(&v, &w, c->now_on, reason);
	assert_string_equal(l ? l->name : reason, c->want);
	if (l)
		assert_string_equal(reason, "");
}

#define NET "lo ulr 127.0.0.1/8; eth0 ur 192.0.2.1/24"

struct decide_case {
	const char *name;
	const char *host;
	bool wanted;
	int held; /* a link; negative: and the table has not shown it yet */
	struct vip_step want;
	bool no_proto; /* the kernel keeps no IFA_PROTO */
};

/* The address is 192.0.2.9, Layer 2. */
static const struct decide_case decide_cases[] = {
	{ "not there: add", NET, true, 0, { .add_to = 2, .state = VIP_BOUND, .link = 2 } },
	{ "there: nothing", NET " 192.0.2.9/32!", true, 2, { .state = VIP_BOUND, .link = 2 } },
	{ "not wanted: remove",
	  NET " 192.0.2.9/32!",
	  false,
	  2,
	  { .remove_from = 2, .state = VIP_UNPLACED } },
	{ "not wanted, never added", NET " 192.0.2.9/32!", false, 0, { .state = VIP_UNPLACED } },
	{ "taken away by hand: add again",
	  NET,
	  true,
	  2,
	  { .add_to = 2, .lost = true, .state = VIP_BOUND, .link = 2 } },
	{ "taken away by hand, not wanted",
	  NET,
	  false,
	  2,
	  { .lost = true, .state = VIP_UNPLACED } },
	{ "somebody else's on that link",
	  NET " 192.0.2.9/32",
	  true,
	  0,
	  { .state = VIP_FOREIGN, .link = 2 } },
	{ "somebody else's, with a network",
	  NET " 192.0.2.9/24",
	  true,
	  0,
	  { .state = VIP_FOREIGN, .link = 2 } },
	{ "somebody else's on another link",
	  NET "; eth1 - 192.0.2.9/32",
	  true,
	  0,
	  { .state = VIP_FOREIGN, .link = 3 } },
	{ "our mark, but not from this run",
	  NET " 192.0.2.9/32!",
	  true,
	  0,
	  { .state = VIP_FOREIGN, .link = 2 } },
	{ "replaced by somebody else's",
	  NET " 192.0.2.9/32",
	  true,
	  2,
	  { .lost = true, .state = VIP_FOREIGN, .link = 2 } },
	{ "replaced, not wanted: not touched",
	  NET " 192.0.2.9/32",
	  false,
	  2,
	  { .lost = true, .state = VIP_UNPLACED } },
	{ "somebody adds it elsewhere: ours stays",
	  NET " 192.0.2.9/32!; eth1 - 192.0.2.9/32",
	  true,
	  2,
	  { .state = VIP_BOUND, .link = 2 } },
	{ "a better link: add, then remove",
	  NET " 192.0.2.9/32!; eth1 ur 192.0.2.2/28",
	  true,
	  2,
	  { .add_to = 3, .remove_from = 2, .state = VIP_BOUND, .link = 3 } },
	{ "no link fits any more: remove",
	  "lo ulr; eth0 ur 192.0.2.9/32!",
	  true,
	  2,
	  { .remove_from = 2, .state = VIP_UNPLACED } },
	{ "the link has gone", "lo ulr", true, 2, { .lost = true, .state = VIP_UNPLACED } },
	{ "not in the table yet: wait", NET, true, -2, { .state = VIP_BOUND, .link = 2 } },
	{ "not in the table yet, not wanted: remove",
	  NET,
	  false,
	  -2,
	  { .remove_from = 2, .state = VIP_UNPLACED } },
	{ "not in the table yet, somebody's there",
	  NET " 192.0.2.9/32",
	  true,
	  -2,
	  { .lost = true, .state = VIP_FOREIGN, .link = 2 } },
	{ "no mark kept: the record decides",
	  NET " 192.0.2.9/32",
	  true,
	  2,
	  { .state = VIP_BOUND, .link = 2 },
	  .no_proto = true },
	{ "no mark kept, not added: left alone",
	  NET " 192.0.2.9/32",
	  true,
	  0,
	  { .state = VIP_FOREIGN, .link = 2 },
	  .no_proto = true },
	{ "no mark kept, other length",
	  NET " 192.0.2.9/24",
	  false,
	  2,
	  { .lost = true, .state = VIP_UNPLACED },
	  .no_proto = true },
};

static void decides(void **state)
{
	const struct decide_case *c = *state;
	struct vip_view v = view_of(c->host);
	struct vip_wish w = { .addr = addr_v4(192, 0, 2, 9), .mode = VIP_LAYER2 };

	v.proto_kept = !c->no_proto;
	struct vip_held held = { .ifindex = abs(c->held), .seen = c->held > 0 };
	struct vip_step s = vip_decide(&v, c->wanted ? &w : NULL, &w.addr, held);
	assert_int_equal(s.add_to, c->want.add_to);
	assert_int_equal(s.remove_from, c->want.remove_from);
	assert_int_equal(s.lost, c->want.lost);
	assert_int_equal(s.seen, c->held && !c->want.lost && c->held > 0);
	assert_int_equal(s.state, c->want.state);
	assert_int_equal(s.link, c->want.link);
	if (c->wanted)
		assert_int_equal(s.reason[0] != '\0', s.state != VIP_BOUND);
}

int main(void)
{
	int failed = RUN_TABLE("choose", choose_cases, chooses);

	return failed + RUN_TABLE("decide", decide_cases, decides);
}
