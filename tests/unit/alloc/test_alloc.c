#include "alloc/alloc.h"

#include "unit/world/fixture.h"

/*
 * Each case is a little script:
 *   pool NAME [manual] [nobuggy] ELEMENT…       before everything else
 *   ask SERVICE [v4|v6|dual|prefer|prefer6] [ip=A,B] [hand] [pool=P] [key=K] [port=80/tcp]
 *       [backend=B] => OUTCOME
 *   hold SERVICE HELD,… [the same] => OUTCOME
 *   free SERVICE
 * OUTCOME is what it gets, or "!" and a part of the reason.
 */
struct script {
	const char *name;
	const char *text;
};

static const struct script scripts[] = {
	{ "the network address is the first", "pool p 10.0.0.0/24\n"
					      "ask a => 10.0.0.0\nask b => 10.0.0.1\n" },
	{ "no hidden order among pools: that of the document",
	  "pool z 10.1.0.0/32\npool a 10.0.0.0/32\n"
	  "ask 1 => 10.1.0.0\nask 2 => 10.0.0.0\n" },
	{ "elements in the order of writing, not of numbers",
	  "pool p 10.0.9.0/32 10.0.1.0-10.0.1.1 10.0.0.5/32\n"
	  "ask 1 => 10.0.9.0\nask 2 => 10.0.1.0\nask 3 => 10.0.1.1\nask 4 => 10.0.0.5\n"
	  "ask 5 => !pool p: full (all 4 IPv4 addresses are in use)\n" },
	{ "a freed low address is used again at once",
	  "pool p 10.0.0.0/30\n"
	  "ask a => 10.0.0.0\nask b => 10.0.0.1\nfree a\nask c => 10.0.0.0\nask a => 10.0.0.2\n" },
	{ "a freed address of an earlier element comes first",
	  "pool p 10.0.0.0/32 10.0.1.0/30\n"
	  "ask a => 10.0.0.0\nask b => 10.0.1.0\nfree a\nask c => 10.0.0.0\n" },
	{ "asking again changes nothing",
	  "pool p 10.0.0.0/30\n"
	  "ask a => 10.0.0.0\nask b => 10.0.0.1\nfree a\nask b => 10.0.0.1\n" },
	{ "avoid-buggy-ips",
	  "pool p nobuggy 10.0.0.254-10.0.1.1\n"
	  "ask a => 10.0.0.254\nask b => 10.0.1.1\n"
	  "ask c => !pool p: full (all 2 IPv4 addresses are in use)\n"
	  "free a\nask c => 10.0.0.254\n"
	  "ask d ip=10.0.1.0 => !pool p never hands out 10.0.1.0 (avoid-buggy-ips)\n" },
	{ "buggy ones have no meaning in IPv6", "pool p nobuggy 2001:db8::/126\n"
						"ask a => 2001:db8::\n" },
	{ "auto-assign off: only when asked for",
	  "pool m manual 10.0.0.0/30\npool p 10.1.0.0/32\n"
	  "ask a => 10.1.0.0\n"
	  "ask b => !pool m: manual (auto-assign is off); pool p: full (all 1 IPv4 addresses are "
	  "in use)\n"
	  "ask c pool=m => 10.0.0.0\nask d ip=10.0.0.2 => 10.0.0.2\n" },
	{ "explicit pool", "pool a 10.0.0.0/30\npool b 10.1.0.0/32\n"
			   "ask 1 pool=b => 10.1.0.0\nask 2 pool=b => !pool b: full (all 1 IPv4 "
			   "addresses are in use)\n"
			   "ask 3 pool=c => !there is no pool c\n" },
	{ "no pools at all", "ask a => !there are no pools\n" },
	{ "explicit address",
	  "pool a 10.0.0.0/30\npool b 10.1.0.0/30\n"
	  "ask 1 ip=10.1.0.3 => 10.1.0.3\n"
	  "ask 2 ip=10.1.0.3 => !10.1.0.3 is in use by 1, which does not share it\n"
	  "ask 3 ip=10.9.0.0 => !10.9.0.0 is in no pool\n"
	  "ask 4 ip=10.0.0.1 pool=b => !10.0.0.1 is in pool a, not in pool b\n"
	  "ask 5 ip=10.0.0.1 pool=a => 10.0.0.1\n" },
	{ "explicit addresses lie in one pool, one of each family",
	  "pool a 10.0.0.0/30 2001:db8::/126\npool b 2001:db8:1::/126\n"
	  "ask 1 dual ip=10.0.0.1,2001:db8::2 => 10.0.0.1 2001:db8::2\n"
	  "ask 2 dual ip=10.0.0.2,2001:db8:1::2 => !not in the same pool\n"
	  "ask 3 v4 ip=10.0.0.2,10.0.0.3 => !more than one address of a family\n"
	  "ask 4 prefer ip=10.0.0.2 => !not of the families\n"
	  "ask 5 v6 ip=10.0.0.2 => !not of the families\n" },
	{ "chosen by hand: outside every pool too, and any number",
	  "pool a 10.0.0.0/30\n"
	  "ask 1 hand ip=192.0.2.9,192.0.2.8 => 192.0.2.9 192.0.2.8\n"
	  "ask 2 hand ip=192.0.2.8 => !192.0.2.8 is in use by 1\n"
	  "ask 3 hand ip=192.0.2.7,10.0.0.1 => !not in the same pool\n"
	  "ask 4 hand pool=a ip=192.0.2.7 => !192.0.2.7 is in no pool\n"
	  "ask 1 hand ip=192.0.2.8 => 192.0.2.8\nask 2 hand ip=192.0.2.9 => 192.0.2.9\n" },
	{ "a changed request moves",
	  "pool a 10.0.0.0/30\npool b 10.1.0.0/30\n"
	  "ask 1 => 10.0.0.0\nask 1 pool=b => 10.1.0.0\nask 1 ip=10.1.0.3 => 10.1.0.3\n"
	  "ask 1 => 10.1.0.3\nask 2 ip=10.0.0.0 => 10.0.0.0\n" },
	{ "a refused change leaves nothing behind",
	  "pool a 10.0.0.0/31\n"
	  "ask 1 => 10.0.0.0\nask 1 pool=x => !there is no pool x\nask 2 => 10.0.0.0\n" },
	{ "one of any family: what is written first", "pool p 2001:db8::/128 10.0.0.0/32\n"
						      "ask a => 2001:db8::\nask b => 10.0.0.0\n" },
	{ "a family alone",
	  "pool p 10.0.0.0/32 2001:db8::/127\n"
	  "ask a v6 => 2001:db8::\nask b v4 => 10.0.0.0\nask c v4 => !all 1 IPv4\n"
	  "ask d v6 => 2001:db8::1\n" },
	{ "both families from one pool, IPv4 first",
	  "pool x 10.0.0.0/30\npool y 2001:db8:1::/126\npool z 2001:db8::/126 10.1.0.0/30\n"
	  "ask a dual => 10.1.0.0 2001:db8::\n" },
	{ "both families or nothing", "pool x 10.0.0.0/30\npool y 2001:db8:1::/126\n"
				      "ask a dual => !pool x: no-family (no IPv6 addresses); pool "
				      "y: no-family (no IPv4 addresses)\n"
				      "ask b v4 => 10.0.0.0\n" },
	{ "rather a pair, else the first family, else the other",
	  "pool x 10.0.0.0/32\npool y 2001:db8:1::/127\n"
	  "ask a prefer => 10.0.0.0\nask b prefer => 2001:db8:1::\n"
	  "ask c prefer6 => 2001:db8:1::1\nask d prefer => !pool x: full (all 1 IPv4\n" },
	{ "half a pair is completed from its pool",
	  "pool x 10.0.0.0/32 2001:db8::/128\npool y 2001:db8:1::/126\n"
	  "ask six v6 => 2001:db8::\nask a prefer => 10.0.0.0\nfree six\n"
	  "ask a prefer => 10.0.0.0 2001:db8::\n" },
	{ "sharing: same key, other port",
	  "pool p 10.0.0.0/30\n"
	  "ask a key=k port=80/tcp => 10.0.0.0\n"
	  "ask b key=k port=443/tcp ip=10.0.0.0 => 10.0.0.0\n"
	  "ask c key=k port=80/tcp ip=10.0.0.0 => !10.0.0.0 is in use by a, which has port 80/tcp "
	  "already\n"
	  "ask d key=k port=80/udp ip=10.0.0.0 => 10.0.0.0\n"
	  "ask e key=x port=1/tcp ip=10.0.0.0 => !under another key\n"
	  "ask f port=1/tcp ip=10.0.0.0 => !this service does not share\n" },
	{ "sharing: the empty key shares nothing",
	  "pool p 10.0.0.0/30\n"
	  "ask a key= port=80/tcp => 10.0.0.0\nask b key= port=81/tcp => 10.0.0.1\n" },
	{ "sharing: backends are the same",
	  "pool p 10.0.0.0/30\n"
	  "ask a key=k port=1/tcp backend=app=x => 10.0.0.0\n"
	  "ask b key=k port=2/tcp backend=app=x ip=10.0.0.0 => 10.0.0.0\n"
	  "ask c key=k port=3/tcp ip=10.0.0.0 => !other backends\n" },
	{ "sharing: the lowest usable, which may be a free one below",
	  "pool p 10.0.0.0/30\n"
	  "ask x => 10.0.0.0\nask a key=k port=1/tcp => 10.0.0.1\nask b key=k port=2/tcp => "
	  "10.0.0.1\n"
	  "free x\nask c key=k port=3/tcp => 10.0.0.0\nask d key=k port=4/tcp => 10.0.0.0\n" },
	{ "sharing in a full pool", "pool p 10.0.0.0/31\n"
				    "ask a => 10.0.0.0\nask b key=k port=1/tcp => 10.0.0.1\nask c "
				    "key=k port=2/tcp => 10.0.0.1\n"
				    "ask d key=k port=1/tcp => !all 2 IPv4\n" },
	{ "sharing: an address lives as long as one holder",
	  "pool p 10.0.0.0/32\n"
	  "ask a key=k port=1/tcp => 10.0.0.0\nask b key=k port=2/tcp => 10.0.0.0\nfree a\n"
	  "ask c => !all 1 IPv4\nfree b\nask c => 10.0.0.0\n" },
	{ "the only user may change its key, one of several may not",
	  "pool p 10.0.0.0/30\n"
	  "ask a key=k port=1/tcp => 10.0.0.0\nask a key=l port=1/tcp => 10.0.0.0\n"
	  "ask b key=l port=2/tcp => 10.0.0.0\nask a key=m port=1/tcp => 10.0.0.1\n"
	  "ask b key=m port=2/tcp => 10.0.0.0\n" },
	{ "hold: what was held before",
	  "pool p nobuggy 10.0.0.0/30\npool m manual 10.1.0.0/30\n"
	  "hold a 10.0.0.2 => 10.0.0.2\nhold b 10.1.0.1 => 10.1.0.1\n"
	  "hold c 10.0.0.2 => !in use by a\nhold d 10.0.0.0 => !avoid-buggy-ips\n"
	  "hold e 10.9.0.0 => !in no pool\nhold f 10.0.0.1 pool=m => !not in pool m\n"
	  "hold g 10.0.0.1 ip=10.0.0.3 => !other addresses are asked for\n"
	  "hold h 10.0.0.1 v6 => !not of the families\nhold a 10.0.0.1 => 10.0.0.1\n" },
	{ "hold: a pair in any order",
	  "pool p 10.0.0.0/30 2001:db8::/126\n"
	  "hold a 2001:db8::1,10.0.0.1 dual => 2001:db8::1 10.0.0.1\n"
	  "hold a 2001:db8::1,10.0.0.1 dual ip=10.0.0.1,2001:db8::1 => 2001:db8::1 10.0.0.1\n" },
	{ "pools of any size",
	  "pool v6 2001:db8::/64\npool v4 10.0.0.0/8\npool all 4000::/2\n"
	  "ask a v6 => 2001:db8::\nask b v4 => 10.0.0.0\n"
	  "ask c ip=2001:db8::ffff:ffff:ffff:ffff => 2001:db8::ffff:ffff:ffff:ffff\n"
	  "ask d v6 pool=all => 4000::\nask e v6 => 2001:db8::1\n" },
};

/** A script as it runs. */
struct player {
	struct arena *a;
	struct cfg cfg;
	struct cfg_pool pools[8];
	struct alloc *alloc;
};

static void play_pool(struct player *p, const char *line)
{
	char *rest = arena_strdup(p->a, line), *name = strsep(&rest, " ");
	bool manual = rest && strncmp(rest, "manual ", 7) == 0;
	bool no_buggy = rest && strncmp(rest, "nobuggy ", 8) == 0;
	struct cfg_pool *pool = &p->pools[p->cfg.n_pools++];

	*pool = fx_pool(p->a, name, rest + (manual ? 7 : no_buggy ? 8 : 0));
	pool->auto_assign = !manual;
	pool->avoid_buggy_ips = no_buggy;
}

static void request_families(struct alloc_request *r, const char *word)
{
	bool prefer = strncmp(word, "prefer", 6) == 0;
	bool both = prefer || strcmp(word, "dual") == 0;

	r->want_v4 = both || strcmp(word, "v4") == 0;
	r->want_v6 = both || strcmp(word, "v6") == 0;
	r->policy = prefer ? CFG_PREFER_DUAL_STACK
		    : both ? CFG_REQUIRE_DUAL_STACK
			   : CFG_SINGLE_STACK;
	r->v6_first = strcmp(word, "prefer6") == 0;
}

static void request_word(struct player *p, struct alloc_request *r, const char *word)
{
	const char *value = strchr(word, '=');

	value = value ? value + 1 : "";
	if (strncmp(word, "ip=", 3) == 0)
		r->addresses = fx_addrs(p->a, value, &r->n_addresses);
	else if (strncmp(word, "pool=", 5) == 0)
		r->pool = value;
	else if (strncmp(word, "key=", 4) == 0)
		r->sharing_key = value;
	else if (strncmp(word, "port=", 5) == 0)
		r->ports = fx_ports(p->a, value, &r->n_ports);
	else if (strncmp(word, "backend=", 8) == 0)
		r->backend = value;
	else if (strcmp(word, "hand") == 0)
		r->by_hand = true;
	else
		request_families(r, word);
}

static void play_request(struct player *p, char *line, bool hold)
{
	char *outcome = strstr(line, " => ");
	struct buf why = { 0 };
	struct alloc_request r = { .service = strsep(&line, " ") };
	const struct addr *held = NULL;
	struct alloc_grant g = { 0 };
	size_t n_held = 0;

	*outcome = '\0';
	outcome += 4;
	if (hold)
		held = fx_addrs(p->a, strsep(&line, " "), &n_held);
	for (char *word; (word = strsep(&line, " "));)
		request_word(p, &r, word);
	int rc = hold ? alloc_hold(p->alloc, &r, held, n_held, &why)
		      : alloc_assign(p->alloc, &r, &why);
	bool found = alloc_find(p->alloc, r.service, &g);
	assert_int_equal(found, rc == 0);
	if (*outcome == '!' && !strstr(buf_text(&why), outcome + 1))
		fail_msg("%s: wanted '%s', got '%s'", r.service, outcome + 1, buf_text(&why));
	assert_int_equal(rc, *outcome == '!' ? -1 : 0);
	if (rc == 0)
		assert_string_equal(fx_text(p->a, g.addresses, g.n), outcome);
	buf_fini(&why);
}

static void play(void **state)
{
	const struct script *s = *state;
	struct player p = { .a = arena_new() };
	char *rest = arena_strdup(p.a, s->text);

	p.cfg.pools = p.pools;
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (strncmp(line, "pool ", 5) == 0) {
			play_pool(&p, line + 5);
			continue;
		}
		if (!p.alloc)
			p.alloc = alloc_new(&p.cfg);
		if (strncmp(line, "ask ", 4) == 0)
			play_request(&p, line + 4, false);
		else if (strncmp(line, "hold ", 5) == 0)
			play_request(&p, line + 5, true);
		else if (strncmp(line, "free ", 5) == 0)
			alloc_release(p.alloc, line + 5);
	}
	alloc_free(p.alloc);
	arena_free(p.a);
}

static void usage(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_pool pools[] = {
		fx_pool(a, "p", "10.0.0.0/23 10.0.9.128-10.0.9.255 2001:db8::/64"),
		fx_pool(a, "big", "2001:db8:1::/48"),
	};
	struct cfg c = { .pools = pools, .n_pools = 2 };
	struct alloc_request r = { .service = "s", .want_v4 = true };
	struct alloc_usage u;

	(void)state;
	pools[0].avoid_buggy_ips = true;
	struct alloc *alloc = alloc_new(&c);
	assert_int_equal(alloc_assign(alloc, &r, NULL), 0);
	assert_true(alloc_usage(alloc, "p", &u));
	assert_int_equal(u.v4.total, 512 - 4 + 128 - 1);
	assert_int_equal(u.v4.used, 1);
	assert_int_equal(u.v6.total, INT64_MAX);
	assert_int_equal(u.v6.used, 0);
	assert_true(alloc_usage(alloc, "big", &u));
	assert_int_equal(u.v6.total, INT64_MAX);
	assert_int_equal(u.v4.total, 0);
	assert_false(alloc_usage(alloc, "none", &u));
	alloc_free(alloc);
}

/* A reason of any length has whole characters, and an end. */
static void reasons_are_whole(void **state)
{
	enum { POOLS = 300 };
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_pool *pools = arena_new_n(a, struct cfg_pool, POOLS);
	struct cfg c = { .pools = pools, .n_pools = POOLS };
	struct alloc_request r = { .service = "s", .want_v6 = true };
	struct buf name = { 0 }, why = { 0 };

	(void)state;
	for (size_t i = 0; i < 300; i++)
		buf_puts(&name, "\u00e9");
	for (size_t i = 0; i < POOLS; i++)
		pools[i] = fx_pool(a, buf_text(&name), "10.0.0.0/32");
	struct alloc *alloc = alloc_new(&c);
	assert_int_equal(alloc_assign(alloc, &r, &why), -1);
	assert_non_null(strstr(buf_text(&why),
			       "\u00e9: no-family (no IPv6 addresses); and 296 more pools"));
	buf_clear(&why);
	r.pool = buf_text(&name);
	r.sharing_key = buf_text(&name);
	pools[0].auto_assign = true;
	assert_int_equal(alloc_assign(alloc, &r, &why), -1);
	assert_true(strlen(buf_text(&why)) > name.len);
	buf_fini(&name);
	buf_fini(&why);
	alloc_free(alloc);
}

/* One service with thousands of addresses of both families, shared or not, as the allocator sees it from all sides. */
static void thousands_chosen_by_hand(void **state)
{
	enum { MANY = 5000 };
	CLEANUP(arena_freep) struct arena *a = arena_new();
	struct cfg_pool pool = fx_pool(a, "p", "10.0.0.0/16");
	struct cfg c = { .pools = &pool, .n_pools = 1 };
	struct addr *v = arena_new_n(a, struct addr, MANY);
	struct alloc_request big = {
		.service = "big", .addresses = v, .n_addresses = MANY, .by_hand = true
	};
	struct alloc_request thief = {
		.service = "thief", .addresses = &v[MANY - 1], .n_addresses = 1, .by_hand = true
	};
	struct alloc_grant g;
	struct alloc_usage u;
	struct buf why = { 0 };

	for (size_t i = 0; i < MANY; i++)
		v[i] = addr_v4(10, 0, (uint8_t)(i >> 8), (uint8_t)i);
	big.sharing_key = thief.sharing_key = *state;
	struct alloc *alloc = alloc_new(&c);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(alloc_assign(alloc, &big, &why), 0);
		assert_true(alloc_find(alloc, "big", &g));
		assert_int_equal(g.n, MANY);
		assert_memory_equal(g.addresses, v, MANY * sizeof(*v));
		assert_int_equal(alloc_assign(alloc, &thief, &why), *state ? 0 : -1);
		if (!*state)
			assert_non_null(strstr(buf_text(&why), "in use by big"));
		assert_true(alloc_usage(alloc, "p", &u));
		assert_int_equal(u.v4.used, MANY);
		assert_int_equal(alloc_hold(alloc, &big, v, MANY, NULL), 0);
		assert_int_equal(alloc_hold(alloc, &big, v, MANY - 1, NULL), -1);
		alloc_release(alloc, "big");
		alloc_release(alloc, "thief");
		assert_true(alloc_usage(alloc, "p", &u));
		assert_int_equal(u.v4.used, 0);
	}
	v[17] = v[4000];
	assert_int_equal(alloc_assign(alloc, &big, &why), -1);
	assert_non_null(strstr(buf_text(&why), "asked for twice"));
	buf_fini(&why);
	alloc_free(alloc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage),
		cmocka_unit_test(reasons_are_whole),
		cmocka_unit_test(thousands_chosen_by_hand),
		cmocka_unit_test_prestate(thousands_chosen_by_hand, (void *)(uintptr_t) "key"),
	};
	int failed = RUN_TABLE("rules of allocation", scripts, play);

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
