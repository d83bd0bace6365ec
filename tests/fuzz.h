/**
 * A fuzz target defines LLVMFuzzerTestOneInput(). In the fuzz preset libFuzzer drives it; in every other build
 * FUZZ_MAIN gives it a main() that replays the files and folders of its command line.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int fuzz_replay(int argc, char **argv, int (*one)(const uint8_t *, size_t));

#ifdef FUZZ_REPLAY
#define FUZZ_MAIN                                                       \
	int main(int argc, char **argv)                                 \
	{                                                               \
		return fuzz_replay(argc, argv, LLVMFuzzerTestOneInput); \
	}
#else
#define FUZZ_MAIN extern int fuzz_main_is_libfuzzers
#endif

#endif
