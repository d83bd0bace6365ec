/**
 * Libraries that are loaded when they are needed first. Loading what most daemons never use, with all that it drags
 * in, would cost each of them a third of its memory and half of the time that it takes to start.
 *
 * A door of such a library (net/libcurl.c, control/microhttpd.c) defines the functions that we call, under their own
 * names, and passes each call on: whoever includes the library's header sees no difference, but has to ask the door
 * to load it first. What is loaded stays.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include "base/err.h"

/** A function of a library. */
struct library_call {
	const char *name;
	void *at; /* the function pointer that is to be set */
};

/**
 * Load a library and find its functions: all of them, or none.
 * @soname: as the dynamic linker knows it: "libcurl.so.4"
 * Returns 0, or -ERR_SYSTEM when it is not there, or lacks one of them.
 */
NODISCARD int library_load(const char *soname, const struct library_call *calls, size_t n,
			   struct err *e);

#endif
