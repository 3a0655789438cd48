// Every barrier of every kernel is needed, and the emulation notices if one is missing.
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "cuda/tensors.h"
#include "support/access_watch.h"
#include "support/cuda_emulator.h"
#include "support/kernel_device.h"

#if defined(LAZYMAR_WATCHED)

namespace lazymar {
namespace {

/// A kernel, a call that launches it so that every barrier matters, and its barriers.
struct KernelWithBarriers {
  const char* kernel;
  std::function<void()> call;
  std::vector<std::string> functions;  ///< of its barriers, in any order
};

class Barriers : public testing::KernelTest {
 protected:
  void TearDown() override { emulator::machine().drop_barrier(""); }

  void norm_of_few_rows() const {
    ops.norm(at::randn({3, 300}), at::randn({300}), at::randn({300}), 1e-6, {}, {}, c10::kFloat);
  }
  void group_norm() const {
    ops.group_norm(at::randn({2, 5, 7, 66}), at::randn({66}), at::randn({66}), 33, 1e-6,
                   c10::kFloat, false);
  }
  void selection() const {
    ops.least_similar_rows(at::randn({2, 77}), at::randperm(77).expand({2, 77}).contiguous(),
                           {10, 20, 30, 25});
  }
  void head_mlp() const {
    const LayerNorm norm{at::ones({64}), at::zeros({64}), 1e-6};
    const Linear layer({at::randn({64, 64}).to(c10::kHalf), at::zeros({64}).to(c10::kHalf)});
    ops.head_mlp({&norm, &layer, &layer, at::randn({5, 64}),
                  at::randn({5, int64_t{3} * 64}).to(c10::kHalf)});
  }
  void head_blocks() const {
    const LayerNorm norm{at::ones({64}), at::zeros({64}), 1e-6};
    const Linear layer({at::randn({64, 64}).to(c10::kHalf), at::zeros({64}).to(c10::kHalf)});
    const auto modulation = [] { return at::randn({5, int64_t{3} * 64}).to(c10::kHalf); };
    ops.head_blocks({{&norm, &layer, &layer, at::randn({5, 64}), modulation()},
                     {&norm, &layer, &layer, {}, modulation()}});
  }
  void head_window(int64_t rows) const {
    constexpr int64_t kWidth = 70, kChannels = 5, kSteps = 2;
    const at::Tensor weight = at::randn({kWidth, kChannels});
    const Linear input({weight, at::randn({kWidth})});
    const Linear output({at::randn({2 * kChannels, kWidth}), at::randn({2 * kChannels})});
    HeadWindow window;
    window.input_proj = &input;
    window.input_columns = weight.t().contiguous();
    window.final_linear = &output;
    window.x = at::randn({rows, kChannels});
    window.sums = at::randn({kSteps, rows, kWidth});
    window.modulation = at::randn({kSteps, rows, 2 * kWidth});
    window.guidance = at::scalar_tensor(1.0, window.x.options());
    window.noise = at::randn({4, rows, kChannels});
    window.coefficients = at::rand({4, 8});
    window.first = 3;
    ops.head_window(window);
  }
};

/// What the emulation says of it; empty if nothing.
std::string found(const std::function<void()>& call) {
  try {
    call();
    return "";
  } catch (const std::logic_error& error) {
    return error.what();
  }
}

TEST_F(Barriers, WithoutAnyOfThemARaceIsReported) {
  const KernelWithBarriers kTable[] = {
      {"norm_of_few_rows_kernel", [this] { norm_of_few_rows(); }, {"block_sum", "block_sum"}},
      {"moments_kernel and scale_kernel",
       [this] { group_norm(); },
       {"moments_kernel", "scale_kernel"}},
      {"selection_kernel", [this] { selection(); }, {"selection_kernel", "selection_kernel"}},
      {"hidden_kernel and mlp_kernel", [this] { head_mlp(); }, {"compute_hidden", "finish"}},
      {"blocks_kernel",
       [this] { head_blocks(); },
       {"compute_hidden", "finish", "for_each_phase", "for_each_phase", "for_each_phase"}},
      {"window_kernel, a row per block",
       [this] { head_window(2); },
       {"block_sum", "block_sum", "window_kernel", "window_kernel", "window_kernel",
        "window_kernel"}},
      {"window_kernel, rows share a block",
       [this] { head_window(267); },
       {"block_sum", "block_sum", "window_kernel", "window_kernel", "window_kernel",
        "window_kernel"}},
  };
  emulator::Machine& machine = emulator::machine();
  std::printf("%-36s %-24s %s\n", "kernel", "barrier", "reported without it");
  for (const KernelWithBarriers& row : kTable) {
    machine.passed_barriers();
    ASSERT_EQ(found(row.call), "") << row.kernel;
    const std::set<std::string> places = machine.passed_barriers();
    std::multiset<std::string> functions;
    for (const std::string& place : places) {
      functions.insert(place.substr(0, place.find(':')));
      machine.drop_barrier(place);
      const std::string report = found(row.call);
      EXPECT_NE(report, "") << row.kernel << ", " << place;
      std::printf("%-36s %-24s %s\n", row.kernel, place.c_str(), report.c_str());
      machine.drop_barrier("");
    }
    EXPECT_EQ(functions, std::multiset<std::string>(row.functions.begin(), row.functions.end()))
        << row.kernel;
  }
}

/// How often norm_rows() reads the sum that it has written.
int64_t reads_of_sum(int64_t rows, int64_t width) {
  const at::Tensor x = at::randn({rows, width});
  const at::Tensor y = at::randn({rows, width});
  at::Tensor sum = at::empty({rows, width});
  at::Tensor out = at::empty({rows, width});
  cuda::NormArguments arguments;
  arguments.x = cuda::RowsOf(x).rows;
  arguments.added = cuda::RowsOf(y).rows;
  arguments.sum = sum.mutable_data_ptr();
  arguments.out = out.mutable_data_ptr();
  emulator::access_watch().count_reads(sum.const_data_ptr(), sum.nbytes());
  cuda::norm_rows({rows, width, cuda::Element::kFloat, cuda::Element::kFloat}, arguments, nullptr);
  const int64_t reads = emulator::access_watch().counted_reads();
  emulator::access_watch().count_reads(nullptr, 0);
  EXPECT_TRUE(testing::near(sum, x + y, 1e-6));
  return reads;
}

TEST(NormKernel, DoesNotReadTheSumThatItHasWritten) {
  EXPECT_EQ(reads_of_sum(1030, 72), 0);    // many rows
  EXPECT_EQ(reads_of_sum(1030, 1536), 0);  // as wide as the published models
  EXPECT_EQ(reads_of_sum(3, 72), 0);       // few rows
  EXPECT_GT(reads_of_sum(3, 2052), 0);     // the control: a row that no warp holds
}

}  // namespace
}  // namespace lazymar

#endif
