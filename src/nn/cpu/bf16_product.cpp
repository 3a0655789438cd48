#include "nn/cpu/bf16_product.h"

#include "core/cpu_features.h"
#include "nn/cpu/vector_product.h"

namespace lazymar::cpu {

#if defined(__x86_64__)

namespace {

struct Pairs {
  using Sum = __m512;
  LAZYMAR_SHORT_NUMBERS static Sum add(Sum sum, __m512i a, __m512i b) {
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
  }
  LAZYMAR_SHORT_NUMBERS static void store(Sum sum, void* to) { _mm512_storeu_ps(to, sum); }
};

}  // namespace

bool has_bf16_products() {
  return has_tiles() || has_cpu_feature(CpuFeature::kAvx512Bf16);
}

LAZYMAR_SHORT_NUMBERS void multiply_bf16(const TileProduct& product) {
  if (has_tiles()) {
    multiply_bf16_tiles(product);
  } else {
    multiply_by_vectors<Pairs>(product);
  }
}

#else

bool has_bf16_products() {
  return false;
}

void multiply_bf16(const TileProduct&) {}

#endif

}  // namespace lazymar::cpu
