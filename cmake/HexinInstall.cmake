# What `cmake --install` and the Python wheel put where. Included last: it looks at
# the targets that the tree has defined.
#
#   component  holds
#   runtime    libhexin, the backends and shims, the compiler, the command
#   devel      headers, libhexin.so, hexinConfig.cmake
#   python     the extension module (wheels only; Python's files come by themselves)
#
# Everything is found relative to itself, so a tree can be moved: the command looks
# for libraries in ../lib, libraries beside themselves, the module in ./lib.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Inside a wheel all of it lies in the package's folder.
if(SKBUILD)
  set(install_bin_dir bin)
  set(install_lib_dir lib)
else()
  set(install_bin_dir ${CMAKE_INSTALL_BINDIR})
  set(install_lib_dir ${CMAKE_INSTALL_LIBDIR})
endif()

# hexin_shared_libraries(out folder)
# The shared and loadable libraries defined in `folder` and below.
function(hexin_shared_libraries out folder)
  set(found "")
  get_directory_property(targets DIRECTORY ${folder} BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type MATCHES "^(SHARED|MODULE)_LIBRARY$")
      list(APPEND found ${target})
    endif()
  endforeach()
  get_directory_property(below DIRECTORY ${folder} SUBDIRECTORIES)
  foreach(subfolder ${below})
    hexin_shared_libraries(more ${subfolder})
    list(APPEND found ${more})
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

set(libraries "")
get_directory_property(folders DIRECTORY ${PROJECT_SOURCE_DIR} SUBDIRECTORIES)
foreach(folder ${folders})
  cmake_path(RELATIVE_PATH folder BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE name)
  if(name MATCHES "^(runtime|compiler|frontends|backends)(/|$)")
    hexin_shared_libraries(more ${folder})
    list(APPEND libraries ${more})
  endif()
endforeach()
list(REMOVE_DUPLICATES libraries)

# Libraries that come from elsewhere (oneDNN, LLVM) keep the path they were linked
# with. In a wheel's environment they lie in the environment's lib folder, four
# levels above ours.
set(library_rpath "$ORIGIN")
if(SKBUILD)
  list(APPEND library_rpath "$ORIGIN/../../../..")
endif()
set_target_properties(${libraries} PROPERTIES
  INSTALL_RPATH "${library_rpath}" INSTALL_RPATH_USE_LINK_PATH ON)
set_target_properties(hexin-cli PROPERTIES
  INSTALL_RPATH "$ORIGIN/../lib;$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")

if(SKBUILD)
  # A wheel has no links: one file, under the name that programs look for.
  set_target_properties(hexin PROPERTIES VERSION ${PROJECT_VERSION_MAJOR})
endif()
install(TARGETS ${libraries}
  LIBRARY DESTINATION ${install_lib_dir} COMPONENT runtime NAMELINK_COMPONENT devel)
install(TARGETS hexin-cli RUNTIME DESTINATION ${install_bin_dir} COMPONENT runtime)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/include/hexin
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT devel FILES_MATCHING PATTERN "*.h")
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hexin)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/hexinConfig.cmake.in
  ${PROJECT_BINARY_DIR}/hexinConfig.cmake INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hexinConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hexinConfig.cmake
  ${PROJECT_BINARY_DIR}/hexinConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT devel)

if(SKBUILD AND TARGET hexin_python)
  set_target_properties(hexin_python PROPERTIES INSTALL_RPATH "$ORIGIN/lib")
  install(TARGETS hexin_python LIBRARY DESTINATION . COMPONENT python)
endif()
