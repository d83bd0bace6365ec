/*
 * Echo requests and the replies to them. The frames were put together by another program; their
 * siblings are wrong in one place.
 */
#include "support.h"

#include <string.h>

#include "l2/ping.h"

/* Of both families: DSCP 46, five bytes of data, padding behind IPv4's. */
#define ETHER4 "02000000000a 020000000064 0800 "
#define IP4    "45b80021beef40003f0166a50a3200640a3200c8 "
#define ECHO4  "0800bbfd123400076162636465 "
#define REPLY4                                                                     \
	"020000000064 02000000000a 0800 45b80021beef4000400165a50a3200c80a320064 " \
	"0000c3fd123400076162636465"
#define ETHER6 "02000000000a 020000000064 86dd "
#define ADDRS6 "fd500000000000000000000000000100 fd500000000000000000000000000200 "
#define ECHO6  "80004614123400076162636465 "
#define REPLY6                                                                              \
	"020000000064 02000000000a 86dd 6b800000000d3a40 fd500000000000000000000000000200 " \
	"fd500000000000000000000000000100 81004514123400076162636465"

struct ping_case {
	const char *name;
	const char *hex;
	enum l2_rx want;
	const char *reply;
};

static const struct ping_case cases[] = {
	{ "IPv4", ETHER4 IP4 ECHO4, L2_RX_OK, REPLY4 },
	{ "IPv4, padded", ETHER4 IP4 ECHO4 "000000000000", L2_RX_OK, REPLY4 },
	{ "IPv6", ETHER6 "6b800000000d3a3f" ADDRS6 ECHO6, L2_RX_OK, REPLY6 },
	{ "IPv6, padded", ETHER6 "6b800000000d3a3f" ADDRS6 ECHO6 "0000", L2_RX_OK, REPLY6 },
	{ "empty", "", L2_RX_SHORT, NULL },
	{ "ARP", "02000000000a 020000000064 0806 0001", L2_RX_TYPE, NULL },
	{ "no IPv4 head", ETHER4 "45b80021", L2_RX_SHORT, NULL },
	{ "longer than the frame", ETHER4 "45b80022beef40003f0166a40a3200640a3200c8" ECHO4,
	  L2_RX_SHORT, NULL },
	{ "shorter than its head", ETHER4 "45b80010beef40003f0166b60a3200640a3200c8" ECHO4,
	  L2_RX_SHORT, NULL },
	{ "IPv4 version", ETHER4 "65b80021beef40003f0146a50a3200640a3200c8" ECHO4, L2_RX_FORMAT,
	  NULL },
	{ "IPv4 head of 16 bytes", ETHER4 "44b80021beef40003f0167a50a3200640a3200c8" ECHO4,
	  L2_RX_FORMAT, NULL },
	{ "UDP", ETHER4 "45b80021beef40003f1166950a3200640a3200c8" ECHO4, L2_RX_TYPE, NULL },
	{ "more fragments follow", ETHER4 "45b80021beef20003f0186a50a3200640a3200c8" ECHO4,
	  L2_RX_FRAGMENT, NULL },
	{ "the last fragment", ETHER4 "45b80021beef00013f01a6a40a3200640a3200c8" ECHO4,
	  L2_RX_FRAGMENT, NULL },
	{ "IPv4 head's check sum", ETHER4 "45b80021beef40003f0166a60a3200640a3200c8" ECHO4,
	  L2_RX_CHECKSUM, NULL },
	{ "ICMP's check sum", ETHER4 IP4 "0800bbfe123400076162636465", L2_RX_CHECKSUM, NULL },
	{ "a reply", ETHER4 IP4 "0000c3fd123400076162636465", L2_RX_OPERATION, NULL },
	{ "code", ETHER4 IP4 "0801bbfc123400076162636465", L2_RX_FORMAT, NULL },
	{ "IPv4 from nobody", ETHER4 "45b80021beef40003f01713b000000000a3200c8" ECHO4, L2_RX_SENDER,
	  NULL },
	{ "IPv4 from a group", ETHER4 "45b80021beef40003f019139e00000010a3200c8" ECHO4,
	  L2_RX_SENDER, NULL },
	{ "from a group's Ethernet address", "02000000000a 030000000064 0800" IP4 ECHO4,
	  L2_RX_SENDER, NULL },
	{ "IPv6 version", ETHER6 "4b800000000d3a3f" ADDRS6 ECHO6, L2_RX_FORMAT, NULL },
	{ "IPv6 behind an extension", ETHER6 "6b800000000d003f" ADDRS6 ECHO6, L2_RX_TYPE, NULL },
	{ "ICMPv6's check sum", ETHER6 "6b800000000d3a3f" ADDRS6 "80004615123400076162636465",
	  L2_RX_CHECKSUM, NULL },
	{ "IPv6 without its end", ETHER6 "6b800000000e3a3f" ADDRS6 ECHO6, L2_RX_SHORT, NULL },
};

static void answers(void **state)
{
	const struct ping_case *c = *state;
	const struct mac me = { { 2, 0, 0, 0, 0, 0x0a } };
	struct ping_request p = { .traffic_class = 0xee };
	uint8_t frame[128], want[128], made[128];
	size_t len = unhex(c->hex, frame, sizeof(frame));

	assert_int_equal(ping_request_decode(rd_from(frame, len), &p), c->want);
	if (!c->reply) {
		assert_int_equal(p.traffic_class, 0xee); /* untouched when refused */
		return;
	}
	struct wr w = wr_to(made, sizeof(made));
	ping_reply_build(&w, &me, &p);
	assert_false(w.bad);
	assert_int_equal(w.len, unhex(c->reply, want, sizeof(want)));
	assert_memory_equal(made, want, w.len);
}

int main(void)
{
	return RUN_TABLE("ping", cases, answers);
}
