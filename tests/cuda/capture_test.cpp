// What happens if a CUDA graph cannot be captured, or replays something else; no GPU is needed.
#include "nn/capture.h"

#include <c10/util/Exception.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/graph_capture.h"
#include "support/kernel_device.h"
#include "support/network.h"

namespace lazymar {
namespace {

using testing::KernelsInUse;

/// The device's state as LibTorch 2.11 leaves it: each call may fail, and what was open stays open.
class FakeCalls final : public cuda::GraphCalls {
 public:
  explicit FakeCalls(std::string failing, bool memory = false)
      : failing_(std::move(failing)), memory_(memory) {}

  void begin() override {
    pool = host_pool = true;
    fail("begin");
    stream = true;
  }
  void end() override {
    fail("end");
    stream = pool = host_pool = false;
    graph = true;
    fail("instantiate");
  }
  void end_stream() override { close(stream); }
  void close_pool() override { close(pool); }
  void close_host_pool() override { close(host_pool); }
  void destroy() override { graph = false; }
  void forget() override { ++forgotten; }
  void release_memory() override {
    ++released;
    failing_.clear();  // now there is room
  }
  void fail(const std::string& where) const {
    if (failing_ == where && memory_) {
      TORCH_CHECK_WITH(OutOfMemoryError, false, "no memory at ", where);
    }
    if (failing_ == where) {
      throw std::runtime_error("failed at " + where);
    }
  }
  bool is_clean() const { return !stream && !pool && !host_pool && !graph; }

  bool stream = false, pool = false, host_pool = false, graph = false;
  int forgotten = 0, released = 0;

 private:
  static void close(bool& open) {
    if (!open) {
      throw std::runtime_error("it is not open");
    }
    open = false;
  }
  std::string failing_;
  bool memory_;
};

TEST(GraphCapture, WhateverFailsNothingIsLeftOfIt) {
  for (const char* where : {"begin", "work", "end", "instantiate"}) {
    FakeCalls calls(where);
    try {
      cuda::capture_work(calls, [&] { calls.fail("work"); });
      ADD_FAILURE() << where;
    } catch (const CaptureFailed& error) {
      EXPECT_EQ(error.what(), std::string("failed at ") + where);
    }
    EXPECT_TRUE(calls.is_clean()) << where;
    EXPECT_EQ(calls.forgotten, 1) << where;
  }
  FakeCalls calls("");  // the control
  cuda::capture_work(calls, [] {});
  EXPECT_TRUE(calls.graph);
  EXPECT_FALSE(calls.stream || calls.pool || calls.host_pool);
}

TEST(GraphCapture, WithoutMemoryItIsTriedOnceMore) {
  for (const char* where : {"begin", "work", "end", "instantiate"}) {
    FakeCalls calls(where, /*memory=*/true);
    cuda::capture_work(calls, [&] { calls.fail("work"); });
    EXPECT_EQ(calls.released, 1) << where;
    EXPECT_TRUE(calls.graph) << where;
  }
  FakeCalls calls("");
  const auto never = [] { TORCH_CHECK_WITH(OutOfMemoryError, false, "none at all"); };
  EXPECT_THROW(cuda::capture_work(calls, never), c10::OutOfMemoryError);  // the batch is halved
  EXPECT_TRUE(calls.is_clean());
}

/// Stand-ins for a device's capture(). They run the work again instead of replaying it.
class Rerun : public Capture {
 public:
  explicit Rerun(std::function<void()> work) : work_(std::move(work)) { work_(); }
  void replay() override { work_(); }

 protected:
  std::function<void()> work_;
};
class FailingReplay final : public Rerun {
 public:
  using Rerun::Rerun;
  void replay() override { throw std::runtime_error("cannot be launched"); }
};
class EmptyReplay final : public Rerun {
 public:
  using Rerun::Rerun;
  void replay() override {}
};
template <typename Kind>
std::unique_ptr<Capture> captured_as(const std::function<void()>& work) {
  return std::make_unique<Kind>(work);
}
std::unique_ptr<Capture> failing_capture(const std::function<void()>& work) {
  work();
  throw CaptureFailed("operation not permitted when stream is capturing\nand a trace");
}

int64_t releases = 0;

class Captures : public testing::KernelTest {
 protected:
  void TearDown() override {
    enable_capture(true);
    enable_replay_check(true);
  }
  /// Tokens of two batches in a row, with this capture().
  std::vector<at::Tensor> sampled(std::unique_ptr<Capture> (*how)(const std::function<void()>&),
                                  bool lazy) const {
    cuda::Kernels kernels = ops;
    kernels.capture = how;
    kernels.release_memory = [] { ++releases; };
    const KernelsInUse use(kernels);
    testing::Network network({parse_precision("fp32"), {testing::kKernelDevice, 0}}, lazy);
    return {network.sample(1), network.sample(2)};
  }
};

TEST_F(Captures, IfOneFailsTheRunGoesOnWithoutAndSaysWhy) {
  enable_capture(false);
  const std::vector<at::Tensor> launched = sampled(nullptr, true);
  for (const auto& [how, why] :
       {std::pair{&failing_capture,
                  std::string("operation not permitted when stream is capturing")},
        {&captured_as<FailingReplay>, "cannot be launched"}}) {
    enable_capture(true);
    const std::vector<at::Tensor> fallen_back = sampled(how, true);
    EXPECT_TRUE(at::equal(fallen_back[0], launched[0])) << why;
    EXPECT_TRUE(at::equal(fallen_back[1], launched[1])) << why;
    EXPECT_EQ(capture_failure(), why);
    EXPECT_FALSE(can_capture(testing::kKernelDevice));
  }
}

TEST_F(Captures, AFirstReplayThatDiffersIsNotedAndNotUsed) {
  enable_capture(false);
  const std::vector<at::Tensor> launched = sampled(nullptr, true);
  enable_capture(true);
  const std::vector<at::Tensor> checked = sampled(captured_as<EmptyReplay>, true);
  EXPECT_TRUE(at::equal(checked[0], launched[0]));
  EXPECT_TRUE(at::equal(checked[1], launched[1]));
  EXPECT_NE(capture_failure().find("replayed from a graph differs"), std::string::npos);
  // The control: without the check the second batch is wrong, and nobody notices.
  enable_capture(true);
  enable_replay_check(false);
  EXPECT_FALSE(at::equal(sampled(captured_as<EmptyReplay>, true)[1], launched[1]));
  EXPECT_EQ(capture_failure(), "");
}

TEST_F(Captures, EagerMemoryIsReleasedOncePerShape) {
  releases = 0;
  enable_capture(true);
  sampled(captured_as<Rerun>, true);
  EXPECT_EQ(releases, 1);
  EXPECT_EQ(capture_failure(), "");
}

TEST_F(Captures, WorkIsCountedAlikeIfItsCaptureFails) {
  cuda::Kernels kernels = ops;
  kernels.capture = [](const std::function<void()>& work) -> std::unique_ptr<Capture> {
    work();
    try {
      work();  // throws in the middle
    } catch (const std::exception&) {
    }
    throw CaptureFailed("in the middle");
  };
  const KernelsInUse use(kernels);
  enable_capture(true);
  work_count() = {};
  work_count().flops = 5;
  int64_t runs = 0;
  RepeatedWork work;
  work.run(testing::kKernelDevice, [&] {
    work_count().flops += 7;
    if (++runs == 2) {
      throw std::runtime_error("not while capturing");
    }
  });
  EXPECT_EQ(work_count().flops, 12);
}

}  // namespace
}  // namespace lazymar
