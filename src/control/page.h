/**
 * The status page: what `crier status` says, as plain HTML without scripts. Whatever stands in the
 * status is text on the page, never markup.
 */
#ifndef CONTROL_PAGE_H
#define CONTROL_PAGE_H

#include <jansson.h>

#include "base/buf.h"

void page_render(const json_t *status, struct buf *out);

/** Text with HTML's five special characters replaced. */
void page_put_text(struct buf *out, const char *text);

#endif
