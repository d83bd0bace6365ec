#include "base/base64.h"

#include <string.h>

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

bool base64_decode(const char *text, struct buf *out)
{
	unsigned bits = 0, n = 0, padding = 0;

	for (; *text; text++) {
		int digit = base64_digit(*text);

		if (*text == '\n' || *text == '\r')
			continue;
		if (*text == '=' && n % 4 >= 2)
			padding++;
		else if (digit < 0 || padding)
			return false;
		bits = bits << 6 | (unsigned)MAX(digit, 0);
		if (++n % 4 == 0)
			buf_append(out,
				   (uint8_t[]){ bits >> 16 & 0xff, bits >> 8 & 0xff, bits & 0xff },
				   3 - padding);
	}
	return n % 4 == 0;
}
