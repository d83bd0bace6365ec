#include "l2/groups.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	SLICE = 64, /* joins in one turn of the loop: well under a millisecond */
	SOCKETS_MAX = 4096,
	NOT_JOINED = -1,
};

#define RETRY DUR_S(1)

/** One group on one interface. */
struct membership {
	uint64_t key; /* interface index, then the 24 bits that tell solicited-node groups apart */
	int fd;	      /* the socket that holds it, or NOT_JOINED */
};

struct membership_set {
	struct membership *v; /* ascending by key */
	size_t n;
};

struct l2_groups {
	struct membership_set set;
	size_t work_at; /* those before it were tried in this pass */
	size_t joined;
	int *sockets;
	size_t n_sockets;
	size_t cap_sockets;
	struct loop_timer timer;
};

static void groups_timer(struct loop_timer *t, struct mono now);

struct l2_groups *l2_groups_new(struct loop *loop)
{
	struct l2_groups *g = mem_new(struct l2_groups);

	loop_timer_init(&g->timer, loop, groups_timer);
	return g;
}

struct l2_groups *l2_groups_free(struct l2_groups *g)
{
	if (!g)
		return NULL;
	loop_timer_stop(&g->timer);
	for (size_t i = 0; i < g->n_sockets; i++)
		close(g->sockets[i]); /* leaves what it holds */
	free(g->sockets);
	free(g->set.v);
	free(g);
	return NULL;
}

static struct ipv6_mreq key_request(uint64_t key)
{
	/* ff02::1:ffXX:XXXX */
	struct ipv6_mreq req = {
		.ipv6mr_interface = (unsigned)(key >> 32),
		.ipv6mr_multiaddr.s6_addr = { [0] = 0xff,
					      [1] = 0x02,
					      [11] = 0x01,
					      [12] = 0xff,
					      [13] = (uint8_t)(key >> 16),
					      [14] = (uint8_t)(key >> 8),
					      [15] = (uint8_t)key },
	};

	return req;
}

static int compare_memberships(const void *a, const void *b)
{
	const struct membership *x = a;
	const struct membership *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static uint64_t membership_key(const struct l2_iface *iface, const struct addr *a)
{
	return ((uint64_t)(uint32_t)iface->ifindex << 32) | ((uint32_t)a->b[13] << 16) |
	       ((uint32_t)a->b[14] << 8) | a->b[15];
}

static void set_sort_unique(struct membership_set *s)
{
	size_t n = 0;

	if (s->n > 1)
		qsort(s->v, s->n, sizeof(*s->v), compare_memberships);
	for (size_t i = 0; i < s->n; i++) {
		if (n == 0 || s->v[n - 1].key != s->v[i].key)
			s->v[n++] = s->v[i];
	}
	s->n = n;
}

static struct membership_set wanted_set(const struct l2_table *t)
{
	struct membership_set s = { 0 };
	size_t cap = 0;

	for (uint32_t i = 0; i < t->n_addresses; i++) {
		const struct l2_address *a = &t->addresses[i];
		if (l2_proto_of(&a->addr) != L2_NDP ||
		    !l2_succession_has(a->rule->nodes, a->rule->n_nodes, t->self))
			continue;
		for (size_t k = 0; k < t->n_ifaces; k++) {
			if (!l2_address_allows(a, &t->ifaces[k]))
				continue;
			mem_grow(s.v, s.n, cap);
			s.v[s.n++] = (struct membership){ membership_key(&t->ifaces[k], &a->addr),
							  NOT_JOINED };
		}
	}
	set_sort_unique(&s);
	return s;
}

static void leave(struct l2_groups *g, const struct membership *m)
{
	struct ipv6_mreq req = key_request(m->key);

	if (m->fd == NOT_JOINED)
		return;
	/* Fails only when the interface, and the membership with it, is gone. */
	(void)setsockopt(m->fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &req, sizeof(req));
	g->joined--;
}

static int socket_add(struct l2_groups *g)
{
	if (g->n_sockets == SOCKETS_MAX)
		return NOT_JOINED;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return NOT_JOINED;
	mem_grow(g->sockets, g->n_sockets, g->cap_sockets);
	g->sockets[g->n_sockets++] = fd;
	return fd;
}

static bool join_on(int fd, const struct membership *m)
{
	struct ipv6_mreq req = key_request(m->key);

	return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &req, sizeof(req)) == 0;
}

/** Join on the newest socket with room, or on a new one when the kernel says that it is full. */
static void join(struct l2_groups *g, struct membership *m)
{
	int fd = g->n_sockets ? g->sockets[g->n_sockets - 1] : socket_add(g);

	if (fd == NOT_JOINED)
		return;
	bool ok = join_on(fd, m);
	if (!ok && (errno == ENOMEM || errno == ENOBUFS)) {
		fd = socket_add(g);
		ok = fd != NOT_JOINED && join_on(fd, m);
	}
	if (!ok)
		return;
	m->fd = fd;
	g->joined++;
}

static void groups_work(struct l2_groups *g, struct mono now)
{
	unsigned done = 0;

	for (; g->work_at < g->set.n && done < SLICE; g->work_at++) {
		struct membership *m = &g->set.v[g->work_at];
		if (m->fd != NOT_JOINED)
			continue;
		join(g, m);
		done++;
	}
	if (g->work_at < g->set.n) {
		loop_timer_set(&g->timer, now);
	} else if (g->joined < g->set.n) {
		g->work_at = 0;
		loop_timer_set(&g->timer, mono_add(now, RETRY));
	}
}

static void groups_timer(struct loop_timer *t, struct mono now)
{
	groups_work(CONTAINER_OF(t, struct l2_groups, timer), now);
}

/** Keep what both sets have, leave what only the old one has. */
static void set_replace(struct l2_groups *g, struct membership_set wanted)
{
	size_t j = 0;

	for (size_t i = 0; i < g->set.n; i++) {
		const struct membership *old = &g->set.v[i];
		while (j < wanted.n && wanted.v[j].key < old->key)
			j++;
		if (j < wanted.n && wanted.v[j].key == old->key)
			wanted.v[j].fd = old->fd;
		else
			leave(g, old);
	}
	free(g->set.v);
	g->set = wanted;
}

void l2_groups_apply(struct l2_groups *g, const struct l2_table *table)
{
	set_replace(g, wanted_set(table));
	if (g->joined == 0) {
		/* Sockets that once were full are of use again only when all is left. */
		for (; g->n_sockets > 0; g->n_sockets--)
			close(g->sockets[g->n_sockets - 1]);
	}
	g->work_at = 0;
	loop_timer_stop(&g->timer);
	groups_work(g, loop_now(g->timer.loop));
}

size_t l2_groups_joined(const struct l2_groups *g)
{
	return g->joined;
}

size_t l2_groups_missing(const struct l2_groups *g)
{
	return g->set.n - g->joined;
}
