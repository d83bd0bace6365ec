#include "alloc/reserve.h"

#include <string.h>

/**
 * How the pool's namespaces take a service. Selectors that match no namespace leave the set of
 * namespaces empty, and to the reference an empty set is no restriction for those who ask, while
 * nobody is ever found in it.
 */
enum standing { NO_SET, EMPTY_SET, INSIDE, OUTSIDE };

static const struct labels none;

static bool is_named(const struct cfg_texts *names, const char *namespace)
{
	for (size_t i = 0; namespace && i < names->n; i++)
		if (strcmp(names->v[i], namespace) == 0)
			return true;
	return false;
}

static bool is_selected(const struct cfg_reservation *v, const struct alloc_request *r)
{
	return v->namespace_selectors.n && r->namespace &&
	       selectors_match(&v->namespace_selectors,
			       r->namespace_labels ? r->namespace_labels : &none);
}

static enum standing standing_of(const struct cfg_reservation *v, bool selected,
				 const struct alloc_request *r)
{
	if (v->namespaces.n == 0 && v->namespace_selectors.n == 0)
		return NO_SET;
	if (is_named(&v->namespaces, r->namespace) || is_selected(v, r))
		return INSIDE;
	return v->namespaces.n || selected ? OUTSIDE : EMPTY_SET;
}

static bool labels_match(const struct cfg_reservation *v, const struct alloc_request *r)
{
	return selectors_match(&v->service_selectors, r->labels ? r->labels : &none);
}

bool reserve_allows(const struct cfg_reservation *v, bool selected, const struct alloc_request *r)
{
	return !v || (standing_of(v, selected, r) != OUTSIDE && labels_match(v, r));
}

bool reserve_offers(const struct cfg_reservation *v, bool selected, const struct alloc_request *r)
{
	return reserve_allows(v, selected, r) &&
	       (standing_of(v, selected, r) != EMPTY_SET || v->service_selectors.n > 0);
}
