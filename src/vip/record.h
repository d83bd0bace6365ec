/**
 * The record of the addresses that a daemon has added: a text file that names them before they are added, and for as
 * long as they are there, and the locks around it. It grows at its end, and is replaced as a whole when too much of it
 * is no longer so.
 *
 *   crier-vips 2 <instance> <the kernel's boot id>
 *   <index of the link> <its name> <address>
 *
 * It is for those who outlive the daemon, and nobody outlives the kernel: the addresses are gone with it, and what was
 * recorded under another one says nothing. So writing does not wait for a disk, and what a power failure left of the
 * file is an empty record. (Version 1 had no boot id.)
 */
#ifndef VIP_RECORD_H
#define VIP_RECORD_H

#include "base/addr.h"
#include "base/buf.h"
#include "net/link.h"

#define VIP_INSTANCE_MAX 17
#define VIP_BOOT_MAX	 40

struct vip_entry {
	int ifindex;
	char link[NET_NAME_MAX];
	struct addr addr;
};

struct vip_record {
	char instance[VIP_INSTANCE_MAX]; /* which run of a daemon wrote it */
	char boot[VIP_BOOT_MAX];	 /* under which kernel; "": not known */
	struct vip_entry *v;
	size_t n, cap;
};

void vip_record_add(struct vip_record *r, int ifindex, const char *link, const struct addr *a);
void vip_record_fini(struct vip_record *r);

void vip_record_format(const struct vip_record *r, struct buf *out);
/** Lines that make no sense are passed over. Fails when the file is none of ours. */
NODISCARD int vip_record_parse(const char *text, struct vip_record *out, struct err *e);

/** A file that is not there, or was written before this kernel started, is an empty record. */
NODISCARD int vip_record_read(const char *path, struct vip_record *out, struct err *e);
/** Replaces the file, in the name of this kernel; when it returns 0 whoever opens it reads the new one. */
NODISCARD int vip_record_write(const char *path, const struct vip_record *r, struct err *e);

/** Puts more behind what the file has; where that fails, write it anew before anything else. */
NODISCARD int vip_record_append(const char *path, const struct vip_record *r, struct err *e);

/* Two locks on "<path>.lock": OWNER for a daemon while it lives, WORK for whoever cleans up. */
enum vip_lock { VIP_LOCK_OWNER = 0, VIP_LOCK_WORK = 1 };

/** Open the lock file; the locks go with the descriptor. -ERR_SYSTEM on failure. */
NODISCARD int vip_lock_open(const char *path, struct err *e);
/** True when it was free. */
NODISCARD bool vip_lock_try(int fd, enum vip_lock which);
/** Wait for it. */
void vip_lock_wait(int fd, enum vip_lock which);
void vip_lock_release(int fd, enum vip_lock which);

#endif
