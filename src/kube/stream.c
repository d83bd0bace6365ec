#include "kube/stream.h"

#include <stdbool.h>
#include <string.h>

/* Most watches are silent most of the time: what a burst needed is given back. */
enum { KEEP = 16 << 10 };

static const char *const types[] = {
	[KUBE_ADDED] = "ADDED",	      [KUBE_MODIFIED] = "MODIFIED", [KUBE_DELETED] = "DELETED",
	[KUBE_BOOKMARK] = "BOOKMARK", [KUBE_ERROR] = "ERROR",
};

void kube_stream_feed(struct kube_stream *s, const void *bytes, size_t len)
{
	/* What was read is dropped once for all its lines, not for each. */
	if (s->at) {
		buf_consume(&s->pending, s->at);
		s->scanned -= s->at;
		s->at = 0;
	}
	buf_append(&s->pending, bytes, len);
}

void kube_stream_fini(struct kube_stream *s)
{
	buf_fini(&s->pending);
	*s = (struct kube_stream){ 0 };
}

/* Returns false when no line is complete. */
static bool next_line(struct kube_stream *s, const char **line, size_t *len)
{
	const char *from = s->pending.p + s->scanned;
	const char *end = s->pending.len > s->scanned
				  ? memchr(from, '\n', s->pending.len - s->scanned)
				  : NULL;

	if (!end) {
		s->scanned = s->pending.len;
		return false;
	}
	*line = s->pending.p + s->at;
	*len = (size_t)(end - *line);
	s->at = s->scanned = (size_t)(end - s->pending.p) + 1;
	return true;
}

/* 1: an event; 0: none that is known; -1: not a line of a watch. */
static int event_of(const char *line, size_t len, struct kube_event *out)
{
	json_t *root = json_loadb(line, len, 0, NULL);
	const char *type = json_string_value(json_object_get(root, "type"));
	json_t *object = json_object_get(root, "object");
	int found = type && json_is_object(object) ? 0 : -1;

	for (size_t i = 0; found == 0 && i < ARRAY_LEN(types); i++)
		if (strcmp(types[i], type) == 0) {
			*out = (struct kube_event){ (enum kube_event_type)i, json_incref(object) };
			found = 1;
		}
	json_decref(root);
	return found;
}

enum kube_stream_result kube_stream_next(struct kube_stream *s, struct kube_event *out)
{
	const char *line;
	size_t len;

	while (next_line(s, &line, &len)) {
		int found = len ? event_of(line, len, out) : 0;

		if (found)
			return found > 0 ? KUBE_STREAM_EVENT : KUBE_STREAM_GARBAGE;
	}
	if (s->at == s->pending.len && s->pending.cap > KEEP)
		kube_stream_fini(s);
	return s->pending.len - s->at > KUBE_LINE_MAX ? KUBE_STREAM_GARBAGE : KUBE_STREAM_MORE;
}
