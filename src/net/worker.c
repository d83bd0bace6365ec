#include "net/worker.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

/* First in, first out. */
struct queue {
	struct net_job *first;
	struct net_job **end;
};

struct net_worker {
	pthread_t thread;
	pthread_mutex_t lock; /* of the three below; held for a few instructions */
	pthread_cond_t wanted;
	struct queue todo;
	struct queue done;
	bool stop;
	struct netlink *nl; /* the thread's */
	struct loop_wake finished;
};

static void queue_init(struct queue *q)
{
	q->first = NULL;
	q->end = &q->first;
}

static void queue_put(struct queue *q, struct net_job *job)
{
	job->next = NULL;
	*q->end = job;
	q->end = &job->next;
}

static struct net_job *queue_take(struct queue *q)
{
	struct net_job *job = q->first;

	if (job)
		q->first = job->next;
	if (!q->first)
		q->end = &q->first;
	return job;
}

/* NULL: there will be none. */
static struct net_job *next_job(struct net_worker *w)
{
	struct net_job *job;

	pthread_mutex_lock(&w->lock);
	while (!w->todo.first && !w->stop)
		pthread_cond_wait(&w->wanted, &w->lock);
	job = queue_take(&w->todo);
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void give_back(struct net_worker *w, struct net_job *job)
{
	pthread_mutex_lock(&w->lock);
	queue_put(&w->done, job);
	pthread_mutex_unlock(&w->lock);
	loop_wake_signal(&w->finished);
}

static void *worker_thread(void *arg)
{
	struct net_worker *w = arg;
	struct net_job *job;

	pthread_setname_np(pthread_self(), "crier-links");
	while ((job = next_job(w))) {
		job->work(job, w->nl);
		give_back(w, job);
	}
	return NULL;
}

static void come_back(struct loop_wake *wake)
{
	struct net_worker *w = CONTAINER_OF(wake, struct net_worker, finished);
	struct net_job *job;

	for (;;) {
		pthread_mutex_lock(&w->lock);
		job = queue_take(&w->done);
		pthread_mutex_unlock(&w->lock);
		if (!job)
			break;
		job->done(job);
	}
}

/* Signals are for the loop's thread. */
static int thread_start(struct net_worker *w, struct err *e)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&w->thread, NULL, worker_thread, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? err_set(e, ERR_SYSTEM, "pthread_create: %s", strerror(error)) : 0;
}

static void worker_destroy(struct net_worker *w)
{
	loop_wake_fini(&w->finished);
	netlink_close(w->nl);
	pthread_cond_destroy(&w->wanted);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int net_worker_new(struct loop *loop, struct net_worker **out, struct err *e)
{
	struct net_worker *w = mem_new(struct net_worker);

	w->finished.fd = -1;
	queue_init(&w->todo);
	queue_init(&w->done);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wanted, NULL);
	int status = netlink_open(&w->nl, e);
	if (status == 0)
		status = loop_wake_init(&w->finished, loop, come_back, e);
	if (status == 0)
		status = thread_start(w, e);
	if (status < 0) {
		worker_destroy(w);
		return err_wrap(e, "worker thread");
	}
	*out = w;
	return 0;
}

struct net_worker *net_worker_free(struct net_worker *w)
{
	if (!w)
		return NULL;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wanted);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	come_back(&w->finished);
	worker_destroy(w);
	return NULL;
}

void net_worker_do(struct net_worker *w, struct net_job *job)
{
	pthread_mutex_lock(&w->lock);
	queue_put(&w->todo, job);
	pthread_cond_signal(&w->wanted);
	pthread_mutex_unlock(&w->lock);
}
