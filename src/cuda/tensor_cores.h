#pragma once
/// A tensor core's product of one tile, m16n8k16 (PTX ISA, "Matrix Fragments for mma.m16n8k16").

#include <cstdint>
#include <type_traits>

#include "cuda/launch.h"

namespace lazymar::cuda {

/// c [16, 8] += a [16, 16] * b [16, 8] by a whole warp, in fp32. Lane 4 g + t holds two elements a
/// word: of a the columns 2t, 2t + 1 of rows g and g + 8, then 2t + 8, 2t + 9 of both; of b the
/// rows 2t, 2t + 1, then 2t + 8, 2t + 9 of column g; of c the columns 2t, 2t + 1 of row g, then of
/// g + 8.
template <typename Y>
__device__ inline void multiply_tile(float (&c)[4], const uint32_t (&a)[4],
                                     const uint32_t (&b)[2]) {
#if defined(__CUDACC__)
  if constexpr (std::is_same_v<Y, __nv_bfloat16>) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
#else
  emulator::multiply_tile<Y>(c, a, b);
#endif
}

}  // namespace lazymar::cuda
