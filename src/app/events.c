#include "app/events.h"

#include "base/log.h"

struct events {
	char *ring[EVENTS_KEPT]; /* as text: a fifth of what the same takes as a tree */
	size_t next;		 /* where the next one goes */
	struct list listeners;
};

static void events_take(void *ctx, json_t *event)
{
	struct events *ev = ctx;
	struct event_listener *l;

	free(ev->ring[ev->next]);
	ev->ring[ev->next] = json_dumps(event, JSON_COMPACT);
	ev->next = (ev->next + 1) % EVENTS_KEPT;
	LIST_EACH (l, &ev->listeners, link) {
		l->heard(l, event);
	}
}

struct events *events_new(void)
{
	struct events *ev = mem_new(struct events);

	list_init(&ev->listeners);
	log_set_tap(events_take, ev);
	return ev;
}

struct events *events_free(struct events *ev)
{
	struct event_listener *l;

	if (!ev)
		return NULL;
	log_set_tap(NULL, NULL);
	LIST_EACH (l, &ev->listeners, link) {
		events_unlisten(l); /* once more does no harm */
	}
	for (size_t i = 0; i < EVENTS_KEPT; i++)
		free(ev->ring[i]);
	free(ev);
	return NULL;
}

void events_listen(struct events *ev, struct event_listener *l)
{
	list_append(&ev->listeners, &l->link);
}

void events_unlisten(struct event_listener *l)
{
	list_remove(&l->link);
}

json_t *events_list(const struct events *ev)
{
	json_t *all = json_array();

	for (size_t i = 0; i < EVENTS_KEPT; i++) {
		const char *event = ev->ring[(ev->next + i) % EVENTS_KEPT];

		if (event)
			json_array_append_new(all, json_loads(event, 0, NULL));
	}
	return all;
}
