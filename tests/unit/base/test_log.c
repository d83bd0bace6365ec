#include "support.h"

#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static int ends[2];

/* What the log wrote since the last call. */
static const char *written(void)
{
	static char text[4096];
	ssize_t n = read(ends[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void assert_like(const char *text, const char *pattern)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	int rc = regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	if (rc != 0)
		fail_msg("%s\nis not like\n%s", text, pattern);
}

static int set_up(void **state)
{
	(void)state;
	if (pipe2(ends, O_NONBLOCK) < 0)
		return -1;
	log_set_fd(ends[1]);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_set_fd(STDERR_FILENO);
	log_set_tap(NULL, NULL);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void json_keys_are_sorted_and_typed(void **state)
{
	CLEANUP(mem_freep) char *zone = NULL;

	(void)state;
	log_configure(LOG_JSON, LOG_INFO);
	json_t *ips = json_pack("[s]", "192.0.2.1");
	log_event(LOG_INFO, "sessionUp", "BGP session \"established\"", KV_STR("peer", "tor-1"),
		  KV_U64("holdTime", 90), KV_I64("delta", -1), KV_BOOL("ok", true),
		  KV_F64("ratio", 0.5), KV_STR("zone", zone), KV_JSON("ips", ips));
	json_decref(ips);
	assert_like(written(),
		    "^\\{\"caller\":\"test_log\\.c:[0-9]+\",\"delta\":-1,\"event\":\"sessionUp\","
		    "\"holdTime\":90,\"ips\":\\[\"192\\.0\\.2\\.1\"\\],\"level\":\"info\","
		    "\"msg\":\"BGP session \\\\\"established\\\\\"\",\"ok\":true,"
		    "\"peer\":\"tor-1\",\"ratio\":0\\.5,"
		    "\"ts\":\"[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z\"\\}\n$");
}

static void text_is_for_eyes(void **state)
{
	(void)state;
	log_configure(LOG_TEXT, LOG_INFO);
	log_event(LOG_WARN, "peerOdd", "look at this", KV_STR("peer", "10.0.0.1"),
		  KV_STR("reason", "two words"), KV_U64("n", 3), KV_STR("empty", ""),
		  KV_STR("eq", "a=b"));
	assert_like(written(), "^[0-9:]{8}\\.[0-9]{3} warn  peerOdd peer=10\\.0\\.0\\.1 "
			       "reason=\"two words\" n=3 empty=\"\" eq=\"a=b\" look at this\n$");
	log_plain(LOG_ERROR, "stopped", "");
	assert_like(written(), "^[0-9:]{8}\\.[0-9]{3} error stopped\n$");
}

static void a_terminal_is_not_commanded(void **state)
{
	(void)state;
	log_configure(LOG_TEXT, LOG_INFO);
	log_event(LOG_INFO, "e", "a\nb", KV_STR("k", "\x1b[2J"),
		  KV_STR("c1", "\xc2\x9b"
			       "2J"));
	const char *line = written();
	assert_non_null(strstr(line, "k=\"\\u001B[2J\""));
	assert_non_null(strstr(line, "c1=\"\\u009B2J\""));
	assert_non_null(strstr(line, "\"a\\nb\"\n"));
}

static void bytes_that_are_not_utf8_do_not_lose_the_line(void **state)
{
	(void)state;
	log_configure(LOG_JSON, LOG_INFO);
	log_event(LOG_INFO, "e", "m\xff",
		  KV_STR("k", "a\xfe"
			      "b"));
	const char *line = written();
	assert_non_null(strstr(line, "\"k\":\"a?b\""));
	assert_non_null(strstr(line, "\"msg\":\"m?\""));
}

static void own_keys_cannot_replace_the_fixed_ones(void **state)
{
	(void)state;
	log_configure(LOG_JSON, LOG_INFO);
	log_event(LOG_INFO, "e", "m", KV_STR("level", "fake"), KV_U64("big", UINT64_MAX),
		  KV_F64("nan", __builtin_nan("")));
	const char *line = written();
	assert_non_null(strstr(line, "\"level\":\"info\""));
	assert_null(strstr(line, "fake"));
	assert_non_null(strstr(line, "\"big\":1.8446744073709552e19"));
	assert_non_null(strstr(line, "\"nan\":null"));
}

static void levels_filter(void **state)
{
	enum log_level level = LOG_INFO;

	(void)state;
	log_configure(LOG_TEXT, LOG_WARN);
	log_plain(LOG_INFO, "quiet", "");
	assert_string_equal(written(), "");
	log_plain(LOG_WARN, "loud", "");
	assert_non_null(strstr(written(), "loud"));
	log_configure(LOG_TEXT, LOG_LEVEL_NONE);
	log_plain(LOG_ERROR, "never", "");
	assert_string_equal(written(), "");

	for (enum log_level l = LOG_DEBUG; l <= LOG_LEVEL_NONE; l++) {
		assert_int_equal(log_level_parse(log_level_name(l), &level), 0);
		assert_int_equal(level, l);
	}
	assert_int_equal(log_level_parse("all", &level), 0);
	assert_int_equal(level, LOG_DEBUG);
	assert_int_equal(log_level_parse("INFO", &level), -1);
}

static void keep(void *ctx, json_t *event)
{
	json_array_append(ctx, event);
}

static void the_tap_sees_info_whatever_is_printed(void **state)
{
	json_t *seen = json_array();

	(void)state;
	log_configure(LOG_TEXT, LOG_LEVEL_NONE);
	log_set_tap(keep, seen);
	log_plain(LOG_DEBUG, "packet", "");
	log_event(LOG_INFO, "serviceAnnounced", "m", KV_STR("ip", "192.0.2.1"));
	assert_string_equal(written(), "");
	assert_int_equal(json_array_size(seen), 1);
	json_t *first = json_array_get(seen, 0);
	assert_string_equal(json_string_value(json_object_get(first, "event")), "serviceAnnounced");
	assert_string_equal(json_string_value(json_object_get(first, "ip")), "192.0.2.1");
	log_set_tap(NULL, NULL);
	json_decref(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_keys_are_sorted_and_typed),
		cmocka_unit_test(text_is_for_eyes),
		cmocka_unit_test(a_terminal_is_not_commanded),
		cmocka_unit_test(bytes_that_are_not_utf8_do_not_lose_the_line),
		cmocka_unit_test(own_keys_cannot_replace_the_fixed_ones),
		cmocka_unit_test(levels_filter),
		cmocka_unit_test(the_tap_sees_info_whatever_is_printed),
	};

	return cmocka_run_group_tests_name("log", tests, set_up, tear_down);
}
