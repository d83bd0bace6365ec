#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES 8192

int file_read_fd(int fd, const char *name, size_t max, struct buf *out, struct err *e)
{
	char chunk[CHUNK_BYTES];

	for (size_t total = 0;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "read %s", name);
		if (n == 0)
			return 0;
		total += (size_t)n;
		if (total > max)
			return err_set(e, ERR_LIMIT, "%s is longer than %zu MiB", name, max >> 20);
		buf_append(out, chunk, (size_t)n);
	}
}

int file_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_errno(e, "open %s", path);
	int status = file_read_fd(fd, path, max, out, e);
	int saved = errno;
	close(fd);
	errno = saved;
	return status;
}

/* In a file of its own: what stands there, or where a link points, may be open to others. */
static int write_whole(const char *path, const char *bytes, size_t len, mode_t mode)
{
	(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int status = fd < 0 ? -1 : 0;

	for (size_t done = 0; status == 0 && done < len;) {
		ssize_t n = write(fd, bytes + done, len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			status = -1;
	}
	if (status == 0)
		status = fsync(fd);
	int saved = errno;
	if (fd >= 0 && close(fd) < 0 && status == 0)
		return -1;
	errno = saved;
	return status;
}

/* The new name, too, has to reach the disk. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(mem_freep)
	char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* A device, a pipe or a socket would be gone, and with it whatever it leads to. */
static bool is_replaceable(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ||
	       S_ISDIR(st.st_mode); /* the kernel refuses that */
}

int file_replace(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e)
{
	CLEANUP(mem_freep) char *fresh = mem_printf("%s.new", path);

	if (!is_replaceable(path))
		return err_set(e, ERR_STATE, "write %s: it is not a regular file", path);
	if (write_whole(fresh, bytes, len, mode) < 0 || rename(fresh, path) < 0) {
		int status = err_errno(e, "write %s", path);

		(void)unlink(fresh);
		return status;
	}
	sync_folder(path);
	return 0;
}
