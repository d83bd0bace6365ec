#include "bfd/auth.h"

#include <string.h>

#include "bfd/digest.h"

enum { PASSWORD_MAX = 16, DIGEST_AT = BFD_PKT_LEN + 8 };

struct bfd_auth {
	enum bfd_auth_type type;
	size_t n;
	struct bfd_auth_key keys[BFD_AUTH_KEYS_MAX];
	struct bfd_digest *digest; /* NULL: simple passwords */
};

static const struct {
	const char *digest;
	uint8_t secret_max; /* of a digest: its size, too */
	bool meticulous;
} types[BFD_AUTH_TYPE_COUNT] = {
	[BFD_AUTH_NONE] = { NULL, 0, false },
	[BFD_AUTH_SIMPLE] = { NULL, PASSWORD_MAX, false },
	[BFD_AUTH_KEYED_MD5] = { "MD5", 16, false },
	[BFD_AUTH_METICULOUS_MD5] = { "MD5", 16, true },
	[BFD_AUTH_KEYED_SHA1] = { "SHA1", 20, false },
	[BFD_AUTH_METICULOUS_SHA1] = { "SHA1", 20, true },
};

size_t bfd_auth_secret_max(enum bfd_auth_type type)
{
	return types[type].secret_max;
}

static int check_keys(enum bfd_auth_type type, const struct bfd_auth_key *keys, size_t n,
		      struct err *e)
{
	if (type == BFD_AUTH_NONE || type >= BFD_AUTH_TYPE_COUNT)
		return err_set(e, ERR_CONFIG, "no type of authentication");
	if (n == 0 || n > BFD_AUTH_KEYS_MAX)
		return err_set(e, ERR_CONFIG, "authentication takes 1 to %d keys",
			       BFD_AUTH_KEYS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (keys[i].len == 0 || keys[i].len > types[type].secret_max)
			return err_set(e, ERR_CONFIG,
				       "the secret of key %u has %u bytes, not 1 to %u", keys[i].id,
				       keys[i].len, types[type].secret_max);
		for (size_t k = 0; k < i; k++)
			if (keys[k].id == keys[i].id)
				return err_set(e, ERR_CONFIG, "two keys with the id %u",
					       keys[i].id);
	}
	return 0;
}

static int digest_open(struct bfd_auth *a, struct err *e)
{
	/* The first packet would be late if the library that compares were loaded for it. */
	if (!types[a->type].digest)
		return bfd_digest_eq("", "", 0) ? 0 : -ERR_SYSTEM;
	a->digest = bfd_digest_new(types[a->type].digest);
	if (!a->digest)
		return err_set(e, ERR_SYSTEM, "libcrypto of this system refuses %s",
			       types[a->type].digest);
	return 0;
}

int bfd_auth_new(enum bfd_auth_type type, const struct bfd_auth_key *keys, size_t n,
		 struct bfd_auth **out, struct err *e)
{
	int rc = check_keys(type, keys, n, e);

	if (rc < 0)
		return rc;
	struct bfd_auth *a = mem_new(struct bfd_auth);
	a->type = type;
	a->n = n;
	memcpy(a->keys, keys, n * sizeof(*keys));
	rc = digest_open(a, e);
	if (rc < 0)
		bfd_auth_free(a);
	else
		*out = a;
	return rc;
}

struct bfd_auth *bfd_auth_free(struct bfd_auth *a)
{
	if (!a)
		return NULL;
	bfd_digest_free(a->digest);
	bfd_digest_wipe(a, sizeof(*a));
	free(a);
	return NULL;
}

struct bfd_auth *bfd_auth_dup(const struct bfd_auth *a)
{
	struct bfd_auth *copy = NULL;

	/* What worked once works again: the library has the digest. */
	if (a && bfd_auth_new(a->type, a->keys, a->n, &copy, NULL) < 0)
		return NULL;
	return copy;
}

enum bfd_auth_type bfd_auth_type(const struct bfd_auth *a)
{
	return a ? a->type : BFD_AUTH_NONE;
}

bool bfd_auth_is_meticulous(const struct bfd_auth *a)
{
	return types[bfd_auth_type(a)].meticulous;
}

bool bfd_auth_has_sequence(const struct bfd_auth *a)
{
	return types[bfd_auth_type(a)].digest != NULL;
}

/* §6.7.3, §6.7.4: over the whole packet, with the secret where the digest will be. */
static bool digest_of(struct bfd_auth *a, const struct bfd_auth_key *key, const uint8_t *head,
		      uint8_t out[static BFD_DIGEST_MAX])
{
	uint8_t secret[BFD_AUTH_SECRET_MAX] = { 0 };

	memcpy(secret, key->secret, key->len);
	return bfd_digest_of(a->digest, head, DIGEST_AT, secret, types[a->type].secret_max, out);
}

static void put_digest(struct bfd_auth *a, const struct bfd_auth_key *key, uint32_t seq,
		       struct wr *w, size_t start)
{
	uint8_t digest[BFD_DIGEST_MAX] = { 0 };

	wr_u8(w, (uint8_t)a->type);
	wr_u8(w, (uint8_t)(8 + types[a->type].secret_max));
	wr_u8(w, key->id);
	wr_u8(w, 0);
	wr_u32(w, seq);
	if (w->bad || !digest_of(a, key, w->p + start, digest))
		w->bad = true;
	wr_bytes(w, digest, types[a->type].secret_max);
}

static void put_password(const struct bfd_auth *a, const struct bfd_auth_key *key, struct wr *w)
{
	wr_u8(w, (uint8_t)a->type);
	wr_u8(w, (uint8_t)(3 + key->len));
	wr_u8(w, key->id);
	wr_bytes(w, key->secret, key->len);
}

static size_t section_len(const struct bfd_auth *a)
{
	return a->digest ? 8u + types[a->type].secret_max : 3u + a->keys[0].len;
}

void bfd_auth_encode(struct bfd_auth *a, const struct bfd_pkt *pkt, uint32_t seq, struct wr *w)
{
	size_t start = w->len;

	bfd_pkt_encode(pkt, a ? section_len(a) : 0, w);
	if (!a)
		return;
	if (a->digest)
		put_digest(a, &a->keys[0], seq, w, start);
	else
		put_password(a, &a->keys[0], w);
}

static const struct bfd_auth_key *key_find(const struct bfd_auth *a, uint8_t id)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->keys[i].id == id)
			return &a->keys[i];
	return NULL;
}

bool bfd_auth_verify(struct bfd_auth *a, const struct bfd_pkt *pkt)
{
	const struct bfd_auth_key *key = key_find(a, pkt->auth.key_id);
	uint8_t digest[BFD_DIGEST_MAX] = { 0 };
	const uint8_t *want = digest;
	size_t len = types[a->type].secret_max;

	if (!key || pkt->auth.type != a->type)
		return false;
	if (!a->digest) {
		want = key->secret;
		len = key->len;
	}
	if (pkt->auth.proof.left != len || (a->digest && !digest_of(a, key, pkt->wire, digest)))
		return false;
	return bfd_digest_eq(pkt->auth.proof.p, want, len);
}
