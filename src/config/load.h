/**
 * From files to a struct cfg: every problem is reported, with its place, cause and remedy; an
 * invalid configuration gives no cfg at all.
 *
 * Accepted: the bare legacy document, the same inside a v1/ConfigMap (data.config), and crier's own
 * keys; several documents, Lists, files, folders (*.yaml, *.yml, *.json, in the order of their
 * names) and "-".
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "base/doc.h"
#include "config/cfg.h"

/** One thing to say about one place. */
struct cfg_issue {
	const char *file;   /* "" when it is about no file */
	struct doc_pos pos; /* line 0: about the file as a whole */
	const char *path;   /* "address-pools[2].addresses[0]", or "" */
	const char *message;
	const char *hint; /* or NULL */
	const char *line; /* the offending line's text, or NULL */
	struct {	  /* a second place (the other one of an overlap); file NULL: none */
		const char *file;
		struct doc_pos pos;
	} other;
};

struct cfg_issues {
	const struct cfg_issue *v;
	size_t n;
};

/** Owns the texts of its issues. Errors in order of file and position. */
struct cfg_report {
	struct arena *arena;
	struct cfg_issues errors;
	struct cfg_issues warnings;
	struct cfg_issues notes; /* documents that are none of our business, and were skipped */
};

void cfg_report_fini(struct cfg_report *r);

/**
 * Load and check.
 * @paths:     files, folders, or "-" for standard input
 * @host_name: the node's name where the configuration gives none
 * @report:    filled in any case; cfg_report_fini() afterwards
 *
 * Returns 0 and *out, or -ERR_CONFIG when there is at least one error.
 */
NODISCARD int cfg_load(const char *const *paths, size_t n_paths, const char *host_name,
		       const struct cfg **out, struct cfg_report *report);

/** The same from memory, as one file called @name. */
NODISCARD int cfg_load_text(const char *name, const char *text, size_t len, const char *host_name,
			    const struct cfg **out, struct cfg_report *report);

struct loader;
struct place;

/**
 * Who takes the objects that are no configuration: v1 Service, Endpoints, Node and Namespace, and
 * discovery.k8s.io/v1 EndpointSlice. Without one they are skipped with a note.
 */
struct cfg_sink {
	/**
	 * One object, in the order of the files. @p (and what hangs from it) lasts until the load
	 * returns. May add issues with load_error() and its like (loader.h); an error makes the load
	 * fail. False: not wanted, which is noted.
	 */
	bool (*take)(void *ctx, struct loader *l, const struct place *p, const char *kind);
	void *ctx;
};

/** A document that is in memory already. */
struct cfg_text {
	const char *name; /* for messages, in the place of a file's */
	const char *text;
	size_t len;
};

struct cfg_input {
	const char *const *paths; /* as of cfg_load(); they come first */
	size_t n_paths;
	const struct cfg_text *texts;
	size_t n_texts;
	const char *host_name;
	const struct cfg_sink *sink; /* may be NULL */
	/**
	 * A configuration that was loaded from earlier versions of the same, with `keep`: of large
	 * texts only what changed is read again (config/reread.h). What comes out is the same as
	 * without it. May be NULL.
	 */
	const struct cfg *before;
	bool keep; /* remember the texts, for the next load */
};

/** As cfg_load(), from all of these together. */
NODISCARD int cfg_load_input(const struct cfg_input *in, const struct cfg **out,
			     struct cfg_report *report);

/** As cfg_load(); @sink may be NULL. */
NODISCARD int cfg_load_with(const char *const *paths, size_t n_paths, const char *host_name,
			    const struct cfg_sink *sink, const struct cfg **out,
			    struct cfg_report *report);

/** As cfg_load_text(); @sink may be NULL. */
NODISCARD int cfg_load_text_with(const char *name, const char *text, size_t len,
				 const char *host_name, const struct cfg_sink *sink,
				 const struct cfg **out, struct cfg_report *report);

#endif
