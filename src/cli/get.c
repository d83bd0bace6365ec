#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/pcapng.h"
#include "cli/remote.h"
#include "cli/select.h"
#include "control/client.h"

/* What people look at first stands first; -o wide shows the rest. */
static const struct cli_column services[] = {
	{ "NAME", "name", false },	     { "STATE", "state", false },
	{ "ADDRESSES", "addresses", false }, { "POOL", "pool", false },
	{ "MODES", "modes", false },	     { "OWNER", "owner", false },
	{ "REASON", "reason", false },	     { "HEALTH", "health", true },
	{ "SINCE", "since", true },
};
static const struct cli_column pools[] = {
	{ "NAME", "name", false },	    { "PROTOCOL", "protocol", false },
	{ "ADDRESSES", "ranges", false },   { "USED", "used", false },
	{ "FREE", "free", false },	    { "TOTAL", "total", false },
	{ "NEXT IPV4", "next-ipv4", true }, { "NEXT IPV6", "next-ipv6", true },
	{ "AUTO", "auto-assign", true },
};
/* In the order of `show bgp summary`. */
static const struct cli_column peers[] = {
	{ "NAME", "name", false },
	{ "ADDRESS", "address", false },
	{ "AS", "peer-asn", false },
	{ "MSG RCVD", "messages-received", false },
	{ "MSG SENT", "messages-sent", false },
	{ "OUT Q", "queued-bytes", false },
	{ "UP/DOWN", "up-down", false },
	{ "STATE", "state", false },
	{ "PFX RCD", "prefixes-received", false },
	{ "PFX SENT", "prefixes-announced", false },
	{ "BFD", "bfd", false },
	{ "LAST ERROR", "last-error", false },
	{ "MY AS", "my-asn", true },
	{ "LOCAL", "local-address", true },
	{ "ROUTER ID", "router-id", true },
	{ "HOLD", "hold-time-s", true },
	{ "KEEPALIVE", "keepalive-time-s", true },
	{ "FAMILIES", "families", true },
	{ "CAPABILITIES", "capabilities", true },
	{ "FLAPS", "flaps", true },
	{ "REASON", "reason", true },
	{ "NOTIFIED BY PEER", "last-notification-received.what", true },
	{ "NOTIFIED PEER", "last-notification-sent.what", true },
};
static const struct cli_column messages[] = {
	{ "TIME", "since", false },  { "MESSAGE", "state", false },
	{ "TYPE", "type", false },   { "BYTES", "length-bytes", false },
	{ "TIMES", "count", false }, { "TEXT", "text", false },
	{ "LAST", "last", true },    { "WIRE", "wire", true },
};
static const struct cli_column routes[] = {
	{ "PREFIX", "name", false },
	{ "PEER", "peer", false },
	{ "STATE", "state", false },
	{ "ORIGIN", "origin", false },
	{ "NEXT HOP", "next-hop", false },
	{ "LOCAL PREF", "local-pref", false },
	{ "MED", "med", true },
	{ "AS PATH", "as-path", true },
	{ "COMMUNITIES", "communities", false },
};
static const struct cli_column networks[] = {
	{ "PREFIX", "name", false },   { "STATE", "state", false },
	{ "PEERS", "peers", false },   { "REASON", "reason", false },
	{ "HEALTH", "health", false }, { "HEALTH REASON", "health-reason", true },
	{ "SINCE", "since", true },
};
static const struct cli_column bfd[] = {
	{ "PEER", "name", false },
	{ "STATE", "state", false },
	{ "SINCE", "since", false },
	{ "TX MS", "transmit-interval-ms", false },
	{ "DETECT MS", "detect-time-ms", false },
	{ "DIAG", "local-diagnostic", false },
	{ "HOPS", "hops", true },
	{ "RX MS", "receive-interval-ms", true },
	{ "MULT", "multiplier", true },
	{ "REMOTE MULT", "remote-multiplier", true },
	{ "REMOTE STATE", "remote-state", true },
	{ "REMOTE DIAG", "remote-diagnostic", true },
	{ "DISC", "local-discriminator", true },
	{ "REMOTE DISC", "remote-discriminator", true },
	{ "VIA", "via", true },
	{ "RECEIVED BY", "received-by", true },
	{ "IN", "packets-in", true },
	{ "OUT", "packets-out", true },
	{ "ECHO OUT", "echo-packets-out", true },
	{ "ECHO IN", "echo-packets-in", true },
	{ "LATE", "late-sends", true },
	{ "DROPPED", "packets-dropped", true },
	{ "DROPS", "drops", true },
	{ "GAP P50 US", "receive-gap-p50-us", true },
	{ "GAP P99 US", "receive-gap-p99-us", true },
	{ "GAP MAX US", "receive-gap-max-us", true },
	{ "JITTER P50 US", "receive-jitter-p50-us", true },
	{ "JITTER P99 US", "receive-jitter-p99-us", true },
	{ "UPS", "up-events", true },
	{ "DOWNS", "down-events", true },
};
static const struct cli_column l2[] = {
	{ "ADDRESS", "name", false },
	{ "STATE", "state", false },
	{ "OWNER", "owner", false },
	{ "SUCCESSION", "succession", false },
	{ "SERVICES", "services", false },
	{ "LINK", "link", false },
	{ "REQUESTS", "requests", false },
	{ "INTERFACES", "interfaces", true },
	{ "REPLIES", "replies", true },
	{ "GRATUITOUS", "gratuitous", true },
	{ "GROUP HELD BY", "group-held-by", true },
};
static const struct cli_column members[] = {
	{ "NAME", "name", false },
	{ "STATE", "state", false },
	{ "ADDRESS", "address", false },
	{ "SINCE", "since", false },
	{ "HEARTBEATS", "mesh.heartbeats", true },
	{ "VERDICT", "mesh.verdict", true },
	{ "DETECT US", "mesh.detection-time-us", true },
	{ "INCARNATION", "incarnation", true },
	{ "LABELS", "labels", true },
};
static const struct cli_column nodes[] = {
	{ "NAME", "name", false },
	{ "STATE", "state", false },
	{ "LABELS", "labels", false },
};
static const struct cli_column events[] = {
	{ "TIME", "ts", false },     { "LEVEL", "level", false }, { "EVENT", "name", false },
	{ "MESSAGE", "msg", false }, { "ABOUT", "about", false }, { "CALLER", "caller", true },
};
static const struct cli_column shadow[] = {
	{ "NAME", "name", false },
	{ "WHAT", "what", false },
	{ "STATE", "state", false },
	{ "IN FORCE", "in-force", false },
	{ "WITH CRIER", "with-crier", false },
	{ "REASON", "reason", false },
};

static const struct kind {
	const char *name;
	const struct cli_column *columns;
	size_t n;
} kinds[] = {
#define KIND(name)                           \
	{                                    \
#name, name, ARRAY_LEN(name) \
	}
	KIND(services), KIND(pools),   KIND(peers), KIND(routes), KIND(networks), KIND(bfd),
	KIND(l2),	KIND(members), KIND(nodes), KIND(events), KIND(shadow),
#undef KIND
};

static const struct kind peer_messages = { "messages", messages, ARRAY_LEN(messages) };

struct get_args {
	struct remote_args remote;
	bool watch;
	const struct kind *kind;
	const char *name;
	const char *peer;
	const char *save; /* messages go to this file */
	bool messages;	  /* a peer's */
	struct cli_selection selection;
	struct arena *arena; /* of what is made for it */
};

static const struct argp_option options[] = {
	{ "peer", 'p', "NAME", 0, "Routes to this peer only", 0 },
	{ "save", 'S', "FILE", 0, "A peer's messages as a capture for Wireshark (pcapng)", 0 },
	{ "namespace", 'n', "NAME", 0, "Services of this namespace only", 0 },
	{ "all-namespaces", 'A', NULL, 0, "Services of all namespaces, the namespace in a column",
	  0 },
	{ "selector", 'l', "LABELS", 0, "Services with these labels only, as kubectl takes them",
	  0 },
	{ "watch", 'w', NULL, 0, "Print again each second, until interrupted", 0 },
	{ 0 },
};

static const struct kind *kind_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, word) == 0)
			return &kinds[i];
	return NULL;
}

static void refuse_kind(struct argp_state *state, const char *word)
{
	const char *names[ARRAY_LEN(kinds)];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		names[i] = kinds[i].name;
	const char *near = text_nearest(word, names, ARRAY_LEN(names));

	if (near)
		argp_error(state, "there is nothing called '%s' to get; did you mean '%s'?", word,
			   near);
	else
		argp_error(state, "there is nothing called '%s' to get", word);
}

/* KIND [NAME], or peers NAME messages. */
static error_t take_word(struct get_args *a, struct argp_state *state, const char *word)
{
	if (state->arg_num == 0) {
		a->kind = kind_find(word);
		if (!a->kind)
			refuse_kind(state, word);
	} else if (state->arg_num == 1) {
		a->name = word;
	} else if (state->arg_num == 2 && a->kind->columns == peers &&
		   strcmp(word, peer_messages.name) == 0) {
		a->messages = true;
	} else {
		return remote_no_word(state, word);
	}
	return 0;
}

static error_t take_selector(struct get_args *a, struct argp_state *state, const char *text)
{
	struct err e = { 0 };

	if (cli_selector_parse(text, a->arena, &a->selection.labels, &e) < 0)
		argp_error(state, "-l: %s", e.text);
	return 0;
}

/* As kubectl: a name is one of that namespace, and all namespaces win. */
static void take_selection(struct get_args *a, const struct argp_state *state)
{
	struct cli_selection *s = &a->selection;
	bool any = s->namespace || s->all || s->labels.n;

	if (any && a->kind->columns != services)
		argp_error(state, "-n, -A and -l are for services");
	if (s->all)
		s->namespace = NULL;
	if (s->namespace && a->name && !strchr(a->name, '/'))
		a->name = arena_printf(a->arena, "%s/%s", s->namespace, a->name);
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct get_args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->remote;
		state->child_inputs[1] = &a->remote.fleet;
		return 0;
	case 'w':
		a->watch = true;
		return 0;
	case 'p':
		a->peer = arg;
		return 0;
	case 'S':
		a->save = arg;
		return 0;
	case 'n':
		a->selection.namespace = arg;
		return 0;
	case 'A':
		a->selection.all = true;
		return 0;
	case 'l':
		return take_selector(a, state, arg);
	case ARGP_KEY_END:
		take_selection(a, state);
		if (a->peer && a->kind->columns != routes)
			argp_error(state, "--peer is for routes");
		if (a->save && !a->messages)
			argp_error(state, "--save is for the messages of a peer");
		if (a->save && a->remote.fleet.on)
			argp_error(state, "--save takes one node's messages: run it there");
		return 0;
	case ARGP_KEY_ARG:
		return take_word(a, state, arg);
	case ARGP_KEY_NO_ARGS:
		argp_error(state,
			   "get what? services, pools, peers, routes, networks, bfd, l2, members, "
			   "nodes, events, shadow");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = take,
	.children = remote_fleet_children,
	.args_doc = "KIND [NAME [messages]]",
	.doc = "What is so now.\vKIND is one of services, pools, peers, routes, networks, bfd, l2, "
	       "members, nodes, events, shadow. With NAME only that one; exit code 1 when there is "
	       "none. "
	       "Of a peer, "
	       "`messages` shows the last ones of its session, in both directions.",
};

/* What each kind of event has of its own becomes one column. */
static void gather_details(json_t *items)
{
	size_t i;
	json_t *item, *value;
	const char *key;

	json_array_foreach(items, i, item)
	{
		json_t *about = json_object();

		json_object_foreach(item, key, value) if (cli_event_detail(key))
			json_object_set(about, key, value);
		json_object_set_new(item, "about", about);
	}
}

/* In front: whom it is from, where several were asked, and the namespace. */
static void print_table(const struct get_args *a, json_t *items)
{
	const struct kind *shown = a->messages ? &peer_messages : a->kind;
	struct cli_column *columns = mem_new_n(struct cli_column, shown->n + 2);
	size_t n = 0;

	if (shown->columns == events)
		gather_details(items);
	if (a->selection.all || a->selection.namespace)
		cli_split_names(items);
	if (a->remote.fleet.on)
		columns[n++] = (struct cli_column){ "ON", "on", false };
	if (a->selection.all)
		columns[n++] = (struct cli_column){ "NAMESPACE", "namespace", false };
	memcpy(columns + n, shown->columns, shown->n * sizeof(*columns));
	cli_print_table(items, columns, n + shown->n, a->remote.format == CLI_WIDE);
	free(columns);
}

static enum cli_exit save(const char *path, const json_t *data)
{
	struct err e = { 0 };

	if (pcapng_save(path, data, &e) == 0)
		return CLI_DONE;
	fprintf(stderr, "crier: %s\n", e.text);
	return CLI_NO;
}

static void print(const struct get_args *a, const json_t *data)
{
	if (a->remote.format == CLI_JSON)
		cli_print_json(data);
	else if (a->remote.format == CLI_YAML)
		cli_print_yaml(data);
	else
		print_table(a, json_object_get(data, "items"));
}

/* One answer, or one page after the other. */
static enum cli_exit get_all(const struct get_args *a, struct control_client *c, json_t **out)
{
	json_t *items = NULL, *page = NULL;
	enum cli_exit code = CLI_DONE;

	do {
		json_t *args =
			json_pack("{s:s, s:s*, s:s*, s:s*, s:O*}", "kind", a->kind->name, "name",
				  a->name, "part", a->messages ? peer_messages.name : NULL, "peer",
				  a->peer, "page", page);

		json_decref(*out);
		*out = NULL;
		code = remote_ask(c, "get", args, out);
		json_decref(page);
		page = json_incref(json_object_get(*out, "next"));
		if (items)
			json_array_extend(items, json_object_get(*out, "items"));
		else
			items = json_incref(json_object_get(*out, "items"));
	} while (code == CLI_DONE && page);
	cli_select(&a->selection, items);
	json_object_set_new(*out, "items", items);
	json_decref(page);
	return code;
}

/* --- every node of a cluster --- */

/* "v1/peers/router?part=messages"; slashes in a name stay as they are. */
static void fleet_path(const struct get_args *a, struct buf *out)
{
	buf_printf(out, "v1/%s", a->kind->name);
	for (const char *at = a->name; at && *at;) {
		size_t len = strcspn(at, "/");
		char *word = mem_strndup(at, len);

		buf_puts(out, "/");
		buf_put_escaped(out, word);
		free(word);
		at += len + (at[len] == '/');
	}
	if (a->messages)
		buf_printf(out, "?part=%s", peer_messages.name);
	if (a->peer) {
		buf_puts(out, "?peer=");
		buf_put_escaped(out, a->peer);
	}
}

static enum cli_exit get_fleet(const struct get_args *a)
{
	struct buf path = { 0 };
	json_t *answers;

	fleet_path(a, &path);
	enum cli_exit code = fleet_ask(&a->remote.fleet, buf_text(&path), &answers);
	json_t *items = fleet_items(answers);

	cli_select(&a->selection, items);
	if (a->remote.format == CLI_JSON || a->remote.format == CLI_YAML) {
		json_t *all = json_pack("{s:s, s:O}", "kind", a->kind->name, "items", items);

		print(a, all);
		json_decref(all);
	} else if (json_array_size(answers)) {
		print_table(a, items);
	}
	json_decref(items);
	json_decref(answers);
	buf_fini(&path);
	return code;
}

static enum cli_exit get_once(const struct get_args *a)
{
	if (a->remote.fleet.on)
		return get_fleet(a);
	struct control_client *c = NULL;
	json_t *data = NULL;
	enum cli_exit code = remote_connect(&a->remote, &c);

	if (code == CLI_DONE)
		code = get_all(a, c, &data);
	control_client_free(c);
	if (code == CLI_DONE && a->save)
		code = save(a->save, data);
	else if (code == CLI_DONE)
		print(a, data);
	json_decref(data);
	return code;
}

int cli_get(int argc, char **argv)
{
	struct get_args a = {
		.remote = { .format = CLI_TABLE,
			    .formats = 1u << CLI_TABLE | 1u << CLI_WIDE | 1u << CLI_JSON |
				       1u << CLI_YAML },
		.arena = arena_new(),
	};

	if (argp_parse(&argp, argc, argv, 0, NULL, &a)) {
		arena_free(a.arena);
		return CLI_USAGE;
	}
	enum cli_exit code = get_once(&a);

	while (a.watch && code == CLI_DONE) {
		sleep(1);
		puts("");
		code = get_once(&a);
		fflush(stdout);
	}
	arena_free(a.arena);
	return (int)code;
}
