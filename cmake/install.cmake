# What a plain host needs to run crier on day one: binary, man page, documents, systemd unit, group, sample
# configuration. Unit and configuration are made while installing, because only then the prefix is known.
set(CRIER_CONFDIR /etc/crier CACHE PATH "Where the systemd unit finds crier.yaml, whatever the prefix")

if(TARGET crier)
	file(GLOB documents CONFIGURE_DEPENDS docs/*.md)
	install(TARGETS crier RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
	install(FILES docs/man/crier.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
	install(FILES LICENSE NEWS.md README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
	install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
	install(FILES config/systemd/crier.sysusers DESTINATION lib/sysusers.d RENAME crier.conf)
	install(CODE "
		set(source \"${PROJECT_SOURCE_DIR}/config\")
		set(build \"${CMAKE_CURRENT_BINARY_DIR}\")
		set(bindir \"${CMAKE_INSTALL_BINDIR}\")
		set(CONFDIR \"${CRIER_CONFDIR}\")")
	install(SCRIPT cmake/install-host.cmake)
	# The same program is kubectl's plugin by this name.
	install(CODE "
		file(CREATE_LINK crier \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/kubectl-crier\" SYMBOLIC)")
endif()
