#include "lazymar/eval/model_files.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "lazymar/core/error.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kModelsFolder = "pretrained_models/mar";
constexpr const char* kDefaultVae = "pretrained_models/vae/kl16.safetensors";

/// Shapes and metadata of one checkpoint, every access checked.
class CheckpointReader {
 public:
  explicit CheckpointReader(const SafetensorsFile& file) : file_(file) {
    const auto found = file.metadata().find("config");
    if (found == file.metadata().end()) {
      return;
    }
    metadata_ = json::parse(found->second, nullptr, /*allow_exceptions=*/false);
    if (!metadata_.is_object()) {
      throw usage_error(file.path().string(), ": metadata \"config\" is not a JSON object");
    }
  }

  bool has(const std::string& name) const { return file_.tensors().contains(name); }

  /// Size of dimension `index` of a tensor that must have `rank` dimensions.
  int64_t size(const std::string& name, size_t rank, size_t index) const {
    const auto found = file_.tensors().find(name);
    if (found == file_.tensors().end()) {
      throw usage_error(file_.path().string(), ": no tensor \"", name,
                        "\": is this the right file?");
    }
    const auto& shape = found->second.shape;
    if (shape.size() != rank || *std::min_element(shape.begin(), shape.end()) < 1) {
      throw usage_error(file_.path().string(), ": tensor \"", name, "\" has the shape ",
                        shape_string(shape), ", expected ", rank, " sizes above 0");
    }
    return shape[index];
  }

  /// How many of prefix0suffix, prefix1suffix, ... there are.
  int64_t count(const std::string& prefix, const std::string& suffix) const {
    int64_t n = 0;
    while (has(prefix + std::to_string(n) + suffix)) {
      ++n;
    }
    return n;
  }

  template <typename T>
  std::optional<T> metadata(const char* key) const {
    if (!metadata_.contains(key)) {
      return std::nullopt;
    }
    try {
      return metadata_[key].get<T>();
    } catch (const json::exception& error) {
      throw usage_error(file_.path().string(), ": metadata \"", key, "\": ", error.what());
    }
  }

 private:
  const SafetensorsFile& file_;
  json metadata_ = json::object();
};

int64_t read_heads(const CheckpointReader& reader, const SafetensorsFile& file, const char* key,
                   int64_t dim, const Preset* preset, std::optional<int64_t> fallback) {
  int64_t heads = 0;
  if (const auto given = reader.metadata<int64_t>(key)) {
    heads = *given;
  } else if (const auto shared = reader.metadata<int64_t>("encoder_num_heads")) {
    heads = *shared;
  } else if (preset != nullptr && preset->dim == dim) {
    heads = preset->heads;
  } else if (fallback) {
    heads = *fallback;
  } else {
    throw usage_error(file.path().string(), ": the number of attention heads is not in the file: ",
                      "name a preset (--model ", preset_names(), ") of width ", dim,
                      " or add it to the metadata (\"config\": {\"", key, "\": ...})");
  }
  if (heads < 1 || dim % heads != 0) {
    throw usage_error(file.path().string(), ": ", heads, " heads do not divide the width ", dim);
  }
  return heads;
}

fs::path find_weights(const ModelRequest& request) {
  const fs::path place = request.resume.value_or(fs::path(kModelsFolder) / request.model);
  if (fs::is_regular_file(place)) {
    return place;
  }
  const fs::path file = place / "checkpoint-last.safetensors";
  if (fs::is_regular_file(file)) {
    return file;
  }
  const fs::path original = place / "checkpoint-last.pth";
  if (fs::is_regular_file(original)) {
    throw usage_error(file.string(), ": not found; convert the original first: python3 ",
                      "scripts/convert.py ", original.string(), " ", file.string());
  }
  if (find_preset(request.model) == nullptr && !request.resume) {
    throw usage_error("--model ", request.model, ": neither one of ", preset_names(),
                      " nor a folder ", place.string(), " with checkpoint-last.safetensors");
  }
  throw usage_error(file.string(), ": not found. Download checkpoint-last.pth of ", request.model,
                    " (links in the README of github.com/LTH14/mar) to ", place.string(),
                    ", then: python3 scripts/convert.py ", original.string(), " ", file.string(),
                    "; for a latency run without weights: --random_weights");
}

fs::path find_vae(const ModelRequest& request, const fs::path& mar_file,
                  const CheckpointReader& mar) {
  fs::path place = kDefaultVae;
  if (request.vae_path) {
    place = *request.vae_path;
  } else if (const auto own = mar.metadata<std::string>("vae_path")) {
    place = (mar_file.parent_path() / *own).lexically_normal();
  }
  const bool original = place.extension() == ".ckpt" || place.extension() == ".pth";
  const fs::path converted = fs::path(place).replace_extension(".safetensors");
  if (original && fs::is_regular_file(converted)) {
    return converted;
  }
  if (original && fs::is_regular_file(place)) {
    throw usage_error(converted.string(), ": not found; convert the original first: python3 ",
                      "scripts/convert.py ", place.string(), " ", converted.string());
  }
  if (!fs::is_regular_file(place)) {
    throw usage_error(converted.string(), ": not found. Download kl16.ckpt (link in the README of ",
                      "github.com/LTH14/mar) to ",
                      fs::path(converted).replace_extension(".ckpt").string(),
                      ", then: python3 scripts/convert.py ",
                      fs::path(converted).replace_extension(".ckpt").string(), " ",
                      converted.string(), "; another VAE: --vae_path FILE");
  }
  return place;
}

void check_flag(const char* flag, std::optional<int64_t> given, int64_t actual,
                const std::string& source) {
  if (given && *given != actual) {
    throw usage_error("--", flag, " ", *given, " contradicts the checkpoint: ", source, " has ",
                      actual, "; leave the flag out or name the checkpoint it belongs to");
  }
}

void check_flags(const ArchitectureFlags& flags, const Model& model) {
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
    throw usage_error("a sequence of ", sequence_length, " tokens is no square image");
  }
  return side * patch_size * stride;
}

/// The published network, changed by the flags that were given.
Model random_model(const ModelRequest& request, Placement placement) {
  const Preset* preset = find_preset(request.model);
  if (preset == nullptr) {
    throw usage_error("--random_weights: --model must be one of ", preset_names());
  }
  if (request.resume || request.vae_path) {
    throw usage_error("--random_weights contradicts ", request.resume ? "--resume" : "--vae_path",
                      ": leave one of them out");
  }
  const ArchitectureFlags& flags = request.architecture;
  MarConfig config = published_config(*preset);
  VaeConfig vae = kl16_config();
  vae.embed_dim = vae.z_channels = flags.vae_embed_dim.value_or(vae.embed_dim);
  const int64_t patch = flags.patch_size.value_or(1);
  const int64_t img_size = flags.img_size.value_or(256);
  if (flags.vae_stride.value_or(vae.stride()) != vae.stride()) {
    throw usage_error("--vae_stride ", *flags.vae_stride,
                      ": random weights are KL-16's, stride 16");
  }
  for (const auto& [name, value] : {std::pair{"vae_embed_dim", vae.embed_dim},
                                    {"patch_size", patch},
                                    {"img_size", img_size / (patch * vae.stride())},
                                    {"buffer_size", flags.buffer_size.value_or(1)},
                                    {"class_num", flags.class_num.value_or(1)},
                                    {"diffloss_d", flags.diffloss_d.value_or(1)},
                                    {"diffloss_w", flags.diffloss_w.value_or(1)}}) {
    if (value < 1) {
      throw usage_error("--", name, ": too small");
    }
  }
  const int64_t side = img_size / (patch * vae.stride());
  if (side * patch * vae.stride() != img_size) {
    throw usage_error("--img_size ", img_size, ": must be a multiple of ", patch * vae.stride());
  }
  config.sequence_length = side * side;
  config.token_channels = vae.embed_dim * patch * patch;
  config.class_count = flags.class_num.value_or(config.class_count);
  config.buffer_size = flags.buffer_size.value_or(config.buffer_size);
  config.head_depth = flags.diffloss_d.value_or(config.head_depth);
  config.head_width = flags.diffloss_w.value_or(config.head_width);

  RandomWeights weights(request.seed, placement);
  Model model;
  model.mar = load_mar(weights, config);
  model.vae = load_kl_decoder(weights, vae);
  model.patch_size = patch;
  model.img_size = img_size;
  model.mar_source = model.vae_source = concat("random weights (seed ", request.seed, ")");
  return model;
}

}  // namespace

int64_t derive_patch_size(int64_t token_channels, int64_t vae_embed_dim) {
  const double ratio = static_cast<double>(token_channels) / static_cast<double>(vae_embed_dim);
  const auto patch = std::lround(std::sqrt(ratio));
  if (patch * patch * vae_embed_dim != token_channels) {
    throw usage_error("the MAR's tokens have ", token_channels, " channels, the VAE's latents ",
                      vae_embed_dim, ": they do not belong together");
  }
  return patch;
}

MarConfig read_mar_config(const SafetensorsFile& file, const Preset* preset,
                          std::optional<int64_t> heads) {
  const CheckpointReader reader(file);
  MarConfig config;
  config.encoder_dim = reader.size("z_proj.weight", 2, 0);
  config.token_channels = reader.size("z_proj.weight", 2, 1);
  config.decoder_dim = reader.size("decoder_embed.weight", 2, 0);
  config.sequence_length = reader.size("diffusion_pos_embed_learned", 3, 1);
  config.buffer_size = reader.size("encoder_pos_embed_learned", 3, 1) - config.sequence_length;
  config.class_count = reader.size("class_emb.weight", 2, 0);
  config.encoder_depth = reader.count("encoder_blocks.", ".norm1.weight");
  config.decoder_depth = reader.count("decoder_blocks.", ".norm1.weight");
  config.encoder_mlp_dim = reader.size("encoder_blocks.0.mlp.fc1.weight", 2, 0);
  config.decoder_mlp_dim = reader.size("decoder_blocks.0.mlp.fc1.weight", 2, 0);
  config.head_width = reader.size("diffloss.net.input_proj.weight", 2, 0);
  config.head_depth = reader.count("diffloss.net.res_blocks.", ".in_ln.weight");
  config.encoder_heads =
      read_heads(reader, file, "encoder_num_heads", config.encoder_dim, preset, heads);
  config.decoder_heads =
      read_heads(reader, file, "decoder_num_heads", config.decoder_dim, preset, heads);
  if (config.buffer_size < 1) {
    throw usage_error(file.path().string(), ": encoder_pos_embed_learned has no buffer rows");
  }
  return config;
}

VaeConfig read_vae_config(const SafetensorsFile& file) {
  const CheckpointReader reader(file);
  VaeConfig config;
  config.z_channels = reader.size("post_quant_conv.weight", 4, 0);
  config.embed_dim = reader.size("post_quant_conv.weight", 4, 1);
  config.middle_width = reader.size("decoder.conv_in.weight", 4, 0);
  const int64_t levels = reader.count("decoder.up.", ".block.0.norm1.weight");
  config.blocks_per_level = reader.count("decoder.up.0.block.", ".norm1.weight");
  for (int64_t i = 0; i < levels; ++i) {
    const std::string name = "decoder.up." + std::to_string(i) + ".block.0.conv1.weight";
    config.level_widths.push_back(reader.size(name, 4, 0));
  }
  constexpr int64_t kMaxLevels = 10;
  if (levels < 1 || levels > kMaxLevels) {
    throw usage_error(file.path().string(), ": ", levels, " levels: not a KL-VAE's decoder");
  }
  config.groups = reader.metadata<int64_t>("num_groups").value_or(config.groups);
  config.norm_eps = reader.metadata<double>("norm_eps").value_or(config.norm_eps);
  config.latent_scale = reader.metadata<double>("scale_factor").value_or(config.latent_scale);
  std::vector<int64_t> widths = config.level_widths;
  widths.push_back(config.middle_width);
  for (const int64_t width : widths) {
    if (config.groups < 1 || width % config.groups != 0) {
      throw usage_error(file.path().string(), ": ", config.groups,
                        " GroupNorm groups do not divide ", width,
                        " channels: give the metadata \"", "config\": {\"num_groups\": ...}");
    }
  }
  return config;
}

Mar load_mar_file(const std::shared_ptr<const SafetensorsFile>& file, const MarConfig& config,
                  Placement placement) {
  FileWeights weights(file, placement);
  Mar mar = load_mar(weights, config);
  weights.finish({});
  return mar;
}

KlDecoder load_vae_file(const std::shared_ptr<const SafetensorsFile>& file, Placement placement) {
  FileWeights weights(file, placement);
  KlDecoder vae = load_kl_decoder(weights, read_vae_config(*file));
  // What an autoencoder needs for training and encoding only.
  weights.finish({"encoder.", "quant_conv.", "loss."});
  return vae;
}

Model load_model(const ModelRequest& request, Placement placement) {
  if (request.random_weights) {
    return random_model(request, placement);
  }
  const fs::path mar_path = find_weights(request);
  const auto mar_file = std::make_shared<const SafetensorsFile>(mar_path);
  // Everything that can be refused cheaply is, before gigabytes are touched.
  const MarConfig config = read_mar_config(*mar_file, find_preset(request.model));
  const CheckpointReader metadata(*mar_file);
  const fs::path vae_path = find_vae(request, mar_path, metadata);
  const auto vae_file = std::make_shared<const SafetensorsFile>(vae_path);
  Model model;
  model.mar_source = mar_path.string();
  model.vae_source = vae_path.string();
  model.mar = load_mar_file(mar_file, config, placement);
  model.vae = load_vae_file(vae_file, placement);
  model.patch_size = derive_patch_size(model.mar.config.token_channels, model.vae.config.embed_dim);
  model.img_size = derive_img_size(model.mar.config.sequence_length, model.patch_size,
                                   model.vae.config.stride());
  model.recommended.cfg = metadata.metadata<double>("cfg");
  if (const auto schedule = metadata.metadata<std::string>("cfg_schedule")) {
    model.recommended.cfg_schedule = parse_cfg_schedule(*schedule);
  }
  check_flags(request.architecture, model);
  return model;
}

}  // namespace lazymar
