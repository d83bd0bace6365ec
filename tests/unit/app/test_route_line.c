/* Lines of `crier announce -`: what each says, and what is told of a bad one. */
#include <stdio.h>
#include <string.h>

#include "app/route_line.h"
#include "base/buf.h"
#include "config/community.h"
#include "support.h"

struct good_case {
	const char *name;
	const char *line;
	const char *want; /* as said() writes it */
};

static void say_list(struct buf *b, const char *what, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%u", i ? "," : what, v[i]);
}

/* Everything in the line, in one fixed spelling. */
static void said(const struct route_line *l, struct buf *b)
{
	static const char *const verbs[] = { "nothing", "announce", "withdraw" };
	const struct bgp_route_attrs *a = &l->attrs;
	char text[COMMUNITY_TEXT_MAX];

	buf_puts(b, verbs[l->verb]);
	if (l->verb == ROUTE_NOTHING)
		return;
	buf_printf(b, " %s", PREFIX_TEXT(&l->prefix));
	if (addr_is_set(&a->next_hop))
		buf_printf(b, " hop=%s", ADDR_TEXT(&a->next_hop));
	if (a->has_med)
		buf_printf(b, " med=%u", a->med);
	if (a->has_local_pref)
		buf_printf(b, " pref=%u", a->local_pref);
	if (a->origin)
		buf_printf(b, " origin=%u", a->origin);
	if (a->prepend)
		buf_printf(b, " prepend=%u", a->prepend);
	say_list(b, " path=", a->as_path, a->n_as_path);
	for (size_t i = 0; i < a->n_communities; i++)
		buf_printf(b, "%s%s",
			   i ? "," : " comm=", community_format(a->communities[i], text));
	for (size_t i = 0; i < a->n_ext; i++)
		buf_printf(b, "%s%llx", i ? "," : " ext=", (unsigned long long)a->ext[i]);
	for (size_t i = 0; i < a->n_large; i++)
		buf_printf(b, "%s%u:%u:%u", i ? "," : " large=", a->large[i].global,
			   a->large[i].local1, a->large[i].local2);
	for (size_t i = 0; i < l->n_peers; i++)
		buf_printf(b, "%s%s", i ? "," : " peers=", l->peers[i]);
	if (l->is_neighbors)
		buf_puts(b, " also");
}

static const struct good_case good[] = {
	{ "prefix", "announce 192.0.2.0/24", "announce 192.0.2.0/24" },
	{ "address", "announce 192.0.2.1", "announce 192.0.2.1/32" },
	{ "IPv6", "withdraw 2001:db8::/32", "withdraw 2001:db8::/32" },
	{ "IPv6 address", "announce 2001:db8::1", "announce 2001:db8::1/128" },
	{ "default route", "announce 0.0.0.0/0", "announce 0.0.0.0/0" },
	{ "blank", " \t", "nothing" },
	{ "comment", "  # announce 192.0.2.0/24", "nothing" },
	{ "route", "announce route 192.0.2.0/24 next-hop self", "announce 192.0.2.0/24" },
	{ "ipv4 unicast", "announce ipv4 unicast 192.0.2.0/24", "announce 192.0.2.0/24" },
	{ "ipv6 unicast", "withdraw ipv6 unicast 2001:db8::/32", "withdraw 2001:db8::/32" },
	{ "semicolon and CR", "withdraw route 192.0.2.0/24;\r", "withdraw 192.0.2.0/24" },
	{ "next hop", "announce 192.0.2.0/24 next-hop 10.0.0.1",
	  "announce 192.0.2.0/24 hop=10.0.0.1" },
	{ "single values", "announce 192.0.2.0/24 med 0 local-pref 4294967295 origin EGP",
	  "announce 192.0.2.0/24 med=0 pref=4294967295 origin=1" },
	{ "ExaBGP's preference", "announce route 192.0.2.0/24 local-preference 7 origin incomplete",
	  "announce 192.0.2.0/24 pref=7 origin=2" },
	{ "prepend", "announce 192.0.2.0/24 as-path-prepend 3", "announce 192.0.2.0/24 prepend=3" },
	{ "brackets", "announce 192.0.2.0/24 as-path [ 65001 65002 ]",
	  "announce 192.0.2.0/24 path=65001,65002" },
	{ "tight brackets", "announce 192.0.2.0/24 as-path [65001,65002] med 1",
	  "announce 192.0.2.0/24 med=1 path=65001,65002" },
	{ "empty brackets", "announce 192.0.2.0/24 as-path [ ] med 1",
	  "announce 192.0.2.0/24 med=1" },
	{ "commas", "announce 192.0.2.0/24 community 64512:1,64512:2 , no-export med 1",
	  "announce 192.0.2.0/24 med=1 comm=64512:1,64512:2,65535:65281" },
	{ "word repeated", "announce 192.0.2.0/24 community 1:2 community blackhole",
	  "announce 192.0.2.0/24 comm=1:2,65535:666" },
	{ "extended, as ExaBGP says it",
	  "announce route 192.0.2.0/24 next-hop self extended-community [ target:64512:100 "
	  "0x4004fc004b3ebc20 ]",
	  "announce 192.0.2.0/24 ext=2fc0000000064,4004fc004b3ebc20" },
	{ "large", "announce 192.0.2.0/24 large-community [ 4200000000:1:2 large:1:2:3 ]",
	  "announce 192.0.2.0/24 large=4200000000:1:2,1:2:3" },
	{ "peers", "announce 192.0.2.0/24 peer tor-1,tor-2 peer 10.0.0.1",
	  "announce 192.0.2.0/24 peers=tor-1,tor-2,10.0.0.1" },
	{ "quotes", "announce 192.0.2.0/24 peer \"[fd50::1]:1790\", \"a b\"",
	  "announce 192.0.2.0/24 peers=[fd50::1]:1790,a b" },
	{ "neighbor", "neighbor 10.0.0.1 announce route 192.0.2.0/24 next-hop 10.0.0.2",
	  "announce 192.0.2.0/24 hop=10.0.0.2 peers=10.0.0.1 also" },
	{ "neighbors", "neighbor 10.0.0.1, neighbor fd00::1 withdraw route 192.0.2.0/24",
	  "withdraw 192.0.2.0/24 peers=10.0.0.1,fd00::1 also" },
	{ "every neighbor", "neighbor * announce route 192.0.2.0/24 next-hop self",
	  "announce 192.0.2.0/24 also" },
	{ "attributes of a withdrawal", "withdraw route 192.0.2.0/24 next-hop 10.0.0.1 med 5",
	  "withdraw 192.0.2.0/24 hop=10.0.0.1 med=5" },
};

static void understands(void **state)
{
	const struct good_case *c = *state;
	struct route_line *l = mem_new(struct route_line);
	struct buf have = { 0 };
	struct err e = { 0 };

	if (route_line_parse(c->line, strlen(c->line), l, &e) < 0)
		fail_msg("%s", e.text);
	said(l, &have);
	assert_string_equal(buf_text(&have), c->want);
	buf_fini(&have);
	free(l);
}

struct bad_case {
	const char *name;
	const char *line;
	const char *want; /* the whole message */
};

static const struct bad_case bad[] = {
	{ "verb", "anounce 192.0.2.0/24",
	  "column 1: 'anounce' is neither announce nor withdraw; did you mean 'announce'?" },
	{ "no verb at all", "192.0.2.0/24",
	  "column 1: '192.0.2.0/24' is neither announce nor withdraw" },
	{ "sync and more", "sync now", "column 6: nothing follows sync, but 'now' does" },
	{ "bracket first", "[announce", "column 1: a line begins with announce or withdraw" },
	{ "no prefix", "announce", "column 9: the prefix is missing" },
	{ "not a prefix", "announce 192.0.2/24",
	  "column 10: '192.0.2/24' is not a prefix such as 192.0.2.0/24" },
	{ "long prefix", "announce 192.0.2.0/33",
	  "column 10: '192.0.2.0/33' is not a prefix such as 192.0.2.0/24" },
	{ "host bits", "announce 192.0.2.1/24",
	  "column 10: 192.0.2.1/24 has bits behind its length; that network is 192.0.2.0/24" },
	{ "multicast", "announce 224.0.0.0/8", "column 10: 224.0.0.0/8 is multicast" },
	{ "med", "announce 192.0.2.0/24 med x",
	  "column 27: med: 'x' is not a number from 0 to 4294967295" },
	{ "med too large", "announce 192.0.2.0/24 med 4294967296",
	  "column 27: med: '4294967296' is not a number from 0 to 4294967295" },
	{ "med negative", "announce 192.0.2.0/24 med -1",
	  "column 27: med: '-1' is not a number from 0 to 4294967295" },
	{ "med missing", "announce 192.0.2.0/24 med", "column 26: med: a number is missing" },
	{ "med twice", "announce 192.0.2.0/24 med 1 med 2", "column 29: med is given twice" },
	{ "origin", "announce 192.0.2.0/24 origin bgp",
	  "column 30: origin: 'bgp' is none of igp, egp, incomplete" },
	{ "hop of the other family", "announce 192.0.2.0/24 next-hop fd00::1",
	  "column 32: next-hop: fd00::1 is not of the prefix's family" },
	{ "hop is no address", "announce 192.0.2.0/24 next-hop router",
	  "column 32: next-hop: 'router' is neither an address nor self" },
	{ "hop is anything", "announce 192.0.2.0/24 next-hop 0.0.0.0",
	  "column 32: next-hop: 0.0.0.0 can't be a next hop" },
	{ "AS 0", "announce 192.0.2.0/24 as-path 0", "column 31: as-path: AS 0 is reserved" },
	{ "AS set", "announce 192.0.2.0/24 as-path [ 1 (2 3) ]",
	  "column 35: as-path: sets are not announced (RFC 9774)" },
	{ "no end", "announce 192.0.2.0/24 as-path [ 1 2",
	  "column 36: as-path: the ']' is missing" },
	{ "comma at the end", "announce 192.0.2.0/24 as-path 1,",
	  "column 33: as-path: a value is missing" },
	{ "stray bracket", "announce 192.0.2.0/24 ]",
	  "column 23: a ']' stands where a word should" },
	{ "community", "announce 192.0.2.0/24 community 64512",
	  "column 33: community: '64512' is neither like 64512:100 nor a name such as no-export" },
	{ "extended", "announce 192.0.2.0/24 extended-community rt:1",
	  "column 42: extended-community: 'rt:1' is not like rt:64512:100" },
	{ "large", "announce 192.0.2.0/24 large-community 1:2",
	  "column 39: large-community: '1:2' is not like 64512:1:2" },
	{ "word", "announce 192.0.2.0/24 comunity 1:2",
	  "column 23: there is no word 'comunity' here; did you mean 'community'?" },
	{ "ExaBGP's", "announce route 192.0.2.0/24 next-hop self split /25",
	  "column 43: 'split' is not built; leave it away" },
	{ "neighbor's qualifier", "neighbor 10.0.0.1 local-ip 10.0.0.2 announce route 1.2.3.4",
	  "column 19: 'local-ip' is neither announce nor withdraw" },
};

static void refuses(void **state)
{
	const struct bad_case *c = *state;
	struct route_line *l = mem_new(struct route_line);
	struct err e = { 0 };

	assert_int_equal(route_line_parse(c->line, strlen(c->line), l, &e), -ERR_CONFIG);
	assert_string_equal(e.text, c->want);
	assert_int_equal(l->verb, ROUTE_NOTHING);
	free(l);
}

/* Everything that a line can hold too much of. */
static void is_bounded(void **state)
{
	struct route_line *l = mem_new(struct route_line);
	struct buf b = { 0 };
	struct err e = { 0 };

	(void)state;
	buf_puts(&b, "announce 192.0.2.0/24 as-path [");
	for (int i = 0; i < ROUTE_VALUES_MAX; i++)
		buf_puts(&b, " 1");
	buf_puts(&b, " ]");
	assert_int_equal(route_line_parse(b.p, b.len, l, &e), 0);
	assert_int_equal(l->attrs.n_as_path, ROUTE_VALUES_MAX);
	buf_puts(&b, " as-path 2");
	assert_int_equal(route_line_parse(b.p, b.len, l, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.text, "as-path: more than 255 values"));
	while (b.len <= ROUTE_LINE_MAX)
		buf_puts(&b, " ");
	assert_int_equal(route_line_parse(b.p, b.len, l, &e), -ERR_CONFIG);
	assert_string_equal(e.text, "a line has at most 4096 bytes");
	assert_int_equal(route_line_parse("announce\0 ", 10, l, &e), -ERR_CONFIG);
	assert_string_equal(e.text, "a line has no zero byte");
	buf_fini(&b);
	free(l);
}

int main(void)
{
	const struct CMUnitTest more[] = { cmocka_unit_test(is_bounded) };
	int failed = RUN_TABLE("good lines", good, understands);

	failed += RUN_TABLE("bad lines", bad, refuses);
	return failed + cmocka_run_group_tests_name("bounds", more, NULL, NULL);
}
