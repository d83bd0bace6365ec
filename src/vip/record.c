#include "vip/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define HEAD	   "crier-vips "
#define BOOT_ID	   "/proc/sys/kernel/random/boot_id"
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

/* A link that has gone has no name any more. */
static void format_entries(const struct vip_record *r, struct buf *out)
{
	for (size_t i = 0; i < r->n; i++)
		buf_printf(out, "%d %s %s\n", r->v[i].ifindex, r->v[i].link[0] ? r->v[i].link : "-",
			   ADDR_TEXT(&r->v[i].addr));
}

void vip_record_format(const struct vip_record *r, struct buf *out)
{
	buf_printf(out, HEAD "2 %s %s\n", r->instance, r->boot);
	format_entries(r, out);
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
	const char *nl = strchr(text, '\n');
	unsigned version = 0;
	CLEANUP(mem_freep) char *head = mem_strndup(text, nl ? (size_t)(nl - text) : strlen(text));

	if (sscanf(head, HEAD "%1u %16s %39s", &version, r.instance, r.boot) < 2 || version < 1 ||
	    version > 2)
		return err_set(e, ERR_CONFIG, "not a record of service addresses");
	for (; nl; nl = strchr(nl + 1, '\n'))
		parse_line(nl + 1, &r);
	*out = r;
	return 0;
}

static void boot_now(char out[static VIP_BOOT_MAX])
{
	CLEANUP(buf_fini) struct buf text = { 0 };

	out[0] = '\0';
	if (file_read(BOOT_ID, RECORD_MAX, &text, NULL) == 0)
		(void)sscanf(buf_text(&text), "%39s", out);
}

static bool is_of_another_boot(const struct vip_record *r)
{
	char now[VIP_BOOT_MAX];

	boot_now(now);
	return r->boot[0] && now[0] && strcmp(r->boot, now) != 0;
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
	if (buf_text(&text)[0] == '\0') { /* it had not reached the disk when the power failed */
		*out = (struct vip_record){ 0 };
		return 0;
	}
	if (vip_record_parse(buf_text(&text), out, e) < 0)
		return err_wrap(e, "%s", path);
	if (is_of_another_boot(out))
		vip_record_fini(out);
	return 0;
}

static int write_file(const char *path, int how, const struct buf *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | how, 0600);
	size_t done = 0;

	while (fd >= 0 && done < text->len) {
		ssize_t n = write(fd, text->p + done, text->len - done);

		if (n < 0 && errno != EINTR)
			break;
		done += (size_t)MAX(n, 0);
	}
	int saved = errno;
	if (fd >= 0)
		(void)close(fd);
	errno = saved;
	return fd >= 0 && done == text->len ? 0 : -1;
}

int vip_record_write(const char *path, const struct vip_record *r, struct err *e)
{
	CLEANUP(mem_freep) char *fresh = mem_printf("%s.new", path);
	CLEANUP(buf_fini) struct buf text = { 0 };
	struct vip_record here = *r;

	boot_now(here.boot);
	vip_record_format(&here, &text);
	if (write_file(fresh, O_CREAT | O_TRUNC, &text) == 0 && rename(fresh, path) == 0)
		return 0;
	int status = err_errno(e, "write %s", path);
	(void)unlink(fresh);
	return status;
}

int vip_record_append(const char *path, const struct vip_record *r, struct err *e)
{
	CLEANUP(buf_fini) struct buf text = { 0 };

	format_entries(r, &text);
	if (write_file(path, O_APPEND, &text) < 0)
		return err_errno(e, "write %s", path);
	return 0;
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
