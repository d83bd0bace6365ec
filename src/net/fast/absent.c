/* Built where clang or libbpf is missing: there are no programs for the kernel. */
#include "net/fast.h"

const struct metric_row fast_metric_rows[] = { FAST_METRICS(METRIC_ROW, struct fast_stats) };
const size_t fast_metric_rows_n = ARRAY_LEN(fast_metric_rows);

int fast_new(struct fast **out, struct err *e)
{
	(void)out;
	return err_set(e, ERR_STATE, "built without libbpf and clang");
}

struct fast *fast_free(struct fast *f)
{
	return f;
}

/* Nobody has a struct fast to call the others with. */

int fast_filter(const struct fast *f, int fd, bool ipv6, struct err *e)
{
	(void)f;
	(void)fd;
	(void)ipv6;
	return err_set(e, ERR_STATE, "built without libbpf and clang");
}

int fast_put(struct fast *f, const struct fast_entry *entry)
{
	(void)f;
	(void)entry;
	return -ERR_STATE;
}

void fast_del(struct fast *f, int ifindex, const struct addr *addr)
{
	(void)f;
	(void)ifindex;
	(void)addr;
}

bool fast_answers(const struct fast *f, int ifindex, const struct addr *addr, uint64_t *n,
		  struct mono *last)
{
	(void)f;
	(void)ifindex;
	(void)addr;
	(void)n;
	(void)last;
	return false;
}

int fast_attach(struct fast *f, int ifindex, enum fast_mode mode, unsigned uses, struct err *e)
{
	(void)f;
	(void)ifindex;
	(void)mode;
	(void)uses;
	return err_set(e, ERR_STATE, "built without libbpf and clang");
}

void fast_detach(struct fast *f, int ifindex)
{
	(void)f;
	(void)ifindex;
}

unsigned fast_uses(const struct fast *f, int ifindex)
{
	(void)f;
	(void)ifindex;
	return 0;
}

bool fast_has_answered(const struct fast *f)
{
	(void)f;
	return false;
}

bool fast_needs_beat(const struct fast *f)
{
	(void)f;
	return false;
}

void fast_beat(struct fast *f)
{
	(void)f;
}

void fast_silence(struct fast *f)
{
	(void)f;
}

int fast_note_open(struct fast *f, int ifindex, uint32_t disc, struct fast_note *out)
{
	(void)f;
	(void)ifindex;
	(void)disc;
	(void)out;
	return -ERR_STATE;
}

void fast_note_close(struct fast *f, struct fast_note *n)
{
	(void)f;
	(void)n;
}

void fast_note_begin(struct fast_note *n, const struct addr *from, const struct addr *to,
		     const uint8_t packet[static FAST_NOTE_LEN], struct mono until)
{
	(void)n;
	(void)from;
	(void)to;
	(void)packet;
	(void)until;
}

void fast_note_end(struct fast_note *n)
{
	(void)n;
}

uint64_t fast_note_read(const struct fast_note *n, struct mono *last)
{
	(void)n;
	(void)last;
	return 0;
}

void fast_stats(const struct fast *f, struct fast_stats *out)
{
	(void)f;
	*out = (struct fast_stats){ 0 };
}
