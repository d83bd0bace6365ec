#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

/* From object to function pointer, which C does not convert. */
static void call_set(const struct library_call *call, void *found)
{
	memcpy(call->at, &found, sizeof(found));
}

int library_load(const char *soname, const struct library_call *calls, size_t n, struct err *e)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return err_set(e, ERR_SYSTEM, "a library can't be loaded: %s", dlerror());
	for (size_t i = 0; i < n; i++) {
		void *found = dlsym(library, calls[i].name);

		call_set(&calls[i], found);
		if (found)
			continue;
		while (i > 0)
			call_set(&calls[--i], NULL);
		(void)dlclose(library);
		return err_set(e, ERR_SYSTEM, "%s is not the library that crier was built with",
			       soname);
	}
	return 0;
}
