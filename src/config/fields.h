/**
 * What the rows of our own document and those of custom resources share: loads and checks of single
 * fields, and what becomes of a whole object. They take the raw objects of loader.h.
 */
#ifndef CONFIG_FIELDS_H
#define CONFIG_FIELDS_H

#include "config/loader.h"

/* Pools (fields_pool.c). */
void addresses_load(struct loader *l, const struct place *p, void *object);
void communities_load(struct loader *l, const struct place *p, void *object);
void large_load(struct loader *l, const struct place *p, void *object);
void ext_load(struct loader *l, const struct place *p, void *object);
/** Rows of our own document: what goes along with a route. */
#define COMMUNITY_FIELDS                                                                          \
	{ "communities", FIELD_OWN, "communities, as `64512:77` or a name of bgp-communities",    \
	  .shape = "list of text", .load = communities_load },                                    \
		{ "large-communities", FIELD_OWN, "large communities (RFC 8092), as `64512:1:2`", \
		  .shape = "list of text", .load = large_load },                                  \
	{                                                                                         \
		"extended-communities", FIELD_OWN,                                                \
			"extended communities (RFC 4360), as `rt:64512:100`, `ro:192.0.2.1:7` "   \
			"or `0x0002fc0000000064`",                                                \
			.shape = "list of text", .load = ext_load                                 \
	}
/** For whom a pool is kept; @level has the spelling. */
void reservation_load(struct loader *l, const struct place *p, const struct level *level,
		      void *object);
/** Keep an advertisement of one pool. */
void adv_take(struct loader *l, const struct place *p, void *parent, void *object);
/** Those of an AddressPool. */
extern const struct level level_pool_advertisement;
/** No two advertisements of a pool are equal; @level is theirs. */
void advs_check(struct loader *l, const struct raw_pool *pool, const struct level *level);
void pool_keep(struct loader *l, struct raw_pool *pool);

/* Advertisements (fields_adv.c). */
/** A number, or "none". */
void localpref_load(struct loader *l, const struct place *p, void *object);
/** Of an advertisement that is for some services only, the prefixes are single addresses. */
void adv_selectors_rule(struct loader *l, const struct place *p, void *object);
void adv_interfaces_check(struct loader *l, const struct place *p, void *object);
void adv_weight_load(struct loader *l, const struct place *p, void *object);
/** A list of preferred nodes; @level is that of its elements. */
void adv_preferred_load(struct loader *l, const struct place *p, const struct level *level,
			void *object);
/** After the number is in. */
void adv_med_load(struct loader *l, const struct place *p, void *object);
void adv_l2_keep(struct loader *l, const struct place *p, struct raw_l2_adv *adv);
void adv_bgp_keep(struct loader *l, const struct place *p, struct raw_adv *adv);

/* BFD profiles (fields_bgp.c). */
void bfd_receive_load(struct loader *l, const struct place *p, void *object);
void bfd_transmit_load(struct loader *l, const struct place *p, void *object);
void bfd_echo_interval_load(struct loader *l, const struct place *p, void *object);
void bfd_preset(void *object);
void bfd_keep(struct loader *l, struct raw_bfd *bfd);
extern const struct level level_bfd_auth; /* fields_bfd_auth.c */
extern const struct level level_tcp_ao;	  /* fields_tcp_ao.c */

/* Peers (fields_bgp.c). */
void peer_interface_check(struct loader *l, const struct place *p, void *object);
void peer_address_load(struct loader *l, const struct place *p, void *object);
void peer_hold_check(struct loader *l, const struct place *p, void *object);
void peer_keepalive_check(struct loader *l, const struct place *p, void *object);
void peer_router_id_check(struct loader *l, const struct place *p, void *object);
void peer_password_check(struct loader *l, const struct place *p, void *object);
void peer_vrf_check(struct loader *l, const struct place *p, void *object);
/** "off", "on" or a duration, for graceful restart. False: none of these, and told. */
bool restart_value(struct loader *l, const struct place *p, struct dur *out);
void peer_restart_load(struct loader *l, const struct place *p, void *object);
void peer_connect_time_check(struct loader *l, const struct place *p, void *object);
/** "internal", "external". */
extern const struct word peer_dynamic_words[];
bool peer_is_external(const struct cfg_peer *c);
/** Peers of our own AS have no ebgp-multihop; addresses fit each other. */
void peer_common_rules(struct loader *l, const struct place *p, const struct cfg_peer *c);
/** The keepalive time against the hold time, where somebody wrote one. */
void peer_keepalive_rules(struct loader *l, const struct place *p, struct cfg_peer *c);
void peer_keep(struct loader *l, struct raw_peer *peer);

#endif
