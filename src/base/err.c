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

int err_errno(struct err *e, const char *fmt, ...)
{
	int saved = errno;

	if (e) {
		va_list ap;

		e->kind = ERR_SYSTEM;
		va_start(ap, fmt);
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
		va_end(ap);
		size_t len = strlen(e->text);
		errno = saved;
		snprintf(e->text + len, sizeof(e->text) - len, ": %m");
	}
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
