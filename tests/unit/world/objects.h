/**
 * Objects of Kubernetes out of their text.
 */
#ifndef TESTS_UNIT_WORLD_OBJECTS_H
#define TESTS_UNIT_WORLD_OBJECTS_H

#include <string.h>

#include "support.h"
#include "world/object_endpoints.h"
#include "world/object_node.h"
#include "world/object_service.h"

/** One document, and what is said of it. */
struct parsed {
	struct doc_file *file;
	struct place at;
	struct issues issues;
};

static inline struct parsed fx_parse(const char *text)
{
	struct parsed p = { 0 };
	struct doc_error bad;

	if (doc_parse("t.yaml", text, strlen(text), NULL, &p.file, &bad) < 0)
		fail_msg("bad document: %s", bad.text);
	p.at.at = p.file->docs[0];
	issues_init(&p.issues);
	return p;
}

/** The report of what was wrong; cfg_report_fini() afterwards. */
static inline struct cfg_report fx_parsed_fini(struct parsed *p)
{
	struct cfg_report report;

	issues_finish(&p->issues, &report);
	doc_file_free(p->file);
	return report;
}

#define FX_OBJECT(type, read)                                       \
	static inline struct type *fx_##type(const char *text)      \
	{                                                           \
		struct parsed p = fx_parse(text);                   \
		struct type *o = read(&p.issues, &p.at);            \
		struct cfg_report report = fx_parsed_fini(&p);      \
                                                                    \
		if (report.errors.n)                                \
			fail_msg("%s", report.errors.v[0].message); \
		cfg_report_fini(&report);                           \
		return o;                                           \
	}
FX_OBJECT(object_service, object_service_read)

/** The kind says which of the two it is. */
static inline struct object_endpoints *fx_endpoints_read(struct issues *is, const struct place *p)
{
	return doc_get(p->at, "endpoints") ? object_slice_read(is, p)
					   : object_endpoints_read(is, p);
}
FX_OBJECT(object_endpoints, fx_endpoints_read)

#endif
