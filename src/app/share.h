/**
 * What the members of a cluster tell each other beside being alive: which services each of them
 * serves (the verdict of its health checks), what its host is like (app/reach.h), and the table of allocations. It travels as JSON in
 * gossip's user messages when something changes, and whole in push/pull, so that nothing stays
 * lost. Members that are not crier ignore it.
 *
 * Each verdict carries its node's start (epoch) and a number that grows; the newer one wins, in any
 * order of arrival.
 */
#ifndef APP_SHARE_H
#define APP_SHARE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/bytes.h"

/** Of one message, so that gossip's datagram of 1400 bytes still has room for its own. */
enum { SHARE_MESSAGE_MAX = 1000 };

struct share_hooks {
	void *ctx;
	/**
	 * Give it to the others: one message that fits a datagram, of SHARE_MESSAGE_MAX bytes at
	 * most.
	 */
	void (*broadcast)(void *ctx, const void *bytes, size_t len);
	/** @node says whether it serves @service. */
	void (*verdict)(void *ctx, const char *node, const char *service, bool servable);
	/** @node says nothing about @service any more: it has no check, or was started anew. */
	void (*silent)(void *ctx, const char *node, const char *service);
	/** @node has taken @service in its term, or (0) has it no more. */
	void (*holds)(void *ctx, const char *node, const char *service, uint64_t term);
	/** What @node says of its host; NULL: nothing any more. Borrowed. */
	void (*host)(void *ctx, const char *node, const json_t *host);
	/** Does @node live, as gossip knows? What others say of the dead is not passed on. */
	bool (*is_member)(void *ctx, const char *node);
	/**
	 * The table of allocations as a JSON array (a new reference), and one to merge (borrowed).
	 */
	json_t *(*allocations)(void *ctx);
	/** True when it said anything new. */
	bool (*merge_allocations)(void *ctx, const json_t *table);
};

struct share;

/** @epoch: grows with each start of this node (nanoseconds of the wall clock). */
NODISCARD struct share *share_new(const char *me, uint64_t epoch, const struct share_hooks *hooks);
struct share *share_free(struct share *s);

/** Our own verdict about a service; told to the others when it is news. */
void share_serve(struct share *s, const char *service, bool servable);
/** No verdict any more: the service, or its check, is gone. */
void share_unserve(struct share *s, const char *service);

/**
 * This node has all addresses of the service by Layer 2: a new term begins, greater than all that were heard of. Or it
 * has them no more. Told with share_flush().
 */
void share_hold(struct share *s, const char *service, bool holds);
void share_flush(struct share *s);
/** Who took the service last of those that have it, and in which term; NULL: nobody says so. Borrowed. */
const char *share_holder(const struct share *s, const char *service, uint64_t *term);

/** What our host is like, taken; told to the others when it is news. */
void share_host(struct share *s, json_t *host);
/** The last that @node has said of its host; NULL: nothing. Borrowed. */
const json_t *share_host_of(const struct share *s, const char *node);

/** The hash of our configuration's pools and services: members with the same one decide alike. */
void share_config(struct share *s, uint64_t hash);
/** Members that have said another hash than ours, as a JSON array of names; a new reference. */
NODISCARD json_t *share_disagreeing(const struct share *s);
/** How many members, ourselves included, have said the same hash as we. */
size_t share_agreeing(const struct share *s);

/**
 * Some allocations (a JSON array, borrowed) have changed: tell the others. An entry that is too
 * long for a message travels in push/pull alone.
 */
void share_allocations(struct share *s, const json_t *changed);

/** Tell everything again: somebody new listens. */
void share_repeat(struct share *s);

/**
 * Tell the hooks every verdict of the others again: for services that were not known when it came.
 */
void share_replay(struct share *s);

/** A node left: what it said counts no more. */
void share_forget(struct share *s, const char *node);

/** For push/pull. */
void share_write(const struct share *s, struct buf *out);
/**
 * Take in what another member said, in a message or a push/pull; what can't be read is ignored and
 * counted. True when anything was new: a message that is should be passed on, since its sender
 * reached only some.
 */
bool share_read(struct share *s, struct rd bytes);
uint64_t share_refused(const struct share *s);

#endif
