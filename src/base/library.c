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
		return err_set(e, ERR_SYSTEM,
			       "a library can't be loaded: %s; install the package that has it",
			       dlerror());
	for (size_t i = 0; i < n; i++) {
		void *found = dlsym(library, calls[i].name);

		call_set(&calls[i], found);
		if (found)
			continue;
		for (size_t k = 0; k < i; k++)
			call_set(&calls[k], NULL);
		(void)dlclose(library);
		return err_set(e, ERR_SYSTEM,
			       "%s lacks %s: it is not of the release that crier was built for; "
			       "install that one, or build crier here",
			       soname, calls[i].name);
	}
	return 0;
}
