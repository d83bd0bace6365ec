#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "fuzz.h"

typedef int (*fuzz_one)(const uint8_t *, size_t);

static int replay_file(const char *path, fuzz_one one)
{
	FILE *f = fopen(path, "rb");

	if (!f) {
		perror(path);
		return -1;
	}
	fseek(f, 0, SEEK_END);
	size_t size = (size_t)ftell(f);
	rewind(f);
	/* Exactly as many bytes as the file has, so that a sanitizer sees one byte too many. */
	uint8_t *data = malloc(size ? size : 1);
	size_t got = data ? fread(data, 1, size, f) : 0;
	fclose(f);
	one(data, got);
	free(data);
	return 1;
}

static int replay_folder(const char *path, fuzz_one one)
{
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir) {
		perror(path);
		return -1;
	}
	for (struct dirent *ent; (ent = readdir(dir));) {
		if (ent->d_name[0] == '.')
			continue;
		char *file = mem_printf("%s/%s", path, ent->d_name);
		int done = replay_file(file, one);
		free(file);
		if (done < 0) {
			closedir(dir);
			return -1;
		}
		n += done;
	}
	closedir(dir);
	return n;
}

int fuzz_replay(int argc, char **argv, int (*one)(const uint8_t *, size_t))
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		int n = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? replay_folder(argv[i], one)
								       : replay_file(argv[i], one);
		if (n < 0)
			return 1;
		total += n;
	}
	printf("%d inputs replayed\n", total);
	return total > 0 ? 0 : 1;
}
