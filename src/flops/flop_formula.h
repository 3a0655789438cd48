#pragma once
/// The number of FLOPs that images take, as a closed formula of their settings. It is derived on
/// paper from the description of the method and of the optimizations, not from the code. The
/// counter of executed work (nn/flops.h) must give the same numbers.
///
/// Counted as there: matrix products, attention and convolutions, 2 per multiply-add.

#include <cstdint>
#include <vector>

#include "cache/policies.h"
#include "core/network_config.h"
#include "method/decoding_plan.h"

namespace lazymar {

/// FLOPs by part of the networks.
struct FlopCount {
  int64_t encoder = 0;          ///< z_proj and the encoder's blocks
  int64_t decoder = 0;          ///< decoder_embed and the decoder's blocks
  int64_t head_time = 0;        ///< the head's time embedding
  int64_t head_condition = 0;   ///< cond_embed
  int64_t head_modulation = 0;  ///< every adaLN, the final layer's included
  int64_t head_mlp = 0;         ///< the blocks' MLPs
  int64_t head_ends = 0;        ///< input_proj and the final linear layer
  int64_t vae = 0;

  int64_t head() const {
    return head_time + head_condition + head_modulation + head_mlp + head_ends;
  }
  int64_t total() const { return encoder + decoder + head() + vae; }
  FlopCount& operator+=(const FlopCount& other);
  FlopCount operator*(int64_t factor) const;
};

/// What is executed.
struct Workload {
  MarConfig mar;
  VaeConfig vae;
  DecodingPlan plan;
};

/// This program, with all exact optimizations.
///
/// A batch of B images whose first decoding step finds its class's z in the table, in a process
/// that has its tables, takes batch(B). Before that, once per process: constants(), and
/// class_table(K) for K classes.
class FlopFormula {
 public:
  explicit FlopFormula(const Workload& workload);

  const std::vector<DecodeStep>& steps() const { return work_.plan.steps; }
  /// The cache policy's work of a step.
  StepWork work(const DecodeStep& step) const;

  /// One decoding step: encoder, decoder and head.
  FlopCount step(const DecodeStep& step, int64_t images) const;
  /// A batch: its steps, what is computed once for all of them, and the VAE.
  FlopCount batch(int64_t images) const;

  /// The time embeddings, and layer 0's queries, keys and values of masked tokens.
  FlopCount constants() const;
  /// The first step's z of that many classes, and of the unconditional half. Zero if the first step
  /// is computed like any other, because the second one is partial and needs its caches.
  FlopCount class_table(int64_t classes) const;

 private:
  bool has_class_table() const;
  int64_t encoder(const DecodeStep& step, const StepWork& work) const;
  int64_t decoder(const DecodeStep& step, const StepWork& work) const;
  int64_t decoder_blocks(const StepWork& work, int64_t queries) const;
  FlopCount head(const DecodeStep& step) const;
  /// So many tokens by the step's schedule.
  FlopCount head_part(const DecodeStep& step, int64_t tokens) const;

  Workload work_;
  const CachePolicy& policy_;
  int64_t halves_;
};

/// The same images as computed by github feihongyan1/LazyMAR: every product that it executes.
FlopCount original_flops(const Workload& workload, int64_t images);

}  // namespace lazymar
