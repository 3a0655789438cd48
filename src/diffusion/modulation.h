#pragma once
/// The adaptive layers' outputs for many diffusion steps at once. They depend on the timestep and
/// on z, never on x_t, so a decoding step's can be computed before its loop: a product of hundreds
/// of rows instead of hundreds of products of a few, which would read all weights every time.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "nn/linear.h"

namespace lazymar {

/// What the adaptive layers see in a decoding step.
struct ModulationInput {
  const at::Tensor& times;      ///< embeddings of all diffusion steps, [T, W]
  const at::Tensor& condition;  ///< cond_embed(z), [rows, W] at least
  int64_t rows = 0;             ///< the first `rows` rows of the condition take part
};

/// Outputs of a fixed list of adaptive layers, computed for a chunk of diffusion steps ahead.
class Modulation {
 public:
  /// `rows_at_once`: how many rows a chunk may have; 1 computes every diffusion step by itself.
  explicit Modulation(int64_t rows_at_once) : rows_at_once_(rows_at_once) {}

  /// A new decoding step: what is kept of another one is void.
  void reset() { indices_.clear(); }

  /// Outputs [rows, out] of each layer at diffusion step `index`. Where they are not there yet,
  /// they are computed for this step and those that `next` names after it (given a step, the next
  /// one of its kind, or -1).
  std::vector<at::Tensor> at(int64_t index, const std::vector<const Linear*>& layers,
                             const ModulationInput& input,
                             const std::function<int64_t(int64_t)>& next);

  /// The same for as many steps of the chunk as are there from `index` on, `most` at most: outputs
  /// [steps, rows, out].
  std::vector<at::Tensor> window(int64_t index, int64_t most,
                                 const std::vector<const Linear*>& layers,
                                 const ModulationInput& input,
                                 const std::function<int64_t(int64_t)>& next);

 private:
  /// Where the chunk has `index`, after computing one if need be.
  int64_t place(int64_t index, const std::vector<const Linear*>& layers,
                const ModulationInput& input, const std::function<int64_t(int64_t)>& next);

  int64_t rows_at_once_;
  std::vector<int64_t> indices_;     ///< diffusion steps of the current chunk
  std::vector<at::Tensor> outputs_;  ///< per layer, [steps, rows, out]
};

}  // namespace lazymar
