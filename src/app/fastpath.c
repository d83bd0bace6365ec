#include "app/fastpath.h"

#include <string.h>

#include "app/json.h"
#include "base/log.h"

/* A link, and what came of trying. */
struct tried {
	int ifindex;
	bool listed; /* in the present table */
	const char *how;
	char *why; /* it does not answer in the kernel; NULL: it does, or was not asked to */
};

struct fastpath {
	struct fast *fast;
	char *missing; /* why there is none */
	enum cfg_fast_path wanted;
	struct tried *v;
	size_t n, cap;
};

struct fastpath *fastpath_new(void)
{
	struct fastpath *f = mem_new(struct fastpath);
	struct err e = { 0 };

	if (fast_new(&f->fast, &e) < 0) {
		f->missing = mem_strdup(e.text);
		log_event(LOG_INFO, "fastPathOff",
			  "no programs of ours in the kernel; packets take the slower way",
			  KV_STR("reason", e.text));
	}
	return f;
}

static void links_forget(struct fastpath *f)
{
	for (size_t i = 0; i < f->n; i++) {
		fast_detach(f->fast, f->v[i].ifindex);
		free(f->v[i].why);
	}
	f->n = 0;
}

struct fastpath *fastpath_free(struct fastpath *f)
{
	if (!f)
		return NULL;
	if (f->fast)
		links_forget(f);
	fast_free(f->fast);
	free(f->v);
	free(f->missing);
	free(f);
	return NULL;
}

struct fast *fastpath_fast(const struct fastpath *f)
{
	return f->fast;
}

void fastpath_configure(struct fastpath *f, enum cfg_fast_path wanted)
{
	if (f->fast && f->wanted != wanted)
		links_forget(f); /* with the next table they are tried again */
	f->wanted = wanted;
}

/*
 * Native mode only on cards: a veth pair has it, but loses what is sent back while its other end is not prepared for
 * it; other virtual links have none.
 */
static int attach(struct fastpath *f, struct tried *t, const struct net_link *link, struct err *e)
{
	int rc = link->kind[0] ? err_set(e, ERR_LIMIT, "a virtual link has no driver for it")
			       : fast_attach(f->fast, t->ifindex, FAST_NATIVE, e);

	if (rc == 0)
		t->how = "native";
	if (rc == 0 || rc == -ERR_STATE || f->wanted != CFG_FAST_XDP)
		return rc;
	rc = fast_attach(f->fast, t->ifindex, FAST_GENERIC, e);
	if (rc == 0)
		t->how = "generic";
	return rc;
}

static void try_link(struct fastpath *f, struct tried *t, const struct net_links *links)
{
	const struct net_link *link = net_links_by_index(links, t->ifindex);
	struct err e = { 0 };

	t->how = "socket";
	if (f->wanted == CFG_FAST_SOCKET || !link || attach(f, t, link, &e) == 0)
		return;
	t->why = mem_strdup(e.text);
	if (f->wanted == CFG_FAST_XDP)
		log_event(LOG_WARN, "fastPathRefused",
			  "requests are answered by the process on a link",
			  KV_STR("interface", link->name), KV_STR("reason", e.text));
}

static struct tried *tried_find(struct fastpath *f, int ifindex)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].ifindex == ifindex)
			return &f->v[i];
	return NULL;
}

static void forget_unlisted(struct fastpath *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].listed) {
			f->v[kept++] = f->v[i];
			continue;
		}
		fast_detach(f->fast, f->v[i].ifindex);
		free(f->v[i].why);
	}
	f->n = kept;
}

void fastpath_links(struct fastpath *f, const struct l2_iface *ifaces, size_t n,
		    const struct net_links *links)
{
	if (!f->fast)
		return;
	for (size_t i = 0; i < f->n; i++)
		f->v[i].listed = false;
	for (size_t i = 0; i < n; i++) {
		struct tried *t = tried_find(f, ifaces[i].ifindex);

		if (!t) {
			mem_grow(f->v, f->n, f->cap);
			t = &f->v[f->n++];
			*t = (struct tried){ .ifindex = ifaces[i].ifindex };
			try_link(f, t, links);
		}
		t->listed = true;
	}
	forget_unlisted(f);
}

json_t *fastpath_json(const struct fastpath *f, const struct net_links *links)
{
	json_t *all = json_pack("{s:s}", "filter", f->fast ? "map" : "classic");
	json_t *answers = json_object();

	json_set_text(all, "reason", f->missing);
	for (size_t i = 0; i < f->n; i++) {
		const struct net_link *link = net_links_by_index(links, f->v[i].ifindex);

		if (link)
			json_set_text(answers, link->name, f->v[i].how);
	}
	json_object_set_new(all, "answers", answers);
	return all;
}

void fastpath_collect(const struct fastpath *f, struct metric_writer *w)
{
	struct fast_stats all;

	if (!f->fast)
		return;
	fast_stats(f->fast, &all);
	metric_struct(w, "crier_l2_kernel_", fast_metric_rows, fast_metric_rows_n, &all);
}
