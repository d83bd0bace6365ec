/**
 * Single values out of a document, as go-yaml in strict mode takes them (docs/compatibility.md).
 * Each reports what is wrong and returns false, leaving the result alone. Texts are copied into the
 * configuration.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/schema.h"

bool value_bool(struct loader *l, const struct place *p, bool *out);
/** Range, unit and `exact` are those of the row. */
bool value_uint(struct loader *l, const struct place *p, const struct field *f, uint64_t *out);
/** Bare numbers, booleans and dates count as their source text. */
bool value_text(struct loader *l, const struct place *p, const char **out);
/** The same, without a copy: lives as long as the document. "<…>" is an error. */
bool value_peek(struct loader *l, const struct place *p, const char **out);
bool value_duration(struct loader *l, const struct place *p, struct dur *out);
/** An address without a mask; IPv4 written as ::ffff:a.b.c.d becomes IPv4. */
bool value_address(struct loader *l, const struct place *p, struct addr *out);
bool value_endpoint(struct loader *l, const struct place *p, struct cfg_endpoint *out);
/** A list of texts. */
bool value_texts(struct loader *l, const struct place *p, struct cfg_texts *out);
bool value_labels(struct loader *l, const struct place *p, struct labels *out);

/** Report unless @p is a list or a mapping, as asked. */
bool value_is(struct loader *l, const struct place *p, enum doc_kind wanted);

/** A name that the kernel would take for a link. */
bool check_link_name(struct loader *l, const struct place *p, const char *name);
/** BGP identifiers are IPv4; anything else is reported, and unset. */
void check_router_id(struct loader *l, const struct place *p, struct addr *id);

struct addr addr_unmapped(struct addr a);

#endif
