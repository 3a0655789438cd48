#include "pipeline/model_files.h"

#include <cmath>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "files/malloc_tuning.h"
#include "pipeline/memory_weights.h"
#include "pipeline/model_paths.h"
#include "pipeline/network_reader.h"
#include "weights/network_names.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInMemory = "state_dict";  ///< in place of a path

void check_flag(const char* flag, std::optional<int64_t> given, int64_t actual,
                const std::string& source) {
  if (given && *given != actual) {
    throw setting_error(flag, " ", *given, " contradicts the checkpoint: ", source, " has ", actual,
                        "; omit the flag, or give the checkpoint that it belongs to");
  }
}

void check_flags(const ArchitectureFlags& flags, const NetworkShape& shape) {
  const MarConfig& mar = shape.mar;
  check_flag("class_num", flags.class_num, mar.class_count, shape.source);
  check_flag("buffer_size", flags.buffer_size, mar.buffer_size, shape.source);
  check_flag("diffloss_d", flags.diffloss_d, mar.head_depth, shape.source);
  check_flag("diffloss_w", flags.diffloss_w, mar.head_width, shape.source);
  check_flag("patch_size", flags.patch_size, shape.patch_size, shape.source);
  check_flag("img_size", flags.img_size, shape.img_size, shape.source);
  check_flag("vae_embed_dim", flags.vae_embed_dim, shape.vae.embed_dim, shape.vae_source);
  check_flag("vae_stride", flags.vae_stride, shape.vae.stride(), shape.vae_source);
}

bool has_size_of(const MarConfig& config, const Preset& preset) {
  return config.encoder_dim == preset.dim && config.decoder_dim == preset.dim &&
         config.encoder_depth == preset.depth && config.decoder_depth == preset.depth;
}

/// "mar_large", or "no published network"; and its size.
std::string network_name(const MarConfig& config) {
  const Preset* preset = preset_of_width(config.encoder_dim);
  const bool known = preset != nullptr && has_size_of(config, *preset);
  return concat(known ? preset->name : "no published network", " (encoder ", config.encoder_depth,
                " x ", config.encoder_dim, " wide, decoder ", config.decoder_depth, " x ",
                config.decoder_dim, " wide)");
}

/// A checkpoint under the name of a published network must be of its width: its depth and head may
/// differ, because the name also tells the number of attention heads. If the name is only the
/// default, it is a warning.
void check_published(const ModelRequest& request, const MarConfig& config,
                     const std::string& source) {
  const Preset* preset = find_preset(request.model);
  if (preset == nullptr || has_size_of(config, *preset)) {
    return;
  }
  const bool same_width = config.encoder_dim == preset->dim && config.decoder_dim == preset->dim;
  if (request.model_given && !same_width) {
    throw setting_error("model", " ", request.model, " contradicts the checkpoint: ", source,
                        " is ", network_name(config),
                        "; give --model the network's own name, or any other name if it has none");
  }
  log_warning_once(concat(source, " is not ", request.model,
                          request.model_given ? "" : ", the default of --model", ", but ",
                          network_name(config), "; its own shapes are used"));
}

int64_t derive_img_size(int64_t sequence_length, int64_t patch_size, int64_t stride) {
  const auto side = std::lround(std::sqrt(static_cast<double>(sequence_length)));
  if (side * side != sequence_length) {
    throw usage_error("a sequence of ", sequence_length, " tokens is not a square image");
  }
  return side * patch_size * stride;
}

/// The published network, changed by the flags that were given.
NetworkShape published_shape(const ModelRequest& request) {
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
  NetworkShape shape;
  shape.mar = config;
  shape.vae = vae;
  shape.patch_size = patch;
  shape.img_size = img_size;
  shape.source = concat(request.model, " as published");
  return shape;
}

void load_random(const OpenModel& files, Placement placement, const std::function<void()>& between,
                 Networks& model) {
  RandomWeights weights(files.seed, placement);
  model.mar = load_mar(weights, files.shape.mar);
  between();
  model.vae = load_kl_decoder(weights, files.shape.vae);
  model.mar_source = model.vae_source = concat("random weights (seed ", files.seed, ")");
  log_info(concat("weights: ", model.mar_source));
}

void load_files(const OpenModel& files, Placement placement, const std::function<void()>& between,
                Networks& model) {
  model.mar_source = files.shape.source;
  model.vae_source = files.shape.vae_source;
  log_info(concat("weights: ", model.mar_source, ", ", files.mar->description()));
  log_info(concat("VAE: ", model.vae_source, ", ", files.vae->description()));
  if (const std::string warning = missing_ema(*files.mar); !warning.empty()) {
    log_warning(warning);
  }
  FileWeights mar_weights(files.mar, placement);
  FileWeights vae_weights(files.vae, placement);
  model.mar = load_mar_file(mar_weights, files.shape.mar);
  between();
  model.vae = load_vae_file(vae_weights);
  model.mar_weights = mar_weights.in_use();
  model.vae_weights = vae_weights.in_use();
}

RecommendedSampling recommended_by(const CheckpointReader& metadata) {
  RecommendedSampling recommended;
  recommended.cfg = metadata.metadata<double>("cfg");
  if (const auto schedule = metadata.metadata<std::string>("cfg_schedule")) {
    recommended.cfg_schedule = parse_cfg_schedule(*schedule);
  }
  return recommended;
}

/// The classes' names in the metadata; empty unless there is one for each.
std::vector<std::string> names_of_classes(const CheckpointReader& metadata, int64_t count) {
  try {
    auto names = metadata.metadata<std::vector<std::string>>("classes");
    return names && static_cast<int64_t>(names->size()) == count ? std::move(*names)
                                                                 : std::vector<std::string>();
  } catch (const Error&) {
    return {};  // something else under that key
  }
}

std::shared_ptr<const WeightFile> opened(const fs::path& path, std::string_view network,
                                         const ModelRequest& request) {
  return std::make_shared<const WeightFile>(
      path, WeightFileOptions{.check_crc = request.check_crc, .networks = {network}});
}

/// The MAR in `mar` with its VAE. `mar_path`: where the VAE that the MAR names is looked for.
OpenModel with_vae(std::shared_ptr<const WeightFile> mar, const fs::path& mar_path,
                   const ModelRequest& request) {
  OpenModel files;
  files.seed = request.seed;
  files.mar = std::move(mar);
  NetworkShape& shape = files.shape;
  shape.source = files.mar->path().string();
  shape.mar = read_mar_config(*files.mar, find_preset(request.model));
  check_published(request, shape.mar, shape.source);
  const CheckpointReader metadata(*files.mar);
  const fs::path vae_path = find_vae(request, mar_path, metadata.metadata<std::string>("vae_path"));
  files.vae = opened(vae_path, kVaeTensor, request);
  shape.vae_source = vae_path.string();
  shape.vae = read_vae_config(*files.vae);
  shape.patch_size = derive_patch_size(shape.mar.token_channels, shape.vae.embed_dim);
  shape.img_size = derive_img_size(shape.mar.sequence_length, shape.patch_size, shape.vae.stride());
  shape.recommended = recommended_by(metadata);
  shape.class_names = names_of_classes(metadata, shape.mar.class_count);
  check_flags(request.architecture, shape);
  return files;
}

}  // namespace

OpenModel open_model(const ModelRequest& request) {
  if (request.random_weights) {
    OpenModel files;
    files.seed = request.seed;
    files.shape = published_shape(request);
    return files;
  }
  const fs::path path = find_weights(request);
  return with_vae(opened(path, kMarTensor, request), path, request);
}

OpenModel open_model(const std::map<std::string, at::Tensor>& tensors,
                     const ModelRequest& request) {
  auto [content, owner] = weights_in_memory(tensors, kInMemory);
  fs::path path = kInMemory;
  if (has_weights(request)) {
    path = find_weights(request);
    content.metadata = opened(path, kMarTensor, request)->metadata();
  }
  const auto file = std::make_shared<const WeightFile>(kInMemory, std::move(content), owner,
                                                       WeightFileOptions{.networks = {kMarTensor}});
  return with_vae(file, path, request);
}

NetworkShape read_shape(const ModelRequest& request) {
  const bool published = find_preset(request.model) != nullptr && !has_weights(request);
  return published ? published_shape(request) : open_model(request).shape;
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

Networks load_model(const OpenModel& files, Placement placement,
                    const std::function<void()>& between) {
  const PromptRelease release;
  Networks model;
  model.patch_size = files.shape.patch_size;
  model.img_size = files.shape.img_size;
  model.recommended = files.shape.recommended;
  (files.mar ? load_files : load_random)(files, placement, between, model);
  between();
  return model;
}

Networks load_model(const ModelRequest& request, Placement placement) {
  return load_model(open_model(request), placement);
}

}  // namespace lazymar
