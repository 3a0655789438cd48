#include "pipeline/network_reader.h"

#include <algorithm>
#include <vector>

namespace lazymar {
namespace {

constexpr const char* kEncoderHeads = "encoder_num_heads";
constexpr const char* kDecoderHeads = "decoder_num_heads";

/// How to put a key into a file's configuration: of files, only safetensors have metadata.
std::string how_to_set(const WeightFile& file, const std::string& key) {
  if (file.metadata().contains("config") || file.bytes().empty()) {
    return concat("add \"", key, "\": N to the JSON object of the metadata \"config\"");
  }
  const std::string own = file.path().filename().string();
  const std::string name = file.path().filename().replace_extension(".safetensors").string();
  return concat(
      looks_like_torch(file.bytes()) ? concat("run lazymar_convert ", own, " ", name, ", then ")
                                     : "",
      "set it with Python: from safetensors.torch import load_file, save_file; ",
      "save_file(load_file('", name, "'), '", name, "', {'config': '{\"", key, "\": N}'})");
}

/// The number of heads if the file or the preset tells it.
std::optional<int64_t> find_heads(const CheckpointReader& reader, const char* key, int64_t dim,
                                  const Preset* preset) {
  for (const char* const given : {key, kEncoderHeads}) {
    if (const auto heads = reader.metadata<int64_t>(given)) {
      return heads;
    }
  }
  return preset != nullptr && preset->dim == dim ? std::optional(preset->heads) : std::nullopt;
}

int64_t read_heads(const CheckpointReader& reader, const WeightFile& file, const char* key,
                   int64_t dim, const Preset* preset, std::optional<int64_t> fallback) {
  std::optional<int64_t> heads = find_heads(reader, key, dim, preset);
  if (!heads && !fallback && file.bytes().empty()) {  // in memory
    throw usage_error(file.path().string(),
                      ": its tensors do not tell the number of attention heads; name a published ",
                      "network of width ", dim, " (", preset_names(),
                      ") or a folder of pretrained_models/mar");
  }
  if (!heads && !fallback) {
    const Preset* same = preset_of_width(dim);
    throw usage_error(
        file.path().string(), ": the file does not tell the number of attention ", "heads N; ",
        same != nullptr ? concat("give --model ", same->name, " if it has its heads, or ") : "",
        how_to_set(file, key));
  }
  heads = heads ? heads : fallback;
  if (*heads < 1 || dim % *heads != 0) {
    throw usage_error(file.path().string(), ": ", *heads, " heads do not divide the width ", dim);
  }
  return *heads;
}

}  // namespace

std::string missing_ema(const WeightFile& file) {
  // lazymar_convert keeps the checkpoint's key in the metadata.
  const auto converted = file.metadata().find("weights");
  const bool of_torch = looks_like_torch(file.bytes());
  const std::string weights = !file.section().empty()              ? file.section()
                              : converted != file.metadata().end() ? converted->second
                                                                   : "";
  if (!weights.empty() && !says_ema(weights)) {
    return concat(file.path().string(), ": no EMA weights; using the last ones");
  }
  if (of_torch && file.section().empty()) {
    return concat(file.path().string(), ": a plain state dict, which does not say whether its ",
                  "weights are EMA");
  }
  return {};
}

MarConfig read_mar_config(const WeightFile& file, const Preset* preset,
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
  config.encoder_heads = read_heads(reader, file, kEncoderHeads, config.encoder_dim, preset, heads);
  config.decoder_heads = read_heads(reader, file, kDecoderHeads, config.decoder_dim, preset, heads);
  if (config.buffer_size < 1) {
    throw usage_error(file.path().string(), ": encoder_pos_embed_learned has no buffer rows");
  }
  return config;
}

bool tells_heads(const WeightFile& file, const Preset* preset) {
  const CheckpointReader reader(file);
  return find_heads(reader, kEncoderHeads, reader.size("z_proj.weight", 2, 0), preset) &&
         find_heads(reader, kDecoderHeads, reader.size("decoder_embed.weight", 2, 0), preset);
}

VaeConfig read_vae_config(const WeightFile& file) {
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
                        " GroupNorm groups do not divide ", width, " channels; if it has N, ",
                        how_to_set(file, "num_groups"));
    }
  }
  return config;
}

}  // namespace lazymar
