#include "app/secret_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int secret_file_read(const char *path, char *out, size_t cap, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, cap - 1);

	if (n < 0) {
		int status = err_errno(e, "%s", path);

		if (fd >= 0)
			close(fd);
		return status;
	}
	close(fd);
	out[n] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return out[0] ? 0 : err_set(e, ERR_CONFIG, "%s is empty", path);
}
