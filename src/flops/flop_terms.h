#pragma once
/// Terms that both accountings share, in multiply-adds per image.

#include <cstdint>

#include "flops/flop_formula.h"

namespace lazymar::flop_terms {

/// A transformer block of width `dim`.
struct BlockTerms {
  int64_t dim, mlp_dim;

  int64_t query(int64_t rows) const { return rows * dim * dim; }
  int64_t key_value(int64_t rows) const { return rows * 2 * dim * dim; }
  int64_t qkv(int64_t rows) const { return query(rows) + key_value(rows); }
  /// Both products of attention: scores, and their weighted sum.
  int64_t attention(int64_t queries, int64_t keys) const { return 2 * queries * keys * dim; }
  int64_t proj(int64_t rows) const { return rows * dim * dim; }
  int64_t mlp(int64_t rows) const { return rows * 2 * dim * mlp_dim; }
  /// The parts after queries, keys and values.
  int64_t attend(int64_t queries, int64_t keys) const {
    return attention(queries, keys) + proj(queries) + mlp(queries);
  }
  int64_t block(int64_t queries, int64_t keys) const {
    return qkv(queries) + attend(queries, keys);
  }
};

inline BlockTerms encoder_block(const MarConfig& config) {
  return {config.encoder_dim, config.encoder_mlp_dim};
}

inline BlockTerms decoder_block(const MarConfig& config) {
  return {config.decoder_dim, config.decoder_mlp_dim};
}

/// Inputs of the head's time embedding (MAR, models/diffloss.py).
inline constexpr int64_t kSinusoids = 256;

/// Products of a k x k convolution.
inline int64_t convolution(int64_t pixels, int64_t kernel, int64_t in, int64_t out) {
  return pixels * kernel * kernel * in * out;
}

/// The VAE's decoder without the convolutions after its upsampling; those are given by
/// `upsample(side before the doubling, channels)`.
int64_t vae_decoder(const Workload& workload, int64_t (*upsample)(int64_t side, int64_t channels));

}  // namespace lazymar::flop_terms
