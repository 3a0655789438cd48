#include "nn/cpu/bf16_attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/cpu_features.h"
#include "nn/cpu/bf16_product.h"
#include "nn/cpu/intrinsics.h"

namespace lazymar::cpu {

#if defined(__x86_64__)

#define LAZYMAR_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

namespace {

constexpr int64_t kLanes = kTile;

/// Sixteen rows of sixteen words become sixteen columns: words change places within quarters of the
/// vectors, then quarters do.
LAZYMAR_AVX512_BF16 inline void transpose(__m512i* rows) {
  __m512i twos[kLanes];
  __m512i fours[kLanes];
  for (int i = 0; i < kLanes; i += 2) {
    twos[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    twos[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < kLanes; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(twos[i], twos[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(twos[i], twos[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(twos[i + 1], twos[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(twos[i + 1], twos[i + 3]);
  }
  // fours[4 i + j], quarter b: column 4 b + j of rows 4 i to 4 i + 3.
  constexpr int kEven = 0x88;
  constexpr int kOdd = 0xDD;
  for (int j = 0; j < 4; ++j) {
    const __m512i even_low = _mm512_shuffle_i32x4(fours[j], fours[j + 4], kEven);
    const __m512i even_high = _mm512_shuffle_i32x4(fours[j + 8], fours[j + 12], kEven);
    const __m512i odd_low = _mm512_shuffle_i32x4(fours[j], fours[j + 4], kOdd);
    const __m512i odd_high = _mm512_shuffle_i32x4(fours[j + 8], fours[j + 12], kOdd);
    rows[j] = _mm512_shuffle_i32x4(even_low, even_high, kEven);
    rows[j + 4] = _mm512_shuffle_i32x4(odd_low, odd_high, kEven);
    rows[j + 8] = _mm512_shuffle_i32x4(even_low, even_high, kOdd);
    rows[j + 12] = _mm512_shuffle_i32x4(odd_low, odd_high, kOdd);
  }
}

/// Keys of one head: the block's columns are 16 keys, a pair is two neighbouring channels.
LAZYMAR_AVX512_BF16 void pack_keys(const AttentionHead& head, int64_t pairs, uint32_t* packed) {
  const int64_t there = head.head_dim / 2;
  for (int64_t first = 0; first < head.keys; first += kLanes) {
    for (int64_t pair = 0; pair < pairs; pair += kLanes) {
      const int64_t count = std::clamp<int64_t>(there - pair, 0, kLanes);
      const auto mask = static_cast<__mmask16>((1U << count) - 1);
      __m512i words[kLanes];
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        words[lane] = first + lane < head.keys
                          ? _mm512_maskz_loadu_epi32(
                                mask, head.k + (first + lane) * head.kv_stride + 2 * pair)
                          : _mm512_setzero_si512();
      }
      transpose(words);
      for (int64_t i = 0; i < std::min(kLanes, pairs - pair); ++i) {
        _mm512_storeu_si512(packed + first * pairs + (pair + i) * kLanes, words[i]);
      }
    }
  }
}

/// Values of one head: the block's columns are 16 channels, a pair is two neighbouring keys.
LAZYMAR_AVX512_BF16 void pack_values(const AttentionHead& head, int64_t pairs, uint32_t* packed) {
  const auto widened = [&](int64_t key, int64_t channel) LAZYMAR_AVX512_BF16 {
    if (key >= head.keys) {
      return _mm512_setzero_si512();
    }
    __m256i numbers;
    std::memcpy(&numbers, head.v + key * head.kv_stride + channel, sizeof(numbers));
    return _mm512_cvtepu16_epi32(numbers);
  };
  for (int64_t pair = 0; pair < pairs; ++pair) {
    for (int64_t channel = 0; channel < head.head_dim; channel += kLanes) {
      const __m512i words = _mm512_or_si512(widened(2 * pair, channel),
                                            _mm512_slli_epi32(widened(2 * pair + 1, channel), 16));
      _mm512_storeu_si512(packed + channel * pairs + pair * kLanes, words);
    }
  }
}

/// exponential() of sixteen t from -87 to 0.
LAZYMAR_AVX512_BF16 inline __m512 exponentials(__m512 t) {
  const __m512 k = _mm512_roundscale_ps(_mm512_mul_ps(t, _mm512_set1_ps(kLog2E)), 0);
  const __m512 r = _mm512_fnmadd_ps(k, _mm512_set1_ps(kLn2Low),
                                    _mm512_fnmadd_ps(k, _mm512_set1_ps(kLn2High), t));
  __m512 p = _mm512_set1_ps(kExpTerms[0]);
  for (size_t i = 1; i < kExpTerms.size(); ++i) {
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(kExpTerms[i]));
  }
  p = _mm512_fmadd_ps(p, _mm512_mul_ps(r, r), _mm512_add_ps(r, _mm512_set1_ps(1.0F)));
  return _mm512_scalef_ps(p, k);
}

/// Scores of one query -> the softmax's numerators; returns one over their sum.
LAZYMAR_AVX512_BF16 float numerators(float* scores, int64_t keys, int64_t padded, float scale,
                                     Bf16* weights) {
  for (int64_t key = keys; key < padded; ++key) {
    scores[key] = -std::numeric_limits<float>::infinity();
  }
  __m512 largest = _mm512_loadu_ps(scores);
  for (int64_t first = kLanes; first < padded; first += kLanes) {
    largest = _mm512_max_ps(largest, _mm512_loadu_ps(scores + first));
  }
  const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
  const __m512 least = _mm512_set1_ps(-87.0F);
  __m512 sum = _mm512_setzero_ps();
  for (int64_t first = 0; first < padded; first += kLanes) {
    const __m512 t =
        _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(scores + first), top), _mm512_set1_ps(scale));
    const __mmask16 counts = _mm512_cmp_ps_mask(t, least, _CMP_GE_OQ);
    const __m512 weight = _mm512_maskz_mov_ps(counts, exponentials(_mm512_max_ps(t, least)));
    sum = _mm512_add_ps(sum, weight);
    const __m256bh rounded = _mm512_cvtneps_pbh(weight);
    std::memcpy(weights + first, &rounded, sizeof(rounded));
  }
  return 1.0F / _mm512_reduce_add_ps(sum);
}

/// Sizes of a head's products: with tiles, words are filled up to whole ones.
struct Padded {
  explicit Padded(const AttentionHead& head)
      : pairs(round_up(head.head_dim / 2, has_tiles() ? kTile : 1)),
        keys(round_up(head.keys, has_tiles() ? 2 * kTile : kTile)) {}

  int64_t pairs;  ///< of channels
  int64_t keys;
};

constexpr int64_t kQueries = 2 * kTile;  ///< that are attended to at once

/// Memory for one head, kept by its thread.
struct Scratch {
  std::vector<uint32_t> queries, keys, values;
  std::vector<float> scores, sums;
  std::vector<Bf16> weights;

  void fit(const AttentionHead& head, const Padded& padded) {
    queries.assign(static_cast<size_t>(kQueries * padded.pairs), 0);
    keys.resize(static_cast<size_t>(round_up(head.keys, kTile) * padded.pairs));
    values.resize(static_cast<size_t>(padded.keys / 2 * head.head_dim));
    scores.resize(static_cast<size_t>(kQueries * padded.keys));
    weights.resize(static_cast<size_t>(kQueries * padded.keys));
    sums.resize(static_cast<size_t>(kQueries * head.head_dim));
  }
};

LAZYMAR_AVX512_BF16 void attend_rows(const AttentionHead& head, int64_t first, int64_t count,
                                     const Padded& padded, Scratch& scratch) {
  const int64_t dim = head.head_dim;
  for (int64_t row = 0; row < count; ++row) {
    std::memcpy(scratch.queries.data() + row * padded.pairs, head.q + (first + row) * head.q_stride,
                static_cast<size_t>(2 * dim));
  }
  multiply_bf16({.a = scratch.queries.data(),
                 .a_stride = 4 * padded.pairs,
                 .b = scratch.keys.data(),
                 .words = padded.pairs,
                 .rows = count,
                 .blocks = round_up(head.keys, kTile) / kTile,
                 .c = scratch.scores.data(),
                 .c_stride = 4 * padded.keys});
  const float scale = 1.0F / std::sqrt(static_cast<float>(dim));
  float factors[kQueries];
  for (int64_t row = 0; row < count; ++row) {
    factors[row] = numerators(scratch.scores.data() + row * padded.keys, head.keys, padded.keys,
                              scale, scratch.weights.data() + row * padded.keys);
  }
  multiply_bf16({.a = scratch.weights.data(),
                 .a_stride = 2 * padded.keys,
                 .b = scratch.values.data(),
                 .words = padded.keys / 2,
                 .rows = count,
                 .blocks = dim / kTile,
                 .c = scratch.sums.data(),
                 .c_stride = 4 * dim});
  for (int64_t row = 0; row < count; ++row) {
    Bf16* const out = head.out + (first + row) * head.out_stride;
    for (int64_t i = 0; i < dim; ++i) {
      put(out + i, scratch.sums[static_cast<size_t>(row * dim + i)] * factors[row]);
    }
  }
}

}  // namespace

bool has_bf16_attention() {
  return has_cpu_feature(CpuFeature::kAvx512Bf16);
}

void attend(const AttentionHead& head) {
  thread_local Scratch scratch;
  const Padded padded(head);
  scratch.fit(head, padded);
  pack_keys(head, padded.pairs, scratch.keys.data());
  pack_values(head, padded.keys / 2, scratch.values.data());
  for (int64_t row = 0; row < head.queries; row += kQueries) {
    attend_rows(head, row, std::min(kQueries, head.queries - row), padded, scratch);
  }
}

#else

bool has_bf16_attention() {
  return false;
}

void attend(const AttentionHead&) {}

#endif

}  // namespace lazymar::cpu
