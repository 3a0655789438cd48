#pragma once
/// Products of 8-bit numbers, exact: by tiles, by AVX512_VNNI, or by plain loops as their twin.

#include "nn/cpu/tiles.h"

namespace lazymar::cpu {

/// Whether a product of 8-bit numbers is faster here than one of bf16: tiles or AVX512_VNNI.
bool has_byte_products();

/// Unsigned times signed, on the calling thread, by the fastest means there is.
void multiply_bytes(const TileProduct& product);

/// The same, number by number: the twin of the others.
void multiply_bytes_plainly(const TileProduct& product);

/// The same by AVX512_VNNI; only if the processor has it.
void multiply_bytes_by_vectors(const TileProduct& product);

}  // namespace lazymar::cpu
