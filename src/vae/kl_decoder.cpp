#include "vae/kl_decoder.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string>

#include "nn/flops.h"
#include "nn/ops.h"

namespace lazymar {
namespace {

/// Output pixels decoded at once: enough to keep a device busy, few enough for a CPU's cache to
/// help.
constexpr int64_t kChunkPixels = 8 * 256 * 256;
constexpr int64_t kCpuChunkPixels = 256 * 256;

class DecoderLoader {
 public:
  DecoderLoader(WeightSource& weights, const VaeConfig& config)
      : weights_(weights), config_(config) {}

  Convolution convolution(const std::string& name, int64_t in, int64_t out, int64_t kernel) {
    return load<Convolution>(name, in, out, kernel, rounded());
  }
  /// In the activations' type: for the first and last layers, where rounding would be visible.
  Convolution exact_convolution(const std::string& name, int64_t in, int64_t out, int64_t kernel) {
    return load<Convolution>(name, in, out, kernel, weights_.placement().dtype());
  }
  UpsampleConvolution upsample(const std::string& name, int64_t width) {
    return load<UpsampleConvolution>(name, width, width, 3, rounded());
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
  c10::ScalarType rounded() const {
    return scalar_type(weights_.placement().precision->convolutions);
  }

  template <typename Layer>
  Layer load(const std::string& name, int64_t in, int64_t out, int64_t kernel,
             c10::ScalarType type) {
    return {weights_.get(name + ".weight", {out, in, kernel, kernel}),
            weights_.get(name + ".bias", {out}), type};
  }

  WeightSource& weights_;
  const VaeConfig& config_;
};

/// norm, then SiLU, in the type of the following product.
at::Tensor activated(const GroupNorm& norm, const at::Tensor& x, c10::ScalarType type) {
  return group_norm_silu(x, norm.weight, norm.bias, norm.groups, norm.eps, type);
}

}  // namespace

Convolution::Convolution(const at::Tensor& weight, const at::Tensor& bias, c10::ScalarType type)
    : type_(type) {
  if (!weight.defined() || !bias.defined()) {
    return;
  }
  taps_ = weight[0].numel();
  if (type == c10::kBFloat16 && PackedConvolution::fits(weight)) {
    packed_ = std::make_shared<PackedConvolution>(weight, bias);
  } else {
    weight_ = weight.to(type).contiguous(at::MemoryFormat::ChannelsLast);
    bias_ = bias.to(type);
  }
}

at::Tensor Convolution::prepared(const at::Tensor& x) const {
  return packed_ ? packed_->with_border(x.to(type_)) : x.to(type_);
}

at::Tensor Convolution::of_prepared(const at::Tensor& x) const {
  const at::Tensor out = packed_ ? (*packed_)(x) : by_library(x);
  count_matmul(out.numel() / out.size(3), taps_, out.size(3));
  return out;
}

at::Tensor Convolution::by_library(const at::Tensor& x) const {
  const int64_t padding = weight_.size(2) / 2;
  const at::Tensor in = x.permute({0, 3, 1, 2});
  // Explicitly: with one thread, conv2d does not use oneDNN for small kernels, and the bits would
  // depend on the number of threads.
  const bool by_name = x.is_cpu() && type_ != c10::kDouble && at::hasMKLDNN();
  const at::Tensor out =
      by_name ? at::mkldnn_convolution(in, weight_, bias_, {padding, padding}, /*stride=*/{1, 1},
                                       /*dilation=*/{1, 1}, /*groups=*/1)
              : at::conv2d(in, weight_, bias_, /*stride=*/1, padding);
  return out.permute({0, 2, 3, 1}).contiguous();
}

UpsampleConvolution::UpsampleConvolution(const at::Tensor& weight, const at::Tensor& bias,
                                         c10::ScalarType type) {
  if (!weight.defined() || !bias.defined()) {
    return;
  }
  // Along one side: the first half of a small pixel sees the one before it once and itself twice.
  const auto merge = [](const at::Tensor& taps, int64_t dim, int64_t half) {
    const at::Tensor middle = taps.narrow(dim, 1, 1);
    const at::Tensor first = taps.narrow(dim, 0, 1);
    const at::Tensor last = taps.narrow(dim, 2, 1);
    return half == 0 ? at::cat({first, middle + last}, dim) : at::cat({first + middle, last}, dim);
  };
  for (int64_t phase = 0; phase < 4; ++phase) {
    phases_[static_cast<size_t>(phase)] =
        Convolution(merge(merge(weight, 2, phase / 2), 3, phase % 2), bias, type);
  }
}

at::Tensor UpsampleConvolution::operator()(const at::Tensor& x) const {
  const int64_t height = x.size(1);
  const int64_t width = x.size(2);
  const at::Tensor in = phases_[0].prepared(x);
  at::Tensor out;
  for (int64_t phase = 0; phase < 4; ++phase) {
    const int64_t row = phase / 2;
    const int64_t column = phase % 2;
    // Padded on all sides, the result has one extra row and column. The first half's results begin
    // one earlier there.
    const at::Tensor part = phases_[static_cast<size_t>(phase)].of_prepared(in);
    if (!out.defined()) {
      out = at::empty({x.size(0), height, 2, width, 2, part.size(3)}, x.options());
    }
    out.select(4, column).select(2, row).copy_(
        part.narrow(1, row, height).narrow(2, column, width));
  }
  return out.view({x.size(0), 2 * height, 2 * width, out.size(5)});
}

at::Tensor ResnetBlock::operator()(const at::Tensor& x) const {
  const at::Tensor h = conv1(activated(norm1, x, conv1.type()));
  const at::Tensor residual = conv2(activated(norm2, h, conv2.type()));
  return lazymar::add(nin_shortcut ? (*nin_shortcut)(x).to(x.scalar_type()) : x, residual);
}

at::Tensor AttentionBlock::operator()(const at::Tensor& x) const {
  const at::Tensor h = group_norm(x, norm.weight, norm.bias, norm.groups, norm.eps, q.type());
  const auto rows = [](const at::Tensor& t) { return t.flatten(1, 2); };
  const at::Tensor out = attention(rows(q(h)), at::cat({rows(k(h)), rows(v(h))}, 2), /*heads=*/1);
  return lazymar::add(x, proj_out(out.view(x.sizes())));
}

at::Tensor KlDecoder::decode(const at::Tensor& latents) const {
  const c10::InferenceMode guard;
  const int64_t side = latents.size(2) * config.stride();
  const int64_t pixels = latents.is_cpu() ? kCpuChunkPixels : kChunkPixels;
  const int64_t chunk = std::max<int64_t>(1, pixels / (side * side));
  std::vector<at::Tensor> images;
  for (int64_t first = 0; first < latents.size(0); first += chunk) {
    const int64_t count = std::min(chunk, latents.size(0) - first);
    images.push_back(decode_chunk(latents.narrow(0, first, count) / config.latent_scale));
  }
  return images.size() == 1 ? images.front() : at::cat(images);
}

at::Tensor KlDecoder::decode_chunk(const at::Tensor& latents) const {
  at::Tensor x = conv_in(post_quant_conv(latents.permute({0, 2, 3, 1}).contiguous()));
  x = middle_2(middle_attention(middle_1(x)));
  for (const Level& level : levels) {
    for (const ResnetBlock& block : level.blocks) {
      x = block(x);
    }
    if (level.upsample) {
      x = (*level.upsample)(x);
    }
  }
  return conv_out(activated(norm_out, x, conv_out.type())).permute({0, 3, 1, 2});
}

KlDecoder load_kl_decoder(WeightSource& weights, const VaeConfig& config) {
  DecoderLoader load(weights, config);
  KlDecoder decoder;
  decoder.config = config;
  decoder.post_quant_conv =
      load.exact_convolution("post_quant_conv", config.embed_dim, config.z_channels, 1);
  decoder.conv_in =
      load.exact_convolution("decoder.conv_in", config.z_channels, config.middle_width, 3);
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
      level.upsample = load.upsample(name + ".upsample.conv", width);
    }
    decoder.levels.push_back(std::move(level));
  }
  decoder.norm_out = load.group_norm("decoder.norm_out", width);
  decoder.conv_out = load.exact_convolution("decoder.conv_out", width, 3, 3);
  return decoder;
}

}  // namespace lazymar
