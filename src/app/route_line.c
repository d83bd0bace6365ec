#include "app/route_line.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "config/community.h"

struct parser {
	struct route_line *line;
	char *at;	/* what is left */
	char mark;	/* a bracket or comma that ended the last word; 0: none */
	size_t begin;	/* of the current word in the line */
	unsigned given; /* words of `words` so far, one bit each */
	struct err *e;
};

#define MARKS  "[](),"
#define BLANKS " \t\r;"

/* --- words --- */

static void skip_blanks(struct parser *p)
{
	if (!p->mark)
		p->at += strspn(p->at, BLANKS);
}

/* The bracket or comma that comes next, left where it is; 0: a word, or the end. */
static char peek_mark(struct parser *p)
{
	skip_blanks(p);
	if (p->mark)
		return p->mark;
	if (*p->at && strchr(MARKS, *p->at))
		return *p->at;
	return '\0';
}

static void skip_mark(struct parser *p)
{
	if (p->mark)
		p->mark = '\0';
	else
		p->at++;
}

static size_t word_len(const char *at)
{
	return strcspn(at, BLANKS MARKS);
}

/* The next word, or NULL where a mark or the end is. */
static char *next_word(struct parser *p)
{
	bool mark = peek_mark(p) != '\0';

	if (!p->mark)
		p->begin = (size_t)(p->at - p->line->text);
	if (mark || !*p->at)
		return NULL;
	bool quoted = *p->at == '"';
	char *word = p->at + quoted;
	char *end = word + (quoted ? strcspn(word, "\"") : word_len(word));
	p->at = *end ? end + 1 : end;
	if (!quoted && *end && strchr(MARKS, *end))
		p->mark = *end;
	*end = '\0';
	return word;
}

/* Does @word come next? Then it is taken. */
static bool take_word(struct parser *p, const char *word)
{
	if (peek_mark(p) || word_len(p->at) != strlen(word) ||
	    strncmp(p->at, word, strlen(word)) != 0)
		return false;
	(void)next_word(p);
	return true;
}

/* --- values --- */

static int number_parse(struct parser *p, const char *what, const char *text, uint32_t max,
			uint32_t *out)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || v > max)
		return err_set(p->e, ERR_CONFIG, "%s: '%.60s' is not a number from 0 to %u", what,
			       text, max);
	*out = (uint32_t)v;
	return 0;
}

static int take_number(struct parser *p, const char *what, uint32_t max, uint32_t *out)
{
	const char *text = next_word(p);

	if (!text)
		return err_set(p->e, ERR_CONFIG, "%s: a number is missing", what);
	return number_parse(p, what, text, max, out);
}

static int take_med(struct parser *p, const char *what)
{
	p->line->attrs.has_med = true;
	return take_number(p, what, UINT32_MAX, &p->line->attrs.med);
}

static int take_local_pref(struct parser *p, const char *what)
{
	p->line->attrs.has_local_pref = true;
	return take_number(p, what, UINT32_MAX, &p->line->attrs.local_pref);
}

static int take_prepend(struct parser *p, const char *what)
{
	uint32_t times = 0;
	int status = take_number(p, what, 100, &times);

	p->line->attrs.prepend = (uint8_t)times;
	return status;
}

static int take_origin(struct parser *p, const char *what)
{
	static const char *const names[] = {
		[BGP_ORIGIN_IGP] = "igp",
		[BGP_ORIGIN_EGP] = "egp",
		[BGP_ORIGIN_INCOMPLETE] = "incomplete",
	};
	const char *text = next_word(p);

	for (uint8_t i = 0; text && i < ARRAY_LEN(names); i++)
		if (strcasecmp(text, names[i]) == 0) {
			p->line->attrs.origin = i;
			return 0;
		}
	return err_set(p->e, ERR_CONFIG, "%s: '%.60s' is none of igp, egp, incomplete", what,
		       text ? text : "");
}

static int take_next_hop(struct parser *p, const char *what)
{
	struct addr *hop = &p->line->attrs.next_hop;
	const char *text = next_word(p);

	if (!text)
		return err_set(p->e, ERR_CONFIG, "%s: an address, or self, is missing", what);
	if (strcmp(text, "self") == 0)
		return 0;
	if (addr_parse(text, hop) < 0)
		return err_set(p->e, ERR_CONFIG, "%s: '%.60s' is neither an address nor self", what,
			       text);
	if (hop->family != p->line->prefix.addr.family)
		return err_set(p->e, ERR_CONFIG, "%s: %s is not of the prefix's family", what,
			       ADDR_TEXT(hop));
	if (addr_is_unspecified(hop) || addr_is_multicast(hop) || addr_is_loopback(hop))
		return err_set(p->e, ERR_CONFIG, "%s: %s can't be a next hop", what,
			       ADDR_TEXT(hop));
	return 0;
}

/* --- values of lists, one by one --- */

static int add_as(struct parser *p, const char *what, const char *text)
{
	uint32_t as = 0;
	int status = number_parse(p, what, text, UINT32_MAX, &as);

	if (status == 0 && as == 0)
		return err_set(p->e, ERR_CONFIG, "%s: AS 0 is reserved", what);
	if (status == 0)
		p->line->as_path[p->line->attrs.n_as_path++] = as;
	return status;
}

static int add_community(struct parser *p, const char *what, const char *text)
{
	const char *known = community_well_known(text);
	uint32_t *out = &p->line->communities[p->line->attrs.n_communities];

	if (!community_parse(known ? known : text, out))
		return err_set(p->e, ERR_CONFIG,
			       "%s: '%.60s' is neither like 64512:100 nor a name such as no-export",
			       what, text);
	p->line->attrs.n_communities++;
	return 0;
}

static int add_large(struct parser *p, const char *what, const char *text)
{
	struct large_community c;

	if (!large_community_parse(text, &c))
		return err_set(p->e, ERR_CONFIG, "%s: '%.60s' is not like 64512:1:2", what, text);
	p->line->large[p->line->attrs.n_large++] =
		(struct bgp_large){ c.global, c.local1, c.local2 };
	return 0;
}

static int add_ext(struct parser *p, const char *what, const char *text)
{
	uint64_t *out = &p->line->ext[p->line->attrs.n_ext];

	if (!ext_community_parse(text, out))
		return err_set(p->e, ERR_CONFIG, "%s: '%.60s' is not like rt:64512:100", what,
			       text);
	p->line->attrs.n_ext++;
	return 0;
}

static int add_peer(struct parser *p, const char *what, const char *text)
{
	(void)what;
	p->line->peers[p->line->n_peers++] = text;
	return 0;
}

/* --- the words behind a prefix --- */

struct word {
	const char *name;
	int (*take)(struct parser *p, const char *what); /* one value; or NULL: a list of */
	int (*add)(struct parser *p, const char *what, const char *text);
	size_t n_offset; /* of how many there are, in struct route_line */
	size_t max;
};

#define LINE(member) offsetof(struct route_line, member)

static const struct word words[] = {
	{ "next-hop", .take = take_next_hop },
	{ "med", .take = take_med },
	{ "local-pref", .take = take_local_pref },
	{ "local-preference", .take = take_local_pref }, /* ExaBGP's word */
	{ "origin", .take = take_origin },
	{ "as-path-prepend", .take = take_prepend },
	{ "as-path", NULL, add_as, LINE(attrs.n_as_path), ROUTE_VALUES_MAX },
	{ "community", NULL, add_community, LINE(attrs.n_communities), ROUTE_VALUES_MAX },
	{ "large-community", NULL, add_large, LINE(attrs.n_large), ROUTE_VALUES_MAX },
	{ "extended-community", NULL, add_ext, LINE(attrs.n_ext), ROUTE_VALUES_MAX },
	{ "peer", NULL, add_peer, LINE(n_peers), ROUTE_PEERS_MAX },
};

/* What ExaBGP knows beyond: dropping it in silence would announce something else. */
static const char *const foreign[] = {
	"label",
	"rd",
	"route-distinguisher",
	"path-information",
	"atomic-aggregate",
	"aggregator",
	"originator-id",
	"cluster-list",
	"aigp",
	"attribute",
	"bgp-prefix-sid",
	"split",
	"watchdog",
	"withdraw",
	"name",
};

static int unknown_word(struct parser *p, const char *word)
{
	const char *names[ARRAY_LEN(words)];

	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		if (strcmp(word, foreign[i]) == 0)
			return err_set(p->e, ERR_CONFIG, "'%s' is not built; leave it away", word);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		names[i] = words[i].name;
	const char *near = text_nearest(word, names, ARRAY_LEN(names));
	return err_set(p->e, ERR_CONFIG, "there is no word '%.60s' here%s%s%s", word,
		       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int add_value(struct parser *p, const struct word *w, const char *text)
{
	const size_t *n = (const size_t *)((const char *)p->line + w->n_offset);

	if (*n == w->max)
		return err_set(p->e, ERR_CONFIG, "%s: more than %zu values", w->name, w->max);
	return w->add(p, w->name, text);
}

static int wrong_mark(struct parser *p, const struct word *w)
{
	if (peek_mark(p) == '(')
		return err_set(p->e, ERR_CONFIG, "%s: sets are not announced (RFC 9774)", w->name);
	return err_set(p->e, ERR_CONFIG, "%s: a value is missing", w->name);
}

/* `[ a b ]`, with or without commas; may be empty. */
static int take_bracket(struct parser *p, const struct word *w)
{
	int status = 0;

	skip_mark(p);
	while (status == 0 && peek_mark(p) != ']') {
		const char *text = next_word(p);

		if (text)
			status = add_value(p, w, text);
		else if (peek_mark(p) == ',')
			skip_mark(p);
		else if (peek_mark(p))
			return wrong_mark(p, w);
		else
			return err_set(p->e, ERR_CONFIG, "%s: the ']' is missing", w->name);
	}
	if (status == 0)
		skip_mark(p);
	return status;
}

/* `a`, or `a,b`. */
static int take_list(struct parser *p, const struct word *w)
{
	if (peek_mark(p) == '[')
		return take_bracket(p, w);
	for (;;) {
		const char *text = next_word(p);
		int status = text ? add_value(p, w, text) : wrong_mark(p, w);

		if (status < 0 || peek_mark(p) != ',')
			return status;
		skip_mark(p);
	}
}

static int take_attribute(struct parser *p)
{
	const char *name = next_word(p);

	if (!name)
		return err_set(p->e, ERR_CONFIG, "a '%c' stands where a word should", peek_mark(p));
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(name, words[i].name) != 0)
			continue;
		if (!words[i].take)
			return take_list(p, &words[i]);
		if (p->given & 1u << i)
			return err_set(p->e, ERR_CONFIG, "%s is given twice", name);
		p->given |= 1u << i;
		return words[i].take(p, words[i].name);
	}
	return unknown_word(p, name);
}

/* --- the words before it --- */

int route_prefix_parse(const char *text, struct prefix *out, struct err *e)
{
	char address[ADDR_TEXT_MAX] = { 0 };
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct addr addr;

	if (len < sizeof(address))
		memcpy(address, text, len);
	if (addr_parse(address, &addr) < 0 || (slash && prefix_parse(text, out) < 0))
		return err_set(e, ERR_CONFIG, "'%.60s' is not a prefix such as 192.0.2.0/24", text);
	if (!slash)
		*out = prefix_of(&addr, addr_bits(&addr));
	if (!addr_eq(&addr, &out->addr))
		return err_set(e, ERR_CONFIG,
			       "%.60s has bits behind its length; that network is %s", text,
			       PREFIX_TEXT(out));
	if (addr_is_multicast(&addr))
		return err_set(e, ERR_CONFIG, "%s is multicast", PREFIX_TEXT(out));
	return 0;
}

/* `neighbor A, neighbor B …`; `*` is everybody. */
static int take_neighbors(struct parser *p)
{
	static const struct word neighbor = { "neighbor", NULL, add_peer, LINE(n_peers),
					      ROUTE_PEERS_MAX };

	while (take_word(p, "neighbor")) {
		p->line->is_neighbors = true;
		const char *text = next_word(p);
		int status = 0;

		if (!text)
			return wrong_mark(p, &neighbor);
		if (strcmp(text, "*") != 0)
			status = add_value(p, &neighbor, text);
		if (status < 0)
			return status;
		if (peek_mark(p) == ',')
			skip_mark(p);
	}
	return 0;
}

static int take_verb(struct parser *p)
{
	static const char *const verbs[] = { "announce", "withdraw", "neighbor", "sync" };

	const char *word = next_word(p);
	if (!word)
		return err_set(p->e, ERR_CONFIG, "a line begins with announce or withdraw");
	if (strcmp(word, "announce") == 0)
		p->line->verb = ROUTE_ANNOUNCE;
	else if (strcmp(word, "withdraw") == 0)
		p->line->verb = ROUTE_WITHDRAW;
	else if (strcmp(word, "sync") == 0)
		p->line->verb = ROUTE_SYNC;
	if (p->line->verb != ROUTE_NOTHING)
		return 0;
	const char *near = text_nearest(word, verbs, ARRAY_LEN(verbs));
	return err_set(p->e, ERR_CONFIG, "'%.60s' is neither announce nor withdraw%s%s%s", word,
		       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* `route`, or `ipv4 unicast`; both may be left out. */
static int take_prefix(struct parser *p)
{
	bool v4 = !take_word(p, "route") && take_word(p, "ipv4");

	if (v4 || take_word(p, "ipv6"))
		(void)take_word(p, "unicast");
	const char *text = next_word(p);
	if (!text)
		return err_set(p->e, ERR_CONFIG, "the prefix is missing");
	return route_prefix_parse(text, &p->line->prefix, p->e);
}

/* A word that stands alone. */
static int take_end(struct parser *p)
{
	const char *word = next_word(p);

	return word ? err_set(p->e, ERR_CONFIG, "nothing follows sync, but '%.60s' does", word) : 0;
}

static int parse(struct parser *p)
{
	int status = take_neighbors(p);

	if (status == 0)
		status = take_verb(p);
	if (status == 0 && p->line->verb == ROUTE_SYNC)
		return take_end(p);
	if (status == 0)
		status = take_prefix(p);
	for (;;) {
		if (status < 0)
			return status;
		if (!peek_mark(p) && !*p->at)
			return 0;
		status = take_attribute(p);
	}
}

/* All but the big arrays. */
static void clear(struct route_line *l)
{
	l->verb = ROUTE_NOTHING;
	l->prefix = (struct prefix){ 0 };
	l->n_peers = 0;
	l->is_neighbors = false;
	l->attrs = (struct bgp_route_attrs){
		.as_path = l->as_path,
		.communities = l->communities,
		.large = l->large,
		.ext = l->ext,
	};
}

int route_line_parse(const char *text, size_t len, struct route_line *out, struct err *e)
{
	struct parser p = { .line = out, .at = out->text, .e = e };

	clear(out);
	if (len > ROUTE_LINE_MAX)
		return err_set(e, ERR_CONFIG, "a line has at most %d bytes", ROUTE_LINE_MAX);
	if (memchr(text, '\0', len))
		return err_set(e, ERR_CONFIG, "a line has no zero byte");
	memcpy(out->text, text, len);
	out->text[len] = '\0';
	skip_blanks(&p);
	if (!*p.at || *p.at == '#')
		return 0;
	if (parse(&p) == 0)
		return 0;
	out->verb = ROUTE_NOTHING;
	return err_wrap(e, "column %zu", p.begin + 1);
}
