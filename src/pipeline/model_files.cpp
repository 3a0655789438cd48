#include "pipeline/model_files.h"

#include <cmath>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "files/malloc_tuning.h"
#include "pipeline/model_paths.h"
#include "pipeline/network_reader.h"
#include "weights/network_names.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

void check_flag(const char* flag, std::optional<int64_t> given, int64_t actual,
                const std::string& source) {
  if (given && *given != actual) {
    throw setting_error(flag, " ", *given, " contradicts the checkpoint: ", source, " has ", actual,
                        "; omit the flag, or give the checkpoint that it belongs to");
  }
}

void check_flags(const ArchitectureFlags& flags, const Networks& model) {
  const MarConfig& mar = model.mar.config;
  check_flag("class_num", flags.class_num, mar.class_count, model.mar_source);
  check_flag("buffer_size", flags.buffer_size, mar.buffer_size, model.mar_source);
  check_flag("diffloss_d", flags.diffloss_d, mar.head_depth, model.mar_source);
  check_flag("diffloss_w", flags.diffloss_w, mar.head_width, model.mar_source);
  check_flag("patch_size", flags.patch_size, model.patch_size, model.mar_source);
  check_flag("img_size", flags.img_size, model.img_size, model.mar_source);
  check_flag("vae_embed_dim", flags.vae_embed_dim, model.vae.config.embed_dim, model.vae_source);
  check_flag("vae_stride", flags.vae_stride, model.vae.config.stride(), model.vae_source);
}

int64_t derive_img_size(int64_t sequence_length, int64_t patch_size, int64_t stride) {
  const auto side = std::lround(std::sqrt(static_cast<double>(sequence_length)));
  if (side * side != sequence_length) {
    throw usage_error("a sequence of ", sequence_length, " tokens is not a square image");
  }
  return side * patch_size * stride;
}

/// A network for random weights.
struct RandomShape {
  MarConfig mar;
  VaeConfig vae;
  int64_t patch_size = 1;
  int64_t img_size = 256;
};

/// The published network, changed by the flags that were given.
RandomShape random_shape(const ModelRequest& request) {
  const Preset* preset = find_preset(request.model);
  if (preset == nullptr) {
    throw setting_error("random_weights", ": --model must be one of ", preset_names());
  }
  if (request.resume || request.vae_path) {
    throw setting_error("random_weights", " contradicts ",
                        request.resume ? "--resume" : "--vae_path", "; omit one of them");
  }
  const ArchitectureFlags& flags = request.architecture;
  MarConfig config = published_config(*preset);
  VaeConfig vae = kl16_config();
  vae.embed_dim = vae.z_channels = flags.vae_embed_dim.value_or(vae.embed_dim);
  const int64_t patch = flags.patch_size.value_or(1);
  const int64_t img_size = flags.img_size.value_or(256);
  if (flags.vae_stride.value_or(vae.stride()) != vae.stride()) {
    throw setting_error("vae_stride", " ", *flags.vae_stride,
                        ": random weights have KL-16's stride of 16");
  }
  for (const auto& [name, value] : {std::pair{"vae_embed_dim", vae.embed_dim},
                                    {"patch_size", patch},
                                    {"img_size", img_size / (patch * vae.stride())},
                                    {"buffer_size", flags.buffer_size.value_or(1)},
                                    {"class_num", flags.class_num.value_or(1)},
                                    {"diffloss_d", flags.diffloss_d.value_or(1)},
                                    {"diffloss_w", flags.diffloss_w.value_or(1)}}) {
    if (value < 1) {
      throw setting_error(name, ": too small");
    }
  }
  const int64_t side = img_size / (patch * vae.stride());
  if (side * patch * vae.stride() != img_size) {
    throw setting_error("img_size", " ", img_size, ": must be a multiple of ",
                        patch * vae.stride());
  }
  config.sequence_length = side * side;
  config.token_channels = vae.embed_dim * patch * patch;
  config.class_count = flags.class_num.value_or(config.class_count);
  config.buffer_size = flags.buffer_size.value_or(config.buffer_size);
  config.head_depth = flags.diffloss_d.value_or(config.head_depth);
  config.head_width = flags.diffloss_w.value_or(config.head_width);
  return {config, vae, patch, img_size};
}

Networks random_model(const ModelRequest& request, Placement placement) {
  const RandomShape shape = random_shape(request);
  RandomWeights weights(request.seed, placement);
  Networks model;
  model.mar = load_mar(weights, shape.mar);
  model.vae = load_kl_decoder(weights, shape.vae);
  model.patch_size = shape.patch_size;
  model.img_size = shape.img_size;
  model.mar_source = model.vae_source = concat("random weights (seed ", request.seed, ")");
  log_info(concat("weights: ", model.mar_source));
  return model;
}

RecommendedSampling recommended_by(const CheckpointReader& metadata) {
  RecommendedSampling recommended;
  recommended.cfg = metadata.metadata<double>("cfg");
  if (const auto schedule = metadata.metadata<std::string>("cfg_schedule")) {
    recommended.cfg_schedule = parse_cfg_schedule(*schedule);
  }
  return recommended;
}

std::shared_ptr<const WeightFile> opened(const fs::path& path, std::string_view network,
                                         const ModelRequest& request) {
  return std::make_shared<const WeightFile>(
      path, WeightFileOptions{.check_crc = request.check_crc, .networks = {network}});
}

/// `mar_path`: where the VAE that the MAR names is looked for.
Networks load_networks(const std::shared_ptr<const WeightFile>& mar_file, const fs::path& mar_path,
                       const ModelRequest& request, Placement placement) {
  // Cheap checks come first, before gigabytes are read.
  const MarConfig config = read_mar_config(*mar_file, find_preset(request.model));
  const CheckpointReader metadata(*mar_file);
  const fs::path vae_path = find_vae(request, mar_path, metadata.metadata<std::string>("vae_path"));
  const auto vae_file = opened(vae_path, kVaeTensor, request);
  log_info(concat("VAE: ", vae_path.string(), ", ", vae_file->description()));
  Networks model;
  model.mar_source = mar_file->path().string();
  model.vae_source = vae_path.string();
  FileWeights mar_weights(mar_file, placement);
  FileWeights vae_weights(vae_file, placement);
  model.mar = load_mar_file(mar_weights, config);
  model.vae = load_vae_file(vae_weights);
  model.mar_weights = mar_weights.in_use();
  model.vae_weights = vae_weights.in_use();
  model.patch_size = derive_patch_size(model.mar.config.token_channels, model.vae.config.embed_dim);
  model.img_size = derive_img_size(model.mar.config.sequence_length, model.patch_size,
                                   model.vae.config.stride());
  model.recommended = recommended_by(metadata);
  check_flags(request.architecture, model);
  return model;
}

}  // namespace

NetworkShape read_shape(const ModelRequest& request) {
  const bool published_size = find_preset(request.model) != nullptr;
  if (request.random_weights || (published_size && !has_weights(request))) {
    const RandomShape shape = random_shape(request);
    return {shape.mar, shape.vae, {}, concat(request.model, " as published")};
  }
  const fs::path mar_path = find_weights(request);
  const WeightFile mar_file(mar_path, {.check_crc = request.check_crc});
  const CheckpointReader metadata(mar_file);
  const WeightFile vae_file(find_vae(request, mar_path, metadata.metadata<std::string>("vae_path")),
                            {.check_crc = request.check_crc});
  return {read_mar_config(mar_file, find_preset(request.model)), read_vae_config(vae_file),
          recommended_by(metadata), mar_path.string()};
}

int64_t derive_patch_size(int64_t token_channels, int64_t vae_embed_dim) {
  const double ratio = static_cast<double>(token_channels) / static_cast<double>(vae_embed_dim);
  const auto patch = std::lround(std::sqrt(ratio));
  if (patch * patch * vae_embed_dim != token_channels) {
    throw usage_error("the MAR's tokens have ", token_channels, " channels, the VAE's latents ",
                      vae_embed_dim, ": they do not match");
  }
  return patch;
}

WeightHashes::WeightHashes(const Networks& model)
    : mar(model.mar_weights ? WeightHash(*model.mar_weights) : WeightHash(model.mar_source)),
      vae(model.vae_weights ? WeightHash(*model.vae_weights) : WeightHash(model.vae_source)) {}

Mar load_mar_file(FileWeights& weights, const MarConfig& config) {
  Mar mar = load_mar(weights, config);
  weights.finish({});
  return mar;
}

KlDecoder load_vae_file(FileWeights& weights) {
  KlDecoder vae = load_kl_decoder(weights, read_vae_config(weights.file()));
  weights.finish({kUnusedVaeTensors.begin(), kUnusedVaeTensors.end()});
  return vae;
}

Networks load_model(const ModelRequest& request, Placement placement) {
  const PromptRelease release;
  if (request.random_weights) {
    return random_model(request, placement);
  }
  const fs::path path = find_weights(request);
  const auto file = opened(path, kMarTensor, request);
  log_info(concat("weights: ", path.string(), ", ", file->description()));
  if (const std::string warning = missing_ema(*file); !warning.empty()) {
    log_warning(warning);
  }
  return load_networks(file, path, request, placement);
}

Networks load_model(const std::map<std::string, at::Tensor>& tensors, const ModelRequest& request,
                    Placement placement) {
  const auto kept = std::make_shared<std::vector<at::Tensor>>();
  WeightContent content;
  for (const auto& [name, tensor] : tensors) {
    kept->push_back(tensor.detach().to(c10::kCPU).contiguous());
    content.tensors.emplace(name, view_of_tensor(kept->back()));
  }
  fs::path path = "state_dict";
  if (has_weights(request)) {
    path = find_weights(request);
    content.metadata = opened(path, kMarTensor, request)->metadata();
  }
  const auto file = std::make_shared<const WeightFile>("state_dict", std::move(content), kept,
                                                       WeightFileOptions{.networks = {kMarTensor}});
  return load_networks(file, path, request, placement);
}

}  // namespace lazymar
