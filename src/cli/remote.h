/**
 * Asking the daemon: what status, get, explain, monitor and reload share. Errors are printed here, with the
 * remedy, and come back as exit codes.
 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <argp.h>
#include <jansson.h>

#include "base/time.h"
#include "cli/cli.h"
#include "cli/fleet.h"
#include "cli/output.h"

#define REMOTE_SOCKET_DEFAULT "/run/crier/crier.sock"

/**
 * What every such command takes: --socket and --output. A command's parser has `remote_children` as its children,
 * and sets state->child_inputs[0] to one of these at ARGP_KEY_INIT.
 */
struct remote_args {
	const char *socket;	/* NULL: CRIER_SOCKET of the environment, or the default */
	enum cli_format format; /* at first: the default */
	unsigned formats;	/* those that the command has: 1 << format, … */
	struct fleet_args fleet;
	struct dur work; /* so much longer an answer may take */
};
extern const struct argp_child remote_children[];
/** The same for commands that can ask every node; state->child_inputs[1] is the `fleet` of these. */
extern const struct argp_child remote_fleet_children[];

/** For ARGP_KEY_ARG where no (more) words are taken. */
error_t remote_no_word(struct argp_state *state, const char *word);
/** What a parser returns for all keys but its own options, when its command takes no words. */
error_t remote_take(int key, char *arg, struct argp_state *state, struct remote_args *a);

struct control_client;

/** Connect for several calls. Returns CLI_DONE with *out, or CLI_UNREACHABLE after printing why. */
enum cli_exit remote_connect(const struct remote_args *a, struct control_client **out);
/** One of these calls; as remote_call(). */
enum cli_exit remote_ask(struct control_client *c, const char *op, json_t *args, json_t **data);

/**
 * Run one operation.
 * @args: taken; may be NULL
 * Returns CLI_DONE with *data (a new reference), or another exit code after printing why.
 */
enum cli_exit remote_call(const struct remote_args *a, const char *op, json_t *args, json_t **data);

/** Run a stream, until it ends or @each returns false; the items are borrowed. */
enum cli_exit remote_stream(const struct remote_args *a, const char *op, json_t *args,
			    bool (*each)(void *ctx, const json_t *item), void *ctx);

/** All of standard input to an operation that takes it, over @c; the items are borrowed. */
enum cli_exit remote_feed(struct control_client *c, const char *op, json_t *args,
			  bool (*each)(void *ctx, const json_t *item), void *ctx);

/** Print an answer in the format that was asked for; @text is the command's own form for people. */
void remote_print(const struct remote_args *a, const json_t *data, void (*text)(const json_t *));

/**
 * Print what every node has answered: as JSON and YAML {"items": […]}, each with the node as "on",
 * else one after the other by @text.
 */
void remote_print_fleet(const struct remote_args *a, const json_t *answers,
			void (*text)(const json_t *));

/** A copy whose texts a terminal can show: members of a cluster choose their names themselves. */
json_t *remote_calm(const json_t *v);

/** The text of a field, or @otherwise. */
const char *remote_text(const json_t *o, const char *key, const char *otherwise);

#endif
