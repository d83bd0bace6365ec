#include "app/others.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"

#define IPVS_LINK  "kube-ipvs0"
#define LOOK_AFTER DUR_S(1) /* links change in bursts, and what we bind is on them in a moment */
#define FOUND_MAX  8
#define IPVS_TEXT                                                                      \
	"kube-proxy in IPVS mode has put our addresses on " IPVS_LINK                  \
	": the kernel of every node answers ARP for them; set strictARP: true in its " \
	"configuration"
#define NUMBER_MAX 64 /* bytes of a file of procfs that we read */

static const struct trade {
	const char *program;
	const char *is;
} trades[] = {
	{ "keepalived", "keepalived" }, { "kube-vip", "kube-vip" },
	{ "ucarp", "ucarp" },		{ "speaker", "MetalLB's speaker" },
	{ "vrrpd", "vrrpd" },		{ "fake_farpd", "farpd" },
	{ "ndppd", "ndppd" },
};

struct found {
	char *v[FOUND_MAX];
	size_t n;
};

struct others {
	struct others_conf conf;
	struct loop_timer look;
	struct found links;    /* as they are */
	struct found programs; /* as they were at the start */
	bool looked;
};

static void found_fini(struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i]);
	f->n = 0;
}

static bool found_has(const struct found *f, const char *text)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i], text) == 0)
			return true;
	return false;
}

/* Takes the text; one sentence stands for all that are alike. */
static void found_add(struct found *f, char *text)
{
	if (f->n < FOUND_MAX && !found_has(f, text))
		f->v[f->n++] = text;
	else
		free(text);
}

static void found_say(const struct found *f, const struct found *before)
{
	for (size_t i = 0; i < f->n; i++)
		if (!found_has(before, f->v[i]))
			log_plain(LOG_WARN, "othersAnswer", f->v[i]);
}

/* --- the kernel --- */

static long read_number(const char *path)
{
	CLEANUP(buf_fini) struct buf text = { 0 };

	return file_read(path, NUMBER_MAX, &text, NULL) == 0 ? strtol(buf_text(&text), NULL, 10)
							     : 0;
}

/* Does the kernel answer ARP that comes in on @link for addresses of other links? */
static bool answers_for_others(const struct others *o, const char *link)
{
	const char *const names[] = { "all", link }; /* the greater one counts */
	bool answers = true;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(mem_freep)
		char *path =
			mem_printf("%s/sys/net/ipv4/conf/%s/arp_ignore", o->conf.proc, names[i]);
		answers = answers && read_number(path) == 0;
	}
	return answers;
}

/* The first link of Layer 2 on which the kernel answers for what is on @holder; NULL: none. */
static const char *answering_link(const struct others *o, const struct net_link *holder,
				  const struct addr *a)
{
	const struct net_link *link;

	for (size_t at = 0; (link = net_links_next(o->conf.links, &at));) {
		if (!layer2_uses(o->conf.layer2, link))
			continue;
		/* Of IPv6 it answers only for what is on the link itself. */
		if (link == holder || (a->family == FAMILY_V4 && answers_for_others(o, link->name)))
			return link->name;
	}
	return NULL;
}

static void look_at_address(const struct others *o, const struct addr *a, struct found *f)
{
	const struct net_link *holder;

	for (size_t at = 0; (holder = net_links_holder(o->conf.links, a, &at));) {
		const char *link = answering_link(o, holder, a);

		if (link && strcmp(holder->name, IPVS_LINK) == 0)
			found_add(f, mem_strdup(IPVS_TEXT));
		else if (link)
			found_add(f, mem_printf("%s is on %s by somebody else's hand: this host's "
						"kernel answers for it on %s, whoever owns it",
						ADDR_TEXT(a), holder->name, link));
	}
}

/* Some examples say it all where there are thousands. */
static void look_at_addresses(const struct others *o, struct found *f)
{
	struct addr a;

	for (size_t at = 0; f->n < FOUND_MAX && layer2_next_address(o->conf.layer2, &at, &a);)
		if (!binding_has(o->conf.binding, &a))
			look_at_address(o, &a, f);
}

/* --- programs --- */

/*
 * Each network has files of its own under /proc/PID/net, also for who may not look at ns/net of a process that has more
 * rights.
 */
static bool same_network(const struct others *o, const char *pid)
{
	CLEANUP(mem_freep) char *theirs_path = mem_printf("%s/%s/net/dev", o->conf.proc, pid);
	CLEANUP(mem_freep) char *ours_path = mem_printf("%s/self/net/dev", o->conf.proc);
	struct stat theirs, ours;

	if (stat(theirs_path, &theirs) < 0 || stat(ours_path, &ours) < 0)
		return false; /* it has ended */
	return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

static const struct trade *trade_of(const struct others *o, const char *pid)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s/comm", o->conf.proc, pid);
	CLEANUP(buf_fini) struct buf name = { 0 };

	if (file_read(path, NUMBER_MAX, &name, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(trades); i++) {
		size_t len = strlen(trades[i].program);

		if (name.len == len + 1 && memcmp(name.p, trades[i].program, len) == 0)
			return &trades[i];
	}
	return NULL;
}

static void look_at_programs(const struct others *o, struct found *f)
{
	DIR *d = opendir(o->conf.proc);
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		const struct trade *t = trade_of(o, entry->d_name);

		if (!t || !same_network(o, entry->d_name))
			continue;
		found_add(f, mem_printf("%s runs on this host: where both have an address, both "
					"answer for it",
					t->is));
	}
	if (d)
		closedir(d);
}

/* --- */

static void look(struct loop_timer *t, struct mono now)
{
	struct others *o = CONTAINER_OF(t, struct others, look);
	struct found f = { 0 }, none = { 0 };

	(void)now;
	look_at_addresses(o, &f);
	found_say(&f, &o->links);
	found_fini(&o->links);
	o->links = f;
	if (o->looked)
		return;
	o->looked = true;
	look_at_programs(o, &o->programs);
	found_say(&o->programs, &none);
}

struct others *others_new(const struct others_conf *conf)
{
	struct others *o = mem_new(struct others);

	o->conf = *conf;
	loop_timer_init(&o->look, conf->loop, look);
	others_touch(o);
	return o;
}

struct others *others_free(struct others *o)
{
	if (!o)
		return NULL;
	loop_timer_stop(&o->look);
	found_fini(&o->links);
	found_fini(&o->programs);
	free(o);
	return NULL;
}

void others_touch(struct others *o)
{
	if (o && !loop_timer_active(&o->look))
		loop_timer_set(&o->look, mono_add(loop_now(o->conf.loop), LOOK_AFTER));
}

const char *others_next(const struct others *o, size_t *at)
{
	size_t i = (*at)++;

	if (!o || i >= o->links.n + o->programs.n)
		return NULL;
	return i < o->links.n ? o->links.v[i] : o->programs.v[i - o->links.n];
}
