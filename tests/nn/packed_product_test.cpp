#include "nn/packed_product.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/cpu_features.h"
#include "nn/cpu/bf16_product.h"
#include "nn/cpu/byte_product.h"
#include "nn/linear_int8.h"
#include "nn/linear_packed.h"
#include "weights/int8_weight.h"

namespace lazymar {
namespace {

struct Shape {
  int64_t rows, in, out;
};
constexpr Shape kShapes[] = {{1, 64, 16},    {5, 128, 48},  {16, 64, 64},  {17, 192, 80},
                             {40, 100, 130}, {131, 72, 20}, {300, 256, 96}};

using Multiply = void (*)(const cpu::TileProduct&);

/// Sums [rows, out] of 8-bit numbers.
at::Tensor byte_sums(const at::Tensor& a, const at::Tensor& weight, Multiply multiply) {
  const PackedWeight packed(weight);
  const at::Tensor rows = padded_rows(a, packed);
  at::Tensor sums = at::empty({a.size(0), packed.blocks() * cpu::kTile}, c10::kInt);
  multiply({.a = rows.const_data_ptr(),
            .a_stride = rows.size(1),
            .b = packed.block(0),
            .words = packed.words(),
            .rows = a.size(0),
            .blocks = packed.blocks(),
            .c = sums.mutable_data_ptr(),
            .c_stride = sums.size(1) * 4});
  return sums.narrow(1, 0, weight.size(0));
}

TEST(ByteProduct, IsExact) {
  for (const auto& [rows, in, out] : kShapes) {
    // The largest numbers too: what saturates would show.
    at::Tensor a = at::randint(256, {rows, in}, c10::kByte);
    at::Tensor weight = at::randint(-128, 128, {out, in}, c10::kChar);
    a[0].fill_(255);
    weight[0].fill_(-128);
    const at::Tensor expected = at::matmul(a.to(c10::kDouble), weight.to(c10::kDouble).t());
    EXPECT_TRUE(byte_sums(a, weight, cpu::multiply_bytes_plainly).equal(expected.to(c10::kInt)));
    if (has_cpu_feature(CpuFeature::kAvx512Vnni)) {
      EXPECT_TRUE(
          byte_sums(a, weight, cpu::multiply_bytes_by_vectors).equal(expected.to(c10::kInt)))
          << rows;
    }
    if (cpu::has_tiles()) {
      EXPECT_TRUE(byte_sums(a, weight, cpu::multiply_u8s8_tiles).equal(expected.to(c10::kInt)))
          << rows;
    }
  }
}

const Activation kActivations[] = {Activation::kNone, Activation::kGelu, Activation::kTanhGelu,
                                   Activation::kSilu};

TEST(PackedKernel, IsTheProductOfRoundedNumbers) {
  if (!cpu::has_bf16_products()) {
    GTEST_SKIP() << "neither AMX nor AVX512_BF16";
  }
  for (const auto& [rows, in, out] : kShapes) {
    const DenseWeights weights{at::randn({out, in}).to(c10::kBFloat16),
                               at::randn({out}).to(c10::kBFloat16)};
    const auto kernel = packed_kernel(weights);
    const at::Tensor x = at::randn({1, rows, in}).to(c10::kBFloat16);
    const at::Tensor sums = at::linear(x.to(c10::kDouble), weights.weight.to(c10::kDouble),
                                       weights.bias.to(c10::kDouble));
    for (const Activation activation : kActivations) {
      const at::Tensor y = (*kernel)(x, activation).to(c10::kDouble);
      const at::Tensor expected = activated(sums, activation);
      EXPECT_TRUE(at::allclose(y, expected, 1.0 / 255, 1e-4)) << rows << " " << in << " " << out;
      EXPECT_FALSE(at::allclose(y, expected * 1.01, 1.0 / 255, 1e-4));  // the control
    }
  }
}

/// oneDNN's kernels for AMX fail this one.
TEST(PackedKernel, ARowDependsNeitherOnOthersNorOnThreads) {
  if (!cpu::has_bf16_products()) {
    GTEST_SKIP() << "neither AMX nor AVX512_BF16";
  }
  const auto kernel = packed_kernel(
      {at::randn({768, 3072}).to(c10::kBFloat16), at::randn({768}).to(c10::kBFloat16)});
  const at::Tensor x = at::randn({544, 3072}).to(c10::kBFloat16);
  const at::Tensor all = (*kernel)(x, Activation::kNone);
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    for (const int64_t rows : {1, 8, 16, 40, 136, 272}) {
      const at::Tensor part = (*kernel)(x.narrow(0, 100, rows), Activation::kNone);
      EXPECT_TRUE(part.equal(all.narrow(0, 100, rows))) << threads << " threads, " << rows;
    }
  }
  at::set_num_threads(before);
}

/// Rows with outliers, as buffer rows have them.
at::Tensor uneven_rows(int64_t rows, int64_t in) {
  at::Tensor x = at::randn({rows, in});
  x.narrow(0, 0, 1).mul_(30);
  return x.to(c10::kBFloat16);
}

/// The largest error of a sum of products, each of a weight w and a number x, both off by at most
/// half of their factor: sum |w| fx / 2 + |x| fw / 2 + fx fw / 4; then bf16's rounding of the
/// result.
at::Tensor bounds(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& y) {
  const at::Tensor x_factor = at::amax(x.abs(), 1, true) / 127;
  const at::Tensor w_factor = at::amax(weight.abs(), 1) / 127;
  const at::Tensor sums = x_factor / 2 * weight.abs().sum(1) + x.abs().sum(1, true) / 2 * w_factor +
                          x_factor * w_factor * (static_cast<double>(x.size(1)) / 4);
  return sums * 1.0001 + y.abs() / 256 + 1e-5;
}

TEST(Int8Kernel, StaysWithinItsRounding) {
  for (const auto& [rows, in, out] : kShapes) {
    const DenseWeights weights{at::randn({out, in}), at::randn({out})};
    const auto kernel = int8_kernel(weights);
    const at::Tensor x = uneven_rows(rows, in);
    const at::Tensor y = (*kernel)(x, Activation::kNone).to(c10::kDouble);
    const at::Tensor exact = at::linear(x.to(c10::kDouble), weights.weight.to(c10::kDouble),
                                        weights.bias.to(c10::kDouble));
    const at::Tensor bound = bounds(x.to(c10::kDouble), weights.weight.to(c10::kDouble), exact);
    EXPECT_TRUE(((y - exact).abs() <= bound).all().item<bool>()) << rows;
    EXPECT_FALSE(((y - exact).abs() <= bound * 0.01).all().item<bool>());  // the control
  }
}

/// x in 8 bits with one factor for the whole tensor, as the kernel does not do.
at::Tensor by_tensor(const at::Tensor& x) {
  const at::Tensor factor = x.abs().max() / 127;
  return (x / factor).round() * factor;
}

/// Mean squares of errors, by row.
at::Tensor row_errors(const at::Tensor& y, const at::Tensor& exact) {
  return (y.to(c10::kDouble) - exact).square().mean(1);
}

TEST(Int8Kernel, ARowOfOutliersSpoilsNoOther) {
  const DenseWeights weights{at::randn({96, 256}), at::zeros({96})};
  const at::Tensor x = uneven_rows(64, 256);
  const at::Tensor wide = x.to(c10::kDouble);
  const at::Tensor weight = weights.weight.to(c10::kDouble);
  const at::Tensor exact = at::matmul(wide, weight.t());
  const at::Tensor own = row_errors((*int8_kernel(weights))(x, Activation::kNone), exact);
  const at::Tensor shared = row_errors(at::matmul(by_tensor(wide), weight.t()), exact);
  const auto ordinary = [](const at::Tensor& errors) {
    return errors.narrow(0, 1, errors.size(0) - 1).mean().item<double>();
  };
  EXPECT_GT(ordinary(shared), 50 * ordinary(own));  // the control: 30 squared, less other rounding
}

TEST(Int8Kernel, IsItsIntegersToTheLastBit) {
  const DenseWeights weights{at::randn({80, 192}), at::randn({80})};
  const auto kernel = int8_kernel(weights);
  const at::Tensor x = uneven_rows(40, 192);
  const at::Tensor wide = x.to(c10::kFloat);
  const at::Tensor x_factor = at::amax(wide.abs(), 1, true) / 127;
  const Int8Weight rounded = quantized(weights.weight);
  const at::Tensor scale = 127 / at::amax(wide.abs(), 1, true);
  const at::Tensor x_numbers = (wide * scale).round().to(c10::kDouble);
  const at::Tensor sums =
      at::matmul(x_numbers, rounded.numbers.to(c10::kDouble).t()).to(c10::kFloat);
  const at::Tensor expected =
      (sums * (x_factor * rounded.scales) + weights.bias).to(c10::kBFloat16);
  EXPECT_TRUE((*kernel)(x, Activation::kNone).equal(expected));
}

TEST(Int8Kernel, ANumberThatIsNoneShows) {
  const auto kernel = int8_kernel({at::randn({16, 64}), at::randn({16})});
  at::Tensor x = at::randn({3, 64}).to(c10::kBFloat16);
  x[1][5] = std::numeric_limits<float>::infinity();
  x[2].zero_();
  const at::Tensor y = (*kernel)(x, Activation::kNone);
  EXPECT_TRUE(y[0].isfinite().all().item<bool>());
  EXPECT_TRUE(y[1].isnan().all().item<bool>());
  EXPECT_TRUE(y[2].isfinite().all().item<bool>());
}

TEST(Int8Kernel, NoRowsAreNoRows) {
  const auto kernel = int8_kernel({at::randn({16, 64}), at::randn({16})});
  EXPECT_EQ((*kernel)(at::empty({2, 0, 64}, c10::kBFloat16), Activation::kGelu).sizes(),
            (std::vector<int64_t>{2, 0, 16}));
}

}  // namespace
}  // namespace lazymar
