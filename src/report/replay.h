#pragma once
/// Replays predictors on recorded features of the head: how far each is off, without drawing.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "run/head_recording.h"

namespace lazymar {

/// Mean relative error |predicted - F| / |F| (Euclidean norms) of one predictor, by diffusion steps
/// since the last evaluation: [0] is the step after it.
struct PredictorErrors {
  std::string predictor;
  std::vector<double> mlp;  ///< of outputs of the blocks' MLPs, over tokens and blocks
  std::vector<double> eps;  ///< of the head's prediction after guidance, over tokens
};

struct Replay {
  int64_t interval = 0;
  int64_t images = 0;
  int64_t tokens = 0;    ///< of all images
  int64_t left_out = 0;  ///< of them, those with too few diffusion steps
  std::vector<PredictorErrors> errors;
};

/// Horizons 1 to interval - 1. Each diffusion step with two evaluations before it at that interval
/// takes its turn as the last one evaluated, so every predictor has the same targets. Predictors by
/// name (report/predictors.h). Throws Error (usage) for unknown names, and if no token has more
/// than two intervals of diffusion steps.
Replay replay(std::span<const ImageHeadRecording> images,
              const std::vector<std::string>& predictors, int64_t interval);

/// What the errors are, in a sentence.
std::string replay_about(const Replay& replay);

/// That sentence and a Markdown table.
std::string replay_text(const Replay& replay);

nlohmann::ordered_json replay_json(const Replay& replay);

}  // namespace lazymar
