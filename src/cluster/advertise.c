#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include "cluster/cluster_priv.h"
#include "net/udp.h"

/* The source address on the way to @to; nothing is sent. */
static bool source_towards(const struct gossip_endpoint *to, struct addr *out)
{
	struct udp_conf conf = { .family = to->addr.family };
	int fd = udp_open(&conf, NULL);
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&to->addr, to->port, 0, &ss);
	bool found;

	if (fd < 0)
		return false;
	found = connect(fd, (struct sockaddr *)&ss, len) == 0;
	len = sizeof(ss);
	found = found && getsockname(fd, (struct sockaddr *)&ss, &len) == 0;
	close(fd);
	if (found)
		addr_from_sockaddr(&ss, out, NULL);
	return found && !addr_is_unspecified(out);
}

static bool is_global(const struct addr *a, enum family family)
{
	return a->family == family && !addr_is_loopback(a) && !addr_is_link_local(a) &&
	       !addr_is_unspecified(a);
}

static bool first_global(enum family family, struct addr *out)
{
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		struct sockaddr_storage ss = { 0 };

		if (!i->ifa_addr || !(i->ifa_flags & IFF_UP))
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			memcpy(&ss, i->ifa_addr, sizeof(struct sockaddr_in));
		else if (i->ifa_addr->sa_family == AF_INET6)
			memcpy(&ss, i->ifa_addr, sizeof(struct sockaddr_in6));
		addr_from_sockaddr(&ss, out, NULL);
		found = is_global(out, family);
	}
	freeifaddrs(all);
	return found;
}

static bool towards_others(const struct cluster_conf *conf, enum family family, struct addr *out)
{
	for (size_t i = 0; i < conf->n_join; i++)
		if (conf->join[i].addr.family == family && source_towards(&conf->join[i], out))
			return true;
	return false;
}

int advertise_find(const struct cluster_conf *conf, struct addr *bind, struct addr *out,
		   struct err *e)
{
	const enum family bound = bind->family;
	const enum family other = bound == FAMILY_V4 ? FAMILY_V6 : FAMILY_V4;

	if (!towards_others(conf, bound, out) && !towards_others(conf, other, out) &&
	    !first_global(bound, out) && !first_global(other, out))
		return err_set(e, ERR_STATE,
			       "no address of this host to tell the other members: bind to one");
	if (out->family == other)
		*bind = (struct addr){ .family = other };
	return 0;
}
