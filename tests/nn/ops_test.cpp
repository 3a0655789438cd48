#include "nn/ops.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "nn/flops.h"
#include "nn/plain_ops.h"

namespace lazymar {
namespace {

/// Every type of x with every product type that goes with it.
struct Types {
  c10::ScalarType x, product;
  double tolerance;
};
const Types kTypes[] = {{c10::kDouble, c10::kDouble, 1e-13},
                        {c10::kFloat, c10::kFloat, 3e-6},
                        {c10::kFloat, c10::kBFloat16, 1e-2}};

void expect_near(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  EXPECT_EQ(a.scalar_type(), b.scalar_type());
  EXPECT_TRUE(
      at::allclose(a.to(c10::kDouble), b.to(c10::kDouble), tolerance, tolerance, /*nan=*/true))
      << (a.to(c10::kDouble) - b.to(c10::kDouble)).abs().max().item<double>() << " "
      << a.scalar_type();
}

TEST(Ops, NormsAreTheirTwins) {
  for (const Types& types : kTypes) {
    for (const int64_t width : {1, 5, 16, 33, 768}) {
      const at::Tensor all = at::randn({3, 9, width}, types.x) * 3 + 1;
      const at::Tensor weight = at::randn({width}, types.x);
      const at::Tensor bias = at::randn({width}, types.x);
      for (const at::Tensor& x : {all, all.narrow(1, 2, 5), all[1], all.narrow(1, 0, 0)}) {
        expect_near(layer_norm(x, weight, bias, 1e-6, types.product),
                    plain::layer_norm(x, weight, bias, 1e-6, types.product), types.tolerance);
        expect_near(layer_norm(x, {}, {}, 1e-6, types.product),
                    plain::layer_norm(x, {}, {}, 1e-6, types.product), types.tolerance);
      }
      const auto parts = at::randn({9, 2 * width}, types.x).to(types.product).chunk(2, 1);
      for (const auto& [w, b] : {std::pair{weight, bias}, {at::Tensor(), at::Tensor()}}) {
        expect_near(modulated_norm(all[0], w, b, 1e-6, parts[0], parts[1]),
                    plain::modulated_norm(all[0], w, b, 1e-6, parts[0], parts[1]), types.tolerance);
      }
    }
  }
  // The control: the twin is the formula.
  const at::Tensor x = at::randn({4, 6}, c10::kDouble);
  const at::Tensor normed = (x - x.mean(1, true)) / x.std(1, false, true);
  const at::Tensor scale = at::randn({4, 6}, c10::kDouble);
  expect_near(plain::modulated_norm(x, {}, {}, 0.0, x, scale), normed * (1 + scale) + x, 1e-12);
}

TEST(Ops, SumsAreTheirTwins) {
  for (const Types& types : kTypes) {
    const at::Tensor x = at::randn({3, 9, 40}, types.x);
    const at::Tensor y = at::randn({3, 9, 80}, types.x).to(types.product).narrow(2, 17, 40);
    expect_near(lazymar::add(x, y), plain::add(x, y), 1e-7);
    expect_near(lazymar::add(x.narrow(1, 3, 4), y.narrow(1, 0, 4)),
                plain::add(x.narrow(1, 3, 4), y.narrow(1, 0, 4)), 1e-7);
    at::Tensor sum = x.clone();
    add_in_place(sum, y);
    expect_near(sum, plain::add(x, y), 1e-7);
    const at::Tensor gate = at::randn({9, 120}, types.x).to(types.product).narrow(1, 80, 40);
    expect_near(add_gated(x[0], gate, y[1]), plain::add_gated(x[0], gate, y[1]), 1e-6);
    const at::Tensor a = at::randn({4, 40}, types.x);
    expect_near(silu_of_sums(a, x[0].narrow(0, 2, 3), types.product),
                plain::silu_of_sums(a, x[0].narrow(0, 2, 3), types.product), types.tolerance);
  }
}

TEST(Ops, RowsAreTakenAndWrittenByIndex) {
  for (const c10::ScalarType type : {c10::kDouble, c10::kFloat, c10::kBFloat16}) {
    const at::Tensor x = at::randn({2, 7, 10}).to(type).narrow(2, 3, 6);
    const at::Tensor rows = at::tensor({6, 0, 3, 2, 2, 5}, c10::kLong).view({2, 3});
    const at::Tensor taken = take_rows(x, rows);
    EXPECT_TRUE(at::equal(taken, plain::take_rows(x, rows)));
    at::Tensor ours = at::zeros({2, 7, 6}, type);
    at::Tensor twin = ours.clone();
    const at::Tensor places = at::tensor({6, 0, 3, 2, 1, 5}, c10::kLong).view({2, 3});
    write_rows(ours, places, taken);
    plain::write_rows(twin, places, taken);
    EXPECT_TRUE(at::equal(ours, twin));
  }
}

TEST(Ops, RoundingToBf16IsToNearestEven) {
  // Mean 0, variance 1: with eps 0 the norm returns its input.
  const at::Tensor weight = at::tensor({1.00390625F, 1.01171875F, -1.00390626F, 3e38F, 1e-40F});
  const at::Tensor bias = at::zeros({5});
  const at::Tensor x = at::ones({5}).mul(2);
  // A constant row has no deviation: the result is the bias.
  const at::Tensor rounded = layer_norm(x.unsqueeze(0), bias, weight, 1e-6, c10::kBFloat16);
  EXPECT_TRUE(at::equal(rounded[0], weight.to(c10::kBFloat16)));
  const at::Tensor nan = at::full({1, 5}, std::nanf(""));
  EXPECT_TRUE(layer_norm(nan, {}, {}, 1e-6, c10::kBFloat16).isnan().all().item<bool>());
}

TEST(Ops, ARowsBitsDependOnTheRowAlone) {
  const at::Tensor x = at::randn({1000, 70});
  const at::Tensor all = layer_norm(x, {}, {}, 1e-6, c10::kFloat);
  for (const int64_t first : {0, 1, 7, 500}) {
    const at::Tensor some = layer_norm(x.narrow(0, first, 31), {}, {}, 1e-6, c10::kFloat);
    EXPECT_TRUE(at::equal(some, all.narrow(0, first, 31)));
  }
}

TEST(Ops, SiluIsTheFormula) {
  const at::Tensor x = at::cat(
      {at::linspace(-30, 30, 6001), at::tensor({-1e30, -200.0, -87.5, 0.0, 88.5, 200.0, 1e30})});
  const at::Tensor exact = at::silu(x.to(c10::kDouble));
  EXPECT_TRUE(at::allclose(lazymar::silu(x.to(c10::kDouble)), exact, 1e-15, 1e-15));
  const at::Tensor single = lazymar::silu(x.to(c10::kFloat));
  EXPECT_TRUE(at::allclose(single.to(c10::kDouble), at::silu(x.to(c10::kFloat).to(c10::kDouble)),
                           4e-7, 1e-30));
  EXPECT_TRUE(lazymar::silu(at::tensor({std::nanf("")})).isnan().item<bool>());
  const at::Tensor image = at::randn({2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(at::allclose(lazymar::silu(image), at::silu(image)));
  EXPECT_TRUE(lazymar::silu(image).is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(at::allclose(lazymar::silu(image.slice(3, 1, 4)), at::silu(image.slice(3, 1, 4))));
}

TEST(Ops, SiluDependsOnTheValueAlone) {
  const at::Tensor x = at::randn({100003});
  const at::Tensor y = lazymar::silu(x);
  for (const int64_t first : {1, 2, 3, 5, 7, 64, 16383}) {
    for (const int64_t count : {1, 2, 3, 7, 15, 17, 1000, 40001}) {
      EXPECT_TRUE(at::equal(lazymar::silu(x.narrow(0, first, count)), y.narrow(0, first, count)))
          << first << "+" << count;
    }
  }
}

TEST(Ops, AttentionIsTheSoftmaxFormula) {
  const auto options = at::TensorOptions().dtype(c10::kDouble);
  const at::Tensor q = at::randn({2, 3, 4, 8}, options);
  const at::Tensor k = at::randn({2, 3, 9, 8}, options);
  const at::Tensor v = at::randn({2, 3, 9, 8}, options);
  const at::Tensor weights = (q.matmul(k.transpose(2, 3)) / std::sqrt(8.0)).softmax(-1);
  const at::Tensor expected = weights.matmul(v).transpose(1, 2).reshape({2, 4, 24});
  work_count() = {};
  const auto rows = [](const at::Tensor& t) { return t.transpose(1, 2).flatten(2); };
  const at::Tensor kv = at::cat({rows(k), rows(v)}, 2);
  EXPECT_TRUE(at::allclose(attention(rows(q), kv, 3), expected, 1e-12, 1e-12));
  EXPECT_EQ(work_count().flops, 2 * 2 * (2 * 3 * 4 * 9 * 8));
}

TEST(Ops, AttentionInBf16IsItsTwinWithinRounding) {
  // Images, queries, keys, heads, head_dim: rests of every block size.
  const int64_t shapes[][5] = {{1, 1, 1, 1, 16},    {2, 3, 17, 2, 32}, {1, 4, 16, 3, 64},
                               {2, 35, 320, 2, 64}, {1, 9, 81, 2, 80}, {3, 66, 31, 1, 96}};
  for (const auto& [images, queries, keys, heads, dim] : shapes) {
    const int64_t width = heads * dim;
    // Views of larger tensors, as from the caches; scores over a wide range.
    const at::Tensor q = at::randn({images, queries + 2, width}).mul(2).to(c10::kBFloat16);
    const at::Tensor kv = at::randn({images, keys + 5, 2 * width}).to(c10::kBFloat16);
    const at::Tensor q_view = q.narrow(1, 1, queries);
    const at::Tensor kv_view = kv.narrow(1, 3, keys);
    const at::Tensor exact =
        plain::attention(q_view.to(c10::kDouble), kv_view.to(c10::kDouble), heads);
    const at::Tensor ours = attention(q_view, kv_view, heads);
    EXPECT_EQ(ours.scalar_type(), c10::kBFloat16);
    EXPECT_TRUE(at::allclose(ours.to(c10::kDouble), exact, 0.01, 0.02)) << keys;
    if (keys > 1) {
      // The control: without a quarter of the keys the result differs. A single key may have too
      // little weight to show, depending on the draw.
      const int64_t left = keys - (keys + 3) / 4;
      const at::Tensor fewer = attention(q_view, kv.narrow(1, 3, left), heads);
      EXPECT_FALSE(at::allclose(fewer.to(c10::kDouble), exact, 0.01, 0.02)) << keys;
    }
  }
}

TEST(Ops, GroupNormIsItsTwin) {
  for (const Types& types : kTypes) {
    for (const c10::ScalarType in : {types.x, types.product}) {
      for (const auto& [side, width, groups] : {std::tuple{3, 8, 2}, {5, 40, 4}, {40, 32, 32}}) {
        const at::Tensor x = (at::randn({2, side, side, width}, types.x) * 2 + 3).to(in);
        const at::Tensor weight = at::randn({width}, types.x);
        const at::Tensor bias = at::randn({width}, types.x);
        const double tolerance = std::max(types.tolerance, 2e-5 * (types.x == c10::kFloat));
        const at::Tensor twin = plain::group_norm(x, weight, bias, groups, 1e-6, types.x);
        expect_near(group_norm(x, weight, bias, groups, 1e-6, types.product),
                    twin.to(types.product), tolerance);
        expect_near(group_norm_silu(x, weight, bias, groups, 1e-6, types.product),
                    at::silu(twin).to(types.product), tolerance);
      }
    }
  }
}

}  // namespace
}  // namespace lazymar
