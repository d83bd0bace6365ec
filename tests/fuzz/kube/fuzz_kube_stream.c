/*
 * The answer to a watch, in pieces of any length, into the reflector: nothing but what was put may
 * be dropped.
 */
#include "fuzz.h"
#include "kube/reflector.h"

static void on_put(void *ctx, const char *key, const json_t *object)
{
	(void)object;
	(void)map_put(ctx, key, ctx);
}

static void on_drop(void *ctx, const char *key)
{
	if (!map_del(ctx, key))
		abort();
}

static void on_listed(void *ctx)
{
	(void)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct map *known = map_new();
	struct kube_reflector_hooks hooks = { known, on_put, on_drop, on_listed };
	struct kube_reflector r;
	struct kube_stream s = { 0 };
	struct kube_event ev;
	struct mono now = { 1 };
	size_t step = size ? 1 + data[0] / 2 : 1;
	json_t *empty = json_pack("{s:{s:s}, s:[]}", "metadata", "resourceVersion", "1", "items");

	kube_reflector_init(&r, &hooks, 1);
	if (size && data[0] % 2) /* else the watch begins with all there is */
		(void)!kube_reflector_page(&r, empty, now);
	json_decref(empty);
	for (size_t at = 1; at < size; at += step) {
		kube_stream_feed(&s, data + at, size - at < step ? size - at : step);
		while (kube_stream_next(&s, &ev) == KUBE_STREAM_EVENT) {
			(void)!kube_reflector_event(&r, &ev, now);
			json_decref(ev.object);
		}
	}
	kube_stream_fini(&s);
	kube_reflector_fini(&r);
	map_free(known);
	return 0;
}

FUZZ_MAIN;
