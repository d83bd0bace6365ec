/**
 * A thread for work that may have to wait for the kernel (its lock around links and addresses, a disk): jobs are done
 * one after the other, and each comes back to the loop when it is done.
 *
 * Every function here is called on the loop's thread.
 */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include "base/loop.h"
#include "net/netlink.h"

struct net_job {
	/** On the worker's thread; @nl is for this call. What it touches is nobody else's until done(). */
	void (*work)(struct net_job *job, struct netlink *nl);
	/** In the loop. May begin the next job, or free this one. */
	void (*done)(struct net_job *job);
	struct net_job *next; /* the worker's */
};

struct net_worker;

NODISCARD int net_worker_new(struct loop *loop, struct net_worker **out, struct err *e);

/** Waits for what has begun and what is queued: each job's done() is called. Takes NULL, returns NULL. */
struct net_worker *net_worker_free(struct net_worker *w);

/** @job is the worker's until its done() is called. */
void net_worker_do(struct net_worker *w, struct net_job *job);

#endif
