/**
 * OpenSSL's libcrypto, loaded with the first call of one of its functions, which are as its headers have them. A node
 * that has no secret, and is the only one that could have an address, calls none. base/library.h says why.
 *
 * Where the library is not to be had the process ends with a word about it, as the dynamic linker would have ended it:
 * nobody can go on without a key, or without an order of nodes.
 */
#ifndef BASE_LIBCRYPTO_H
#define BASE_LIBCRYPTO_H

#define OPENSSL_SUPPRESS_DEPRECATED		      /* base/ranking.c and bfd/digest.c say why */
#define ERR_STATE		    OPENSSL_ERR_STATE /* the other one is of base/err.h */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/md5.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#undef ERR_STATE

#endif
