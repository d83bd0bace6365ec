/* An object as the API sends it, JSON, through the tree to the readers of every kind. */
#include "fuzz.h"
#include "kube/tree.h"
#include "world/object_endpoints.h"
#include "world/object_node.h"
#include "world/object_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, 0, NULL);
	struct arena *arena = arena_new();
	const struct doc *d = json ? kube_tree(json, "object", arena) : NULL;
	struct place p = { .at = d };
	struct cfg_report report = { 0 };
	struct world_node node;
	struct object_namespace ns;
	struct issues is;

	issues_init(&is);
	if (d) {
		object_service_free(object_service_read(&is, &p));
		object_endpoints_free(object_slice_read(&is, &p));
		object_endpoints_free(object_endpoints_read(&is, &p));
		(void)!object_node_read(&is, &p, arena, &node);
		(void)!object_namespace_read(&is, &p, arena, &ns);
	}
	issues_finish(&is, &report);
	cfg_report_fini(&report);
	arena_free(arena);
	json_decref(json);
	return 0;
}

FUZZ_MAIN;
