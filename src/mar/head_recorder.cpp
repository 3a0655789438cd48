#include "mar/head_recorder.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "mar/uncounted.h"
#include "nn/ops.h"

namespace lazymar {
namespace {

/// By diffusion step, [k, ...] each -> token by token, of one image's token `slot`: [T, ...].
at::Tensor of_slot(const at::Tensor& by_step, int64_t slot) {
  return by_step.select(1, slot).clone();
}

c10::ScalarType stored_type(c10::ScalarType products) {
  return products == c10::kBFloat16 ? c10::kBFloat16 : c10::kFloat;
}

}  // namespace

std::vector<RecordedToken> recorded_tokens(const DecodingPlan& plan, int64_t tokens) {
  const int64_t length = plan.steps.front().masked;
  if (tokens > length) {
    throw usage_error(tokens, " tokens are more than the image's ", length, "; record fewer");
  }
  std::vector<RecordedToken> recorded;
  for (const DecodeStep& step : plan.steps) {
    if (step.detail > 0) {
      throw usage_error("the tokens of a decoding step have different diffusion steps",
                        "; add --detail 0:1, which gives all of them the same");
    }
    for (int64_t k = tokens - 1; k >= 0; --k) {
      const int64_t row = (2 * k + 1) * length / (2 * tokens);
      if (row >= step.first && row < step.masked) {
        recorded.push_back({row, step.index, plan.head(step).steps()});
      }
    }
  }
  return recorded;
}

HeadRecorder::HeadRecorder(const DiffusionHead& head, HeadRunner& runner,
                           const std::vector<RecordedToken>& tokens, int64_t images)
    : head_(head), runner_(runner), tokens_(tokens), images_(images) {}

int64_t HeadRecorder::bytes_per_image(const MarConfig& config,
                                      const std::vector<RecordedToken>& tokens,
                                      c10::ScalarType products) {
  int64_t evaluations = 0;
  for (const RecordedToken& token : tokens) {
    evaluations += token.evaluations;
  }
  const auto kept = static_cast<int64_t>(c10::elementSize(stored_type(products)));
  return evaluations * (3 * config.token_channels * static_cast<int64_t>(sizeof(float)) +
                        config.head_depth * config.head_width * kept);
}

void HeadRecorder::begins(const MarBatch&) {
  recorded_.assign(static_cast<size_t>(images_), {});
}

void HeadRecorder::conditioned(const DecodeStep& step, const at::Tensor&) {
  loop_ = {};
  std::vector<int64_t> in_step;
  for (const RecordedToken& token : tokens_) {
    if (token.decoding_step == step.index) {
      in_step.push_back(token.row - step.first);
    }
  }
  loop_.tokens_per_image = static_cast<int64_t>(in_step.size());
  if (in_step.empty()) {
    return;
  }
  const at::Tensor of_image = at::tensor(in_step, c10::kLong);
  const at::Tensor first = at::arange(images_, c10::kLong).unsqueeze(1) * step.predicted();
  loop_.rows = (first + of_image).flatten();
}

HeadOutput HeadRecorder::predict(const DiffusionHead& head, const HeadStep& step) {
  HeadOutput output = runner_.predict(head, step);
  if (loop_.tokens_per_image == 0) {
    return output;
  }
  if (step.index == step.steps - 1) {
    loop_.rows = loop_.rows.to(step.x.device());
    loop_.times = step.times;
    loop_.condition = step.condition.index_select(0, loop_.rows);
  }
  loop_.x.push_back(step.x.index_select(0, loop_.rows));
  loop_.eps.push_back(output.eps.index_select(0, loop_.rows));
  loop_.v.push_back(output.v.index_select(0, loop_.rows));
  return output;
}

at::Tensor HeadRecorder::mlp_outputs(const at::Tensor& x) const {
  // In the order of the run: from the last timestep to the first.
  const at::Tensor y =
      silu_of_sums(loop_.times.flip(0), loop_.condition, loop_.times.scalar_type()).flatten(0, 1);
  at::Tensor h = head_.input_proj(x);
  std::vector<at::Tensor> outputs;
  for (const HeadBlock& block : head_.blocks) {
    const HeadMlpOutput output = block(h, block.ada(y));
    outputs.push_back(output.mlp);
    h = output.h;
  }
  return at::stack(outputs, 1);
}

void HeadRecorder::sampled(const DecodeStep&, const at::Tensor&) {
  if (loop_.tokens_per_image == 0) {
    return;
  }
  const Uncounted guard;
  const at::Tensor x = at::stack(loop_.x);  // [T, k, C]
  at::Tensor mlp = mlp_outputs(x.flatten(0, 1));
  mlp = mlp.to(stored_type(mlp.scalar_type())).cpu();
  mlp = mlp.view({x.size(0), x.size(1), mlp.size(1), mlp.size(2)});
  const auto stored = [](const at::Tensor& values) { return values.to(c10::kFloat).cpu(); };
  const at::Tensor seen = stored(x);
  const at::Tensor eps = stored(at::stack(loop_.eps));
  const at::Tensor v = stored(at::stack(loop_.v));
  for (int64_t slot = 0; slot < x.size(1); ++slot) {
    recorded_[static_cast<size_t>(slot / loop_.tokens_per_image)].push_back(
        {of_slot(seen, slot), of_slot(eps, slot), of_slot(v, slot), of_slot(mlp, slot)});
  }
  loop_ = {};
}

std::vector<HeadFeatures> HeadRecorder::features() const {
  std::vector<HeadFeatures> result;
  for (const std::vector<HeadFeatures>& tokens : recorded_) {
    const auto joined = [&](at::Tensor HeadFeatures::*part) {
      std::vector<at::Tensor> parts;
      for (const HeadFeatures& token : tokens) {
        parts.push_back(token.*part);
      }
      return at::cat(parts);
    };
    result.push_back({joined(&HeadFeatures::x), joined(&HeadFeatures::eps),
                      joined(&HeadFeatures::v), joined(&HeadFeatures::mlp)});
  }
  return result;
}

}  // namespace lazymar
