#include "bfd/tx.h"

#include <errno.h>
#include <netinet/ip.h>
#include <string.h>
#include <unistd.h>

#include "net/udp.h"

#define TTL_SENT 255
#define TOS_SENT IPTOS_CLASS_CS6

void bfd_tx_init(struct bfd_tx *tx, struct rng *rng, uint16_t port,
		 void (*sent)(void *owner, int error))
{
	*tx = (struct bfd_tx){ .rng = rng, .port = port, .sent = sent };
}

void bfd_tx_fini(struct bfd_tx *tx)
{
	bfd_tx_flush(tx);
	for (size_t i = 0; i < tx->n_sockets; i++) {
		close(tx->sockets[i].fd);
		rawudp_batch_free(tx->sockets[i].batch);
	}
	tx->n_sockets = 0;
}

/* ---- source ports ---- */

static bool port_is_used(const struct bfd_tx *tx, unsigned i)
{
	return tx->ports_used[i / 64] >> i % 64 & 1;
}

static void port_mark(struct bfd_tx *tx, uint16_t port, bool used)
{
	unsigned i = port - BFD_SOURCE_PORT_MIN;
	uint64_t bit = UINT64_C(1) << i % 64;

	if (used)
		tx->ports_used[i / 64] |= bit;
	else
		tx->ports_used[i / 64] &= ~bit;
}

/* The first free one from a random place on; 0 when none is left. @from: where to go on. */
static uint16_t port_next(const struct bfd_tx *tx, unsigned from)
{
	for (unsigned tried = 0; tried < BFD_SOURCE_PORTS; tried++) {
		unsigned i = (from + tried) % BFD_SOURCE_PORTS;

		if (!port_is_used(tx, i))
			return (uint16_t)(BFD_SOURCE_PORT_MIN + i);
	}
	return 0;
}

static unsigned random_place(struct bfd_tx *tx)
{
	return (unsigned)rng_below(tx->rng, BFD_SOURCE_PORTS);
}

/* ---- opening ---- */

static struct udp_conf udp_conf_of(const struct bfd_path *path)
{
	return (struct udp_conf){
		.family = path->peer.family,
		.local = path->local,
		.ifindex = path->ifindex,
		.vrf = path->vrf,
		.ttl = TTL_SENT,
		.tos = TOS_SENT,
	};
}

static int no_port(struct err *e)
{
	errno = EADDRINUSE;
	return err_set(e, ERR_LIMIT, "no source port is free");
}

/* Ports that some other program has are passed over. */
static int open_udp(struct bfd_tx *tx, const struct bfd_path *path, struct bfd_sender *s,
		    struct err *e)
{
	struct udp_conf conf = udp_conf_of(path);
	unsigned at = random_place(tx);

	for (unsigned tried = 0; tried < BFD_SOURCE_PORTS; tried++) {
		conf.port = port_next(tx, at);
		if (conf.port == 0)
			break;
		int fd = udp_open(&conf, e);
		if (fd >= 0) {
			*s = (struct bfd_sender){ .port = conf.port, .fd = fd };
			port_mark(tx, conf.port, true);
			return 0;
		}
		if (errno != EADDRINUSE)
			return fd;
		at = conf.port - BFD_SOURCE_PORT_MIN + 1u;
	}
	return no_port(e);
}

static struct bfd_tx_socket *socket_find(struct bfd_tx *tx, enum family family, uint32_t vrf)
{
	for (size_t i = 0; i < tx->n_sockets; i++) {
		if (tx->sockets[i].family == family && tx->sockets[i].vrf == vrf)
			return &tx->sockets[i];
	}
	return NULL;
}

static int socket_open(struct bfd_tx *tx, enum family family, uint32_t vrf, struct err *e)
{
	if (tx->n_sockets == BFD_TX_SOCKETS_MAX) {
		errno = EMFILE;
		return err_set(e, ERR_LIMIT, "too many VRFs");
	}
	int fd = rawudp_open(family, vrf, e);
	if (fd < 0)
		return fd;
	tx->sockets[tx->n_sockets++] = (struct bfd_tx_socket){
		.family = family, .vrf = vrf, .fd = fd, .batch = rawudp_batch_new()
	};
	return fd;
}

static void flow_set(const struct bfd_tx *tx, struct bfd_sender *s, const struct bfd_path *path)
{
	rawudp_flow_init(&s->flow, &(struct rawudp_path){
					   .from = s->from,
					   .to = path->peer,
					   .from_port = s->port,
					   .to_port = bfd_tx_port(tx->port, path->multihop),
					   .ifindex = path->ifindex,
					   .ttl = TTL_SENT,
					   .tos = TOS_SENT,
				   });
}

static int open_raw(struct bfd_tx *tx, const struct bfd_path *path, struct bfd_sender *s,
		    struct err *e)
{
	struct udp_conf conf = udp_conf_of(path);
	struct bfd_tx_socket *sock = socket_find(tx, path->peer.family, path->vrf);
	struct bfd_sender opened = { .raw = true };

	opened.fd = sock ? sock->fd : socket_open(tx, path->peer.family, path->vrf, e);
	if (opened.fd < 0)
		return opened.fd;
	int ret = udp_source(&conf, &path->peer, &opened.from, e);
	if (ret < 0)
		return ret;
	opened.port = port_next(tx, random_place(tx));
	if (opened.port == 0)
		return no_port(e);
	port_mark(tx, opened.port, true);
	flow_set(tx, &opened, path);
	*s = opened;
	return 0;
}

int bfd_tx_open(struct bfd_tx *tx, const struct bfd_path *path, struct bfd_sender *s, struct err *e)
{
	if (s->port)
		return 0;
	if (!tx->udp_only) {
		int ret = open_raw(tx, path, s, e);

		if (ret == 0 || (errno != EPERM && errno != EMFILE))
			return ret;
	}
	return open_udp(tx, path, s, e);
}

void bfd_tx_close(struct bfd_tx *tx, struct bfd_sender *s)
{
	if (!s->port)
		return;
	bfd_tx_flush(tx); /* the batch borrows the flow */
	if (!s->raw)
		close(s->fd);
	port_mark(tx, s->port, false);
	*s = (struct bfd_sender){ 0 };
}

/* A UDP socket is bound: the kernel looks after its address. */
bool bfd_tx_is_current(const struct bfd_path *path, const struct bfd_sender *s)
{
	struct udp_conf conf = udp_conf_of(path);
	struct addr from;

	return !s->raw ||
	       (udp_source(&conf, &path->peer, &from, NULL) == 0 && addr_eq(&from, &s->from));
}

/* ---- sending ---- */

static void socket_flush(struct bfd_tx *tx, struct bfd_tx_socket *sock)
{
	rawudp_flush(sock->batch, sock->fd, tx->sent);
}

void bfd_tx_send(struct bfd_tx *tx, const struct bfd_path *path, const struct bfd_sender *s,
		 const void *bytes, size_t len, void *owner)
{
	uint16_t port = bfd_tx_port(tx->port, path->multihop);

	if (!s->raw) {
		tx->sent(owner, -udp_send(s->fd, &path->peer, port, path->ifindex, bytes, len));
		return;
	}
	struct bfd_tx_socket *sock = socket_find(tx, path->peer.family, path->vrf);
	if (rawudp_add(sock->batch, &s->flow, bytes, len, owner))
		return;
	socket_flush(tx, sock);
	if (!rawudp_add(sock->batch, &s->flow, bytes, len, owner))
		tx->sent(owner, EMSGSIZE);
}

void bfd_tx_flush(struct bfd_tx *tx)
{
	for (size_t i = 0; i < tx->n_sockets; i++) {
		if (!rawudp_is_empty(tx->sockets[i].batch))
			socket_flush(tx, &tx->sockets[i]);
	}
}
