#include "net/neigh.h"

#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/netlink.h"

enum { LINKS_OF_ONE = 8 };

static bool mac_v6(uint32_t ifindex, const struct addr *peer, uint8_t out[static 6])
{
	struct netlink *nl = NULL;
	struct mac mac;
	bool known = netlink_open(&nl, NULL) == 0 && netlink_neighbour(nl, ifindex, peer, &mac);

	netlink_close(nl);
	if (known)
		memcpy(out, mac.b, sizeof(mac.b));
	return known;
}

static bool mac_v4(uint32_t ifindex, const struct addr *peer, uint8_t out[static 6])
{
	struct arpreq req = { 0 };
	struct sockaddr_in *to = (struct sockaddr_in *)(void *)&req.arp_pa;

	if (!if_indextoname(ifindex, req.arp_dev))
		return false;
	to->sin_family = AF_INET;
	memcpy(&to->sin_addr, peer->b, 4);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known = fd >= 0 && ioctl(fd, SIOCGARP, &req) == 0 && (req.arp_flags & ATF_COM);
	if (fd >= 0)
		close(fd);
	if (known)
		memcpy(out, req.arp_ha.sa_data, 6);
	return known;
}

bool neigh_mac(uint32_t ifindex, const struct addr *peer, uint8_t out[static 6])
{
	return peer->family == FAMILY_V4 ? mac_v4(ifindex, peer, out) : mac_v6(ifindex, peer, out);
}

size_t neigh_addrs(const struct mac *mac, struct addr *out, size_t max)
{
	struct netlink *nl = NULL;
	size_t n = netlink_open(&nl, NULL) == 0 ? netlink_neighbours(nl, mac, out, max) : 0;

	netlink_close(nl);
	return n;
}

static size_t entries_of(struct netlink *nl, const struct addr *peer, struct netlink_entry *out)
{
	return netlink_neighbour_entries(nl, peer, out, LINKS_OF_ONE);
}

void neigh_ask_again(const struct addr *peer)
{
	struct netlink_entry found[LINKS_OF_ONE];
	struct netlink *nl = NULL;
	size_t n = netlink_open(&nl, NULL) == 0 ? entries_of(nl, peer, found) : 0;

	for (size_t i = 0; i < n; i++)
		if (found[i].asked_in_vain) /* it may have been answered meanwhile, or forgotten */
			(void)netlink_neighbour_forget(nl, found[i].ifindex, peer);
	netlink_close(nl);
}

void neigh_keep(const struct addr *peer, struct neigh_place *at)
{
	struct netlink_entry found[LINKS_OF_ONE];
	struct netlink *nl = NULL;
	bool known = false;

	if (netlink_open(&nl, NULL) < 0)
		return;
	size_t n = entries_of(nl, peer, found);
	for (size_t i = 0; i < n && !known; i++) {
		known = found[i].known;
		if (known)
			*at = (struct neigh_place){ found[i].ifindex, found[i].mac };
	}
	if (!known && at->ifindex) /* the link may be gone: then there is nothing to try */
		(void)netlink_neighbour_try(nl, at->ifindex, peer, &at->mac);
	netlink_close(nl);
}

/* IPv6 has one switch for all interfaces; those of each only say what it is like as a host. */
bool neigh_forwards(uint32_t ifindex, enum family family)
{
	char name[IF_NAMESIZE] = "all", path[80], word = '0';

	if (family == FAMILY_V4 && !if_indextoname(ifindex, name))
		return false;
	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/forwarding",
		 family == FAMILY_V4 ? "ipv4" : "ipv6", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool read_it = read(fd, &word, 1) == 1;
	close(fd);
	return read_it && word == '1';
}
