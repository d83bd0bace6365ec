# Runs while installing; cmake/install.cmake sets source, build, bindir and CONFDIR. file(INSTALL) puts DESTDIR in front.
cmake_path(ABSOLUTE_PATH bindir BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" NORMALIZE OUTPUT_VARIABLE BINDIR)
configure_file("${source}/systemd/crier.service" "${build}/crier.service" @ONLY)
file(INSTALL "${build}/crier.service" DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/systemd/system")

# A configuration that somebody already wrote is never overwritten, not even by another name for it.
set(theirs "$ENV{DESTDIR}${CONFDIR}/crier.yaml")
if(EXISTS "${theirs}" OR IS_SYMLINK "${theirs}")
	message(STATUS "Keeping: ${theirs}")
else()
	file(INSTALL "${source}/crier.yaml" DESTINATION "${CONFDIR}")
endif()

# A package makes the group on the host that it is unpacked on, by sysusers.d.
if("$ENV{DESTDIR}" STREQUAL "")
	execute_process(COMMAND getent group crier RESULT_VARIABLE missing OUTPUT_QUIET)
	if(missing)
		execute_process(COMMAND groupadd --system crier RESULT_VARIABLE failed)
		if(failed)
			message(WARNING "the group 'crier' could not be made: only root can use the control socket")
		endif()
	endif()
endif()
