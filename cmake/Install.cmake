# What is installed beside the programs (tools/CMakeLists.txt): models that need no download, where
# src/files/pretrained.cpp looks for them, and what the Python package asks about its build.
foreach(file demo_classifier.safetensors demo_stats.npz mar/demo/checkpoint-last.safetensors
    vae/demo.safetensors vae/rules.safetensors)
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
