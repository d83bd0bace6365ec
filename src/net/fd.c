#include "net/fd.h"

#include <fcntl.h>
#include <unistd.h>

int fd_to_end(int fd, enum fd_end when)
{
	int high = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, (int)when);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}
