#pragma once
/// The adaptive layers' outputs for many diffusion steps at once. They depend on the timestep and
/// on z, never on x_t, so those of a decoding step can be computed before its loop. One product of
/// hundreds of rows replaces hundreds of small products that each read all weights.

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
  int64_t rows = 0;             ///< the first `rows` rows of the condition are used
};

/// For Modulation: every diffusion step is computed by itself.
inline constexpr int64_t kNoneAhead = 1;

/// Outputs of a fixed list of adaptive layers, computed for a chunk of diffusion steps ahead.
class Modulation {
 public:
  /// `rows_at_once`: how many rows a chunk may have, more on a GPU; or kNoneAhead.
  explicit Modulation(int64_t rows_at_once) : rows_at_once_(rows_at_once) {}

  /// Starts a new decoding step and drops what was kept.
  void reset() { indices_.clear(); }

  /// Outputs [rows, out] of each layer at diffusion step `index`. If missing, they are computed for
  /// this step and those that `next` lists after it (given a step, the next one of its kind, or
  /// -1).
  std::vector<at::Tensor> at(int64_t index, const std::vector<const Linear*>& layers,
                             const ModulationInput& input,
                             const std::function<int64_t(int64_t)>& next);

  /// The same for the steps of the chunk from `index` on, at most `most`: outputs [steps, rows,
  /// out].
  std::vector<at::Tensor> window(int64_t index, int64_t most,
                                 const std::vector<const Linear*>& layers,
                                 const ModulationInput& input,
                                 const std::function<int64_t(int64_t)>& next);

 private:
  /// Position of `index` in the chunk; computes a chunk if necessary.
  int64_t place(int64_t index, const std::vector<const Linear*>& layers,
                const ModulationInput& input, const std::function<int64_t(int64_t)>& next);

  int64_t rows_at_once_;
  std::vector<int64_t> indices_;     ///< diffusion steps of the current chunk
  std::vector<at::Tensor> outputs_;  ///< per layer, [steps, rows, out]
};

}  // namespace lazymar
