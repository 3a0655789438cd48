// Whole networks with the kernels behind nn/ops.h, compared with the same networks without.
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "nn/capture.h"
#include "support/kernel_device.h"
#include "support/memory_watch.h"
#include "support/network.h"
#include "vae/kl_decoder.h"
#include "vae/pixels.h"

namespace lazymar {
namespace {

using testing::Network;

class ModelKernels : public testing::KernelTest {
 protected:
  ModelKernels() { enable_replay_check(false); }  // these tests compare replays themselves
  ~ModelKernels() override { enable_replay_check(true); }
};

at::Tensor sample(Placement placement, bool lazy, uint64_t seed = 5) {
  return Network(placement, lazy).sample(seed);
}

TEST_F(ModelKernels, SampledTokensAreThoseOfTheTwins) {
  for (const char* name : {"fp64", "fp32"}) {
    const Precision precision = parse_precision(name);
    for (const bool lazy : {false, true}) {
      const at::Tensor expected = sample({precision}, lazy);
      const testing::KernelsInUse use(ops);
      const at::Tensor tokens = sample({precision, {testing::kKernelDevice, 0}}, lazy);
      EXPECT_LT(testing::relative_error(tokens, expected), precision->name == "fp64" ? 1e-9 : 2e-3);
      // The control: other noise.
      EXPECT_GT(testing::relative_error(sample({precision, {testing::kKernelDevice, 0}}, lazy, 6),
                                        expected),
                1e-2);
    }
  }
}

TEST_F(ModelKernels, InHalfPrecisionTokensAreNearly) {
  const std::vector<int64_t> one_image{1};  // few rows, so that the head's MLP is a kernel
  for (const bool lazy : {false, true}) {
    const auto tokens = [&](Placement placement, uint64_t seed) {
      return Network(placement, lazy).sample(seed, one_image);
    };
    const at::Tensor expected = tokens({}, 5);
    const testing::KernelsInUse use(ops);
    const Placement half{parse_precision("fp16"), {testing::kKernelDevice, 0}};
    EXPECT_LT(testing::relative_error(tokens(half, 5), expected), 1e-2) << lazy;
    EXPECT_GT(testing::relative_error(tokens(half, 6), expected), 0.2) << lazy;
  }
}

int64_t captures_made = 0;
int64_t captures_moved = 0;  ///< replays that used other memory than the captured work

/// Runs work again instead of replaying it, so that the code around captures is tested everywhere.
class Rerun final : public Capture {
 public:
  explicit Rerun(std::function<void()> work) : work_(std::move(work)), addresses_(run()) {}
  void replay() override { captures_moved += run() == addresses_ ? 0 : 1; }

 private:
  std::vector<const void*> run() {
    const testing::MemoryWatch watch;
    work_();
    return watch.addresses();
  }

  std::function<void()> work_;
  std::vector<const void*> addresses_;
};

std::unique_ptr<Capture> rerun(const std::function<void()>& work) {
  ++captures_made;
  return std::make_unique<Rerun>(work);
}

TEST_F(ModelKernels, StepsAndLoopsAreRecordedOncePerShape) {
  cuda::Kernels capture = ops;
  capture.capture = rerun;
  const testing::KernelsInUse use(capture);
  const Placement placement{parse_precision("fp32"), {testing::kKernelDevice, 0}};
  for (const bool lazy : {false, true}) {
    Network network(placement, lazy);
    captures_made = 0;
    // Other orders, noise and classes in the same captures.
    for (const uint64_t seed : {5, 6, 7}) {
      const std::vector<int64_t> labels{0, static_cast<int64_t>(seed % 3)};
      Network other(placement, lazy);
      enable_capture(false);
      work_count() = {};
      const at::Tensor launched = other.sample(seed, labels);
      const WorkCount expected = std::exchange(work_count(), {});
      enable_capture(true);
      EXPECT_TRUE(at::equal(network.sample(seed, labels), launched));
      if (seed == 5) {  // later batches find some of z in the first step's table
        EXPECT_EQ(work_count().flops, expected.flops);
      }
      EXPECT_EQ(work_count().head_rows, expected.head_rows);
      // Two parts of every decoding step but the first, which a table answers; 8 steps of 16 tokens
      // predict 1, 2 or 3 of them.
      EXPECT_GE(captures_made, 2 * (Network::kSteps - 1) + 2);
      EXPECT_LE(captures_made, 2 * (Network::kSteps - 1) + 4);
    }
  }
}

TEST_F(ModelKernels, AnotherBatchSizeIsRecordedAnew) {
  cuda::Kernels capture = ops;
  capture.capture = rerun;
  const testing::KernelsInUse use(capture);
  const Placement placement{parse_precision("fp32"), {testing::kKernelDevice, 0}};
  Network network(placement, /*lazy=*/true);
  for (const std::vector<int64_t>& labels : {std::vector<int64_t>{0, 2}, {1}, {2, 0}}) {
    Network other(placement, /*lazy=*/true);
    enable_capture(false);
    const at::Tensor launched = other.sample(5, labels);
    enable_capture(true);
    for (const bool first : {true, false}) {
      captures_made = 0;
      EXPECT_TRUE(at::equal(network.sample(5, labels), launched));
      EXPECT_EQ(captures_made > 0, first);
    }
  }
}

TEST_F(ModelKernels, EachHeadScheduleIsRecordedByItself) {
  cuda::Kernels capture = ops;
  capture.capture = rerun;
  const testing::KernelsInUse use(capture);
  const Placement placement{parse_precision("fp32"), {testing::kKernelDevice, 0}};
  const std::vector<HeadSegment> head{{.steps = 20},
                                      {.from_step = 4, .solver = "ddim", .steps = 6}};
  for (const bool lazy : {false, true}) {
    Network network(placement, lazy, head);
    Network other(placement, lazy, head);
    Network one_schedule(placement, lazy);
    for (const uint64_t seed : {5, 6}) {
      enable_capture(false);
      const at::Tensor launched = other.sample(seed);
      EXPECT_FALSE(at::equal(one_schedule.sample(seed), launched)) << "control";
      enable_capture(true);
      EXPECT_TRUE(at::equal(network.sample(seed), launched)) << lazy << ", seed " << seed;
    }
  }
}

const cuda::Kernels* unwatched = nullptr;

/// Kernels are not ATen operations: those that take memory kept between steps report it
/// themselves.
cuda::Kernels watched(const cuda::Kernels& ops) {
  unwatched = &ops;
  cuda::Kernels all = ops;
  all.capture = rerun;
  all.mean_cosine_similarity = [](const at::Tensor& a, const at::Tensor& b, int64_t heads) {
    testing::MemoryWatch::note(b);
    return unwatched->mean_cosine_similarity(a, b, heads);
  };
  all.least_similar_rows = [](const at::Tensor& similarity, const at::Tensor& raster_rows,
                              const RowSelection& selection) {
    testing::MemoryWatch::note(raster_rows);
    return unwatched->least_similar_rows(similarity, raster_rows, selection);
  };
  all.write_rows = [](at::Tensor& target, const at::Tensor& rows, const at::Tensor& source) {
    testing::MemoryWatch::note(target);
    unwatched->write_rows(target, rows, source);
  };
  return all;
}

TEST_F(ModelKernels, ReplaysFindTheirMemoryWhereItWas) {
  const cuda::Kernels capture = watched(ops);
  const testing::KernelsInUse use(capture);
  const Placement placement{parse_precision("fp32"), {testing::kKernelDevice, 0}};
  for (const bool lazy : {false, true}) {
    Network network(placement, lazy);
    std::vector<at::Tensor> in_the_way;  // so that new memory is not at an old address
    enable_capture(false);
    network.sample(0);  // allocates what is kept, partly within the steps
    enable_capture(true);
    captures_moved = 0;
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      network.sample(seed);
      for (int64_t size = 1; size <= 1 << 16; size *= 2) {
        in_the_way.push_back(at::empty({size}, placement.device));
      }
    }
    EXPECT_EQ(captures_moved, 0);
  }
  // The control: work whose tensor differs every time.
  RepeatedWork work;
  std::vector<at::Tensor> tensors;
  for (int run = 0; run < 4; ++run) {
    tensors.push_back(at::zeros({3}));
    work.run(testing::kKernelDevice, [&] { tensors.back().add_(1); });
  }
  EXPECT_EQ(captures_moved, 3);
}

TEST_F(ModelKernels, DecodedPicturesAreThoseOfTheTwins) {
  const at::Tensor latents = at::randn({2, 4, 6, 6});
  const auto pixels = [&](Placement placement) {
    testing::RicherRandomWeights weights(placement);
    const KlDecoder decoder = load_kl_decoder(weights, testing::tiny_vae_config());
    return to_bytes(decoder.decode(latents.to(placement.device))).cpu().to(c10::kInt);
  };
  const at::Tensor expected = pixels({});
  const testing::KernelsInUse use(ops);
  const at::Tensor computed = pixels({parse_precision("fp32"), {testing::kKernelDevice, 0}});
  EXPECT_LE((computed - expected).abs().max().item<int64_t>(), 1);
  EXPECT_GT(expected.to(c10::kFloat).std().item<double>(), 1);  // the control: there is a picture
}

}  // namespace
}  // namespace lazymar
