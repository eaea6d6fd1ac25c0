# Where everything is installed. The tree may be moved: both the CMake package and datafeed.pc find it from where they are.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(PROGRAMS "${library_dir}/${shared}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${library_dir}/${soname_file}" "${library_dir}/${link}" "${library_dir}/libdatafeed.a"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}")

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/datafeed")
configure_package_config_file(cmake/datafeedConfig.cmake.in "${PROJECT_BINARY_DIR}/datafeedConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/datafeedConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/datafeedConfig.cmake" "${PROJECT_BINARY_DIR}/datafeedConfigVersion.cmake"
              "${PROJECT_BINARY_DIR}/datafeedTargets.cmake"
  DESTINATION "${package_dir}")

file(RELATIVE_PATH up "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" up "${up}")
set(pc_prefix "\${pcfiledir}/${up}")
foreach(name includedir libdir)
  string(TOUPPER "CMAKE_INSTALL_${name}" dir)
  set(pc_${name} "\${prefix}/${${dir}}")
  if(IS_ABSOLUTE "${${dir}}")
    set(pc_${name} "${${dir}}")
  endif()
endforeach()
string(REPLACE ";" " " pc_system_libraries "${system_libraries}")
configure_file(cmake/datafeed.pc.in "${PROJECT_BINARY_DIR}/datafeed.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/datafeed.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
