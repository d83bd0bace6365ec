/**
 * Routes by hand and by program: the lines of `crier announce` and `crier withdraw` become routes of the speaker.
 *
 * Batches of lines wait in one queue, in the order in which they were asked, and are worked off in slices, so that
 * nothing else on the loop waits for long. What a service announces, or `networks` of the configuration, comes
 * before; a line that would change that is refused.
 */
#ifndef APP_BYHAND_H
#define APP_BYHAND_H

#include <jansson.h>

#include "bgp/speaker.h"
#include "control/server.h"

/** Owners of routes that the speaker keeps: 0 is whoever typed it; above these, holders. */
enum { BYHAND_ANYBODY = 0, BYHAND_NETWORKS = 1 };

struct byhand;

NODISCARD struct byhand *byhand_new(struct loop *loop, struct bgp_speaker *bgp);
/** After the control socket has ended: nobody waits for an answer. Takes NULL, returns NULL. */
struct byhand *byhand_free(struct byhand *b);

/**
 * Lines to carry out; the answer is {"announced", "withdrawn", "errors": [{"line", "text", "message"}]}.
 * @args: {"lines": text, "owner": number of byhand_hold(), or none}
 */
NODISCARD int byhand_lines(struct byhand *b, const json_t *args, struct control_stream *s,
			   struct err *e);

/**
 * What the client sends from now on are lines, carried out as they come. An item for each that is refused, {"line", "text",
 * "message"}, and at the end one with the numbers: {"announced", "withdrawn", "refused"}.
 * @args: {"owner": as for byhand_lines()}
 */
NODISCARD int byhand_feed(struct byhand *b, const json_t *args, struct control_stream *s,
			  struct err *e);

/**
 * One item, {"owner": number}; the routes that are announced with this number end with the stream.
 */
NODISCARD int byhand_hold(struct byhand *b, struct control_stream *s, struct err *e);

#endif
