#include "verify/verify.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "pipeline/device.h"
#include "pipeline/model_files.h"
#include "pipeline/network_reader.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

const fs::path kTraces = fs::path(LAZYMAR_SOURCE_DIR) / "tests/data/traces";
constexpr double kFp64 = 1e-10;
constexpr double kFp32 = 1e-7;
constexpr double kBf16 = 2e-3;

struct Capture {
  Trace trace;
  std::shared_ptr<const WeightFile> file;
  MarConfig config;
};

Capture load(const std::string& name) {
  Capture run{load_trace(kTraces / name), nullptr, {}};
  run.file = std::make_shared<const WeightFile>(find_trace_weights(kTraces / name).mar);
  run.config = read_mar_config(*run.file, nullptr, run.trace.encoder_heads);
  return run;
}

/// Worst NMSE over all recorded tensors, with LazyMAR options that differ from the trace's.
double worst(const Capture& run, const std::map<std::string, std::string>& changed = {},
             std::string_view precision = "fp64") {
  DecodingMethod method = released_method(run.trace);
  for (const auto& [name, value] : changed) {
    method.cache.options[name] = value;
  }
  FileWeights weights(run.file, {parse_precision(precision)});
  const Mar mar = load_mar_file(weights, run.config);
  const auto differences = compare(run.trace, replay(run.trace, mar, nullptr, method));
  EXPECT_EQ(static_cast<int64_t>(differences.size()), 2 * run.trace.sampling.num_iter + 1);
  return differences.front().nmse;
}

/// Computes as the programs do: LibTorch's own products in bf16 depend on what use_device() sets
/// before the first of them.
class AsPrograms : public ::testing::Environment {
 public:
  void SetUp() override { use_device(c10::kCPU); }
};
const auto* const kAsPrograms = ::testing::AddGlobalTestEnvironment(new AsPrograms);

class RecordedRun : public ::testing::TestWithParam<const char*> {};

TEST_P(RecordedRun, IsReproduced) {
  const Capture run = load(GetParam());
  EXPECT_LE(worst(run), kFp64);
  EXPECT_LE(worst(run, {}, "fp32"), kFp32);
  if (to_string(resolve_precision({}, /*on_cpu=*/true)) == "bf16") {
    const double rounded = worst(run, {}, "bf16");
    EXPECT_LE(rounded, kBf16);
    EXPECT_GT(rounded, kFp32);  // the control: the result differs
  }
}

INSTANTIATE_TEST_SUITE_P(Verify, RecordedRun,
                         ::testing::Values("small-baseline", "small-nocfg", "small-lazy",
                                           "small-lazy-32"));

// Other methods, recorded from their authors' code (scripts/lab/record_methods.py).

TEST(RecordedMethod, DisaIsReproduced) {
  Capture run = load("small-disa");
  EXPECT_LE(worst(run), kFp64);
  run.trace.method->head.front().curve = "cosine";
  EXPECT_THROW(worst(run), Error) << "control: other numbers of diffusion steps";
}

TEST(RecordedMethod, RecapIsReproduced) {
  Capture run = load("small-recap");
  EXPECT_LE(worst(run), kFp64);
  run.trace.method->cache = {};
  run.trace.method->head = {{.steps = 20}, {.from_step = 9, .steps = 8}};
  for (int64_t step = 10; step < 16; ++step) {  // the same diffusion steps
    run.trace.method->head.push_back({.from_step = step, .steps = step % 2 == 0 ? 20 : 8});
  }
  EXPECT_GT(worst(run), kFp64) << "control: every step is full";
}

/// The order and the counts of Halton-MaskGIT's sampler, drawn by MAR's code.
TEST(RecordedMethod, HaltonIsReproduced) {
  Capture run = load("small-halton");
  EXPECT_LE(worst(run), kFp64);
  run.trace.method->order = "random";
  EXPECT_GT(worst(run), kFp64) << "control: the image's own order";
  run.trace.method->order = "halton";
  run.trace.method->schedule = "cosine";
  EXPECT_THROW(worst(run), Error) << "control: other tokens per step";
}

// Controls: each error must show in fp64.

TEST(VerifyControl, TanhGeluFails) {
  Capture run = load("small-lazy-32");
  run.config.tanh_gelu = true;
  EXPECT_GT(worst(run), kFp64);
}

TEST(VerifyControl, AnotherLayerNormEpsFails) {
  Capture run = load("small-lazy-32");
  run.config.norm_eps = 1e-5;
  EXPECT_GT(worst(run), kFp64);
}

TEST(VerifyControl, AnotherPruneLayerFails) {
  EXPECT_GT(worst(load("small-lazy-32"), {{"prune_layer", "2"}}), kFp64);
}

TEST(VerifyControl, ADroppedConditionDifferenceFails) {
  EXPECT_GT(worst(load("small-lazy-32"), {{"condition_scale", "0"}}), kFp64);
}

TEST(VerifyControl, ScaledRetentionFails) {
  // At 32 steps not the published one.
  EXPECT_GT(worst(load("small-lazy-32"), {{"retain", "scaled"}}), kFp64);
}

TEST(VerifyControl, AChangedRecordedTokenFails) {
  Capture run = load("small-lazy-32");
  run.trace.tensors.at("sampled.7") = run.trace.tensors.at("sampled.7").clone();
  run.trace.tensors.at("sampled.7")[0][3] += 1e-4;
  EXPECT_GT(worst(run), kFp64);
}

TEST(VerifyControl, AChangedInputFails) {
  Capture run = load("small-lazy-32");
  run.trace.tensors.at("noise_loop.0") = run.trace.tensors.at("noise_loop.0").clone();
  run.trace.tensors.at("noise_loop.0")[0][0][0] += 1e-2;
  EXPECT_GT(worst(run), kFp64);
}

TEST(Compare, WhatCannotBeComparedIsInfinitelyFar) {
  Capture run = load("small-lazy-32");
  std::map<std::string, at::Tensor> computed = run.trace.tensors;
  EXPECT_EQ(compare(run.trace, computed).front().nmse, 0.0);
  computed.erase("z.3");
  EXPECT_EQ(compare(run.trace, computed).front().name, "z.3");
  EXPECT_TRUE(std::isinf(compare(run.trace, computed).front().nmse));
  computed["z.3"] = at::full_like(run.trace.tensors.at("z.3"), NAN);
  EXPECT_TRUE(std::isinf(compare(run.trace, computed).front().nmse));
  computed["z.3"] = run.trace.tensors.at("z.4");
  computed["latents"] = at::zeros({1});
  EXPECT_TRUE(std::isinf(compare(run.trace, computed).front().nmse));
}

}  // namespace
}  // namespace lazymar
