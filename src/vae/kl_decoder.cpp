#include "lazymar/vae/kl_decoder.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string>

#include "lazymar/nn/flops.h"
#include "lazymar/nn/ops.h"

namespace lazymar {
namespace {

/// Output pixels decoded at once: eight images of 256x256.
constexpr int64_t kChunkPixels = 8 * 256 * 256;

class DecoderLoader {
 public:
  DecoderLoader(WeightSource& weights, const VaeConfig& config)
      : weights_(weights), config_(config) {}

  Convolution convolution(const std::string& name, int64_t in, int64_t out, int64_t kernel) {
    return {weights_.get(name + ".weight", {out, in, kernel, kernel}),
            weights_.get(name + ".bias", {out})};
  }

  GroupNorm group_norm(const std::string& name, int64_t width) {
    return {weights_.get(name + ".weight", {width}), weights_.get(name + ".bias", {width}),
            config_.groups, config_.norm_eps};
  }

  ResnetBlock resnet_block(const std::string& name, int64_t in, int64_t out) {
    ResnetBlock block;
    block.norm1 = group_norm(name + ".norm1", in);
    block.conv1 = convolution(name + ".conv1", in, out, 3);
    block.norm2 = group_norm(name + ".norm2", out);
    block.conv2 = convolution(name + ".conv2", out, out, 3);
    if (in != out) {
      block.nin_shortcut = convolution(name + ".nin_shortcut", in, out, 1);
    }
    return block;
  }

  AttentionBlock attention_block(const std::string& name, int64_t width) {
    return {group_norm(name + ".norm", width), convolution(name + ".q", width, width, 1),
            convolution(name + ".k", width, width, 1), convolution(name + ".v", width, width, 1),
            convolution(name + ".proj_out", width, width, 1)};
  }

 private:
  WeightSource& weights_;
  const VaeConfig& config_;
};

}  // namespace

at::Tensor Convolution::operator()(const at::Tensor& x) const {
  count_matmul(x.size(0) * x.size(2) * x.size(3), weight[0].numel(), weight.size(0));
  const int64_t padding = weight.size(2) / 2;
  if (x.is_cpu() && x.scalar_type() == c10::kFloat && at::hasMKLDNN()) {
    // By name: conv2d leaves oneDNN for small kernels where there is one thread only, and then the
    // bits depend on the number of threads.
    return at::mkldnn_convolution(x, weight, bias, {padding, padding}, /*stride=*/{1, 1},
                                  /*dilation=*/{1, 1}, /*groups=*/1);
  }
  return at::conv2d(x, weight, bias, /*stride=*/1, padding);
}

at::Tensor GroupNorm::operator()(const at::Tensor& x) const {
  return at::group_norm(x, groups, weight, bias, eps);
}

at::Tensor ResnetBlock::operator()(const at::Tensor& x) const {
  const at::Tensor h = conv1(lazymar::silu(norm1(x)));
  const at::Tensor residual = conv2(lazymar::silu(norm2(h)));
  return (nin_shortcut ? (*nin_shortcut)(x) : x) + residual;
}

at::Tensor AttentionBlock::operator()(const at::Tensor& x) const {
  const at::Tensor h = norm(x);
  // One head whose dimension is the channels: [B, 1, pixels, channels].
  const auto rows = [](const at::Tensor& t) { return t.flatten(2).transpose(1, 2).unsqueeze(1); };
  const int64_t pixels = x.size(2) * x.size(3);
  count_matmul(x.size(0) * pixels, 2 * x.size(1), pixels);
  const at::Tensor out = at::scaled_dot_product_attention(rows(q(h)), rows(k(h)), rows(v(h)));
  return x + proj_out(out.squeeze(1).transpose(1, 2).reshape(x.sizes()));
}

at::Tensor KlDecoder::decode(const at::Tensor& latents) const {
  const c10::InferenceMode guard;
  const int64_t side = latents.size(2) * config.stride();
  const int64_t chunk = std::max<int64_t>(1, kChunkPixels / (side * side));
  std::vector<at::Tensor> images;
  for (int64_t first = 0; first < latents.size(0); first += chunk) {
    const int64_t count = std::min(chunk, latents.size(0) - first);
    // Contiguous: tokens come as channels-last views, and in that layout ATen's group_norm adds up
    // by threads, so that the bits depend on how many there are.
    images.push_back(
        decode_chunk((latents.narrow(0, first, count) / config.latent_scale).contiguous()));
  }
  return images.size() == 1 ? images.front() : at::cat(images);
}

at::Tensor KlDecoder::decode_chunk(const at::Tensor& latents) const {
  at::Tensor x = conv_in(post_quant_conv(latents));
  x = middle_2(middle_attention(middle_1(x)));
  for (const Level& level : levels) {
    for (const ResnetBlock& block : level.blocks) {
      x = block(x);
    }
    if (level.upsample) {
      x = (*level.upsample)(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
    }
  }
  return conv_out(lazymar::silu(norm_out(x)));
}

KlDecoder load_kl_decoder(WeightSource& weights, const VaeConfig& config) {
  DecoderLoader load(weights, config);
  KlDecoder decoder;
  decoder.config = config;
  decoder.post_quant_conv =
      load.convolution("post_quant_conv", config.embed_dim, config.z_channels, 1);
  decoder.conv_in = load.convolution("decoder.conv_in", config.z_channels, config.middle_width, 3);
  decoder.middle_1 =
      load.resnet_block("decoder.mid.block_1", config.middle_width, config.middle_width);
  decoder.middle_attention = load.attention_block("decoder.mid.attn_1", config.middle_width);
  decoder.middle_2 =
      load.resnet_block("decoder.mid.block_2", config.middle_width, config.middle_width);
  int64_t width = config.middle_width;
  for (auto i = static_cast<int64_t>(config.level_widths.size()) - 1; i >= 0; --i) {
    const std::string name = "decoder.up." + std::to_string(i);
    const int64_t out = config.level_widths[static_cast<size_t>(i)];
    KlDecoder::Level level;
    for (int64_t j = 0; j < config.blocks_per_level; ++j) {
      level.blocks.push_back(
          load.resnet_block(name + ".block." + std::to_string(j), j == 0 ? width : out, out));
    }
    width = out;
    if (i > 0) {
      level.upsample = load.convolution(name + ".upsample.conv", width, width, 3);
    }
    decoder.levels.push_back(std::move(level));
  }
  decoder.norm_out = load.group_norm("decoder.norm_out", width);
  decoder.conv_out = load.convolution("decoder.conv_out", width, 3, 3);
  return decoder;
}

at::Tensor to_pixels(const at::Tensor& images) {
  return ((images + 1) / 2 * 255)
      .clamp(0, 255)
      .round()
      .to(c10::kByte)
      .permute({0, 2, 3, 1})
      .contiguous()
      .cpu();
}

}  // namespace lazymar
