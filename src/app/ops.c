/* What the control socket and the HTTP port can ask of the daemon. */
#include <string.h>

#include "app/app_priv.h"

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

	if (!items && strcmp(kind, "shadow") == 0)
		return err_set(
			e, ERR_NOT_FOUND,
			"this daemon does what it says: only `crier run --shadow` tells what "
			"it would do");
	if (!items)
		return err_set(e, ERR_NOT_FOUND, "there is nothing called '%s' to get", kind);
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

static int get_more(const struct app *a, const char *kind, int status, json_t *data)
{
	if (status == 0) {
		json_object_set_new(data, "kind", json_string(kind));
		json_object_set_new(data, "node", json_string(a->node));
	}
	return status;
}

static int get_routes(const struct app *a, const json_t *args, json_t **data, struct err *e)
{
	int status = sessions_routes_page(&a->sessions, args, data, e);

	return get_more(a, "routes", status, *data);
}

static int get_messages(const struct app *a, const char *peer, json_t **data, struct err *e)
{
	int status = sessions_messages(&a->sessions, peer, data, e);

	return get_more(a, "messages", status, *data);
}

static int op_get(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	const char *kind = json_string_value(json_object_get(args, "kind"));
	const char *name = json_string_value(json_object_get(args, "name"));
	const char *part = json_string_value(json_object_get(args, "part"));

	if (!kind)
		return err_set(e, ERR_PROTOCOL, "get needs args.kind: services, peers, …");
	if (strcmp(kind, "routes") == 0)
		return get_routes(ctx, args, data, e);
	if (part && strcmp(kind, "peers") == 0 && strcmp(part, "messages") == 0 && name)
		return get_messages(ctx, name, data, e);
	if (part)
		return err_set(e, ERR_PROTOCOL, "%.60s have no '%.60s'", kind, part);
	return get_items(ctx, kind, name, data, e);
}

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

static void reload_unasked(void *ctx)
{
	struct app *a = ctx;

	a->reload.asked = NULL; /* nobody waits any more; the reload goes on */
}

/* One item, the difference, when it is in force. */
static int op_reload(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	struct app *a = ctx;
	int status = app_reload(a, json_is_true(json_object_get(args, "force")), s, e);

	if (status == 0)
		control_stream_on_close(s, reload_unasked, a);
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

/* --- everything away, and back --- */

#define DRAIN_MAX_MS 3600000

static int op_drain(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	json_int_t ms = json_integer_value(json_object_get(args, "timeout-ms"));

	if (ms < 0 || ms > DRAIN_MAX_MS)
		return err_set(e, ERR_PROTOCOL, "timeout-ms: 0 to %d", DRAIN_MAX_MS);
	return app_drain(ctx, DUR_MS(ms), s, e);
}

static int op_undrain(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	(void)args;
	(void)data;
	return app_undrain(ctx, e);
}

/* --- routes and peers by hand --- */

static int op_routes(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	return byhand_lines(((struct app *)ctx)->byhand, args, s, e);
}

static int op_routes_feed(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	return byhand_feed(((struct app *)ctx)->byhand, args, s, e);
}

static int op_routes_hold(void *ctx, const json_t *args, struct control_stream *s, struct err *e)
{
	(void)args;
	return byhand_hold(((struct app *)ctx)->byhand, s, e);
}

static int op_peer(void *ctx, const json_t *args, json_t **data, struct err *e)
{
	const struct app *a = ctx;
	const char *name = json_string_value(json_object_get(args, "name"));
	const char *action = json_string_value(json_object_get(args, "action"));
	const char *text = json_string_value(json_object_get(args, "text"));

	(void)data;
	if (!name || !action)
		return err_set(e, ERR_PROTOCOL, "peer needs args.name and args.action");
	return sessions_peer_admin(&a->sessions, name, action, text, e);
}

static const struct control_op operations[] = {
	{ .name = "status", .read_only = true, .run = op_status },
	{ .name = "get", .read_only = true, .run = op_get },
	{ .name = "explain", .read_only = true, .run = op_explain },
	{ .name = "reload", .start = op_reload },
	{ .name = "monitor", .start = op_monitor },
	{ .name = "route-lines", .start = op_routes },
	{ .name = "route-feed", .start = op_routes_feed },
	{ .name = "route-hold", .start = op_routes_hold },
	{ .name = "peer", .run = op_peer },
	{ .name = "drain", .start = op_drain },
	{ .name = "undrain", .run = op_undrain },
};

/* --- the HTTP port --- */

static void http_metrics(void *ctx, struct buf *out)
{
	app_collect(ctx, out);
}

static int http_ready(void *ctx, struct err *e)
{
	const struct app *a = ctx;

	if (!kubernetes_is_viewed(a->kubernetes))
		return err_set(e, ERR_STATE, "the Kubernetes API has not been seen yet");
	if (!a->cfg || !planner_is_settled(a->planner))
		return err_set(e, ERR_STATE, "not everything is planned yet");
	return a->leaving ? err_set(e, ERR_STATE, "leaving") : 0;
}

static struct control_ops ops_of(struct app *a)
{
	return (struct control_ops){ .v = operations, .n = ARRAY_LEN(operations), .ctx = a };
}

/* A port that is taken is told, and not an end: announcing matters more than being watched. */
static void http_start(struct app *a)
{
	const struct cfg_listen *at = &a->cfg->http;
	const struct addr *only = &a->environment.http;
	bool is_narrower = addr_is_set(only) && addr_is_unspecified(&at->at.addr);
	struct http_conf conf = {
		.addr = is_narrower ? *only : at->at.addr,
		.port = at->at.port,
		.ops = ops_of(a),
		.ctx = a,
		.metrics = http_metrics,
		.ready = http_ready,
	};
	struct err e = { 0 };

	if (!at->off && http_server_new(&conf, a->loop, &a->http, &e) < 0) {
		log_event(LOG_ERROR, "httpFailed", "no metrics and status page",
			  KV_STR("error", e.text));
		a->http_problem = mem_strdup(e.text);
	}
}

/* Unless the configuration names another place, the socket stands in the runtime folder. */
static char *socket_path(const struct app *a)
{
	if (strcmp(a->cfg->control.socket, "/run/crier/crier.sock") != 0)
		return mem_strdup(a->cfg->control.socket);
	return mem_printf("%s/crier.sock", a->runtime_dir);
}

int app_control_start(struct app *a, struct err *e)
{
	char *path = socket_path(a);
	struct control_conf conf = {
		.path = path,
		.group = a->cfg->control.group,
		.ops = ops_of(a),
	};
	int status = control_server_new(&conf, a->loop, &a->control, e);

	free(path);
	if (status == 0)
		http_start(a);
	return status;
}

void app_control_stop(struct app *a)
{
	a->http = http_server_free(a->http);
	a->control = control_server_free(a->control);
}
