/**
 * A listener to a world's changes, and what it heard.
 */
#ifndef TESTS_WORLD_HEARD_H
#define TESTS_WORLD_HEARD_H

#include "support.h"

#include <stdio.h>
#include <string.h>

#include "world/world.h"

/** What the listener heard, as text: "S shop/web, N a, *". */
struct heard {
	char text[256];
	struct world *w;
	bool is_gone; /* the last service that was named is not in the world */
};

static inline void hear(void *ctx, enum world_change what, const char *name)
{
	static const char *const words[] = { [WORLD_SERVICE] = "S ",
					     [WORLD_NODE] = "N ",
					     [WORLD_NAMESPACE] = "NS ",
					     [WORLD_ALL] = "*" };
	struct heard *h = ctx;
	size_t len = strlen(h->text);

	(void)snprintf(h->text + len, sizeof(h->text) - len, "%s%s%s", len ? ", " : "", words[what],
		       name ? name : "");
	h->is_gone = what == WORLD_SERVICE && !world_service(h->w, name);
}

/** Exactly this, since the last time. */
#define assert_heard(h, want)                           \
	do {                                            \
		assert_string_equal((h)->text, (want)); \
		(h)->text[0] = '\0';                    \
	} while (0)

/** A world of node "me" that is listened to. */
static inline struct world *listening(struct heard *h)
{
	struct world *w = world_new("me");

	*h = (struct heard){ .w = w };
	world_on_change(w, hear, h);
	return w;
}

#endif
