#include "weights/weights.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "formats/safetensors.h"
#include "support/errors.h"
#include "support/temporary_folder.h"
#include "weights/int8_weight.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;
using testing::TemporaryFolder;

std::shared_ptr<const WeightFile> write_file(const TemporaryFolder& folder,
                                             const std::map<std::string, at::Tensor>& tensors) {
  WeightContent content;
  for (const auto& [name, tensor] : tensors) {
    content.tensors[name] = view_of_tensor(tensor);
  }
  const auto path = folder.path() / "w.safetensors";
  write_safetensors(path, content);
  return std::make_shared<const WeightFile>(path);
}

TEST(FileWeights, ConvertsAndShares) {
  const TemporaryFolder folder;
  const at::Tensor half = at::randn({4, 5}).to(c10::kHalf);
  const at::Tensor single = at::randn({4});
  const auto file = write_file(folder, {{"half", half}, {"single", single}});
  FileWeights weights(file, {parse_precision("fp32")});
  EXPECT_TRUE(at::equal(weights.get("half", {4, 5}), half.to(c10::kFloat)));
  const at::Tensor shared = weights.get("single", {4});
  EXPECT_TRUE(at::equal(shared, single));
  EXPECT_EQ(shared.const_data_ptr(),
            static_cast<const void*>(file->tensors().at("single").bytes.data()));
  weights.finish({});
}

TEST(FileWeights, ReadsMatricesIn8Bits) {
  const TemporaryFolder folder;
  const Int8Weight rounded = quantized(at::randn({4, 5}));
  const auto read = [&](const std::map<std::string, at::Tensor>& tensors) {
    FileWeights weights(write_file(folder, tensors), {parse_precision("fp32")});
    const at::Tensor matrix = weights.get("w", {4, 5});
    weights.finish({});
    return matrix;
  };
  EXPECT_TRUE(
      at::equal(read({{"w", rounded.numbers}, {"w_scale", rounded.scales}}), dequantized(rounded)));
  EXPECT_TRUE(contains(refused([&] { read({{"w", rounded.numbers}}); }), "missing: w_scale"));
  for (const at::Tensor& scales : {rounded.scales.narrow(0, 0, 3).clone(),
                                   rounded.scales.to(c10::kHalf), rounded.scales.unsqueeze(1)}) {
    EXPECT_TRUE(contains(refused([&] {
                           read({{"w", rounded.numbers}, {"w_scale", scales}});
                         }),
                         "instead of F32 [4]"));
  }
  at::Tensor bad = rounded.scales.clone();
  bad[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(contains(refused([&] {
                         read({{"w", rounded.numbers}, {"w_scale", bad}});
                       }),
                       "w_scale (1 of 4)"));
  FileWeights vector(write_file(folder, {{"v", at::ones({3}, c10::kChar)}}),
                     {parse_precision("fp32")});
  vector.get("v", {3});
  EXPECT_TRUE(contains(refused([&] { vector.finish({}); }), "only matrices can be in 8 bits"));
}

TEST(FileWeights, TensorsOutliveTheFile) {
  const TemporaryFolder folder;
  const at::Tensor single = at::randn({1000});
  at::Tensor kept;
  {
    FileWeights weights(write_file(folder, {{"single", single}}), {parse_precision("fp32")});
    kept = weights.get("single", {1000});
  }
  EXPECT_TRUE(at::equal(kept, single));
}

TEST(FileWeights, MisalignedTensorsAreCopied) {
  const TemporaryFolder folder;
  const at::Tensor odd = at::ones({3}, c10::kHalf);
  const at::Tensor single = at::randn({8});
  FileWeights weights(write_file(folder, {{"a", odd}, {"b", single}}), {parse_precision("fp32")});
  EXPECT_TRUE(at::equal(weights.get("b", {8}), single));
}

TEST(FileWeights, ReadsTorchCheckpointsWithStridesAndAtOddPlaces) {
  const at::Tensor base = at::arange(24).to(c10::kFloat).view({4, 6}) / 8;
  for (const char* name : {"variety.pth", "variety-old.pth"}) {
    const std::filesystem::path data = LAZYMAR_SOURCE_DIR "/tests/data/checkpoints";
    FileWeights weights(std::make_shared<const WeightFile>(data / name), {});
    EXPECT_TRUE(at::equal(weights.get("float", {4, 6}), base));
    EXPECT_TRUE(at::equal(weights.get("transposed", {6, 4}), base.t()));
    EXPECT_TRUE(at::equal(weights.get("steps", {2, 2}), base.slice(0, 0, 4, 2).slice(1, 0, 6, 3)));
    EXPECT_TRUE(at::equal(weights.get("half", {4, 6}), base));
    EXPECT_TRUE(contains(refused([&] { weights.get("note", {1}); }), "not a plain tensor"));
  }
}

TEST(FileWeights, ListsEveryProblemAtOnce) {
  const TemporaryFolder folder;
  const auto file = write_file(folder, {{"a", at::ones({2, 3})},
                                        {"extra.1", at::ones({1})},
                                        {"extra.2", at::ones({1})},
                                        {"loss.x", at::ones({1})}});
  FileWeights weights(file, {});
  weights.get("a", {3, 2});
  weights.get("gone.1", {1});
  weights.get("gone.2", {1});
  const std::string message = refused([&] { weights.finish({"loss."}); });
  EXPECT_TRUE(contains(message, "2 missing: gone.1, gone.2"));
  EXPECT_TRUE(contains(message, "2 unexpected: extra.1, extra.2"));
  EXPECT_TRUE(contains(message, "a [2, 3] instead of [3, 2]"));
  EXPECT_TRUE(contains(message, "w.safetensors"));
  EXPECT_FALSE(contains(message, "loss.x"));
}

TEST(FileWeights, AnUnknownTensorBesideAllThatIsNeededIsNamedAndNotFatal) {
  const TemporaryFolder folder;
  const auto file = write_file(folder, {{"a", at::ones({2})}, {"pos_embed", at::ones({1})}});
  for (int i = 0; i < 2; ++i) {
    FileWeights weights(file, {});
    weights.get("a", {2});
    ::testing::internal::CaptureStderr();
    weights.finish({});
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.find("pos_embed") != std::string::npos, i == 0) << said;  // once
  }
}

TEST(FileWeights, OneMoreLayerIsFatalBecauseALayerBeforeItIsMissing) {
  const TemporaryFolder folder;
  const auto file = write_file(
      folder, {{"blocks.0.norm.weight", at::ones({2})}, {"blocks.2.norm.weight", at::ones({2})}});
  FileWeights weights(file, {});
  weights.get("blocks.0.norm.weight", {2});
  EXPECT_TRUE(contains(refused([&] { weights.finish({}); }), "1 unexpected: blocks.2.norm.weight"));
}

TEST(FileWeights, NanAndInfiniteValuesAreRefusedByNameAndNumber) {
  const TemporaryFolder folder;
  at::Tensor bad = at::ones({4, 2});
  bad[1][0] = std::numeric_limits<float>::quiet_NaN();
  bad[3][1] = -std::numeric_limits<float>::infinity();
  FileWeights weights(write_file(folder, {{"a", bad}, {"b", at::ones({1})}}), {});
  weights.get("a", {4, 2});
  weights.get("b", {1});
  const std::string message = refused([&] { weights.finish({}); });
  EXPECT_TRUE(contains(message, "1 with NaN or infinite values: a (2 of 8)"));
  EXPECT_FALSE(contains(message, "b ("));
}

TEST(FileWeights, ValuesThatTheTypeCannotHoldAreRefused) {
  const TemporaryFolder folder;
  const at::Tensor wide = at::tensor({1.0, -1e39, 3e38});
  const auto file = write_file(folder, {{"wide", wide}});
  FileWeights narrow(file, {parse_precision("fp32")});
  narrow.get("wide", {3});
  EXPECT_TRUE(contains(refused([&] { narrow.finish({}); }),
                       "1 with values too large for F32: wide (1 of 3)"));
  FileWeights exact(file, {parse_precision("fp64")});
  EXPECT_TRUE(exact.get("wide", {3}).equal(wide));
  exact.finish({});
}

TEST(FileWeights, RefusesTypesThatNoNetworkUses) {
  const TemporaryFolder folder;
  const std::vector<std::byte> bytes(4);
  WeightContent content;
  content.tensors["a"] = {ElementType::kU8, {4}, bytes};
  write_safetensors(folder.path() / "w", content);
  FileWeights weights(std::make_shared<const WeightFile>(folder.path() / "w"), {});
  EXPECT_TRUE(contains(refused([&] { weights.get("a", {4}); }), "is U8"));
  EXPECT_TRUE(contains(refused([&] { weights.get("a", {4}); }), "w: byte 64: tensor \"a\""));
}

TEST(RandomWeights, DependOnSeedAndNameAlone) {
  RandomWeights first(1, {});
  RandomWeights again(1, {});
  RandomWeights other(2, {});
  again.get("something.else", {3, 3});
  const at::Tensor value = first.get("x.weight", {8, 8});
  EXPECT_TRUE(at::equal(value, again.get("x.weight", {8, 8})));
  EXPECT_FALSE(at::equal(value, other.get("x.weight", {8, 8})));
  EXPECT_FALSE(at::equal(value, first.get("y.weight", {8, 8})));
}

}  // namespace
}  // namespace lazymar
