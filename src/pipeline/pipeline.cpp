#include "pipeline/pipeline.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "pipeline/compute.h"
#include "pipeline/generator.h"

namespace lazymar {

struct Pipeline::State {
  Compute compute;
  Generator generator;
};

Pipeline::Pipeline(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pipeline::Pipeline(Pipeline&& other) noexcept = default;
Pipeline& Pipeline::operator=(Pipeline&& other) noexcept = default;
Pipeline::~Pipeline() = default;

Pipeline Pipeline::open(const PipelineOptions& options) {
  const Compute compute = start_computing({.device = options.device,
                                           .precision = options.method.precision,
                                           .cuda_graphs = options.method.cuda_graphs,
                                           .threads = options.threads});
  auto model = std::make_shared<const Model>(load_model(options.model, compute.placement()));
  const DecodingMethod method = resolve_method(options.method, model->recommended);
  return Pipeline(std::unique_ptr<State>(
      new State{compute, Generator(std::move(model), method, options.model.seed)}));
}

Images Pipeline::generate(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels,
                          const Progress& progress) {
  const int64_t classes = state_->generator.model().mar.config.class_count;
  if (ids.empty() || ids.size() != labels.size()) {
    throw usage_error(ids.size(), " image ids and ", labels.size(),
                      " labels: give one label for each of at least one image");
  }
  for (const int64_t label : labels) {
    if (label < 0 || label >= classes) {
      throw setting_error("label", " ", label, ": the model has classes 0 to ", classes - 1);
    }
  }
  GenerationHooks hooks;
  if (progress) {
    hooks.step = progress;
  }
  const GeneratedBatch batch = state_->generator.generate(ids, labels, hooks);
  const at::Tensor pixels = batch.pixels.contiguous();
  const auto* bytes = pixels.const_data_ptr<uint8_t>();
  return {
      pixels.size(0), pixels.size(1), pixels.size(2), {bytes, bytes + pixels.numel()}, batch.sound};
}

ModelInfo Pipeline::info() const {
  const Model& model = state_->generator.model();
  return {model.mar_source,
          model.vae_source,
          state_->compute.device.str(),
          std::string(to_string(state_->compute.precision)),
          model.mar.config.class_count,
          model.img_size,
          state_->generator.plan().count()};
}

}  // namespace lazymar
