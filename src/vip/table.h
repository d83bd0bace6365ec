/**
 * Objects by their address, for very many of them: 14 bytes for each. An object begins with its struct addr, stays where
 * it is, and is the caller's.
 *
 * Walking order is the order of insertion.
 */
#ifndef VIP_TABLE_H
#define VIP_TABLE_H

#include "base/addr.h"

struct vip_table {
	void **v; /* NULL where one has been removed */
	size_t n, cap, live;
	uint32_t *index; /* place in v + 1; 0: free */
	size_t mask;
};

void vip_table_init(struct vip_table *t);
void vip_table_fini(struct vip_table *t);

void *vip_table_find(const struct vip_table *t, const struct addr *a); /* NULL when absent */
/** There is none of its address yet. */
void vip_table_add(struct vip_table *t, void *object);
void vip_table_remove(struct vip_table *t, const struct addr *a);

/** Walk: start with *at = 0; NULL at the end. Any may be removed meanwhile; none may be added. */
void *vip_table_next(const struct vip_table *t, size_t *at);

#endif
