/**
 * The order in which descriptors go with their process.
 */
#ifndef NET_FD_H
#define NET_FD_H

/** Below the usual limit of 1024, above what a daemon has that is not about very much. */
enum fd_end {
	FD_ENDS_EARLY = 768,
	FD_ENDS_FIRST = 896, /* before those */
};

/**
 * Give a descriptor a number above those of other ones, so that the kernel closes it before them when the process dies:
 * it begins with the highest (since Linux 4.3), and each packet socket below takes it 10 to 20 ms. For what others
 * wait for, to know of that death.
 * Returns the new number, or @fd itself where there is none, or it is none (negative).
 */
int fd_to_end(int fd, enum fd_end when);

#endif
