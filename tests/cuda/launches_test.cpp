// What a GPU would launch, counted from shapes, against the emulated kernels and the formula.
#include <gtest/gtest.h>

#include <numeric>

#include "cuda/device_ops.h"
#include "flops/flop_formula.h"
#include "launches/counted_batch.h"
#include "launches/shape_ops.h"
#include "nn/launch_count.h"
#include "support/cuda_emulator.h"
#include "support/kernel_device.h"
#include "support/network.h"
#include "support/tiny_model.h"
#include "vae/kl_decoder.h"
#include "vae/pixels.h"

namespace lazymar {
namespace {

/// The emulated kernels, which also serve shapes.
class Launches : public ::testing::Test {
 protected:
  Launches() {
    ops_.serve_shapes = [] {
      static const cuda::Kernels shapes = cuda::kernels_for(c10::DeviceType::Meta);
      cuda::register_kernels(&shapes);
    };
  }

  static NetworkShape shape() {
    NetworkShape shape;
    shape.mar = testing::tiny_config();
    shape.mar.head_width = 32;  // supported by the kernel for the head's MLP, in 16 bits
    shape.vae = testing::tiny_vae_config();
    return shape;
  }

  static DecodingMethod method(const std::string& cache) {
    SamplingOptions sampling;
    sampling.num_iter = kSteps;
    sampling.cfg = 2.5;
    DecodingMethod method = method_of(sampling, testing::tiny_lazy_options());
    method.head = {{.steps = 8}};
    if (cache != "lazymar") {
      method.cache = {cache, {}};
    }
    return method;
  }

  static CountedBatch batch(const std::string& cache, int64_t images = 1,
                            const char* precision = "fp16") {
    return {shape(), method(cache), parse_precision(precision), images, /*graphs=*/false};
  }

  static constexpr int64_t kSteps = 5;

  cuda::Kernels ops_ = cuda::kernels_for(c10::DeviceType::CPU);
  testing::KernelsInUse use_{ops_};
};

/// Launches of our own kernels.
int64_t own_launches(const LaunchLog& log) {
  int64_t launches = 0;
  for (const auto& [name, work] : log.by_name) {
    launches += name.starts_with("aten::") ? 0 : work.launches;
  }
  return launches;
}

TEST_F(Launches, FlopsAreThoseOfTheFormula) {
  for (const char* cache : {"none", "lazymar", "recap", "taylor1"}) {
    for (const int64_t images : {1, 3}) {
      const BatchLaunches counted = count_launches(batch(cache, images));
      const DecodingPlan plan = make_plan(shape().mar, method(cache));
      const FlopFormula formula({shape().mar, shape().vae, plan});
      EXPECT_EQ(counted.total().total().flops, formula.batch(images).total())
          << cache << " " << images;
      // The control: another number of images.
      EXPECT_NE(counted.total().total().flops, formula.batch(images + 1).total());
    }
  }
}

TEST_F(Launches, AreThoseOfTheEmulatedKernels) {
  // On CPUs, fp16 leaves layers in fp32 to oneDNN, whose weights the window's kernel cannot read.
  for (const auto& [cache, precision] :
       {std::pair{"none", "fp16"}, {"lazymar", "fp64"}, {"recap", "fp64"}}) {
    const CountedBatch counted = batch(cache, 1, precision);
    const BatchLaunches expected = count_launches(counted);

    const Placement placement{counted.precision, c10::kCPU};
    testing::RicherRandomWeights weights(placement);
    const Mar mar = load_mar(weights, counted.shape.mar);
    const DecodingPlan plan = make_plan(counted.shape.mar, counted.method);
    const auto runner = policy_of(plan).make_runner(counted.shape.mar, plan);
    const auto head = policy_of(plan).make_head_runner(plan);
    Sampler sampler(mar, plan);
    PhiloxNoise noise(0, {0});
    SampleObserver nobody;
    const at::Tensor label = at::zeros({1}, c10::kLong);
    sampler.sample(*runner, *head, label, noise, nobody);
    const uint64_t before = emulator::machine().launches();
    sampler.sample(*runner, *head, label, noise, nobody);
    const auto run = static_cast<int64_t>(emulator::machine().launches() - before);
    LaunchLog sampled = expected.outside;
    for (const StepLaunches& step : expected.steps) {
      sampled += step.total();
    }
    EXPECT_EQ(own_launches(sampled), run) << cache;
    EXPECT_GT(run, kSteps * 8) << cache;
  }
}

TEST_F(Launches, GraphsHoldWhatIsLaunchedWithoutThem) {
  CountedBatch work = batch("lazymar", 2);
  const LaunchLog launched = count_launches(work).total();
  work.graphs = true;
  const LaunchLog replayed = count_launches(work).total();
  EXPECT_EQ(launched.graph_launches, 0);
  EXPECT_EQ(launched.host_launches(), launched.total().launches);
  // Two parts of each step but the first, which a table answers, and a loop of every step.
  EXPECT_EQ(replayed.graph_launches, 2 * (kSteps - 1) + kSteps);
  // The VAE has no graph.
  EXPECT_GT(replayed.graph_nodes, replayed.total().launches * 3 / 4);
  EXPECT_LT(replayed.host_launches(), launched.host_launches() / 2);
  // Inputs and outputs of the loops are copied.
  for (const auto& [name, work_of_name] : launched.by_name) {
    if (name != "aten::copy_" && name != "aten::fill_") {
      EXPECT_EQ(replayed.by_name.at(name).launches, work_of_name.launches) << name;
    }
  }
}

TEST_F(Launches, NothingOfItStays) {
  const at::Tensor x = at::ones({4, 32});
  const at::Tensor expected = layer_norm(x, {}, {}, 1e-6, c10::kFloat);
  count_launches(batch("lazymar"));
  const uint64_t before = emulator::machine().launches();
  EXPECT_TRUE(at::equal(layer_norm(x, {}, {}, 1e-6, c10::kFloat), expected));
  EXPECT_EQ(emulator::machine().launches(), before + 1);
  EXPECT_FALSE(launch_count().instead);
}

TEST(LaunchesWithoutKernels, AreRefused) {
  const testing::KernelsInUse none(cuda::Kernels{});
  EXPECT_THROW(ShapeOps(), Error);
}

TEST(LaunchLog, ALimitIsThatOfBytesOrProducts) {
  const Card& card = kCards[0];
  const auto second_of_bytes = static_cast<int64_t>(card.bytes_per_second);
  const auto second_of_flops = static_cast<int64_t>(card.flops_per_second);
  EXPECT_DOUBLE_EQ(kernel_work(1, second_of_bytes, second_of_flops / 2).limit_seconds[0], 1.0);
  EXPECT_DOUBLE_EQ(kernel_work(1, second_of_bytes, 2 * second_of_flops).limit_seconds[0], 2.0);
  LaunchLog log;
  log.add("a", kernel_work(2, second_of_bytes, 0));
  log.add("a", kernel_work(1, 0, second_of_flops));
  EXPECT_EQ(log.total().launches, 3);
  EXPECT_DOUBLE_EQ(log.total().limit_seconds[0], 2.0);
}

}  // namespace
}  // namespace lazymar
