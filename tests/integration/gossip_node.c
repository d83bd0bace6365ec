/*
 * A member made of our own cluster room alone, for the interop test. It prints what it learns, one
 * line each, and obeys signals: USR1 gossips a message, USR2 changes its metadata, TERM leaves.
 *
 *   gossip_node --name N --bind ADDR[:PORT] [--join ADDR[:PORT],…] [--key HEX] [--label L] [--meta
 *   M]
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/metric.h"
#include "cluster/io.h"

#define JOINS 8

struct app {
	struct loop *loop;
	struct cluster *cluster;
	const char *name;
	struct loop_signal signals[3];
	char text[128];
};

static struct app app;

static void on_event(void *ctx, const struct cluster_event *ev)
{
	static const char *const words[] = { "join", "update", "leave", "message" };
	char at[ADDR_PORT_TEXT_MAX];
	const struct gossip_member *m = ev->member;

	(void)ctx;
	if (ev->type == CLUSTER_USER_MESSAGE)
		printf("message %.*s\n", (int)ev->bytes.left, (const char *)ev->bytes.p);
	else
		printf("%s %s %s %.*s\n", words[ev->type], m->name,
		       addr_port_format(&m->addr, m->port, at), (int)m->meta_len,
		       (const char *)m->meta);
}

static void local_state(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_printf(out, "state-of-%s", app.name);
}

static void merge_state(void *ctx, struct rd state)
{
	(void)ctx;
	printf("state %.*s\n", (int)state.left, (const char *)state.p);
}

static void left(void *ctx)
{
	(void)ctx;
	loop_stop(app.loop);
}

static void caught(struct loop_signal *s, int signo)
{
	(void)s;
	if (signo == SIGTERM) {
		cluster_leave(app.cluster, left, NULL);
		return;
	}
	snprintf(app.text, sizeof(app.text), "%s-%s",
		 signo == SIGUSR1 ? "hello-from" : "changed-by", app.name);
	int r = signo == SIGUSR1 ? cluster_broadcast_user(app.cluster, app.text, strlen(app.text))
				 : cluster_set_meta(app.cluster, app.text, strlen(app.text));
	if (r < 0)
		printf("refused\n");
}

static int parse_endpoint(const char *text, struct gossip_endpoint *out)
{
	out->port = GOSSIP_PORT;
	return addr_port_parse(text, &out->addr, &out->port);
}

static size_t parse_joins(char *list, struct gossip_endpoint *out)
{
	size_t n = 0;
	char *save;

	for (char *w = strtok_r(list, ",", &save); w && n < JOINS; w = strtok_r(NULL, ",", &save)) {
		if (parse_endpoint(w, &out[n]) == 0)
			n++;
	}
	return n;
}

static int parse_key(const char *hex, struct crypt_ring *ring)
{
	uint8_t key[CRYPT_KEY_MAX];
	long n = bytes_unhex(hex, key, sizeof(key));

	return n < 0 ? -1 : crypt_ring_add(ring, key, (size_t)n);
}

static int parse(int argc, char **argv, struct cluster_conf *conf, struct gossip_endpoint *joins)
{
	static const struct option options[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "bind", required_argument, NULL, 'b' },
		{ "join", required_argument, NULL, 'j' },
		{ "key", required_argument, NULL, 'k' },
		{ "label", required_argument, NULL, 'l' },
		{ "meta", required_argument, NULL, 'm' },
		{ 0 },
	};
	int r = 0;

	for (int c; r == 0 && (c = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
		if (c == 'n')
			conf->name = optarg;
		else if (c == 'b')
			r = parse_endpoint(optarg, &conf->bind);
		else if (c == 'j')
			conf->n_join = parse_joins(optarg, joins);
		else if (c == 'k')
			r = parse_key(optarg, &conf->ring);
		else if (c == 'l')
			conf->label = optarg;
		else if (c == 'm')
			conf->meta = optarg;
		else
			r = -1;
	}
	conf->join = joins;
	conf->meta_len = conf->meta ? strlen(conf->meta) : 0;
	return conf->name && addr_is_set(&conf->bind.addr) ? r : -1;
}

static void print_counters(void)
{
	struct buf text = { 0 };
	struct metric_writer w = { .out = &text };

	cluster_collect(app.cluster, &w);
	printf("%s", buf_text(&text));
	buf_fini(&text);
}

int main(int argc, char **argv)
{
	static const int signals[] = { SIGUSR1, SIGUSR2, SIGTERM };
	struct gossip_endpoint joins[JOINS];
	struct cluster_conf conf = {
		.hooks = { .on_event = on_event,
			   .local_state = local_state,
			   .merge_state = merge_state },
	};
	struct err e = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (parse(argc, argv, &conf, joins) < 0) {
		fprintf(stderr, "bad arguments\n");
		return 2;
	}
	app.name = conf.name;
	if (loop_new(&app.loop, &e) < 0 || cluster_new(app.loop, &conf, &app.cluster, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		loop_free(app.loop);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		loop_signal_init(&app.signals[i], app.loop, caught);
		loop_signal_start(&app.signals[i], signals[i]);
	}
	printf("ready\n");
	loop_run(app.loop);
	print_counters();
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		loop_signal_stop(&app.signals[i]);
	cluster_free(app.cluster);
	loop_free(app.loop);
	return 0;
}
