#pragma once
/// Products on AMX's tiles (Intel, from Sapphire Rapids on), for linear layers and attention. Each
/// sum runs over all of k in one tile, in one order: unlike oneDNN's kernels for AMX, a row's bits
/// depend neither on the number of threads nor on the other rows.

#include <cstdint>

namespace lazymar::cpu {

/// Columns of a block of B, words of a tile's row, and rows of a tile.
inline constexpr int64_t kTile = 16;

inline int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// C = A B. Rows of A consist of words: two bf16 or four 8-bit numbers each.
struct TileProduct {
  const void* a;
  int64_t a_stride;   ///< bytes from one row to the next; rows may overlap
  const uint32_t* b;  ///< blocks of 16 columns [blocks, words, 16], word by word of A's rows
  int64_t words;      ///< of a row, all pieces; a multiple of 16 times the pieces
  int64_t rows;
  int64_t blocks;
  void* c;           ///< [rows, 16 blocks]: fp32 of bf16 numbers, int32 of 8-bit numbers
  int64_t c_stride;  ///< bytes
  /// A row of A may lie in pieces of equal length, as a convolution's pixels do.
  int64_t pieces = 1;
  int64_t piece_stride = 0;  ///< bytes from one piece to the next
};

/// Whether this processor has tiles, the system lets this process use them, and LAZYMAR_CPU does
/// not rule them out (core/cpu_features.h).
bool has_tiles();

/// bf16 times bf16. On the calling thread, as the next one. Only if has_tiles().
void multiply_bf16_tiles(const TileProduct& product);

/// Unsigned times signed 8-bit numbers: exact.
void multiply_u8s8_tiles(const TileProduct& product);

}  // namespace lazymar::cpu
