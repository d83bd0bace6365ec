#include "config/source.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

int source_read(const char *path, struct buf *out, struct err *e)
{
	if (strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, "standard input", SOURCE_MAX, out, e);
	return file_read(path, SOURCE_MAX, out, e);
}

bool source_is_folder(const char *path)
{
	struct stat st;

	return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int is_source(const struct dirent *ent)
{
	return ent->d_name[0] != '.' &&
	       (text_ends_with(ent->d_name, ".yaml") || text_ends_with(ent->d_name, ".yml") ||
		text_ends_with(ent->d_name, ".json"));
}

/* By bytes, whatever the locale: every host reads the same files in the same order. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int source_folder(const char *path, char ***names, size_t *n, struct err *e)
{
	struct dirent **entries;
	int found = scandir(path, &entries, is_source, by_name);

	if (found < 0)
		return err_errno(e, "read folder %s", path);
	char **out = mem_new_n(char *, (size_t)found + 1);
	for (int i = 0; i < found; i++) {
		out[i] = mem_printf("%s%s%s", path, text_ends_with(path, "/") ? "" : "/",
				    entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	*names = out;
	*n = (size_t)found;
	return 0;
}

void source_names_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}
