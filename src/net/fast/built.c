#include <arpa/inet.h>
#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/map.h"
#include "net/fast.h"
#include "net/fast/answer_map.h"
#include "net/fast/note_map.h"

/* Made of answer.bpf.c while building. */
extern const unsigned char fast_image[];
extern const size_t fast_image_len;

static_assert(FAST_NOTE_LEN == NOTE_LEN, "one packet");

#define USES (FAST_ANSWERS | FAST_NOTES)

/** A program of ours on a link. */
struct hold {
	int fd;
	unsigned uses;
};

struct fast {
	struct bpf_object *object; /* maps and filters */
	struct bpf_object *driver; /* what runs on links; NULL until the first link is asked for */
	int addresses, counters, sessions;
	int filter_arp, filter_ndp;
	int xdp[USES + 1];	 /* by uses, of `driver` */
	uint64_t *heartbeat;	 /* mapped */
	struct note_slot *slots; /* mapped */
	uint16_t free_slots[NOTE_MAX];
	unsigned n_free_slots;
	struct map *links; /* ifindex -> struct hold */
	size_t n_answering;
	bool has_answered; /* some link, some time */
};

const struct metric_row fast_metric_rows[] = { FAST_METRICS(METRIC_ROW, struct fast_stats) };
const size_t fast_metric_rows_n = ARRAY_LEN(fast_metric_rows);

/* libbpf talks to standard error unless told not to. */
static int say_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static int program_fd(const struct bpf_object *o, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(o, name));
}

static int map_fd(const struct fast *f, const char *name)
{
	return bpf_map__fd(bpf_object__find_map_by_name(f->object, name));
}

/* Open the image. Of its programs those of one kind are loaded: the kernel takes milliseconds to look through them. */
static struct bpf_object *image_open(enum bpf_prog_type type)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "crier");
	struct bpf_object *o = bpf_object__open_mem(fast_image, fast_image_len, &opts);
	struct bpf_program *p;

	if (o)
		bpf_object__for_each_program(p, o)
			bpf_program__set_autoload(p, bpf_program__type(p) == type);
	return o;
}

static int image_load(struct bpf_object *o, struct err *e)
{
	int rc = bpf_object__load(o);

	if (rc == 0)
		return 0;
	errno = -rc;
	return err_errno(e, "load the programs into the kernel (needs CAP_BPF and CAP_PERFMON)");
}

static int object_load(struct fast *f, struct err *e)
{
	libbpf_set_print(say_nothing);
	f->object = image_open(BPF_PROG_TYPE_SOCKET_FILTER);
	if (!f->object)
		return err_errno(e, "open the programs for the kernel");
	int rc = image_load(f->object, e);
	if (rc < 0)
		return rc;
	f->addresses = map_fd(f, "addresses");
	f->counters = map_fd(f, "counters");
	f->sessions = map_fd(f, "sessions");
	f->filter_arp = program_fd(f->object, "filter_arp");
	f->filter_ndp = program_fd(f->object, "filter_ndp");
	return 0;
}

/* The maps are those that are there. */
static int share_maps(const struct fast *f, struct bpf_object *driver)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, driver)
	{
		int rc = bpf_map__reuse_fd(map, map_fd(f, bpf_map__name(map)));

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int driver_load(struct fast *f, struct err *e)
{
	if (f->driver)
		return 0;
	struct bpf_object *o = image_open(BPF_PROG_TYPE_XDP);
	int rc = o && share_maps(f, o) == 0 ? image_load(o, e)
					    : err_errno(e, "open the programs for the driver");

	if (rc < 0) {
		bpf_object__close(o);
		return rc;
	}
	f->driver = o;
	f->xdp[FAST_ANSWERS] = program_fd(o, "answer");
	f->xdp[FAST_NOTES] = program_fd(o, "note");
	f->xdp[USES] = program_fd(o, "answer_and_note");
	return 0;
}

static void *shared(const struct fast *f, const char *name, size_t len, struct err *e)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd(f, name), 0);

	if (at != MAP_FAILED)
		return at;
	(void)err_errno(e, "map %s", name);
	return NULL;
}

static int share_memory(struct fast *f, struct err *e)
{
	f->heartbeat = shared(f, "heartbeat", sizeof(*f->heartbeat), e);
	f->slots = f->heartbeat ? shared(f, "slots", NOTE_MAX * sizeof(*f->slots), e) : NULL;
	while (f->n_free_slots < NOTE_MAX) {
		f->free_slots[f->n_free_slots] = (uint16_t)(NOTE_MAX - 1 - f->n_free_slots);
		f->n_free_slots++;
	}
	return f->slots ? 0 : -ERR_SYSTEM;
}

int fast_new(struct fast **out, struct err *e)
{
	struct fast *f = mem_new(struct fast);

	f->links = map_new();
	int rc = object_load(f, e);
	if (rc == 0)
		rc = share_memory(f, e);
	if (rc < 0) {
		fast_free(f);
		return rc;
	}
	*out = f;
	return 0;
}

static void hold_free(void *value)
{
	struct hold *h = value;

	close(h->fd);
	free(h);
}

struct fast *fast_free(struct fast *f)
{
	if (!f)
		return NULL;
	map_clear(f->links, hold_free);
	map_free(f->links);
	if (f->heartbeat)
		munmap(f->heartbeat, sizeof(*f->heartbeat));
	if (f->slots)
		munmap(f->slots, NOTE_MAX * sizeof(*f->slots));
	bpf_object__close(f->driver);
	bpf_object__close(f->object);
	free(f);
	return NULL;
}

int fast_filter(const struct fast *f, int fd, bool ipv6, struct err *e)
{
	int program = ipv6 ? f->filter_ndp : f->filter_arp;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)) < 0)
		return err_errno(e, "attach a packet filter");
	return 0;
}

static struct answer_key key_of(int ifindex, const struct addr *addr)
{
	struct answer_key key = {
		.ifindex = (uint32_t)ifindex,
		.family = addr->family == FAMILY_V4 ? ANSWER_V4 : ANSWER_V6,
	};

	memcpy(key.addr, addr->b, sizeof(key.addr));
	return key;
}

int fast_put(struct fast *f, const struct fast_entry *entry)
{
	struct answer_key key = key_of(entry->ifindex, &entry->addr);
	struct answer_value value = { .answers = entry->answers };

	memcpy(value.mac, entry->mac.b, sizeof(value.mac));
	return bpf_map_update_elem(f->addresses, &key, &value, BPF_ANY);
}

void fast_del(struct fast *f, int ifindex, const struct addr *addr)
{
	struct answer_key key = key_of(ifindex, addr);

	(void)bpf_map_delete_elem(f->addresses, &key);
}

bool fast_answers(const struct fast *f, int ifindex, const struct addr *addr, uint64_t *n,
		  struct mono *last)
{
	struct answer_key key = key_of(ifindex, addr);
	struct answer_value value;

	if (bpf_map_lookup_elem(f->addresses, &key, &value) < 0)
		return false;
	*n = value.answered;
	*last = (struct mono){ (int64_t)value.last_ns };
	return true;
}

static void count_answering(struct fast *f)
{
	size_t n = 0;
	void *value;

	for (size_t at = 0; map_next(f->links, &at, NULL, &value);)
		n += (((const struct hold *)value)->uses & FAST_ANSWERS) != 0;
	__atomic_store_n(&f->n_answering, n, __ATOMIC_RELAXED);
	if (n > 0)
		__atomic_store_n(&f->has_answered, true, __ATOMIC_RELAXED);
}

static int hold_new(struct fast *f, int ifindex, enum fast_mode mode, unsigned uses, struct err *e)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = mode == FAST_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	int fd = bpf_link_create(f->xdp[uses], ifindex, BPF_XDP, &opts);

	if (fd == -EBUSY || fd == -EEXIST)
		return err_set(e, ERR_STATE, "another XDP program is there");
	if (fd < 0) {
		errno = -fd;
		return err_errno(e, "attach an XDP program");
	}
	struct hold *h = mem_new(struct hold);
	*h = (struct hold){ .fd = fd, .uses = uses };
	(void)map_put_bytes(f->links, &ifindex, sizeof(ifindex), h);
	return 0;
}

static int hold_change(const struct fast *f, struct hold *h, unsigned uses, struct err *e)
{
	int rc = bpf_link_update(h->fd, f->xdp[uses], NULL);

	if (rc < 0) {
		errno = -rc;
		return err_errno(e, "change an XDP program");
	}
	h->uses = uses;
	return 0;
}

int fast_attach(struct fast *f, int ifindex, enum fast_mode mode, unsigned uses, struct err *e)
{
	struct hold *h = map_get_bytes(f->links, &ifindex, sizeof(ifindex));

	if (h && h->uses == uses)
		return 0;
	int rc = driver_load(f, e);
	if (rc < 0)
		return rc;
	rc = h ? hold_change(f, h, uses, e) : hold_new(f, ifindex, mode, uses, e);
	count_answering(f);
	return rc;
}

void fast_detach(struct fast *f, int ifindex)
{
	struct hold *h = map_del_bytes(f->links, &ifindex, sizeof(ifindex));

	if (h)
		hold_free(h);
	count_answering(f);
}

unsigned fast_uses(const struct fast *f, int ifindex)
{
	const struct hold *h = map_get_bytes(f->links, &ifindex, sizeof(ifindex));

	return h ? h->uses : 0;
}

bool fast_needs_beat(const struct fast *f)
{
	return __atomic_load_n(&f->n_answering, __ATOMIC_RELAXED) > 0;
}

bool fast_has_answered(const struct fast *f)
{
	return __atomic_load_n(&f->has_answered, __ATOMIC_RELAXED);
}

void fast_beat(struct fast *f)
{
	/* bpf_ktime_get_ns() is CLOCK_MONOTONIC, as this is. */
	__atomic_store_n(f->heartbeat, (uint64_t)mono_clock().ns, __ATOMIC_RELAXED);
}

void fast_silence(struct fast *f)
{
	__atomic_store_n(f->heartbeat, 0, __ATOMIC_RELAXED);
}

static struct note_key note_key_of(const struct fast_note *n)
{
	return (struct note_key){ .ifindex = n->ifindex, .disc = htonl(n->disc) };
}

int fast_note_open(struct fast *f, int ifindex, uint32_t disc, struct fast_note *out)
{
	struct fast_note n = { .ifindex = (uint32_t)ifindex, .disc = disc };
	struct note_key key = note_key_of(&n);

	if (f->n_free_slots == 0)
		return -ERR_LIMIT;
	n.place = f->free_slots[f->n_free_slots - 1];
	n.slot = &f->slots[n.place];
	*n.slot = (struct note_slot){ 0 };
	if (bpf_map_update_elem(f->sessions, &key, &n.place, BPF_ANY) < 0)
		return -ERR_LIMIT;
	f->n_free_slots--;
	*out = n;
	return 0;
}

void fast_note_close(struct fast *f, struct fast_note *n)
{
	struct note_key key = note_key_of(n);

	if (!n->slot)
		return;
	fast_note_end(n);
	(void)bpf_map_delete_elem(f->sessions, &key);
	f->free_slots[f->n_free_slots++] = (uint16_t)n->place;
	*n = (struct fast_note){ 0 };
}

/* The kernel may be comparing right now: it takes a mixture for neither, and what it notes too late is a repetition. */
void fast_note_begin(struct fast_note *n, const struct addr *from, const struct addr *to,
		     const uint8_t packet[static FAST_NOTE_LEN], struct mono until)
{
	struct note_slot *s = n->slot;

	fast_note_end(n);
	s->family = from->family == FAMILY_V4 ? NOTE_V4 : NOTE_V6;
	memcpy(s->from, from->b, sizeof(s->from));
	memcpy(s->to, to->b, sizeof(s->to));
	memcpy(s->packet, packet, sizeof(s->packet));
	__atomic_store_n(&s->until_ns, (uint64_t)until.ns, __ATOMIC_RELEASE);
}

void fast_note_end(struct fast_note *n)
{
	__atomic_store_n(&n->slot->until_ns, 0, __ATOMIC_SEQ_CST);
}

uint64_t fast_note_read(const struct fast_note *n, struct mono *last)
{
	uint64_t noted = __atomic_load_n(&n->slot->noted, __ATOMIC_ACQUIRE);

	if (noted)
		last->ns = (int64_t)__atomic_load_n(&n->slot->last_ns, __ATOMIC_RELAXED);
	return noted;
}

static uint64_t counter(const struct fast *f, uint32_t what)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t sum = 0;

	if (cpus <= 0)
		return 0;
	uint64_t *each = mem_new_n(uint64_t, (size_t)cpus);
	if (bpf_map_lookup_elem(f->counters, &what, each) == 0)
		for (int i = 0; i < cpus; i++)
			sum += each[i];
	free(each);
	return sum;
}

void fast_stats(const struct fast *f, struct fast_stats *out)
{
	*out = (struct fast_stats){
		.arp_answered = counter(f, ANSWER_ARP),
		.ndp_answered = counter(f, ANSWER_NDP),
		.stale = counter(f, ANSWER_STALE),
		.unwanted = counter(f, ANSWER_UNWANTED),
	};
}
