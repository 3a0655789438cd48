// CUDA graphs, and that a batch never waits for the device: on a GPU only.
#include <c10/cuda/CUDAFunctions.h>

#include "lazymar/lazy/head_cache.h"
#include "lazymar/lazy/lazy_cache.h"
#include "lazymar/mar/sampler.h"
#include "support/kernel_device.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

/// Whatever waits for the device throws while this lives.
class NoWaiting {
 public:
  NoWaiting() { c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_ERROR); }
  ~NoWaiting() {
    c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_DISABLED);
  }
  NoWaiting(const NoWaiting&) = delete;
  NoWaiting& operator=(const NoWaiting&) = delete;
};

/// A LazyMAR or MAR on random weights, batch after batch.
class Network {
 public:
  explicit Network(bool lazy) : lazy_(lazy) {}

  at::Tensor sample(uint64_t seed) {
    PhiloxNoise noise(seed, {3, 1, 4, 1});
    SampleObserver nobody;
    return sampler_.sample(lazy_ ? static_cast<Runner&>(cache_) : full_,
                           lazy_ ? static_cast<HeadRunner&>(head_cache_) : full_head_,
                           at::tensor({0, 2, 1, 1}, c10::kLong), noise, nobody);
  }

 private:
  static SamplingOptions sampling() {
    SamplingOptions options;
    options.num_iter = 12;
    options.num_sampling_steps = 30;
    options.cfg = 2.5;
    return options;
  }
  static Mar load() {
    testing::RicherRandomWeights weights({c10::kFloat, {c10::kCUDA, 0}, c10::kFloat});
    return load_mar(weights, testing::tiny_config());
  }
  static LazyOptions options() {
    LazyOptions lazy;
    lazy.warmup = 2;
    lazy.refresh = 4;
    return lazy;
  }

  bool lazy_;
  Mar mar_ = load();
  LazyCache cache_{options(), testing::tiny_config(), sampling()};
  FullRunner full_;
  HeadCache head_cache_{7};
  FullHeadRunner full_head_;
  Sampler sampler_{mar_, sampling()};
};

class Graphs : public testing::KernelTest {};

TEST_F(Graphs, ReplayingIsTheSameAsLaunching) {
  for (const bool lazy : {false, true}) {
    Network network(lazy);
    for (const uint64_t seed : {1, 2, 3}) {
      set_recordings(false);
      const at::Tensor launched = network.sample(seed).cpu();
      set_recordings(true);
      // The first one records; every batch has other noise, orders and guidance in the same graphs.
      EXPECT_LT(testing::relative_error(network.sample(seed).cpu(), launched), 1e-4) << seed;
      EXPECT_LT(testing::relative_error(network.sample(seed).cpu(), launched), 1e-4) << seed;
      // The control.
      EXPECT_GT(testing::relative_error(network.sample(seed + 1).cpu(), launched), 1e-2) << seed;
    }
  }
}

TEST_F(Graphs, ABatchWaitsForTheDeviceNowhere) {
  for (const bool lazy : {false, true}) {
    for (const bool recordings : {true, false}) {
      set_recordings(recordings);
      Network network(lazy);
      network.sample(1);  // warms up and records
      const NoWaiting guard;
      EXPECT_NO_THROW(network.sample(2));
      // The control: reading a value waits.
      EXPECT_THROW(network.sample(3).sum().item<double>(), c10::Error);
    }
  }
  set_recordings(true);
}

}  // namespace
}  // namespace lazymar
