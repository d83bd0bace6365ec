#include "cli/select.h"

#include <string.h>

/* --- selectors --- */

struct parser {
	struct arena *a;
	struct selector_term *terms;
	size_t n;
	struct err *e;
};

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t");
	for (n = strlen(text); n && strchr(" \t", text[n - 1]);)
		text[--n] = '\0';
	return text;
}

/* The next piece up to a comma that is in no brackets; NULL at the end. */
static char *next_piece(char **rest)
{
	char *begin = *rest, *at = begin;
	bool inside = false;

	if (!begin)
		return NULL;
	for (; *at && (inside || *at != ','); at++)
		inside = *at == '(' || (inside && *at != ')');
	*rest = *at ? at + 1 : NULL;
	*at = '\0';
	return trim(begin);
}

static void add_value(struct parser *p, struct selector_term *t, char *value)
{
	const char **v = arena_new_n(p->a, const char *, t->n_values + 1);

	if (t->n_values)
		memcpy(v, t->values, t->n_values * sizeof(*v));
	v[t->n_values++] = trim(value);
	t->values = v;
}

static int bad_term(struct parser *p, const char *piece)
{
	return err_set(p->e, ERR_CONFIG,
		       "'%s' is no condition on a label: key=value, key!=value, key in (a, b), "
		       "key notin (a), key, !key",
		       piece);
}

/* "key in (a, b)" or "key notin (a, b)". */
static int parse_set(struct parser *p, struct selector_term *t, char *piece, const char *whole)
{
	char *list = strchr(piece, '(');
	size_t len = strlen(list);

	if (list[len - 1] != ')')
		return bad_term(p, whole);
	list[len - 1] = '\0';
	*list++ = '\0';
	piece = trim(piece);
	char *word = strrchr(piece, ' ');

	if (!word || (strcmp(word, " in") != 0 && strcmp(word, " notin") != 0))
		return bad_term(p, whole);
	t->op = strcmp(word, " in") == 0 ? SELECTOR_IN : SELECTOR_NOT_IN;
	*word = '\0';
	t->key = trim(piece);
	for (char *value; (value = strsep(&list, ","));)
		add_value(p, t, value);
	return 0;
}

static void parse_equal(struct parser *p, struct selector_term *t, char *piece, char *sign)
{
	bool is_not = sign > piece && sign[-1] == '!';
	char *value = sign + 1 + (sign[1] == '=' && !is_not);

	sign[is_not ? -1 : 0] = '\0';
	t->key = trim(piece);
	t->op = is_not ? SELECTOR_NOT_IN : SELECTOR_IN;
	add_value(p, t, value);
}

static int parse_term(struct parser *p, char *piece)
{
	const char *whole = arena_strdup(p->a, piece);
	struct selector_term *t = &p->terms[p->n];
	char *sign = strchr(piece, '=');
	int status = 0;

	if (strchr(piece, '('))
		status = parse_set(p, t, piece, whole);
	else if (sign)
		parse_equal(p, t, piece, sign);
	else if (*piece == '!')
		*t = (struct selector_term){ trim(piece + 1), SELECTOR_DOES_NOT_EXIST, NULL, 0 };
	else
		*t = (struct selector_term){ piece, SELECTOR_EXISTS, NULL, 0 };
	if (status == 0)
		status = selector_term_check(t, p->e);
	p->n++;
	return status;
}

int cli_selector_parse(const char *text, struct arena *a, struct selector *out, struct err *e)
{
	struct parser p = { .a = a, .e = e };
	char *rest = arena_strdup(a, text), *piece;
	int status = 0;

	/* No more terms than characters. */
	p.terms = arena_new_n(a, struct selector_term, strlen(text) + 1);
	while (status == 0 && (piece = next_piece(&rest)))
		status = parse_term(&p, piece);
	if (status == 0)
		*out = (struct selector){ p.terms, p.n };
	return status;
}

/* --- items --- */

static int label_cmp(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

static bool labels_match(const struct selector *s, const json_t *item)
{
	json_t *of = json_object_get(item, "labels"), *value;
	struct label *v = mem_new_n(struct label, json_object_size(of) + 1);
	struct labels labels = { .v = v };
	const char *key;

	json_object_foreach(of, key, value) v[labels.n++] =
		(struct label){ key, json_string_value(value) };
	qsort(v, labels.n, sizeof(*v), label_cmp);
	bool matches = selector_matches(s, &labels);

	free(v);
	return matches;
}

static bool is_in(const char *namespace, const json_t *item)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	size_t len = strlen(namespace);

	return name && strncmp(name, namespace, len) == 0 && name[len] == '/';
}

void cli_select(const struct cli_selection *s, json_t *items)
{
	for (size_t i = json_array_size(items); i-- > 0;) {
		const json_t *item = json_array_get(items, i);

		if ((s->namespace && !is_in(s->namespace, item)) ||
		    (s->labels.n && !labels_match(&s->labels, item)))
			json_array_remove(items, i);
	}
}

void cli_split_names(json_t *items)
{
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));
		const char *slash = name ? strchr(name, '/') : NULL;

		if (!slash)
			continue;
		json_object_set_new(item, "namespace", json_stringn(name, (size_t)(slash - name)));
		json_object_set_new(item, "name", json_string(slash + 1));
	}
}
