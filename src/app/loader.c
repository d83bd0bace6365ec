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
	struct arena *arena; /* of the texts; the thread's while it runs */
	struct cfg_text *texts;
	size_t n_texts;
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

static void load(const struct app_conf *conf, const struct cfg *in_force,
		 const struct cfg_text *texts, size_t n_texts, struct loaded *out)
{
	char name[256];
	struct cfg_input in = { .paths = conf->paths,
				.n_paths = conf->n_paths,
				.texts = texts,
				.n_texts = n_texts,
				.host_name = conf->node ? conf->node : host_name(name),
				.before = in_force,
				.keep = true };

	*out = (struct loaded){ 0 };
	out->status = cfg_load_input(&in, &out->cfg, &out->report);
}

void loader_load(const struct app_conf *conf, struct loaded *out)
{
	load(conf, NULL, NULL, 0, out);
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
		load(ld->conf, ld->in_force, ld->texts, ld->n_texts, r);
	if (r->status == 0) {
		r->diff = cfg_diff(ld->in_force, r->cfg);
		r->changes = cfg_changes_of(ld->in_force, r->cfg);
	}
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
		cfg_changes_free(ld->result.changes);
	}
	loop_wake_fini(&ld->finished);
	arena_free(ld->arena);
	free(ld);
	return NULL;
}

bool loader_is_busy(const struct loader *ld)
{
	return ld->busy;
}

static void keep_texts(struct loader *ld, const struct cfg_text *texts, size_t n)
{
	arena_free(ld->arena);
	ld->arena = arena_new();
	ld->texts = arena_new_n(ld->arena, struct cfg_text, n);
	ld->n_texts = n;
	for (size_t i = 0; i < n; i++)
		ld->texts[i] =
			(struct cfg_text){ arena_strdup(ld->arena, texts[i].name),
					   arena_strndup(ld->arena, texts[i].text, texts[i].len),
					   texts[i].len };
}

int loader_start(struct loader *ld, const struct cfg *in_force, const struct cfg_text *texts,
		 size_t n_texts, void (*done)(void *ctx, struct loaded *result), void *ctx,
		 struct err *e)
{
	sigset_t all, before;

	if (ld->busy)
		return err_set(e, ERR_STATE, "a reload is under way; try again when it is done");
	keep_texts(ld, texts, n_texts);
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
