# Where installed programs look for LibTorch, before the first target is made.
#
# By default the one that they were built with. In the Python package, the environment's:
# site-packages/lazymar/bin/ is two folders below site-packages/torch/.
if(LAZYMAR_WHEEL)
  set(rpath $ORIGIN/../../torch/lib)
else()
  set(rpath ${LAZYMAR_TORCH_ROOT}/lib)
endif()
set(LAZYMAR_INSTALL_RPATH ${rpath} CACHE STRING "Run path of installed programs: LibTorch's lib/")
set(CMAKE_INSTALL_RPATH ${LAZYMAR_INSTALL_RPATH})
