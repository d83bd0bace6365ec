#include "app/restart.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/byhand.h"
#include "app/saver.h"
#include "base/file.h"
#include "base/log.h"

#define BEAT DUR_S(1)

struct restart {
	struct loop *loop;
	struct bgp_speaker *bgp;
	char *path;
	struct saver *saver;
	char boot[64]; /* of the host, now */
	bool was_here; /* another daemon ran on this boot, and told it at seen */
	bool was_fed;
	struct timespec seen;

	bool began; /* the first configuration is in force */
	bool on;    /* some peer has graceful restart */
	bool viewed;
	bool written, written_fed; /* what the file says */
	struct dur health;	   /* that checks need at most until they have said something */
	struct loop_timer beat;
	struct loop_timer checked;
};

static void boot_read(char *out, size_t cap)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, cap - 1);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static void file_load(struct restart *r)
{
	CLEANUP(buf_fini) struct buf text = { 0 };
	struct stat st;

	if (stat(r->path, &st) < 0 || file_read(r->path, 4096, &text, NULL) < 0)
		return;
	json_t *o = json_loadb(text.p, text.len, 0, NULL);
	const char *boot = json_string_value(json_object_get(o, "boot"));

	r->was_here = boot && strcmp(boot, r->boot) == 0;
	r->was_fed = json_is_true(json_object_get(o, "fed"));
	r->seen = st.st_mtim;
	json_decref(o);
}

/* The clock may have been set: what lies in the future is not young. */
static bool is_young(const struct restart *r, struct dur than)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age_s = (int64_t)now.tv_sec - r->seen.tv_sec;
	return r->was_here && age_s >= 0 && DUR_S(age_s).ns < than.ns;
}

/* The saver's: what is given to it is its text already. */
static char *file_text(void *text)
{
	return text;
}

static void file_written(void *ctx, const struct err *why)
{
	(void)ctx;
	if (why)
		log_event(LOG_WARN, "stateNotWritten", "a restart will not be graceful",
			  KV_STR("error", why->text));
}

static void file_write(struct restart *r, bool fed)
{
	json_t *o = json_pack("{s:s, s:b}", "boot", r->boot, "fed", fed);

	saver_save(r->saver, json_dumps(o, JSON_COMPACT));
	r->written = true;
	r->written_fed = fed;
	json_decref(o);
}

/* Only the time, as a rule: that does not wait for a disk. */
static void sign_of_life(struct restart *r)
{
	bool fed = bgp_speaker_is_fed(r->bgp, BYHAND_NETWORKS);

	if (!r->written || fed != r->written_fed)
		file_write(r, fed);
	else
		(void)!utimensat(AT_FDCWD, r->path, NULL, 0);
}

/* While our predecessor's routes are not all announced again, its own sign of life stands: it counts. */
static void on_beat(struct loop_timer *t, struct mono now)
{
	struct restart *r = CONTAINER_OF(t, struct restart, beat);

	if (bgp_speaker_is_kept(r->bgp))
		sign_of_life(r);
	loop_timer_set(t, mono_add(now, BEAT));
}

static void on_checked(struct loop_timer *t, struct mono now)
{
	(void)now;
	bgp_speaker_known(CONTAINER_OF(t, struct restart, checked)->bgp, BGP_AWAITS_VIEW);
}

int restart_new(struct loop *loop, const char *path, struct bgp_speaker *bgp, struct restart **out,
		struct err *e)
{
	struct restart *r = mem_new(struct restart);

	r->loop = loop;
	r->bgp = bgp;
	r->path = mem_strdup(path);
	const struct saver_conf saver = {
		.path = r->path,
		.mode = 0600,
		.text = file_text,
		.drop = free,
		.done = file_written,
	};
	int status = saver_new(loop, &saver, &r->saver, e);

	if (status < 0) {
		free(r->path);
		free(r);
		return status;
	}
	boot_read(r->boot, sizeof(r->boot));
	file_load(r);
	loop_timer_init(&r->beat, loop, on_beat);
	loop_timer_init(&r->checked, loop, on_checked);
	*out = r;
	return 0;
}

struct restart *restart_free(struct restart *r)
{
	if (!r)
		return NULL;
	loop_timer_stop(&r->beat);
	loop_timer_stop(&r->checked);
	saver_free(r->saver);
	free(r->path);
	free(r);
	return NULL;
}

static struct dur check_time(const struct cfg_health *h)
{
	if (h->kind == CFG_HEALTH_NONE)
		return DUR_S(0);
	return DUR_NS(h->interval.ns * h->rise + h->timeout.ns);
}

static struct dur checks_time(const struct cfg *c)
{
	struct dur most = DUR_S(0);

	for (size_t i = 0; i < c->n_services; i++)
		most.ns = MAX(most.ns, check_time(&c->services[i].health).ns);
	for (size_t i = 0; i < c->n_networks; i++)
		most.ns = MAX(most.ns, check_time(&c->networks[i].health).ns);
	return most;
}

/* The shortest one that any peer was promised. */
static struct dur restart_time(const struct cfg *c)
{
	struct dur least = DUR_S(0);

	for (size_t i = 0; i < c->n_peers; i++) {
		struct dur d = c->peers[i].restart;

		if (d.ns && (!least.ns || d.ns < least.ns))
			least = d;
	}
	return least;
}

/* @kept: how long routers keep our routes at all. */
static void begin(struct restart *r, struct dur time, struct dur kept)
{
	bool again = r->on && is_young(r, kept);
	uint8_t awaits = BGP_AWAITS_VIEW | (again && r->was_fed ? BGP_AWAITS_FEEDERS : 0);

	r->began = true;
	bgp_speaker_begin(r->bgp, again, awaits, r->on ? DUR_NS(time.ns / 2) : DUR_S(60));
	if (again)
		log_event(LOG_INFO, "gracefulRestart", "peers have kept our routes for us",
			  KV_BOOL("awaitsFeeders", r->was_fed));
}

void restart_configure(struct restart *r, const struct cfg *c)
{
	struct dur time = restart_time(c);

	r->on = time.ns != 0;
	r->health = checks_time(c);
	if (!r->began)
		begin(r, time, DUR_NS(time.ns + c->bgp.long_lived.ns));
	if (r->on && !loop_timer_active(&r->beat))
		loop_timer_set(&r->beat, mono_add(loop_now(r->loop), BEAT));
	if (!r->on) {
		loop_timer_stop(&r->beat);
		(void)unlink(r->path);
		r->written = false;
	}
}

void restart_viewed(struct restart *r)
{
	if (r->viewed || !r->began)
		return;
	r->viewed = true;
	loop_timer_set(&r->checked, mono_add(loop_now(r->loop), r->health));
}

void restart_leaving(struct restart *r)
{
	if (r->on && bgp_speaker_is_kept(r->bgp))
		sign_of_life(r);
}
