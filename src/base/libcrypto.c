#include "base/libcrypto.h"

#include <stdio.h>
#include <threads.h>

#include "base/library.h"

/* X(result, name, parameters, arguments) */
#define CALLS(X)                                                                                   \
	X(int, SHA256_Init, (SHA256_CTX * c), (c))                                                 \
	X(int, SHA256_Update, (SHA256_CTX * c, const void *p, size_t n), (c, p, n))                \
	X(int, SHA256_Final, (unsigned char *out, SHA256_CTX *c), (out, c))                        \
	X(unsigned char *, SHA256, (const unsigned char *p, size_t n, unsigned char *out),         \
	  (p, n, out))                                                                             \
	X(int, SHA1_Init, (SHA_CTX * c), (c))                                                      \
	X(int, SHA1_Update, (SHA_CTX * c, const void *p, size_t n), (c, p, n))                     \
	X(int, SHA1_Final, (unsigned char *out, SHA_CTX *c), (out, c))                             \
	X(int, MD5_Init, (MD5_CTX * c), (c))                                                       \
	X(int, MD5_Update, (MD5_CTX * c, const void *p, size_t n), (c, p, n))                      \
	X(int, MD5_Final, (unsigned char *out, MD5_CTX *c), (out, c))                              \
	X(int, CRYPTO_memcmp, (const void *a, const void *b, size_t n), (a, b, n))                 \
	X(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX * from, const char *name, const char *properties), \
	  (from, name, properties))                                                                \
	X(void, EVP_MD_free, (EVP_MD * md), (md))                                                  \
	X(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())                                                \
	X(void, EVP_MD_CTX_free, (EVP_MD_CTX * c), (c))                                            \
	X(int, EVP_DigestInit_ex2, (EVP_MD_CTX * c, const EVP_MD *md, const OSSL_PARAM params[]),  \
	  (c, md, params))                                                                         \
	X(int, EVP_DigestUpdate, (EVP_MD_CTX * c, const void *p, size_t n), (c, p, n))             \
	X(int, EVP_DigestFinal_ex, (EVP_MD_CTX * c, unsigned char *out, unsigned *n), (c, out, n)) \
	X(EVP_KDF *, EVP_KDF_fetch,                                                                \
	  (OSSL_LIB_CTX * from, const char *name, const char *properties),                         \
	  (from, name, properties))                                                                \
	X(void, EVP_KDF_free, (EVP_KDF * kdf), (kdf))                                              \
	X(EVP_KDF_CTX *, EVP_KDF_CTX_new, (EVP_KDF * kdf), (kdf))                                  \
	X(void, EVP_KDF_CTX_free, (EVP_KDF_CTX * c), (c))                                          \
	X(int, EVP_KDF_derive,                                                                     \
	  (EVP_KDF_CTX * c, unsigned char *out, size_t n, const OSSL_PARAM params[]),              \
	  (c, out, n, params))                                                                     \
	X(OSSL_PARAM, OSSL_PARAM_construct_utf8_string, (const char *key, char *text, size_t n),   \
	  (key, text, n))                                                                          \
	X(OSSL_PARAM, OSSL_PARAM_construct_octet_string, (const char *key, void *p, size_t n),     \
	  (key, p, n))                                                                             \
	X(OSSL_PARAM, OSSL_PARAM_construct_end, (void), ())                                        \
	X(const EVP_CIPHER *, EVP_aes_128_gcm, (void), ())                                         \
	X(const EVP_CIPHER *, EVP_aes_192_gcm, (void), ())                                         \
	X(const EVP_CIPHER *, EVP_aes_256_gcm, (void), ())                                         \
	X(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void), ())                                        \
	X(void, EVP_CIPHER_CTX_free, (EVP_CIPHER_CTX * c), (c))                                    \
	X(int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * c, int type, int n, void *p),                \
	  (c, type, n, p))                                                                         \
	X(int, EVP_CipherUpdate,                                                                   \
	  (EVP_CIPHER_CTX * c, unsigned char *out, int *n_out, const unsigned char *p, int n),     \
	  (c, out, n_out, p, n))                                                                   \
	X(int, EVP_EncryptInit_ex,                                                                 \
	  (EVP_CIPHER_CTX * c, const EVP_CIPHER *cipher, ENGINE *engine, const unsigned char *key, \
	   const unsigned char *iv),                                                               \
	  (c, cipher, engine, key, iv))                                                            \
	X(int, EVP_EncryptFinal_ex, (EVP_CIPHER_CTX * c, unsigned char *out, int *n), (c, out, n)) \
	X(int, EVP_DecryptInit_ex,                                                                 \
	  (EVP_CIPHER_CTX * c, const EVP_CIPHER *cipher, ENGINE *engine, const unsigned char *key, \
	   const unsigned char *iv),                                                               \
	  (c, cipher, engine, key, iv))                                                            \
	X(int, EVP_DecryptFinal_ex, (EVP_CIPHER_CTX * c, unsigned char *out, int *n), (c, out, n))

#define FIELD(result, name, ...) __typeof__(name) *name;
static struct {
	CALLS(FIELD)
} lib;
#undef FIELD

static void load(void)
{
#define ROW(result, name, ...) { #name, &lib.name },
	static const struct library_call calls[] = { CALLS(ROW) };
#undef ROW
	struct err e = { 0 };

	if (library_load(CRYPTO_SONAME, calls, ARRAY_LEN(calls), &e) == 0)
		return;
	fprintf(stderr, "%s\n", e.text);
	abort();
}

/* From any thread. */
static void need(void)
{
	static once_flag once = ONCE_FLAG_INIT;

	call_once(&once, load);
}

#define PASS_ON(result, name, parameters, arguments) \
	result name parameters                       \
	{                                            \
		need();                              \
		return lib.name arguments;           \
	}
CALLS(PASS_ON)
