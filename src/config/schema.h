/**
 * The table of configuration fields: one row says a field's key, type, range, unit, default,
 * whether it is built yet, and where its value goes. The same rows load a document, word its errors
 * and print the reference page.
 *
 * A level is one mapping of the document (a peer, a pool, `log`, …) and fills one C object.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "base/buf.h"
#include "config/cfg.h"
#include "config/place.h"

struct loader;

enum field_type {
	FIELD_BOOL, /* bool */
	FIELD_UINT, /* uint8_t, uint16_t or uint32_t; a float is cut to whole (but see `exact`) */
	FIELD_TEXT, /* const char * */
	FIELD_WORD, /* an enum, out of `words` */
	FIELD_DURATION,	 /* struct dur; min and max in ns */
	FIELD_ADDRESS,	 /* struct addr */
	FIELD_ENDPOINT,	 /* struct cfg_endpoint; the port of `preset_port` where none is written */
	FIELD_TEXTS,	 /* struct cfg_texts */
	FIELD_LABELS,	 /* struct labels */
	FIELD_SELECTORS, /* struct selectors; of `level`, else of level_selector */
	FIELD_MAP,	 /* the object of `level`, in place */
	FIELD_LIST,	 /* a list of objects of `level`; its `take` gets each */
	FIELD_OWN,	 /* `load` does it; `shape` tells the reference what it looks like */
};

/** A word of a closed set, and what it stands for. */
struct word {
	const char *text; /* NULL ends the list */
	int value;
};

/** What a field that is not built yet says. */
struct not_built {
	const char *neutral; /* words that mean "not used" and are accepted, "|" between them */
	const char *instead; /* what works now */
};

struct field {
	const char *key;
	enum field_type type;
	const char *about; /* a sentence for the reference */

	size_t offset; /* of the value in the level's object; set with AT() */
	size_t size;

	bool required;
	bool exact;    /* FIELD_UINT: a float is an error (AS numbers) */
	bool again;    /* at the root: several documents may have it */
	bool any_text; /* free text: "<…>" is no placeholder here */
	uint16_t preset_port;
	uint64_t min, max;	 /* FIELD_UINT, FIELD_DURATION */
	const char *unit;	 /* FIELD_UINT: "ms"; NULL: none */
	const char *preset;	 /* the default as a user would write it; NULL: none */
	const char *preset_text; /* a default that has no spelling, for the reference */
	const struct word *words;
	const struct level *level;
	const char *shape;
	const struct not_built *not_built;

	/**
	 * FIELD_OWN: takes the value at @p into @object. Others: a further check, after the value
	 * is in.
	 */
	void (*load)(struct loader *l, const struct place *p, void *object);
};

#define AT(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

struct level {
	const char *noun; /* "a peer": for messages */
	const struct field *fields;
	size_t n;
	size_t object_size;
	/** Defaults that no row can spell; may be NULL. */
	void (*preset)(void *object);
	/** Rules between the fields of one object; may be NULL. */
	void (*done)(struct loader *l, const struct place *p, void *object);
	/** FIELD_LIST: the object is complete; @parent is the object that holds the list. */
	void (*take)(struct loader *l, const struct place *p, void *parent, void *object);
};

/** Every default of the level and of the mappings in it. */
void level_preset(const struct level *level, void *object);
/** Load a mapping into @object; every problem is an issue. @p must last as long as the load. */
void level_load(struct loader *l, const struct level *level, const struct place *p, void *object);
/** One value into @object, as its row says. */
void field_load(struct loader *l, const struct field *f, const struct place *p, void *object);
const struct field *level_field(const struct level *level, const char *key);

/** The whole table: what the root of a document may hold. */
extern const struct level level_root;
extern const struct level level_selector;
/** The same in Kubernetes' spelling and with its rules: nothing is listed twice. */
extern const struct level level_label_selector;

extern const struct level level_peer, level_bfd_profile, level_pool, level_adv, level_l2_adv,
	level_bgp_adv, level_service, level_health;
extern const struct level level_node, level_cluster, level_l2, level_bgp, level_bfd_own,
	level_control, level_http, level_log;
extern const struct level level_network, level_allocation, level_kubernetes, level_etcd;

#endif
