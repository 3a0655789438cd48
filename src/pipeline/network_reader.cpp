#include "pipeline/network_reader.h"

#include <algorithm>
#include <vector>

namespace lazymar {
namespace {

int64_t read_heads(const CheckpointReader& reader, const WeightFile& file, const char* key,
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
  } else if (file.bytes().empty()) {  // in memory
    throw usage_error(file.path().string(),
                      ": its tensors do not tell the number of attention heads; name a published ",
                      "network of width ", dim, " (", preset_names(),
                      ") or a folder of pretrained_models/mar");
  } else {
    throw usage_error(file.path().string(),
                      ": the file does not contain the number of attention heads; ",
                      "give a preset (--model ", preset_names(), ") of width ", dim,
                      " or add it to the metadata (\"config\": {\"", key, "\": ...})");
  }
  if (heads < 1 || dim % heads != 0) {
    throw usage_error(file.path().string(), ": ", heads, " heads do not divide the width ", dim);
  }
  return heads;
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
  config.encoder_heads =
      read_heads(reader, file, "encoder_num_heads", config.encoder_dim, preset, heads);
  config.decoder_heads =
      read_heads(reader, file, "decoder_num_heads", config.decoder_dim, preset, heads);
  if (config.buffer_size < 1) {
    throw usage_error(file.path().string(), ": encoder_pos_embed_learned has no buffer rows");
  }
  return config;
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
                        " GroupNorm groups do not divide ", width, " channels; set the metadata \"",
                        "config\": {\"num_groups\": ...}");
    }
  }
  return config;
}

}  // namespace lazymar
