/**
 * Which links Layer 2 leaves alone: the reference's built-in patterns, and the configuration's on top. POSIX
 * extended expressions, unanchored.
 */
#ifndef APP_IFACE_FILTER_H
#define APP_IFACE_FILTER_H

#include "config/cfg.h"

struct iface_filter;

NODISCARD int iface_filter_new(const struct cfg *c, struct iface_filter **out, struct err *e);
struct iface_filter *iface_filter_free(struct iface_filter *f);

/** A link that an advertisement names is never excluded by a built-in pattern. NULL excludes nothing. */
bool iface_filter_excludes(const struct iface_filter *f, const char *name);

#endif
