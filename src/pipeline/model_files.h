#pragma once
/// Finds checkpoints and loads the networks.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/network_config.h"
#include "mar/mar.h"
#include "pipeline/model_request.h"
#include "vae/kl_decoder.h"
#include "weights/weight_file.h"
#include "weights/weights.h"

namespace lazymar {

/// Both networks, ready to use.
struct Networks {
  Mar mar;
  KlDecoder vae;
  int64_t patch_size = 1;
  int64_t img_size = 256;
  RecommendedSampling recommended;
  std::string mar_source;  ///< file, or "random weights (seed 1)"
  std::string vae_source;
  std::optional<WeightsInUse> mar_weights;  ///< what was taken from the file, if there is one
  std::optional<WeightsInUse> vae_weights;
};

/// Hashes of both networks' weights, made in the background; of random weights their source.
struct WeightHashes {
  explicit WeightHashes(const Networks& model);
  WeightHash mar, vae;
};

/// What options are checked against, and what a method's plan and cost depend on.
struct NetworkShape {
  MarConfig mar;
  VaeConfig vae;
  int64_t patch_size = 1;
  int64_t img_size = 256;
  RecommendedSampling recommended;
  std::vector<std::string> class_names;  ///< from the metadata, one for each class; or none
  std::string source;                    ///< file, or "mar_huge as published"
  std::string vae_source;                ///< file
};

/// A model's files, whose shapes and metadata have been read.
struct OpenModel {
  NetworkShape shape;
  std::shared_ptr<const WeightFile> mar, vae;  ///< null: random weights
  uint64_t seed = 1;                           ///< of random weights
};

/// Reads no weights. Throws Error (usage) if a file is missing (naming it and its source), does not
/// fit a MAR or KL-VAE, or contradicts a flag or the name that the user gave the model.
OpenModel open_model(const ModelRequest& request);

/// The same with the MAR's weights from memory: `tensors` by MAR's names, possibly with a prefix.
/// Heads, recommended sampling and the VAE are those of request.model. Contiguous CPU tensors of
/// the placement's type are shared, and kept alive.
OpenModel open_model(const std::map<std::string, at::Tensor>& tensors, const ModelRequest& request);

/// The shape alone; without a checkpoint, that of a published network.
NetworkShape read_shape(const ModelRequest& request);

/// Throws Error (usage) if a tensor is missing or cannot be used. `between` is called after each
/// network; it may throw.
Networks load_model(
    const OpenModel& files, Placement placement, const std::function<void()>& between = [] {});
Networks load_model(const ModelRequest& request, Placement placement);

/// Loads a MAR and a VAE from files, checked tensor by tensor.
Mar load_mar_file(FileWeights& weights, const MarConfig& config);
KlDecoder load_vae_file(FileWeights& weights);

/// sqrt(token channels / latent channels); throws (usage) if that is not a whole number.
int64_t derive_patch_size(int64_t token_channels, int64_t vae_embed_dim);

}  // namespace lazymar
