#include "vip/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define HEAD	   "crier-vips 1 "
#define RECORD_MAX ((size_t)16 << 20)

void vip_record_add(struct vip_record *r, int ifindex, const char *link, const struct addr *a)
{
	mem_grow(r->v, r->n, r->cap);
	struct vip_entry *en = &r->v[r->n++];

	*en = (struct vip_entry){ .ifindex = ifindex, .addr = *a };
	snprintf(en->link, sizeof(en->link), "%s", link);
}

void vip_record_fini(struct vip_record *r)
{
	free(r->v);
	*r = (struct vip_record){ 0 };
}

void vip_record_format(const struct vip_record *r, struct buf *out)
{
	buf_printf(out, HEAD "%s\n", r->instance);
	for (size_t i = 0; i < r->n; i++)
		buf_printf(out, "%d %s %s\n", r->v[i].ifindex, r->v[i].link,
			   ADDR_TEXT(&r->v[i].addr));
}

static void parse_line(const char *line, struct vip_record *out)
{
	int ifindex;
	char link[NET_NAME_MAX];
	char text[ADDR_TEXT_MAX];
	struct addr a;

	if (sscanf(line, "%9d %15s %45s", &ifindex, link, text) != 3 || ifindex <= 0)
		return;
	if (addr_parse(text, &a) == 0)
		vip_record_add(out, ifindex, link, &a);
}

int vip_record_parse(const char *text, struct vip_record *out, struct err *e)
{
	struct vip_record r = { 0 };

	if (strncmp(text, HEAD, strlen(HEAD)) != 0)
		return err_set(e, ERR_CONFIG, "not a record of service addresses");
	sscanf(text + strlen(HEAD), "%16s", r.instance);
	for (const char *nl = strchr(text, '\n'); nl; nl = strchr(nl + 1, '\n'))
		parse_line(nl + 1, &r);
	*out = r;
	return 0;
}

int vip_record_read(const char *path, struct vip_record *out, struct err *e)
{
	CLEANUP(buf_fini) struct buf text = { 0 };
	int status = file_read(path, RECORD_MAX, &text, e);

	if (status == -ERR_SYSTEM && errno == ENOENT) {
		*out = (struct vip_record){ 0 };
		return 0;
	}
	if (status < 0)
		return status;
	return vip_record_parse(buf_text(&text), out, e) < 0 ? err_wrap(e, "%s", path) : 0;
}

int vip_record_write(const char *path, const struct vip_record *r, struct err *e)
{
	CLEANUP(buf_fini) struct buf text = { 0 };

	vip_record_format(r, &text);
	return file_replace(path, text.p, text.len, 0600, e);
}

int vip_lock_open(const char *path, struct err *e)
{
	CLEANUP(mem_freep) char *name = mem_printf("%s.lock", path);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? err_errno(e, "open %s", name) : fd;
}

/* One byte of the file for each lock; they belong to the open file, not to a process. */
static int lock(int fd, int command, short type, enum vip_lock which)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = which, .l_len = 1 };
	int code;

	do
		code = fcntl(fd, command, &range);
	while (code < 0 && errno == EINTR);
	return code;
}

bool vip_lock_try(int fd, enum vip_lock which)
{
	return lock(fd, F_OFD_SETLK, F_WRLCK, which) == 0;
}

void vip_lock_wait(int fd, enum vip_lock which)
{
	(void)lock(fd, F_OFD_SETLKW, F_WRLCK, which);
}

void vip_lock_release(int fd, enum vip_lock which)
{
	(void)lock(fd, F_OFD_SETLK, F_UNLCK, which);
}
