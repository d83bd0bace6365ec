#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

struct mono mono_clock(void)
{
	return (struct mono){ .ns = clock_ns(CLOCK_MONOTONIC) };
}

struct unit {
	const char *name;
	uint64_t ns;
};

/* Longer names first where one is the start of another. */
static const struct unit units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* U+00B5, the micro sign */
	{ "\xce\xbcs", 1000 }, /* U+03BC, the Greek letter */
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", UINT64_C(60000000000) },
	{ "h", UINT64_C(3600000000000) },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const struct unit *unit_at(const char *text)
{
	size_t len = strcspn(text, ".0123456789");

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strlen(units[i].name) == len && memcmp(units[i].name, text, len) == 0)
			return &units[i];
	}
	return NULL;
}

#define DUR_LIMIT (UINT64_C(1) << 63) /* one more than fits: the magnitude of the lowest negative */

/* Digits before the point; -1 when they leave the range. */
static int whole_part(const char **p, uint64_t *out)
{
	uint64_t v = 0;

	for (; is_digit(**p); (*p)++) {
		if (v > DUR_LIMIT / 10)
			return -1;
		v = v * 10 + (uint64_t)(**p - '0');
		if (v > DUR_LIMIT)
			return -1;
	}
	*out = v;
	return 0;
}

/* Digits behind the point, as value / scale; those beyond the precision are passed over. */
static uint64_t fraction_part(const char **p, double *scale)
{
	uint64_t v = 0;
	bool full = false;

	*scale = 1;
	for (; is_digit(**p); (*p)++) {
		uint64_t next = v * 10 + (uint64_t)(**p - '0');

		full = full || v > (DUR_LIMIT - 1) / 10 || next > DUR_LIMIT;
		if (full)
			continue;
		v = next;
		*scale *= 10;
	}
	return v;
}

/* One "12.5ms" of the text. */
static int dur_term(const char **p, uint64_t *out)
{
	uint64_t whole;
	uint64_t fraction = 0;
	double scale = 1;
	const char *start = *p;

	if (whole_part(p, &whole) < 0)
		return -1;
	bool digits = *p != start;
	if (**p == '.') {
		const char *point = ++*p;
		fraction = fraction_part(p, &scale);
		digits = digits || *p != point;
	}
	const struct unit *u = digits ? unit_at(*p) : NULL;
	if (!u || whole > DUR_LIMIT / u->ns)
		return -1;
	*p += strlen(u->name);
	uint64_t ns = whole * u->ns;
	if (fraction > 0) /* in floating point, so that the result is Go's to the nanosecond */
		ns += (uint64_t)((double)fraction * ((double)u->ns / scale));
	if (ns > DUR_LIMIT)
		return -1;
	*out = ns;
	return 0;
}

int dur_parse(const char *text, struct dur *out)
{
	const char *p = text;
	bool negative = *p == '-';
	uint64_t total = 0;

	if (*p == '-' || *p == '+')
		p++;
	if (strcmp(p, "0") == 0) {
		*out = (struct dur){ 0 };
		return 0;
	}
	if (*p == '\0')
		return -1;
	while (*p) {
		uint64_t term;

		if (dur_term(&p, &term) < 0)
			return -1;
		total += term; /* both at most 2^63 */
		if (total > DUR_LIMIT || (total == 0 && term > 0))
			return -1;
	}
	if (total == DUR_LIMIT && !negative)
		return -1;
	out->ns = (int64_t)(negative ? -total : total);
	return 0;
}

/* Write @v / @unit with as many decimals as it needs. */
static const char *format_small(bool negative, uint64_t v, uint64_t unit, const char *name,
				char buf[static DUR_TEXT_MAX])
{
	char decimals[12] = "";
	uint64_t rest = v % unit;

	if (rest > 0) {
		int n = 0;
		for (uint64_t u = unit; u > 1; u /= 10)
			n++;
		snprintf(decimals, sizeof(decimals), ".%0*" PRIu64, MIN(n, 9), rest);
		for (size_t at = strlen(decimals); decimals[at - 1] == '0';)
			decimals[--at] = '\0';
	}
	snprintf(buf, DUR_TEXT_MAX, "%s%" PRIu64 "%s%s", negative ? "-" : "", v / unit, decimals,
		 name);
	return buf;
}

const char *dur_format(struct dur d, char buf[static DUR_TEXT_MAX])
{
	bool negative = d.ns < 0;
	uint64_t v = negative ? -(uint64_t)d.ns : (uint64_t)d.ns;
	char seconds[DUR_TEXT_MAX];
	uint64_t minutes = v / (60 * (uint64_t)NS_PER_S);

	if (v == 0)
		return format_small(false, 0, 1, "s", buf);
	if (v < 1000)
		return format_small(negative, v, 1, "ns", buf);
	if (v < 1000000)
		return format_small(negative, v, 1000, "\xc2\xb5s", buf);
	if (v < (uint64_t)NS_PER_S)
		return format_small(negative, v, 1000000, "ms", buf);
	if (minutes == 0)
		return format_small(negative, v, (uint64_t)NS_PER_S, "s", buf);
	format_small(false, v % (60 * (uint64_t)NS_PER_S), (uint64_t)NS_PER_S, "s", seconds);
	if (minutes < 60)
		snprintf(buf, DUR_TEXT_MAX, "%s%dm%.13s", negative ? "-" : "", (int)minutes,
			 seconds);
	else
		snprintf(buf, DUR_TEXT_MAX, "%s%dh%dm%.13s", negative ? "-" : "",
			 (int)(minutes / 60), (int)(minutes % 60), seconds);
	return buf;
}

static const char *wall_text(int64_t ns, char buf[static WALL_TEXT_MAX])
{
	time_t s = (time_t)(ns / NS_PER_S);
	struct tm tm;
	char date[24];

	gmtime_r(&s, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, WALL_TEXT_MAX, "%s.%03dZ", date, (int)(ns % NS_PER_S / 1000000));
	return buf;
}

const char *wall_now_text(char buf[static WALL_TEXT_MAX])
{
	return wall_text(clock_ns(CLOCK_REALTIME), buf);
}

const char *wall_text_of(struct mono t, char buf[static WALL_TEXT_MAX])
{
	return wall_text(clock_ns(CLOCK_REALTIME) - (mono_clock().ns - t.ns), buf);
}
