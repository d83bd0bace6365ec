#include "app/saver.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"

struct saver {
	const char *path;
	struct loop_wake finished;
	pthread_t thread;
	bool busy;
	struct alloc_table *now;  /* being written: the thread's while it runs */
	struct alloc_table *next; /* to be written after that, or NULL */
	int status;		  /* the thread's, as is why */
	struct err why;
};

static void write_now(struct saver *s)
{
	json_t *json = alloc_table_encode(s->now);
	char *text = json_dumps(json, JSON_INDENT(1));

	s->why = (struct err){ 0 };
	s->status = file_replace(s->path, text, strlen(text), 0644, &s->why);
	free(text);
	json_decref(json);
	s->now = alloc_table_free(s->now);
}

static void *saver_thread(void *arg)
{
	struct saver *s = arg;

	pthread_setname_np(pthread_self(), "crier-saver");
	write_now(s);
	loop_wake_signal(&s->finished);
	return NULL;
}

static void tell(const struct saver *s)
{
	if (s->status < 0)
		log_event(LOG_ERROR, "allocationsNotSaved",
			  "a restart may give services other addresses",
			  KV_STR("error", s->why.text));
}

/* Signals are the control thread's business. False: there is no thread to be had. */
static bool thread_start(struct saver *s)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	s->busy = pthread_create(&s->thread, NULL, saver_thread, s) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return s->busy;
}

static void begin(struct saver *s)
{
	s->now = TAKE(s->next);
	if (thread_start(s))
		return;
	write_now(s);
	tell(s);
}

static void saver_finished(struct loop_wake *w)
{
	struct saver *s = CONTAINER_OF(w, struct saver, finished);

	pthread_join(s->thread, NULL);
	s->busy = false;
	tell(s);
	if (s->next)
		begin(s);
}

int saver_new(struct loop *l, const char *path, struct saver **out, struct err *e)
{
	struct saver *s = mem_new(struct saver);

	s->path = path;
	if (loop_wake_init(&s->finished, l, saver_finished, e) < 0) {
		free(s);
		return err_wrap(e, "saver");
	}
	*out = s;
	return 0;
}

struct saver *saver_free(struct saver *s)
{
	if (!s)
		return NULL;
	if (s->busy) {
		pthread_join(s->thread, NULL);
		tell(s);
	}
	if (s->next) {
		s->now = TAKE(s->next);
		write_now(s);
		tell(s);
	}
	loop_wake_fini(&s->finished);
	free(s);
	return NULL;
}

static struct alloc_table *copy_of(const struct alloc_table *t)
{
	struct alloc_table *copy = alloc_table_new();

	(void)alloc_table_merge(copy, t);
	return copy;
}

void saver_save(struct saver *s, const struct alloc_table *t)
{
	alloc_table_free(s->next);
	s->next = copy_of(t);
	if (!s->busy)
		begin(s);
}
