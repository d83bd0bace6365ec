#include "base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int base64_digit(char c)
{
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

void base64_encode(const void *bytes, size_t len, struct buf *out)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = MIN(len - i, (size_t)3);
		unsigned bits = (unsigned)b[i] << 16 | (n > 1 ? (unsigned)b[i + 1] << 8 : 0) |
				(n > 2 ? b[i + 2] : 0u);
		char text[] = { digits[bits >> 18], digits[bits >> 12 & 63], digits[bits >> 6 & 63],
				digits[bits & 63] };

		if (n < 3)
			text[3] = '=';
		if (n < 2)
			text[2] = '=';
		buf_append(out, text, sizeof(text));
	}
}
