// lazymar_verify --self_check: this processor's own loops beside plain ATen.
#include "verify/self_check.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>

namespace lazymar {
namespace {

TEST(SelfCheck, ThisProcessorComputesLikeItsTwins) {
  for (const char* name : {"fp64", "fp32", "bf16", "int8"}) {
    const Precision precision = parse_precision(name);
    if (precision->cpu.works != nullptr && !precision->cpu.works()) {
      continue;  // as the program itself does
    }
    std::set<std::string> operations;
    for (const KernelVerdict& verdict : self_check(precision, 160, 5, c10::kCPU)) {
      EXPECT_TRUE(verdict.passed()) << name << ", " << verdict.operation << " " << verdict.error;
      operations.insert(verdict.operation);
    }
    for (const char* own :
         {"layer_norm", "modulated_norm", "add", "add_gated", "silu", "silu_of_sums", "group_norm",
          "group_norm_silu", "attention", "take_rows", "write_rows", "reverse_step", "linear"}) {
      EXPECT_TRUE(operations.contains(own)) << name << ", " << own;
    }
  }
}

KernelCase comparison(const at::Tensor& own, const at::Tensor& twin, double tolerance) {
  return {"op",
          "",
          "3 Float",
          tolerance,
          [=] { return std::vector{own}; },
          [=] { return std::vector{twin}; }};
}

TEST(SelfCheck, WhatIsWrongIsFound) {
  const at::Tensor good = at::tensor({1.0F, 2.0F, 3.0F});
  const auto passes = [&](const at::Tensor& own, double tolerance) {
    return compare_kernels({comparison(own, good, tolerance)}).front().passed();
  };
  EXPECT_TRUE(passes(good.clone(), 0));
  EXPECT_TRUE(passes(good + 1e-6, 1e-5));
  EXPECT_FALSE(passes(good + 1e-6, 0));  // one bit is one too many for pixels and noise
  EXPECT_FALSE(passes(good + 1e-3, 1e-5));
  EXPECT_FALSE(passes(at::tensor({1.0F, NAN, 3.0F}), 1e-5));
  EXPECT_FALSE(passes(good.narrow(0, 0, 2), 1e-5));
  EXPECT_FALSE(passes(good.to(c10::kDouble), 1e-5));
  KernelCase throwing = comparison(good, good, 0);
  throwing.own = []() -> std::vector<at::Tensor> { throw std::runtime_error("no such code"); };
  const auto verdicts = compare_kernels({throwing, comparison(good, good, 0)});
  EXPECT_FALSE(verdicts[0].passed());
  EXPECT_TRUE(verdicts[1].passed());
  const std::string table = self_check_table(verdicts);
  EXPECT_NE(table.find("FAILED\n  no such code\n"), std::string::npos) << table;
  EXPECT_NE(table.find("passed"), std::string::npos);
}

}  // namespace
}  // namespace lazymar
