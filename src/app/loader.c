#include "app/loader.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/diff.h"

struct loader {
	const struct app_conf *conf;
	struct loop_wake finished;
	pthread_t thread;
	bool busy;
	const struct cfg *in_force;
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

/* Read again, a pipe is empty, which is a valid configuration, or never ends, and we with it. */
static int check_rereadable(const struct app_conf *conf, struct err *e)
{
	struct stat st;

	for (size_t i = 0; i < conf->n_paths; i++) {
		if (strcmp(conf->paths[i], "-") == 0)
			return err_set(e, ERR_STATE,
				       "the configuration came from standard input, which can't be "
				       "read again: restart crier, or give it a file");
		if (stat(conf->paths[i], &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			return err_set(e, ERR_STATE,
				       "%s is not a file, and can't be read again: restart crier",
				       conf->paths[i]);
	}
	return 0;
}

static void *loader_thread(void *arg)
{
	struct loader *ld = arg;
	struct loaded *r = &ld->result;

	pthread_setname_np(pthread_self(), "crier-loader");
	*r = (struct loaded){ 0 };
	r->status = check_rereadable(ld->conf, &r->why);
	if (r->status == 0)
		loader_load(ld->conf, r);
	if (r->status == 0)
		r->diff = cfg_diff(ld->in_force, r->cfg);
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
		json_decref(ld->result.diff);
	}
	loop_wake_fini(&ld->finished);
	free(ld);
	return NULL;
}

bool loader_is_busy(const struct loader *ld)
{
	return ld->busy;
}

int loader_start(struct loader *ld, const struct cfg *in_force,
		 void (*done)(void *ctx, struct loaded *result), void *ctx, struct err *e)
{
	sigset_t all, before;

	if (ld->busy)
		return err_set(e, ERR_STATE, "a reload is under way; try again when it is done");
	ld->in_force = in_force;
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
