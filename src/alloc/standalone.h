/**
 * The addresses of the standalone services: a pure function of the configuration and of the shared
 * table, so that members with the same of both find the same addresses.
 *
 * What stands in the table is kept wherever the service's request and the pools allow it, better
 * entries (higher epoch, then lower node name, then service name) before others; only then are the
 * rest allocated, in the order of the file: first those that name their addresses, then those that
 * take any. So the order of the file decides between newcomers alone. Entries of services that are
 * not in the file count as well: another member, with a newer file, may have them.
 *
 * Members need not have the same file at the same moment, and must not quarrel meanwhile:
 * alloc_table_record() fills in what is missing and leaves to others what they wrote; what has to
 * go (alloc_table_prune) goes once all have the same file, and all see it alike. Until then what
 * was not written is assigned alike by all who have the same file.
 */
#ifndef ALLOC_STANDALONE_H
#define ALLOC_STANDALONE_H

#include "alloc/alloc.h"
#include "alloc/table.h"

struct alloc_assignment {
	const char *service;
	const char *pool; /* NULL: outside every pool, or nothing assigned */
	const struct addr *addresses;
	size_t n;	    /* 0: nothing could be assigned: */
	const char *reason; /* every pool tried and why not; else NULL */
	const char *sharing_key;
	bool kept;    /* as the table has it */
	bool at_odds; /* the table has what our file forbids */
};

/** In the order of the file. Owns all its texts. */
struct alloc_assignments {
	struct arena *arena;
	struct alloc_assignment *v;
	size_t n;
	bool remembers;	 /* what services give back is to be written down */
	int64_t again_s; /* when addresses at rest are free again; INT64_MAX: none rests */
};

/** What a standalone service asks the allocator for; borrows from @s. */
struct alloc_request alloc_request_of(const struct cfg_service *s);

/** @t may be NULL: nothing is remembered. */
NODISCARD struct alloc_assignments *alloc_standalone(const struct cfg *c,
						     const struct alloc_table *t);
/** The same on an allocator that others use too: what they have is nobody else's. */
NODISCARD struct alloc_assignments *alloc_standalone_with(struct alloc *alloc, const struct cfg *c,
							  const struct alloc_table *t);
struct alloc_assignments *alloc_assignments_free(struct alloc_assignments *x);
const struct alloc_assignment *alloc_assignments_find(const struct alloc_assignments *x,
						      const char *service);

/* More services than this are not looked at one by one. */
enum { ALLOC_FEW_MAX = 32 };

/** Services by their numbers. */
struct alloc_few {
	size_t n;
	size_t at[ALLOC_FEW_MAX];
};

/**
 * Has every service what the table says, and the table nobody else? Then the order in which it was
 * written decides nothing any more.
 */
bool alloc_is_settled(const struct alloc_assignments *x, const struct alloc_table *t);
/** The same after a few changed, when it was so before. */
bool alloc_few_settled(const struct alloc_assignments *x, const struct alloc_table *t,
		       const struct alloc_few *few);

/**
 * What alloc_standalone() would make of @to, where a few services of @from ask for something else:
 * @x came of @from by alloc_standalone_with(), is settled, and is changed in place; @alloc is as
 * that left it. Both configurations have the same list of pools (cfg_shares()). The services that
 * changed are told in @few.
 * False: something depends on more than these, or one got nothing, and others may have to say why.
 * Then all have to be assigned anew, and @x and @alloc are no use any more.
 */
NODISCARD bool alloc_standalone_follow(struct alloc_assignments *x, struct alloc *alloc,
				       const struct cfg *from, const struct cfg *to,
				       const struct alloc_table *t, struct alloc_few *few);

/**
 * Write what the table does not say yet into it, in the name of @node and under a new epoch; of
 * what it says already only our own entries that our file forbids by now are replaced. Returns 1
 * when there was anything to write (save it, tell the members), else 0.
 */
int alloc_table_record(struct alloc_table *t, const struct alloc_assignments *x, const char *node);
/** The same of a few services. */
int alloc_table_record_few(struct alloc_table *t, const struct alloc_assignments *x,
			   const struct alloc_few *few, const char *node);

/**
 * Leave tombstones for services that are not in the configuration, for entries that it forbids, and
 * for those whose addresses went to better ones. Only when every live member has the same pools and
 * services (cfg.hash), or there is none: another file may want them. Assign and record afterwards.
 * Tombstones that are old or too many are forgotten, and the table's floor rises over them.
 * Returns as above.
 */
int alloc_table_prune(struct alloc_table *t, const struct cfg *c, const char *node);
/** The same; @x is what came of the table, as recorded, under @c: mostly it tells that there is nothing to bury. */
int alloc_table_prune_with(struct alloc_table *t, const struct cfg *c, const char *node,
			   const struct alloc_assignments *x);

/**
 * May @c follow a configuration under which @in_use was assigned? Refused, with the services named,
 * when an address that came from a pool would be in none (v0.12's rule). Services that are gone, or
 * whose addresses a person has chosen anew, are no hindrance.
 * Returns 0, or -ERR_STATE.
 */
NODISCARD int alloc_check_shrink(const struct alloc_assignments *in_use, const struct cfg *c,
				 struct err *e);

#endif
