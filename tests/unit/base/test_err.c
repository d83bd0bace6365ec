#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "support.h"

static void levels_put_their_words_in_front(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, ERR_CONFIG, "asn %d is reserved", 0), -ERR_CONFIG);
	assert_int_equal(err_wrap(&e, "peers[%d]", 2), -ERR_CONFIG);
	assert_int_equal(err_wrap(&e, "load %s", "crier.yaml"), -ERR_CONFIG);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.text, "load crier.yaml: peers[2]: asn 0 is reserved");
}

static void system_errors_say_why(void **state)
{
	struct err e;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_errno(&e, "open %s", "/nowhere"), -ERR_SYSTEM);
	assert_string_equal(e.text, "open /nowhere: No such file or directory");
	assert_int_equal(errno, ENOENT);
}

static void a_port_that_is_taken(void **state)
{
	struct err e;

	(void)state;
	errno = EADDRINUSE;
	assert_int_equal(err_bind(&e, "port %d", 7), -ERR_SYSTEM);
	assert_int_equal(errno, EADDRINUSE);
	assert_string_equal(e.text, "port 7: Address already in use; ss -lntup shows who has it");
	errno = EPERM;
	assert_int_equal(err_bind(&e, "port %d", 7), -ERR_SYSTEM);
	assert_string_equal(e.text, "port 7: Operation not permitted");
}

static void nobody_asks(void **state)
{
	(void)state;
	errno = EPERM;
	assert_int_equal(err_set(NULL, ERR_LIMIT, "full"), -ERR_LIMIT);
	assert_int_equal(err_errno(NULL, "open"), -ERR_SYSTEM);
	assert_int_equal(err_bind(NULL, "port"), -ERR_SYSTEM);
	assert_true(err_wrap(NULL, "outer") < 0);
}

static void long_texts_are_cut(void **state)
{
	struct err e;
	char longest[2 * ERR_TEXT_MAX];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	err_set(&e, ERR_LIMIT, "%s", longest);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	err_wrap(&e, "outer");
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(e.text, "outer: xxx", 10);
	err_wrap(&e, "%s", longest);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	errno = EPERM;
	err_errno(&e, "%s", longest);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_put_their_words_in_front),
		cmocka_unit_test(system_errors_say_why),
		cmocka_unit_test(a_port_that_is_taken),
		cmocka_unit_test(nobody_asks),
		cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
