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

/* Made of answer.bpf.c while building. */
extern const unsigned char fast_image[];
extern const size_t fast_image_len;

struct fast {
	struct bpf_object *object;
	int addresses, counters;
	int filter_arp, filter_ndp, answer;
	uint64_t *heartbeat; /* mapped */
	struct map *links;   /* ifindex -> descriptor of the link that holds the program, +1 */
	size_t n_links;
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

static int program_fd(const struct fast *f, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(f->object, name));
}

static int map_fd(const struct fast *f, const char *name)
{
	return bpf_map__fd(bpf_object__find_map_by_name(f->object, name));
}

static int object_load(struct fast *f, struct err *e)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "crier");

	libbpf_set_print(say_nothing);
	f->object = bpf_object__open_mem(fast_image, fast_image_len, &opts);
	if (!f->object)
		return err_errno(e, "open the programs for the kernel");
	int rc = bpf_object__load(f->object);
	if (rc < 0) {
		errno = -rc;
		return err_errno(
			e, "load the programs into the kernel (needs CAP_BPF and CAP_PERFMON)");
	}
	f->addresses = map_fd(f, "addresses");
	f->counters = map_fd(f, "counters");
	f->filter_arp = program_fd(f, "filter_arp");
	f->filter_ndp = program_fd(f, "filter_ndp");
	f->answer = program_fd(f, "answer");
	return 0;
}

static int heartbeat_map(struct fast *f, struct err *e)
{
	void *at = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED,
			map_fd(f, "heartbeat"), 0);

	if (at == MAP_FAILED)
		return err_errno(e, "map the heartbeat");
	f->heartbeat = at;
	return 0;
}

int fast_new(struct fast **out, struct err *e)
{
	struct fast *f = mem_new(struct fast);

	f->links = map_new();
	int rc = object_load(f, e);
	if (rc == 0)
		rc = heartbeat_map(f, e);
	if (rc < 0) {
		fast_free(f);
		return rc;
	}
	*out = f;
	return 0;
}

static void link_close(void *value)
{
	close((int)((intptr_t)value - 1));
}

struct fast *fast_free(struct fast *f)
{
	if (!f)
		return NULL;
	map_clear(f->links, link_close);
	map_free(f->links);
	if (f->heartbeat)
		munmap(f->heartbeat, sizeof(*f->heartbeat));
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

int fast_attach(struct fast *f, int ifindex, enum fast_mode mode, struct err *e)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = mode == FAST_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);

	if (fast_is_attached(f, ifindex))
		return 0;
	int fd = bpf_link_create(f->answer, ifindex, BPF_XDP, &opts);
	if (fd == -EBUSY || fd == -EEXIST)
		return err_set(e, ERR_STATE, "another XDP program is there");
	if (fd < 0) {
		errno = -fd;
		return err_errno(e, "attach an XDP program");
	}
	(void)map_put_bytes(f->links, &ifindex, sizeof(ifindex), (void *)(intptr_t)(fd + 1));
	__atomic_store_n(&f->n_links, map_len(f->links), __ATOMIC_RELAXED);
	return 0;
}

void fast_detach(struct fast *f, int ifindex)
{
	void *link = map_del_bytes(f->links, &ifindex, sizeof(ifindex));

	if (link)
		link_close(link);
	__atomic_store_n(&f->n_links, map_len(f->links), __ATOMIC_RELAXED);
}

bool fast_is_attached(const struct fast *f, int ifindex)
{
	return map_get_bytes(f->links, &ifindex, sizeof(ifindex));
}

bool fast_needs_beat(const struct fast *f)
{
	return __atomic_load_n(&f->n_links, __ATOMIC_RELAXED) > 0;
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
