#include "app/iface_filter.h"

#include <regex.h>
#include <string.h>

/* What the reference ships as exclusions. */
static const char *const built_in[] = {
	"^docker.*",	"^cbr.*", "^dummy.*",	     "^virbr.*", "^lxcbr.*",
	"^veth.*",	"^lo$",	  "^cali.*",	     "^tunl.*",	 "^flannel.*",
	"^kube-ipvs.*", "^cni.*", "^nodelocaldns.*", "^lxc.*",
};

struct iface_filter {
	const struct cfg *cfg; /* borrowed: replaced together with the filter */
	regex_t *v;
	size_t n;
	size_t n_own; /* the configuration's stand first */
};

static int pattern_add(struct iface_filter *f, const char *pattern, struct err *e)
{
	int error = regcomp(&f->v[f->n], pattern, REG_EXTENDED | REG_NOSUB);

	if (error) {
		char why[128];

		regerror(error, &f->v[f->n], why, sizeof(why));
		return err_set(e, ERR_CONFIG, "l2.exclude-interfaces: '%s': %s", pattern, why);
	}
	f->n++;
	return 0;
}

int iface_filter_new(const struct cfg *c, struct iface_filter **out, struct err *e)
{
	const struct cfg_texts *own = &c->l2.exclude_interfaces;
	struct iface_filter *f = mem_new(struct iface_filter);

	f->cfg = c;
	f->v = mem_new_n(regex_t, own->n + ARRAY_LEN(built_in));
	for (size_t i = 0; i < own->n; i++)
		if (pattern_add(f, own->v[i], e) < 0) {
			iface_filter_free(f);
			return -ERR_CONFIG;
		}
	f->n_own = f->n;
	for (size_t i = 0; i < ARRAY_LEN(built_in); i++)
		if (pattern_add(f, built_in[i], e) < 0) {
			iface_filter_free(f);
			return -ERR_CONFIG;
		}
	*out = f;
	return 0;
}

struct iface_filter *iface_filter_free(struct iface_filter *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < f->n; i++)
		regfree(&f->v[i]);
	free(f->v);
	free(f);
	return NULL;
}

static bool is_named(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->n_l2_advs; i++)
		for (size_t k = 0; k < c->l2_advs[i].interfaces.n; k++)
			if (strcmp(c->l2_advs[i].interfaces.v[k], name) == 0)
				return true;
	return false;
}

bool iface_filter_excludes(const struct iface_filter *f, const char *name)
{
	if (!f)
		return false;
	size_t n = is_named(f->cfg, name) ? f->n_own : f->n;

	for (size_t i = 0; i < n; i++)
		if (regexec(&f->v[i], name, 0, NULL, 0) == 0)
			return true;
	return false;
}
