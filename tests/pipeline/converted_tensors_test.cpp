#include "pipeline/converted_tensors.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "pipeline/model_files.h"
#include "pipeline/network_reader.h"
#include "support/errors.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "weights/int8_weight.h"

namespace lazymar {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

/// Random weights, and a copy of each.
class KeptWeights final : public WeightSource {
 public:
  KeptWeights() : WeightSource({parse_precision("fp32")}), random_({parse_precision("fp32")}) {}
  at::Tensor get(const std::string& name, const std::vector<int64_t>& shape) override {
    return kept_[name] = random_.get(name, shape).contiguous();
  }
  void finish(const std::vector<std::string>&) override {}
  const Tensors& kept() const { return kept_; }

 private:
  testing::RicherRandomWeights random_;
  Tensors kept_;
};

/// A small MAR as a file, whose norms let one channel grow 50 times larger than the others.
class ConvertedMar : public ::testing::Test {
 protected:
  ConvertedMar() {
    KeptWeights weights;
    load_mar(weights, testing::tiny_config());
    WeightContent content;
    content.metadata["config"] = R"({"encoder_num_heads": 4})";
    for (const auto& [name, tensor] : weights.kept()) {
      if (name.ends_with("norm1.weight") || name.ends_with("norm2.weight")) {
        tensor[3] *= 50;
      }
      content.tensors[name] = view_of_tensor(tensor);
    }
    const auto path = folder_.path() / "mar.safetensors";
    write_safetensors(path, content);
    file_ = std::make_shared<const WeightFile>(path);
  }

  std::shared_ptr<const WeightFile> converted(TensorConversion conversion) const {
    const auto path = folder_.path() / "converted.safetensors";
    ConvertedTensors tensors(*file_, std::move(conversion));
    write_safetensors(path, tensors.tensors(), file_->metadata());
    return std::make_shared<const WeightFile>(path);
  }

  /// What a block of the encoder makes of rows.
  static at::Tensor block_output(const std::shared_ptr<const WeightFile>& file, const at::Tensor& x,
                                 const char* precision) {
    FileWeights weights(file, {parse_precision(precision)});
    const Mar mar = load_mar_file(weights, read_mar_config(*file, nullptr));
    return mar.encoder_blocks[0](x);
  }

  const testing::TemporaryFolder folder_;
  std::shared_ptr<const WeightFile> file_;
};

TEST_F(ConvertedMar, SmoothingChangesWeightsAndNotTheNetwork) {
  const TensorConversion smoothed{{}, false, Smoothing::calibrated(*file_, 2)};
  const auto file = converted(smoothed);
  const at::Tensor x = at::randn({2, 10, 32});
  const at::Tensor before = block_output(file_, x, "fp32");
  EXPECT_LT(testing::relative_error(block_output(file, x, "fp32"), before), 1e-5);
  const auto norm = [](const WeightFile& from) {
    const std::string name = "encoder_blocks.0.norm1.weight";
    return tensor_from_view(*from.find(name), from, name).clone();
  };
  // The control: its factors did something, and without the weights' part the network is another.
  EXPECT_GT(testing::relative_error(norm(*file), norm(*file_)), 0.5);
  FileWeights weights(file_, {parse_precision("fp32")});
  Mar half = load_mar_file(weights, read_mar_config(*file_, nullptr));
  half.encoder_blocks[0].norm1.weight = norm(*file);
  EXPECT_GT(testing::relative_error(half.encoder_blocks[0](x), before), 1e-2);
}

TEST_F(ConvertedMar, SmoothingHelpsRowsOfOneLargeChannel) {
  if (!parse_precision("int8")->cpu.works()) {
    GTEST_SKIP() << "no AVX512_VNNI";
  }
  at::manual_seed(1);
  const at::Tensor x = at::randn({50, 40, 32});
  const at::Tensor exact = block_output(file_, x, "fp32");
  const auto error = [&](const std::shared_ptr<const WeightFile>& file) {
    return (block_output(file, x, "int8") - exact).square().mean().item<double>();
  };
  const double plain = error(converted({{}, true, {}}));
  const double smoothed = error(converted({{}, true, Smoothing::calibrated(*file_, 2)}));
  EXPECT_LT(smoothed, plain / 4);
}

TEST_F(ConvertedMar, In8BitsComputesTheSame) {
  const auto file = converted({{}, true, {}});
  EXPECT_EQ(file->tensors().at("encoder_blocks.0.mlp.fc1.weight").type, ElementType::kI8);
  EXPECT_EQ(file->tensors().at("z_proj.weight").type, ElementType::kF32);
  const at::Tensor x = at::randn({2, 10, 32});
  EXPECT_GT(testing::relative_error(block_output(file, x, "fp32"), block_output(file_, x, "fp32")),
            1e-5);  // the control: 8 bits are fewer
  if (parse_precision("int8")->cpu.works()) {
    EXPECT_TRUE(block_output(file, x, "int8").equal(block_output(file_, x, "int8")));
  }
}

TEST_F(ConvertedMar, In8BitsInAnyOrder) {
  ConvertedTensors tensors(*file_, {{}, true, {}});
  const auto sources = tensors.tensors();
  const auto expect = [&](const std::string& name, const char* suffix) {
    const Int8Weight expected = quantized(tensor_from_view(*file_->find(name), *file_, name));
    const at::Tensor part = *suffix == '\0' ? expected.numbers : expected.scales;
    EXPECT_TRUE(std::ranges::equal(sources.at(name + suffix).bytes(), view_of_tensor(part).bytes))
        << name << suffix;
  };
  const std::string fc1 = "encoder_blocks.0.mlp.fc1.weight";
  const std::string fc2 = "encoder_blocks.0.mlp.fc2.weight";
  expect(fc1, "_scale");
  expect(fc2, "");
  expect(fc1, "");
  expect(fc2, "_scale");
  expect(fc2, "");
}

TEST(ConvertedTensors, RefuseInt8WithoutAMar) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "x.safetensors";
  const at::Tensor weight = at::ones({2, 2});
  WeightContent content;
  content.tensors["fc1.weight"] = view_of_tensor(weight);
  write_safetensors(path, content);
  const WeightFile file(path);
  EXPECT_TRUE(testing::contains(testing::refused([&] {
                                  ConvertedTensors(file, {{}, true, {}}).tensors();
                                }),
                                "no MAR"));
}

}  // namespace
}  // namespace lazymar
