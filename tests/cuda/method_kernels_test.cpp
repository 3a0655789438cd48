// Decoding methods with the kernels behind the rooms' tables of device operations, compared with
// the same methods without: rows of more detail, ReCAP's pairs, Taylor's steps, solvers with
// memory.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cache/policies.h"
#include "mar/sampler.h"
#include "nn/capture.h"
#include "support/kernel_device.h"
#include "support/memory_watch.h"
#include "support/tiny_model.h"

namespace lazymar {
namespace {

struct MethodCase {
  std::string cache, detail, head_steps;
  std::string solver = "ddpm";

  PlanOptions plan() const {
    PlanOptions plan;
    plan.cache = cache;
    plan.detail = detail;
    plan.head_steps = head_steps;
    plan.solver = solver;
    plan.last_timestep = 950;
    return plan;
  }
  std::string name() const { return cache + " " + detail + " " + solver; }
};

const MethodCase kMethods[] = {
    {"", "0.4:12", "8"},      {"recap:full=1", "", "8/5"},       {"taylor1:interval=2", "", "9"},
    {"", "", "8", "dpm++2m"}, {"", "0.4:9", "6", "sde-dpm++2m"},
};

/// A tiny network that draws by one method. It may draw several batches.
class Network {
 public:
  Network(Placement placement, const PlanOptions& plan)
      : mar_(load(placement)),
        plan_(make_plan(mar_.config, method(plan))),
        runner_(policy_of(plan_).make_runner(mar_.config, plan_)),
        head_(policy_of(plan_).make_head_runner(plan_)),
        sampler_(mar_, plan_) {}

  at::Tensor sample(uint64_t seed) {
    PhiloxNoise noise(seed, {3, 4});
    SampleObserver nobody;
    return sampler_.sample(*runner_, *head_, at::tensor({0, 2}, c10::kLong), noise, nobody).cpu();
  }

 private:
  static Mar load(Placement placement) {
    testing::RicherRandomWeights weights(placement);
    return load_mar(weights, testing::tiny_config());
  }
  static DecodingMethod method(const PlanOptions& plan) {
    SamplingOptions sampling;
    sampling.num_iter = 4;
    sampling.cfg = 2.5;
    return method_of(sampling, std::nullopt, plan);
  }

  Mar mar_;
  DecodingPlan plan_;
  std::unique_ptr<Runner> runner_;
  std::unique_ptr<HeadRunner> head_;
  Sampler sampler_;
};

class MethodKernels : public testing::KernelTest {
 protected:
  MethodKernels() { enable_replay_check(false); }  // these tests compare replays themselves
  ~MethodKernels() override { enable_replay_check(true); }
};

TEST_F(MethodKernels, TokensAreThoseOfTheTwins) {
  for (const MethodCase& what : kMethods) {
    for (const char* precision : {"fp64", "fp32"}) {
      const Placement here{parse_precision(precision)};
      const Placement there{parse_precision(precision), {testing::kKernelDevice, 0}};
      const at::Tensor expected = Network(here, what.plan()).sample(5);
      const testing::KernelsInUse use(ops);
      Network network(there, what.plan());
      EXPECT_LT(testing::relative_error(network.sample(5), expected),
                std::string(precision) == "fp64" ? 1e-9 : 2e-3)
          << what.name() << " " << precision;
      EXPECT_GT(testing::relative_error(network.sample(6), expected), 1e-2)
          << what.name() << ": control: other noise";
    }
  }
}

int64_t replays = 0;
int64_t moved = 0;  ///< replays that used other memory than the captured work

/// Runs work again instead of replaying it.
class Rerun final : public Capture {
 public:
  explicit Rerun(std::function<void()> work) : work_(std::move(work)), addresses_(run()) {}
  void replay() override {
    ++replays;
    moved += run() == addresses_ ? 0 : 1;
  }

 private:
  std::vector<const void*> run() {
    const testing::MemoryWatch watch;
    work_();
    return watch.addresses();
  }

  std::function<void()> work_;
  std::vector<const void*> addresses_;
};

TEST_F(MethodKernels, ReplayedBatchesAreThoseThatWereLaunched) {
  cuda::Kernels capture = ops;
  capture.capture = [](const std::function<void()>& work) -> std::unique_ptr<Capture> {
    return std::make_unique<Rerun>(work);
  };
  const testing::KernelsInUse use(capture);
  const Placement there{parse_precision("fp32"), {testing::kKernelDevice, 0}};
  for (const MethodCase& what : kMethods) {
    enable_capture(false);
    Network launched(there, what.plan());
    const at::Tensor first = launched.sample(5);
    const at::Tensor second = launched.sample(6);
    EXPECT_FALSE(at::equal(first, second)) << "control";
    Network network(there, what.plan());
    network.sample(4);  // allocates what is kept, partly within the steps
    enable_capture(true);
    replays = moved = 0;
    std::vector<at::Tensor> in_the_way;  // so that new memory is not at an old address
    for (int64_t size = 1; size <= 1 << 16; size *= 2) {
      in_the_way.push_back(at::empty({size}, there.device));
    }
    EXPECT_TRUE(at::equal(network.sample(5), first)) << what.name();
    EXPECT_TRUE(at::equal(network.sample(6), second)) << what.name();
    EXPECT_GT(replays, 0) << what.name();
    EXPECT_EQ(moved, 0) << what.name();
  }
}

}  // namespace
}  // namespace lazymar
