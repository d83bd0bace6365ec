#include "bfd/digest.h"

#include <string.h>

#include "base/libcrypto.h"

/* Two pieces behind each other. */
struct bfd_digest {
	bool (*of)(const void *a, size_t a_len, const void *b, size_t b_len,
		   unsigned char out[static BFD_DIGEST_MAX]);
};

static bool md5(const void *a, size_t a_len, const void *b, size_t b_len,
		unsigned char out[static BFD_DIGEST_MAX])
{
	MD5_CTX ctx;

	return MD5_Init(&ctx) == 1 && MD5_Update(&ctx, a, a_len) == 1 &&
	       MD5_Update(&ctx, b, b_len) == 1 && MD5_Final(out, &ctx) == 1;
}

static bool sha1(const void *a, size_t a_len, const void *b, size_t b_len,
		 unsigned char out[static BFD_DIGEST_MAX])
{
	SHA_CTX ctx;

	return SHA1_Init(&ctx) == 1 && SHA1_Update(&ctx, a, a_len) == 1 &&
	       SHA1_Update(&ctx, b, b_len) == 1 && SHA1_Final(out, &ctx) == 1;
}

/* Does this system permit it? */
static bool is_permitted(const char *name)
{
	EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);

	EVP_MD_free(md);
	return md != NULL;
}

/*
 * The functions alone: a packet at a time, between which the processor's caches forget, the way through a provider to
 * the same code costs as much as that code.
 */
struct bfd_digest *bfd_digest_new(const char *name)
{
	if (!is_permitted(name))
		return NULL;
	struct bfd_digest *d = mem_new(struct bfd_digest);

	d->of = strcmp(name, "MD5") == 0 ? md5 : sha1;
	return d;
}

struct bfd_digest *bfd_digest_free(struct bfd_digest *d)
{
	free(d);
	return NULL;
}

bool bfd_digest_of(struct bfd_digest *d, const void *a, size_t a_len, const void *b, size_t b_len,
		   unsigned char out[static BFD_DIGEST_MAX])
{
	return d->of(a, a_len, b, b_len, out);
}

bool bfd_digest_eq(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void bfd_digest_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}
