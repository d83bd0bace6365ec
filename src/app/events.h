/**
 * What happened lately: the last events of the log, kept for `crier get events`, and passed on as they happen to
 * whoever listens (`crier monitor`).
 */
#ifndef APP_EVENTS_H
#define APP_EVENTS_H

#include <jansson.h>

#include "base/list.h"
#include "base/mem.h"

enum { EVENTS_KEPT = 512 };

struct event_listener {
	struct list link;
	void (*heard)(struct event_listener *l, json_t *event); /* @event is borrowed */
};

struct events;

/** Becomes the log's tap; there is one for each process. */
NODISCARD struct events *events_new(void);
struct events *events_free(struct events *ev);

void events_listen(struct events *ev, struct event_listener *l);
void events_unlisten(struct event_listener *l);

/** Oldest first, a new reference. */
NODISCARD json_t *events_list(const struct events *ev);

#endif
