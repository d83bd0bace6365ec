/**
 * The keys of the mesh between the nodes, out of the cluster's secret: HKDF-SHA256 (RFC 5869) without salt, one name
 * for each use, so that none of them tells anything of gossip's key or of the other.
 */
#ifndef CLUSTER_MESH_KEY_H
#define CLUSTER_MESH_KEY_H

#include <stdbool.h>

#include "base/mem.h"

#define MESH_KEY_HEARTBEATS "crier bfd"	 /* authentication of the heartbeats */
#define MESH_KEY_FRAMES	    "crier mesh" /* sealing of the frames on connections */

/** @n bytes of the key called @use; false where the library has no HKDF. */
NODISCARD bool mesh_key_derive(const void *secret, size_t len, const char *use, void *out,
			       size_t n);

#endif
