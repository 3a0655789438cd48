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
configure_package_config_file(cmake/lazymarConfig.cmake.in
  ${PROJECT_BINARY_DIR}/generated/lazymarConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/lazymarConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/generated/lazymarConfig.cmake
  ${PROJECT_BINARY_DIR}/generated/lazymarConfigVersion.cmake DESTINATION ${package}
  COMPONENT lazymar)
