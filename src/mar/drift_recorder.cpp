#include "mar/drift_recorder.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "mar/uncounted.h"

namespace lazymar {
namespace {

constexpr int64_t kKinds = 3;  ///< output, values, difference

at::Tensor row_norms(const at::Tensor& rows) {
  return at::linalg_vector_norm(rows, 2, at::IntArrayRef{-1});
}

}  // namespace

DriftRecorder::DriftRecorder(const Mar& mar, const DecodingPlan& plan, int64_t images,
                             int64_t value_layer)
    : mar_(mar),
      steps_(plan.count()),
      images_(images),
      value_layer_(static_cast<size_t>(std::min(value_layer, mar.config.decoder_depth - 1))) {}

int64_t DriftRecorder::bytes_per_image(const MarConfig& config, const DecodingPlan& plan) {
  const int64_t kinds = plan.guided() ? kKinds : kKinds - 1;
  const int64_t features = plan.count() * config.rows() * config.decoder_dim;
  const int64_t changes = plan.count() * (plan.count() - 1) / 2 * config.rows();
  return kinds * (features + changes) * static_cast<int64_t>(sizeof(float));
}

void DriftRecorder::begins(const MarBatch& batch) {
  batch_ = batch;
  output_ = values_ = difference_ = {};
}

void DriftRecorder::conditioned(const DecodeStep& step, const at::Tensor&) {
  const Uncounted guard;
  if (step.index == 0) {
    // z may have come from a table. Encoding changes only the buffer rows in the decoder's inputs,
    // which every step overwrites.
    FullRunner runner;
    runner.begin(batch_);
    mar_.encode(runner, batch_, at::Tensor(), step);
  }
  record();
}

void DriftRecorder::record() {
  const std::vector<Block>& blocks = mar_.decoder_blocks;
  const RowInputs& inputs = batch_.decoder;
  const bool guided = batch_.halves == 2;
  const auto recorded = [&](const at::Tensor& t) {
    const at::Tensor conditional = t.narrow(0, 0, images_);
    return guided ? at::cat({conditional, t.narrow(0, batch_.images, images_)}) : conditional;
  };
  at::Tensor h = recorded(inputs.x);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block& block = blocks[i];
    const at::Tensor normed = i == 0 ? at::Tensor() : block.normed(h);
    const at::Tensor kv = i == 0 ? recorded(inputs.kv) : block.keys_values(normed);
    if (i == value_layer_) {
      const int64_t width = kv.size(2) / 2;
      values_.add(kv.narrow(0, 0, images_).narrow(2, width, width), steps_);
    }
    const at::Tensor q = i == 0 ? recorded(inputs.q) : block.queries(normed);
    h = block.rest(h, q, kv);
  }
  const at::Tensor conditional = h.narrow(0, 0, images_);
  output_.add(conditional, steps_);
  if (guided) {
    difference_.add(h.narrow(0, images_, images_) - conditional, steps_);
  }
}

void DriftRecorder::History::add(const at::Tensor& feature, int64_t steps) {
  const at::Tensor now = feature.to(c10::kFloat, /*non_blocking=*/false, /*copy=*/true);
  const auto step = static_cast<int64_t>(features.size());
  if (step == 0) {
    changes = at::empty({now.size(0), steps * (steps - 1) / 2, now.size(1)}, c10::kFloat);
  }
  for (int64_t before = 0; before < step; ++before) {
    const auto i = static_cast<size_t>(before);
    // For a feature that was zero, the tiny number keeps 0 / 0 at 0.
    const at::Tensor change = row_norms(now - features[i]) / norms[i].clamp_min(1e-30);
    changes.select(1, step * (step - 1) / 2 + before).copy_(change);
  }
  norms.push_back(row_norms(now));
  features.push_back(now);
}

std::vector<FeatureDrift> DriftRecorder::changes() const {
  std::vector<FeatureDrift> result;
  for (int64_t image = 0; image < images_; ++image) {
    result.push_back({output_.changes[image], values_.changes[image],
                      difference_.changes.defined() ? difference_.changes[image] : at::Tensor()});
  }
  return result;
}

}  // namespace lazymar
