# lazymar_torch: LibTorch as imported libraries, without find_package(Torch), which demands nvcc.
#
# Looked for in this order: -DLIBTORCH_DIR (a folder with include/ and lib/), every folder of
# -DCMAKE_PREFIX_PATH, and the project's own .venv, in which scripts/setup.sh puts the PyPI wheel.
set(LIBTORCH_DIR "" CACHE PATH "LibTorch's folder: it holds include/ and lib/")
file(GLOB venv_torch ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)

# A named folder must contain LibTorch; otherwise the search continues with the next place.
if(LIBTORCH_DIR)
  set(torch_places ${LIBTORCH_DIR})
else()
  set(torch_places ${CMAKE_PREFIX_PATH})
  list(TRANSFORM torch_places APPEND /torch OUTPUT_VARIABLE nested)
  list(TRANSFORM torch_places REPLACE "/share/cmake(/Torch)?/?$" "" OUTPUT_VARIABLE from_cmake)
  list(APPEND torch_places ${nested} ${from_cmake} ${venv_torch})
endif()
set(torch_root "")
foreach(place ${torch_places})
  if(EXISTS ${place}/lib/libtorch_cpu.so AND EXISTS ${place}/include/ATen/ATen.h)
    set(torch_root ${place})
    break()
  endif()
endforeach()
if(NOT torch_root)
  message(FATAL_ERROR "LibTorch not found (looked in: ${torch_places}). Run scripts/setup.sh, or "
    "name a LibTorch folder: -DLIBTORCH_DIR=/path/to/libtorch")
endif()

set(LAZYMAR_TORCH_ROOT ${torch_root})
set(LAZYMAR_TORCH_VERSION unknown)
if(EXISTS ${torch_root}/version.py)
  file(STRINGS ${torch_root}/version.py line REGEX "^__version__ = ")
  string(REGEX REPLACE "^__version__ = '([^']*)'.*" "\\1" LAZYMAR_TORCH_VERSION "${line}")
endif()

function(lazymar_import_torch name)
  add_library(lazymar_${name} SHARED IMPORTED)
  set_target_properties(lazymar_${name} PROPERTIES IMPORTED_LOCATION ${torch_root}/lib/lib${name}.so)
  target_include_directories(lazymar_${name} SYSTEM INTERFACE
    ${torch_root}/include ${torch_root}/include/torch/csrc/api/include)
endfunction()

lazymar_import_torch(c10)
lazymar_import_torch(torch_cpu)
add_library(lazymar_torch INTERFACE)
target_link_libraries(lazymar_torch INTERFACE lazymar_torch_cpu lazymar_c10)

# CUDA needs nvcc and LibTorch's CUDA libraries. LAZYMAR_CUDA_MODE is ON if those link, dependencies
# included: every program has CUDA then. It is COMPILE if only the dependencies are missing: all
# CUDA code is compiled and linked into separate programs (build/cuda), and the others have no CUDA.
# Otherwise it is OFF.
set(LAZYMAR_CUDA_MODE OFF)
set(why "LAZYMAR_CUDA=OFF")
if(NOT LAZYMAR_CUDA STREQUAL "OFF")
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    set(why "SKIPPED: no nvcc, so nothing of it is compiled")
  elseif(NOT EXISTS ${torch_root}/lib/libtorch_cuda.so)
    set(why "SKIPPED: ${torch_root} has no libtorch_cuda.so, so nothing of it is compiled")
  else()
    try_compile(LAZYMAR_TORCH_CUDA_LINKS ${PROJECT_BINARY_DIR}/check_cuda
      SOURCES ${PROJECT_SOURCE_DIR}/cmake/check_cuda.cpp
      LINK_OPTIONS -Wl,--no-as-needed
      LINK_LIBRARIES ${torch_root}/lib/libtorch_cuda.so ${torch_root}/lib/libc10_cuda.so
                     ${torch_root}/lib/libtorch_cpu.so ${torch_root}/lib/libc10.so)
    if(LAZYMAR_TORCH_CUDA_LINKS)
      set(LAZYMAR_CUDA_MODE ON)
    else()
      if(NOT LAZYMAR_WHEEL) # its other programs would not be installed
        set(LAZYMAR_CUDA_MODE COMPILE)
      endif()
      set(why "the CUDA libraries that libtorch_cuda.so needs are not all there")
    endif()
  endif()
  if(LAZYMAR_CUDA STREQUAL "ON" AND NOT LAZYMAR_CUDA_MODE STREQUAL "ON")
    message(FATAL_ERROR "LAZYMAR_CUDA=ON, but ${why}. Install the CUDA toolkit and PyTorch with its "
      "CUDA wheels (pip install torch==2.11.0), or configure with -DLAZYMAR_CUDA=OFF.")
  endif()
endif()
# In the cache for scripts/lab/gpu_check.sh.
set(LAZYMAR_CUDA_MODE ${LAZYMAR_CUDA_MODE} CACHE INTERNAL "OFF, COMPILE or ON")
if(LAZYMAR_CUDA_MODE STREQUAL "OFF")
  message(STATUS "CUDA: off (${why})")
else()
  if(NOT LAZYMAR_TORCH_VERSION MATCHES "^2\\.11\\.")
    # What is left of a failed capture, and who frees cuBLAS workspaces, is LibTorch's own affair.
    message(WARNING "LibTorch ${LAZYMAR_TORCH_VERSION}: CUDA graphs are written for 2.11; "
      "install torch==2.11.0, or run with --cuda_graphs off.")
  endif()
  if(LAZYMAR_CUDA_MODE STREQUAL "ON")
    message(STATUS "CUDA: on (LibTorch's CUDA libraries in ${torch_root}/lib)")
  else()
    message(STATUS "CUDA: compiled and linked in ${PROJECT_BINARY_DIR}/cuda, but not used (${why})")
  endif()
  lazymar_import_torch(c10_cuda)
  lazymar_import_torch(torch_cuda)
  # No code calls these by name: they register themselves when loaded.
  add_library(lazymar_torch_cuda_all INTERFACE)
  target_link_libraries(lazymar_torch_cuda_all INTERFACE
    -Wl,--no-as-needed lazymar_torch_cuda lazymar_c10_cuda -Wl,--as-needed)
endif()
message(STATUS "LibTorch: ${torch_root}")
