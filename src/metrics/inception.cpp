#include "metrics/inception.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "metrics/relu_convolution.h"
#include "weights/weights.h"

namespace lazymar {
namespace {

constexpr const char* kName = "inception";
constexpr int64_t kSide = 299;
constexpr int64_t kClasses = 1008;
constexpr double kNormEps = 1e-3;

/// Images at once: enough to keep a device busy, few enough for a CPU's caches.
constexpr int64_t kCpuBatch = 16;
constexpr int64_t kDeviceBatch = 128;

// The pooling before a branch.
enum class Pool { kNone, kAverage, kMax, kMaxHalving };

at::Tensor pooled(const at::Tensor& x, Pool pool) {
  switch (pool) {
    case Pool::kAverage:  // TensorFlow's: pixels outside the picture do not count
      return at::avg_pool2d(x, 3, /*stride=*/1, /*padding=*/1, /*ceil_mode=*/false,
                            /*count_include_pad=*/false);
    case Pool::kMax:
      return at::max_pool2d(x, 3, /*stride=*/1, /*padding=*/1);
    case Pool::kMaxHalving:
      return at::max_pool2d(x, 3, /*stride=*/2);
    case Pool::kNone:
      break;
  }
  return x;
}

/// A pool, then consecutive convolutions, then all of `ends` in parallel.
struct Branch {
  Pool pool = Pool::kNone;
  std::vector<ReluConvolution> chain;
  std::vector<ReluConvolution> ends{};
};

/// Branches of the same input; their channels are concatenated.
struct Mixed {
  std::vector<Branch> branches;

  at::Tensor operator()(const at::Tensor& x) const {
    std::vector<at::Tensor> parts;
    for (const Branch& branch : branches) {
      at::Tensor y = pooled(x, branch.pool);
      for (const ReluConvolution& convolution : branch.chain) {
        y = convolution(y);
      }
      for (const ReluConvolution& end : branch.ends) {
        parts.push_back(end(y));
      }
      if (branch.ends.empty()) {
        parts.push_back(y);
      }
    }
    return at::cat(parts, 1);
  }
};

struct Network {
  ReluConvolution conv_1a, conv_2a, conv_2b, conv_3b, conv_4a;
  std::vector<Mixed> mixed;  ///< 5b to 7c
  at::Tensor fc;             ///< [classes, features]; the bias is left out

  Features operator()(const at::Tensor& pixels) const {
    at::Tensor x = conv_2b(conv_2a(conv_1a(inception_input(pixels))));
    x = conv_4a(conv_3b(pooled(x, Pool::kMaxHalving)));
    x = pooled(x, Pool::kMaxHalving);
    for (const Mixed& block : mixed) {
      x = block(x);
    }
    const at::Tensor pool = x.mean({2, 3});
    return {pool, pool.mm(fc.t())};
  }
};

// Windows: "same" keeps the picture's size, "valid" stays within it.
constexpr Window kPoint{};
constexpr Window kSame3{.height = 3, .width = 3, .pad_height = 1, .pad_width = 1};
constexpr Window kSame5{.height = 5, .width = 5, .pad_height = 2, .pad_width = 2};
constexpr Window kRow3{.height = 1, .width = 3, .pad_width = 1};
constexpr Window kColumn3{.height = 3, .width = 1, .pad_height = 1};
constexpr Window kRow7{.height = 1, .width = 7, .pad_width = 3};
constexpr Window kColumn7{.height = 7, .width = 1, .pad_height = 3};
constexpr Window kValid3{.height = 3, .width = 3};
constexpr Window kHalving3{.height = 3, .width = 3, .stride = 2};

/// Reads the layers of a block under torch-fidelity's names.
class BlockLoader {
 public:
  BlockLoader(WeightSource& weights, Kernels kernels, std::string prefix, int64_t side)
      : weights_(weights), kernels_(kernels), prefix_(std::move(prefix)), side_(side) {}

  /// A convolution with its batch norm folded into it, in fp64: the norm's running mean and
  /// variance are constants.
  ReluConvolution operator()(const std::string& name, int64_t in, int64_t out,
                             const Window& window = kPoint) {
    const std::string layer = prefix_ + name;
    const auto norm = [&](const char* part) { return weights_.get(layer + ".bn." + part, {out}); };
    const at::Tensor weight =
        weights_.get(layer + ".conv.weight", {out, in, window.height, window.width});
    const at::Tensor gamma = norm("weight");
    const at::Tensor beta = norm("bias");
    const at::Tensor mean = norm("running_mean");
    const at::Tensor variance = norm("running_var");
    for (const at::Tensor& part : {weight, gamma, beta, mean, variance}) {
      if (!part.defined()) {
        return {};
      }
    }
    const at::Tensor factor =
        gamma.to(c10::kDouble) / (variance.to(c10::kDouble) + kNormEps).sqrt();
    return {(weight.to(c10::kDouble) * factor.view({-1, 1, 1, 1})).to(weight),
            (beta.to(c10::kDouble) - mean.to(c10::kDouble) * factor).to(weight),
            window,
            kernels_,
            {kCpuBatch, in, side_, side_}};
  }

 private:
  WeightSource& weights_;
  Kernels kernels_;
  std::string prefix_;
  int64_t side_;
};

Mixed block_a(BlockLoader load, int64_t in, int64_t pool_width) {
  return {{
      {.chain = {load("branch1x1", in, 64)}},
      {.chain = {load("branch5x5_1", in, 48), load("branch5x5_2", 48, 64, kSame5)}},
      {.chain = {load("branch3x3dbl_1", in, 64), load("branch3x3dbl_2", 64, 96, kSame3),
                 load("branch3x3dbl_3", 96, 96, kSame3)}},
      {.pool = Pool::kAverage, .chain = {load("branch_pool", in, pool_width)}},
  }};
}

Mixed block_b(BlockLoader load, int64_t in) {
  return {{
      {.chain = {load("branch3x3", in, 384, kHalving3)}},
      {.chain = {load("branch3x3dbl_1", in, 64), load("branch3x3dbl_2", 64, 96, kSame3),
                 load("branch3x3dbl_3", 96, 96, kHalving3)}},
      {.pool = Pool::kMaxHalving, .chain = {}},
  }};
}

Mixed block_c(BlockLoader load, int64_t inner) {
  const int64_t in = 768;
  return {{
      {.chain = {load("branch1x1", in, 192)}},
      {.chain = {load("branch7x7_1", in, inner), load("branch7x7_2", inner, inner, kRow7),
                 load("branch7x7_3", inner, 192, kColumn7)}},
      {.chain = {load("branch7x7dbl_1", in, inner), load("branch7x7dbl_2", inner, inner, kColumn7),
                 load("branch7x7dbl_3", inner, inner, kRow7),
                 load("branch7x7dbl_4", inner, inner, kColumn7),
                 load("branch7x7dbl_5", inner, 192, kRow7)}},
      {.pool = Pool::kAverage, .chain = {load("branch_pool", in, 192)}},
  }};
}

Mixed block_d(BlockLoader load, int64_t in) {
  return {{
      {.chain = {load("branch3x3_1", in, 192), load("branch3x3_2", 192, 320, kHalving3)}},
      {.chain = {load("branch7x7x3_1", in, 192), load("branch7x7x3_2", 192, 192, kRow7),
                 load("branch7x7x3_3", 192, 192, kColumn7),
                 load("branch7x7x3_4", 192, 192, kHalving3)}},
      {.pool = Pool::kMaxHalving, .chain = {}},
  }};
}

/// The last of these uses max pooling, the others mean pooling, as in the graph of 2015.
Mixed block_e(BlockLoader load, int64_t in, Pool pool) {
  return {{
      {.chain = {load("branch1x1", in, 320)}},
      {.chain = {load("branch3x3_1", in, 384)},
       .ends = {load("branch3x3_2a", 384, 384, kRow3), load("branch3x3_2b", 384, 384, kColumn3)}},
      {.chain = {load("branch3x3dbl_1", in, 448), load("branch3x3dbl_2", 448, 384, kSame3)},
       .ends = {load("branch3x3dbl_3a", 384, 384, kRow3),
                load("branch3x3dbl_3b", 384, 384, kColumn3)}},
      {.pool = pool, .chain = {load("branch_pool", in, 192)}},
  }};
}

Network load_network(WeightSource& weights, Kernels kernels) {
  const auto block = [&](const std::string& prefix, int64_t side) {
    return BlockLoader(weights, kernels, prefix, side);
  };
  Network network;
  network.conv_1a = block("", kSide)("Conv2d_1a_3x3", 3, 32, kHalving3);
  network.conv_2a = block("", 149)("Conv2d_2a_3x3", 32, 32, kValid3);
  network.conv_2b = block("", 147)("Conv2d_2b_3x3", 32, 64, kSame3);
  network.conv_3b = block("", 73)("Conv2d_3b_1x1", 64, 80);
  network.conv_4a = block("", 73)("Conv2d_4a_3x3", 80, 192, kValid3);
  network.mixed = {
      block_a(block("Mixed_5b.", 35), 192, 32),
      block_a(block("Mixed_5c.", 35), 256, 64),
      block_a(block("Mixed_5d.", 35), 288, 64),
      block_b(block("Mixed_6a.", 35), 288),
      block_c(block("Mixed_6b.", 17), 128),
      block_c(block("Mixed_6c.", 17), 160),
      block_c(block("Mixed_6d.", 17), 160),
      block_c(block("Mixed_6e.", 17), 192),
      block_d(block("Mixed_7a.", 17), 768),
      block_e(block("Mixed_7b.", 8), 1280, Pool::kAverage),
      block_e(block("Mixed_7c.", 8), 2048, Pool::kMax),
  };
  network.fc = weights.get("fc.weight", {kClasses, kInceptionFeatures});
  weights.get("fc.bias", {kClasses});
  return network;
}

class Inception final : public FeatureExtractor {
 public:
  Inception(ExtractorInfo info, Network network, c10::Device device)
      : FeatureExtractor(std::move(info)), network_(std::move(network)), device_(device) {}

  Features operator()(const at::Tensor& pixels) const override {
    const c10::InferenceMode guard;
    std::vector<at::Tensor> pools;
    std::vector<at::Tensor> logits;
    for (const at::Tensor& chunk : pixels.split(info().batch_size)) {
      const Features features = network_(chunk.to(device_));
      pools.push_back(features.pool.cpu());
      logits.push_back(features.logits.cpu());
    }
    return {at::cat(pools), at::cat(logits)};
  }

 private:
  Network network_;
  c10::Device device_;
};

std::unique_ptr<FeatureExtractor> make_extractor(Network network, ExtractorInfo info,
                                                 c10::Device device) {
  info.feature_dim = kInceptionFeatures;
  info.class_count = kClasses;
  info.batch_size = device.is_cpu() ? kCpuBatch : kDeviceBatch;
  return std::make_unique<Inception>(std::move(info), std::move(network), device);
}

Kernels kernels_of(c10::Device device) {
  return device.is_cpu() && at::hasMKLDNN() ? Kernels::kPacked : Kernels::kPlain;
}

}  // namespace

std::unique_ptr<FeatureExtractor> make_inception(WeightSource& weights, bool plain) {
  const c10::Device device = weights.placement().device;
  Network network = load_network(weights, plain ? Kernels::kPlain : kernels_of(device));
  weights.finish({});
  return make_extractor(std::move(network), {.name = kName, .source = "given", .weights = {}},
                        device);
}

std::unique_ptr<FeatureExtractor> load_inception(const std::filesystem::path& weights,
                                                 c10::Device device) {
  if (!std::filesystem::exists(weights)) {
    throw usage_error(weights.string(), ": not found. Download ", kInceptionUrl, " to ",
                      kInceptionWeights);
  }
  const auto file = std::make_shared<const WeightFile>(weights);
  FileWeights source(file, {.device = device});
  Network network = load_network(source, kernels_of(device));
  for (const auto& [name, view] : file->tensors()) {
    if (name.ends_with(".num_batches_tracked")) {
      source.get(name, {});  // known, but not needed
    }
  }
  source.finish({});
  return make_extractor(std::move(network),
                        {.name = kName, .source = weights.string(), .weights = source.in_use()},
                        device);
}

}  // namespace lazymar
