# crier_room(name USES rooms… LIBRARIES libs…): the static library of one folder of src/. New files are found
# by themselves.
function(crier_room name)
	cmake_parse_arguments(ARG "" "" "USES;LIBRARIES" ${ARGN})
	file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.c)
	if(NOT sources)
		return()
	endif()
	add_library(crier_${name} STATIC ${sources})
	target_include_directories(crier_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
	foreach(room ${ARG_USES})
		if(TARGET crier_${room})
			target_link_libraries(crier_${name} PUBLIC crier_${room})
		endif()
	endforeach()
	target_link_libraries(crier_${name} PUBLIC ${ARG_LIBRARIES})
endfunction()

# crier_loads(room door library): src/<room>/<door>.c loads the library when it is needed first (base/library.h). It
# is told the name that the dynamic linker knows; everybody in the room may include the library's headers.
function(crier_loads room door library)
	if(NOT TARGET crier_${room})
		return()
	endif()
	list(GET ${library}_LINK_LIBRARIES 0 file)
	execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${file} OUTPUT_VARIABLE about COMMAND_ERROR_IS_FATAL ANY)
	if(NOT about MATCHES "SONAME +([^ \n]+)")
		message(FATAL_ERROR "${file} has no name for the dynamic linker")
	endif()
	string(TOUPPER ${library} macro)
	set_source_files_properties(${PROJECT_SOURCE_DIR}/src/${room}/${door}.c PROPERTIES
		COMPILE_DEFINITIONS ${macro}_SONAME="${CMAKE_MATCH_1}")
	target_include_directories(crier_${room} SYSTEM PUBLIC ${${library}_INCLUDE_DIRS})
endfunction()
