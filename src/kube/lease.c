#include "kube/lease.h"

#include <string.h>

void kube_lease_init(struct kube_lease *l, const struct kube_lease_conf *conf, struct mono now)
{
	*l = (struct kube_lease){ .conf = *conf, .at = now, .seen = now };
	rng_seed(&l->rng, conf->seed);
}

void kube_lease_fini(struct kube_lease *l)
{
	free(l->holder);
	free(l->renewed);
	free(l->version);
	l->holder = l->renewed = l->version = NULL;
}

struct mono kube_lease_deadline(const struct kube_lease *l)
{
	return l->at;
}

struct mono kube_lease_ends(const struct kube_lease *l)
{
	return l->held ? mono_add(l->renewed_at, l->conf.renew_within) : MONO_NEVER;
}

bool kube_lease_is_ours(const struct kube_lease *l, struct mono now)
{
	return l->held && mono_before(now, kube_lease_ends(l));
}

/* --- what is written --- */

static json_t *body(const struct kube_lease *l, const char *holder, json_int_t duration_s,
		    bool acquires, const char *wall)
{
	json_t *spec = json_pack("{s:s, s:I, s:s, s:I}", "holderIdentity", holder,
				 "leaseDurationSeconds", duration_s, "renewTime", wall,
				 "leaseTransitions", l->transitions + (acquires && l->version));

	if (acquires)
		json_object_set_new(spec, "acquireTime", json_string(wall));
	json_t *meta = json_object();
	if (l->version)
		json_object_set_new(meta, "resourceVersion", json_string(l->version));
	return json_pack("{s:o, s:o}", "metadata", meta, "spec", spec);
}

json_t *kube_lease_body(struct kube_lease *l, const char *wall, struct mono now)
{
	bool ours = l->holder && strcmp(l->holder, l->conf.me) == 0;

	l->asked = now;
	return body(l, l->conf.me, l->conf.duration.ns / DUR_S(1).ns, !ours, wall);
}

json_t *kube_lease_release_body(const struct kube_lease *l, const char *wall)
{
	return body(l, "", 1, false, wall);
}

/* --- what stands there --- */

static void text_set(char **at, const char *text)
{
	char *fresh = mem_strdup(text ? text : "");

	free(*at);
	*at = fresh;
}

static void observe(struct kube_lease *l, const json_t *lease, struct mono now)
{
	const json_t *spec = json_object_get(lease, "spec");
	const char *holder = json_string_value(json_object_get(spec, "holderIdentity"));
	const char *renewed = json_string_value(json_object_get(spec, "renewTime"));
	const char *version = json_string_value(
		json_object_get(json_object_get(lease, "metadata"), "resourceVersion"));
	json_int_t duration_s = json_integer_value(json_object_get(spec, "leaseDurationSeconds"));

	holder = holder ? holder : "";
	renewed = renewed ? renewed : "";
	if (!l->holder || strcmp(l->holder, holder) != 0 || strcmp(l->renewed, renewed) != 0)
		l->seen = now;
	text_set(&l->holder, holder);
	text_set(&l->renewed, renewed);
	text_set(&l->version, version);
	l->transitions = json_integer_value(json_object_get(spec, "leaseTransitions"));
	l->its_duration = DUR_S(duration_s > 0 && duration_s < 86400 ? duration_s : 1);
}

static void retry_later(struct kube_lease *l, struct mono now)
{
	int64_t retry = l->conf.retry.ns;

	l->at = mono_add(now, DUR_NS(rng_between(&l->rng, retry, retry * 5 / 4)));
}

/* Nobody holds it, as far as what was last seen there tells. */
static bool is_free(const struct kube_lease *l, struct mono now)
{
	return !l->holder || !l->holder[0] || !mono_before(now, mono_add(l->seen, l->its_duration));
}

void kube_lease_answer(struct kube_lease *l, const json_t *lease, struct mono now)
{
	bool wrote = l->step != KUBE_LEASE_READ;

	observe(l, lease, now);
	if (strcmp(l->holder, l->conf.me) == 0) {
		if (wrote)
			l->renewed_at = l->asked;
		l->held |= wrote;
		l->step = KUBE_LEASE_UPDATE;
		if (wrote)
			retry_later(l, now);
		else
			l->at = now; /* our last write was not answered: the next one is late already */
		return;
	}
	l->held = false;
	if (is_free(l, now)) {
		l->step = KUBE_LEASE_UPDATE;
		l->at = now;
		return;
	}
	l->step = KUBE_LEASE_READ;
	retry_later(l, now);
}

void kube_lease_refused(struct kube_lease *l, int status, struct mono now)
{
	bool ours = l->holder && strcmp(l->holder, l->conf.me) == 0;

	/* Whoever held it when it was deleted does not know yet. */
	if (status == 404 && l->step == KUBE_LEASE_READ && (ours || is_free(l, now))) {
		kube_lease_fini(l);
		l->transitions = 0;
		l->step = KUBE_LEASE_CREATE;
		l->at = now;
		return;
	}
	/* Whoever was faster, or whatever became of our write: what stands there tells. */
	l->step = KUBE_LEASE_READ;
	retry_later(l, now);
}
