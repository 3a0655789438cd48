#include "weights/int8_weight.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace lazymar {
namespace {

TEST(Int8Weight, IsWithinHalfOfItsRowsScale) {
  const at::Tensor weight = at::randn({40, 300}) * at::arange(1, 41).unsqueeze(1);
  const Int8Weight rounded = quantized(weight);
  const at::Tensor errors = (dequantized(rounded) - weight).abs();
  const at::Tensor bound = rounded.scales.unsqueeze(1) / 2 * 1.000001;
  EXPECT_TRUE((errors <= bound).all().item<bool>());
  EXPECT_FALSE((errors <= bound * 0.9).all().item<bool>());  // the control
  EXPECT_EQ(at::amax(rounded.numbers.abs(), 1).min().item<int8_t>(), 127);
  EXPECT_TRUE(at::allclose(rounded.scales, at::amax(weight.abs(), 1) / 127, 1e-5, 0));
}

TEST(Int8Weight, RoundingAgainChangesNothing) {
  for (const double factor : {1e-30, 1e-3, 0.7, 12345.0}) {
    at::Tensor weight = at::randn({500, 64}) * factor;
    weight[3].zero_();
    const Int8Weight once = quantized(weight);
    const Int8Weight twice = quantized(dequantized(once));
    EXPECT_TRUE(once.numbers.equal(twice.numbers)) << factor;
    EXPECT_TRUE(once.scales.equal(twice.scales)) << factor;
  }
}

/// Every mantissa of fp32: exponents change nothing.
TEST(Int8Weight, ScalesOfMaximaAreFoundAgain) {
  constexpr int64_t kMantissas = 1 << 23;
  const at::Tensor largest = at::arange(kMantissas, 2 * kMantissas).to(c10::kFloat).unsqueeze(1);
  const at::Tensor scales = quantized(largest).scales;
  EXPECT_TRUE(scales.mul(127.0F).div(127.0F).equal(scales));
  EXPECT_FALSE(largest.mul(127.0F).div(127.0F).equal(largest));  // the control: other numbers
}

}  // namespace
}  // namespace lazymar
