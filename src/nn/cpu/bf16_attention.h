#pragma once
/// Attention on bf16 queries, keys and values with AMX's tiles or AVX512_BF16's dot products.
/// LibTorch 2.11 passes its flash kernel's bf16 products to MKL, which on AMD computes them at the
/// speed of fp32.

#include <cstdint>

#include "nn/cpu/numbers.h"

namespace lazymar::cpu {

/// One head of one image. Rows are `*_stride` elements apart; head_dim is a multiple of 16.
struct AttentionHead {
  const Bf16* q;
  const Bf16* k;
  const Bf16* v;
  Bf16* out;
  int64_t q_stride, kv_stride, out_stride;
  int64_t queries, keys, head_dim;
};

/// Whether this processor can run attend().
bool has_bf16_attention();

/// out = softmax(q k^T / sqrt(head_dim)) v. Scores and sums are fp32; the softmax's numerators are
/// rounded to bf16, as everywhere. Runs on the calling thread.
void attend(const AttentionHead& head);

}  // namespace lazymar::cpu
