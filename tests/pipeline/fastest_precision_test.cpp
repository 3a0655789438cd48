#include "pipeline/fastest_precision.h"

#include <gtest/gtest.h>

namespace lazymar {
namespace {

Precision named(const char* name) {
  return parse_precision(name);
}

TEST(FastestPrecision, TheFasterTypeWins) {
  EXPECT_EQ(fastest({{named("bf16"), 500}, {named("fp32"), 250}}), named("bf16"));
  // Emerald Rapids without tiles: the instruction is there, and slow.
  EXPECT_EQ(fastest({{named("bf16"), 156}, {named("fp32"), 252}}), named("fp32"));
}

TEST(FastestPrecision, WithinATenthItIsFp32) {
  EXPECT_EQ(fastest({{named("bf16"), 100}, {named("fp32"), 91}}), named("fp32"));
  EXPECT_EQ(fastest({{named("bf16"), 100}, {named("fp32"), 89}}), named("bf16"));
}

TEST(FastestPrecision, MeasuresWhatAutoMayTake) {
  const auto rates = measure_products(published_config(*find_preset("mar_base")));
  ASSERT_FALSE(rates.empty());
  EXPECT_EQ(rates.back().precision, named("fp32"));
  for (const ProductRate& rate : rates) {
    EXPECT_NE(rate.precision, named("int8"));  // it changes quality: the user's word
    EXPECT_GT(rate.gflops, 0);
  }
  EXPECT_NE(to_string(rates).find("fp32: "), std::string::npos);
}

}  // namespace
}  // namespace lazymar
