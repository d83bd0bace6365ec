/* The simplest ARP responder on a raw socket: raw_arp LINK ADDRESS. A yardstick for tests/bench/l2_reply. */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define ARP 0x0806

static void only_requests_for(int fd, uint32_t address)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20), /* operation: request */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 38), /* target's address */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, address, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 64),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { .len = sizeof(insns) / sizeof(*insns), .filter = insns };

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

int main(int argc, char **argv)
{
	struct in_addr address;
	if (argc != 3 || inet_aton(argv[2], &address) == 0)
		return 2;

	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll link = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(ARP),
				    .sll_ifindex = (int)if_nametoindex(argv[1]) };
	struct ifreq mac = { 0 };

	snprintf(mac.ifr_name, sizeof(mac.ifr_name), "%s", argv[1]);
	only_requests_for(fd, ntohl(address.s_addr));
	if (ioctl(fd, SIOCGIFHWADDR, &mac) < 0 ||
	    bind(fd, (struct sockaddr *)&link, sizeof(link)) < 0)
		return 1;

	for (;;) {
		uint8_t frame[64];

		if (recv(fd, frame, sizeof(frame), 0) < 42)
			continue;
		memcpy(frame, frame + 6, 6); /* back to who asked */
		memcpy(frame + 6, mac.ifr_hwaddr.sa_data, 6);
		frame[21] = 2; /* a reply */
		memmove(frame + 32, frame + 22, 10);
		memcpy(frame + 22, mac.ifr_hwaddr.sa_data, 6);
		memcpy(frame + 28, &address, 4);
		(void)!send(fd, frame, 42, 0);
	}
}
