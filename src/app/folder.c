#include "app/folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static char *folder_of(const char *given, const char *variable, const char *otherwise)
{
	const char *env = getenv(variable);
	char *path = mem_strdup(given ? given : env && env[0] ? env : otherwise);

	if (!given)
		path[strcspn(path, ":")] = '\0'; /* systemd may name several */
	return path;
}

char *folder_runtime(const char *given)
{
	return folder_of(given, "RUNTIME_DIRECTORY", "/run/crier");
}

char *folder_state(const char *given)
{
	return folder_of(given, "STATE_DIRECTORY", "/var/lib/crier");
}

int folder_make(const char *path, struct err *e)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_errno(e, "cannot make the folder %s", path);
	return 0;
}
