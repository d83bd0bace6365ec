#include "app/status_patch.h"

#include <jansson.h>
#include <string.h>

#define POOL_NOTE     "metallb.io/ip-allocated-from-pool"
#define POOL_NOTE_OLD "metallb.universe.tf/ip-allocated-from-pool"

void status_path(const char *service, struct buf *out)
{
	const char *slash = strchr(service, '/');

	buf_printf(out, "/api/v1/namespaces/%.*s/services/%s/status", (int)(slash - service),
		   service, slash + 1);
}

/* The mode that everybody takes for granted is not written, as in the reference. */
static json_t *ingress_entry(const struct addr *a, enum cfg_ip_mode mode)
{
	return json_pack("{s:s, s:s*}", "ip", ADDR_TEXT(a), "ipMode",
			 mode == CFG_IP_MODE_PROXY ? "Proxy" : NULL);
}

char *status_patch(const struct converge_service *s, const struct converge_result *r,
		   const char *version)
{
	json_t *ingress = r->n ? json_array() : json_null();

	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(ingress, ingress_entry(&r->addresses[i], s->ip_mode));
	json_t *notes = json_pack("{s:s?, s:n}", POOL_NOTE, r->n ? r->pool : NULL, POOL_NOTE_OLD);

	json_t *body =
		json_pack("{s:{s:s, s:o}, s:{s:{s:o}}}", "metadata", "resourceVersion", version,
			  "annotations", notes, "status", "loadBalancer", "ingress", ingress);
	char *text = json_dumps(body, JSON_COMPACT);

	json_decref(body);
	return text;
}
