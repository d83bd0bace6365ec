/**
 * Errors that carry their context. The caller owns a struct err; the place that fails sets it, each level
 * above may put its own words in front ("load crier.yaml: peers[2]: asn 0 is reserved"). Below the place
 * that decides what happens next nothing is logged.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/mem.h"

enum err_kind {
	ERR_NONE = 0,
	ERR_SYSTEM = 1,	  /* a system call said no; the text holds strerror() */
	ERR_CONFIG = 2,	  /* the user's input is wrong */
	ERR_LIMIT = 3,	  /* a cap of ours was reached */
	ERR_PROTOCOL = 4, /* a peer did what it must not */
	ERR_NOT_FOUND = 5,
	ERR_STATE = 6, /* right, but not now */
};

#define ERR_TEXT_MAX 512

struct err {
	enum err_kind kind;
	char text[ERR_TEXT_MAX]; /* longer texts are cut, never overrun */
};

/** Set the error; returns -kind, so that callers can write `return err_set(...)`. @e may be NULL. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/** Set ERR_SYSTEM with ": strerror(errno)" after the text. */
int err_errno(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** The same of bind(2), with what a person can do about it. */
int err_bind(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Put "text: " in front of what is there; returns the error's -kind. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
