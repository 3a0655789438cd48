#pragma once
/// LazyMAR or MAR on random weights, batch after batch.

#include <numeric>
#include <vector>

#include "cache/lazymar.h"
#include "cache/lazymar_head.h"
#include "cache/policies.h"
#include "mar/sampler.h"
#include "support/tiny_model.h"

namespace lazymar::testing {

/// For tiny_config(): every kind of step, layer and row.
inline LazyOptions tiny_lazy_options() {
  LazyOptions lazy;
  lazy.warmup = 2;
  lazy.refresh = 4;
  lazy.prune_layer = 1;
  lazy.extra = 1;
  lazy.retain = RetainKind::kList;
  lazy.retain_list = {0.3};
  return lazy;
}

/// Guided, with enough steps and rows for every kind of step.
class Network {
 public:
  static constexpr int64_t kSteps = 8;

  Network(Placement placement, bool lazy, const std::vector<HeadSegment>& head = {{.steps = 20}})
      : lazy_(lazy), mar_(load(placement)), plan_(plan_with(head)) {}

  /// Latent tokens [B, 16, 4] of images of these classes, on the CPU.
  at::Tensor sample(uint64_t seed, const std::vector<int64_t>& labels = {0, 2}) {
    return launch(seed, labels).cpu();
  }

  /// The same on the network's device, which may still be computing.
  at::Tensor launch(uint64_t seed, const std::vector<int64_t>& labels = {0, 2}) {
    std::vector<int64_t> ids(labels.size());
    std::iota(ids.begin(), ids.end(), 3);
    PhiloxNoise noise(seed, ids);
    SampleObserver nobody;
    return sampler_.sample(lazy_ ? static_cast<Runner&>(cache_) : full_,
                           lazy_ ? static_cast<HeadRunner&>(head_cache_) : full_head_,
                           at::tensor(labels, c10::kLong), noise, nobody);
  }

 private:
  static MarConfig config() {
    MarConfig config = tiny_config();
    config.head_width = 32;  // supported by the kernel for the head's MLP, in 16 bits
    return config;
  }
  static Mar load(Placement placement) {
    RicherRandomWeights weights(placement);
    return load_mar(weights, config());
  }
  static SamplingOptions sampling() {
    SamplingOptions options;
    options.num_iter = kSteps;
    options.cfg = 2.5;
    return options;
  }
  static DecodingPlan plan_with(const std::vector<HeadSegment>& head) {
    DecodingMethod method = method_of(sampling(), tiny_lazy_options());
    method.head = head;
    return make_plan(config(), method);
  }

  bool lazy_;
  Mar mar_;
  DecodingPlan plan_;
  LazyMarRunner cache_{config(), plan_};
  FullRunner full_;
  LazyMarHeadRunner head_cache_{7};
  FullHeadRunner full_head_;
  Sampler sampler_{mar_, plan_};
};

}  // namespace lazymar::testing
