/* Every key of the table, each set by itself: it is printed, compared and carried over, and what is
 * printed loads as the same. A new key is here by its row; only one with a shape of its own needs a
 * sample. */
#include "convert_test.h"

#include "config/diff.h"
#include "config/schema.h"

/* One object of each level, and all that the samples refer to. */
static const char base[] =
	"{'node': {}, 'cluster': {'fast-detection': {}}, 'bgp': {'listen': '[::]:179'}, 'bfd': {}, "
	"'l2': {},"
	" 'control': {}, 'http': {}, 'log': {}, 'allocation': {}, 'kubernetes': {},"
	" 'bgp-communities': {'near': '1:2'},"
	" 'bfd-profiles': [{'name': 'fast', 'authentication': {'type': 'simple', 'keys':"
	"  [{'id': 1, 'secret': 'x1'}, {'id': 2, 'secret': 'x2'}]}}, {'name': 'slow'}],"
	" 'peers': [{'name': 'tor', 'my-asn': 64512, 'peer-asn': 64513, 'peer-address':"
	"  '10.0.0.1', 'bfd-profile': 'slow', 'tcp-ao': {'keys': [{'send-id': 1, 'receive-id': 2,"
	"  'secret': 'x1'}]}}],"
	" 'address-pools': [{'name': 'pool', 'protocol': 'bgp', 'addresses': ['10.5.0.0/24'],"
	"  'bgp-advertisements': [{}], 'service-allocation': {}},"
	"  {'name': 'open', 'protocol': 'none', 'addresses': ['10.6.0.0/24']}],"
	" 'l2-advertisements': [{'name': 'l2', 'preferred-node-selectors': [{'weight': 1,"
	"  'preference': {'match-labels': {'a': 'b'}}}]}],"
	" 'bgp-advertisements': [{'name': 'bgp'}],"
	" 'services': [{'name': 'web', 'health-check': {'tcp': '127.0.0.1:80'}}],"
	" 'networks': [{'prefix': '198.51.100.0/24', 'health-check': {'tcp': '127.0.0.1:80'}}]}";

/* What a type does not tell. */
struct sample {
	const char *path;
	const char *value;
	const char *instead_of; /* another key, which it does not go with */
};

static const struct sample samples[] = {
	{ "bgp.graceful-restart", "'90s'", NULL },
	{ "bgp.long-lived-restart", "'24h'", NULL },
	{ "peers.graceful-restart", "'90s'", NULL },
	{ "bgp.listen", "'10.0.0.7:179'", NULL },
	{ "cluster.join", "['10.0.0.7:77']", NULL },
	{ "http.listen", "'none'", NULL },
	{ "bfd-profiles.receive-interval", "'3.3ms'", NULL },
	{ "bfd-profiles.transmit-interval", "'3.3ms'", NULL },
	{ "bfd-profiles.echo-interval", "70", NULL },
	{ "bfd-profiles.authentication.type", "'keyed-md5'", NULL },
	{ "bfd-profiles.authentication.send-key", "2", NULL },
	{ "bfd-profiles.authentication.keys.secret-file", "'/x'", "secret" },
	{ "peers.password", "'x7'", "tcp-ao" },
	{ "peers.password-file", "'/x'", "tcp-ao" },
	{ "peers.tcp-ao.keys.secret-file", "'/x'", "secret" },
	{ "peers.tcp-ao.keys.secret-name", NULL, NULL }, /* takes a Secret */
	{ "peers.peer-address", "'10.0.0.7'", NULL },
	{ "peers.dynamic-asn", "'external'", "peer-asn" },
	{ "peers.hold-time", "'30s'", NULL },
	{ "peers.bfd-profile", "'fast'", NULL },
	{ "peers.next-hop", "['10.0.0.7', 'fd00::7']", NULL },
	{ "peers.ttl-security", "7", NULL },
	{ "address-pools.protocol", "'layer2'", "bgp-advertisements" },
	{ "address-pools.addresses", "['10.5.0.0/25', '10.7.0.1-10.7.0.9']", NULL },
	{ "address-pools.bgp-advertisements.aggregation-length", "28", NULL },
	{ "address-pools.bgp-advertisements.localpref", "7", NULL },
	{ "address-pools.bgp-advertisements.communities", "['near', '3:4']", NULL },
	{ "address-pools.bgp-advertisements.large-communities", "['1:2:3']", NULL },
	{ "address-pools.bgp-advertisements.extended-communities", "['rt:1:2']", NULL },
	{ "address-pools.bgp-advertisements.peers", "['tor']", NULL },
	{ "l2-advertisements.address-pools", "['pool']", NULL },
	{ "l2-advertisements.preferred-node-selectors.weight", "7", NULL },
	{ "l2-advertisements.preferred-node-selectors.preference", "{'match-labels': {'x': '7'}}",
	  NULL },
	{ "bgp-advertisements.address-pools", "['pool']", NULL },
	{ "bgp-advertisements.aggregation-length", "28", NULL },
	{ "bgp-advertisements.localpref", "0", NULL },
	{ "bgp-advertisements.communities", "['near', '3:4']", NULL },
	{ "bgp-advertisements.large-communities", "['1:2:3']", NULL },
	{ "bgp-advertisements.extended-communities", "['rt:1:2']", NULL },
	{ "bgp-advertisements.peers", "['tor']", NULL },
	{ "services.address-pool", "'open'", NULL },
	{ "services.address", "'10.6.0.7'", NULL },
	{ "services.addresses", "['10.6.0.7']", NULL },
	{ "services.protocol", "'layer2'", NULL },
	{ "services.ip-families", "['IPv4']", NULL },
	{ "services.ports", "['80/tcp', '53/udp']", NULL },
	{ "services.bind", "'none'", NULL },
	{ "services.external-traffic-policy", NULL, NULL }, /* one word is built */
	{ "services.preferred-nodes", "{'x': 7}", NULL },
	{ "services.health-check.http", "'http://127.0.0.1/'", "tcp" },
	{ "services.health-check.tcp", "'127.0.0.1:7'", NULL },
	{ "services.health-check.timeout", "'700ms'", NULL },
	{ "kubernetes.servers", "['https://10.0.0.7:6443']", NULL },
	{ "networks.prefix", "'198.51.100.7/32'", NULL },
	{ "networks.localpref", "0", NULL },
	{ "networks.communities", "['near', '3:4']", NULL },
	{ "networks.large-communities", "['1:2:3']", NULL },
	{ "networks.extended-communities", "['rt:1:2']", NULL },
	{ "networks.peers", "['tor']", NULL },
	{ "networks.health-check.http", "'http://127.0.0.1/'", "tcp" },
	{ "networks.health-check.tcp", "'127.0.0.1:7'", NULL },
	{ "networks.health-check.timeout", "'700ms'", NULL },
};

/* One way to set a key. */
struct trial {
	char path[128];
	const struct field *field;
	const struct sample *sample; /* NULL: its type tells */
	char in[128];		     /* where the object of the key stands, by keys and numbers */
};

static json_t *parse(const char *text)
{
	char *strict = mem_strdup(text);

	for (char *c = strict; *c; c++)
		if (*c == '\'')
			*c = '"';
	json_t *o = json_loads(strict, JSON_DECODE_ANY, NULL);
	assert_non_null(o);
	free(strict);
	return o;
}

static json_t *another_word(const struct field *f)
{
	const struct word *preset = f->words;

	while (f->preset && preset->text && strcmp(preset->text, f->preset) != 0)
		preset++;
	for (const struct word *w = f->words; w->text; w++)
		if (!f->preset || w->value != preset->value)
			return json_string(w->text);
	return NULL;
}

/* A value that is not the default; NULL where only a sample can tell. */
static json_t *value_of_type(const struct field *f)
{
	switch (f->type) {
	case FIELD_BOOL:
		return json_boolean(!f->preset || strcmp(f->preset, "true") != 0);
	case FIELD_UINT:
		return json_integer(7);
	case FIELD_TEXT:
		return json_string("x7");
	case FIELD_WORD:
		return another_word(f);
	case FIELD_DURATION:
		return json_string("7s");
	case FIELD_ADDRESS:
		return json_string("10.0.0.7");
	case FIELD_ENDPOINT:
		return json_string("10.0.0.7:77");
	case FIELD_TEXTS:
		return json_pack("[s]", "x7");
	case FIELD_LABELS:
		return json_pack("{s:s}", "x", "7");
	case FIELD_SELECTORS:
		return json_pack("[{s:{s:s}}]", "match-labels", "x", "7");
	default:
		return NULL;
	}
}

static json_t *value_of(const struct trial *t)
{
	return t->sample ? parse(t->sample->value) : value_of_type(t->field);
}

/* The object at "peers/0" of a document. */
static json_t *object_at(json_t *doc, const char *in)
{
	char path[128], *rest = path;

	snprintf(path, sizeof(path), "%s", in);
	for (char *key; (key = strsep(&rest, "/"));)
		if (*key)
			doc = json_is_array(doc) ? json_array_get(doc, (size_t)atoi(key))
						 : json_object_get(doc, key);
	assert_non_null(doc);
	return doc;
}

static struct loaded load_with(const struct trial *t)
{
	json_t *doc = parse(base);

	if (t) {
		json_t *o = object_at(doc, t->in);

		if (t->sample && t->sample->instead_of)
			json_object_del(o, t->sample->instead_of);
		json_object_set_new(o, t->field->key, value_of(t));
	}
	char *text = as_json(doc);
	struct loaded l = load_nameless(text);
	free(text);
	json_decref(doc);
	return l;
}

static bool same_documents(const struct cfg *a, const struct cfg *b)
{
	json_t *x = cfg_to_json(a, true), *y = cfg_to_json(b, true);
	bool same = json_equal(x, y);

	json_decref(x);
	json_decref(y);
	return same;
}

static void prints_as_it_loads(const struct cfg *c)
{
	json_t *doc = cfg_to_json(c, true);
	char *text = as_json(doc);
	struct loaded again = load_nameless(text);

	assert_equal_documents(c, again.c, text);
	assert_true(again.c->hash == c->hash);
	loaded_fini(&again);
	free(text);
	json_decref(doc);
}

static void is_a_difference(const struct cfg *from, const struct cfg *to)
{
	json_t *diff = cfg_diff(from, to);
	size_t n = 0;
	const char *key;
	json_t *list;

	json_object_foreach(diff, key, list) n += json_array_size(list);
	assert_true(n > 0);
	json_decref(diff);
}

static bool members_must_agree(const struct trial *t)
{
	static const char *const lists[] = { "address-pools/", "l2-advertisements/",
					     "bgp-advertisements/", "services/", "allocation" };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (strncmp(t->in, lists[i], strlen(lists[i])) == 0)
			return true;
	return false;
}

/* Our own document is the same again; resources say it, and are read as something else than without. */
static void is_carried_over(const struct cfg *with, const struct cfg *without)
{
	char *resources = to_resources(with), *others = to_resources(without);

	native_is_the_same(with);
	assert_string_not_equal(resources, others);
	struct loaded a = load_nameless(resources), b = load_nameless(others);
	assert_false(same_documents(a.c, b.c));
	native_is_the_same(a.c);
	char *again = to_resources(a.c);
	assert_string_equal(again, resources);
	free(again);
	loaded_fini(&a);
	loaded_fini(&b);
	free(resources);
	free(others);
}

static void is_known_everywhere(void **state)
{
	const struct trial *t = *state;
	struct loaded without = load_with(NULL), with = load_with(t);

	assert_false(same_documents(with.c, without.c));
	prints_as_it_loads(with.c);
	is_a_difference(without.c, with.c);
	if (members_must_agree(t))
		assert_true(with.c->hash != without.c->hash);
	is_carried_over(with.c, without.c);
	loaded_fini(&with);
	loaded_fini(&without);
}

struct trials {
	struct trial *v;
	size_t n, cap;
	json_t *doc; /* the base */
};

static const struct sample *sample_at(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		if (strcmp(samples[i].path, path) == 0)
			return &samples[i];
	return NULL;
}

static void walk(struct trials *all, const struct level *level, const char *path, const char *in);

/* A mapping or a list of them: the base has one. */
static void walk_into(struct trials *all, const struct field *f, const char *path, const char *in)
{
	json_t *value = json_object_get(object_at(all->doc, in), f->key);
	char below[128];

	if (!value) {
		fprintf(stderr, "the base needs an object at %s\n", path);
		exit(1);
	}
	snprintf(below, sizeof(below), "%s/%s%s", in, f->key, json_is_array(value) ? "/0" : "");
	walk(all, f->level, path, *below == '/' ? below + 1 : below);
}

static void try_key(struct trials *all, const struct field *f, const char *path, const char *in)
{
	struct trial t = { .field = f, .sample = sample_at(path) };

	if (t.sample && !t.sample->value)
		return;
	json_t *value = value_of(&t);
	if (!value) {
		fprintf(stderr, "%s needs a sample\n", path);
		exit(1);
	}
	json_decref(value);
	snprintf(t.path, sizeof(t.path), "%s", path);
	snprintf(t.in, sizeof(t.in), "%s", in);
	mem_grow(all->v, all->n, all->cap);
	all->v[all->n++] = t;
}

static void walk(struct trials *all, const struct level *level, const char *path, const char *in)
{
	for (size_t i = 0; i < level->n; i++) {
		const struct field *f = &level->fields[i];
		char at[128];

		snprintf(at, sizeof(at), "%s%s%s", path, *path ? "." : "", f->key);
		if (f->not_built || strcmp(at, "bgp-communities") == 0) /* only names of values */
			continue;
		if (f->level && f->type != FIELD_SELECTORS)
			walk_into(all, f, at, in);
		else
			try_key(all, f, at, in);
	}
}

int main(void)
{
	struct trials all = { .doc = parse(base) };

	walk(&all, &level_root, "", "");
	struct CMUnitTest *tests = mem_new_n(struct CMUnitTest, all.n);
	for (size_t i = 0; i < all.n; i++)
		tests[i] = (struct CMUnitTest){ .name = all.v[i].path,
						.test_func = is_known_everywhere,
						.initial_state = &all.v[i] };
	int failed = _cmocka_run_group_tests("every key", tests, all.n, NULL, NULL);
	free(tests);
	free(all.v);
	json_decref(all.doc);
	return failed;
}
