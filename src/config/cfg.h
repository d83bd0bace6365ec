/**
 * The configuration: complete (every default filled in), checked, never edited after loading. A
 * reload replaces it whole, although what unchanged objects point to may be shared with the one
 * before (config/stock.h). Cores do not see it: src/app maps it to their small *_conf structs.
 *
 * Strings and arrays belong to the struct cfg. References between objects are pointers into the
 * same cfg.
 */
#ifndef CONFIG_CFG_H
#define CONFIG_CFG_H

#include <stdint.h>

#include "base/addr.h"
#include "base/labels.h"
#include "base/log.h"
#include "base/time.h"

/** The format an object came from decides its defaults (docs/compatibility.md). */
enum cfg_format { CFG_LEGACY, CFG_RESOURCE };

/*
 * `hash` of an object stands for all that it says (config/hash.h); 0: nobody has looked, in tests.
 */

struct cfg_endpoint {
	struct addr addr;
	uint16_t port; /* 0 where the default of its use applies */
};

struct cfg_texts {
	const char *const *v;
	size_t n;
};

struct cfg_node {
	const char *name; /* default: the host's name */
	struct labels labels;
};

/** Heartbeats between the nodes. */
struct cfg_fast_detection {
	bool off;
	uint16_t port; /* UDP and TCP, the same on all nodes */
	struct dur interval;
	uint8_t multiplier;
};

struct cfg_cluster {
	bool enabled;		  /* a `cluster` section stands in the file */
	struct cfg_endpoint bind; /* default 0.0.0.0:7946 */
	const struct cfg_endpoint *join;
	size_t n_join;
	const char *secret_file; /* NULL: not encrypted */
	struct cfg_fast_detection fast_detection;
	bool quorum;	    /* the smaller part of a divided cluster is silent by Layer 2 */
	const char *secret; /* instead of a file; of MetalLB's environment alone, */
	bool wan;	    /* as this: the members are far apart */
};

/** The numbers of RFC 5880 §4.1. */
enum cfg_bfd_auth_type {
	CFG_BFD_AUTH_NONE = 0,
	CFG_BFD_SIMPLE = 1,
	CFG_BFD_KEYED_MD5 = 2,
	CFG_BFD_METICULOUS_MD5 = 3,
	CFG_BFD_KEYED_SHA1 = 4,
	CFG_BFD_METICULOUS_SHA1 = 5,
};

struct cfg_bfd_key {
	uint8_t id;
	const char *secret;	 /* NULL: in the file, */
	const char *secret_file; /* read by the daemon, at start and at reload */
};

#define CFG_BFD_KEYS_MAX 8

/** How control packets are authenticated; any of the keys is accepted. */
struct cfg_bfd_auth {
	enum cfg_bfd_auth_type type;
	struct cfg_bfd_key keys[CFG_BFD_KEYS_MAX]; /* the one that is sent first */
	size_t n_keys;
};

struct cfg_bfd_profile {
	const char *name;
	uint32_t receive_us;  /* default 300000 */
	uint32_t transmit_us; /* default 300000 */
	uint8_t detect_mult;  /* default 3 */
	bool passive;
	uint8_t min_ttl; /* default 254; multihop only */
	bool echo;
	uint32_t echo_us; /* default 50000: of those we send, and of those we send back */
	bool demand;
	struct dur hold_down; /* default 0 */
	struct cfg_bfd_auth auth;
};

/** The peer's AS may be left open: any of our own, or any other (resources: dynamicASN). */
enum cfg_dynamic_asn { CFG_ASN_FIXED, CFG_ASN_INTERNAL, CFG_ASN_EXTERNAL };

/** RFC 9234. */
enum cfg_bgp_role {
	CFG_ROLE_NONE,
	CFG_ROLE_PROVIDER,
	CFG_ROLE_RS,
	CFG_ROLE_RS_CLIENT,
	CFG_ROLE_CUSTOMER,
	CFG_ROLE_PEER,
};

enum cfg_ao_algorithm { CFG_AO_HMAC_SHA1_96, CFG_AO_AES_128_CMAC_96 };

/** One key of RFC 5925. */
struct cfg_ao_key {
	uint8_t send_id;
	uint8_t receive_id;
	enum cfg_ao_algorithm algorithm;
	const char *secret;	 /* NULL: in the file, */
	const char *secret_file; /* read by the daemon, at start and at reload */
	const char *secret_name; /* the Secret that the secret is from, or NULL */
};

#define CFG_AO_KEYS_MAX	  8
#define CFG_AO_SECRET_MAX 80

struct cfg_tcp_ao {
	struct cfg_ao_key keys[CFG_AO_KEYS_MAX]; /* the one to begin with first */
	size_t n_keys;				 /* 0: no TCP-AO */
};

struct cfg_peer {
	const char *name; /* its own, or "address", or "address:port" where that tells two apart */
	enum cfg_format format;
	uint32_t my_asn;
	uint32_t peer_asn;
	enum cfg_dynamic_asn dynamic_asn; /* not fixed: peer_asn is 0, and the OPEN tells it */
	uint32_t local_asn;		  /* what the peer takes us for; 0: my_asn */
	enum cfg_bgp_role role;		  /* ours towards the peer */
	uint32_t max_prefix;		  /* that it may announce; 0: any number */

	const char *zone;      /* interface of a link-local address ("fe80::1%eth0"), or NULL */
	const char *interface; /* bind to this device (a link or a VRF), or NULL */
	const char *vrf;       /* the VRF that the session runs in, or NULL */
	struct addr addr;      /* unset: the router at the other end of the interface */
	struct addr source;    /* unset: the kernel chooses */
	struct addr router_id; /* IPv4; unset: automatic */
	struct addr next_hop4, next_hop6; /* unset: ourselves */
	uint16_t port;			  /* default 179 */
	uint8_t ttl; /* of what we send; 0: the system's (legacy), 1: single hop (resources) */
	uint8_t ttl_security; /* hops that the peer is away at most (RFC 5082); 0: not checked */

	bool passive; /* wait for the peer to connect */
	bool ebgp_multihop;
	bool dual_stack;    /* both families on this session */
	bool bfd_strict;    /* no session before BFD is up */
	bool restart_given; /* restart is its own, not that of `bgp` */

	struct dur hold;	 /* whole seconds; 0 or >= 3; default 90 s */
	struct dur keepalive;	 /* default hold / 3 */
	struct dur connect_time; /* connect retry; 0: the session's own schedule */
	struct dur delay_open;	 /* before our OPEN */
	struct dur restart;	 /* it keeps our routes while we restart: whole seconds, 0: not */
	struct dur long_lived;	 /* and then as its last choice: that of `bgp` */

	struct selectors node_selectors;
	const char *password;	     /* NULL: none */
	const char *password_secret; /* the Secret that the password is from, or NULL */
	const char *password_file;   /* read by the daemon, at start and at reload */
	struct cfg_tcp_ao tcp_ao;
	const struct cfg_bfd_profile *bfd; /* NULL: no BFD */
};

/** One element of `addresses`, as written and as the blocks that it stands for. */
struct cfg_block_list {
	const char *text;
	const struct prefix *v; /* aligned, ascending, without overlap */
	size_t n;
};

/**
 * For whom a pool is kept (serviceAllocation). With both parts, a service must pass both; the
 * namespaces named and those selected are one set.
 */
struct cfg_reservation {
	uint32_t priority; /* low ones are tried first; 0: after all others */
	struct cfg_texts namespaces;
	struct selectors namespace_selectors;
	struct selectors service_selectors;
};

struct cfg_pool {
	const char *name;
	uint64_t hash; /* its advertisements have their own */
	const struct cfg_block_list
		*addresses; /* in the order of writing: the order of allocation */
	size_t n_addresses;
	enum cfg_format format;
	bool auto_assign;			/* default true */
	bool avoid_buggy_ips;			/* never .0 and .255 */
	struct labels labels;			/* what selectors of advertisements see */
	const struct cfg_reservation *reserved; /* NULL: for everybody */
};

/** Which pools an advertisement is for, resolved at loading. */
struct cfg_pools {
	const struct cfg_pool *const *v;
	size_t n;
};

/**
 * The same as it was written; neither: every pool that brings no advertisements of its own. Empty
 * for those that a pool brings.
 */
struct cfg_targets {
	struct cfg_texts pools;
	struct selectors selectors; /* of the labels of such pools */
};

struct cfg_preference {
	int weight;
	struct selector nodes;
};

struct cfg_l2_adv {
	const char *name; /* implicit ones: the pool's name */
	uint64_t hash;
	bool implicit; /* its pool brought it */
	struct cfg_targets targets;
	struct cfg_pools pools;
	bool outside_pools; /* the implicit one for addresses outside every pool */
	struct selectors node_selectors;
	struct selectors service_selectors;
	struct cfg_texts interfaces; /* none: all */
	const struct cfg_preference *preferred;
	size_t n_preferred;
};

struct large_community {
	uint32_t global, local1, local2;
};

/**
 * A name that the configuration gives a community. Nothing is decided by it: advertisements hold
 * the values.
 */
struct cfg_alias {
	const char *name;
	const char *resource; /* the Community that gives it, or NULL */
	bool is_large;
	uint32_t value;
	struct large_community large;
};

struct cfg_bgp_adv {
	const char *name; /* implicit ones: the pool's name, "name/2" for a second */
	uint64_t hash;
	bool implicit; /* its pool brought it */
	struct cfg_targets targets;
	struct cfg_pools pools;
	bool outside_pools;
	struct selectors node_selectors;
	struct selectors service_selectors;
	struct cfg_texts peers; /* names; none: all */
	uint8_t aggregation_v4; /* default 32 */
	uint8_t aggregation_v6; /* default 128 */
	bool has_local_pref;	/* legacy: always, default 0; resources: when not 0 */
	uint32_t local_pref;
	bool has_med;
	uint32_t med;
	uint8_t as_path_prepend;     /* times, beyond the one */
	const uint32_t *communities; /* ascending, no duplicates */
	size_t n_communities;
	const struct large_community *large_communities; /* ascending, no duplicates */
	size_t n_large_communities;
	const uint64_t *ext_communities; /* as 8 bytes on the wire; ascending, no duplicates */
	size_t n_ext_communities;
	struct cfg_texts written; /* those of `communities`: names where they have one */
};

enum cfg_bind { CFG_BIND_AUTO, CFG_BIND_NONE, CFG_BIND_LINK };
enum cfg_protocol { CFG_PROTOCOL_UNSET, CFG_LAYER2, CFG_BGP };
enum cfg_traffic_policy { CFG_TRAFFIC_CLUSTER, CFG_TRAFFIC_LOCAL };
enum cfg_family_policy { CFG_SINGLE_STACK, CFG_PREFER_DUAL_STACK, CFG_REQUIRE_DUAL_STACK };
enum cfg_ip_protocol { CFG_TCP = 6, CFG_UDP = 17, CFG_SCTP = 132 };
enum cfg_health_kind { CFG_HEALTH_NONE, CFG_HEALTH_TCP, CFG_HEALTH_HTTP };

struct cfg_port {
	uint16_t port;
	enum cfg_ip_protocol protocol;
};

struct cfg_health {
	enum cfg_health_kind kind;
	const char *target;	 /* HTTP: the URL; TCP: "address:port" as written */
	struct cfg_endpoint tcp; /* of a TCP check */
	struct dur interval;	 /* default 1s */
	struct dur timeout;	 /* default 500ms */
	uint32_t rise, fall;	 /* defaults 2, 3 */
};

struct cfg_node_weight {
	const char *node;
	int weight; /* 1 to 100 */
};

/** A standalone service. */
struct cfg_service {
	const char *name;
	uint64_t hash;
	uint64_t agreed, asked; /* parts of it: see those of struct cfg */
	struct labels labels;
	const char *pool;	      /* `address-pool`, or NULL: any */
	const struct addr *addresses; /* chosen by hand; none: the allocator's business */
	size_t n_addresses;
	enum cfg_protocol protocol; /* for addresses outside every pool */
	bool want_v4, want_v6;	    /* `ip-families`; neither: any one */
	const char *sharing_key;    /* NULL: not shared */
	const struct cfg_port *ports;
	size_t n_ports;
	struct cfg_health health;
	enum cfg_bind bind;
	const char *bind_link; /* CFG_BIND_LINK */
	enum cfg_traffic_policy traffic_policy;
	struct selectors node_selectors;
	const struct cfg_node_weight *preferred;
	size_t n_preferred;
};

/** A prefix to announce by BGP without a service behind it. */
struct cfg_network {
	struct prefix prefix;
	uint64_t hash;
	struct addr next_hop; /* of its family; unset: ourselves */
	struct cfg_bgp_adv
		adv; /* its attributes, peers and nodes; what is about pools stays empty */
	struct cfg_health health;
};

enum cfg_auto { CFG_AUTO, CFG_OFF };
enum cfg_fast_path { CFG_FAST_AUTO, CFG_FAST_XDP, CFG_FAST_SOCKET };

struct cfg_bfd {
	enum cfg_auto real_time;      /* priority of the packet thread */
	enum cfg_auto raw_send;	      /* one raw socket for all sessions */
	enum cfg_fast_path fast_path; /* of packets that tell nothing new */
};

enum cfg_on_conflict { CFG_CONFLICT_KEEP, CFG_CONFLICT_YIELD };
enum cfg_allmulti { CFG_ALLMULTI_AUTO, CFG_ALLMULTI_ON, CFG_ALLMULTI_OFF };
enum cfg_probe { CFG_PROBE_NEVER, CFG_PROBE_FIRST, CFG_PROBE_ALWAYS };

struct cfg_l2 {
	struct cfg_texts
		exclude_interfaces; /* POSIX extended expressions, on top of the built-in ones */
	bool conflict_detection;
	enum cfg_on_conflict on_conflict;
	enum cfg_probe probe;
	bool preempt; /* a better node that returns has its addresses again */
	enum cfg_fast_path fast_path;
	bool end_connections; /* of addresses that leave this host */
	bool answer_ping;     /* where no kernel here does */
	enum cfg_allmulti allmulti;
	struct dur refresh;	/* 0: never */
	struct dur linger;	/* of a former owner's binding */
	uint32_t announce_rate; /* a second; 0: as fast as they go */
};

struct cfg_allocation {
	bool sticky;	 /* a service that returns gets what it had, as long as nobody else has */
	struct dur rest; /* for so long nobody else gets an address that was given back */
};

/** How traffic from inside a cluster gets to a service's address (ipMode of its status). */
enum cfg_ip_mode { CFG_IP_MODE_VIP, CFG_IP_MODE_PROXY };

/** What decides about services and nodes of a Kubernetes cluster. */
struct cfg_kubernetes {
	const char *lb_class;	  /* only services of this loadBalancerClass; "": those of none */
	const char *kubeconfig;	  /* "": what a pod is given */
	struct cfg_texts servers; /* none: the one that it names */
	const char *namespace;	  /* where the configuration lies; "": that of the pod */
	bool ignore_exclude_lb;	  /* announce from nodes that the label excludes */
	enum cfg_ip_mode ip_mode;
};

struct cfg_listen {
	bool off;
	struct cfg_endpoint at;
};

struct cfg_bgp {
	struct addr router_id;	    /* already in every peer that names none */
	struct cfg_endpoint listen; /* port 0: nobody can connect to us */
	struct dur restart;    /* graceful restart of peers that do not say themselves; 0: off */
	struct dur long_lived; /* beyond that: whole seconds, 0: no longer */
};

struct cfg_control {
	const char *socket; /* default /run/crier/crier.sock */
	const char *group;  /* default crier */
};

struct cfg_log {
	enum log_format format; /* default json */
	enum log_level level;	/* default info */
};

/** Lists of objects that a configuration may have in common with the one before. */
enum cfg_list { CFG_POOLS, CFG_ADVS, CFG_SERVICES, CFG_NETWORKS, CFG_LIST_COUNT };

struct cfg {
	struct arena *arena;		     /* the struct itself is in it */
	struct stock *stock;		     /* of what objects point to; NULL in tests */
	struct stock *lists[CFG_LIST_COUNT]; /* where they stand, with what finds them; the same */
	struct reread *read;   /* what it was read from; NULL: it was not remembered */
	uint64_t hash;	       /* of pools and services: what members must agree about */
	uint64_t asked;	       /* hash of what decides who gets which address; 0 in tests */
	const char *namespace; /* of the resources, or of the ConfigMap; NULL: none is named */

	struct cfg_node node;
	struct cfg_cluster cluster;
	struct cfg_bfd bfd;
	struct cfg_l2 l2;
	struct cfg_allocation allocation;
	struct cfg_kubernetes kubernetes;
	struct cfg_bgp bgp;
	struct cfg_control control;
	struct cfg_listen http; /* default 0.0.0.0:7472 */
	struct cfg_log log;

	const struct cfg_bfd_profile *bfd_profiles;
	size_t n_bfd_profiles;
	const struct cfg_peer *peers;
	size_t n_peers;
	const struct cfg_pool *pools;
	size_t n_pools;
	const struct cfg_l2_adv *l2_advs;
	size_t n_l2_advs;
	size_t n_own_l2_advs; /* those that pools brought: they come first */
	const struct cfg_bgp_adv *bgp_advs;
	size_t n_bgp_advs;
	size_t n_own_bgp_advs;		 /* the same */
	const struct cfg_alias *aliases; /* in the order of the files */
	size_t n_aliases;
	const struct cfg_service *services;
	size_t n_services;
	const struct cfg_service *const *services_by_name; /* sorted; NULL in tests */
	const struct cfg_index *index; /* of pools and advertisements; NULL in tests */
	const struct cfg_network *networks;
	size_t n_networks;
};

const struct cfg *cfg_free(const struct cfg *c); /* takes NULL, returns NULL */

const struct cfg_pool *cfg_pool_find(const struct cfg *c, const char *name);
/** The pool whose blocks hold @a, or NULL. */
const struct cfg_pool *cfg_pool_of(const struct cfg *c, const struct addr *a);
bool cfg_pool_contains(const struct cfg_pool *p, const struct addr *a);
/** Is the peer of the AS that it takes us for (iBGP)? Also where its AS is left open. */
bool cfg_peer_is_internal(const struct cfg_peer *p);
/** Has it no address, but an interface, at whose other end it is? Such a session carries both families. */
bool cfg_peer_is_unnumbered(const struct cfg_peer *p);
const struct cfg_peer *cfg_peer_find(const struct cfg *c, const char *name);
const struct cfg_service *cfg_service_find(const struct cfg *c, const char *name);

/** Is the list of both the very same, not only an equal one? */
bool cfg_shares(const struct cfg *a, const struct cfg *b, enum cfg_list which);

/** Does the advertisement speak for addresses of @pool (NULL: outside every pool)? */
bool cfg_l2_adv_covers(const struct cfg_l2_adv *a, const struct cfg_pool *pool);
bool cfg_bgp_adv_covers(const struct cfg_bgp_adv *a, const struct cfg_pool *pool);

/** Those that do, in the order of the configuration; start with *at = 0. NULL: no more. */
const struct cfg_l2_adv *cfg_next_l2_adv(const struct cfg *c, const struct cfg_pool *pool,
					 size_t *at);
const struct cfg_bgp_adv *cfg_next_bgp_adv(const struct cfg *c, const struct cfg_pool *pool,
					   size_t *at);

#endif
