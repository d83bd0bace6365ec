#include "fuzz.h"
#include "kube/access.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_access a = { 0 };
	struct err e = { 0 };

	if (kube_access_parse("kubeconfig", (const char *)data, size, "/", NULL, &a, &e) == 0 &&
	    !a.servers)
		abort();
	kube_access_fini(&a);
	return 0;
}

FUZZ_MAIN;
