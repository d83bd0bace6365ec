#include "base/labels.h"

#include <ctype.h>
#include <string.h>

#define LABEL_NAME_MAX	 63
#define LABEL_PREFIX_MAX 253

static const char *const op_names[] = {
	[SELECTOR_IN] = "In",
	[SELECTOR_NOT_IN] = "NotIn",
	[SELECTOR_EXISTS] = "Exists",
	[SELECTOR_DOES_NOT_EXIST] = "DoesNotExist",
};

const char *labels_get(const struct labels *l, const char *key)
{
	size_t low = 0;
	size_t high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(key, l->v[mid].key);

		if (order == 0)
			return l->v[mid].value;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

bool labels_eq(const struct labels *a, const struct labels *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i].key, b->v[i].key) != 0 ||
		    strcmp(a->v[i].value, b->v[i].value) != 0)
			return false;
	return true;
}

static bool term_has(const struct selector_term *t, const char *value)
{
	for (size_t i = 0; i < t->n_values; i++) {
		if (strcmp(t->values[i], value) == 0)
			return true;
	}
	return false;
}

static bool term_matches(const struct selector_term *t, const struct labels *l)
{
	const char *value = labels_get(l, t->key);

	switch (t->op) {
	case SELECTOR_IN:
		return value && term_has(t, value);
	case SELECTOR_NOT_IN:
		return !value || !term_has(t, value);
	case SELECTOR_EXISTS:
		return value != NULL;
	case SELECTOR_DOES_NOT_EXIST:
		return value == NULL;
	}
	return false;
}

bool selector_matches(const struct selector *s, const struct labels *l)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!term_matches(&s->terms[i], l))
			return false;
	}
	return true;
}

bool selectors_match(const struct selectors *s, const struct labels *l)
{
	if (s->n == 0)
		return true;
	for (size_t i = 0; i < s->n; i++) {
		if (selector_matches(&s->v[i], l))
			return true;
	}
	return false;
}

static bool values_within(const struct selector_term *a, const struct selector_term *b)
{
	for (size_t i = 0; i < a->n_values; i++) {
		if (!term_has(b, a->values[i]))
			return false;
	}
	return true;
}

static bool term_eq(const struct selector_term *a, const struct selector_term *b)
{
	return a->op == b->op && strcmp(a->key, b->key) == 0 && values_within(a, b) &&
	       values_within(b, a);
}

static bool terms_within(const struct selector *a, const struct selector *b)
{
	for (size_t i = 0; i < a->n; i++) {
		size_t j = 0;

		while (j < b->n && !term_eq(&a->terms[i], &b->terms[j]))
			j++;
		if (j == b->n)
			return false;
	}
	return true;
}

/* Terms are ANDed and values are a set: neither the order nor a repetition makes a difference. */
bool selector_eq(const struct selector *a, const struct selector *b)
{
	return terms_within(a, b) && terms_within(b, a);
}

int selector_op_parse(const char *text, enum selector_op *out)
{
	for (size_t i = 0; i < ARRAY_LEN(op_names); i++) {
		if (strcmp(text, op_names[i]) == 0) {
			*out = (enum selector_op)i;
			return 0;
		}
	}
	return -1;
}

const char *selector_op_name(enum selector_op op)
{
	return (size_t)op < ARRAY_LEN(op_names) ? op_names[op] : "?";
}

static int term_check_count(const struct selector_term *t, struct err *e)
{
	bool wants_values = t->op == SELECTOR_IN || t->op == SELECTOR_NOT_IN;

	if (wants_values && t->n_values == 0)
		return err_set(e, ERR_CONFIG, "operator %s needs at least one value",
			       selector_op_name(t->op));
	if (!wants_values && t->n_values > 0)
		return err_set(e, ERR_CONFIG, "operator %s takes no values",
			       selector_op_name(t->op));
	return 0;
}

int selector_term_check(const struct selector_term *t, struct err *e)
{
	if (!label_key_valid(t->key))
		return err_set(e, ERR_CONFIG, "\"%s\" is not a valid label key", t->key);
	int rc = term_check_count(t, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < t->n_values; i++) {
		if (!label_value_valid(t->values[i]))
			return err_set(e, ERR_CONFIG, "\"%s\" is not a valid label value",
				       t->values[i]);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(t->values[i], t->values[j]) == 0)
				return err_set(e, ERR_CONFIG, "value \"%s\" is listed twice",
					       t->values[i]);
		}
	}
	return 0;
}

/* [A-Za-z0-9], and inside also '-', '_' and '.'; 1 to 63 characters. */
static bool name_valid(const char *s, size_t len)
{
	if (len == 0 || len > LABEL_NAME_MAX || !isalnum((unsigned char)s[0]) ||
	    !isalnum((unsigned char)s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)s[i]) && !strchr("-_.", s[i]))
			return false;
	}
	return true;
}

static bool dns_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A DNS subdomain: parts of [a-z0-9] with '-' inside, joined by dots. */
static bool prefix_valid(const char *s, size_t len)
{
	if (len == 0 || len > LABEL_PREFIX_MAX || !dns_char(s[0]) || !dns_char(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '.' && (!dns_char(s[i - 1]) || !dns_char(s[i + 1])))
			return false;
		if (!dns_char(s[i]) && s[i] != '-' && s[i] != '.')
			return false;
	}
	return true;
}

bool label_key_valid(const char *key)
{
	const char *slash = strchr(key, '/');

	if (!slash)
		return name_valid(key, strlen(key));
	return prefix_valid(key, (size_t)(slash - key)) && name_valid(slash + 1, strlen(slash + 1));
}

bool label_value_valid(const char *value)
{
	return value[0] == '\0' || name_valid(value, strlen(value));
}
