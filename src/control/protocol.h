/**
 * The control socket's language: newline-delimited JSON.
 *
 *   client  {"id": 1, "op": "get", "args": {"kind": "peers"}}     "id" and "args" may be left out
 *   daemon  {"id": 1, "ok": true, "data": …}
 *           {"id": 1, "ok": false, "error": {"kind": "not-found", "message": "…"}}
 *
 * A stream is any number of answers with data, and at last {"id": 1, "ok": true, "done": true}; an
 * error ends it too. Requests of one client are taken in order; a stream does not stop the ones
 * after it. Fields are added, never renamed.
 */
#ifndef CONTROL_PROTOCOL_H
#define CONTROL_PROTOCOL_H

#include <jansson.h>

#include "base/err.h"

enum {
	CONTROL_REQUEST_MAX = 1 << 20, /* bytes of one request's line */
};

/** Zero-initialised is empty. @op and @args are borrowed from @root. */
struct control_request {
	json_t *root;
	json_t *id; /* its own reference; JSON's null when there was none */
	const char *op;
	const json_t *args; /* an object */
};

/**
 * Read one line, without its end. On an error (ERR_PROTOCOL) the id is set too where it could be
 * read, so that the refusal can carry it. Call control_request_fini() in either case.
 */
NODISCARD int control_request_parse(const char *line, size_t len, struct control_request *out,
				    struct err *e);
void control_request_fini(struct control_request *r);

/** The three kinds of answer, as new references; @data is taken. */
NODISCARD json_t *control_answer(json_t *id, json_t *data);
NODISCARD json_t *control_answer_done(json_t *id);
NODISCARD json_t *control_answer_error(json_t *id, const struct err *e);

/** The error object alone: {"kind", "message"}. */
NODISCARD json_t *control_error(const struct err *e);
/** Fill @e from an error object; whatever is missing gets a default. */
void control_error_read(const json_t *error, struct err *e);

const char *control_kind_name(enum err_kind kind);

#endif
