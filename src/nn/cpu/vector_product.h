#pragma once
/// Products by AVX-512's instructions for short numbers, for processors without tiles. Includes
/// intrinsics: only for the files that implement byte_product.h and bf16_product.h.

#include <cstdint>
#include <cstring>

#include "nn/cpu/intrinsics.h"
#include "nn/cpu/tiles.h"

#if defined(__x86_64__)

/// One target for all functions, so that they inline. What an instruction needs beyond AVX-512 is
/// used only where `Numbers` names it.
#define LAZYMAR_SHORT_NUMBERS \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16")))

/// Every loop over registers is unrolled before anything else: otherwise GCC 12 keeps the sums in
/// memory, too, and writes all of them back for every word, which halves the rate.
#define LAZYMAR_UNROLL _Pragma("GCC unroll 8")

namespace lazymar::cpu {

/// `Rows` rows of `Blocks` blocks of columns, sums in registers. `Numbers` has the type Sum of
/// sixteen sums, add(sum, words of A, words of B), and store(sum, to).
template <typename Numbers, int Rows, int Blocks>
LAZYMAR_SHORT_NUMBERS inline void multiply_tile(const TileProduct& p, int64_t row, int64_t block) {
  typename Numbers::Sum sums[Rows][Blocks];
  LAZYMAR_UNROLL
  for (int r = 0; r < Rows; ++r) {
    LAZYMAR_UNROLL
    for (int i = 0; i < Blocks; ++i) {
      sums[r][i] = typename Numbers::Sum{};
    }
  }
  const int64_t words = p.words / p.pieces;
  const char* a = static_cast<const char*>(p.a) + row * p.a_stride;
  const uint32_t* b = p.b + block * p.words * kTile;
  for (int64_t piece = 0; piece < p.pieces; ++piece) {
    for (int64_t word = 0; word < words; ++word) {
      __m512i columns[Blocks];
      LAZYMAR_UNROLL
      for (int i = 0; i < Blocks; ++i) {
        columns[i] = _mm512_loadu_si512(b + (i * p.words + word) * kTile);
      }
      LAZYMAR_UNROLL
      for (int r = 0; r < Rows; ++r) {
        int32_t numbers = 0;
        std::memcpy(&numbers, a + r * p.a_stride + 4 * word, sizeof(numbers));
        const __m512i everywhere = _mm512_set1_epi32(numbers);
        LAZYMAR_UNROLL
        for (int i = 0; i < Blocks; ++i) {
          sums[r][i] = Numbers::add(sums[r][i], everywhere, columns[i]);
        }
      }
    }
    a += p.piece_stride;
    b += words * kTile;
  }
  LAZYMAR_UNROLL
  for (int r = 0; r < Rows; ++r) {
    LAZYMAR_UNROLL
    for (int i = 0; i < Blocks; ++i) {
      Numbers::store(sums[r][i],
                     static_cast<char*>(p.c) + (row + r) * p.c_stride + (block + i) * 4 * kTile);
    }
  }
}

/// The last rows, `Rows` or fewer: a tile of each number, since single rows would read B so often.
template <typename Numbers, int Rows, int Blocks>
LAZYMAR_SHORT_NUMBERS inline void multiply_last(const TileProduct& p, int64_t row, int64_t block) {
  if (p.rows - row == Rows) {
    multiply_tile<Numbers, Rows, Blocks>(p, row, block);
  } else if constexpr (Rows > 1) {
    multiply_last<Numbers, Rows - 1, Blocks>(p, row, block);
  }
}

template <typename Numbers, int Blocks>
LAZYMAR_SHORT_NUMBERS inline void multiply_blocks(const TileProduct& p, int64_t block) {
  constexpr int kRows = 6;
  int64_t row = 0;
  for (; row + kRows <= p.rows; row += kRows) {
    multiply_tile<Numbers, kRows, Blocks>(p, row, block);
  }
  multiply_last<Numbers, kRows - 1, Blocks>(p, row, block);
}

/// A sum's order depends on nothing but the number of words.
template <typename Numbers>
LAZYMAR_SHORT_NUMBERS inline void multiply_by_vectors(const TileProduct& product) {
  constexpr int kBlocks = 4;
  int64_t block = 0;
  for (; block + kBlocks <= product.blocks; block += kBlocks) {
    multiply_blocks<Numbers, kBlocks>(product, block);
  }
  for (; block < product.blocks; ++block) {
    multiply_blocks<Numbers, 1>(product, block);
  }
}

}  // namespace lazymar::cpu

#endif
