#pragma once
/// A batch on paper: everything that a GPU would do for it, without a GPU and without numbers.

#include <cstdint>
#include <vector>

#include "core/precision.h"
#include "launches/launch_log.h"
#include "method/decoding_method.h"
#include "pipeline/model_files.h"

namespace lazymar {

/// One decoding step by its parts.
struct StepLaunches {
  bool full = false;  ///< no cache is used
  LaunchLog encoder, decoder, head;

  LaunchLog total() const;
};

/// A batch like those before it, so that graphs are replayed.
struct BatchLaunches {
  std::vector<StepLaunches> steps;
  LaunchLog outside;  ///< what a batch does once: its order, its inputs, its latents
  LaunchLog vae;      ///< with the pixels

  LaunchLog total() const;
};

/// What is counted.
struct CountedBatch {
  NetworkShape shape;
  DecodingMethod method;
  Precision precision;  ///< not auto
  int64_t images = 1;
  bool graphs = true;
  bool head_blocks = true;
};

/// Counts a batch. It takes seconds, and no memory for weights. Throws Error (usage) in builds
/// without CUDA kernels.
BatchLaunches count_launches(const CountedBatch& batch);

}  // namespace lazymar
