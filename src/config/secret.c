/* Secrets, and the passwords and keys of peers that stand in them. */
#include <string.h>

#include "base/base64.h"
#include "config/loader.h"

#define PASSWORD_KEY "password"
#define PASSWORD_MAX 80 /* TCP_MD5SIG_MAXKEYLEN */
#define BASIC_AUTH   "kubernetes.io/basic-auth"

void secret_keep(struct loader *l, const struct place *p)
{
	const struct doc *metadata = doc_get(p->at, "metadata");
	const char *name = doc_get_text(metadata, "name");
	struct raw_secret *s = arena_new_of(l->scratch, struct raw_secret);
	struct place named = *p;

	if (!name) {
		load_note(l, p, NULL, "skipped: a Secret without a name");
		return;
	}
	named.object = arena_printf(l->scratch, "Secret %.100s", name);
	*s = (struct raw_secret){
		.name = name,
		.namespace = doc_get_text(metadata, "namespace"),
		.at = place_keep(l->scratch, &named),
	};
	mem_grow(l->secrets, l->n_secrets, l->cap_secrets);
	l->secrets[l->n_secrets++] = s;
}

/* The Secrets of a load, by what peers may call them. */
struct secrets {
	struct loader *l;
	struct map *by_name;
	struct map *by_place; /* "name namespace" */
	const char **names;
};

/* Who names no namespace is in that of the configuration. */
static const char *secret_key(struct loader *l, const char *name, const char *namespace)
{
	namespace = namespace ? namespace : l->namespace;
	return arena_printf(l->scratch, "%s %s", name, namespace ? namespace : "");
}

static struct secrets secrets_new(struct loader *l)
{
	struct secrets x = {
		.l = l,
		.by_name = map_new(),
		.by_place = map_new(),
		.names = arena_new_n(l->scratch, const char *, l->n_secrets),
	};

	for (size_t i = 0; i < l->n_secrets; i++) {
		struct raw_secret *s = l->secrets[i];

		x.names[i] = s->name;
		map_put(x.by_name, s->name, s);
		map_put(x.by_place, secret_key(l, s->name, s->namespace), s);
	}
	return x;
}

static void secrets_fini(struct secrets *x)
{
	map_free(x->by_name);
	map_free(x->by_place);
}

static struct raw_secret *secret_find(struct secrets *x, const char *name, const char *namespace)
{
	bool somewhere = namespace || x->l->namespace;
	struct raw_secret *s = somewhere ? map_get(x->by_place, secret_key(x->l, name, namespace))
					 : map_get(x->by_name, name);

	if (s)
		s->used = true;
	return s;
}

/* Under `data` it is base64; under `stringData`, which wins, as it is. */
static bool secret_value(struct loader *l, const struct raw_secret *s, struct buf *out,
			 const char **path)
{
	const struct doc *plain = doc_get(doc_get(s->at->at, "stringData"), PASSWORD_KEY);
	const struct doc *coded = doc_get(doc_get(s->at->at, "data"), PASSWORD_KEY);

	*path = plain ? "stringData." PASSWORD_KEY : "data." PASSWORD_KEY;
	const struct doc *d = plain ? plain : coded;
	struct place at = place_key(s->at, *path, d);
	if (!d || !d->text || d->kind == DOC_LIST || d->kind == DOC_MAP)
		return false;
	if (plain)
		buf_puts(out, d->text);
	else if (!base64_decode(d->text, out))
		load_error(l, &at, "write it under stringData, or encode it by base64",
			   "this is not base64");
	return true;
}

static void password_take(struct loader *l, const struct place *at, struct buf *value,
			  const char **out)
{
	size_t len = value->len;

	while (len && (value->p[len - 1] == '\n' || value->p[len - 1] == '\r'))
		len--;
	if (len < value->len)
		load_warning(l, at, "encode it without one: printf '%s' … | base64",
			     "the line end after the password is no part of it");
	if (!len || len > PASSWORD_MAX || memchr(value->p, '\0', len))
		load_error(l, at, NULL, "TCP takes a password of 1 to %d bytes of text",
			   PASSWORD_MAX);
	else
		*out = arena_strndup(l->arena, value->p, len);
}

/* The password of a Secret; @at is where a peer refers to it, as MetalLB would if @shared. */
static void secret_read(struct loader *l, const struct place *at, const struct raw_secret *s,
			bool shared, const char **out)
{
	const char *type = doc_get_text(s->at->at, "type");
	const char *path;
	struct buf value = { 0 };
	struct issue *is = NULL;

	if (type && *type && strcmp(type, BASIC_AUTH) != 0 && strcmp(type, "Opaque") != 0)
		is = load_error(l, at, "type: " BASIC_AUTH, "Secret '%.60s' is of type '%.60s'",
				s->name, type);
	else if (!secret_value(l, s, &value, &path))
		is = load_error(l, at, "the password stands there under the key " PASSWORD_KEY,
				"Secret '%.60s' has no key '%s'", s->name, PASSWORD_KEY);
	else {
		struct place in = place_key(s->at, path, s->at->at);

		if (shared && (!type || strcmp(type, BASIC_AUTH) != 0))
			load_warning(l, at, "type: " BASIC_AUTH,
				     "MetalLB refuses Secret '%.60s': it is of type Opaque",
				     s->name);
		password_take(l, &in, &value, out);
	}
	if (is)
		issue_other(&l->issues, is, s->at->at);
	buf_fini(&value);
}

static void secret_missing(struct secrets *x, const struct place *at, const char *name,
			   const char *namespace)
{
	struct loader *l = x->l;
	const char *near = load_nearest(l, name, x->names, l->n_secrets);

	load_error(l, at,
		   near ? near
			: "add a v1/Secret of type " BASIC_AUTH " with the key " PASSWORD_KEY,
		   "there is no Secret '%.60s'%s%.60s, whose key '%s' is wanted", name,
		   namespace ? " in namespace " : "", namespace ? namespace : "", PASSWORD_KEY);
}

static void password_read(struct loader *l, const struct place *at, const struct raw_secret *s,
			  struct cfg_peer *c)
{
	secret_read(l, at, s, true, &c->password);
	c->password_secret = arena_strdup(l->arena, s->name);
}

static void peer_secret(struct secrets *x, struct raw_peer *raw)
{
	struct place ref = place_field(raw->at, "passwordSecret");
	struct place at = place_field(&ref, "name");
	const char *namespace = raw->secret.namespace ? raw->secret.namespace : raw->namespace;
	const struct raw_secret *s = secret_find(x, raw->secret.name, namespace);

	if (s)
		password_read(x->l, &at, s, &raw->c);
	else
		secret_missing(x, &at, raw->secret.name, namespace);
}

static void peer_keys(struct secrets *x, struct raw_peer *raw)
{
	struct cfg_tcp_ao *ao = &raw->c.tcp_ao;

	*ao = raw->tcp_ao.c;
	for (size_t i = 0; i < ao->n_keys; i++) {
		const char *name = ao->keys[i].secret_name;

		if (!name)
			continue;
		struct place at = place_field(raw->tcp_ao.key_at[i], "secret-name");
		const struct raw_secret *s = secret_find(x, name, raw->namespace);
		if (s)
			secret_read(x->l, &at, s, false, &ao->keys[i].secret);
		else
			secret_missing(x, &at, name, raw->namespace);
	}
}

/* The kernel signs in one way or in the other. */
static void peer_one_way(struct loader *l, const struct raw_peer *raw)
{
	bool signs = raw->c.password || raw->c.password_file || raw->secret.name;

	if (raw->tcp_ao.at && signs)
		load_error(l, raw->tcp_ao.at, "keep one of them",
			   "tcp-ao and a password (TCP MD5) are both given");
}

/* People write a Secret's name where the password itself belongs. */
static void peer_password(struct secrets *x, struct raw_peer *raw)
{
	struct loader *l = x->l;
	struct place at = place_field(raw->at, "password");
	const struct raw_secret *s = secret_find(x, raw->c.password, raw->namespace);

	if (!s) {
		load_warning(
			l, &at, "passwordSecret: {name: …} refers to a Secret",
			"password is taken for the password itself, and stands here in the open");
		return;
	}
	load_warning(l, &at,
		     issues_text(&l->issues, "write passwordSecret: {name: %.60s}", s->name),
		     "password is the name of a Secret, whose password is used; MetalLB would take "
		     "the name itself");
	password_read(l, &at, s, &raw->c);
}

void resolve_secrets(struct loader *l)
{
	struct secrets x = secrets_new(l);

	for (size_t i = 0; i < l->n_peers; i++) {
		struct raw_peer *raw = l->peers[i];

		if (raw->secret.name)
			peer_secret(&x, raw);
		else if (raw->c.password && raw->c.format == CFG_RESOURCE)
			peer_password(&x, raw);
		peer_keys(&x, raw);
		peer_one_way(l, raw);
	}
	for (size_t i = 0; i < l->n_secrets; i++)
		if (!l->secrets[i]->used)
			load_note(l, l->secrets[i]->at, NULL, "no peer refers to this Secret");
	secrets_fini(&x);
}
