/* crier's own sections: node, cluster, bgp, bfd, l2, control, http, log. */
#include <regex.h>
#include <string.h>
#include <sys/un.h>

#include "config/fields.h"
#include "config/value.h"

#define NODE_NAME_MAX  253
#define PATTERN_MAX    128
#define REFRESH_MAX_NS 86400000000000

static void node_name_check(struct loader *l, const struct place *p, void *object)
{
	const char *name = ((struct cfg_node *)object)->name;
	size_t len = strlen(name);

	if (len > NODE_NAME_MAX || strcspn(name, " \t\r\n/") != len)
		load_error(l, p, "one word, such as the host's name", "'%.60s' cannot name a node",
			   name);
}

static const struct field node_fields[] = {
	{ "name", FIELD_TEXT, "what the other nodes call this machine", AT(struct cfg_node, name),
	  .preset_text = "the host's name", .load = node_name_check },
	{ "labels", FIELD_LABELS, "what node-selectors see", AT(struct cfg_node, labels) },
};

const struct level level_node = {
	.noun = "node",
	.fields = node_fields,
	.n = ARRAY_LEN(node_fields),
	.object_size = sizeof(struct cfg_node),
};

static void join_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_cluster *c = object;

	if (!value_is(l, p, DOC_LIST))
		return;
	struct cfg_endpoint *v = arena_new_n(l->arena, struct cfg_endpoint, p->at->n_items);
	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place at = place_index(p, i, p->at->items[i]);

		v[c->n_join].port = 7946;
		if (value_endpoint(l, &at, &v[c->n_join]))
			c->n_join++;
	}
	c->join = v;
}

static const struct field fast_fields[] = {
	{ "port", FIELD_UINT,
	  "where heartbeats (UDP) and questions (TCP) arrive, the same on all nodes",
	  AT(struct cfg_fast_detection, port), .min = 1, .max = 65535, .preset = "7947" },
	{ "interval", FIELD_DURATION, "a heartbeat to each other node so often",
	  AT(struct cfg_fast_detection, interval), .min = 10000000, .max = 10000000000,
	  .preset = "50ms" },
	{ "multiplier", FIELD_UINT, "a node is missed after so many intervals of silence",
	  AT(struct cfg_fast_detection, multiplier), .min = 2, .max = 50, .preset = "3" },
};

static const struct level level_fast = {
	.noun = "fast-detection",
	.fields = fast_fields,
	.n = ARRAY_LEN(fast_fields),
	.object_size = sizeof(struct cfg_fast_detection),
};

static void fast_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_fast_detection *fast = &((struct cfg_cluster *)object)->fast_detection;

	fast->off = p->at->text && strcmp(p->at->text, "off") == 0;
	if (!fast->off)
		level_load(l, &level_fast, p, fast);
}

static void cluster_preset(void *object)
{
	level_preset(&level_fast, &((struct cfg_cluster *)object)->fast_detection);
}

static void cluster_done(struct loader *l, const struct place *p, void *object)
{
	(void)l, (void)p;
	((struct cfg_cluster *)object)->enabled = true;
}

static const struct field cluster_fields[] = {
	{ "bind", FIELD_ENDPOINT,
	  "where gossip listens, TCP and UDP; on `[::]` where only IPv6 leads to the others",
	  AT(struct cfg_cluster, bind), .preset_port = 7946, .preset = "0.0.0.0:7946" },
	{ "join", FIELD_OWN, "some of the other nodes; naming ourselves does no harm",
	  .shape = "list of addresses; the port is 7946 where none is written", .load = join_load },
	{ "secret-file", FIELD_TEXT, "a file with the key that gossip is encrypted with",
	  AT(struct cfg_cluster, secret_file), .preset_text = "not encrypted" },
	{ "fast-detection", FIELD_OWN,
	  "heartbeats between the nodes, by which an address moves in a fraction of a second; "
	  "without "
	  "them gossip notices a death within seconds",
	  .shape = "mapping, or `off`", .preset_text = "on", .level = &level_fast,
	  .load = fast_load },
	{ "quorum", FIELD_BOOL,
	  "`true`: in the smaller part of a divided cluster nobody announces by Layer 2; `join` "
	  "then "
	  "names every node, by the address that the others know it by (others that have died "
	  "count "
	  "for an "
	  "hour)",
	  AT(struct cfg_cluster, quorum), .preset = "false" },
};

const struct level level_cluster = {
	.noun = "cluster",
	.fields = cluster_fields,
	.n = ARRAY_LEN(cluster_fields),
	.object_size = sizeof(struct cfg_cluster),
	.preset = cluster_preset,
	.done = cluster_done,
};

static void bgp_router_id_check(struct loader *l, const struct place *p, void *object)
{
	check_router_id(l, p, &((struct cfg_bgp *)object)->router_id);
}

static void bgp_listen_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_endpoint at = { .port = 179 };

	if (p->at->text && strcmp(p->at->text, "none") == 0)
		return;
	if (value_endpoint(l, p, &at))
		((struct cfg_bgp *)object)->listen = at;
}

static void bgp_restart_load(struct loader *l, const struct place *p, void *object)
{
	struct dur restart;

	if (restart_value(l, p, &restart))
		((struct cfg_bgp *)object)->restart = restart;
}

/* RFC 9494 §3: 24 bits. */
#define LONG_LIVED_MAX_NS 16777215000000000

static void bgp_long_lived_load(struct loader *l, const struct place *p, void *object)
{
	struct dur *d = &((struct cfg_bgp *)object)->long_lived;

	if (p->at->text && strcmp(p->at->text, "off") == 0)
		return;
	if (!value_duration(l, p, d))
		return;
	if (d->ns < 0 || d->ns > LONG_LIVED_MAX_NS || d->ns % DUR_S(1).ns)
		load_error(l, p, "24h", "%s is not whole seconds up to 16777215s", DUR_TEXT(*d));
}

static const struct field bgp_fields[] = {
	{ "router-id", FIELD_ADDRESS, "our BGP identifier on sessions that name none; IPv4",
	  AT(struct cfg_bgp, router_id), .preset_text = "from each session's address",
	  .load = bgp_router_id_check },
	{ "listen", FIELD_OWN,
	  "where peers connect to us: `[::]:179` is both families; all peers may, whether we "
	  "connect "
	  "to them or not",
	  .shape = "address:port, or `none`", .preset_text = "none", .load = bgp_listen_load },
	{ "graceful-restart", FIELD_OWN,
	  "how long peers keep our routes while we restart, where they do not say it themselves",
	  .shape = "`off`, `on` (120s), or whole seconds up to 4095s", .preset_text = "off",
	  .load = bgp_restart_load },
	{ "long-lived-restart", FIELD_OWN,
	  "how much longer routers that know RFC 9494 keep our routes after that, as their last "
	  "choice",
	  .shape = "`off`, or whole seconds up to 16777215s", .preset_text = "off",
	  .load = bgp_long_lived_load },
};

const struct level level_bgp = {
	.noun = "bgp",
	.fields = bgp_fields,
	.n = ARRAY_LEN(bgp_fields),
	.object_size = sizeof(struct cfg_bgp),
};

static const struct word auto_or_off[] = { { "auto", CFG_AUTO }, { "off", CFG_OFF }, { 0 } };

static const struct word fast_path_words[] = {
	{ "auto", CFG_FAST_AUTO }, { "xdp", CFG_FAST_XDP }, { "socket", CFG_FAST_SOCKET }, { 0 }
};

static const struct field bfd_fields[] = {
	{ "real-time", FIELD_WORD,
	  "`auto`: the packet thread has real-time priority where the host permits it",
	  AT(struct cfg_bfd, real_time), .words = auto_or_off, .preset = "auto" },
	{ "raw-send", FIELD_WORD,
	  "`auto`: all sessions send through one raw socket; `off`: each has a UDP socket",
	  AT(struct cfg_bfd, raw_send), .words = auto_or_off, .preset = "auto" },
	{ "fast-path", FIELD_WORD,
	  "who receives packets of single-hop sessions that tell nothing new: `xdp`: the kernel "
	  "notes them "
	  "without waking the process; `auto`: that, on links whose driver can, where sessions may "
	  "bring 5000 "
	  "and more of them a second; `socket`: the process",
	  AT(struct cfg_bfd, fast_path), .words = fast_path_words, .preset = "auto" },
};

const struct level level_bfd_own = {
	.noun = "bfd",
	.fields = bfd_fields,
	.n = ARRAY_LEN(bfd_fields),
	.object_size = sizeof(struct cfg_bfd),
};

/* A pattern may cost memory without end to compile: only small counts, and what RE2 alone knows
 * is told. */
static const char *pattern_problem(const char *text)
{
	const char *brace = strchr(text, '{');

	if (strlen(text) > PATTERN_MAX)
		return "it is too long";
	if (brace && (strchr(brace + 1, '{') || strspn(brace + 1, "0123456789,") > 5))
		return "it counts too much";
	for (const char *c = text; *c; c++) {
		if (*c == '\\' && c[1] && !strchr("\\^.[$()|*+?{-/", c[1]))
			return "a backslash goes before a special character only";
		if (*c == '\\' && c[1])
			c++;
		else if (strchr("*+?", *c) && (c[1] == '?' || c[1] == '+'))
			return "one count per thing";
		else if (*c == '(' && c[1] == '?')
			return "(? is not known";
	}
	return NULL;
}

static bool pattern_check(struct loader *l, const struct place *p, const char *text)
{
	const char *problem = pattern_problem(text);
	regex_t re;
	char why[128];

	if (!problem) {
		int rc = regcomp(&re, text, REG_EXTENDED | REG_NOSUB);

		if (rc == 0) {
			regfree(&re);
			return true;
		}
		regerror(rc, &re, why, sizeof(why));
		problem = why;
	}
	load_error(l, p, "POSIX extended regular expressions, such as ^docker.*",
		   "'%.60s' is not a pattern: %s", text, problem);
	return false;
}

static void exclude_check(struct loader *l, const struct place *p, void *object)
{
	const struct cfg_l2 *c = object;

	for (size_t i = 0; i < c->exclude_interfaces.n; i++) {
		struct place at = place_index(p, i, p->at->items[i]);

		(void)pattern_check(l, &at, c->exclude_interfaces.v[i]);
	}
}

static const struct word on_conflict_words[] = { { "keep", CFG_CONFLICT_KEEP },
						 { "yield", CFG_CONFLICT_YIELD },
						 { 0 } };
static const struct word allmulti_words[] = {
	{ "auto", CFG_ALLMULTI_AUTO }, { "on", CFG_ALLMULTI_ON }, { "off", CFG_ALLMULTI_OFF }, { 0 }
};
static const struct word probe_words[] = { { "false", CFG_PROBE_NEVER },
					   { "true", CFG_PROBE_FIRST },
					   { "always", CFG_PROBE_ALWAYS },
					   { 0 } };

static const struct field l2_fields[] = {
	{ "exclude-interfaces", FIELD_TEXTS,
	  "links on which nothing is announced, on top of the built-in ones; regular expressions",
	  AT(struct cfg_l2, exclude_interfaces), .load = exclude_check },
	{ "conflict-detection", FIELD_BOOL,
	  "notice other machines that claim our addresses; among members of the cluster the "
	  "ranking then decides at once",
	  AT(struct cfg_l2, conflict_detection), .preset = "true" },
	{ "on-conflict", FIELD_WORD,
	  "when a machine outside the cluster claims one: `keep` it and say so on the LAN once in "
	  "10 s, or `yield` until it is free again",
	  AT(struct cfg_l2, on_conflict), .words = on_conflict_words, .preset = "keep" },
	{ "probe", FIELD_WORD,
	  "`true`: ask whether an address is free before this node claims it for the first time "
	  "(half a second); `always`: also when it takes over from another node",
	  AT(struct cfg_l2, probe), .words = probe_words, .preset = "false" },
	{ "preempt", FIELD_BOOL,
	  "`false`: an address stays where it is when a better node returns, for as long as its "
	  "owner "
	  "can announce it; has no effect while MetalLB's speakers are members",
	  AT(struct cfg_l2, preempt), .preset = "true" },
	{ "linger", FIELD_DURATION,
	  "how long a former owner keeps an address on its link, for clients that have not heard "
	  "of the "
	  "new one",
	  AT(struct cfg_l2, linger), .preset = "50ms", .max = 10000000000 },
	{ "end-connections", FIELD_BOOL,
	  "end TCP connections to an address that leaves this host, so that clients connect again "
	  "at "
	  "once instead of waiting for a time-out",
	  AT(struct cfg_l2, end_connections), .preset = "true" },
	{ "answer-ping", FIELD_BOOL,
	  "answer echo requests for addresses that are on no link of this host, so that its kernel "
	  "does not",
	  AT(struct cfg_l2, answer_ping), .preset = "false" },
	{ "allmulti", FIELD_WORD,
	  "let all multicast in where IPv6 addresses are announced: `auto` on wireless cards and "
	  "those of virtual machines, "
	  "which lose neighbour solicitations otherwise; `on`: everywhere; `off`",
	  AT(struct cfg_l2, allmulti), .words = allmulti_words, .preset = "auto" },
	{ "fast-path", FIELD_WORD,
	  "`auto`: requests are answered inside the driver of links that can; `xdp`: above the "
	  "driver "
	  "of all others too, which costs a little on each packet that comes in; `socket`: by the "
	  "process",
	  AT(struct cfg_l2, fast_path), .words = fast_path_words, .preset = "auto" },
	{ "refresh", FIELD_DURATION,
	  "each address that a node owns is announced again so often, before switches and "
	  "neighbours forget it; `0s`: never",
	  AT(struct cfg_l2, refresh), .preset = "2m", .max = REFRESH_MAX_NS },
	{ "announce-rate", FIELD_UINT,
	  "most announcements in a second, for networks that lose bursts; 0: as fast as they go",
	  AT(struct cfg_l2, announce_rate), .preset = "0", .max = 1000000 },
};

const struct level level_l2 = {
	.noun = "l2",
	.fields = l2_fields,
	.n = ARRAY_LEN(l2_fields),
	.object_size = sizeof(struct cfg_l2),
};

static void socket_check(struct loader *l, const struct place *p, void *object)
{
	(void)object;
	if (strlen(p->at->text) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		load_error(l, p, NULL, "a socket's path has at most 107 bytes");
}

static const struct field control_fields[] = {
	{ "socket", FIELD_TEXT, "where the commands reach the daemon",
	  AT(struct cfg_control, socket), .preset = "/run/crier/crier.sock", .load = socket_check },
	{ "group", FIELD_TEXT, "the group that may use it", AT(struct cfg_control, group),
	  .preset = "crier" },
};

const struct level level_control = {
	.noun = "control",
	.fields = control_fields,
	.n = ARRAY_LEN(control_fields),
	.object_size = sizeof(struct cfg_control),
};

static void listen_load(struct loader *l, const struct place *p, void *object)
{
	struct cfg_listen *c = object;

	c->off = p->at->kind == DOC_STRING && strcmp(p->at->text, "none") == 0;
	if (!c->off)
		(void)value_endpoint(l, p, &c->at);
}

static void http_preset(void *object)
{
	((struct cfg_listen *)object)->at =
		(struct cfg_endpoint){ .addr = addr_v4(0, 0, 0, 0), .port = 7472 };
}

static const struct field http_fields[] = {
	{ "listen", FIELD_OWN, "metrics and status pages", .shape = "address:port, or `none`",
	  .preset_text = "0.0.0.0:7472", .load = listen_load },
};

const struct level level_http = {
	.noun = "http",
	.fields = http_fields,
	.n = ARRAY_LEN(http_fields),
	.object_size = sizeof(struct cfg_listen),
	.preset = http_preset,
};

static const struct word log_formats[] = { { "json", LOG_JSON }, { "text", LOG_TEXT }, { 0 } };
static const struct word log_levels[] = { { "all", LOG_LEVEL_DEBUG },
					  { "debug", LOG_LEVEL_DEBUG },
					  { "info", LOG_LEVEL_INFO },
					  { "warn", LOG_LEVEL_WARN },
					  { "error", LOG_LEVEL_ERROR },
					  { "none", LOG_LEVEL_NONE },
					  { 0 } };

static const struct field log_fields[] = {
	{ "format", FIELD_WORD, "`json` or `text`", AT(struct cfg_log, format),
	  .words = log_formats, .preset = "json" },
	{ "level", FIELD_WORD, "least important events that are shown", AT(struct cfg_log, level),
	  .words = log_levels, .preset = "info" },
};

const struct level level_log = {
	.noun = "log",
	.fields = log_fields,
	.n = ARRAY_LEN(log_fields),
	.object_size = sizeof(struct cfg_log),
};
