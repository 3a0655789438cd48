#include "nn/cpu/byte_product.h"

#include <cstring>

#include "core/cpu_features.h"
#include "nn/cpu/vector_product.h"

namespace lazymar::cpu {
namespace {

const uint8_t* row_of(const TileProduct& p, int64_t row) {
  return static_cast<const uint8_t*>(p.a) + row * p.a_stride;
}

int32_t* sums_of(const TileProduct& p, int64_t row) {
  return reinterpret_cast<int32_t*>(static_cast<char*>(p.c) + row * p.c_stride);
}

}  // namespace

void multiply_bytes_plainly(const TileProduct& p) {
  for (int64_t row = 0; row < p.rows; ++row) {
    const uint8_t* const a = row_of(p, row);
    for (int64_t column = 0; column < p.blocks * kTile; ++column) {
      const uint32_t* const b = p.b + column / kTile * p.words * kTile + column % kTile;
      int32_t sum = 0;
      for (int64_t word = 0; word < p.words; ++word) {
        int8_t weights[4];
        std::memcpy(weights, b + word * kTile, sizeof(weights));
        for (int64_t i = 0; i < 4; ++i) {
          sum += static_cast<int32_t>(a[4 * word + i]) * weights[i];
        }
      }
      sums_of(p, row)[column] = sum;
    }
  }
}

#if defined(__x86_64__)

namespace {

struct Quads {
  using Sum = __m512i;
  LAZYMAR_SHORT_NUMBERS static Sum add(Sum sum, __m512i a, __m512i b) {
    return _mm512_dpbusd_epi32(sum, a, b);
  }
  LAZYMAR_SHORT_NUMBERS static void store(Sum sum, void* to) { _mm512_storeu_si512(to, sum); }
};

}  // namespace

LAZYMAR_SHORT_NUMBERS void multiply_bytes_by_vectors(const TileProduct& product) {
  multiply_by_vectors<Quads>(product);
}

#else

void multiply_bytes_by_vectors(const TileProduct&) {}

#endif

bool has_byte_products() {
  return has_cpu_feature(CpuFeature::kAvx512Vnni);
}

void multiply_bytes(const TileProduct& product) {
  if (has_tiles()) {
    multiply_u8s8_tiles(product);
  } else if (has_byte_products()) {
    multiply_bytes_by_vectors(product);
  } else {
    multiply_bytes_plainly(product);
  }
}

}  // namespace lazymar::cpu
