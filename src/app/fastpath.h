/**
 * Our programs inside the kernel (net/fast.h), for Layer 2 and BFD: loaded once, attached to the links that are announced
 * on, and to those of BFD sessions, as the configuration wants it, and what became of that for people.
 */
#ifndef APP_FASTPATH_H
#define APP_FASTPATH_H

#include <jansson.h>

#include "config/cfg.h"
#include "l2/table.h"
#include "net/fast.h"
#include "net/link.h"

struct fastpath;

/** Load them where the host permits it; without them everything works, by classic filters. */
NODISCARD struct fastpath *fastpath_new(void);
struct fastpath *fastpath_free(struct fastpath *f);

/** For the packet thread; NULL: there are none. */
struct fast *fastpath_fast(const struct fastpath *f);
/** May the filters of Layer 2 ask the map? */
bool fastpath_filters(const struct fastpath *f);

void fastpath_configure(struct fastpath *f, enum cfg_fast_path wanted);

/** The map of addresses is not true any more: nothing is answered from it on links put in force later. */
void fastpath_map_failed(struct fastpath *f);

/** These are announced on from now on. May wait for the kernel where a link is new. */
void fastpath_links(struct fastpath *f, const struct l2_iface *ifaces, size_t n,
		    const struct net_links *links);

/** Packets of BFD sessions that come in by a link, at most; a link may be listed several times. */
struct fastpath_flow {
	int ifindex;
	uint32_t packets_s;
};

/**
 * Note them from now on. May wait for the kernel. With `auto` where they are FASTPATH_WORTH and more on a link that has a
 * driver for it: putting a program there may cost the link a moment, and each other packet a little.
 */
void fastpath_flows(struct fastpath *f, enum cfg_fast_path wanted, const struct fastpath_flow *v,
		    size_t n, const struct net_links *links);
#define FASTPATH_WORTH 5000

/** Are they noted on this link? */
bool fastpath_notes(const struct fastpath *f, int ifindex);

/** How each link answers, and why. */
NODISCARD json_t *fastpath_json(const struct fastpath *f, const struct net_links *links);
/** How BFD packets come in by each link that has sessions, and why. */
NODISCARD json_t *fastpath_bfd_json(const struct fastpath *f, const struct net_links *links);
void fastpath_collect(const struct fastpath *f, struct metric_writer *w);

#endif
