#include "net/fd.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support.h"

static void goes_above_all_others(void **state)
{
	int ends[2];
	char c;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	int high = fd_to_end(ends[0], FD_ENDS_EARLY);
	assert_true(high > ends[1] + 500);
	assert_int_equal(fcntl(high, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(ends[0], F_GETFD), -1);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(read(high, &c, 1), 1);
	int higher = fd_to_end(ends[1], FD_ENDS_FIRST);
	assert_true(higher > high);
	close(high);
	close(higher);
}

static void stays_where_there_is_no_room(void **state)
{
	struct rlimit before, few;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(fd_to_end(ends[0], FD_ENDS_EARLY), ends[0]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_above_all_others),
		cmocka_unit_test(stays_where_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
