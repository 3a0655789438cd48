// A number type takes one file and two rows. This file adds weights of a few bits, a row of formats
// and a row of presets, and every program supports it.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "cli/commands.h"
#include "nn/linear.h"
#include "nn/linear_formats.h"
#include "support/errors.h"
#include "verify/verify.h"

namespace lazymar {
namespace {

/// Weights q * scale, q in [-kLevels, kLevels], a scale per output; multiplied in fp32.
template <int kLevels>
class FewBits final : public LinearKernel {
 public:
  explicit FewBits(const DenseWeights& weights)
      : scale_(weights.weight.abs().amax(1, /*keepdim=*/true).clamp_min(1e-30) / kLevels),
        q_(at::round(weights.weight / scale_).to(c10::kChar)),
        bias_(weights.bias) {}

  at::Tensor operator()(const at::Tensor& x, Activation activation) const override {
    return activated(at::linear(x, q_.to(c10::kFloat) * scale_, bias_), activation);
  }
  c10::ScalarType input_type() const override { return c10::kFloat; }
  c10::ScalarType output_type() const override { return c10::kFloat; }

 private:
  at::Tensor scale_, q_, bias_;
};

template <int kLevels>
std::shared_ptr<const LinearKernel> make(const DenseWeights& weights) {
  return std::make_shared<FewBits<kLevels>>(weights);
}

bool never() {
  return false;
}

constexpr PrecisionPreset preset(std::string_view name, const LayerFormats& formats) {
  return {.name = name,
          .formats = formats,
          .activations = NumberType::kFp32,
          .convolutions = NumberType::kFp32,
          .cpu = {},
          .gpu = {.works = never, .refusal = "for CPUs; use bf16 on GPUs"},
          .verify_tolerance = 3e-2,
          .retry_in = "fp32"};
}

// The rows: one of each for the type, others for the comparisons.
constexpr LinearFormat kFormats[] = {{"toy8", nullptr, make<127>}, {"toy2", nullptr, make<1>}};
constexpr PrecisionPreset kPresets[] = {
    preset("toy8", {"toy8", /*exact=*/"fp32"}),
    // Gates of another type than their values, and other types in a block.
    preset("toy8-mixed", LayerFormats("toy8", "fp32")
                             .with(LayerRole::kModulation, "bf16")
                             .with(LayerRole::kMlpIn, "bf16")
                             .with(LayerRole::kProjection, "bf16")),
    preset("toy2", {"toy2", /*exact=*/"fp32"}),
};

class ToyNumberType : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const LinearFormat& format : kFormats) {
      add_linear_format(format);
    }
    for (const PrecisionPreset& row : kPresets) {
      add_precision(row);
    }
  }

  /// lazymar_verify's output for this command line.
  static ExitCode verified(const std::string& trace, const char* precision,
                           const char* tolerance = nullptr) {
    const std::string path =
        (std::filesystem::path(LAZYMAR_SOURCE_DIR) / "tests/data/traces" / trace).string();
    std::vector<const char*> line{"lazymar_verify", "--device",    "cpu",    "--trace",
                                  path.c_str(),     "--precision", precision};
    if (tolerance != nullptr) {
      line.insert(line.end(), {"--tolerance", tolerance});
    }
    return verify(parse_verify_options(static_cast<int>(line.size()), line.data()).options);
  }
};

TEST_F(ToyNumberType, IsKnownByName) {
  const std::vector<std::string> names = precision_names();
  EXPECT_NE(std::find(names.begin(), names.end(), "toy8"), names.end());
  const Precision toy = parse_precision("toy8");
  EXPECT_EQ(resolve_precision(toy, /*on_cpu=*/true), toy);
  EXPECT_EQ(testing::refused([&] { resolve_precision(toy, /*on_cpu=*/false); }),
            "precision toy8: for CPUs; use bf16 on GPUs");
}

TEST_F(ToyNumberType, ReplaysTracesWithinItsTolerance) {
  for (const char* trace : {"small-baseline", "small-lazy"}) {
    EXPECT_EQ(verified(trace, "toy8"), ExitCode::kDone) << trace;
    // The controls: the result differs from fp32's, and too few bits are detected.
    EXPECT_EQ(verified(trace, "toy8", "1e-7"), ExitCode::kFailed) << trace;
    EXPECT_EQ(verified(trace, "toy2"), ExitCode::kFailed) << trace;
  }
}

TEST_F(ToyNumberType, GoesTogetherWithOthers) {
  if (!parse_precision("bf16")->cpu.works()) {
    GTEST_SKIP() << "SKIPPED: this CPU has no bf16";
  }
  EXPECT_EQ(verified("small-lazy", "toy8-mixed"), ExitCode::kDone);
  EXPECT_EQ(verified("small-lazy", "toy8-mixed", "1e-7"), ExitCode::kFailed);
}

TEST_F(ToyNumberType, SparesLayersThatAreExact) {
  const DenseWeights weights{at::randn({8, 6}), at::randn({8})};
  const at::Tensor x = at::randn({4, 6});
  const Placement placement{parse_precision("toy8")};
  const auto error = [&](LayerRole role) {
    return (make_linear(weights, role, placement)(x) - Linear(weights)(x)).abs().max();
  };
  EXPECT_LT(error(LayerRole::kExact).item<float>(), 1e-5);
  EXPECT_GT(error(LayerRole::kQkv).item<float>(), 1e-3);
}

}  // namespace
}  // namespace lazymar
