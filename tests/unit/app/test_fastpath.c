/* Which links get a program of ours, and for what, on a veth pair in a namespace of our own. */
#include "app/fastpath.h"

#include <net/if.h>
#include <string.h>

#include "netns.h"

struct fixture {
	struct loop *loop;
	struct net_links *links;
	struct fastpath *fastpath;
	int near, far;
};

static void nobody(void *ctx)
{
	(void)ctx;
}

static int setup(void **state)
{
	static struct fixture f;
	struct err e = { 0 };

	*state = &f;
	if (!netns_enter())
		return 0;
	netns_run("ip link add near type veth peer name far; ip link set near up; ip link set far "
		  "up");
	f.near = (int)if_nametoindex("near");
	f.far = (int)if_nametoindex("far");
	assert_int_equal(loop_new(&f.loop, &e), 0);
	assert_int_equal(net_links_new(f.loop, nobody, NULL, &f.links, &e), 0);
	f.fastpath = fastpath_new();
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fastpath_free(f->fastpath);
	net_links_free(f->links);
	loop_free(f->loop);
	return 0;
}

static void need_programs(const struct fixture *f)
{
	if (!f->fastpath || !fastpath_fast(f->fastpath))
		skip();
}

static void announce(struct fixture *f, enum cfg_fast_path wanted, const int *ifindexes, size_t n)
{
	struct l2_iface ifaces[2] = { 0 };

	for (size_t i = 0; i < n; i++)
		ifaces[i].ifindex = ifindexes[i];
	fastpath_configure(f->fastpath, wanted);
	fastpath_links(f->fastpath, ifaces, n, f->links);
}

static void watch(struct fixture *f, enum cfg_fast_path wanted, int ifindex, uint32_t packets_s)
{
	const struct fastpath_flow flow = { ifindex, packets_s };

	fastpath_flows(f->fastpath, wanted, &flow, packets_s ? 1 : 0, f->links);
}

static unsigned uses(const struct fixture *f, int ifindex)
{
	return fast_uses(fastpath_fast(f->fastpath), ifindex);
}

static bool bfd_by(const struct fixture *f, const char *link, const char *how)
{
	json_t *all = fastpath_bfd_json(f->fastpath, f->links);
	const char *said =
		json_string_value(json_object_get(json_object_get(all, "receives"), link));
	bool so = how ? said && strcmp(said, how) == 0 : !said;

	json_decref(all);
	return so;
}

static bool answers_by(const struct fixture *f, const char *link, const char *how)
{
	json_t *all = fastpath_json(f->fastpath, f->links);
	const char *said =
		json_string_value(json_object_get(json_object_get(all, "answers"), link));
	bool so = how ? said && strcmp(said, how) == 0 : !said;

	json_decref(all);
	return so;
}

static void one_program_does_what_both_want(void **state)
{
	struct fixture *f = *state;

	need_programs(f);
	announce(f, CFG_FAST_SOCKET, (int[]){ f->near, f->far }, 2);
	watch(f, CFG_FAST_SOCKET, f->near, 100000);
	assert_int_equal(uses(f, f->near) | uses(f, f->far), 0);
	assert_true(bfd_by(f, "near", "socket") && answers_by(f, "near", "socket"));

	watch(f, CFG_FAST_XDP, f->near, 1);
	assert_int_equal(uses(f, f->near), FAST_NOTES);
	assert_true(fastpath_notes(f->fastpath, f->near));
	assert_false(fastpath_notes(f->fastpath, f->far));
	assert_true(bfd_by(f, "near", "native") && bfd_by(f, "far", NULL));
	assert_true(answers_by(f, "near", "socket") && answers_by(f, "far", "socket"));

	announce(f, CFG_FAST_XDP, (int[]){ f->near, f->far }, 2);
	assert_int_equal(uses(f, f->near), FAST_NOTES | FAST_ANSWERS);
	assert_int_equal(uses(f, f->far), FAST_ANSWERS);
	assert_true(answers_by(f, "near", "generic") && answers_by(f, "far", "generic"));
	assert_true(bfd_by(f, "near", "generic")); /* a veth pair's driver would lose the answers */

	watch(f, CFG_FAST_XDP, f->near, 0); /* no session is left */
	assert_int_equal(uses(f, f->near), FAST_ANSWERS);
	assert_true(bfd_by(f, "near", NULL));
	announce(f, CFG_FAST_XDP, (int[]){ f->far }, 1);
	assert_int_equal(uses(f, f->near), 0);
	assert_int_equal(uses(f, f->far), FAST_ANSWERS);
	announce(f, CFG_FAST_XDP, NULL, 0);
	assert_int_equal(uses(f, f->far), 0);
}

static void a_virtual_link_is_left_alone_unless_asked_for(void **state)
{
	struct fixture *f = *state;

	need_programs(f);
	announce(f, CFG_FAST_AUTO, (int[]){ f->near }, 1);
	watch(f, CFG_FAST_AUTO, f->near, 10 * FASTPATH_WORTH);
	assert_int_equal(uses(f, f->near), 0);
	assert_true(bfd_by(f, "near", "socket"));
	/* Where a program is anyway, it may do this as well; few packets are not worth it. */
	announce(f, CFG_FAST_XDP, (int[]){ f->near }, 1);
	assert_int_equal(uses(f, f->near), FAST_NOTES | FAST_ANSWERS);
	watch(f, CFG_FAST_AUTO, f->near, FASTPATH_WORTH - 1);
	assert_int_equal(uses(f, f->near), FAST_ANSWERS);
	/* But answers that nobody asked for would cost its notes the driver. */
	announce(f, CFG_FAST_AUTO, (int[]){ f->near }, 1);
	watch(f, CFG_FAST_XDP, f->near, FASTPATH_WORTH - 1);
	assert_int_equal(uses(f, f->near), FAST_NOTES);
	assert_true(bfd_by(f, "near", "native") && answers_by(f, "near", "socket"));
	watch(f, CFG_FAST_SOCKET, f->near, FASTPATH_WORTH);
	assert_int_equal(uses(f, f->near), 0);
}

static void a_program_of_somebody_else_stays(void **state)
{
	struct fixture *f = *state;
	struct fast *other = NULL;

	need_programs(f);
	assert_int_equal(fast_new(&other, NULL), 0);
	assert_int_equal(fast_attach(other, f->far, FAST_GENERIC, FAST_ANSWERS, NULL), 0);
	watch(f, CFG_FAST_XDP, f->far, 100);
	assert_false(fastpath_notes(f->fastpath, f->far));
	json_t *all = fastpath_bfd_json(f->fastpath, f->links);
	assert_non_null(strstr(json_string_value(json_object_get(all, "reason")), "another XDP"));
	json_decref(all);
	fast_free(other);
	watch(f, CFG_FAST_SOCKET, f->far, 100);
	watch(f, CFG_FAST_XDP, f->far, 100);
	assert_true(fastpath_notes(f->fastpath, f->far));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_program_does_what_both_want),
		cmocka_unit_test(a_virtual_link_is_left_alone_unless_asked_for),
		cmocka_unit_test(a_program_of_somebody_else_stays),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
