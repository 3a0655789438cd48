# The room cuda/: kernels compiled by nvcc, without LibTorch's headers; what hands tensors to them; and
# lazymar_with_cuda, which a program links to have both.
set(LAZYMAR_CUDA_ARCHITECTURES 80-real 86-real 89-real 90
  CACHE STRING "GPUs that kernels are compiled for; one without -real has PTX for newer ones, too")
set(CMAKE_CUDA_ARCHITECTURES ${LAZYMAR_CUDA_ARCHITECTURES})
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake 3.25.1 does not know that nvcc has C++20
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()
find_package(CUDAToolkit REQUIRED)

add_library(lazymar_cuda_kernels STATIC ${LAZYMAR_CUDA_KERNELS})
target_include_directories(lazymar_cuda_kernels PRIVATE ${CMAKE_SOURCE_DIR}/include)
target_compile_options(lazymar_cuda_kernels PRIVATE -O3 -Werror all-warnings)
set_target_properties(lazymar_cuda_kernels PROPERTIES CUDA_RUNTIME_LIBRARY Shared)

add_library(lazymar_cuda STATIC ${LAZYMAR_CUDA_OPS} src/cuda/registration.cpp
  src/cuda/stream.cpp)
target_include_directories(lazymar_cuda SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(lazymar_cuda PUBLIC lazymar_flags lazymar_cuda_kernels lazymar_torch
  lazymar_torch_cuda_all CUDA::cudart)

# Nothing above includes the room: its door is named on the command line.
add_library(lazymar_with_cuda INTERFACE)
target_link_options(lazymar_with_cuda INTERFACE -Wl,-u,lazymar_cuda_is_linked)
target_link_libraries(lazymar_with_cuda INTERFACE lazymar_cuda lazymar)
if(LAZYMAR_CUDA_MODE STREQUAL "ON")
  target_link_libraries(lazymar INTERFACE lazymar_with_cuda)
else()
  # LibTorch's own CUDA dependencies are for the machine where the programs will run.
  target_link_options(lazymar_with_cuda INTERFACE -Wl,--unresolved-symbols=ignore-in-shared-libs)
endif()
