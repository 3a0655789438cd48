#pragma once
/// --record_head: writes what a Generator records of the diffusion head to files.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "generate/options.h"
#include "pipeline/generator.h"

namespace lazymar {

/// Limits: bytes of one image's file, and of a batch's features in memory.
inline constexpr int64_t kMostHeadFileBytes = int64_t{64} << 20;
inline constexpr int64_t kMostHeadBytes = int64_t{4} << 30;

/// Throws Error (usage) if `tokens` of each image and batches of `batch` images would need more,
/// and for plans that cannot be recorded.
void check_head_size(const Generator& generator, int64_t tokens, int64_t batch);

/// From now on the generator records the head of each image to a file in the folder of
/// --record_drift, which record_drift() has prepared. Throws Error (usage) if the device captures.
void record_head(const EvalOptions& options, const nlohmann::ordered_json& settings,
                 Generator& generator);

}  // namespace lazymar
