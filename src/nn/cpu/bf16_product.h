#pragma once
/// Products of bf16 numbers with fp32 sums: by tiles or by AVX512_BF16.

#include "nn/cpu/tiles.h"

namespace lazymar::cpu {

/// Whether this processor has tiles or AVX512_BF16.
bool has_bf16_products();

/// On the calling thread, by the faster means. A sum's order depends on the number of words alone,
/// neither on threads nor on the other rows. Only if has_bf16_products().
void multiply_bf16(const TileProduct& product);

}  // namespace lazymar::cpu
