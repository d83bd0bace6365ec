#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc_priv.h"

/* Longer ones are text: no number that anybody means has so many digits. */
#define NUMBER_MAX 400

#define TAG_PREFIX "tag:yaml.org,2002:"

/* The words that go-yaml v2 knows; every other spelling ("yES") is text. */
static const struct word {
	const char *text;
	enum doc_kind kind;
	double value;
} words[] = {
	{ "y", DOC_BOOL, 1 },
	{ "Y", DOC_BOOL, 1 },
	{ "yes", DOC_BOOL, 1 },
	{ "Yes", DOC_BOOL, 1 },
	{ "YES", DOC_BOOL, 1 },
	{ "true", DOC_BOOL, 1 },
	{ "True", DOC_BOOL, 1 },
	{ "TRUE", DOC_BOOL, 1 },
	{ "on", DOC_BOOL, 1 },
	{ "On", DOC_BOOL, 1 },
	{ "ON", DOC_BOOL, 1 },
	{ "n", DOC_BOOL, 0 },
	{ "N", DOC_BOOL, 0 },
	{ "no", DOC_BOOL, 0 },
	{ "No", DOC_BOOL, 0 },
	{ "NO", DOC_BOOL, 0 },
	{ "false", DOC_BOOL, 0 },
	{ "False", DOC_BOOL, 0 },
	{ "FALSE", DOC_BOOL, 0 },
	{ "off", DOC_BOOL, 0 },
	{ "Off", DOC_BOOL, 0 },
	{ "OFF", DOC_BOOL, 0 },
	{ "", DOC_NULL, 0 },
	{ "~", DOC_NULL, 0 },
	{ "null", DOC_NULL, 0 },
	{ "Null", DOC_NULL, 0 },
	{ "NULL", DOC_NULL, 0 },
	{ ".nan", DOC_FLOAT, NAN },
	{ ".NaN", DOC_FLOAT, NAN },
	{ ".NAN", DOC_FLOAT, NAN },
	{ ".inf", DOC_FLOAT, HUGE_VAL },
	{ ".Inf", DOC_FLOAT, HUGE_VAL },
	{ ".INF", DOC_FLOAT, HUGE_VAL },
	{ "+.inf", DOC_FLOAT, HUGE_VAL },
	{ "+.Inf", DOC_FLOAT, HUGE_VAL },
	{ "+.INF", DOC_FLOAT, HUGE_VAL },
	{ "-.inf", DOC_FLOAT, -HUGE_VAL },
	{ "-.Inf", DOC_FLOAT, -HUGE_VAL },
	{ "-.INF", DOC_FLOAT, -HUGE_VAL },
};

static bool resolve_word(struct doc *d)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		/* Most texts are none of them: the first letter tells without a call. */
		if (d->text[0] != words[i].text[0] || strcmp(d->text, words[i].text) != 0)
			continue;
		d->kind = words[i].kind;
		if (d->kind == DOC_BOOL)
			d->boolean = words[i].value != 0;
		else if (d->kind == DOC_FLOAT)
			d->real = words[i].value;
		return true;
	}
	return false;
}

/* Strip "0x", "0o", "0b" or the plain "0" of an octal number, and name the base. */
static int integer_base(const char **digits)
{
	const char *s = *digits;

	if (s[0] != '0')
		return 10;
	*digits = s + 1;
	if (s[1] == '\0' || s[2] == '\0')
		return 8;
	int base = 8;
	switch (tolower((unsigned char)s[1])) {
	case 'x':
		base = 16;
		break;
	case 'o':
		break;
	case 'b':
		base = 2;
		break;
	default:
		return 8;
	}
	*digits = s + 2;
	return base;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static bool magnitude(const char *digits, uint64_t *out)
{
	int base = integer_base(&digits);
	uint64_t value = 0;

	for (; *digits; digits++) {
		int digit = digit_value(*digits);

		if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return false;
	}
	*out = value;
	return true;
}

/* A signed number must fit 64 bits with its sign; one without may use all 64. */
static bool resolve_integer(struct doc *d, const char *text)
{
	bool negative = text[0] == '-';
	bool has_sign = negative || text[0] == '+';
	uint64_t limit = !has_sign ? UINT64_MAX : (uint64_t)INT64_MAX + negative;
	const char *digits = text + has_sign;
	uint64_t value;

	if (!isdigit((unsigned char)*digits) || !magnitude(digits, &value) || value > limit)
		return false;
	d->kind = DOC_INT;
	d->integer = value;
	d->negative = negative && value > 0;
	return true;
}

static const char *skip_digits(const char *s)
{
	while (isdigit((unsigned char)*s))
		s++;
	return s;
}

/* Sign, digits with at most one dot among them, exponent; strtod() alone would take far more. */
static bool float_form(const char *s)
{
	if (*s == '-' || *s == '+')
		s++;
	const char *whole = s;
	s = skip_digits(s);
	bool any = s > whole;
	if (*s == '.') {
		const char *fraction = s + 1;

		s = skip_digits(fraction);
		any = any || s > fraction;
	}
	if (!any)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '-' || *s == '+')
			s++;
		const char *exponent = s;
		s = skip_digits(s);
		if (s == exponent)
			return false;
	}
	return *s == '\0';
}

static bool resolve_float(struct doc *d, const char *text)
{
	if (!float_form(text))
		return false;
	double value = strtod(text, NULL);
	if (isinf(value))
		return false;
	d->kind = DOC_FLOAT;
	d->real = value;
	return true;
}

static bool between_digits(const char *s, size_t i)
{
	return i > 0 && isdigit((unsigned char)s[i - 1]) && isdigit((unsigned char)s[i + 1]);
}

/*
 * Underscores are for eyes. They may stand anywhere in a number, but in one that begins with its
 * dot only between digits: there go-yaml leaves them to Go's own parser of floats.
 */
static bool strip_underscores(const char *s, char out[static NUMBER_MAX + 1])
{
	bool strict = s[0] == '.';
	size_t n = 0;

	for (size_t i = 0; s[i]; i++) {
		if (s[i] == '_' && strict && !between_digits(s, i))
			return false;
		if (s[i] == '_')
			continue;
		if (n == NUMBER_MAX)
			return false;
		out[n++] = s[i];
	}
	out[n] = '\0';
	return true;
}

static bool resolve_number(struct doc *d)
{
	char plain[NUMBER_MAX + 1];
	char first = d->text[0];

	if (first != '.' && first != '-' && first != '+' && !isdigit((unsigned char)first))
		return false;
	if (!strip_underscores(d->text, plain))
		return false;
	return resolve_integer(d, plain) || resolve_float(d, plain);
}

static void resolve_plain(struct doc *d)
{
	if (!resolve_word(d) && !resolve_number(d))
		d->kind = DOC_STRING;
}

/* The tag names one of YAML's own kinds: the text has to be of that kind. */
static int resolve_tagged(struct doc *d, const char *kind)
{
	if (strcmp(kind, "int") == 0) {
		resolve_plain(d);
		return d->kind == DOC_INT ? 0 : -1;
	}
	if (strcmp(kind, "bool") == 0) {
		resolve_plain(d);
		return d->kind == DOC_BOOL ? 0 : -1;
	}
	if (strcmp(kind, "null") == 0) {
		resolve_plain(d);
		return d->kind == DOC_NULL ? 0 : -1;
	}
	if (strcmp(kind, "float") == 0) {
		resolve_plain(d);
		if (d->kind == DOC_INT) {
			double value = (double)d->integer;

			d->kind = DOC_FLOAT;
			d->real = d->negative ? -value : value;
			d->negative = false;
		}
		return d->kind == DOC_FLOAT ? 0 : -1;
	}
	d->kind = DOC_STRING;
	/* The bytes behind it need not be text, and nothing here wants bytes. */
	return strcmp(kind, "binary") == 0 ? -1 : 0;
}

int doc_scalar_resolve(struct doc *d, const char *tag, bool plain)
{
	size_t prefix = strlen(TAG_PREFIX);

	if (tag && strncmp(tag, TAG_PREFIX, prefix) == 0)
		return resolve_tagged(d, tag + prefix);
	if (plain && !tag)
		resolve_plain(d);
	else
		d->kind = DOC_STRING;
	return 0;
}
