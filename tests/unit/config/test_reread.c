/* Reading again what changed gives what reading everything gives: whatever was changed. */
#include "config_test.h"

#include "base/rng.h"
#include "config/diff.h"
#include "config/reread.h"

/* Enough of each that the text is remembered. */
#define ITEMS 150

/** What a text of these tests says, as far as it can be changed. */
struct knobs {
	bool warned; /* about a peer, a pool and a service */
	struct {
		bool gone;
		unsigned net, host; /* of the service */
		unsigned community; /* of the pool */
		unsigned med;	    /* of the network */
	} v[ITEMS];
};

static struct knobs knobs_new(void)
{
	struct knobs k = { 0 };

	for (unsigned i = 0; i < ITEMS; i++) {
		k.v[i].net = k.v[i].community = k.v[i].med = i;
		k.v[i].host = 3;
	}
	return k;
}

static void peers_write(struct buf *t, const struct knobs *k)
{
	buf_puts(t, "peers:\n");
	for (unsigned i = 0; i < 3; i++)
		buf_printf(t,
			   "- {name: tor-%u, my-asn: 64512, peer-asn: 64513, peer-address: "
			   "10.0.0.%u%s}\n",
			   i, i + 1, k->warned && i == 1 ? ", router-id: 0.0.0.0" : "");
}

static void pools_write(struct buf *t, const struct knobs *k)
{
	buf_puts(t, "bgp-communities:\n  blue: 64512:7\n  red: 64512:8\naddress-pools:\n");
	for (unsigned i = 0; i < ITEMS; i++) {
		if (i % 3 == 0)
			buf_printf(t,
				   "- {name: p%u, protocol: layer2, addresses: [10.1.%u.0/28, "
				   "10.1.%u.32-10.1.%u.40]}\n",
				   i, i, i, i);
		else if (i % 3 == 1)
			buf_printf(t,
				   "- name: p%u\n  protocol: bgp # as ever\n  addresses:\n"
				   "  - 10.1.%u.0/28\n\n  bgp-advertisements:\n"
				   "  - communities: [blue, '64512:%u']\n    localpref: 0\n"
				   "  - {aggregation-length: 28, peers: [tor-%u]}\n",
				   i, i, k->v[i].community, i % 3);
		else
			buf_printf(t,
				   "- {name: p%u, protocol: none, labels: {of: '%u'},\n"
				   "   addresses: [10.1.%u.0/28]}\n",
				   i, i % 4, i);
	}
	if (k->warned)
		buf_puts(t, "- name: public\n  protocol: layer2\n  addresses: [8.8.8.0/24]\n"
			    "- {name: last, protocol: layer2, addresses: [10.9.0.0/24]}\n");
	buf_puts(t, "l2-advertisements:\n");
	for (unsigned i = 0; i < 8; i++)
		buf_printf(t,
			   "  - {name: l%u, address-pool-selectors: [{match-labels: {of: '%u'}}], "
			   "interfaces: [eth%u]}\n",
			   i, i % 4, i);
	buf_puts(t, "bgp-advertisements:\n");
	for (unsigned i = 0; i < 8; i++)
		buf_printf(t, "- name: a%u\n  address-pools: [p%u]\n  communities: [red]\n", i,
			   3 * i + 2);
}

static void services_write(struct buf *t, const struct knobs *k)
{
	buf_puts(t, "services:\n");
	for (unsigned i = 0; i < ITEMS; i++) {
		if (k->v[i].gone)
			continue;
		if (k->warned && i == 75)
			buf_puts(t, "- name: s75\n  protocol: bgp\n");
		else if (i % 2)
			buf_printf(
				t,
				"- {name: s%u, address-pool: p%u, ports: [80/tcp], bind: none}\n",
				i, k->v[i].net);
		else
			buf_printf(t,
				   "- name: s%u\n  addresses:\n  - 10.1.%u.%u\n"
				   "  health-check: {http: 'http://127.0.0.1:80/#x'}\n",
				   i, k->v[i].net, k->v[i].host);
	}
	buf_puts(t, "# prefixes\nnetworks:\n");
	for (unsigned i = 0; i < ITEMS; i++)
		buf_printf(t, "- prefix: 198.51.%u.0/24\n  communities: [red]\n  med: %u\n", i,
			   k->v[i].med);
}

static void all_write(struct buf *t, const struct knobs *k)
{
	peers_write(t, k);
	pools_write(t, k);
	services_write(t, k);
	buf_puts(t, "log: {level: info}\n");
}

static struct loaded load_as(const struct buf *text, const struct cfg *before)
{
	struct loaded l = { 0 };
	const struct cfg_text one = { "t.yaml", buf_text(text), text->len };
	const struct cfg_input in = {
		.texts = &one, .n_texts = 1, .host_name = "host", .before = before, .keep = true
	};
	int rc = cfg_load_input(&in, &l.c, &l.report);

	assert_int_equal(rc == 0, l.c != NULL);
	return l;
}

/* The text of these tests, without a word to say about it. */
static struct loaded load_base(struct buf *text)
{
	const struct knobs k = knobs_new();

	all_write(text, &k);
	struct loaded l = load_as(text, NULL);

	if (!l.c || l.report.warnings.n)
		fail_with_report(&l, "the text of these tests");
	return l;
}

/* What is found by the index. */
static void assert_same_finds(const struct cfg *a, const struct cfg *b)
{
	for (size_t i = 0; i < a->n_pools; i++) {
		const struct addr *first = &a->pools[i].addresses[0].v[0].addr;
		size_t at_a = 0, at_b = 0;
		const struct cfg_bgp_adv *x, *y;

		assert_string_equal(cfg_pool_of(a, first)->name, cfg_pool_of(b, first)->name);
		do {
			x = cfg_next_bgp_adv(a, &a->pools[i], &at_a);
			y = cfg_next_bgp_adv(b, &b->pools[i], &at_b);
			assert_true(!x == !y && (!x || x->hash == y->hash));
		} while (x);
	}
	for (size_t i = 0; i < a->n_services; i++) {
		assert_ptr_equal(cfg_service_find(a, a->services[i].name), &a->services[i]);
		assert_true(a->services[i].hash == b->services[i].hash &&
			    a->services[i].asked == b->services[i].asked);
	}
}

static void assert_same_tree(const struct cfg *a, const struct cfg *b)
{
	json_t *x = cfg_to_json(a, true), *y = cfg_to_json(b, true);

	if (!json_equal(x, y))
		fail_msg("another configuration than that of the whole text");
	json_decref(x);
	json_decref(y);
	assert_true(a->hash == b->hash && a->asked == b->asked);
	assert_same_finds(a, b);
	assert_int_equal(a->n_bgp_advs, b->n_bgp_advs);
	assert_int_equal(a->n_own_bgp_advs, b->n_own_bgp_advs);
	for (size_t i = 0; i < a->n_bgp_advs; i++) {
		assert_true(a->bgp_advs[i].hash == b->bgp_advs[i].hash);
		assert_int_equal(a->bgp_advs[i].pools.n, b->bgp_advs[i].pools.n);
		for (size_t j = 0; j < a->bgp_advs[i].pools.n; j++)
			assert_string_equal(a->bgp_advs[i].pools.v[j]->name,
					    b->bgp_advs[i].pools.v[j]->name);
	}
}

static void assert_same_report(const struct cfg_report *a, const struct cfg_report *b)
{
	struct buf x = { 0 }, y = { 0 };

	cfg_report_text(a, false, &x);
	cfg_report_text(b, false, &y);
	assert_string_equal(buf_text(&x), buf_text(&y));
	buf_fini(&x);
	buf_fini(&y);
}

/* Load @text after @before, and compare with what it is without. */
static struct loaded load_both(const struct buf *text, const struct cfg *before)
{
	struct loaded again = load_as(text, before), whole = load_as(text, NULL);

	if (!again.c != !whole.c)
		fail_msg("%s alone:\n%s", again.c ? "in parts" : "whole", buf_text(text));
	assert_same_report(&again.report, &whole.report);
	if (whole.c)
		assert_same_tree(again.c, whole.c);
	loaded_fini(&whole);
	return again;
}

static void replace(struct buf *t, const char *what, const char *by)
{
	const char *at = strstr(buf_text(t), what);
	struct buf out = { 0 };

	assert_non_null(at);
	buf_append(&out, t->p, (size_t)(at - t->p));
	buf_puts(&out, by);
	buf_puts(&out, at + strlen(what));
	buf_fini(t);
	*t = out;
}

static bool was_reread(const struct cfg *before, const struct cfg *now)
{
	const struct cfg_service *s = cfg_service_find(now, "s50");

	/* The very text of before. */
	return s && s->name == cfg_service_find(before, "s50")->name;
}

/** A change; whether it is one that is read alone, and the next one after it too. */
struct edit {
	const char *name, *what, *by;
	bool alone, next;
};

static void edited(void **state)
{
	const struct edit *e = *state;
	struct buf text = { 0 };

	struct loaded first = load_base(&text);
	replace(&text, e->what, e->by);
	struct loaded second = load_both(&text, first.c);
	assert_true(!e->alone || (second.c && was_reread(first.c, second.c)));
	assert_true(e->alone || !second.c || !was_reread(first.c, second.c));
	loaded_fini(&first); /* what they share stays */
	if (e->next) {
		replace(&text, "10.1.74.3", "10.1.74.4");
		struct loaded third = load_both(&text, second.c);

		assert_true(was_reread(second.c, third.c));
		loaded_fini(&third);
	}
	loaded_fini(&second);
	buf_fini(&text);
}

static const struct edit edits[] = {
	{ "nothing", "log: {level: info}", "log: {level: info}", true, true },
	{ "a value", "med: 77\n", "med: 78\n", true, true },
	{ "the first item", "{name: p0, protocol: layer2,", "{name: first, protocol: bgp,", true,
	  true },
	{ "the last item", "med: 149\n", "med: 1\n", true, true },
	{ "a new first item", "services:\n", "services:\n- {name: new, address-pool: p1}\n", true,
	  true },
	{ "a new last item", "# prefixes\n", "- {name: new, address-pool: p1}\n", true, true },
	{ "a new item", "- {name: s77,", "- {name: new, address-pool: p1}\n- {name: s77,", true,
	  true },
	{ "an item goes", "- prefix: 198.51.8.0/24\n  communities: [red]\n  med: 8\n", "", true,
	  true },
	{ "a comment", "- prefix: 198.51.8.0/24\n", "# here\n- prefix: 198.51.8.0/24\n", true,
	  true },
	{ "outside the lists", "level: info", "level: debug", true, true },
	{ "a peer", "10.0.0.2", "10.0.0.22", true, true },
	{ "an alias", "64512:7\n", "64512:9\n", false, false },
	{ "a new alias", "  red: 64512:8\n", "  red: 64512:8\n  new: 64512:9\n", false, false },
	{ "a peer that others name", "name: tor-1,", "name: tor-9,", false, false },
	{ "an error", "med: 77\n", "med: -1\n", false, false },
	{ "a warning", "10.1.9.0/28,", "8.8.8.0/28,", false, false },
	{ "overlap", "10.1.9.0/28,", "10.1.12.0/28,", false, false },
	{ "a name that others have", "name: s77,", "name: s79,", false, false },
	{ "a pool that others name", "name: p77,", "name: p77x,", false, false },
	{ "the item before goes on", "- {name: s77,", "  bind: none\n- {name: s77,", true, true },
	{ "an open quote", "- {name: s77,", "- \"\n- {name: s77,", false, false },
	{ "an open brace", "- {name: s77,", "- {\n- {name: s77,", false, false },
	{ "an open text", "- {name: s77,", "- |\n - x\n- {name: s77,", false, false },
	{ "another document", "- {name: s77,", "---\n- {name: s77,", false, false },
	{ "an end", "- {name: s77,", "...\n- {name: s77,", false, false },
	{ "another key", "- {name: s77,", "networks:\n- {name: s77,", false, false },
	{ "another list", "- {name: s77,", "node:\n  labels: {a: b}\nx:\n- {name: s77,", false,
	  false },
	{ "the key goes", "services:\n", "", false, false },
	{ "deeper", "- {name: s77,", " - {name: s77,", false, false },
	{ "an anchor", "{name: s77, address-pool: p77,", "{name: s77, address-pool: &x p77,", true,
	  false },
	{ "an object", "log:", "kind: List\nlog:", false, false },
	{ "the end of a line goes", "bind: none}\n- name: s78\n", "bind: none}- name: s78\n", false,
	  false },
	{ "other ends of lines", "- {name: s77,", "# x\r\n- {name: s77,", true, false },
};

/* --- any change at all --- */

/* Bits that turn the parser of YAML into another state, and some that do not. */
static const char *const bits[] = {
	"\n",	 " ",	  "- ",	 "\n- ",   "{",	    "}",	"[",	       "]",
	"'",	 "\"",	  "#",	 ": ",	   "|",	    ">",	"|\n",	       "\n  ",
	"---\n", "...\n", "&a ", "*a",	   "? ",    "!!str ",	"%",	       "\t",
	"\r\n",	 "\\",	  "x",	 "1",	   ",",	    "\n- {}\n", "services:\n", "- name: x\n",
	"# x\n", "null",  "~",	 "\nx:\n", "- [\n", "\n\n",	"<<: {}\n",    "\xc2\x85",
};

static void edit_at_random(struct buf *t, struct rng *rng)
{
	size_t at = rng_below(rng, t->len);
	const char *line = memchr(t->p + at, '\n', t->len - at);

	if (line && rng_below(rng, 2)) /* a line begins */
		at = (size_t)(line + 1 - t->p);
	size_t gone = rng_below(rng, 3) ? 0 : rng_below(rng, MIN(t->len - at, 90) + 1);
	struct buf out = { 0 };

	buf_append(&out, t->p, at);
	switch (rng_below(rng, 4)) {
	case 0: { /* what stands elsewhere */
		size_t from = rng_below(rng, t->len);

		buf_append(&out, t->p + from, rng_below(rng, MIN(t->len - from, 90) + 1));
		break;
	}
	case 1:
		break;
	default:
		buf_puts(&out, bits[rng_below(rng, ARRAY_LEN(bits))]);
	}
	buf_append(&out, t->p + at + gone, t->len - at - gone);
	buf_fini(t);
	*t = out;
}

#define RUNS 60

static void edited_at_random(void **state)
{
	(void)state;
	struct rng rng;
	size_t reread = 0, loads = 0;
	struct buf base = { 0 };

	rng_seed(&rng, 20261121);
	struct loaded before = load_base(&base);
	for (unsigned run = 0; run < RUNS; run++) {
		struct buf text = { 0 };

		buf_append(&text, base.p, base.len);
		for (size_t n = rng_below(&rng, 4) ? 1 : 2; n; n--)
			edit_at_random(&text, &rng);
		struct loaded now = load_both(&text, before.c);

		loads += now.c != NULL;
		reread += now.c && now.c->n_services && was_reread(before.c, now.c);
		loaded_fini(&now);
		buf_fini(&text);
	}
	print_message("%zu of %d loaded, %zu of them in parts\n", loads, RUNS, reread);
	loaded_fini(&before);
	buf_fini(&base);
}

/* --- what is shared with the configuration before --- */

#define BIT(list) (1u << (list))
#define ALL_LISTS (BIT(CFG_LIST_COUNT) - 1)

struct sharing {
	const char *name, *what, *by;
	unsigned own; /* the lists that are made anew */
};

static void shares(void **state)
{
	const struct sharing *s = *state;
	struct buf text = { 0 };

	struct loaded first = load_base(&text);
	replace(&text, s->what, s->by);
	struct loaded second = load_both(&text, first.c);
	for (unsigned i = 0; i < CFG_LIST_COUNT; i++)
		assert_true(cfg_shares(first.c, second.c, i) == !(s->own & BIT(i)));
	assert_true((first.c->peers == second.c->peers) == (s->own != ALL_LISTS));
	json_t *diff = cfg_diff(first.c, second.c);
	assert_true(json_array_size(json_object_get(diff, "changed")) <= 1);
	json_decref(diff);
	loaded_fini(&first); /* what they share stays */
	struct loaded third = load_both(&text, second.c);
	assert_true(cfg_shares(second.c, third.c, CFG_ADVS));
	loaded_fini(&third);
	loaded_fini(&second);
	buf_fini(&text);
}

static const struct sharing sharings[] = {
	{ "nothing differs", "level: info", "level: info", 0 },
	{ "a setting differs", "level: info", "level: debug", 0 },
	{ "a network differs", "med: 77\n", "med: 78\n", BIT(CFG_NETWORKS) },
	{ "a service differs", "10.1.74.3", "10.1.74.4", BIT(CFG_SERVICES) },
	{ "a service comes", "services:\n", "services:\n- {name: new, address-pool: p1}\n",
	  BIT(CFG_SERVICES) },
	{ "a pool's advertisement differs", "'64512:76'", "'64512:9'", BIT(CFG_ADVS) },
	{ "a pool has one advertisement more", "  - {aggregation-length: 28, peers: [tor-1]}\n",
	  "  - {aggregation-length: 28, peers: [tor-1]}\n  - {aggregation-length: 29}\n",
	  BIT(CFG_ADVS) },
	{ "a pool is smaller", "[10.1.9.0/28,", "[10.1.9.0/29,", ALL_LISTS },
	{ "a pool is announced otherwise", "{name: p9, protocol: layer2",
	  "{name: p9, protocol: bgp", ALL_LISTS },
	{ "an advertisement that chooses differs", "interfaces: [eth3]", "interfaces: [eth9]",
	  ALL_LISTS },
	{ "a peer differs", "10.0.0.2", "10.0.0.22", ALL_LISTS },
};

/* --- texts that something is said of --- */

/** Whether it is read in parts. */
struct remark {
	const char *name, *what, *by;
	bool alone;
};

static void remarks(void **state)
{
	const struct remark *m = *state;
	struct knobs k = knobs_new();
	struct buf text = { 0 };

	k.warned = true;
	all_write(&text, &k);
	struct loaded first = load_as(&text, NULL);
	assert_int_equal(first.report.warnings.n, 3);
	replace(&text, m->what, m->by);
	struct loaded second = load_both(&text, first.c);
	assert_int_equal(was_reread(first.c, second.c), m->alone);
	loaded_fini(&first);
	replace(&text, "med: 20\n", "# that much\n  med: 1020\n");
	struct loaded third = load_both(&text, second.c);
	assert_true(was_reread(second.c, third.c));
	loaded_fini(&second);
	loaded_fini(&third);
	buf_fini(&text);
}

static const struct remark remark_cases[] = {
	{ "nothing differs", "level: info", "level: info", true },
	{ "behind them", "med: 77\n", "med: 78\n", true },
	{ "between them", "10.1.20.3", "10.1.20.4", true },
	{ "between them, and longer", "10.1.20.3", "10.1.20.4\n  # more", true },
	{ "between them, and shorter", "  health-check: {http: 'http://127.0.0.1:80/#x'}\n", "",
	  true },
	{ "in front of some, and longer", "'64512:76'", "# one\n    # two\n    '64512:9'", true },
	{ "in front of one", "10.1.74.3", "10.1.74.4", true },
	{ "behind one, which it might continue", "10.1.76.3", "10.1.76.4", false },
	{ "what is warned about", "protocol: bgp\n- name: s76", "protocol: layer2\n- name: s76",
	  false },
	{ "no warning any more", "  protocol: bgp\n- name: s76", "- name: s76", false },
	{ "nor of a peer", ", router-id: 0.0.0.0", "", false },
	{ "one more", "  addresses:\n  - 10.1.20.3\n", "  protocol: bgp\n", false },
	{ "an item more in front", "services:\n", "services:\n- {name: new, address-pool: p1}\n",
	  false },
	{ "a peer", "10.0.0.3", "10.0.0.33", false },
};

/* --- one change after the other --- */

#define CHANGES 150

static void turn_one(struct knobs *k, struct rng *rng)
{
	unsigned i = (unsigned)rng_below(rng, ITEMS), to = (unsigned)rng_below(rng, ITEMS);

	switch (rng_below(rng, 7)) {
	case 0:
		k->v[i].gone = !k->v[i].gone;
		break;
	case 1:
		k->v[i].net = to; /* which somebody else may have */
		break;
	case 2:
	case 3:
		k->v[i].host = 1 + (unsigned)rng_below(rng, 14);
		break;
	case 4:
		k->v[i - i % 3 + 1].community = to;
		break;
	default:
		k->v[i].med = to;
	}
}

static void one_after_the_other(void **state)
{
	struct knobs k = knobs_new();
	struct buf text = { 0 };
	struct rng rng;
	size_t loads = 0, shared = 0;

	k.warned = *state != NULL;
	rng_seed(&rng, 20261122);
	all_write(&text, &k);
	struct loaded now = load_as(&text, NULL);
	for (unsigned i = 0; i < CHANGES; i++) {
		struct knobs next = k;

		for (size_t n = rng_below(&rng, 3) + 1; n; n--)
			turn_one(&next, &rng);
		buf_fini(&text);
		text = (struct buf){ 0 };
		all_write(&text, &next);
		struct loaded then = load_both(&text, now.c);
		if (!then.c) { /* as a daemon would, go on with the one before */
			loaded_fini(&then);
			continue;
		}
		loads++;
		shared += cfg_shares(now.c, then.c, CFG_POOLS);
		loaded_fini(&now);
		now = then;
		k = next;
	}
	print_message("%zu of %d loaded, %zu of them shared a list\n", loads, CHANGES, shared);
	assert_true(shared > CHANGES / 10); /* the others lie too far apart */
	loaded_fini(&now);
	buf_fini(&text);
}

/* What objects that are gone leave behind does not grow without end. */
static void begins_anew(void **state)
{
	(void)state;
	struct buf text = { 0 };
	char from[32], to[32];
	size_t whole = 0;

	struct loaded now = load_base(&text);
	for (unsigned i = 0; i < 250; i++) {
		snprintf(from, sizeof(from), "med: %u\n", i ? 1000 + i - 1 : 77);
		snprintf(to, sizeof(to), "med: %u\n", 1000 + i);
		replace(&text, from, to);
		struct loaded next = load_as(&text, now.c);
		whole += !was_reread(now.c, next.c);
		loaded_fini(&now);
		now = next;
	}
	assert_true(whole > 0 && whole < 50);
	loaded_fini(&now);
	buf_fini(&text);
}

int main(void)
{
	static bool warned = true;
	struct CMUnitTest
		tests[ARRAY_LEN(edits) + ARRAY_LEN(sharings) + ARRAY_LEN(remark_cases) + 4] = {
			cmocka_unit_test(edited_at_random),
			cmocka_unit_test(one_after_the_other),
			cmocka_unit_test_prestate(one_after_the_other, &warned),
			cmocka_unit_test(begins_anew),
		};

	for (size_t i = 0; i < ARRAY_LEN(edits); i++)
		tests[i + 4] = (struct CMUnitTest){ .name = edits[i].name,
						    .test_func = edited,
						    .initial_state = (void *)&edits[i] };
	for (size_t i = 0; i < ARRAY_LEN(sharings); i++)
		tests[ARRAY_LEN(edits) + 4 + i] =
			(struct CMUnitTest){ .name = sharings[i].name,
					     .test_func = shares,
					     .initial_state = (void *)&sharings[i] };
	for (size_t i = 0; i < ARRAY_LEN(remark_cases); i++)
		tests[ARRAY_LEN(edits) + ARRAY_LEN(sharings) + 4 + i] =
			(struct CMUnitTest){ .name = remark_cases[i].name,
					     .test_func = remarks,
					     .initial_state = (void *)&remark_cases[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
