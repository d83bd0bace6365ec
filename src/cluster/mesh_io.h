/**
 * The connections of the mesh, one with each other node: who dials (the lower name), who is at the other end (HELLO), and
 * what the end of a connection means. When one ends the port is tried at once; if nobody has it any more, the
 * process at the other end is gone, and its kernel says so.
 *
 * Only a node whose heartbeats come is dialled: mesh_io_want(). A connection without a HELLO is ended after a second.
 *
 * On the packet thread's loop; only opening a connection allocates.
 */
#ifndef CLUSTER_MESH_IO_H
#define CLUSTER_MESH_IO_H

#include "base/addr.h"
#include "base/loop.h"
#include "cluster/mesh_frame.h"

#define MESH_PEERS_MAX	   64
#define MESH_STRANGERS_MAX 16 /* connections that have not said who they are */

struct mesh_peer {
	uint16_t id;
	const char *name; /* lives as long as it is in force */
	struct addr addr;
};

struct mesh_io_hooks {
	void *ctx;
	/** A connection with a node is there, or not any more. */
	void (*linked)(void *ctx, uint16_t id, bool linked);
	/** Its connection has ended, and nobody has its port. */
	void (*refused)(void *ctx, uint16_t id);
	/** Any frame but HELLO. May send, and call mesh_io_want(). */
	void (*frame)(void *ctx, uint16_t id, const struct mesh_frame *f);
};

struct mesh_io_conf {
	struct loop *loop;
	uint16_t port;
	const char *name; /* ours; copied */
	struct crypt_ring ring;
	struct mesh_io_hooks hooks;
};

struct mesh_io;

NODISCARD struct mesh_io *mesh_io_new(const struct mesh_io_conf *conf);
struct mesh_io *mesh_io_free(struct mesh_io *io); /* takes NULL, returns NULL */

/** Who may talk to us; @peers is borrowed until the next call. Connections with others end without a word. */
void mesh_io_set_peers(struct mesh_io *io, const struct mesh_peer *peers, size_t n);

/** Its heartbeats come, or not: it may be dialled. */
void mesh_io_want(struct mesh_io *io, uint16_t id, bool wanted);

/** Why nobody can connect to us: an error number; 0: they can. From any thread. */
int mesh_io_listen_errno(const struct mesh_io *io);

/** False when there is no connection, or it does not take any more. */
bool mesh_io_send(struct mesh_io *io, uint16_t id, const struct mesh_frame *f);

#endif
