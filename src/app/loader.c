#include "app/loader.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct loader {
	const struct app_conf *conf;
	struct loop_wake finished;
	pthread_t thread;
	bool busy;
	struct loaded result; /* the thread's until it has said that it is finished */
	void (*done)(void *ctx, struct loaded *result);
	void *ctx;
};

static const char *host_name(char buf[static 256])
{
	if (gethostname(buf, 256) < 0)
		return "localhost";
	buf[255] = '\0';
	return buf;
}

void loader_load(const struct app_conf *conf, struct loaded *out)
{
	char name[256];

	*out = (struct loaded){ 0 };
	out->status = cfg_load(conf->paths, conf->n_paths,
			       conf->node ? conf->node : host_name(name), &out->cfg, &out->report);
}

static void *loader_thread(void *arg)
{
	struct loader *ld = arg;

	pthread_setname_np(pthread_self(), "crier-loader");
	loader_load(ld->conf, &ld->result);
	loop_wake_signal(&ld->finished);
	return NULL;
}

static void loader_finished(struct loop_wake *w)
{
	struct loader *ld = CONTAINER_OF(w, struct loader, finished);

	pthread_join(ld->thread, NULL);
	ld->busy = false; /* @done may start the next */
	ld->done(ld->ctx, &ld->result);
}

int loader_new(struct loop *l, const struct app_conf *conf, struct loader **out, struct err *e)
{
	struct loader *ld = mem_new(struct loader);

	ld->conf = conf;
	if (loop_wake_init(&ld->finished, l, loader_finished, e) < 0) {
		free(ld);
		return err_wrap(e, "loader");
	}
	*out = ld;
	return 0;
}

struct loader *loader_free(struct loader *ld)
{
	if (!ld)
		return NULL;
	if (ld->busy) {
		pthread_join(ld->thread, NULL);
		cfg_report_fini(&ld->result.report);
		cfg_free(ld->result.cfg);
	}
	loop_wake_fini(&ld->finished);
	free(ld);
	return NULL;
}

bool loader_is_busy(const struct loader *ld)
{
	return ld->busy;
}

int loader_start(struct loader *ld, void (*done)(void *ctx, struct loaded *result), void *ctx,
		 struct err *e)
{
	sigset_t all, before;

	if (ld->busy)
		return err_set(e, ERR_STATE, "a reload is under way; try again when it is done");
	ld->done = done;
	ld->ctx = ctx;
	/* Signals are the control thread's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&ld->thread, NULL, loader_thread, ld);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return err_set(e, ERR_SYSTEM, "loader thread: %s", strerror(error));
	ld->busy = true;
	return 0;
}
