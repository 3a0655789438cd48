// Whole networks with the kernels behind nn/ops.h, compared with the same networks without.
#include <functional>
#include <memory>
#include <utility>

#include "lazymar/lazy/head_cache.h"
#include "lazymar/lazy/lazy_cache.h"
#include "lazymar/mar/sampler.h"
#include "lazymar/vae/kl_decoder.h"
#include "support/kernel_device.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

class ModelKernels : public testing::KernelTest {};

/// Latent tokens of two images, LazyMAR or MAR.
at::Tensor sample(Placement placement, bool lazy, uint64_t seed = 5) {
  testing::RicherRandomWeights weights(placement);
  const MarConfig config = testing::tiny_config();
  const Mar mar = load_mar(weights, config);
  SamplingOptions sampling;
  sampling.num_iter = 8;
  sampling.num_sampling_steps = 20;
  sampling.cfg = 2.5;
  LazyOptions options;
  options.warmup = 2;
  options.refresh = 4;
  LazyCache cache(options, config, sampling);
  FullRunner full;
  HeadCache head_cache(options.head_refresh);
  FullHeadRunner full_head;
  Sampler sampler(mar, sampling);
  PhiloxNoise noise(seed, {3, 1});
  SampleObserver nobody;
  return sampler
      .sample(lazy ? static_cast<Runner&>(cache) : full,
              lazy ? static_cast<HeadRunner&>(head_cache) : full_head,
              at::tensor({0, 2}, c10::kLong), noise, nobody)
      .cpu();
}

TEST_F(ModelKernels, SampledTokensAreThoseOfTheTwins) {
  for (const c10::ScalarType type : {c10::kDouble, c10::kFloat}) {
    for (const bool lazy : {false, true}) {
      const at::Tensor expected = sample({type, c10::kCPU, type}, lazy);
      const testing::KernelsInUse use(ops);
      const at::Tensor tokens = sample({type, {testing::kKernelDevice, 0}, type}, lazy);
      EXPECT_LT(testing::relative_error(tokens, expected), type == c10::kDouble ? 1e-9 : 2e-3);
      // The control: other noise.
      EXPECT_GT(testing::relative_error(sample({type, {testing::kKernelDevice, 0}, type}, lazy, 6),
                                        expected),
                1e-2);
    }
  }
}

/// Work that is run again instead of replayed: what is around a recording can be tested anywhere.
class Rerun final : public Recording {
 public:
  explicit Rerun(std::function<void()> work) : work_(std::move(work)) {}
  void replay() override { work_(); }

 private:
  std::function<void()> work_;
};

int64_t recorded_loops = 0;

std::unique_ptr<Recording> rerun(const std::function<void()>& work) {
  ++recorded_loops;
  work();
  return std::make_unique<Rerun>(work);
}

TEST_F(ModelKernels, LoopsAreRecordedOncePerShape) {
  DeviceOps recording = ops;
  recording.record = rerun;
  const testing::KernelsInUse use(recording);
  const Placement placement{c10::kFloat, {testing::kKernelDevice, 0}, c10::kFloat};
  for (const bool lazy : {false, true}) {
    set_recordings(false);
    work_count() = {};
    const at::Tensor launched = sample(placement, lazy);
    const WorkCount expected = std::exchange(work_count(), {});
    set_recordings(true);
    recorded_loops = 0;
    EXPECT_TRUE(at::equal(sample(placement, lazy), launched));
    EXPECT_EQ(work_count().flops, expected.flops);
    EXPECT_EQ(work_count().head_rows, expected.head_rows);
    // 8 decoding steps of 16 tokens predict 1, 2 or 3 of them.
    EXPECT_GE(recorded_loops, 2);
    EXPECT_LE(recorded_loops, 4);
  }
}

TEST_F(ModelKernels, DecodedPicturesAreThoseOfTheTwins) {
  VaeConfig config;
  config.embed_dim = config.z_channels = 4;
  config.blocks_per_level = 2;
  config.groups = 4;
  config.middle_width = 16;
  config.level_widths = {8, 16};
  const at::Tensor latents = at::randn({2, 4, 6, 6});
  const auto pixels = [&](Placement placement) {
    testing::RicherRandomWeights weights(placement);
    const KlDecoder decoder = load_kl_decoder(weights, config);
    return to_bytes(decoder.decode(latents.to(placement.device))).cpu().to(c10::kInt);
  };
  const at::Tensor expected = pixels({c10::kFloat, c10::kCPU, c10::kFloat});
  const testing::KernelsInUse use(ops);
  const at::Tensor computed = pixels({c10::kFloat, {testing::kKernelDevice, 0}, c10::kFloat});
  EXPECT_LE((computed - expected).abs().max().item<int64_t>(), 1);
  EXPECT_GT(expected.to(c10::kFloat).std().item<double>(), 1);  // the control: there is a picture
}

}  // namespace
}  // namespace lazymar
