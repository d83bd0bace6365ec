#include "cluster/crypt.h"

#include "base/libcrypto.h"

static const EVP_CIPHER *cipher_for(size_t key_len)
{
	switch (key_len) {
	case 16:
		return EVP_aes_128_gcm();
	case 24:
		return EVP_aes_192_gcm();
	case 32:
		return EVP_aes_256_gcm();
	default:
		return NULL;
	}
}

int crypt_ring_add(struct crypt_ring *ring, const void *key, size_t len)
{
	if (!cipher_for(len) || ring->n == CRYPT_KEYS_MAX)
		return -1;
	struct crypt_key *k = &ring->keys[ring->n++];
	k->len = (uint8_t)len;
	memcpy(k->bytes, key, len);
	return 0;
}

struct crypt_key crypt_key_from_secret(const void *secret, size_t len, uint8_t key_len)
{
	struct crypt_key key = { .len = key_len };
	uint8_t padding[SHA256_DIGEST_LENGTH];
	size_t own = MIN(len, key_len);

	SHA256((const uint8_t *)"", 0, padding);
	if (own)
		memcpy(key.bytes, secret, own);
	memcpy(key.bytes + own, padding, key_len - own);
	return key;
}

static void context_freep(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

/* Lengths fit: no packet or stream of ours comes near INT_MAX. */
static bool run_gcm(EVP_CIPHER_CTX *ctx, struct rd aad, struct rd in, uint8_t *out)
{
	int n = 0;

	if (aad.left && EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.left) != 1)
		return false;
	return in.left == 0 || EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.left) == 1;
}

/* True when @out holds the ciphertext and @tag its tag. */
static bool encrypt(const struct crypt_key *key, const uint8_t *nonce, struct rd aad, struct rd in,
		    uint8_t *out, uint8_t *tag)
{
	CLEANUP(context_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	return ctx && EVP_EncryptInit_ex(ctx, cipher_for(key->len), NULL, key->bytes, nonce) == 1 &&
	       run_gcm(ctx, aad, in, out) && EVP_EncryptFinal_ex(ctx, out + in.left, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, CRYPT_TAG_LEN, tag) == 1;
}

static bool decrypt(const struct crypt_key *key, const uint8_t *nonce, struct rd aad, struct rd in,
		    uint8_t *out, const uint8_t *tag)
{
	CLEANUP(context_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t expected[CRYPT_TAG_LEN];
	int n = 0;

	memcpy(expected, tag, sizeof(expected));
	return ctx && EVP_DecryptInit_ex(ctx, cipher_for(key->len), NULL, key->bytes, nonce) == 1 &&
	       run_gcm(ctx, aad, in, out) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, CRYPT_TAG_LEN, expected) == 1 &&
	       EVP_DecryptFinal_ex(ctx, out + in.left, &n) == 1;
}

void crypt_seal(const struct crypt_ring *ring, uint8_t version, const uint8_t *nonce,
		struct rd plain, struct rd aad, struct wr *w)
{
	size_t pad = version == 0 ? CRYPT_PADDING - plain.left % CRYPT_PADDING : 0;
	size_t len = plain.left + pad;

	wr_u8(w, version);
	wr_bytes(w, nonce, CRYPT_NONCE_LEN);
	uint8_t *body = wr_take(w, len);
	uint8_t *tag = wr_take(w, CRYPT_TAG_LEN);
	if (!body || !tag)
		return;
	if (plain.left)
		memcpy(body, plain.p, plain.left);
	memset(body + plain.left, (int)pad, pad);
	if (!encrypt(&ring->keys[ring->seals], nonce, aad, rd_from(body, len), body, tag))
		w->bad = true;
}

/* Cut PKCS#7's padding off; false when it is none. */
static bool unpad(struct rd *plain)
{
	if (plain->left == 0)
		return false;
	uint8_t pad = plain->p[plain->left - 1];

	if (pad < 1 || pad > CRYPT_PADDING || pad > plain->left)
		return false;
	plain->left -= pad;
	return true;
}

bool crypt_open(struct crypt_ring *ring, struct rd blob, struct rd aad, uint8_t *room,
		struct rd *out)
{
	size_t least = CRYPT_OVERHEAD;
	uint8_t version = rd_u8(&blob);
	const uint8_t *nonce = rd_bytes(&blob, CRYPT_NONCE_LEN);

	if (version == 0)
		least += CRYPT_PADDING;
	if (blob.bad || version > 1 || blob.left + 1 + CRYPT_NONCE_LEN < least)
		return false;
	struct rd body = rd_sub(&blob, blob.left - CRYPT_TAG_LEN);
	const uint8_t *tag = rd_bytes(&blob, CRYPT_TAG_LEN);
	if (!tag)
		return false;
	for (size_t i = 0; i < ring->n; i++) {
		struct rd plain = rd_from(room, body.left);

		if (!decrypt(&ring->keys[i], nonce, aad, body, room, tag))
			continue;
		if (version == 0 && !unpad(&plain))
			return false;
		ring->opened = (uint8_t)i;
		*out = plain;
		return true;
	}
	return false;
}
