/* What people see: the items of `crier get`, the one screen of `crier status`, and the answers of `crier explain`. */
#include <string.h>

#include "app/app_priv.h"
#include "app/json.h"
#include "app/succession.h"
#include "app/verdict.h"

/* --- get --- */

static json_t *nodes_json(const struct app *a)
{
	json_t *items = json_array();
	const struct world_node *node;

	for (size_t at = 0; (node = world_next_node(a->world, &at));) {
		json_t *item = json_item(node->name, node->alive ? "alive" : "dead",
					 membership_since(a->membership, node->name));

		json_object_set_new(item, "labels", json_labels(&node->labels));
		json_object_set_new(item, "self", json_boolean(strcmp(node->name, a->node) == 0));
		json_array_append_new(items, item);
	}
	return items;
}

/* An event as an item: its name and time where every item has them. */
static json_t *events_json(const struct app *a)
{
	json_t *items = events_list(a->events), *event;
	json_t *all = json_array();
	size_t i;

	json_array_foreach(items, i, event)
	{
		json_t *item = json_copy(event);

		json_object_set(item, "name", json_object_get(event, "event"));
		json_object_set(item, "state", json_object_get(event, "level"));
		json_object_set(item, "since", json_object_get(event, "ts"));
		json_array_append_new(all, item);
	}
	json_decref(items);
	return all;
}

static json_t *l2_json(const struct app *a)
{
	json_t *items = layer2_json(&a->layer2), *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		struct addr addr;

		if (addr_parse(json_string_value(json_object_get(item, "name")), &addr) < 0)
			continue;
		struct binding_state st = binding_state(a->binding, &addr);
		json_set_text(item, "link", st.link);
		json_set_text(item, "link-problem", st.problem);
	}
	return items;
}

json_t *app_items(struct app *a, const char *kind)
{
	if (strcmp(kind, "services") == 0)
		return services_json(a->services);
	if (strcmp(kind, "pools") == 0)
		return allocation_pools_json(a->allocation);
	if (strcmp(kind, "peers") == 0)
		return sessions_peers_json(&a->sessions);
	if (strcmp(kind, "networks") == 0)
		return networks_json(a->networks);
	if (strcmp(kind, "bfd") == 0)
		return sessions_bfd_json(&a->sessions);
	if (strcmp(kind, "l2") == 0)
		return l2_json(a);
	if (strcmp(kind, "members") == 0)
		return membership_json(a->membership);
	if (strcmp(kind, "nodes") == 0)
		return nodes_json(a);
	if (strcmp(kind, "events") == 0)
		return events_json(a);
	if (strcmp(kind, "shadow") == 0 && a->shadow)
		return shadow_json(a->shadow);
	return NULL;
}

/* --- status --- */

static void problem(json_t *problems, const char *hint, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void problem(json_t *problems, const char *hint, const char *fmt, ...)
{
	json_t *one = json_object();
	va_list ap;

	va_start(ap, fmt);
	json_object_set_new(one, "text", json_vsprintf(fmt, ap));
	va_end(ap);
	json_set_text(one, "hint", hint);
	json_array_append_new(problems, one);
}

static void count(json_t *counts, const char *what, size_t good, size_t total, const char *meaning)
{
	json_object_set_new(counts, what,
			    json_pack("{s:I, s:I, s:s}", "good", (json_int_t)good, "total",
				      (json_int_t)total, "meaning", meaning));
}

/* How many items are in a state; what is said of the others. */
static size_t in_state(json_t *items, const char *state, json_t *problems, const char *fmt,
		       const char *reason_field, const char *hint)
{
	size_t i, n = 0;
	json_t *item;

	json_array_foreach(items, i, item)
	{
		const char *have = json_string_value(json_object_get(item, "state"));
		const char *name = json_string_value(json_object_get(item, "name"));
		const char *why = json_string_value(json_object_get(item, reason_field));

		if (have && strcmp(have, state) == 0)
			n++;
		else
			problem(problems, hint, "%s %s is %s%s%s", fmt, name ? name : "?",
				have ? have : "?", why ? ": " : "", why ? why : "");
	}
	return n;
}

static void listen_status(const struct app *a, json_t *problems)
{
	struct bgp_listen_status st;
	char at[ADDR_PORT_TEXT_MAX];

	for (size_t i = 0; bgp_speaker_listen_next(a->sessions.bgp, &i, &st);)
		if (st.error)
			problem(problems, "ss -tlnp shows who has the port",
				"BGP does not listen on %s%s%s: %s",
				addr_port_format(&st.addr, st.port, at), st.device ? " of " : "",
				st.device ? st.device : "", st.error);
}

static void deaf_status(const struct app *a, json_t *problems)
{
	int bfd = packet_bfd_listen_errno(a->packet), mesh = packet_pulse_listen_errno(a->packet);

	if (bfd)
		problem(problems, "ss -ulnp shows who has port 3784 or 4784; it is tried again",
			"BFD can't receive: %s", strerror(bfd));
	if (mesh)
		problem(problems, "ss -tulnp shows who has the port; it is tried again",
			"fast detection can't be reached on port %u: %s", mesh_port(a->mesh),
			strerror(mesh));
}

static void sessions_status(const struct app *a, json_t *counts, json_t *problems)
{
	json_t *peers = sessions_peers_json(&a->sessions), *bfd = sessions_bfd_json(&a->sessions);
	json_t *told = a->drain.state == DRAIN_DONE ? NULL : problems; /* else closed on purpose */

	count(counts, "peers",
	      in_state(peers, "established", told, "peer", "last-error", "crier get peers -o wide"),
	      json_array_size(peers), "established");
	if (json_array_size(bfd) > 0)
		count(counts, "bfd",
		      in_state(bfd, "up", problems, "the BFD session with", "local-diagnostic",
			       "crier get bfd -o wide"),
		      json_array_size(bfd), "up");
	json_decref(bfd);
	json_decref(peers);
	listen_status(a, problems);
}

static void networks_status(const struct app *a, json_t *counts, json_t *problems)
{
	json_t *items = networks_json(a->networks);

	if (json_array_size(items) > 0)
		count(counts, "networks",
		      in_state(items, "announced", problems, "the network", "reason",
			       "crier get networks -o wide"),
		      json_array_size(items), "announced from this node");
	json_decref(items);
}

static void services_status(struct app *a, json_t *counts, json_t *problems)
{
	struct services_count n = services_count(a->services);
	const struct world_service *ws;

	count(counts, "services", n.announced, n.total, "announced from this node");
	for (size_t at = 0; (ws = world_next_service(a->world, &at));) {
		const char *unplaced = verdict_unplaced(a, ws->key);

		if (!kubernetes_handles(a, ws))
			continue;
		if (unplaced)
			problem(problems, "crier explain NAME",
				"service %s can't be announced from here: %s", ws->key, unplaced);
		if (!ws->n_addresses) {
			const char *why = ws->object ? allocator_refusal(a->allocator, ws->key)
						     : allocation_refusal(a->allocation, ws->key);

			problem(problems, "crier get pools", "service %s has no address%s%s",
				ws->key, why ? ": " : "", why ? why : "");
		}
	}
}

static void bindings_status(const struct app *a, json_t *problems)
{
	json_t *items = l2_json(a), *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		const char *why = json_string_value(json_object_get(item, "link-problem"));

		if (why)
			problem(problems, NULL, "%s is not on a link: %s",
				json_string_value(json_object_get(item, "name")), why);
	}
	json_decref(items);
}

static void conflicts_status(const struct app *a, json_t *problems)
{
	struct addr which;
	char *text;

	for (size_t at = 0; (text = layer2_next_problem(&a->layer2, &at, &which));) {
		problem(problems,
			"find that machine and take the address off it; if it is a member, let the "
			"ports of cluster.bind and fast-detection (7946 and 7947 unless "
			"configured) through between the nodes",
			"%s: %s", ADDR_TEXT(&which), text);
		free(text);
	}
}

static void unheard_status(const struct app *a, json_t *problems)
{
	char *which = layer2_unheard(&a->layer2);

	if (which)
		problem(problems,
			"ip link; ports of a bridge or VRF and l2.exclude-interfaces don't count",
			"nobody hears of %s: no link to announce on is up with a carrier", which);
	free(which);
}

static void others_status(const struct app *a, json_t *problems)
{
	const char *text;

	for (size_t at = 0; (text = others_next(a->others, &at));)
		problem(problems, NULL, "%s", text);
}

static void member_problem(void *problems, const char *hint, const char *text)
{
	problem(problems, hint, "%s", text);
}

static void members_status(const struct app *a, json_t *counts, json_t *problems)
{
	json_t *others = share_disagreeing(a->share), *name;
	size_t i, alive = membership_count(a->membership), known = 0;

	for (size_t at = 0; world_next_node(a->world, &at);)
		known++;
	if (membership_enabled(a->membership))
		count(counts, "members", alive, known, "alive");
	if (world_is_reference(a->world) && !a->cfg->l2.preempt)
		problem(problems, "l2: {preempt: true}, or crier on every node",
			"l2.preempt: false has no effect: members that are not crier follow the "
			"ranking alone");
	if (!world_has_quorum(a->world))
		problem(problems,
			"crier get members; whoever is gone for good is taken from cluster.join",
			"this is the smaller part of the cluster, %zu of %zu members: silent by "
			"Layer 2",
			world_quorum(a->world)->alive, world_quorum(a->world)->of);
	membership_problems(a->membership, member_problem, problems);
	json_array_foreach(others, i, name)
	{
		problem(problems, "give every member the same file, then: crier reload",
			"member %s has other pools or services than this node",
			json_string_value(name));
	}
	json_decref(others);
}

static json_t *config_status(const struct app *a, json_t *problems)
{
	struct buf files = { 0 };

	for (size_t i = 0; i < a->conf.n_paths; i++)
		buf_printf(&files, "%s%s", i ? ", " : "", a->conf.paths[i]);
	json_t *config = json_pack("{s:s, s:s, s:s, s:I, s:I}", "files", buf_text(&files), "state",
				   a->config.why ? "stale" : "in force", "since",
				   JSON_TIME(a->config.since), "loads", (json_int_t)a->config.loads,
				   "refusals", (json_int_t)a->config.refusals);
	if (a->config.why) {
		json_set_text(config, "error", a->config.why);
		problem(problems, "mend the file, then: crier reload",
			"the configuration on disk was refused: %s", a->config.why);
	}
	buf_fini(&files);
	return config;
}

json_t *app_status(struct app *a)
{
	json_t *counts = json_object(), *problems = json_array();
	json_t *config = config_status(a, problems);

	services_status(a, counts, problems);
	sessions_status(a, counts, problems);
	networks_status(a, counts, problems);
	members_status(a, counts, problems);
	bindings_status(a, problems);
	conflicts_status(a, problems);
	unheard_status(a, problems);
	others_status(a, problems);
	deaf_status(a, problems);
	if (kubernetes_problem(a->kubernetes))
		problem(problems, "what is in force stays; crier get events tells since when",
			"the Kubernetes API can't be read: %s", kubernetes_problem(a->kubernetes));
	else if (!kubernetes_is_viewed(a->kubernetes))
		problem(problems, NULL, "the Kubernetes API has not been seen yet");
	if (pods_problem(a->pods))
		problem(problems, "the daemon's account has to list pods in its namespace",
			"the pods of the members can't be listed: %s", pods_problem(a->pods));
	if (allocator_problem(a->allocator))
		problem(problems, "stop one of the two, then restart crier", "%s",
			allocator_problem(a->allocator));
	if (a->drain.state != DRAIN_NO)
		problem(problems, "crier undrain brings it back",
			a->drain.state == DRAIN_DONE ? "%s is drained: nothing is announced from it"
						     : "%s is being drained",
			a->node);
	if (a->http_problem)
		problem(problems, "http: {listen: …} in the configuration",
			"no metrics and status page: %s", a->http_problem);
	if (packet_events_lost(a->packet))
		problem(problems, NULL, "%llu events of the packet thread were lost",
			(unsigned long long)packet_events_lost(a->packet));
	return json_pack("{s:s, s:b, s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o*, s:o*}", "node",
			 a->node, "healthy", json_array_size(problems) == 0, "version",
			 CRIER_VERSION, "since", JSON_TIME(a->started), "config", config, "counts",
			 counts, "packet-thread", priority_name(packet_priority(a->packet)),
			 "layer2", fastpath_json(a->layer2.fastpath, a->links), "bfd",
			 fastpath_bfd_json(a->layer2.fastpath, a->links), "problems", problems,
			 "kubernetes", kubernetes_json(a->kubernetes), "allocator",
			 allocator_json(a->allocator));
}

/* --- explain --- */

static const char *service_of(const struct app *a, const char *subject)
{
	const struct world_service *ws = world_service(a->world, subject);
	struct addr addr;

	if (ws)
		return ws->key;
	if (addr_parse(subject, &addr) < 0)
		return NULL;
	for (size_t at = 0; (ws = world_next_service(a->world, &at));)
		for (size_t i = 0; i < ws->n_addresses; i++)
			if (addr_eq(&ws->addresses[i], &addr))
				return ws->key;
	return NULL;
}

static void condition(json_t *all, const char *name, const char *value, bool ok, const char *reason)
{
	json_t *one =
		json_pack("{s:s, s:s, s:b}", "name", name, "value", value ? value : "", "ok", ok);

	json_set_text(one, "reason", reason);
	json_array_append_new(all, one);
}

/* True when this node answers. The packet thread may have taken over from one that everybody else still counts as alive. */
static bool explain_owner(const struct app *a, const struct plan_l2 *l2, bool owned, json_t *all)
{
	const char *first = l2->n_succession ? l2->succession[0].node : a->node;
	char *instead = strcmp(first, a->node) == 0
				? NULL
				: mem_printf("this node answers ARP or NDP for it, in the place of "
					     "%s, which fast detection has lost",
					     first);

	bool heard = layer2_is_heard(&a->layer2, &l2->addr);
	condition(all, "answers-here", ADDR_TEXT(&l2->addr), owned && heard,
		  !owned    ? layer2_why_silent(&a->layer2, &l2->addr)
		  : !heard  ? "this node would, but no link that it is announced on is up with a "
			      "carrier"
		  : instead ? instead
			    : "this node answers ARP or NDP for it");
	free(instead);
	return owned && heard;
}

/*
 * What the packet thread and the kernel say of the service's Layer 2 addresses, beyond the plan.
 * True when this node answers for one of them.
 */
static bool explain_layer2(const struct app *a, const struct plan *plan, json_t *all)
{
	bool answers = false;

	for (size_t i = 0; plan && i < plan->n_l2; i++) {
		const struct addr *addr = &plan->l2[i].addr;
		bool owned = layer2_owns(&a->layer2, addr);
		struct binding_state st = binding_state(a->binding, addr);

		answers |= explain_owner(a, &plan->l2[i], owned, all);
		char *conflict = layer2_problem(&a->layer2, addr);
		if (conflict)
			condition(all, "claimed-by-another", ADDR_TEXT(addr), false, conflict);
		free(conflict);
		if (st.problem[0])
			condition(all, "on-a-link", ADDR_TEXT(addr), false, st.problem);
		else if (st.link[0])
			condition(all, "on-a-link", st.link, true, NULL);
	}
	return answers;
}

/* True when a router was told of one of the prefixes. */
static bool explain_sessions(const struct app *a, const struct plan *plan, json_t *all)
{
	bool told = false;

	for (size_t i = 0; plan && i < plan->n_bgp; i++) {
		struct bgp_peer_status st;
		struct bgp_route_status route;
		const char *peer = plan->bgp[i].peer->name;

		if (!bgp_speaker_find(a->sessions.bgp, peer, &st))
			continue;
		condition(all, "session", peer, st.state == BGP_ESTABLISHED,
			  bgp_state_name(st.state));
		if (!bgp_speaker_route_find(a->sessions.bgp, peer, &plan->bgp[i].prefix, &route))
			continue;
		told |= route.sent;
		condition(all, "route-sent", PREFIX_TEXT(&plan->bgp[i].prefix),
			  route.sent && !route.pending, route.sent ? NULL : "not sent yet");
	}
	return told;
}

static void explain_health(struct app *a, const char *service, json_t *all)
{
	const char *unplaced = verdict_unplaced(a, service);
	struct health_status st;

	if (unplaced)
		condition(all, "placement", "no link of this host fits", false, unplaced);

	if (health_checker_status(a->health, service, &st))
		condition(all, "health-check", st.healthy ? "passes here" : "fails here",
			  st.healthy, st.reason);
}

json_t *app_explain(struct app *a, const char *subject)
{
	const char *service = service_of(a, subject);
	struct plan_explanation *x;
	json_t *all = json_array();

	if (!service) {
		json_decref(all);
		return NULL;
	}
	x = plan_explain(a->world, service, a->node);
	for (size_t i = 0; i < x->n; i++)
		condition(all, x->v[i].name, x->v[i].value, x->v[i].ok, x->v[i].reason);
	explain_health(a, service, all);
	bool answers = explain_layer2(a, planner_plan(a->planner, service), all);
	bool told = explain_sessions(a, planner_plan(a->planner, service), all);
	json_t *answer = json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "subject", subject, "service",
				   service, "node", a->node, "planned", x->announced, "announced",
				   answers || (x->announced && told), "conditions", all);
	json_t *ranking = succession_json(a->world, service);

	if (json_array_size(ranking) > 0)
		json_object_set(answer, "ranking", ranking);
	json_decref(ranking);
	plan_explanation_free(x);
	return answer;
}

/* --- metrics --- */

static void one_value(struct metric_writer *w, enum metric_type type, const char *name,
		      const char *help, uint64_t v)
{
	metric_family(w, type, name, help);
	metric_sample(w, name, NULL, 0, (double)v);
}

void app_collect(struct app *a, struct buf *out)
{
	struct metric_writer w = { .out = out };

	one_value(&w, METRIC_GAUGE, "metallb_k8s_client_config_loaded_bool",
		  "1 if a configuration was loaded", a->config.loads > 0);
	one_value(&w, METRIC_GAUGE, "metallb_k8s_client_config_stale_bool",
		  "1 if running on a configuration that is not the one on disk",
		  a->config.why != NULL);
	one_value(&w, METRIC_COUNTER, "metallb_k8s_client_updates_total", "Configurations read",
		  a->config.loads + a->config.refusals);
	one_value(&w, METRIC_COUNTER, "metallb_k8s_client_update_errors_total",
		  "Configurations refused", a->config.refusals);
	kubernetes_collect(a->kubernetes, &w);
	allocator_collect(a->allocator, &w);
	planner_collect(a->planner, &w);
	services_collect(a->services, &w);
	allocation_collect(a->allocation, &w);
	layer2_collect(&a->layer2, &w);
	sessions_collect(&a->sessions, &w);
	membership_collect(a->membership, &w);
	mesh_collect(a->mesh, &w);
	control_server_metrics(a->control, &w);
	one_value(&w, METRIC_COUNTER, "crier_packet_events_lost_total",
		  "Events of the packet thread that found the ring full",
		  packet_events_lost(a->packet));
	one_value(&w, METRIC_COUNTER, "crier_share_refused_total",
		  "Statements of members that could not be read", share_refused(a->share));
}
