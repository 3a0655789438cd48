// Kernels for norms, sums, gates, GroupNorm and bytes, compared with their twins in plain ATen.
#include <tuple>

#include "nn/plain_ops.h"
#include "support/kernel_device.h"

namespace lazymar {
namespace {

using testing::KernelTypes;
using testing::kKernelTypes;
using testing::near;
using testing::there;

class RowKernels : public testing::KernelTest {};

constexpr int64_t kRows[] = {1, 3, 67};
constexpr int64_t kWidths[] = {1, 5, 33, 70, 768, 1024, 1280, 1536};

TEST_F(RowKernels, NormsAreTheirTwins) {
  for (const auto& [type, product, tolerance] : kKernelTypes) {
    for (const int64_t width : kWidths) {
      const at::Tensor weight = at::randn({width}, type);
      const at::Tensor bias = at::randn({width}, type);
      for (const int64_t rows : kRows) {
        const at::Tensor x = at::randn({rows, width}, type) * 3 + 1;
        const at::Tensor expected = plain::layer_norm(x, weight, bias, 1e-6, product);
        EXPECT_TRUE(near(ops.norm(there(x), there(weight), there(bias), 1e-6, {}, {}, product),
                         expected, tolerance));
        const at::Tensor both = at::randn({rows, 3 * width}, type).to(product);
        const at::Tensor shift = both.narrow(1, 0, width);
        const at::Tensor scale = both.narrow(1, width, width);
        const at::Tensor held = there(both);
        EXPECT_TRUE(near(ops.norm(there(x), {}, {}, 1e-6, held.narrow(1, 0, width),
                                  held.narrow(1, width, width), product),
                         plain::modulated_norm(x, {}, {}, 1e-6, shift, scale), tolerance));
        if (width > 1) {
          // The control: without the bias the result differs.
          EXPECT_FALSE(near(ops.norm(there(x), there(weight), {}, 1e-6, {}, {}, product), expected,
                            tolerance));
        }
      }
    }
  }
}

TEST_F(RowKernels, NormsOfManyRowsAndOfLongOnesAreTheirTwins) {
  for (const auto& [rows, width] :
       {std::pair<int64_t, int64_t>{1030, 5}, {1030, 72}, {1030, 390}, {2, 1025}, {3, 2052}}) {
    const at::Tensor x = at::randn({rows, width}) * 3 + 1;
    const at::Tensor weight = at::randn({width});
    const at::Tensor bias = at::randn({width});
    const auto normed = [&](double eps) {
      return ops.norm(there(x), there(weight), there(bias), eps, {}, {}, c10::kFloat);
    };
    const at::Tensor expected = plain::layer_norm(x, weight, bias, 1e-6, c10::kFloat);
    EXPECT_TRUE(near(normed(1e-6), expected, 5e-6)) << rows << " " << width;
    EXPECT_FALSE(near(normed(1e-2), expected, 5e-6)) << rows << " " << width;
  }
}

TEST_F(RowKernels, NormedSumsAreTheirTwins) {
  for (const auto& [type, product, tolerance] : kKernelTypes) {
    for (const auto& [rows, width] :
         {std::pair<int64_t, int64_t>{1, 5}, {33, 72}, {3, 1280}, {1030, 72}}) {
      const at::Tensor weight = at::randn({width}, type);
      const at::Tensor bias = at::randn({width}, type);
      const at::Tensor x = at::randn({2, rows + 3, width}, type).narrow(1, 2, rows);
      const at::Tensor y = at::randn({2, rows, width}, type).to(product);
      const auto [sum, normed] =
          ops.add_norm(there(x), there(y), there(weight), there(bias), 1e-6, product);
      const at::Tensor expected = plain::add(x, y);
      EXPECT_TRUE(near(sum, expected, tolerance));
      EXPECT_TRUE(
          near(normed, plain::layer_norm(expected, weight, bias, 1e-6, product), tolerance));
      // The control: without y the result differs.
      EXPECT_FALSE(near(normed, plain::layer_norm(x, weight, bias, 1e-6, product), tolerance));
    }
  }
}

TEST_F(RowKernels, NormsOfViewsAreTheirTwins) {
  const at::Tensor all = at::randn({4, 9, 70});
  const at::Tensor held = there(all);
  for (const auto& [first, count] : {std::pair<int64_t, int64_t>{2, 5}, {0, 1}, {8, 1}}) {
    EXPECT_TRUE(near(ops.norm(held.narrow(1, first, count), {}, {}, 1e-5, {}, {}, c10::kFloat),
                     plain::layer_norm(all.narrow(1, first, count), {}, {}, 1e-5, c10::kFloat),
                     5e-6));
  }
  // Columns that are not contiguous are copied first; no rows give no rows.
  EXPECT_TRUE(near(ops.norm(held.transpose(1, 2), {}, {}, 1e-5, {}, {}, c10::kFloat),
                   plain::layer_norm(all.transpose(1, 2), {}, {}, 1e-5, c10::kFloat), 5e-6));
  EXPECT_EQ(ops.norm(held.narrow(1, 0, 0), {}, {}, 1e-5, {}, {}, c10::kFloat).numel(), 0);
}

TEST_F(RowKernels, SumsAreTheirTwins) {
  for (const auto& [type, product, tolerance] : kKernelTypes) {
    for (const int64_t width : {1, 6, 40, 1280}) {
      const at::Tensor x = at::randn({3, 9, width}, type);
      const at::Tensor y = at::randn({3, 9, width}, type).to(product);
      at::Tensor out = there(at::zeros_like(x));
      ops.add(there(x), {}, there(y), out);
      EXPECT_TRUE(near(out, plain::add(x, y), tolerance));
      const at::Tensor held = there(x);
      const at::Tensor added = there(y);
      at::Tensor part = out.narrow(1, 2, 4);
      ops.add(held.narrow(1, 3, 4), {}, added.narrow(1, 0, 4), part);
      EXPECT_TRUE(
          near(part.contiguous(), plain::add(x.narrow(1, 3, 4), y.narrow(1, 0, 4)), tolerance));
      EXPECT_TRUE(near(out.narrow(1, 0, 2).contiguous(),
                       plain::add(x.narrow(1, 0, 2), y.narrow(1, 0, 2)), tolerance));
      const at::Tensor gate = at::randn({9, 3 * width}, type).to(product);
      const at::Tensor held_gate = there(gate);
      at::Tensor gated = there(at::zeros({9, width}, type));
      ops.add(held[0], held_gate.narrow(1, width, width), added[1], gated);
      const at::Tensor expected = plain::add_gated(x[0], gate.narrow(1, width, width), y[1]);
      EXPECT_TRUE(near(gated, expected, tolerance));
      ops.add(held[0], held_gate.narrow(1, 0, width), added[1], gated);
      EXPECT_FALSE(near(gated, expected, tolerance));  // the control: another gate
    }
  }
}

TEST_F(RowKernels, SiluOfSumsIsItsTwin) {
  for (const auto& [type, product, tolerance] : kKernelTypes) {
    for (const int64_t width : {3, 768}) {
      const at::Tensor a = at::randn({4, width}, type) * 8;
      const at::Tensor b = at::randn({7, width}, type);
      const at::Tensor held = there(b);
      EXPECT_TRUE(near(ops.silu_of_sums(there(a), held.narrow(0, 2, 5), product),
                       plain::silu_of_sums(a, b.narrow(0, 2, 5), product), tolerance));
    }
  }
}

TEST_F(RowKernels, GatedSumsAreTheirTwin) {
  for (const auto& [type, product, tolerance] : kKernelTypes) {
    for (const int64_t width : {5, 1024}) {
      for (const size_t gates : {1, 2, 8}) {
        GatedSums sums;
        GatedSums held;
        sums.type = held.type = type;
        for (size_t i = 0; i < gates; ++i) {
          // A block's adaptive layer may output more than the gate, which comes last.
          const at::Tensor gate = at::randn({3, 4, 3 * width}, type).to(product);
          const at::Tensor held_gate = there(gate);
          sums.gates.push_back(gate.narrow(2, 2 * width, width));
          held.gates.push_back(held_gate.narrow(2, 2 * width, width));
          sums.values.push_back(at::randn({4, width}, type).to(product));
          held.values.push_back(there(sums.values.back()));
          if (i < 4) {
            sums.residuals.push_back(at::randn({4, width}, type));
            held.residuals.push_back(there(sums.residuals.back()));
          }
        }
        const at::Tensor expected = plain::gated_sums(sums);
        EXPECT_TRUE(near(ops.gated_sums(held), expected, 5 * tolerance));
        held.residuals.pop_back();  // the control
        EXPECT_FALSE(near(ops.gated_sums(held), expected, 5 * tolerance));
      }
    }
  }
}

TEST_F(RowKernels, GroupNormIsItsTwin) {
  for (const auto& [type, product, tolerance] : kKernelTypes) {
    for (const c10::ScalarType in : {type, product}) {
      for (const auto& [side, width, groups] :
           {std::tuple<int64_t, int64_t, int64_t>{3, 8, 2}, {17, 36, 4}, {5, 288, 32}, {2, 6, 3}}) {
        const at::Tensor x = (at::randn({2, side, side + 1, width}, type) * 2 + 3).to(in);
        const at::Tensor weight = at::randn({width}, type);
        const at::Tensor bias = at::randn({width}, type);
        const at::Tensor twin = plain::group_norm(x, weight, bias, groups, 1e-6, type);
        const double allowed = std::max(tolerance, type == c10::kFloat ? 3e-5 : 0.0);
        EXPECT_TRUE(
            near(ops.group_norm(there(x), there(weight), there(bias), groups, 1e-6, product, false),
                 twin.to(product), allowed));
        EXPECT_TRUE(
            near(ops.group_norm(there(x), there(weight), there(bias), groups, 1e-6, product, true),
                 at::silu(twin).to(product), allowed));
        EXPECT_FALSE(
            near(ops.group_norm(there(x), there(weight), there(bias), 1, 1e-6, product, false),
                 twin.to(product), allowed));
      }
    }
  }
}

TEST_F(RowKernels, BytesAreTheTwinsBytes) {
  // Values around every half, where rounding goes to even, and beyond both ends.
  const at::Tensor halves = (at::arange(-8, 524, c10::kFloat) / 2) / 255 * 2 - 1;
  const at::Tensor x =
      at::cat({halves, at::tensor({-9.0F, 9.0F, 1e30F, -1e30F, INFINITY, -INFINITY}),
               at::randn({4 * 3 * 7 * 9 - 538})})
          .view({4, 7, 9, 3});
  for (const c10::ScalarType type : {c10::kFloat, c10::kDouble}) {
    const at::Tensor images = x.to(type).permute({0, 3, 1, 2});
    for (const at::Tensor& some : {images, images.contiguous(), images.narrow(0, 1, 2)}) {
      EXPECT_TRUE(at::equal(ops.to_bytes(there(some)).cpu(), plain::to_bytes(some)));
    }
    EXPECT_FALSE(at::equal(ops.to_bytes(there(images + 0.01)).cpu(), plain::to_bytes(images)));
  }
  const at::Tensor nan = at::full({1, 3, 1, 1}, NAN);
  EXPECT_TRUE(ops.to_bytes(there(nan)).cpu().eq(0).all().item<bool>());
}

}  // namespace
}  // namespace lazymar
