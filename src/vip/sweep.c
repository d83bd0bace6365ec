#include "vip/sweep.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/ifaddr.h"
#include "vip/choose.h"

static int by_address(const void *a, const void *b)
{
	const struct vip_entry *x = a, *y = b;
	int c = addr_cmp(&x->addr, &y->addr);

	return c ? c : (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

/* Does the record, in order, speak of this address? */
static bool is_recorded(const struct vip_record *r, const struct net_addr *found, bool proto_kept)
{
	struct vip_entry key = { .ifindex = found->ifindex, .addr = found->addr };

	return vip_is_ours(found, &key.addr, key.ifindex, proto_kept) &&
	       bsearch(&key, r->v, r->n, sizeof(*r->v), by_address);
}

static int remove_recorded(struct netlink *nl, const struct vip_record *r, size_t *removed,
			   struct err *e)
{
	CLEANUP(mem_freep) struct net_addr *all = NULL;
	bool proto_kept = ifaddr_proto_kept();
	size_t n;
	int status = ifaddr_list(nl, &all, &n, e);

	qsort(r->v, r->n, sizeof(*r->v), by_address);
	for (size_t i = 0; status >= 0 && i < n; i++) {
		if (!is_recorded(r, &all[i], proto_kept))
			continue;
		int code = ifaddr_remove(nl, all[i].ifindex, &all[i].addr, e);
		if (code < 0)
			status = code;
		else if (code == 0)
			(*removed)++;
	}
	return status;
}

int vip_sweep(const char *path, const char *instance, size_t *removed, struct err *e)
{
	CLEANUP(vip_record_fini) struct vip_record r = { 0 };
	CLEANUP(netlink_closep) struct netlink *nl = NULL;
	size_t count = 0;

	int status = vip_record_read(path, &r, e);
	bool theirs = instance && strcmp(instance, r.instance) != 0;
	if (status == 0 && r.n > 0 && !theirs) {
		status = netlink_open(&nl, e);
		if (status == 0)
			status = remove_recorded(nl, &r, &count, e);
	}
	if (removed)
		*removed = count;
	return status;
}

int vip_cleanup(const char *state_path, size_t *removed, struct err *e)
{
	if (removed)
		*removed = 0;
	if (access(state_path, F_OK) < 0)
		return 0;
	int fd = vip_lock_open(state_path, e);
	if (fd < 0)
		return fd;
	if (!vip_lock_try(fd, VIP_LOCK_OWNER)) {
		close(fd);
		return err_set(e, ERR_STATE, "a running crier keeps %s: stop it first", state_path);
	}
	vip_lock_wait(fd, VIP_LOCK_WORK);
	int status = vip_sweep(state_path, NULL, removed, e);
	if (status == 0)
		(void)unlink(state_path);
	close(fd);
	return status;
}
