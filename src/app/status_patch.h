/**
 * What is written into a service when its addresses change: a merge patch of its status and of
 * MetalLB's note, for the version that was decided on. Pure.
 */
#ifndef APP_STATUS_PATCH_H
#define APP_STATUS_PATCH_H

#include "alloc/converge.h"
#include "base/buf.h"

/** Where it is written: the status of "namespace/name". Appended. */
void status_path(const char *service, struct buf *out);

/** @version: the service's, so that a newer one refuses it. Returns JSON, to be freed. */
NODISCARD char *status_patch(const struct converge_service *s, const struct converge_result *r,
			     const char *version);

#endif
