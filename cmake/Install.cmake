# What is installed beside the programs (tools/CMakeLists.txt): models that need no download, where
# src/files/pretrained.cpp looks for them, and what the Python package asks about its build.
foreach(file demo_classifier.safetensors demo_stats.npz mar/demo/checkpoint-last.safetensors
    mar/rules/checkpoint-last.safetensors vae/demo.safetensors vae/rules.safetensors)
  cmake_path(GET file PARENT_PATH folder)
  install(FILES pretrained_models/${file} COMPONENT lazymar
    DESTINATION ${CMAKE_INSTALL_DATADIR}/lazymar/pretrained_models/${folder})
endforeach()
if(LAZYMAR_WHEEL)
  if(LAZYMAR_CUDA_MODE STREQUAL "ON")
    set(with_cuda true)
  else()
    set(with_cuda false)
  endif()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/built_with.json CONTENT
    "{\"torch\": \"@LAZYMAR_TORCH_VERSION@\", \"cuda\": @with_cuda@}\n" @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/generated/built_with.json DESTINATION . COMPONENT lazymar)
endif()

# The library: header, shared object, and the package that find_package(lazymar) reads.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/lazymar)
install(TARGETS lazymar LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT lazymar)
install(FILES include/lazymar/lazymar.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lazymar
  COMPONENT lazymar)
if(LAZYMAR_WHEEL)
  set(LAZYMAR_CONFIG_TORCH "\${PACKAGE_PREFIX_DIR}/../torch")
else()
  set(LAZYMAR_CONFIG_TORCH ${LAZYMAR_TORCH_ROOT})
endif()
include(cmake/lazymarTorch.cmake)
lazymar_torch_release(${LAZYMAR_TORCH_ROOT} LAZYMAR_TORCH_RELEASE)
set(generated ${PROJECT_BINARY_DIR}/generated)
configure_package_config_file(cmake/lazymarConfig.cmake.in ${generated}/lazymarConfig.cmake
  INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR
  NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# One version: minor versions differ before 1.0. A range says itself which ones will do, which
# SameMinorVersion only accepts within one minor version.
write_basic_package_version_file(${generated}/lazymarVersionSameMinor.cmake
  COMPATIBILITY SameMinorVersion)
write_basic_package_version_file(${generated}/lazymarVersionInRange.cmake
  COMPATIBILITY AnyNewerVersion)
file(CONFIGURE OUTPUT ${generated}/lazymarConfigVersion.cmake CONTENT [[
if(PACKAGE_FIND_VERSION_RANGE)
  include(${CMAKE_CURRENT_LIST_DIR}/lazymarVersionInRange.cmake)
else()
  include(${CMAKE_CURRENT_LIST_DIR}/lazymarVersionSameMinor.cmake)
endif()
]] @ONLY)
install(FILES ${generated}/lazymarConfig.cmake ${generated}/lazymarConfigVersion.cmake
  ${generated}/lazymarVersionInRange.cmake ${generated}/lazymarVersionSameMinor.cmake
  cmake/lazymarTorch.cmake DESTINATION ${package} COMPONENT lazymar)
