#include "weights/network_names.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <set>
#include <vector>

#include "formats/safetensors.h"
#include "support/errors.h"
#include "support/temporary_folder.h"
#include "weights/bad_values.h"
#include "weights/weight_file.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

const std::vector<std::string_view> kMar{kMarTensor};

WeightContent content_of(const std::vector<std::string>& names) {
  static const float value = 1;
  WeightContent content;
  for (const std::string& name : names) {
    content.tensors[name] = {ElementType::kF32, {1}, std::as_bytes(std::span(&value, 1))};
  }
  return content;
}

std::set<std::string> names_of(const WeightContent& content) {
  std::set<std::string> names;
  for (const auto& [name, view] : content.tensors) {
    names.insert(name);
  }
  return names;
}

const std::set<std::string> kPlain{"mask_token", "z_proj.weight"};

TEST(NetworkNames, WrappersLeaveInAnyNesting) {
  for (const std::string prefix :
       {"module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.", "mar.",
        "model.module._orig_mod.", "state_dict.net.", "_fsdp_wrapped_module."}) {
    WeightContent content = content_of({prefix + "z_proj.weight", prefix + "mask_token"});
    find_network(content, kMar, WeightSet::kBest, "file");
    EXPECT_EQ(names_of(content), kPlain) << prefix;
    EXPECT_EQ(content.section, "") << prefix;
  }
  WeightContent inside = content_of({"z_proj._orig_mod.weight", "mask_token"});
  find_network(inside, kMar, WeightSet::kBest, "file");
  EXPECT_EQ(names_of(inside), kPlain);
}

TEST(NetworkNames, WhatIsTakenIsSaidAsTheFileHasIt) {
  const auto said = [](const std::vector<std::string>& names) {
    WeightContent content = content_of(names);
    return find_network(content, kMar, WeightSet::kBest, "file");
  };
  EXPECT_EQ(said({"module._orig_mod.model.z_proj.weight", "module._orig_mod.model.mask_token"}),
            "took \"module._orig_mod.model.\" off the names of 2 tensors");
  EXPECT_EQ(said({"_orig_mod.z_proj.weight", "_orig_mod.mask_token"}),
            "took \"_orig_mod.\" off the names of 2 tensors");
  EXPECT_EQ(said({"_fsdp_wrapped_module.z_proj.weight",
                  "_fsdp_wrapped_module.a._fsdp_wrapped_module.b", "_fsdp_wrapped_module.c"}),
            "took \"_fsdp_wrapped_module.\" off the names of 3 tensors, and "
            "\"_fsdp_wrapped_module.\" out of the name of 1 tensor");
  EXPECT_EQ(said({"z_proj.weight", "a._checkpoint_wrapped_module.b", "a._orig_mod.c"}),
            "took \"_checkpoint_wrapped_module.\", \"_orig_mod.\" out of the names of 2 tensors");
  EXPECT_TRUE(contains(said({"_orig_mod.model.z_proj.weight", "_orig_mod.loss.weight"}),
                       "not used: 1 other tensor (\"_orig_mod.loss.weight\")"));
  const std::string two = refused([&] {
    said({"_orig_mod.student.z_proj.weight", "_orig_mod.teacher.z_proj.weight"});
  });
  EXPECT_TRUE(contains(two, "\"_orig_mod.student.\", \"_orig_mod.teacher.\""));
}

TEST(NetworkNames, OrdinaryNamesStay) {
  const std::vector<std::string> plain{"z_proj.weight", "mask_token", "my_orig_mod.x", "module.x"};
  WeightContent content = content_of(plain);
  EXPECT_EQ(find_network(content, kMar, WeightSet::kBest, "file"), "");
  EXPECT_EQ(names_of(content), std::set<std::string>(plain.begin(), plain.end()));
  WeightContent other = content_of({"module.a", "module.b"});  // no network that is known
  EXPECT_EQ(find_network(other, kMar, WeightSet::kBest, "file"), "");
  EXPECT_EQ(names_of(other).size(), 2U);
  EXPECT_TRUE(names_of(other).contains("module.a"));
}

TEST(NetworkNames, EmaIsPreferredAsInACheckpointOfTorch) {
  const std::vector<std::string> both{"model.z_proj.weight", "model.mask_token",
                                      "model_ema.module.z_proj.weight",
                                      "model_ema.module.mask_token", "optimizer.step"};
  WeightContent content = content_of(both);
  const std::string said = find_network(content, kMar, WeightSet::kBest, "file");
  EXPECT_TRUE(
      contains(said, "\"model_ema.module.\" off the names of 2 tensors; not used: 3 others"));
  EXPECT_FALSE(contains(said, "incomplete"));
  EXPECT_EQ(names_of(content), kPlain);
  EXPECT_EQ(content.section, "model_ema");
  WeightContent last = content_of(both);
  EXPECT_FALSE(contains(find_network(last, kMar, WeightSet::kModel, "file"), "incomplete"));
  EXPECT_EQ(last.section, "model");
  EXPECT_EQ(names_of(last), kPlain);
  WeightContent without = content_of({"model.z_proj.weight"});
  EXPECT_TRUE(
      contains(refused([&] { find_network(without, kMar, WeightSet::kEma, "file"); }), "no EMA"));
  // EMA without the tensor that tells a network.
  WeightContent partial =
      content_of({"model.z_proj.weight", "model.mask_token", "model_ema.mask_token"});
  EXPECT_TRUE(
      contains(find_network(partial, kMar, WeightSet::kBest, "file"),
               "1 other tensor (\"model_ema.mask_token\"); its EMA weights are incomplete"));
}

TEST(NetworkNames, WhatIsNotClearIsRefused) {
  WeightContent two = content_of({"student.z_proj.weight", "teacher.z_proj.weight"});
  EXPECT_TRUE(contains(refused([&] { find_network(two, kMar, WeightSet::kBest, "file"); }),
                       "holds 2 networks, under \"student.\", \"teacher.\""));
  WeightContent twice = content_of({"z_proj.weight", "_orig_mod.z_proj.weight"});
  EXPECT_TRUE(contains(refused([&] { find_network(twice, kMar, WeightSet::kBest, "file"); }),
                       "there twice"));
}

TEST(NetworkNames, ARenamedFileHasTheTensorsOfAPlainOne) {
  const testing::TemporaryFolder folder;
  write_safetensors(folder.path() / "w", content_of({"module.z_proj.weight", "module.mask_token"}));
  const WeightFile file(folder.path() / "w", {.networks = {kMarTensor}});
  EXPECT_NE(file.find("mask_token"), nullptr);
  const WeightFile raw(folder.path() / "w");
  EXPECT_NE(raw.find("module.mask_token"), nullptr);
}

/// What is said of "mask_token" in a file whose names are not all of one kind.
std::string mixed(const std::vector<std::string>& names) {
  WeightContent content = content_of(names);
  find_network(content, kMar, WeightSet::kBest, "file");
  return mixed_names(content, "mask_token");
}

TEST(NetworkNames, AWrapperInSomeNamesOnlyIsSaid) {
  EXPECT_TRUE(
      contains(mixed({"module.z_proj.weight", "module.z_proj.bias", "mask_token"}),
               "2 contain \"module.\", 1 do not (\"mask_token\" is there as \"mask_token\")"));
  EXPECT_TRUE(contains(mixed({"z_proj.weight", "z_proj.bias", "module.mask_token"}),
                       "1 contain \"module.\", 2 do not (\"mask_token\" is there as "
                       "\"module.mask_token\")"));
  EXPECT_TRUE(contains(mixed({"net.z_proj.weight", "net.module.mask_token"}), "net.module.mask"));
  EXPECT_TRUE(contains(mixed({"z_proj.weight", "module.mask_token"}), "k.replace('module.', '')"));
  // Another network's, or none at all.
  EXPECT_EQ(mixed({"module.z_proj.weight", "teacher.mask_token"}), "");
  EXPECT_EQ(mixed({"module.z_proj.weight", "optimizer.step"}), "");
}

TEST(NetworkNames, AFileThatMixesThemIsRefusedAtTheFirstTensorThatIsMissed) {
  const testing::TemporaryFolder folder;
  write_safetensors(folder.path() / "w", content_of({"z_proj.weight", "module.mask_token"}));
  const WeightFile file(folder.path() / "w", {.networks = {kMarTensor}});
  EXPECT_TRUE(contains(refused([&] { file.find("mask_token"); }), "names are mixed"));
  EXPECT_EQ(file.find("diffusion_pos_embed_learned"), nullptr);
  EXPECT_NE(file.find("z_proj.weight"), nullptr);
}

template <typename T>
TensorView view_of(const std::vector<T>& values, ElementType type) {
  return {type, {static_cast<int64_t>(values.size())}, std::as_bytes(std::span(values))};
}

TEST(BadValues, AreCountedInEveryFloatingPointType) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr float kMost = std::numeric_limits<float>::max();
  EXPECT_EQ(count_bad_values(view_of<float>({1, kNan, kMost, -static_cast<float>(kInfinity)},
                                            ElementType::kF32)),
            2);
  EXPECT_EQ(count_bad_values(view_of<double>({kInfinity, 0, -1e300}, ElementType::kF64)), 1);
  EXPECT_EQ(count_bad_values(view_of<uint16_t>({0x7c00, 0xfe00, 0x7bff}, ElementType::kF16)), 2);
  EXPECT_EQ(count_bad_values(view_of<uint16_t>({0x7f80, 0x7f7f, 0xffc0}, ElementType::kBF16)), 2);
  EXPECT_EQ(count_bad_values(view_of<int32_t>({-1, 0x7fffffff}, ElementType::kI32)), 0);
}

TEST(BadValues, AreAlsoThoseThatAnotherTypeCannotHold) {
  const auto of_doubles = [](const std::vector<double>& values, ElementType as) {
    return count_bad_values(view_of(values, ElementType::kF64), as);
  };
  // The largest number of each type, the first that rounds to infinity, and the last before it.
  const double most = std::numeric_limits<float>::max();
  EXPECT_EQ(of_doubles({most, -0x1.fffffep127}, ElementType::kF32), 0);
  EXPECT_EQ(of_doubles({0x1.ffffffp127, std::nextafter(0x1.ffffffp127, 0)}, ElementType::kF32), 1);
  EXPECT_EQ(of_doubles({1e39, -1e300, 1}, ElementType::kF32), 2);
  EXPECT_EQ(of_doubles({65519, -65520, 65504}, ElementType::kF16), 1);
  EXPECT_EQ(of_doubles({1e300}, ElementType::kF64), 0);
  const std::vector<float> singles{65519, 65520, 3.39e38F, 3.40e38F};
  const TensorView floats = view_of(singles, ElementType::kF32);
  EXPECT_EQ(count_bad_values(floats, ElementType::kF16), 3);
  EXPECT_EQ(count_bad_values(floats, ElementType::kBF16), 1);
  EXPECT_EQ(count_bad_values(floats, ElementType::kF32), 0);
  const std::vector<uint16_t> bits{0x477f, 0x4780, 0x7f7f};
  const TensorView brains = view_of(bits, ElementType::kBF16);
  EXPECT_EQ(count_bad_values(brains, ElementType::kF16), 2);  // 65280, 65536, the largest
  EXPECT_EQ(count_bad_values(brains, ElementType::kF32), 0);
}

TEST(BadValues, BetweenTheElementsOfAViewDoNotCount) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values{1, kNan, 2, kNan, 3};
  TensorView view = view_of(values, ElementType::kF32);
  view.shape = {3};
  view.strides = {2};
  EXPECT_EQ(count_bad_values(view), 0);
  view.shape = {2, 2};
  view.strides = {3, 1};
  EXPECT_EQ(count_bad_values(view), 2);
}

}  // namespace
}  // namespace lazymar
