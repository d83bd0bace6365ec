#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "alloc/converge.h"

enum { LINES = 12, PASSES_MAX = 4 };

/*
 * One service out of nothing but lines that somebody wrote: a byte of flags, then cluster IPs, both
 * requests, pool, key, note, and what its status has. It ends soon in a state that it stays in, with
 * addresses of the pool, one of each family.
 */
struct input {
	char *lines[LINES];
	size_t n;
	unsigned flags;
};

static const struct prefix blocks[] = {
	{ { FAMILY_V4, { 10 } }, 30 },
	{ { FAMILY_V6, { 0x20, 0x01, 0x0d, 0xb8 } }, 126 },
};
static const struct cfg_block_list elements[] = { { "10.0.0.0/30", &blocks[0], 1 },
						  { "2001:db8::/126", &blocks[1], 1 } };
static const struct cfg_pool pool = {
	.name = "p", .addresses = elements, .n_addresses = 2, .auto_assign = true
};
static const struct cfg cfg = { .pools = &pool, .n_pools = 1 };

static struct input input_of(char *text)
{
	struct input in = { .flags = (uint8_t)text[0] };

	if (*text)
		text++;
	for (char *line; in.n < LINES && (line = strsep(&text, "\n"));)
		in.lines[in.n++] = line;
	return in;
}

static const char *line_of(const struct input *in, size_t i)
{
	return i < in->n && *in->lines[i] ? in->lines[i] : NULL;
}

static struct converge_service service_of(const struct input *in, const char **cluster_ips,
					  struct converge_ingress *ingress)
{
	struct converge_service s = {
		.key = "ns/a",
		.namespace = "ns",
		.is_load_balancer = !(in->flags & 1),
		.policy = (in->flags >> 1) % 3,
		.first_family = in->flags & 8 ? FAMILY_V6 : FAMILY_NONE,
		.load_balancer_ip = line_of(in, 3),
		.load_balancer_ips = { line_of(in, 4), line_of(in, 5) },
		.address_pool = { line_of(in, 6), NULL },
		.allow_shared_ip = { line_of(in, 7), NULL },
		.allocated_from = { line_of(in, 8), NULL },
		.cluster_ips = cluster_ips,
		.ingress = ingress,
	};

	for (size_t i = 0; i < 3; i++) {
		if (line_of(in, i))
			cluster_ips[s.n_cluster_ips++] = line_of(in, i);
		if (line_of(in, 9 + i))
			ingress[s.n_ingress++].ip = line_of(in, 9 + i);
	}
	return s;
}

static void check(const struct converge_result *r)
{
	assert(r->n_events <= CONVERGE_EVENTS_MAX && r->n <= CONVERGE_ADDRESSES_MAX);
	for (size_t i = 0; i < r->n_events; i++)
		assert(strlen(r->events[i].text) <= CONVERGE_TEXT_MAX);
	for (size_t i = 0; i < r->n && !r->is_left; i++)
		assert(cfg_pool_of(&cfg, &r->addresses[i]));
	assert(r->n < 2 || r->is_left || r->addresses[0].family != r->addresses[1].family);
	assert(!r->n || r->is_left || strcmp(r->pool, "p") == 0);
}

/* The status says what was decided. */
static void write_down(struct converge_service *s, struct converge_ingress *ingress,
		       const struct converge_result *r, char text[][ADDR_TEXT_MAX])
{
	for (size_t i = 0; i < r->n; i++)
		ingress[i] =
			(struct converge_ingress){ addr_format(&r->addresses[i], text[i]), false };
	s->ingress = ingress;
	s->n_ingress = r->n;
	s->allocated_from = (struct converge_annotation){ r->n ? "p" : NULL, NULL };
	s->terms = r->terms;
}

static void run(struct converge_service *s)
{
	CLEANUP(alloc_freep) struct alloc *a = alloc_new(&cfg);
	char text[CONVERGE_ADDRESSES_MAX][ADDR_TEXT_MAX];
	struct converge_ingress ingress[CONVERGE_ADDRESSES_MAX];
	bool is_changed = true;

	for (int pass = 0; is_changed; pass++) {
		CLEANUP(converge_result_freep) struct converge_result *r = converge_run(a, s);

		assert(pass < PASSES_MAX);
		check(r);
		is_changed = r->is_changed;
		if (is_changed)
			write_down(s, ingress, r, text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *cluster_ips[3];
	struct converge_ingress ingress[3] = { 0 };
	char *text = mem_strndup((const char *)data, size);
	struct input in = input_of(text);
	struct converge_service s = service_of(&in, cluster_ips, ingress);

	run(&s);
	free(text);
	return 0;
}

FUZZ_MAIN;
