#include "base/ranking.h"

#include <string.h>

#include "base/buf.h"
#include "base/libcrypto.h"

_Static_assert(RANK_DIGEST_LEN == SHA256_DIGEST_LENGTH, "the digest is SHA-256");

static int by_rank(const void *a, const void *b)
{
	const struct rank_node *l = a;
	const struct rank_node *r = b;

	if (l->score != r->score)
		return l->score > r->score ? -1 : 1;
	return memcmp(l->digest, r->digest, sizeof(l->digest));
}

/*
 * The function alone, with no provider found, nor a configuration read for it: what is ranked is no secret, and OpenSSL
 * would take longer to start than all the rest before the first announcement.
 */
static void digest(const struct buf *text, uint8_t out[static RANK_DIGEST_LEN])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, text->p, text->len);
	SHA256_Final(out, &ctx);
}

void rank_nodes(struct rank_node *nodes, size_t n, const struct addr *ip)
{
	char suffix[ADDR_TEXT_MAX + 1] = "#";
	struct buf text = { 0 };

	if (n < 2)
		return;
	addr_format(ip, suffix + 1);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&text);
		buf_puts(&text, nodes[i].name);
		buf_puts(&text, suffix);
		digest(&text, nodes[i].digest);
	}
	buf_fini(&text);
	qsort(nodes, n, sizeof(nodes[0]), by_rank);
}
