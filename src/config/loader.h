/**
 * The state of one load, shared by the files of this folder: objects as they were written (raw),
 * before the rules between objects made a struct cfg of them.
 */
#ifndef CONFIG_LOADER_H
#define CONFIG_LOADER_H

#include "config/cfg.h"
#include "config/issue.h"
#include "config/schema.h"

struct raw_bfd_auth {
	struct cfg_bfd_auth c;
	bool has_send_key;
	uint8_t send_key;
};

struct raw_bfd {
	struct cfg_bfd_profile c;
	const struct place *at;
	struct raw_bfd_auth auth;
	const struct place *echo_interval_at; /* where it was given, or NULL */
};

struct raw_secret_ref {
	const char *name; /* NULL: none */
	const char *namespace;
};

struct raw_tcp_ao {
	struct cfg_tcp_ao c;
	const struct place *at;
	const struct place *key_at[CFG_AO_KEYS_MAX];
};

struct raw_peer {
	struct cfg_peer c;
	const struct place *at;
	const char *bfd_profile;
	struct raw_secret_ref secret;
	struct raw_tcp_ao tcp_ao;
	const char *namespace; /* of the resource; NULL: it says none */
};

/** A v1/Secret: looked into only when a peer refers to it. */
struct raw_secret {
	const char *name;
	const char *namespace;
	const struct place *at;
	bool used;
};

/** One element of a pool's `addresses`. */
struct raw_span {
	struct range range;
	const char *text;
	const struct place *at;
	const struct raw_pool *pool;
	uint8_t shortest; /* length of its shortest prefix */
};

/** Of one pool, or (in loader.bgp_advs) standing by itself. */
struct raw_adv {
	struct cfg_bgp_adv c;
	const struct place *at;
};

struct raw_l2_adv {
	struct cfg_l2_adv c;
	const struct place *at;
};

struct raw_pool {
	struct cfg_pool c;
	const struct cfg_pool *made; /* what became of it; after resolve_pools() */
	const struct place *at;
	enum cfg_protocol protocol; /* legacy: of its own advertisements; unset: it has none */
	struct cfg_block_list *blocks;
	struct raw_span *spans; /* one for each of blocks */
	size_t n_spans;
	const struct raw_span
		*narrowest[2]; /* IPv4, IPv6: what aggregation must respect, or NULL */
	bool announced;	       /* some advertisement is for it */
	struct raw_adv **advs;
	size_t n_advs, cap_advs;
};

struct raw_service {
	struct cfg_service c;
	const struct place *at;
	struct addr *addresses;
	const struct place **address_at;
	size_t n_addresses;
};

struct raw_network {
	struct raw_adv adv; /* in front: its rows are an advertisement's */
	struct cfg_network c;
};

/** A name that advertisements may use for a community. */
struct raw_alias {
	const char *name; /* NULL: a value that has none */
	const struct raw_community *community;
	bool is_large;
	uint32_t value;
	struct large_community large;
	const struct doc *at;
};

/** A Community resource; people take its name for that of its communities. */
struct raw_community {
	const char *name;
	const struct place *at;
	struct raw_alias **aliases;
	size_t n_aliases, cap_aliases;
};

struct retained;
struct said_lines;

#define LOADER_ROOT_MAX 32

struct loader {
	struct arena *arena;   /* of the configuration's stock: what objects point to */
	struct arena *scratch; /* ends with the load */
	struct issues issues;
	struct cfg *cfg;
	const struct cfg_sink *sink; /* NULL: nobody wants other objects */

	const struct cfg *before; /* whose objects may be taken over; NULL: none */
	struct reading *reading;  /* the text that is being loaded; NULL: none that matters */
	struct reread *keep;	  /* where texts are remembered; NULL: nowhere */
	bool strayed;		  /* an abridged text can't stand for the whole one */

	size_t comparisons; /* that load_nearest() made so far */

	const char *namespace;	   /* of the resources; NULL: none named it yet */
	const char *map_namespace; /* of the first ConfigMap that has one */
	const struct doc *namespace_at;

	struct doc_file **files; /* all that were parsed: places point into them */
	size_t n_files, cap_files;
	const struct doc *seen[LOADER_ROOT_MAX]; /* where each key of the root stood first */

	/* In the lists below, NULL stands for an object that is retained (retain.h). */
	struct retained *retained;
	size_t n_retained, cap_retained;
	bool in_place; /* the lists were amended, and each object stands where it stood */

	struct said_lines *lines; /* of texts that were read in parts */
	size_t n_lines, cap_lines;

	struct raw_bfd **bfds;
	size_t n_bfds, cap_bfds;
	struct raw_peer **peers;
	size_t n_peers, cap_peers;
	struct raw_pool **pools;
	size_t n_pools, cap_pools;
	struct raw_l2_adv **l2_advs;
	size_t n_l2_advs, cap_l2_advs;
	struct raw_adv **bgp_advs;
	size_t n_bgp_advs, cap_bgp_advs;
	struct raw_service **services;
	size_t n_services, cap_services;
	struct raw_network **networks;
	size_t n_networks, cap_networks;
	struct raw_secret **secrets;
	size_t n_secrets, cap_secrets;
	struct raw_community **communities;
	size_t n_communities, cap_communities;
	struct map *community_names; /* name -> struct raw_community */
	size_t expanded;	     /* values that stood in for the name of a Community */
	struct map *aliases;	     /* of communities: text -> struct raw_alias */
	const char **alias_names;    /* all words for communities, once they are asked for */
	size_t n_alias_names;

	/* After resolve_pools(). */
	struct raw_span **spans; /* of all pools, ascending */
	size_t n_spans;
	struct map *pools_by_name; /* name -> struct raw_pool */
};

/** Where a list of the configuration is made. */
struct arena *load_list(const struct loader *l, enum cfg_list which);

#define load_error(l, p, hint, ...) issue_add(&(l)->issues, ISSUE_ERROR, (p), (hint), __VA_ARGS__)
#define load_warning(l, p, hint, ...) \
	issue_add(&(l)->issues, ISSUE_WARNING, (p), (hint), __VA_ARGS__)
#define load_note(l, p, hint, ...) issue_add(&(l)->issues, ISSUE_NOTE, (p), (hint), __VA_ARGS__)

/**
 * "did you mean 'x'?" out of words, or NULL: also when so much was compared already that a file
 * full of mistakes would take its time.
 */
const char *load_nearest(struct loader *l, const char *word, const char *const *words, size_t n);

/** Documents inside a text of another, as a ConfigMap's data.config; NULL is none. */
void load_nested(struct loader *l, const struct doc *text);

/** The document inside such a text, where a single value is wanted; NULL: none, or bad (told). */
const struct doc *load_value(struct loader *l, const struct doc *text);

/** The load of `bgp-communities`. */
void communities_names_load(struct loader *l, const struct place *p, void *object);

/** One name of a Community resource; what is wrong with its value is told. */
struct raw_alias *communities_alias_add(struct loader *l, const struct place *name_at,
					const char *name, const struct place *value_at,
					const char *value);
/* Objects that are complete, for the rules between them. */
void service_keep(struct loader *l, const struct place *p, struct raw_service *raw);
void network_keep(struct loader *l, const struct place *p, struct raw_network *raw);
/** A v1/Secret. @p must last as long as the load. */
void secret_keep(struct loader *l, const struct place *p);

/* The rules between objects, in this order; each moves its raw objects into l->cfg. */
void resolve_bfd(struct loader *l);
/** Passwords that Secrets hold; before resolve_peers(). */
void resolve_secrets(struct loader *l);
void resolve_peers(struct loader *l);
void resolve_pools(struct loader *l);
/** Of it, what has to be known of pools that are in force: their names and spans. */
void resolve_pools_known(struct loader *l);
/** Of each family the span that an aggregation may least exceed. */
void resolve_narrowest(struct raw_pool *pool);
void resolve_advs(struct loader *l);
void resolve_services(struct loader *l);
/** Of it, what has to be so of each service, for those of l->services. */
void resolve_services_check(struct loader *l);
/** And what finds them: @v is the configuration's list, of @n. */
void resolve_services_take(struct loader *l, struct cfg_service *v, size_t n);
void resolve_networks(struct loader *l);
/** Of it, what has to be so of each network, for those of l->networks. */
void resolve_networks_check(struct loader *l);
/** What becomes of one. */
struct cfg_network resolve_network(const struct raw_network *raw);
/** What things were called, where that decides nothing. */
void resolve_names(struct loader *l);
/**
 * The communities that an advertisement's list stands for, into @c.
 * @lenient: what people write in resources besides aliases and numbers is understood, with a warning
 */
void resolve_communities(struct loader *l, const struct place *adv, bool lenient,
			 struct cfg_bgp_adv *c);
/** The span that holds @a, or NULL. */
const struct raw_span *resolve_span(const struct loader *l, const struct addr *a);

#endif
