#include "bgp/keys.h"

#include <stdio.h>
#include <string.h>

#include "bgp/bgp_priv.h"

enum { NAME_MAX_LEN = ADDR_TEXT_MAX + 16 };

/* One of the two. */
struct proof {
	const char *password;
	const struct tcp_ao_key *ao;
};

struct key {
	struct addr addr;
	bool wanted;
	bool is_ao;
	char password[TCP_PASSWORD_MAX + 1];
	struct tcp_ao_key ao;
};

struct bgp_keys {
	struct map *held; /* name_of() -> struct key */
};

/* Walk what a peer proves itself with: start with *at = 0. */
static bool proof_next(const struct bgp_peer_conf *c, size_t *at, struct proof *out)
{
	size_t i = (*at)++;

	*out = (struct proof){ .password = i == 0 ? c->password : NULL };
	if (!out->password && i < c->n_ao)
		out->ao = &c->ao[i];
	return out->password || out->ao;
}

static const char *name_of(const struct addr *a, const struct proof *p,
			   char buf[static NAME_MAX_LEN])
{
	if (p->password)
		snprintf(buf, NAME_MAX_LEN, "%s", ADDR_TEXT(a));
	else
		snprintf(buf, NAME_MAX_LEN, "%s %u %u", ADDR_TEXT(a), p->ao->send_id,
			 p->ao->receive_id);
	return buf;
}

static bool is_held(const struct key *k, const struct proof *p)
{
	if (!k || k->is_ao != (p->ao != NULL))
		return false;
	return p->ao ? tcp_ao_key_eq(&k->ao, p->ao) : strcmp(k->password, p->password) == 0;
}

static struct key *find(const struct bgp_keys *k, const struct bgp_peer *p, const struct proof *is)
{
	char name[NAME_MAX_LEN];

	return map_get(k->held, name_of(&p->addr, is, name));
}

struct bgp_keys *bgp_keys_new(void)
{
	struct bgp_keys *k = mem_new(struct bgp_keys);

	k->held = map_new();
	return k;
}

static void key_free(void *key)
{
	explicit_bzero(key, sizeof(struct key));
	free(key);
}

struct bgp_keys *bgp_keys_free(struct bgp_keys *k)
{
	if (!k)
		return NULL;
	map_clear(k->held, key_free);
	map_free(k->held);
	free(k);
	return NULL;
}

void bgp_keys_begin(struct bgp_keys *k)
{
	const char *name;
	struct key *at;

	MAP_EACH (k->held, name, at)
		at->wanted = false;
	(void)name;
}

void bgp_keys_keep(struct bgp_keys *k, const struct bgp_peer *p)
{
	struct proof is;

	for (size_t i = 0; proof_next(&p->conf, &i, &is);) {
		struct key *held = find(k, p, &is);

		if (held) /* another password replaces the one that is there, a TCP-AO key does not */
			held->wanted = !held->is_ao || is_held(held, &is);
	}
}

void bgp_keys_drop(struct bgp_keys *k, int fd)
{
	const char *name;
	struct key *at;

	MAP_EACH (k->held, name, at) {
		if (at->wanted)
			continue;
		if (at->is_ao)
			(void)!tcp_ao_del(fd, &at->addr, &at->ao, NULL, NULL);
		else
			(void)!tcp_set_password(fd, &at->addr, NULL, NULL);
		key_free(map_del(k->held, name));
	}
}

static void hold(struct bgp_keys *k, const struct bgp_peer *p, const struct proof *is)
{
	char name[NAME_MAX_LEN];
	struct key *held = find(k, p, is);

	if (!held) {
		held = mem_new(struct key);
		held->addr = p->addr;
		map_put(k->held, name_of(&p->addr, is, name), held);
	}
	held->wanted = true;
	held->is_ao = is->ao != NULL;
	if (is->ao)
		held->ao = *is->ao;
	else
		memcpy(held->password, is->password, strlen(is->password) + 1);
}

int bgp_keys_put(struct bgp_keys *k, int fd, const struct bgp_peer *p, struct err *e)
{
	struct proof is;

	for (size_t i = 0; proof_next(&p->conf, &i, &is);) {
		if (is_held(find(k, p, &is), &is))
			continue;
		int rc = is.ao ? tcp_ao_add(fd, &p->addr, is.ao, false, e)
			       : tcp_set_password(fd, &p->addr, is.password, e);
		if (rc < 0)
			return rc;
		hold(k, p, &is);
	}
	return 0;
}

bool bgp_keys_cover(const struct bgp_keys *k, const struct bgp_peer *p)
{
	struct proof is;

	for (size_t i = 0; proof_next(&p->conf, &i, &is);)
		if (!is_held(find(k, p, &is), &is))
			return false;
	return true;
}

/* --- keys of connections --- */

/* One of @c with this KeyID in either direction, or NULL. */
static const struct tcp_ao_key *ao_like(const struct bgp_peer_conf *c, const struct tcp_ao_key *key)
{
	for (size_t i = 0; i < c->n_ao; i++)
		if (c->ao[i].send_id == key->send_id || c->ao[i].receive_id == key->receive_id)
			return &c->ao[i];
	return NULL;
}

static bool ao_has(const struct bgp_peer_conf *c, const struct tcp_ao_key *key)
{
	const struct tcp_ao_key *like = ao_like(c, key);

	return like && tcp_ao_key_eq(like, key);
}

/* Both sides can change in turn when a key stays, and no number comes to mean another one. */
static bool ao_is_live(const struct bgp_peer_conf *old, const struct bgp_peer_conf *now)
{
	bool some_stay = false;

	for (size_t i = 0; i < now->n_ao; i++) {
		if (ao_has(old, &now->ao[i]))
			some_stay = true;
		else if (ao_like(old, &now->ao[i]))
			return false;
	}
	return some_stay || (old->n_ao == 0 && now->n_ao == 0);
}

bool bgp_keys_are_live(const struct bgp_peer_conf *old, const struct bgp_peer_conf *now)
{
	/* The kernel replaces a password on a connection that has one, but segments differ with and without. */
	return !old->password == !now->password && ao_is_live(old, now);
}

void bgp_keys_change(int fd, const struct addr *peer, const struct bgp_peer_conf *old,
		     const struct bgp_peer_conf *now)
{
	if (now->password)
		(void)!tcp_set_password(fd, peer, now->password, NULL);
	for (size_t i = 0; i < now->n_ao; i++)
		if (!ao_has(old, &now->ao[i]))
			(void)!tcp_ao_add(fd, peer, &now->ao[i], false, NULL);
	if (now->n_ao)
		(void)!tcp_ao_ask_for(fd, &now->ao[0], NULL);
	for (size_t i = 0; i < old->n_ao; i++)
		if (!ao_has(now, &old->ao[i]))
			(void)!tcp_ao_del(fd, peer, &old->ao[i], &now->ao[0], NULL);
}
