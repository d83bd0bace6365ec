#include <dirent.h>
#include <errno.h>

#include "app/app.h"
#include "app/folder.h"
#include "base/text.h"
#include "vip/vip.h"

/* One record for each node name that ran here; those of running daemons are left alone. */
static int cleanup_folder(DIR *dir, const char *path, size_t *removed, struct err *e)
{
	int status = 0;

	for (struct dirent *ent; (ent = readdir(dir));) {
		size_t n = 0;

		if (!text_ends_with(ent->d_name, ".vips"))
			continue;
		char *record = mem_printf("%s/%s", path, ent->d_name);
		struct err why = { 0 };
		int one = vip_cleanup(record, &n, &why);

		free(record);
		*removed += n;
		if (one < 0 && one != -ERR_STATE) {
			*e = why;
			status = one;
		}
	}
	return status;
}

int app_cleanup(const struct app_conf *conf, size_t *removed, struct err *e)
{
	char *path = folder_runtime(conf->runtime_dir);
	DIR *dir = opendir(path);
	int status = 0;

	*removed = 0;
	if (dir) {
		status = cleanup_folder(dir, path, removed, e);
		closedir(dir);
	} else if (errno != ENOENT) {
		status = err_errno(e, "%s", path);
	}
	free(path);
	return status;
}
