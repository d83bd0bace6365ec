#include "net/fd.h"

#include <fcntl.h>
#include <unistd.h>

/* Below the usual limit of 1024, above what a daemon has that is not about very much. */
enum { HIGH = 768 };

int fd_to_end_first(int fd)
{
	int high = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}
