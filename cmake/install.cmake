# What `cmake --install` puts where; see docs/installation.md. Two components: `command`, all that it takes to run
# programs, and `development`, what it takes to build them. Nothing names the folder that it is installed to.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(layers core transport channels runtime)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/wyvern)

# The libraries, and what links them.
set(installed_targets wyvern)
foreach(layer IN LISTS layers)
  set_target_properties(wyvern_${layer} PROPERTIES EXPORT_NAME ${layer})
  list(APPEND installed_targets wyvern_${layer})
endforeach()
install(TARGETS ${installed_targets} EXPORT wyvern
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT wyvern NAMESPACE wyvern:: FILE wyvernTargets.cmake
  DESTINATION ${package_folder} COMPONENT development)
configure_package_config_file(cmake/wyvernConfig.cmake.in ${PROJECT_BINARY_DIR}/wyvernConfig.cmake
  INSTALL_DESTINATION ${package_folder}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 each minor version may change what programs see.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/wyvernConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/wyvernConfig.cmake ${PROJECT_BINARY_DIR}/wyvernConfigVersion.cmake
  DESTINATION ${package_folder} COMPONENT development)

# The same for who does not build with CMake; the most dependent library comes first.
set(pkg_config_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH prefix_from_pkg_config /prefix/${pkg_config_folder} /prefix)
string(REGEX REPLACE "/$" "" prefix_from_pkg_config ${prefix_from_pkg_config})
set(link_flags "")
foreach(layer IN LISTS layers)
  string(PREPEND link_flags " -lwyvern_${layer}")
endforeach()
configure_file(cmake/wyvern.pc.in ${PROJECT_BINARY_DIR}/wyvern.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/wyvern.pc DESTINATION ${pkg_config_folder} COMPONENT development)

# Headers are looked for when it is installed: what <wyvern/wyvern.hpp> includes then.
install(CODE "set(source_folder [[${PROJECT_SOURCE_DIR}]])\nset(include_folder [[${CMAKE_INSTALL_INCLUDEDIR}]])"
  COMPONENT development)
install(SCRIPT cmake/install_headers.cmake COMPONENT development)

# The command.
install(TARGETS wyvern_launcher RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT command)
install(FILES docs/wyvern.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT command)
install(FILES runtime/launcher/completion/wyvern.bash RENAME wyvern
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT command)
install(FILES runtime/launcher/completion/wyvern.zsh RENAME _wyvern
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT command)
