#include "nn/cpu/byte_product.h"

#include <cstring>

#include "core/cpu_features.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

#define LAZYMAR_AVX512_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

namespace {

/// Every loop over registers is unrolled before anything else: otherwise GCC 12 keeps the sums in
/// memory, too, and writes all of them back for every word, which halves the rate.
#define LAZYMAR_UNROLL _Pragma("GCC unroll 8")

template <int Rows, int Blocks>
LAZYMAR_AVX512_VNNI inline void multiply_tile(const TileProduct& p, int64_t row, int64_t block) {
  __m512i sums[Rows][Blocks];
  LAZYMAR_UNROLL
  for (int r = 0; r < Rows; ++r) {
    LAZYMAR_UNROLL
    for (int i = 0; i < Blocks; ++i) {
      sums[r][i] = _mm512_setzero_si512();
    }
  }
  const uint32_t* const b = p.b + block * p.words * kTile;
  for (int64_t word = 0; word < p.words; ++word) {
    __m512i columns[Blocks];
    LAZYMAR_UNROLL
    for (int i = 0; i < Blocks; ++i) {
      columns[i] = _mm512_loadu_si512(b + (i * p.words + word) * kTile);
    }
    LAZYMAR_UNROLL
    for (int r = 0; r < Rows; ++r) {
      int32_t bytes = 0;
      std::memcpy(&bytes, row_of(p, row + r) + 4 * word, sizeof(bytes));
      const __m512i four = _mm512_set1_epi32(bytes);
      LAZYMAR_UNROLL
      for (int i = 0; i < Blocks; ++i) {
        sums[r][i] = _mm512_dpbusd_epi32(sums[r][i], four, columns[i]);
      }
    }
  }
  LAZYMAR_UNROLL
  for (int r = 0; r < Rows; ++r) {
    LAZYMAR_UNROLL
    for (int i = 0; i < Blocks; ++i) {
      _mm512_storeu_si512(sums_of(p, row + r) + (block + i) * kTile, sums[r][i]);
    }
  }
}

/// The last rows, `Rows` or fewer: a tile of each number, since single rows would read B so often.
template <int Rows, int Blocks>
LAZYMAR_AVX512_VNNI inline void multiply_last(const TileProduct& p, int64_t row, int64_t block) {
  if (p.rows - row == Rows) {
    multiply_tile<Rows, Blocks>(p, row, block);
  } else if constexpr (Rows > 1) {
    multiply_last<Rows - 1, Blocks>(p, row, block);
  }
}

template <int Blocks>
LAZYMAR_AVX512_VNNI inline void multiply_blocks(const TileProduct& p, int64_t block) {
  constexpr int kRows = 6;
  int64_t row = 0;
  for (; row + kRows <= p.rows; row += kRows) {
    multiply_tile<kRows, Blocks>(p, row, block);
  }
  multiply_last<kRows - 1, Blocks>(p, row, block);
}

}  // namespace

LAZYMAR_AVX512_VNNI void multiply_bytes_by_vectors(const TileProduct& product) {
  constexpr int kBlocks = 4;
  int64_t block = 0;
  for (; block + kBlocks <= product.blocks; block += kBlocks) {
    multiply_blocks<kBlocks>(product, block);
  }
  for (; block < product.blocks; ++block) {
    multiply_blocks<1>(product, block);
  }
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
