#include "bfd/digest.h"

#include <string.h>

#include "base/libcrypto.h"

struct bfd_digest {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

struct bfd_digest *bfd_digest_new(const char *name)
{
	struct bfd_digest *d = mem_new(struct bfd_digest);

	d->md = EVP_MD_fetch(NULL, name, NULL);
	d->ctx = EVP_MD_CTX_new();
	if (!d->md || !d->ctx || EVP_DigestInit_ex2(d->ctx, d->md, NULL) != 1)
		return bfd_digest_free(d);
	return d;
}

struct bfd_digest *bfd_digest_free(struct bfd_digest *d)
{
	if (!d)
		return NULL;
	EVP_MD_CTX_free(d->ctx);
	EVP_MD_free(d->md);
	free(d);
	return NULL;
}

bool bfd_digest_of(struct bfd_digest *d, const void *a, size_t a_len, const void *b, size_t b_len,
		   unsigned char out[static BFD_DIGEST_MAX])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	bool ok = EVP_DigestInit_ex2(d->ctx, d->md, NULL) == 1 &&
		  EVP_DigestUpdate(d->ctx, a, a_len) == 1 &&
		  EVP_DigestUpdate(d->ctx, b, b_len) == 1 &&
		  EVP_DigestFinal_ex(d->ctx, digest, NULL) == 1;

	memcpy(out, digest, BFD_DIGEST_MAX);
	return ok;
}

bool bfd_digest_eq(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void bfd_digest_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}
