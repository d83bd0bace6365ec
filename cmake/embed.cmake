# cmake -DFROM=file -DTO=file.c -P embed.cmake: the bytes of a file as an array of C.
file(READ ${FROM} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "((0x..,){16})" "\\1\n" bytes "${bytes}")
file(WRITE ${TO} "#include <stddef.h>

extern const unsigned char fast_image[];
extern const size_t fast_image_len;

_Alignas(8) const unsigned char fast_image[] = {
${bytes}
};
const size_t fast_image_len = sizeof(fast_image);
")
