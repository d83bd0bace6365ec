#include "base/bytes.h"

#include <ctype.h>
#include <zlib.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

long bytes_unhex(const char *text, uint8_t *out, size_t cap)
{
	size_t n = 0;

	for (const char *p = text; *p;) {
		if (*p == ':' || isspace((unsigned char)*p)) {
			p++;
			continue;
		}
		int hi = hex_digit(p[0]);
		int lo = hi < 0 ? -1 : hex_digit(p[1]);
		if (lo < 0 || n == cap)
			return -1;
		out[n++] = (uint8_t)(hi << 4 | lo);
		p += 2;
	}
	return (long)n;
}

uint32_t bytes_crc32(const void *p, size_t n)
{
	return (uint32_t)crc32_z(0, p, n);
}
