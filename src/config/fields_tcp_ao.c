/* Keys of peers for the TCP authentication option. */
#include <string.h>

#include "config/fields.h"

/** As it is written. */
struct raw_ao_key {
	struct cfg_ao_key c;
};

static void key_done(struct loader *l, const struct place *p, void *object)
{
	const struct cfg_ao_key *key = &((struct raw_ao_key *)object)->c;
	int sources = !!key->secret + !!key->secret_file + !!key->secret_name;

	if (sources != 1)
		load_error(l, p, "write one of them",
			   "a key has a secret, a secret-file or a secret-name");
	if (key->secret && strlen(key->secret) > CFG_AO_SECRET_MAX) {
		struct place at = place_field(p, "secret");

		load_error(l, &at, NULL, "TCP-AO takes a secret of at most %d bytes",
			   CFG_AO_SECRET_MAX);
	}
}

/* RFC 5925 §3.1: a number means one key in each direction. */
static void ids_check(struct loader *l, const struct place *p, const struct cfg_ao_key *a,
		      const struct cfg_ao_key *b)
{
	bool sent = a->send_id == b->send_id;
	struct place at = place_field(p, sent ? "send-id" : "receive-id");

	if (sent || a->receive_id == b->receive_id)
		load_error(l, &at, "each key has ids of its own", "a second key with %s %u", at.key,
			   sent ? b->send_id : b->receive_id);
}

static void key_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_tcp_ao *ao = parent;
	const struct cfg_ao_key *key = &((struct raw_ao_key *)object)->c;

	for (size_t i = 0; i < ao->c.n_keys; i++)
		ids_check(l, p, &ao->c.keys[i], key);
	if (ao->c.n_keys == CFG_AO_KEYS_MAX) {
		load_error(l, p, NULL, "more than %d keys", CFG_AO_KEYS_MAX);
		return;
	}
	ao->key_at[ao->c.n_keys] = place_keep(l->scratch, p);
	ao->c.keys[ao->c.n_keys++] = *key;
}

static const struct word algorithms[] = {
	{ "hmac-sha1-96", CFG_AO_HMAC_SHA1_96 },
	{ "aes-128-cmac-96", CFG_AO_AES_128_CMAC_96 },
	{ 0 },
};

static const struct field key_fields[] = {
	{ "send-id", FIELD_UINT, "the key's number in what we send: the peer's receive-id",
	  AT(struct raw_ao_key, c.send_id), .max = 255, .required = true },
	{ "receive-id", FIELD_UINT, "the key's number in what the peer sends: its send-id",
	  AT(struct raw_ao_key, c.receive_id), .max = 255, .required = true },
	{ "algorithm", FIELD_WORD, "how traffic keys and signatures are made (RFC 5926)",
	  AT(struct raw_ao_key, c.algorithm), .words = algorithms, .preset = "hmac-sha1-96" },
	{ "secret", FIELD_TEXT, "up to 80 bytes", AT(struct raw_ao_key, c.secret),
	  .any_text = true },
	{ "secret-file", FIELD_TEXT, "a file that holds the secret",
	  AT(struct raw_ao_key, c.secret_file) },
	{ "secret-name", FIELD_TEXT, "the Secret that holds it under `password`",
	  AT(struct raw_ao_key, c.secret_name) },
};

static const struct level level_key = {
	.noun = "a key",
	.fields = key_fields,
	.n = ARRAY_LEN(key_fields),
	.object_size = sizeof(struct raw_ao_key),
	.done = key_done,
	.take = key_take,
};

static const struct field ao_fields[] = {
	{ "keys", FIELD_LIST,
	  "any of them is accepted; the first is what a connection begins with and the peer is "
	  "asked for",
	  .level = &level_key, .required = true },
};

static void ao_done(struct loader *l, const struct place *p, void *object)
{
	struct raw_tcp_ao *ao = object;

	ao->at = place_keep(l->scratch, p);
}

const struct level level_tcp_ao = {
	.noun = "tcp-ao",
	.fields = ao_fields,
	.n = ARRAY_LEN(ao_fields),
	.object_size = sizeof(struct raw_tcp_ao),
	.done = ao_done,
};
