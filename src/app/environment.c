#include "app/environment.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define GOSSIP_DEFAULT_PORT 7946
#define SECRET_NAME	    "secretkey"

/* Empty counts as not given, as for MetalLB. */
static const char *variable(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? text : NULL;
}

static int take_address(const char *name, struct addr *out, struct err *e)
{
	const char *text = variable(name);

	if (text && addr_parse(text, out) < 0)
		return err_set(e, ERR_CONFIG, "%s: '%.60s' is no address", name, text);
	return 0;
}

static int take_port(const char *name, uint16_t otherwise, uint16_t *out, struct err *e)
{
	const char *text = variable(name);
	char *end = NULL;
	unsigned long port = text ? strtoul(text, &end, 10) : otherwise;

	if (port == 0 || port > UINT16_MAX || (end && *end))
		return err_set(e, ERR_CONFIG, "%s: '%.60s' is no port", name, text);
	*out = (uint16_t)port;
	return 0;
}

static int take_flag(const char *name, bool *out, struct err *e)
{
	const char *text = variable(name);

	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return err_set(e, ERR_CONFIG, "%s: '%.60s' is neither true nor false", name, text);
	*out = text && strcmp(text, "true") == 0;
	return 0;
}

static void take_secret(struct environment *env)
{
	const char *folder = variable("METALLB_ML_SECRET_KEY_PATH");

	env->cluster.secret = variable("METALLB_ML_SECRET_KEY");
	if (folder)
		env->secret_file = mem_printf("%s/" SECRET_NAME, folder);
	env->cluster.secret_file = env->secret_file;
}

int environment_read(struct environment *out, struct err *e)
{
	struct environment env = { .node = variable("METALLB_NODE_NAME"),
				   .labels = variable("METALLB_ML_LABELS") };
	struct cfg_cluster *c = &env.cluster;

	if (take_address("METALLB_HOST", &env.http, e) < 0 ||
	    take_address("METALLB_ML_BIND_ADDR", &c->bind.addr, e) < 0 ||
	    take_port("METALLB_ML_BIND_PORT", GOSSIP_DEFAULT_PORT, &c->bind.port, e) < 0 ||
	    take_flag("METALLB_ML_WAN_CONFIG", &c->wan, e) < 0)
		return -ERR_CONFIG;
	c->enabled = env.labels && addr_is_set(&c->bind.addr);
	if (!c->enabled)
		env.labels = NULL;
	take_secret(&env);
	*out = env;
	return 0;
}

void environment_fini(struct environment *env)
{
	free(env->secret_file);
	*env = (struct environment){ 0 };
}
