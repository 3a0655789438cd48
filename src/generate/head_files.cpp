#include "generate/head_files.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "generate/drift_files.h"
#include "run/head_recording.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

std::vector<RecordedToken> tokens_of(const Generator& generator, int64_t tokens) {
  try {
    return recorded_tokens(generator.plan(), tokens);
  } catch (const Error& error) {
    throw usage_error("--record_head: ", error.what());
  }
}

/// Writes an image's file; if its features are not finite, warns instead.
void write_image(const fs::path& folder, const HeadRecordingHeader& header,
                 const HeadFeatures& features) {
  std::map<std::string, TensorSource> tensors;
  for (const auto& [name, tensor] : {std::pair("x", features.x),
                                     {"eps", features.eps},
                                     {"v", features.v},
                                     {"mlp", features.mlp}}) {
    if (!tensor.isfinite().all().item<bool>()) {
      log_warning(concat("image ", header.image,
                         ": its head's features are not finite; they are not recorded"));
      return;
    }
    tensors.emplace(name, recorded_tensor(tensor));
  }
  write_head_recording(folder, header, tensors);
}

}  // namespace

void check_head_size(const Generator& generator, int64_t tokens, int64_t batch) {
  const Mar& mar = generator.model().mar;
  const auto products = mar.head.blocks.front().fc2.output_type();
  const int64_t each =
      HeadRecorder::bytes_per_image(mar.config, tokens_of(generator, tokens), products);
  if (each > kMostHeadFileBytes) {
    throw usage_error("--record_head ", tokens, ": makes ", each >> 20, " MiB an image, more than ",
                      kMostHeadFileBytes >> 20, "; use --record_head ",
                      std::max<int64_t>(1, tokens * kMostHeadFileBytes / each));
  }
  if (batch * each > kMostHeadBytes) {
    throw usage_error("--record_head ", tokens, ": the features of ", batch, " images take ",
                      batch * each >> 20, " MiB of memory, more than ", kMostHeadBytes >> 20,
                      "; use --eval_bsz ", kMostHeadBytes / each);
  }
}

void record_head(const EvalOptions& options, const nlohmann::ordered_json& settings,
                 Generator& generator) {
  HeadRecordingHeader header;
  header.settings = settings;
  const std::vector<RecordedToken> tokens = tokens_of(generator, *options.record_head);
  for (const RecordedToken& token : tokens) {
    const DecodeStep& step = generator.plan().steps[static_cast<size_t>(token.decoding_step)];
    const std::vector<int64_t>& rising = generator.plan().head(step).timesteps;
    header.rows.push_back(token.row);
    header.decoding_steps.push_back(token.decoding_step);
    header.timesteps.emplace_back(rising.rbegin(), rising.rend());
  }
  const auto take = [folder = *options.record_drift, header](int64_t id, int64_t label,
                                                             const HeadFeatures& features) {
    HeadRecordingHeader of_image = header;
    of_image.image = id;
    of_image.label = label;
    write_image(folder, of_image, features);
  };
  generator.record_head({options.num_images, tokens, take});
}

}  // namespace lazymar
