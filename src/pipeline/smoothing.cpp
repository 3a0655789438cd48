#include "pipeline/smoothing.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <memory>
#include <utility>
#include <vector>

#include "core/log.h"
#include "nn/input_maxima.h"
#include "pipeline/generator.h"
#include "pipeline/model_files.h"
#include "pipeline/network_reader.h"

namespace lazymar {
namespace {

constexpr int64_t kSteps = 16;
constexpr uint64_t kSeed = 1;
constexpr int64_t kBatch = 4;

/// A norm and the layer that takes its output, by their names in the file.
struct Smoothed {
  std::string norm, layer;
  at::Tensor maxima;  ///< of the layer's input, by channel
};

at::Tensor no_maxima(const Linear& layer) {
  return at::zeros({layer.in}, c10::kFloat);
}

/// From now on, the blocks record what their inputs reach.
void record(std::vector<Block>& blocks, const std::string& prefix, std::vector<Smoothed>& all) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    Block& block = blocks[i];
    const std::string name = concat(prefix, ".", i);
    const at::Tensor attention = no_maxima(block.kv_proj);
    block.q_proj = with_input_maxima(block.q_proj, attention);
    block.kv_proj = with_input_maxima(block.kv_proj, attention);
    if (block.qkv_proj.loaded()) {
      block.qkv_proj = with_input_maxima(block.qkv_proj, attention);
    }
    const at::Tensor mlp = no_maxima(block.fc1);
    block.fc1 = with_input_maxima(block.fc1, mlp);
    all.push_back({name + ".norm1", name + ".attn.qkv", attention});
    all.push_back({name + ".norm2", name + ".mlp.fc1", mlp});
  }
}

/// The MAR alone: what latents are made of them does not matter.
std::shared_ptr<Networks> load(const std::shared_ptr<const WeightFile>& file) {
  const CheckpointReader reader(*file);
  FileWeights weights(file, {parse_precision("fp32"), c10::kCPU});
  auto model = std::make_shared<Networks>();
  const int64_t width = reader.size("z_proj.weight", 2, 0);
  model->mar = load_mar_file(weights, read_mar_config(*file, preset_of_width(width)));
  return model;
}

void draw(const std::shared_ptr<Networks>& model, int64_t images) {
  DecodingMethod method;
  method.cosine_steps = kSteps;
  Generator generator(model, method, kSeed);
  for (int64_t first = 0; first < images; first += kBatch) {
    std::vector<int64_t> ids;
    std::vector<int64_t> labels;
    for (int64_t id = first; id < std::min(images, first + kBatch); ++id) {
      ids.push_back(id);
      labels.push_back(id % model->mar.config.class_count);
    }
    generator.latents(ids, labels);
    log_info(concat("calibrated with ", first + static_cast<int64_t>(ids.size()), " of ", images,
                    " images"));
  }
}

}  // namespace

Smoothing Smoothing::calibrated(const WeightFile& file, int64_t images) {
  const c10::InferenceMode guard;
  // Not owned: the file outlives this call, and so the networks.
  const std::shared_ptr<const WeightFile> borrowed(std::shared_ptr<void>(), &file);
  const auto model = load(borrowed);
  std::vector<Smoothed> layers;
  record(model->mar.encoder_blocks, "encoder_blocks", layers);
  record(model->mar.decoder_blocks, "decoder_blocks", layers);
  draw(model, images);

  Smoothing smoothing;
  for (const Smoothed& layer : layers) {
    const std::string weight_name = layer.layer + ".weight";
    const at::Tensor weight = tensor_from_view(*file.find(weight_name), file, weight_name);
    const at::Tensor largest = at::amax(weight.to(c10::kFloat).abs(), 0);
    const at::Tensor factors = at::sqrt(layer.maxima / largest);
    // A channel without activations or weights stays as it is.
    const at::Tensor usable =
        at::where(factors.isfinite().logical_and(factors > 0), factors, at::ones_like(factors));
    smoothing.factors_[weight_name] = usable;
    smoothing.factors_[layer.norm + ".weight"] = usable.reciprocal();
    smoothing.factors_[layer.norm + ".bias"] = usable.reciprocal();
  }
  return smoothing;
}

at::Tensor Smoothing::operator()(const std::string& name, const at::Tensor& tensor) const {
  const auto found = factors_.find(name);
  return found == factors_.end() ? tensor : tensor.to(c10::kFloat).mul(found->second);
}

}  // namespace lazymar
