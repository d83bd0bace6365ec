#include "l2/groups.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2/mld_io.h"

enum {
	SLICE = 64, /* joins in one turn of the loop: well under a millisecond */
	SOCKETS_MAX = 4096,
	NOT_JOINED = -1,
	IPV6_MIN_MTU = 1280, /* on a smaller link the kernel has no IPv6, and forgets its groups */
};

#define RETRY DUR_S(1)

/** One group on one interface. There may be very many. */
struct membership {
	int ifindex;
	uint32_t group : 24; /* the bits that tell solicited-node groups apart */
	bool ours : 1;	     /* the interface's listener holds it */
	bool kernels : 1;    /* the kernel holds it, or shall */
	int fd;		     /* the socket that holds it, or NOT_JOINED */
};

struct membership_set {
	struct membership *v; /* ascending by interface and group */
	size_t n;
};

/** An interface on which groups are ours, or were a moment ago. */
struct part {
	int ifindex;
	bool many; /* new groups are ours */
	struct mld_io *listener;
};

struct l2_groups {
	struct membership_set set;
	size_t work_at;	  /* those before it were tried in this pass */
	size_t n_kernels; /* memberships that the kernel holds, or shall */
	size_t joined;	  /* those that it holds */
	int *sockets;
	size_t n_sockets;
	size_t cap_sockets;
	struct part *parts;
	size_t n_parts;
	size_t cap_parts;
	struct mld_stats stats;
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
	for (size_t i = 0; i < g->n_parts; i++)
		mld_io_free(g->parts[i].listener);
	for (size_t i = 0; i < g->n_sockets; i++)
		close(g->sockets[i]); /* leaves what it holds */
	free(g->parts);
	free(g->sockets);
	free(g->set.v);
	free(g);
	return NULL;
}

/* The set */

static int compare_memberships(const void *a, const void *b)
{
	const struct membership *x = a;
	const struct membership *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return (x->group > y->group) - (x->group < y->group);
}

static struct membership membership_of(int ifindex, const struct addr *a)
{
	uint32_t group = ((uint32_t)a->b[13] << 16) | ((uint32_t)a->b[14] << 8) | a->b[15];

	return (struct membership){ .ifindex = ifindex, .group = group, .fd = NOT_JOINED };
}

static void set_sort_unique(struct membership_set *s)
{
	size_t n = 0;

	if (s->n > 1)
		qsort(s->v, s->n, sizeof(*s->v), compare_memberships);
	for (size_t i = 0; i < s->n; i++) {
		if (n == 0 || compare_memberships(&s->v[n - 1], &s->v[i]) != 0)
			s->v[n++] = s->v[i];
	}
	s->n = n;
	s->v = mem_resize(s->v, n, sizeof(*s->v)); /* kept for long: without room for more */
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
			if (!l2_address_allows(a, &t->ifaces[k]) || t->ifaces[k].mtu < IPV6_MIN_MTU)
				continue;
			mem_grow(s.v, s.n, cap);
			s.v[s.n++] = membership_of(t->ifaces[k].ifindex, &a->addr);
		}
	}
	set_sort_unique(&s);
	return s;
}

/* Those of the kernel */

static struct ipv6_mreq membership_request(const struct membership *m)
{
	/* ff02::1:ffXX:XXXX */
	struct ipv6_mreq req = {
		.ipv6mr_interface = (unsigned)m->ifindex,
		.ipv6mr_multiaddr.s6_addr = { [0] = 0xff,
					      [1] = 0x02,
					      [11] = 0x01,
					      [12] = 0xff,
					      [13] = (uint8_t)(m->group >> 16),
					      [14] = (uint8_t)(m->group >> 8),
					      [15] = (uint8_t)m->group },
	};

	return req;
}

static void leave(struct l2_groups *g, const struct membership *m)
{
	struct ipv6_mreq req = membership_request(m);

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
	struct ipv6_mreq req = membership_request(m);

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

/* Those of ours */

static struct part *part_find(const struct l2_groups *g, int ifindex)
{
	for (size_t i = 0; i < g->n_parts; i++)
		if (g->parts[i].ifindex == ifindex)
			return &g->parts[i];
	return NULL;
}

static struct part *part_new(struct l2_groups *g, int ifindex)
{
	mem_grow(g->parts, g->n_parts, g->cap_parts);
	struct part *p = &g->parts[g->n_parts++];

	*p = (struct part){ .ifindex = ifindex,
			    .listener = mld_io_new(g->timer.loop, ifindex, &g->stats) };
	return p;
}

/** Only those stay that stand in the table and have groups, or something left to say about them. */
static void parts_prune(struct l2_groups *g, const struct l2_table *table)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_parts; i++) {
		struct part *p = &g->parts[i];
		if (l2_table_iface(table, p->ifindex) && !mld_io_is_idle(p->listener))
			g->parts[n++] = *p;
		else
			mld_io_free(p->listener);
	}
	g->n_parts = n;
}

/** Which groups are the listener's: all that it holds, and where there are many also new ones. */
static void part_listen(struct part *p, struct membership *v, size_t n)
{
	CLEANUP(mem_freep) uint32_t *ours = mem_new_n(uint32_t, n + 1);
	size_t n_ours = 0;

	p->many = n > (p->many ? L2_GROUPS_FEW : L2_GROUPS_KERNEL);
	for (size_t i = 0; i < n; i++) {
		v[i].ours |= p->many && v[i].fd == NOT_JOINED;
		if (v[i].ours)
			ours[n_ours++] = v[i].group;
	}
	mld_io_listen(p->listener, ours, n_ours);
}

/** Decide who holds which of the @n memberships of an interface. */
static void iface_share(struct l2_groups *g, const struct l2_iface *iface, struct membership *v,
			size_t n)
{
	struct part *p = part_find(g, iface->ifindex);
	bool many = false;

	if (n > L2_GROUPS_KERNEL && !p)
		p = part_new(g, iface->ifindex);
	if (p) {
		mld_io_set_link(p->listener, &(struct mld_link){ .mac = iface->mac,
								 .source = iface->link_local,
								 .carrier = iface->carrier,
								 .mtu = iface->mtu });
		part_listen(p, v, n);
		many = p->many;
	}
	for (size_t i = 0; i < n; i++) {
		v[i].kernels = !many || v[i].fd != NOT_JOINED;
		g->n_kernels += v[i].kernels;
	}
}

static void share(struct l2_groups *g, const struct l2_table *table)
{
	size_t at = 0;

	g->n_kernels = 0;
	for (size_t i = 0; i < table->n_ifaces; i++) {
		const struct l2_iface *iface = &table->ifaces[i];
		size_t n = 0;
		while (at + n < g->set.n && g->set.v[at + n].ifindex == iface->ifindex)
			n++;
		iface_share(g, iface, n ? &g->set.v[at] : NULL, n);
		at += n;
	}
	parts_prune(g, table);
}

/** The kernel holds it now: the listener need not. */
static void hand_over(struct l2_groups *g, struct membership *m)
{
	mld_io_forget(part_find(g, m->ifindex)->listener, m->group);
	m->ours = false;
}

/* All of them */

static void groups_work(struct l2_groups *g, struct mono now)
{
	unsigned done = 0;

	for (; g->work_at < g->set.n && done < SLICE; g->work_at++) {
		struct membership *m = &g->set.v[g->work_at];
		if (m->fd != NOT_JOINED || !m->kernels)
			continue;
		join(g, m);
		if (m->fd != NOT_JOINED && m->ours)
			hand_over(g, m);
		done++;
	}
	if (g->work_at < g->set.n) {
		loop_timer_set(&g->timer, now);
	} else if (g->joined < g->n_kernels) {
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
		while (j < wanted.n && compare_memberships(&wanted.v[j], old) < 0)
			j++;
		if (j < wanted.n && compare_memberships(&wanted.v[j], old) == 0)
			wanted.v[j] = *old;
		else
			leave(g, old);
	}
	free(g->set.v);
	g->set = wanted;
}

void l2_groups_apply(struct l2_groups *g, const struct l2_table *table)
{
	set_replace(g, wanted_set(table));
	share(g, table);
	if (g->joined == 0) {
		/* Sockets that once were full are of use again only when all is left. */
		for (; g->n_sockets > 0; g->n_sockets--)
			close(g->sockets[g->n_sockets - 1]);
	}
	g->work_at = 0;
	loop_timer_stop(&g->timer);
	groups_work(g, loop_now(g->timer.loop));
}

/* What is so now */

enum l2_holder l2_groups_holder(const struct l2_groups *g, int ifindex, const struct addr *a)
{
	const struct membership key = membership_of(ifindex, a);
	const struct membership *m = NULL;

	if (g->set.n > 0)
		m = bsearch(&key, g->set.v, g->set.n, sizeof(key), compare_memberships);
	if (m && m->fd != NOT_JOINED)
		return L2_HOLDER_KERNEL;
	return m && m->ours && mld_io_hears(part_find(g, ifindex)->listener) ? L2_HOLDER_OURS
									     : L2_HOLDER_NONE;
}

struct l2_groups_count l2_groups_count(const struct l2_groups *g)
{
	struct l2_groups_count c = { .kernel = g->joined };

	for (size_t i = 0; i < g->n_parts; i++)
		if (mld_io_hears(g->parts[i].listener))
			c.ours += mld_io_groups(g->parts[i].listener);
	c.missing = g->set.n - c.kernel - c.ours;
	return c;
}

const struct mld_stats *l2_groups_stats(const struct l2_groups *g)
{
	return &g->stats;
}
