#include "app/fastpath.h"

#include <string.h>

#include "app/json.h"
#include "base/log.h"

/* A link, and what came of trying. */
struct tried {
	int ifindex;
	bool announces;	    /* in the present table of Layer 2 */
	uint64_t packets_s; /* of BFD sessions */
	unsigned asked;	    /* set of enum fast_use */
	bool any_driver;    /* generic mode will do, too */
	const char *how;    /* NULL: no program of ours is there */
	char *why;	    /* what was asked for is not there; NULL: it is */
};

struct fastpath {
	struct fast *fast;
	char *missing;		   /* why there is none */
	bool map_failed;	   /* it does not hold all addresses */
	enum cfg_fast_path wanted; /* by Layer 2 */
	enum cfg_fast_path wanted_notes;
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

static void tried_end(struct fastpath *f, struct tried *t)
{
	if (t->how)
		fast_detach(f->fast, t->ifindex);
	free(t->why);
	t->how = t->why = NULL;
}

struct fastpath *fastpath_free(struct fastpath *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < f->n; i++)
		tried_end(f, &f->v[i]);
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

bool fastpath_filters(const struct fastpath *f)
{
	return f->fast && !f->map_failed;
}

void fastpath_map_failed(struct fastpath *f)
{
	f->map_failed = true;
}

static const char *why_not(const struct fastpath *f)
{
	return f->map_failed ? "there are too many addresses for the map in the kernel"
			     : f->missing;
}

/* Its driver takes programs; but its other end then sends in smaller pieces, and what is sent back is lost unless that end
 * is prepared for it. So: where somebody asks for it, and for notes alone. */
static bool is_veth(const struct net_link *link)
{
	return link && strcmp(link->kind, "veth") == 0;
}

/* Cards have a driver, and other virtual links have none. */
static bool native_fits(const struct net_link *link, unsigned uses, bool any_driver)
{
	return !link->kind[0] || (is_veth(link) && uses == FAST_NOTES && any_driver);
}

static int attach(const struct fastpath *f, struct tried *t, const struct net_link *link,
		  struct err *e)
{
	if (t->how) /* only its work changes */
		return fast_attach(f->fast, t->ifindex, FAST_GENERIC, t->asked, e);
	int rc = native_fits(link, t->asked, t->any_driver)
			 ? fast_attach(f->fast, t->ifindex, FAST_NATIVE, t->asked, e)
			 : err_set(e, ERR_LIMIT, "a virtual link has no driver for it");

	if (rc == 0)
		t->how = "native";
	if (rc == 0 || rc == -ERR_STATE || !t->any_driver)
		return rc;
	rc = fast_attach(f->fast, t->ifindex, FAST_GENERIC, t->asked, e);
	if (rc == 0)
		t->how = "generic";
	return rc;
}

static void try_link(struct fastpath *f, struct tried *t, const struct net_links *links)
{
	const struct net_link *link = net_links_by_index(links, t->ifindex);
	struct err e = { 0 };

	if (t->asked == 0 || !link || attach(f, t, link, &e) == 0)
		return;
	t->why = mem_strdup(e.text);
	if (t->any_driver)
		log_event(LOG_WARN, "fastPathRefused", "packets on a link are left to the process",
			  KV_STR("interface", link->name), KV_STR("reason", e.text));
}

/* What a link is to do, and whether in any mode: `auto` asks for no more than a driver can. */
static void choose(const struct fastpath *f, const struct tried *t, const struct net_links *links,
		   unsigned *uses, bool *any_driver)
{
	const struct net_link *link = net_links_by_index(links, t->ifindex);
	/* A card takes the tag off before a program sees the frame: one for a VLAN would look like one for the link. */
	bool answers = t->announces && !f->map_failed && f->wanted != CFG_FAST_SOCKET &&
		       !net_links_has_vlans(links, t->ifindex);
	bool notes = t->packets_s &&
		     (f->wanted_notes == CFG_FAST_XDP ||
		      (f->wanted_notes == CFG_FAST_AUTO && t->packets_s >= FASTPATH_WORTH));
	bool answers_anywhere = answers && f->wanted == CFG_FAST_XDP;
	bool notes_anywhere = notes && f->wanted_notes == CFG_FAST_XDP;

	if (notes_anywhere && !answers_anywhere && is_veth(link))
		answers = false; /* else there would be no native mode */
	*any_driver = answers_anywhere || notes_anywhere;
	*uses = (answers ? FAST_ANSWERS : 0u) | (notes ? FAST_NOTES : 0u);
}

/* May the program that is there do this, too, in its mode? */
static bool fits(const struct tried *t, const struct net_link *link, unsigned uses, bool any_driver)
{
	if (strcmp(t->how, "generic") == 0)
		return any_driver;
	return !link || native_fits(link, uses, any_driver);
}

static void settle(struct fastpath *f, struct tried *t, const struct net_links *links)
{
	const struct net_link *link = net_links_by_index(links, t->ifindex);
	unsigned uses;
	bool any_driver;

	choose(f, t, links, &uses, &any_driver);
	if (uses == t->asked && any_driver == t->any_driver)
		return;
	if (uses == 0 || !t->how || !fits(t, link, uses, any_driver))
		tried_end(f, t);
	free(t->why);
	t->why = NULL;
	t->asked = uses;
	t->any_driver = any_driver;
	try_link(f, t, links);
}

static struct tried *tried_of(struct fastpath *f, int ifindex)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].ifindex == ifindex)
			return &f->v[i];
	mem_grow(f->v, f->n, f->cap);
	f->v[f->n] = (struct tried){ .ifindex = ifindex };
	return &f->v[f->n++];
}

static void settle_all(struct fastpath *f, const struct net_links *links)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct tried *t = &f->v[i];

		if (f->fast)
			settle(f, t, links);
		if (t->announces || t->packets_s)
			f->v[kept++] = *t;
		else
			tried_end(f, t);
	}
	f->n = kept;
}

void fastpath_configure(struct fastpath *f, enum cfg_fast_path wanted)
{
	f->wanted = wanted;
}

void fastpath_links(struct fastpath *f, const struct l2_iface *ifaces, size_t n,
		    const struct net_links *links)
{
	for (size_t i = 0; i < f->n; i++)
		f->v[i].announces = false;
	for (size_t i = 0; i < n; i++)
		tried_of(f, ifaces[i].ifindex)->announces = !ifaces[i].below;
	settle_all(f, links);
}

void fastpath_flows(struct fastpath *f, enum cfg_fast_path wanted, const struct fastpath_flow *v,
		    size_t n, const struct net_links *links)
{
	f->wanted_notes = wanted;
	for (size_t i = 0; i < f->n; i++)
		f->v[i].packets_s = 0;
	for (size_t i = 0; i < n; i++)
		tried_of(f, v[i].ifindex)->packets_s += v[i].packets_s;
	settle_all(f, links);
}

bool fastpath_notes(const struct fastpath *f, int ifindex)
{
	return f->fast && (fast_uses(f->fast, ifindex) & FAST_NOTES);
}

static const char *how(const struct fastpath *f, const struct tried *t, enum fast_use use)
{
	return f->fast && (fast_uses(f->fast, t->ifindex) & use) ? t->how : "socket";
}

json_t *fastpath_json(const struct fastpath *f, const struct net_links *links)
{
	json_t *all = json_pack("{s:s}", "filter", fastpath_filters(f) ? "map" : "classic");
	json_t *answers = json_object();

	json_set_text(all, "reason", why_not(f));
	for (size_t i = 0; i < f->n; i++) {
		const struct tried *t = &f->v[i];
		const struct net_link *link = net_links_by_index(links, t->ifindex);

		if (link && t->announces && f->fast)
			json_set_text(answers, link->name, how(f, t, FAST_ANSWERS));
		if (link && t->asked & FAST_ANSWERS && f->wanted == CFG_FAST_XDP)
			json_set_text(all, "reason", t->why);
	}
	json_object_set_new(all, "answers", answers);
	return all;
}

json_t *fastpath_bfd_json(const struct fastpath *f, const struct net_links *links)
{
	json_t *all = json_object(), *receives = json_object();

	for (size_t i = 0; i < f->n; i++) {
		const struct tried *t = &f->v[i];
		const struct net_link *link = net_links_by_index(links, t->ifindex);

		if (link && t->packets_s)
			json_set_text(receives, link->name, how(f, t, FAST_NOTES));
		if (link && t->packets_s && t->asked & FAST_NOTES)
			json_set_text(all, "reason", t->why);
	}
	if (f->wanted_notes == CFG_FAST_XDP)
		json_set_text(all, "reason", f->missing);
	json_object_set_new(all, "receives", receives);
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
