# Programs for the kernel (src/net/fast): built where clang can, and libbpf is there; else their place is empty.
find_program(CRIER_BPF_CLANG NAMES clang clang-14 clang-15 clang-16 clang-17 clang-18 clang-19)
pkg_check_modules(bpf IMPORTED_TARGET libbpf>=1.0)

if(CRIER_BPF_CLANG AND bpf_FOUND)
	set(fast ${PROJECT_SOURCE_DIR}/src/net/fast)
	set(made ${CMAKE_CURRENT_BINARY_DIR}/fast)
	file(MAKE_DIRECTORY ${made})
	# The kernel's headers stand below the architecture's folder on Debian, where the host's compiler looks by itself.
	add_custom_command(OUTPUT ${made}/image.c
		COMMAND ${CRIER_BPF_CLANG} -target bpf -O2 -g -Wall -Werror -I${fast}
			-isystem ${CMAKE_SYSROOT}/usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -c ${fast}/answer.bpf.c -o ${made}/answer.o
		COMMAND ${CMAKE_COMMAND} -DFROM=${made}/answer.o -DTO=${made}/image.c -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
		DEPENDS ${fast}/answer.bpf.c ${fast}/answer_map.h ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
		VERBATIM)
	target_sources(crier_net PRIVATE ${fast}/built.c ${made}/image.c)
	target_link_libraries(crier_net PUBLIC PkgConfig::bpf)
else()
	message(STATUS "clang or libbpf is missing: no answers from within the driver")
	target_sources(crier_net PRIVATE ${PROJECT_SOURCE_DIR}/src/net/fast/absent.c)
endif()
