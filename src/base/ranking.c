#include "base/ranking.h"

#include <openssl/sha.h>
#include <string.h>

#include "base/buf.h"

_Static_assert(RANK_DIGEST_LEN == SHA256_DIGEST_LENGTH, "the digest is SHA-256");

static int by_rank(const void *a, const void *b)
{
	const struct rank_node *l = a;
	const struct rank_node *r = b;

	if (l->score != r->score)
		return l->score > r->score ? -1 : 1;
	return memcmp(l->digest, r->digest, sizeof(l->digest));
}

void rank_nodes(struct rank_node *nodes, size_t n, const struct addr *ip)
{
	char suffix[ADDR_TEXT_MAX + 1] = "#";
	struct buf text = { 0 };

	addr_format(ip, suffix + 1);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&text);
		buf_puts(&text, nodes[i].name);
		buf_puts(&text, suffix);
		SHA256((const uint8_t *)text.p, text.len, nodes[i].digest);
	}
	buf_fini(&text);
	if (n > 1)
		qsort(nodes, n, sizeof(nodes[0]), by_rank);
}
