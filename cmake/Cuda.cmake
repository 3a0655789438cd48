# nvcc, before the first target that uses it.
set(LAZYMAR_CUDA_ARCHITECTURES 80-real 86-real 89-real 90
  CACHE STRING "GPUs that kernels are compiled for; one without -real has PTX for newer ones, too")
set(CMAKE_CUDA_ARCHITECTURES ${LAZYMAR_CUDA_ARCHITECTURES})
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake 3.25.1 does not know that nvcc has C++20
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()
find_package(CUDAToolkit REQUIRED)
