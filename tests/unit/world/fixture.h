/**
 * Configurations by hand, for tests of the rooms that read them: short forms of what the loader
 * would make.
 */
#ifndef TESTS_UNIT_WORLD_FIXTURE_H
#define TESTS_UNIT_WORLD_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "config/cfg.h"
#include "support.h"

static inline struct addr fx_addr(const char *text)
{
	struct addr a = { 0 };

	if (addr_parse(text, &a) < 0)
		fail_msg("bad address %s", text);
	return a;
}

/** "a, b": an array of the arena; *n is its length. */
static inline const struct addr *fx_addrs(struct arena *a, const char *list, size_t *n)
{
	char *copy = arena_strdup(a, list), *rest = copy;
	struct addr *v = arena_new_n(a, struct addr, strlen(list) / 2 + 1);

	*n = 0;
	for (char *one; (one = strsep(&rest, ", "));)
		if (*one)
			v[(*n)++] = fx_addr(one);
	return v;
}

/** A prefix, or "first-last". */
static inline struct cfg_block_list fx_blocks(struct arena *a, const char *text)
{
	struct prefix *v = arena_new_n(a, struct prefix, 256);
	const char *dash = strchr(text, '-');
	struct cfg_block_list list = { .text = text, .v = v };
	struct range rest;

	if (!dash) {
		if (prefix_parse(text, &v[list.n++]) < 0)
			fail_msg("bad prefix %s", text);
		return list;
	}
	rest.first = fx_addr(arena_strndup(a, text, (size_t)(dash - text)));
	rest.last = fx_addr(dash + 1);
	while (range_next_prefix(&rest, &v[list.n]))
		list.n++;
	return list;
}

/** Elements separated by blanks. */
static inline struct cfg_pool fx_pool(struct arena *a, const char *name, const char *elements)
{
	char *rest = arena_strdup(a, elements);
	struct cfg_block_list *v = arena_new_n(a, struct cfg_block_list, strlen(elements) / 8 + 1);
	struct cfg_pool p = { .name = name, .addresses = v, .auto_assign = true };

	for (char *one; (one = strsep(&rest, " "));)
		if (*one)
			v[p.n_addresses++] = fx_blocks(a, one);
	return p;
}

/** "key=value key2=value2", keys in order. */
static inline struct labels fx_labels(struct arena *a, const char *text)
{
	char *rest = arena_strdup(a, text);
	struct label *v = arena_new_n(a, struct label, strlen(text) / 2 + 1);
	struct labels l = { .v = v };

	for (char *one; (one = strsep(&rest, " "));) {
		char *value = strchr(one, '=');

		if (!value)
			continue;
		*value++ = '\0';
		v[l.n++] = (struct label){ .key = one, .value = value };
	}
	return l;
}

/** One selector with the term "key In (value)"; an empty text selects everything. */
static inline struct selectors fx_selectors(struct arena *a, const char *text)
{
	struct labels l = fx_labels(a, text);
	struct selector *s = arena_new_of(a, struct selector);
	struct selector_term *terms = arena_new_n(a, struct selector_term, l.n + 1);

	if (l.n == 0)
		return (struct selectors){ 0 };
	for (size_t i = 0; i < l.n; i++) {
		const char **value = arena_new_of(a, const char *);

		*value = l.v[i].value;
		terms[i] = (struct selector_term){
			.key = l.v[i].key, .op = SELECTOR_IN, .values = value, .n_values = 1
		};
	}
	*s = (struct selector){ .terms = terms, .n = l.n };
	return (struct selectors){ .v = s, .n = 1 };
}

/** "80/tcp 53/udp" */
static inline const struct cfg_port *fx_ports(struct arena *a, const char *text, size_t *n)
{
	char *rest = arena_strdup(a, text);
	struct cfg_port *v = arena_new_n(a, struct cfg_port, strlen(text) / 4 + 1);

	*n = 0;
	for (char *one; (one = strsep(&rest, " "));) {
		const char *slash = strchr(one, '/');

		if (!slash)
			continue;
		v[(*n)++] = (struct cfg_port){
			.port = (uint16_t)strtoul(one, NULL, 10),
			.protocol = strcmp(slash, "/udp") == 0 ? CFG_UDP : CFG_TCP,
		};
	}
	return v;
}

/** Addresses as "a b"; of a list that is empty: "". The text lives in the arena. */
static inline const char *fx_text(struct arena *a, const struct addr *v, size_t n)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = arena_printf(a, "%s%s%s", text, i ? " " : "", ADDR_TEXT(&v[i]));
	return text;
}

#endif
