#include "nn/cpu/tiles.h"

#include "core/cpu_features.h"
#include "nn/cpu/intrinsics.h"

namespace lazymar::cpu {

#if defined(__x86_64__)

#define LAZYMAR_AMX __attribute__((target("amx-tile,amx-bf16,amx-int8")))

namespace {

// Tiles 0 to 3 are sums of two row tiles times two blocks, 4 and 5 are of A, 6 and 7 of B.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

/// GCC's intrinsics do not say how much memory they read: it must be written before them.
inline void read_by_tiles(const void* memory) {
  asm volatile("" : : "r"(memory) : "memory");
}

/// Tiles for 16 + 16 rows, or for the last rows.
LAZYMAR_AMX void configure(int64_t first_rows, int64_t second_rows) {
  TileConfig config;
  for (const int tile : {0, 1, 4}) {
    config.rows[tile] = static_cast<uint8_t>(first_rows);
  }
  for (const int tile : {2, 3, 5}) {
    config.rows[tile] = static_cast<uint8_t>(second_rows > 0 ? second_rows : kTile);
  }
  read_by_tiles(&config);
  _tile_loadconfig(&config);
}

enum class Numbers { kBf16, kU8S8 };

template <Numbers numbers, int RowTiles, int Blocks>
LAZYMAR_AMX inline void multiply_tiles(const TileProduct& p, int64_t row, int64_t block) {
  const auto* const a = static_cast<const char*>(p.a) + row * p.a_stride;
  const auto* const second_a = a + kTile * p.a_stride;
  const uint32_t* const b = p.b + block * p.words * kTile;
  const uint32_t* const second_b = b + p.words * kTile;
  constexpr int kRowBytes = 64;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const int64_t piece_words = p.words / p.pieces;
  for (int64_t piece = 0; piece < p.pieces; ++piece) {
    const int64_t piece_offset = piece * p.piece_stride;
    for (int64_t word = 0; word < piece_words; word += kTile) {
      const int64_t a_offset = piece_offset + 4 * word;
      const int64_t b_offset = (piece * piece_words + word) * kTile;
      _tile_loadd(4, a + a_offset, p.a_stride);
      _tile_loadd(6, b + b_offset, kRowBytes);
      if constexpr (RowTiles == 2) {
        _tile_loadd(5, second_a + a_offset, p.a_stride);
      }
      if constexpr (Blocks == 2) {
        _tile_loadd(7, second_b + b_offset, kRowBytes);
      }
      if constexpr (numbers == Numbers::kBf16) {
        _tile_dpbf16ps(0, 4, 6);
        if constexpr (Blocks == 2) {
          _tile_dpbf16ps(1, 4, 7);
        }
        if constexpr (RowTiles == 2) {
          _tile_dpbf16ps(2, 5, 6);
        }
        if constexpr (RowTiles == 2 && Blocks == 2) {
          _tile_dpbf16ps(3, 5, 7);
        }
      } else {
        _tile_dpbusd(0, 4, 6);
        if constexpr (Blocks == 2) {
          _tile_dpbusd(1, 4, 7);
        }
        if constexpr (RowTiles == 2) {
          _tile_dpbusd(2, 5, 6);
        }
        if constexpr (RowTiles == 2 && Blocks == 2) {
          _tile_dpbusd(3, 5, 7);
        }
      }
    }
  }
  auto* const c = static_cast<char*>(p.c) + row * p.c_stride + block * kRowBytes;
  auto* const second_c = c + kTile * p.c_stride;
  _tile_stored(0, c, p.c_stride);
  if constexpr (Blocks == 2) {
    _tile_stored(1, c + kRowBytes, p.c_stride);
  }
  if constexpr (RowTiles == 2) {
    _tile_stored(2, second_c, p.c_stride);
  }
  if constexpr (RowTiles == 2 && Blocks == 2) {
    _tile_stored(3, second_c + kRowBytes, p.c_stride);
  }
}

template <Numbers numbers, int RowTiles>
LAZYMAR_AMX void multiply_rows(const TileProduct& p, int64_t begin, int64_t end) {
  int64_t block = 0;
  for (; block + 2 <= p.blocks; block += 2) {
    for (int64_t row = begin; row < end; row += RowTiles * kTile) {
      multiply_tiles<numbers, RowTiles, 2>(p, row, block);
    }
  }
  if (block < p.blocks) {
    for (int64_t row = begin; row < end; row += RowTiles * kTile) {
      multiply_tiles<numbers, RowTiles, 1>(p, row, block);
    }
  }
}

template <Numbers numbers>
LAZYMAR_AMX void multiply(const TileProduct& p) {
  read_by_tiles(p.a);
  constexpr int64_t kRows = 2 * kTile;
  const int64_t whole = p.rows / kRows * kRows;
  const int64_t rest = p.rows - whole;
  if (whole > 0) {
    configure(kTile, kTile);
    multiply_rows<numbers, 2>(p, 0, whole);
  }
  if (rest > kTile) {
    configure(kTile, rest - kTile);
    multiply_rows<numbers, 2>(p, whole, p.rows);
  } else if (rest > 0) {
    configure(rest, 0);
    multiply_rows<numbers, 1>(p, whole, p.rows);
  }
  _tile_release();
}

}  // namespace

bool has_tiles() {
  return has_cpu_feature(CpuFeature::kAmx);
}

void multiply_bf16_tiles(const TileProduct& product) {
  multiply<Numbers::kBf16>(product);
}

void multiply_u8s8_tiles(const TileProduct& product) {
  multiply<Numbers::kU8S8>(product);
}

#else

bool has_tiles() {
  return false;
}

void multiply_bf16_tiles(const TileProduct&) {}
void multiply_u8s8_tiles(const TileProduct&) {}

#endif

}  // namespace lazymar::cpu
