/**
 * LZW as GIF and Go's compress/lzw write it: least significant bit first, 8-bit literals, codes of
 * 9 to 12 bits, 256 clears the dictionary, 257 ends. Whole buffers in, whole buffers out; pure.
 */
#ifndef CLUSTER_LZW_H
#define CLUSTER_LZW_H

#include "base/bytes.h"
#include "base/mem.h"

/** Room that is enough for the compressed form of @n bytes. */
#define LZW_BOUND(n) ((n) + (n) / 2 + 16)

/** Compress into @w; latches it when the room is too small. */
void lzw_compress(struct rd in, struct wr *w);

/** The reverse; false when the input is malformed or the output does not fit into @w. */
NODISCARD bool lzw_decompress(struct rd in, struct wr *w);

#endif
