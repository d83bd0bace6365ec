/**
 * What the parts of app/share.h have in common: what is kept, and who does what.
 *
 *   share.c        what each node has said; our own part of it
 *   share_say.c    messages to the others, and the whole for push/pull
 *   share_read.c   what comes from them
 */
#ifndef APP_SHARE_PRIV_H
#define APP_SHARE_PRIV_H

#include "app/share.h"
#include "base/map.h"

/* Bounds of what other members may make us keep. */
enum {
	SHARE_NODES_MAX = 4096,
	SHARE_VERDICTS_MAX = 1 << 20,
	SHARE_NAME_MAX = 253,
	SHARE_HOST_MAX = 4096,
};

struct share_verdict {
	uint64_t version;
	bool servable;
	bool gone; /* withdrawn: kept so that an older message does not bring it back */
	bool untold;
	uint64_t term; /* in which the node took it; 0: it has it not */
};

struct share_speaker {
	uint64_t epoch;
	uint64_t config; /* hash; 0: not said */
	uint64_t config_version;
	json_t *host; /* NULL: not said */
	uint64_t host_version;
	struct map *verdicts; /* service -> struct share_verdict */
};

struct share {
	char *me;
	struct share_hooks hooks;
	struct map *speakers; /* node -> struct share_speaker; ourselves too */
	uint64_t version;
	struct map *terms; /* service -> the last term that was heard of */
	size_t heard;	   /* verdicts of others */
	bool refuted;
	uint64_t refused;
};

/* share.c */

/** What is known of a node, made if need be; NULL: too many are known already. */
struct share_speaker *share_speaker(struct share *s, const char *node);
bool share_is_member(const struct share *s, const char *node);
/** A term of a service was heard of. */
void share_note_term(struct share *s, const char *service, uint64_t term);
void share_tell_verdict(struct share *s, const char *node, const char *service,
			const struct share_verdict *v);
void share_tell_term(struct share *s, const char *node, const char *service, uint64_t term);

/* share_say.c */

/** Our verdicts, or those that were not told yet, in as many messages as it takes: one at least. */
void share_say_verdicts(struct share *s, bool untold_only);
void share_say_verdict(struct share *s, const char *service, const struct share_verdict *v);
void share_say_config(struct share *s);
void share_say_host(struct share *s);

#endif
