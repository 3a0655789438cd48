#include "metrics/demo_classifier.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "weights/network_names.h"
#include "weights/weights.h"

namespace lazymar {
namespace {

constexpr int64_t kBatch = 100;
constexpr int64_t kLargest = 4096;  // of any size that a file's metadata may ask for

struct Shape {
  std::vector<int64_t> widths;
  int64_t img_size = 0;
  int64_t classes = 0;
};

Shape read_shape(const WeightFile& file) {
  const auto refuse = [&](const std::string& reason) {
    return usage_error(file.path().string(), ": not a demo classifier: ", reason);
  };
  const auto config = file.metadata().find("config");
  if (config == file.metadata().end()) {
    throw refuse("its metadata has no \"config\"");
  }
  Shape shape;
  try {
    const nlohmann::json json = nlohmann::json::parse(config->second);
    shape.widths = json.at("widths").get<std::vector<int64_t>>();
    shape.img_size = json.at("img_size").get<int64_t>();
    shape.classes = static_cast<int64_t>(json.at("classes").size());
  } catch (const nlohmann::json::exception&) {
    throw refuse("\"config\" has no widths, img_size or classes");
  }
  std::vector<int64_t> sizes = shape.widths;
  sizes.insert(sizes.end(), {shape.img_size, shape.classes});
  for (const int64_t size : sizes) {
    if (size < 1 || size > kLargest || shape.widths.empty() || shape.widths.size() > 16) {
      throw refuse("sizes out of range");
    }
  }
  return shape;
}

struct Layer {
  at::Tensor weight, bias;
};

class DemoClassifier final : public FeatureExtractor {
 public:
  DemoClassifier(ExtractorInfo info, std::vector<Layer> convolutions, Layer head)
      : FeatureExtractor(std::move(info)),
        convolutions_(std::move(convolutions)),
        head_(std::move(head)) {}

  Features operator()(const at::Tensor& pixels) const override {
    const c10::InferenceMode guard;
    const int64_t side = info().image_side;
    if (pixels.size(1) != side || pixels.size(2) != side) {
      throw usage_error("the demo classifier needs images of ", side, "x", side,
                        " pixels; these have ", pixels.size(2), "x", pixels.size(1));
    }
    std::vector<at::Tensor> pools;
    for (const at::Tensor& chunk : pixels.split(info().batch_size)) {
      at::Tensor x = chunk.permute({0, 3, 1, 2}).to(c10::kFloat) / 127.5 - 1.0;
      for (const Layer& layer : convolutions_) {
        x = at::conv2d(x, layer.weight, layer.bias, /*stride=*/2, /*padding=*/1).relu_();
      }
      pools.push_back(x.mean({2, 3}));
    }
    const at::Tensor pool = at::cat(pools);
    return {pool, at::linear(pool, head_.weight, head_.bias)};
  }

 private:
  std::vector<Layer> convolutions_;
  Layer head_;
};

}  // namespace

std::unique_ptr<FeatureExtractor> load_demo_classifier(const std::filesystem::path& weights) {
  const auto file = std::make_shared<const WeightFile>(
      weights, WeightFileOptions{.networks = {kDemoClassifierTensor}});
  const Shape shape = read_shape(*file);
  FileWeights source(file, {});
  std::vector<Layer> convolutions;
  int64_t width = 3;
  for (const int64_t next : shape.widths) {
    const std::string name = concat("convolutions.", convolutions.size());
    convolutions.push_back(
        {source.get(name + ".weight", {next, width, 3, 3}), source.get(name + ".bias", {next})});
    width = next;
  }
  Layer head{source.get("head.weight", {shape.classes, width}),
             source.get("head.bias", {shape.classes})};
  source.finish({});
  return std::make_unique<DemoClassifier>(ExtractorInfo{.name = "demo",
                                                        .source = weights.string(),
                                                        .feature_dim = width,
                                                        .class_count = shape.classes,
                                                        .image_side = shape.img_size,
                                                        .batch_size = kBatch,
                                                        .weights = source.in_use()},
                                          std::move(convolutions), std::move(head));
}

}  // namespace lazymar
