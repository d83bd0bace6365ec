/* What stands in the `communities` of an advertisement: aliases, numbers, and what people write
 * instead. */
#include <string.h>

#include "config/community.h"
#include "config/loader.h"

/* The communities of one advertisement, as they are found. */
struct found {
	uint32_t *v;
	struct large_community *large;
	size_t n, cap, n_large, cap_large;
	const char **texts;
	size_t n_texts, cap_texts;
};

/* As it can be written in either format. */
static const char *value_text(struct loader *l, const struct raw_alias *alias)
{
	char value[COMMUNITY_TEXT_MAX], large[LARGE_COMMUNITY_TEXT_MAX];

	if (alias->name)
		return alias->name;
	if (alias->is_large)
		return arena_printf(l->arena, "large:%s",
				    large_community_format(&alias->large, large));
	return arena_strdup(l->arena, community_format(alias->value, value));
}

static void found_text(struct loader *l, struct found *f, const struct raw_alias *alias)
{
	const char *text = value_text(l, alias);

	mem_grow(f->texts, f->n_texts, f->cap_texts);
	f->texts[f->n_texts++] = text;
}

static void found_add(struct loader *l, struct found *f, const struct raw_alias *alias)
{
	found_text(l, f, alias);
	if (alias->is_large) {
		mem_grow(f->large, f->n_large, f->cap_large);
		f->large[f->n_large++] = alias->large;
	} else {
		mem_grow(f->v, f->n, f->cap);
		f->v[f->n++] = alias->value;
	}
}

/* "64512:77" or "large:64512:1:2". */
static bool literal_parse(const char *text, struct raw_alias *out)
{
	if (community_parse(text, &out->value))
		return true;
	out->is_large = strncmp(text, "large:", strlen("large:")) == 0 &&
			large_community_parse(text, &out->large);
	return out->is_large;
}

static bool well_known_parse(const char *text, struct raw_alias *out)
{
	const char *value = community_well_known(text);

	return value && community_parse(value, &out->value);
}

static const char *value_hint(struct loader *l, const char *text)
{
	struct large_community large;

	if (large_community_parse(text, &large))
		return issues_text(&l->issues, "write large:%.40s", text);
	return "two numbers up to 65535, as 64512:77, or large: and three numbers";
}

struct raw_alias *communities_alias_add(struct loader *l, const struct place *name_at,
					const char *name, const struct place *value_at,
					const char *value)
{
	struct raw_alias *alias = arena_new_of(l->scratch, struct raw_alias);

	alias->at = name_at->at;
	alias->name = arena_strdup(l->arena, name);
	if (!literal_parse(value, alias)) {
		if (well_known_parse(value, alias))
			load_warning(
				l, value_at,
				issues_text(&l->issues, "write %s", community_well_known(value)),
				"MetalLB knows no community by the name '%.60s'", value);
		else
			load_error(l, value_at, value_hint(l, value), "'%.60s' is not a community",
				   value);
	}
	const struct raw_alias *first = map_put(l->aliases, name, alias);
	if (first) {
		struct issue *is = load_error(l, name_at, "keep one of them",
					      "community '%.60s' is named twice", name);
		issue_other(&l->issues, is, first->at);
	}
	return alias;
}

/* Values that may stand in for names of Community resources, in all of a configuration. */
#define EXPANDED_MAX 1000000

/* What no alias and no number is, in a resource: the name of a Community, or of an RFC. */
static bool slip_load(struct loader *l, const struct place *p, const char *text, struct found *f)
{
	const struct raw_community *community = map_get(l->community_names, text);
	struct raw_alias known = { 0 };

	if (community && community->n_aliases > EXPANDED_MAX - l->expanded)
		return false;
	if (community) {
		l->expanded += community->n_aliases;
		load_warning(l, p, "name its communities one by one",
			     "this is the name of a Community, and all its values are used (%zu); "
			     "MetalLB would not find it",
			     community->n_aliases);
		for (size_t i = 0; i < community->n_aliases; i++)
			found_add(l, f, community->aliases[i]);
		return true;
	}
	if (!well_known_parse(text, &known))
		return false;
	load_warning(l, p, issues_text(&l->issues, "write %s", community_well_known(text)),
		     "MetalLB knows no community by the name '%.60s'", text);
	found_add(l, f, &known);
	return true;
}

/* Every word that could have been meant. */
static const char *nearest(struct loader *l, const char *text)
{
	struct raw_alias *alias;
	const char *key;

	if (!l->alias_names) {
		l->alias_names = arena_new_n(l->scratch, const char *,
					     map_len(l->aliases) + l->n_communities + 1);
		MAP_EACH (l->aliases, key, alias)
			l->alias_names[l->n_alias_names++] = key;
		for (size_t i = 0; i < l->n_communities; i++)
			if (l->communities[i]->name)
				l->alias_names[l->n_alias_names++] = l->communities[i]->name;
	}
	return load_nearest(l, text, l->alias_names, l->n_alias_names);
}

static void unknown(struct loader *l, const struct place *p, const char *text, bool lenient)
{
	const char *value = community_well_known(text);
	struct large_community large;
	const char *hint =
		value ? issues_text(&l->issues, "write %s, or give it this name in bgp-communities",
				    value)
		      : nearest(l, text);

	if (!hint && lenient && large_community_parse(text, &large))
		hint = value_hint(l, text);
	if (!hint)
		hint = lenient ? "a name that a Community gives, two numbers as 64512:77, or "
				 "large:64512:1:2"
			       : "a name of bgp-communities, or two numbers up to 65535, as "
				 "64512:77";
	load_error(l, p, hint, "'%.60s' is not a community", text);
}

static void one_load(struct loader *l, const struct place *p, bool lenient, struct found *f)
{
	const char *text = p->at->text;
	const struct raw_alias *alias;
	struct raw_alias literal = { 0 };

	if (!text || p->at->kind == DOC_LIST || p->at->kind == DOC_MAP)
		return; /* told when it was loaded */
	alias = map_get(l->aliases, text);
	if (alias)
		found_add(l, f, alias);
	else if (lenient ? literal_parse(text, &literal) : community_parse(text, &literal.value))
		found_add(l, f, &literal);
	else if (!lenient || !slip_load(l, p, text, f))
		unknown(l, p, text, lenient);
}

/* Beside those of `large-communities`, which are there already. */
static void large_take(struct loader *l, struct cfg_bgp_adv *c, const struct found *f)
{
	size_t n = c->n_large_communities + f->n_large;
	struct large_community *v = arena_new_n(l->arena, struct large_community, n);

	if (!f->n_large)
		return;
	if (c->n_large_communities)
		memcpy(v, c->large_communities, c->n_large_communities * sizeof(*v));
	memcpy(v + c->n_large_communities, f->large, f->n_large * sizeof(*v));
	c->large_communities = v;
	c->n_large_communities = large_communities_unique(v, n);
}

static void texts_take(struct loader *l, struct cfg_bgp_adv *c, const struct found *f)
{
	const char **v = arena_new_n(l->arena, const char *, f->n_texts);

	if (f->n_texts)
		memcpy(v, f->texts, f->n_texts * sizeof(*v));
	c->written = (struct cfg_texts){ .v = v, .n = f->n_texts };
}

void resolve_communities(struct loader *l, const struct place *adv, bool lenient,
			 struct cfg_bgp_adv *c)
{
	struct place list = place_field(adv, "communities");

	if (!doc_get(adv->at, "communities") || list.at->kind != DOC_LIST)
		return;
	struct found f = { 0 };
	for (size_t i = 0; i < list.at->n_items; i++) {
		struct place at = place_index(&list, i, list.at->items[i]);

		one_load(l, &at, lenient, &f);
	}
	uint32_t *v = arena_new_n(l->arena, uint32_t, f.n);
	if (f.n)
		memcpy(v, f.v, f.n * sizeof(*v));
	c->communities = v;
	c->n_communities = communities_unique(v, f.n);
	large_take(l, c, &f);
	texts_take(l, c, &f);
	free(f.v);
	free(f.large);
	free(f.texts);
}

void resolve_names(struct loader *l)
{
	struct cfg_alias *v = arena_new_n(l->arena, struct cfg_alias, map_len(l->aliases));
	struct raw_alias *alias;
	const char *key, *namespace = l->namespace ? l->namespace : l->map_namespace;
	size_t n = 0;

	MAP_EACH (l->aliases, key, alias) {
		const char *resource = alias->community ? alias->community->name : NULL;

		v[n++] = (struct cfg_alias){
			.name = alias->name,
			.resource = resource ? arena_strdup(l->arena, resource) : NULL,
			.is_large = alias->is_large,
			.value = alias->value,
			.large = alias->large,
		};
	}
	l->cfg->aliases = v;
	l->cfg->n_aliases = n;
	l->cfg->namespace = namespace ? arena_strdup(l->arena, namespace) : NULL;
}
