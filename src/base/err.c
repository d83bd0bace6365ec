#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	if (e) {
		va_list ap;

		e->kind = kind;
		va_start(ap, fmt);
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
		va_end(ap);
	}
	return -(int)kind;
}

static void put_errno(struct err *e, int number, const char *remedy, const char *fmt, va_list ap)
{
	e->kind = ERR_SYSTEM;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	size_t len = strlen(e->text);
	errno = number;
	snprintf(e->text + len, sizeof(e->text) - len, ": %m%s", remedy);
}

int err_errno(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	if (e)
		put_errno(e, saved, "", fmt, ap);
	va_end(ap);
	errno = saved;
	return -ERR_SYSTEM;
}

static const char *bind_remedy(int number)
{
	switch (number) {
	case EADDRINUSE:
		return "; ss -lntup shows who has it";
	case EADDRNOTAVAIL:
		return "; ip address shows which ones this host has";
	case EACCES:
		return "; a port below 1024 takes CAP_NET_BIND_SERVICE";
	default:
		return "";
	}
}

int err_bind(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	if (e)
		put_errno(e, saved, bind_remedy(saved), fmt, ap);
	va_end(ap);
	errno = saved;
	return -ERR_SYSTEM;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	if (!e)
		return -ERR_STATE; /* nobody kept the kind; it is a failure all the same */

	char inner[ERR_TEXT_MAX];
	memcpy(inner, e->text, sizeof(inner));

	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	size_t len = strlen(e->text);
	snprintf(e->text + len, sizeof(e->text) - len, ": %s", inner);
	return -(int)e->kind;
}
