// The blocks of the diffusion head in one launch.
#include <cmath>
#include <deque>
#include <utility>

#include "diffusion/head_ops.h"
#include "support/kernel_device.h"

namespace lazymar {
namespace {

using testing::near;
using testing::there;

class HeadBlockKernels : public testing::KernelTest {};

/// Blocks with weights of their own, there and here.
struct Blocks {
  Blocks(int64_t count, int64_t width, c10::ScalarType product) {
    for (int64_t i = 0; i < count; ++i) {
      const auto weight = [&] {
        return (at::randn({width, width}) / std::sqrt(width)).to(product);
      };
      const auto bias = [&] { return at::randn({width}).to(product); };
      norms.push_back({at::randn({width}), at::randn({width}), 1e-6});
      held_norms.push_back({there(norms.back().weight), there(norms.back().bias), 1e-6});
      for (int layer = 0; layer < 2; ++layer) {
        const DenseWeights weights{weight(), bias()};
        layers.emplace_back(weights);
        held_layers.emplace_back(DenseWeights{there(weights.weight), there(weights.bias)});
      }
    }
  }
  std::deque<LayerNorm> norms, held_norms;
  std::deque<Linear> layers, held_layers;
};

void compare_blocks(const cuda::Kernels& ops, int64_t count, int64_t rows, int64_t width,
                    c10::ScalarType product, double tolerance) {
  const Blocks blocks(count, width, product);
  const at::Tensor h = at::randn({rows, width}) * 2 + 1;
  std::vector<HeadMlp> here;
  std::vector<HeadMlp> held;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const at::Tensor modulation = (at::randn({rows, 3 * width}) * 0.5).to(product);
    here.push_back({&blocks.norms[i], &blocks.layers[2 * i], &blocks.layers[2 * i + 1],
                    i == 0 ? h : at::Tensor(), modulation});
    held.push_back({&blocks.held_norms[i], &blocks.held_layers[2 * i],
                    &blocks.held_layers[2 * i + 1], i == 0 ? there(h) : at::Tensor(),
                    there(modulation)});
  }
  const HeadBlocksOutput expected = plain::head_blocks(here);
  const auto output = ops.head_blocks(held);
  ASSERT_TRUE(output.has_value()) << rows << " " << width;
  EXPECT_TRUE(near(output->mlps, expected.mlps, tolerance)) << rows << " " << width;
  EXPECT_TRUE(near(output->hs, expected.hs, tolerance)) << rows << " " << width;
  // Every bit is that of the blocks launched one by one.
  at::Tensor now = there(h);
  for (size_t i = 0; i < held.size(); ++i) {
    HeadMlp one = held[i];
    one.h = now;
    const auto single = ops.head_mlp(one);
    EXPECT_TRUE(at::equal(single->h, output->hs[static_cast<int64_t>(i)])) << i;
    EXPECT_TRUE(at::equal(single->mlp, output->mlps[static_cast<int64_t>(i)])) << i;
    now = single->h;
  }
  std::swap(held.front().modulation, held.back().modulation);  // the control
  EXPECT_FALSE(near(ops.head_blocks(held)->hs, expected.hs, tolerance)) << rows << " " << width;
}

TEST_F(HeadBlockKernels, FewRowsAreTheirTwins) {
  for (const auto& [product, tolerance] : {std::pair{c10::kBFloat16, 6e-2}, {c10::kHalf, 8e-3}}) {
    compare_blocks(ops, 2, 1, 32, product, tolerance);
    compare_blocks(ops, 5, 9, 64, product, tolerance);
  }
  compare_blocks(ops, 12, 2, 96, c10::kHalf, 2e-2);
  compare_blocks(ops, 3, 2, 1536, c10::kHalf, 8e-3);
}

TEST_F(HeadBlockKernels, OthersAreLeftToSingleLaunches) {
  const auto fits = [&](int64_t count, int64_t rows, int64_t width, c10::ScalarType product) {
    const LayerNorm norm{there(at::ones({width})), there(at::zeros({width})), 1e-6};
    const Linear layer(
        {there(at::zeros({width, width}).to(product)), there(at::zeros({width}).to(product))});
    std::vector<HeadMlp> blocks(static_cast<size_t>(count));
    for (HeadMlp& block : blocks) {
      block = {&norm, &layer, &layer, there(at::zeros({rows, width})),
               there(at::zeros({rows, 3 * width}).to(product))};
    }
    return ops.head_blocks(blocks).has_value();
  };
  EXPECT_TRUE(fits(12, 16, 64, c10::kBFloat16));
  EXPECT_FALSE(fits(13, 16, 64, c10::kBFloat16));
  EXPECT_FALSE(fits(2, 17, 64, c10::kBFloat16));
  EXPECT_FALSE(fits(2, 16, 72, c10::kBFloat16));
  EXPECT_FALSE(fits(2, 16, 64, c10::kFloat));
}

}  // namespace
}  // namespace lazymar
