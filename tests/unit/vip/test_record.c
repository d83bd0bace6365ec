#include "vip/record.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static char folder[64];
static char path[96];

static int up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/crier_vip.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/a.vips", folder);
	return 0;
}

static int down(void **state)
{
	char lock[128];

	(void)state;
	snprintf(lock, sizeof(lock), "%s.lock", path);
	unlink(lock);
	unlink(path);
	return rmdir(folder); /* nothing else may be left there */
}

static void written_and_read(void **state)
{
	CLEANUP(vip_record_fini) struct vip_record r = { .instance = "0123456789abcdef" };
	CLEANUP(vip_record_fini) struct vip_record back = { 0 };
	struct addr v4 = addr_v4(192, 0, 2, 9), v6;
	struct stat st;

	(void)state;
	assert_int_equal(addr_parse("2001:db8::9", &v6), 0);
	vip_record_add(&r, 2, "eth0", &v4);
	vip_record_add(&r, 1, "lo", &v6);
	assert_int_equal(vip_record_write(path, &r, NULL), 0);
	assert_int_equal(vip_record_read(path, &back, NULL), 0);
	assert_string_equal(back.instance, r.instance);
	assert_int_equal(back.n, 2);
	assert_int_equal(back.v[0].ifindex, 2);
	assert_string_equal(back.v[0].link, "eth0");
	assert_true(addr_eq(&back.v[1].addr, &v6));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void grows_at_its_end(void **state)
{
	CLEANUP(vip_record_fini) struct vip_record r = { .instance = "0123456789abcdef" };
	CLEANUP(vip_record_fini) struct vip_record more = { 0 };
	CLEANUP(vip_record_fini) struct vip_record back = { 0 };
	struct addr a = addr_v4(192, 0, 2, 9), b = addr_v4(192, 0, 2, 10);
	struct err e = { 0 };

	(void)state;
	vip_record_add(&r, 2, "eth0", &a);
	vip_record_add(&more, 3, "", &b); /* the link has just gone */
	assert_true(vip_record_append(path, &more, &e) < 0);
	assert_string_equal(strstr(e.text, "No such"), "No such file or directory");
	assert_int_equal(vip_record_write(path, &r, NULL), 0);
	assert_int_equal(vip_record_append(path, &more, NULL), 0);
	assert_int_equal(vip_record_read(path, &back, NULL), 0);
	assert_string_equal(back.instance, r.instance);
	assert_int_equal(back.n, 2);
	assert_int_equal(back.v[1].ifindex, 3);
	assert_true(addr_eq(&back.v[1].addr, &b));
}

static void none_is_empty(void **state)
{
	CLEANUP(vip_record_fini) struct vip_record r = { 0 };

	(void)state;
	assert_int_equal(vip_record_read(path, &r, NULL), 0);
	assert_int_equal(r.n, 0);
	assert_string_equal(r.instance, "");
}

static void put_file(const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Nothing of ours outlives the kernel; what a power failure leaves of a file is none of our words. */
static void a_kernel_ago_is_empty(void **state)
{
	static const char before[] = "crier-vips 2 abc 00000000-0000-0000-0000-000000000000\n"
				     "2 eth0 192.0.2.9\n";
	static const char undated[] = "crier-vips 1 abc\n2 eth0 192.0.2.9\n";
	CLEANUP(vip_record_fini) struct vip_record r = { 0 };

	(void)state;
	put_file(before, strlen(before));
	assert_int_equal(vip_record_read(path, &r, NULL), 0);
	assert_int_equal(r.n, 0);
	put_file("", 0);
	assert_int_equal(vip_record_read(path, &r, NULL), 0);
	assert_int_equal(r.n, 0);
	put_file("\0\0\0\0", 4);
	assert_int_equal(vip_record_read(path, &r, NULL), 0);
	assert_int_equal(r.n, 0);
	put_file(undated, strlen(undated));
	assert_int_equal(vip_record_read(path, &r, NULL), 0);
	assert_int_equal(r.n, 1);
}

static void a_failed_write_says_why(void **state)
{
	struct vip_record r = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(vip_record_write("/nonexistent/a.vips", &r, &e) < 0);
	assert_string_equal(e.text, "write /nonexistent/a.vips: No such file or directory");
	assert_true(vip_record_read("/proc", &r, &e) < 0);
}

struct text_case {
	const char *name;
	const char *text;
	int entries; /* -1: refused */
};

static const struct text_case text_cases[] = {
	{ "empty record", "crier-vips 1 abc\n", 0 },
	{ "one", "crier-vips 1 abc\n2 eth0 192.0.2.9\n", 1 },
	{ "no newline at the end", "crier-vips 1 abc\n2 eth0 192.0.2.9", 1 },
	{ "empty file", "", -1 },
	{ "somebody else's file", "root:x:0:0:\n", -1 },
	{ "with its boot", "crier-vips 2 abc 0a1b\n2 eth0 192.0.2.9\n", 1 },
	{ "whose boot is not known", "crier-vips 2 abc \n2 eth0 192.0.2.9\n", 1 },
	{ "of a later version", "crier-vips 3 abc\n", -1 },
	{ "a line cut off", "crier-vips 1 abc\n2 eth0\n3 eth1 192.0.2.9\n", 1 },
	{ "bad address", "crier-vips 1 abc\n2 eth0 192.0.2.999\n", 0 },
	{ "bad index", "crier-vips 1 abc\n0 eth0 192.0.2.9\n-1 eth0 192.0.2.9\nx eth0 192.0.2.9\n",
	  0 },
	{ "words too long",
	  "crier-vips 1 abcdefghijklmnopqrstuvwxyz\n2 abcdefghijklmnopqrst 192.0.2.9\n", 0 },
};

static void texts(void **state)
{
	const struct text_case *c = *state;
	CLEANUP(vip_record_fini) struct vip_record r = { 0 };

	assert_int_equal(vip_record_parse(c->text, &r, NULL) < 0, c->entries < 0);
	assert_int_equal(r.n, MAX(c->entries, 0));
}

static void locks_keep_others_out(void **state)
{
	int a = vip_lock_open(path, NULL);
	int b = vip_lock_open(path, NULL);

	(void)state;
	assert_true(a >= 0 && b >= 0);
	assert_true(vip_lock_try(a, VIP_LOCK_OWNER));
	assert_false(vip_lock_try(b, VIP_LOCK_OWNER));
	assert_true(vip_lock_try(b, VIP_LOCK_WORK));
	assert_false(vip_lock_try(a, VIP_LOCK_WORK));
	vip_lock_release(b, VIP_LOCK_WORK);
	assert_true(vip_lock_try(a, VIP_LOCK_WORK));
	close(a); /* the locks go with it */
	assert_true(vip_lock_try(b, VIP_LOCK_OWNER));
	vip_lock_wait(b, VIP_LOCK_WORK);
	close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(written_and_read, up, down),
		cmocka_unit_test_setup_teardown(grows_at_its_end, up, down),
		cmocka_unit_test_setup_teardown(none_is_empty, up, down),
		cmocka_unit_test_setup_teardown(a_kernel_ago_is_empty, up, down),
		cmocka_unit_test_setup_teardown(a_failed_write_says_why, up, down),
		cmocka_unit_test_setup_teardown(locks_keep_others_out, up, down),
	};
	int failed = cmocka_run_group_tests_name("record", tests, NULL, NULL);

	return failed + RUN_TABLE("texts", text_cases, texts);
}
