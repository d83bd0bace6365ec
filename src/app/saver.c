#include "app/saver.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"

struct saver {
	struct saver_conf conf;
	struct loop_wake finished;
	pthread_t thread;
	bool busy;
	void *now;  /* being written: the thread's while it runs */
	void *next; /* to be written after that, or NULL */
	int status; /* the thread's, as is why */
	struct err why;
};

static void write_now(struct saver *s)
{
	char *text = s->conf.text(TAKE(s->now));

	s->why = (struct err){ 0 };
	s->status = file_replace(s->conf.path, text, strlen(text), s->conf.mode, &s->why);
	free(text);
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
	s->conf.done(s->conf.ctx, s->status < 0 ? &s->why : NULL);
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
	if (s->next && !s->busy)
		begin(s);
}

int saver_new(struct loop *l, const struct saver_conf *conf, struct saver **out, struct err *e)
{
	struct saver *s = mem_new(struct saver);

	s->conf = *conf;
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

void saver_save(struct saver *s, void *take)
{
	if (s->next)
		s->conf.drop(s->next);
	s->next = take;
	if (!s->busy)
		begin(s);
}
