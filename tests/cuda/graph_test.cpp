// CUDA graphs; and a batch never waits for the device. Only on a GPU.
#include <ATen/DeviceAccelerator.h>
#include <c10/cuda/CUDAFunctions.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "pipeline/generator.h"
#include "support/kernel_device.h"
#include "support/network.h"

namespace lazymar {
namespace {

using testing::Network;

/// While this object exists, waiting for the device throws.
class NoWaiting {
 public:
  NoWaiting() { c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_ERROR); }
  ~NoWaiting() {
    c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_DISABLED);
  }
  NoWaiting(const NoWaiting&) = delete;
  NoWaiting& operator=(const NoWaiting&) = delete;
};

Placement on_gpu(std::string_view precision) {
  return {parse_precision(precision), {c10::kCUDA, 0}};
}

class Graphs : public testing::KernelTest {
 protected:
  void TearDown() override { enable_capture(true); }
};

TEST_F(Graphs, ReplayingIsTheSameAsLaunching) {
  for (const std::string_view precision : {"fp32", "bf16", "fp16"}) {
    const double tolerance = precision == "fp32" ? 1e-4 : 5e-2;
    for (const bool lazy : {false, true}) {
      Network network(on_gpu(precision), lazy);
      // Each size forgets the graphs of the one before.
      for (const std::vector<int64_t>& labels :
           {std::vector<int64_t>{0, 2, 1, 1}, {2, 0}, {1, 1, 0, 2}, {2}}) {
        for (const uint64_t seed : {1, 2}) {
          enable_capture(false);
          const at::Tensor launched = network.sample(seed, labels);
          enable_capture(true);
          // With the first seed, the first one captures; the same graphs then serve other noise,
          // orders and guidance. A shard may be computed either way, so every bit must be equal.
          const at::Tensor first = network.sample(seed, labels);
          EXPECT_TRUE(at::equal(network.sample(seed, labels), first)) << seed;
          EXPECT_LT(testing::relative_error(first, launched), tolerance) << seed;
          // The control.
          EXPECT_GT(testing::relative_error(network.sample(seed + 1, labels), launched), 1e-2);
        }
      }
    }
  }
}

TEST_F(Graphs, NetworksComeAndGo) {
  std::optional<Network> first(std::in_place, on_gpu("fp32"), true);
  const at::Tensor expected = first->sample(1);
  {
    Network second(on_gpu("fp32"), true);
    EXPECT_TRUE(at::equal(second.sample(1), expected));
    EXPECT_TRUE(at::equal(first->sample(1), expected));
    first.reset();
    EXPECT_TRUE(at::equal(second.sample(1), expected));
  }
  // No graph exists now, and memory is released before the next one.
  at::accelerator::emptyCache();
  first.emplace(on_gpu("fp32"), true);
  EXPECT_TRUE(at::equal(first->sample(1), expected));
  EXPECT_TRUE(at::equal(first->sample(1), expected));
}

TEST_F(Graphs, ABatchWaitsForTheDeviceNowhere) {
  for (const bool lazy : {false, true}) {
    for (const bool captures : {true, false}) {
      enable_capture(captures);
      Network network(on_gpu("fp32"), lazy);
      network.sample(1);  // warms up and captures
      const NoWaiting guard;
      EXPECT_NO_THROW(network.launch(2));
      // The control: reading a value waits.
      EXPECT_THROW(network.launch(3).sum().item<double>(), c10::Error);
    }
  }
}

/// A generator of small pictures.
Generator small_generator() {
  testing::RicherRandomWeights weights(on_gpu("bf16"));
  auto model = std::make_shared<Networks>();
  model->mar = load_mar(weights, testing::tiny_config());
  model->vae = load_kl_decoder(weights, testing::tiny_vae_config());
  SamplingOptions sampling;
  sampling.num_iter = 8;
  sampling.num_sampling_steps = 20;
  sampling.cfg = 2.5;
  return Generator(std::move(model), method_of(sampling, LazyOptions()), /*seed=*/1);
}

TEST_F(Graphs, BlocksInFlightAreThoseMadeAlone) {
  Generator generator = small_generator();
  const std::vector<int64_t> labels{0, 2};
  const auto ids = [](int64_t block) { return std::vector<int64_t>{2 * block, 2 * block + 1}; };
  std::vector<at::Tensor> alone;
  for (int64_t block = 0; block < 4; ++block) {
    alone.push_back(generator.generate(ids(block), labels).pixels);
  }
  EXPECT_FALSE(at::equal(alone[0], alone[1]));  // the control
  Generator::BatchInFlight before;
  for (int64_t block = 0; block < 4; ++block) {
    Generator::BatchInFlight now;
    {
      const NoWaiting guard;
      EXPECT_NO_THROW(now = generator.start(ids(block), labels, {}));
    }
    if (before != nullptr) {
      EXPECT_TRUE(
          at::equal(Generator::finish(before).pixels, alone[static_cast<size_t>(block - 1)]));
    }
    before = std::move(now);
  }
  EXPECT_TRUE(at::equal(Generator::finish(before).pixels, alone[3]));
}

}  // namespace
}  // namespace lazymar
