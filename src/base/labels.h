/**
 * Labels, and label selectors with Kubernetes' rules: In and NotIn need values, Exists and DoesNotExist take
 * none; NotIn and DoesNotExist match an absent key; all terms of a selector must hold; an empty selector
 * matches everything. A list of selectors is a choice, and an empty list is no restriction.
 */
#ifndef BASE_LABELS_H
#define BASE_LABELS_H

#include <stdbool.h>

#include "base/err.h"

struct label {
	const char *key;
	const char *value;
};

/** Sorted by key, keys unique. Zero-initialised: none. Strings are borrowed. */
struct labels {
	const struct label *v;
	size_t n;
};

const char *labels_get(const struct labels *l, const char *key); /* NULL when absent */
bool labels_eq(const struct labels *a, const struct labels *b);

enum selector_op { SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_DOES_NOT_EXIST };

struct selector_term {
	const char *key;
	enum selector_op op;
	const char *const *values;
	size_t n_values;
};

struct selector {
	const struct selector_term *terms;
	size_t n;
};

struct selectors {
	const struct selector *v;
	size_t n;
};

bool selector_matches(const struct selector *s, const struct labels *l);
/** True when any matches, or when there are none. */
bool selectors_match(const struct selectors *s, const struct labels *l);
bool selector_eq(const struct selector *a, const struct selector *b);

/** "In", "NotIn", "Exists", "DoesNotExist"; 0 or -1. */
NODISCARD int selector_op_parse(const char *text, enum selector_op *out);
const char *selector_op_name(enum selector_op op);

/** The rules of a term: key form, number of values, no value twice. */
NODISCARD int selector_term_check(const struct selector_term *t, struct err *e);

/** Is this text a valid label key ("prefix/name") or value? */
bool label_key_valid(const char *key);
bool label_value_valid(const char *value);

#endif
