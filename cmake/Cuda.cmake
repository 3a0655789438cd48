# nvcc, before the first target that uses it.
set(CMAKE_CUDA_ARCHITECTURES 80) # only so that enable_language() need not choose
enable_language(CUDA)
# 75 and older have no bf16 and no kernels here: they compute by plain ATen (--kernels plain). The
# PTX of 90 serves what comes after.
set(known 80-real 86-real 89-real 90)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.8)
  list(APPEND known 100-real 120-real)
endif()
set(LAZYMAR_CUDA_ARCHITECTURES ${known}
  CACHE STRING "GPUs that kernels are compiled for; one without -real has PTX for newer ones, too")
set(CMAKE_CUDA_ARCHITECTURES ${LAZYMAR_CUDA_ARCHITECTURES})
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake 3.25.1 does not know that nvcc has C++20
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()
# A program has 6 MB instead of 18: without it, the kernels are stored as they are. nvcc 13 needs
# drivers of its own age in any case; whether older ones unpack this has not been tried.
if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
  string(APPEND CMAKE_CUDA_FLAGS " --compress-mode=size")
endif()
find_package(CUDAToolkit REQUIRED)
