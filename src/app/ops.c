/* What the control socket and the HTTP port can ask of the daemon. */
#include <string.h>

#include "app/app_priv.h"
#include "app/json.h"

static const char *const kinds[] = { "services", "pools",   "peers", "routes", "bfd",
				     "l2",	 "members", "nodes", "events" };

static int op_status(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	(void)args;
	(void)e;
	*data = app_status(ctx);
	return 0;
}

/* Keeps the items of one name; a service also answers to its name without the namespace. */
static json_t *only_named(json_t *items, const char *name)
{
	json_t *kept = json_array(), *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		const char *have = json_string_value(json_object_get(item, "name"));

		if (have && strcmp(have, name) == 0)
			json_array_append(kept, item);
	}
	json_decref(items);
	return kept;
}

static int get_items(struct app *a, const char *kind, const char *name, json_t **data,
		     struct err *e)
{
	json_t *items = app_items(a, kind);

	if (!items)
		return err_set(e, ERR_PROTOCOL, "there is nothing called '%s' to get", kind);
	if (name) {
		items = only_named(items, name);
		if (json_array_size(items) == 0) {
			json_decref(items);
			return err_set(e, ERR_NOT_FOUND, "%s: there is no '%s' on %s", kind, name,
				       a->node);
		}
	}
	*data = json_pack("{s:s, s:s, s:o}", "kind", kind, "node", a->node, "items", items);
	return 0;
}

static int op_get(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	const char *kind = json_string_value(json_object_get(args, "kind"));
	const char *name = json_string_value(json_object_get(args, "name"));

	if (!kind)
		return err_set(e, ERR_PROTOCOL, "get needs args.kind: services, peers, …");
	return get_items(ctx, kind, name, data, e);
}

/* The HTTP port asks for a kind by its path: each kind is an operation too. */
#define OP_KIND(name)                                                                          \
	static int op_##name(void *ctx, const json_t *args, json_t **data, struct err *e)      \
	{                                                                                      \
		return get_items(ctx, #name, json_string_value(json_object_get(args, "name")), \
				 data, e);                                                     \
	}
OP_KIND(services)
OP_KIND(pools)
OP_KIND(peers)
OP_KIND(routes)
OP_KIND(bfd)
OP_KIND(l2)
OP_KIND(members)
OP_KIND(nodes)
OP_KIND(events)

static int op_explain(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	struct app *a = ctx;
	const char *subject = json_string_value(json_object_get(args, "subject"));

	if (!subject)
		return err_set(e, ERR_PROTOCOL,
			       "explain needs args.subject: an address or a service");
	*data = app_explain(a, subject);
	if (!*data)
		return err_set(e, ERR_NOT_FOUND,
			       "'%s' is neither a service nor an address of one; crier get "
			       "services lists them",
			       subject);
	return 0;
}

static int op_reload(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	struct app *a = ctx;

	notify_manager("RELOADING=1");
	int status = app_reload(a, json_is_true(json_object_get(args, "force")), data, e);
	notify_manager("READY=1");
	return status;
}

/* --- monitor --- */

struct monitor {
	struct event_listener listener;
	struct control_stream *stream;
	char *filter; /* an event's name, or NULL: all */
};

static void monitor_heard(struct event_listener *l, json_t *event)
{
	struct monitor *m = CONTAINER_OF(l, struct monitor, listener);
	const char *name = json_string_value(json_object_get(event, "event"));

	if (!m->filter || (name && strstr(name, m->filter)))
		control_stream_send(m->stream, event);
}

static void monitor_closed(void *ctx)
{
	struct monitor *m = ctx;

	events_unlisten(&m->listener);
	free(m->filter);
	free(m);
}

static int op_monitor(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	struct app *a = ctx;
	const char *filter = json_string_value(json_object_get(args, "filter"));
	struct monitor *m = mem_new(struct monitor);

	(void)e;
	m->stream = s;
	m->filter = filter ? mem_strdup(filter) : NULL;
	m->listener.heard = monitor_heard;
	events_listen(a->events, &m->listener);
	control_stream_on_close(s, monitor_closed, m);
	return 0;
}

static const struct control_op operations[] = {
	{ .name = "status", .read_only = true, .run = op_status },
	{ .name = "get", .run = op_get },
	{ .name = "explain", .read_only = true, .run = op_explain },
	{ .name = "reload", .run = op_reload },
	{ .name = "monitor", .start = op_monitor },
	{ .name = "services", .read_only = true, .run = op_services },
	{ .name = "pools", .read_only = true, .run = op_pools },
	{ .name = "peers", .read_only = true, .run = op_peers },
	{ .name = "routes", .read_only = true, .run = op_routes },
	{ .name = "bfd", .read_only = true, .run = op_bfd },
	{ .name = "l2", .read_only = true, .run = op_l2 },
	{ .name = "members", .read_only = true, .run = op_members },
	{ .name = "nodes", .read_only = true, .run = op_nodes },
	{ .name = "events", .read_only = true, .run = op_events },
};
