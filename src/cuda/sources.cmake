# Kernels, and what hands tensors to them. The tests build both again, with the kernels emulated.
set(LAZYMAR_CUDA_KERNELS group_norm.cu head_mlp.cu head_window.cu images.cu rows.cu selection.cu)
set(LAZYMAR_CUDA_OPS device_ops.cpp graph_capture.cpp head_ops.cpp row_ops.cpp)
list(TRANSFORM LAZYMAR_CUDA_KERNELS PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
list(TRANSFORM LAZYMAR_CUDA_OPS PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
