#include "net/tcp.h"

#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

static int set_int(int fd, int level, int option, int value, const char *what, struct err *e)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		return err_errno(e, "set %s to %d", what, value);
	return 0;
}

int tcp_set_password(int fd, const struct addr *peer, const char *password, struct err *e)
{
	struct tcp_md5sig sig = { 0 };
	size_t len = password ? strlen(password) : 0;

	if (len > sizeof(sig.tcpm_key))
		return err_set(e, ERR_CONFIG, "password longer than %zu bytes",
			       sizeof(sig.tcpm_key));
	struct sockaddr_storage ss;
	addr_to_sockaddr(peer, 0, 0, &ss);
	memcpy(&sig.tcpm_addr, &ss, sizeof(sig.tcpm_addr));
	sig.tcpm_keylen = (uint16_t)len;
	if (len)
		memcpy(sig.tcpm_key, password, len);
	int rc = setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig));
	explicit_bzero(&sig, sizeof(sig));
	return rc < 0 ? err_errno(e, "set TCP MD5 password") : 0;
}

static int set_ttl(int fd, const struct tcp_conf *c, struct err *e)
{
	bool v4 = c->peer.family == FAMILY_V4;
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;

	if (c->ttl &&
	    set_int(fd, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, c->ttl, "hop limit", e) < 0)
		return -ERR_SYSTEM;
	if (c->min_ttl && set_int(fd, level, v4 ? IP_MINTTL : IPV6_MINHOPCOUNT, c->min_ttl,
				  "least hop limit", e) < 0)
		return -ERR_SYSTEM;
	if (c->dscp)
		return set_int(fd, level, v4 ? IP_TOS : IPV6_TCLASS, c->dscp << 2, "DSCP", e);
	return 0;
}

static int set_options(int fd, const struct tcp_conf *c, struct err *e)
{
	if (c->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, c->device,
				    (socklen_t)strlen(c->device)) < 0)
		return err_errno(e, "bind to device %s", c->device);
	if (set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY", e) < 0)
		return -ERR_SYSTEM;
	if (c->user_timeout.ns && set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
					  (int)dur_ms(c->user_timeout), "user time-out", e) < 0)
		return -ERR_SYSTEM;
	if (c->password && tcp_set_password(fd, &c->peer, c->password, e) < 0)
		return -(int)e->kind;
	for (size_t i = 0; i < c->n_ao; i++)
		if (tcp_ao_add(fd, &c->peer, &c->ao[i], i == 0, e) < 0)
			return -(int)e->kind;
	return set_ttl(fd, c, e);
}

static int bind_source(int fd, const struct tcp_conf *c, uint32_t scope, struct err *e)
{
	struct sockaddr_storage ss;

	if (!addr_is_set(&c->source))
		return 0;
	socklen_t len =
		addr_to_sockaddr(&c->source, 0, addr_is_link_local(&c->source) ? scope : 0, &ss);
	if (bind(fd, (const struct sockaddr *)&ss, len) < 0)
		return err_errno(e, "source address %s", ADDR_TEXT(&c->source));
	return 0;
}

static int begin(int fd, const struct tcp_conf *c, struct err *e)
{
	struct sockaddr_storage ss;
	uint32_t scope = c->zone ? if_nametoindex(c->zone) : 0;

	if (c->zone && scope == 0)
		return err_errno(e, "interface %s", c->zone);
	if (set_options(fd, c, e) < 0 || bind_source(fd, c, scope, e) < 0)
		return -(int)e->kind;
	socklen_t len =
		addr_to_sockaddr(&c->peer, c->port, addr_is_link_local(&c->peer) ? scope : 0, &ss);
	if (connect(fd, (const struct sockaddr *)&ss, len) < 0 && errno != EINPROGRESS)
		return err_errno(e, "connect");
	return 0;
}

int tcp_connect(const struct tcp_conf *conf, struct err *e)
{
	struct err local = { 0 };
	int domain = conf->peer.family == FAMILY_V4 ? AF_INET : AF_INET6;
	int fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(e, "socket");
	if (begin(fd, conf, &local) < 0) {
		close(fd);
		return err_set(e, local.kind, "%s", local.text);
	}
	return fd;
}

/*
 * Sockets that differ by their link may only have one port when all of them allow it. Those of other users can't join
 * (socket(7)). While one allows it, the kernel's search among those that listen ends there (inet6_lhash2_lookup() of Linux 6),
 * which hides what is bound to the link; else the link goes first.
 */
int tcp_share(int fd, bool on, struct err *e)
{
	return set_int(fd, SOL_SOCKET, SO_REUSEPORT, on, "SO_REUSEPORT", e);
}

/* IPv4 and IPv6 have sockets of their own: keys, hop limits and bindings are then those of one family. */
static int set_listen_options(int fd, const struct tcp_listen_conf *c, struct err *e)
{
	const struct tcp_conf options = {
		.peer = c->addr,
		.device = c->device,
		.ttl = UINT8_MAX,
		.dscp = c->dscp,
	};

	if (set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR", e) < 0)
		return -ERR_SYSTEM;
	if (c->addr.family == FAMILY_V6 &&
	    set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY", e) < 0)
		return -ERR_SYSTEM;
	if (c->shared && tcp_share(fd, true, e) < 0)
		return -ERR_SYSTEM;
	return set_options(fd, &options, e);
}

static int begin_listen(int fd, const struct tcp_listen_conf *c, struct err *e)
{
	struct sockaddr_storage ss;
	int rc = set_listen_options(fd, c, e);

	if (rc < 0)
		return rc;
	socklen_t len = addr_to_sockaddr(&c->addr, c->port, 0, &ss);
	/* The kernel cuts the backlog to net.core.somaxconn. */
	if (bind(fd, (const struct sockaddr *)&ss, len) < 0 || listen(fd, INT_MAX) < 0)
		return err_errno(e, "listen");
	return 0;
}

int tcp_listen(const struct tcp_listen_conf *conf, struct err *e)
{
	int domain = conf->addr.family == FAMILY_V4 ? AF_INET : AF_INET6;
	int fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(e, "socket");
	int rc = begin_listen(fd, conf, e);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static bool none_waits(int error)
{
	/* accept(2): what the network did to a connection that waited is no fault of the listener. */
	return error == EAGAIN || error == EINTR || error == ECONNABORTED || error == EPROTO;
}

int tcp_accept(int fd, struct tcp_end *peer, struct err *e)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	int got = accept4(fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (got < 0)
		return none_waits(errno) ? -ERR_NOT_FOUND : err_errno(e, "accept");
	*peer = (struct tcp_end){ 0 };
	addr_from_sockaddr(&ss, &peer->addr, &peer->port);
	if (ss.ss_family == AF_INET6)
		peer->scope = ((const struct sockaddr_in6 *)&ss)->sin6_scope_id;
	return got;
}

int tcp_adopt(int fd, const struct tcp_conf *conf, struct err *e)
{
	bool v4 = conf->peer.family == FAMILY_V4;
	struct tcp_conf options = *conf;

	options.device = NULL;
	options.password = NULL;
	options.n_ao = 0;
	if (conf->n_ao && !tcp_ao_is_on(fd))
		return err_set(e, ERR_PROTOCOL, "the peer connected without TCP-AO");
	if (conf->n_ao && tcp_ao_ask_for(fd, &conf->ao[0], e) < 0)
		return -ERR_SYSTEM;
	if (set_int(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_UNICAST_HOPS, -1,
		    "hop limit", e) < 0)
		return -ERR_SYSTEM;
	return set_options(fd, &options, e);
}

int tcp_connect_result(int fd, struct err *e)
{
	int failed = 0;
	socklen_t len = sizeof(failed);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) < 0)
		return err_errno(e, "connect");
	if (failed) {
		errno = failed;
		return err_errno(e, "connect");
	}
	return 0;
}

int tcp_local_end(int fd, struct tcp_end *out, struct err *e)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return err_errno(e, "local address");
	*out = (struct tcp_end){ 0 };
	addr_from_sockaddr(&ss, &out->addr, &out->port);
	if (ss.ss_family == AF_INET6)
		out->scope = ((const struct sockaddr_in6 *)&ss)->sin6_scope_id;
	return 0;
}

static struct addr ifa_address(const struct ifaddrs *ifa)
{
	struct sockaddr_storage ss = { 0 };
	struct addr a = { 0 };

	if (!ifa->ifa_addr)
		return a;
	if (ifa->ifa_addr->sa_family == AF_INET)
		memcpy(&ss, ifa->ifa_addr, sizeof(struct sockaddr_in));
	else if (ifa->ifa_addr->sa_family == AF_INET6)
		memcpy(&ss, ifa->ifa_addr, sizeof(struct sockaddr_in6));
	else
		return a;
	addr_from_sockaddr(&ss, &a, NULL);
	return a;
}

static const char *owner_of(const struct ifaddrs *all, const struct tcp_end *end)
{
	for (const struct ifaddrs *ifa = all; ifa; ifa = ifa->ifa_next) {
		struct addr a = ifa_address(ifa);

		if (addr_eq(&a, &end->addr) &&
		    (!end->scope || if_nametoindex(ifa->ifa_name) == end->scope))
			return ifa->ifa_name;
	}
	return NULL;
}

static bool is_host_route(const struct ifaddrs *ifa)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)ifa->ifa_netmask;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ifa->ifa_netmask;

	if (!ifa->ifa_netmask)
		return true;
	if (ifa->ifa_addr->sa_family == AF_INET)
		return v4->sin_addr.s_addr == UINT32_MAX;
	return v6->sin6_addr.s6_addr[15] == UINT8_MAX;
}

/* A host's own addresses come with its subnet; single ones are often services', which come and go. */
static bool is_better(const struct ifaddrs *ifa, const struct addr *a, const struct ifaddrs *best,
		      const struct addr *than)
{
	if (!best || is_host_route(ifa) != is_host_route(best))
		return !best || is_host_route(best);
	/* The kernel lists IPv4 addresses oldest first; of IPv6 the lowest is most often set by hand. */
	return a->family == FAMILY_V6 && addr_cmp(a, than) < 0;
}

bool tcp_neighbour_addr(const struct tcp_end *local, enum family family, struct addr *out)
{
	struct ifaddrs *all = NULL;
	const struct ifaddrs *best = NULL;

	if (getifaddrs(&all) < 0)
		return false;
	const char *name = owner_of(all, local);
	for (const struct ifaddrs *ifa = all; name && ifa; ifa = ifa->ifa_next) {
		struct addr a = ifa_address(ifa);

		if (a.family != family || strcmp(ifa->ifa_name, name) != 0 ||
		    addr_is_loopback(&a) || addr_is_link_local(&a) ||
		    !is_better(ifa, &a, best, out))
			continue;
		best = ifa;
		*out = a;
	}
	freeifaddrs(all);
	return best != NULL;
}
