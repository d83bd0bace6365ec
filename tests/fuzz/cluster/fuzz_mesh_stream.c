/*
 * What a stranger sends to the mesh's port: pieces of a stream, one byte of length in front of each; the first byte says
 * whether the mesh is sealed.
 */
#include "fuzz.h"

#include "cluster/mesh_frame.h"

static bool take_all(struct mesh_stream *s)
{
	struct mesh_frame f;
	enum mesh_next next;

	while ((next = mesh_stream_next(s, &f)) == MESH_NEXT_FRAME) {
		uint8_t bytes[MESH_BODY_MAX];
		struct wr w = wr_to(bytes, sizeof(bytes));

		mesh_body_encode(&f, &w);
		if (w.bad)
			__builtin_trap();
	}
	return next == MESH_NEXT_MORE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32], random[MESH_RANDOM_LEN];
	struct rd r = rd_from(data, size);
	struct crypt_ring ring = { 0 };
	uint8_t preamble[MESH_PREAMBLE_LEN];
	struct wr w = wr_to(preamble, sizeof(preamble));
	struct mesh_stream s;

	if (rd_u8(&r) & 1)
		(void)!crypt_ring_add(&ring, key, sizeof(key));
	mesh_stream_open(&s, &ring, false, random, &w);
	while (r.left) {
		size_t cap, n = rd_u8(&r);
		uint8_t *room = mesh_stream_room(&s, &cap);

		n = MIN(MIN(n, cap), r.left);
		memcpy(room, rd_bytes(&r, n), n);
		mesh_stream_input(&s, n);
		if (!take_all(&s))
			break;
	}
	return 0;
}

FUZZ_MAIN;
