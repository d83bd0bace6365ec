/* Authentication of BFD profiles. */
#include <string.h>

#include "config/fields.h"

/** As it is written. */
struct raw_key {
	struct cfg_bfd_key c;
};

static size_t secret_max(enum cfg_bfd_auth_type type)
{
	return type >= CFG_BFD_KEYED_SHA1 ? 20 : 16;
}

static void key_done(struct loader *l, const struct place *p, void *object)
{
	const struct cfg_bfd_key *key = &((struct raw_key *)object)->c;

	if (!key->secret == !key->secret_file)
		load_error(l, p, "write one of them", "a key has either a secret or a secret-file");
}

static void key_take(struct loader *l, const struct place *p, void *parent, void *object)
{
	struct raw_bfd_auth *auth = parent;
	const struct raw_key *key = object;

	for (size_t i = 0; i < auth->c.n_keys; i++)
		if (auth->c.keys[i].id == key->c.id) {
			struct place at = place_field(p, "id");

			load_error(l, &at, "each key has an id of its own", "a second key %u",
				   key->c.id);
		}
	if (auth->c.n_keys == CFG_BFD_KEYS_MAX)
		load_error(l, p, NULL, "more than %d keys", CFG_BFD_KEYS_MAX);
	else
		auth->c.keys[auth->c.n_keys++] = key->c;
}

static const struct field key_fields[] = {
	{ "id", FIELD_UINT, "the key's number, which packets carry", AT(struct raw_key, c.id),
	  .max = 255, .required = true },
	{ "secret", FIELD_TEXT, "up to 16 bytes, for SHA-1 up to 20", AT(struct raw_key, c.secret),
	  .any_text = true },
	{ "secret-file", FIELD_TEXT, "a file that holds the secret",
	  AT(struct raw_key, c.secret_file) },
};

static const struct level level_key = {
	.noun = "a key",
	.fields = key_fields,
	.n = ARRAY_LEN(key_fields),
	.object_size = sizeof(struct raw_key),
	.done = key_done,
	.take = key_take,
};

static const struct word types[] = {
	{ "none", CFG_BFD_AUTH_NONE },
	{ "simple", CFG_BFD_SIMPLE },
	{ "keyed-md5", CFG_BFD_KEYED_MD5 },
	{ "meticulous-keyed-md5", CFG_BFD_METICULOUS_MD5 },
	{ "keyed-sha1", CFG_BFD_KEYED_SHA1 },
	{ "meticulous-keyed-sha1", CFG_BFD_METICULOUS_SHA1 },
	{ 0 },
};

static void send_key_load(struct loader *l, const struct place *p, void *object)
{
	(void)l, (void)p;
	((struct raw_bfd_auth *)object)->has_send_key = true;
}

static const struct field auth_fields[] = {
	{ "type", FIELD_WORD, "how packets are proven genuine", AT(struct raw_bfd_auth, c.type),
	  .words = types, .preset = "none" },
	{ "send-key", FIELD_UINT, "id of the key that we send with",
	  AT(struct raw_bfd_auth, send_key), .max = 255, .preset_text = "the first",
	  .load = send_key_load },
	{ "keys", FIELD_LIST, "keys that are accepted", .level = &level_key,
	  .preset_text = "none" },
};

/* The key to send with goes first. */
static void choose_key(struct loader *l, const struct place *p, struct raw_bfd_auth *auth)
{
	struct cfg_bfd_key *keys = auth->c.keys;
	size_t i = 0;

	while (auth->has_send_key && i < auth->c.n_keys && keys[i].id != auth->send_key)
		i++;
	if (i < auth->c.n_keys) {
		struct cfg_bfd_key key = keys[i];

		memmove(keys + 1, keys, i * sizeof(*keys));
		keys[0] = key;
		return;
	}
	struct place at = place_field(p, "send-key");
	load_error(l, &at, "the id of one of keys", "there is no key %u", auth->send_key);
}

static void check_secrets(struct loader *l, const struct place *p, const struct cfg_bfd_auth *auth)
{
	size_t max = secret_max(auth->type);

	for (size_t i = 0; i < auth->n_keys; i++) {
		const char *secret = auth->keys[i].secret;

		if (secret && (!*secret || strlen(secret) > max))
			load_error(l, p, NULL, "the secret of key %u has %zu bytes, not 1 to %zu",
				   auth->keys[i].id, strlen(secret), max);
	}
}

static void auth_done(struct loader *l, const struct place *p, void *object)
{
	struct raw_bfd_auth *auth = object;

	if (auth->c.type == CFG_BFD_AUTH_NONE && auth->c.n_keys) {
		struct place at = place_field(p, "keys");

		load_error(l, &at, "such as type: meticulous-keyed-sha1", "keys without a type");
	}
	if (auth->c.type == CFG_BFD_AUTH_NONE)
		return;
	if (!auth->c.n_keys) {
		load_error(l, p, "such as keys: [{id: 1, secret: …}]",
			   "authentication without a key");
		return;
	}
	check_secrets(l, p, &auth->c);
	choose_key(l, p, auth);
}

const struct level level_bfd_auth = {
	.noun = "authentication",
	.fields = auth_fields,
	.n = ARRAY_LEN(auth_fields),
	.object_size = sizeof(struct raw_bfd_auth),
	.done = auth_done,
};
