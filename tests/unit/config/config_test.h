/**
 * What the tests of this room share: loading a text, and finding things in what came out.
 */
#ifndef TESTS_CONFIG_TEST_H
#define TESTS_CONFIG_TEST_H

#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "config/print.h"

/** What a load gave. */
struct loaded {
	const struct cfg *c; /* NULL: invalid */
	struct cfg_report report;
};

static inline struct loaded load_text(const char *text)
{
	struct loaded l = { 0 };
	int rc = cfg_load_text("t.yaml", text, strlen(text), "host", &l.c, &l.report);

	assert_int_equal(rc == 0, l.c != NULL);
	assert_int_equal(rc == 0, l.report.errors.n == 0);
	return l;
}

static inline void loaded_fini(struct loaded *l)
{
	cfg_report_fini(&l->report);
	l->c = cfg_free(l->c);
}

static inline void fail_with_report(const struct loaded *l, const char *why)
{
	struct buf said = { 0 };

	cfg_report_text(&l->report, false, &said);
	fail_msg("%s; the report:\n%s", why, buf_text(&said));
}

/** Loads, or the test fails with the report. */
static inline struct loaded load_good(const char *text)
{
	struct loaded l = load_text(text);

	if (!l.c)
		fail_with_report(&l, "this must load");
	return l;
}

/** Call @with for whatever loads of the files in a folder. Returns how many do. */
static inline size_t each_loadable(const char *folder, const char *host_name,
				   void (*with)(const struct cfg *c))
{
	DIR *d = opendir(folder);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		char *path = mem_printf("%s/%s", folder, e->d_name);
		struct loaded l = { 0 };

		if (e->d_name[0] != '.' &&
		    cfg_load((const char *[]){ path }, 1, host_name, &l.c, &l.report) == 0) {
			with(l.c);
			n++;
		}
		loaded_fini(&l);
		free(path);
	}
	closedir(d);
	return n;
}

/** The value at "peers.0.hold-time" of a tree as text; NULL when there is none. Free it. */
static inline char *tree_at(const json_t *o, const char *path)
{
	char name[64];

	for (; o && *path; path += *path == '.') {
		size_t len = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		o = json_is_array(o) ? json_array_get(o, (size_t)atoi(name))
				     : json_object_get(o, name);
		path += len;
	}
	if (json_is_string(o))
		return mem_strdup(json_string_value(o));
	return o ? json_dumps(o, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
}

/** Is there an issue at this path whose message and hint hold these words? NULL holds in any. */
static inline const struct cfg_issue *issue_find(const struct cfg_issues *is, const char *path,
						 const char *message, const char *hint)
{
	for (size_t i = 0; i < is->n; i++) {
		const struct cfg_issue *it = &is->v[i];

		if (strcmp(it->path, path) == 0 && strstr(it->message, message) &&
		    (!hint || (it->hint && strstr(it->hint, hint))))
			return it;
	}
	return NULL;
}

/** A document that must be refused, and for what. */
struct refusal {
	const char *name;
	const char *text;
	const char *path;
	const char *message;
	const char *hint;   /* NULL: not looked at */
	struct doc_pos pos; /* line 0: not looked at */
};

static inline void refuses(void **state)
{
	const struct refusal *r = *state;
	struct loaded l = load_text(r->text);

	if (l.c)
		fail_msg("this must not load:\n%s", r->text);
	const struct cfg_issue *is = issue_find(&l.report.errors, r->path, r->message, r->hint);
	if (!is)
		fail_with_report(&l, "not the error that was wanted");
	if (r->pos.line) {
		assert_int_equal(is->pos.line, r->pos.line);
		assert_int_equal(is->pos.col, r->pos.col);
	}
	loaded_fini(&l);
}

/** A document that must load, and what one of its values comes out as. */
struct acceptance {
	const char *name;
	const char *text;
	const char *path; /* in cfg_to_json() */
	const char *value;
	const char *warning; /* part of its message; NULL: none at all */
};

static inline void accepts(void **state)
{
	const struct acceptance *a = *state;
	struct loaded l = load_good(a->text);
	json_t *tree = cfg_to_json(l.c, true);
	char *value = tree_at(tree, a->path);

	if (!value)
		fail_msg("nothing at %s", a->path);
	assert_string_equal(value, a->value);
	if (!a->warning && l.report.warnings.n)
		fail_with_report(&l, "a warning that nobody wanted");
	if (a->warning &&
	    (!l.report.warnings.n || !strstr(l.report.warnings.v[0].message, a->warning)))
		fail_with_report(&l, "the warning is missing");
	free(value);
	json_decref(tree);
	loaded_fini(&l);
}

#define PEER_BASE  "my-asn: 64512, peer-asn: 64513, peer-address: 10.0.0.1"
#define PEER(more) "peers:\n- {" PEER_BASE more "}\n"
#define POOL(more) "address-pools:\n- {name: p, protocol: layer2" more "}\n"
#define BGP_POOL(more) \
	PEER("") "address-pools:\n- {name: p, protocol: bgp, addresses: [10.9.0.0/24]" more "}\n"
#define LAN		      "address-pools:\n- {name: lan, protocol: layer2, addresses: [10.5.0.0/24]}\n"
#define NETWORK(prefix, more) PEER("") "networks:\n- {prefix: " prefix more "}\n"
#define SERVICE(more)	      LAN "services:\n- {name: web" more "}\n"

#endif
