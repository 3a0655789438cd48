#include "verify/trace.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "formats/safetensors.h"
#include "support/errors.h"
#include "support/temporary_folder.h"
#include "weights/weights.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;
using testing::TemporaryFolder;

constexpr const char* kConfig =
    R"({"num_iter": 2, "num_sampling_steps": 3, "cfg": 1.0, "cfg_schedule": "linear",)"
    R"( "temperature": 1.0, "lazy_mar": false, "encoder_num_heads": 4, "patch_size": 1})";

void write_trace(const TemporaryFolder& folder, const std::map<std::string, at::Tensor>& tensors,
                 const std::string& config = kConfig) {
  WeightContent content;
  content.metadata["config"] = config;
  for (const auto& [name, tensor] : tensors) {
    content.tensors[name] = view_of_tensor(tensor);
  }
  write_safetensors(folder.path() / "trace.safetensors", content);
}

std::map<std::string, at::Tensor> small_trace() {
  return {{"labels", at::zeros({1}, c10::kLong)},
          {"orders", at::tensor({2, 0, 3, 1}, c10::kLong).view({1, 4})},
          {"noise_init.0", at::arange(6).to(c10::kFloat).view({3, 2})},
          {"noise_loop.0", at::arange(18).to(c10::kFloat).view({3, 3, 2})}};
}

TEST(Trace, PlaysBackOrdersAndNoise) {
  const TemporaryFolder folder;
  write_trace(folder, small_trace());
  const Trace trace = load_trace(folder.path());
  EXPECT_EQ(trace.sampling.num_iter, 2);
  EXPECT_FALSE(trace.sampling.guided());
  RecordedNoise noise(trace);
  std::vector<int64_t> order(4);
  noise.order(0, order);
  EXPECT_EQ(order, (std::vector<int64_t>{2, 0, 3, 1}));
  std::vector<float> values(6);
  const std::vector<int64_t> tokens(3);
  noise.normals({0, NoiseRequest::kStart, 2, tokens}, values);
  EXPECT_EQ(values[5], 5.0F);
  noise.normals({0, 2, 2, tokens}, values);  // the first step taken
  EXPECT_EQ(values[0], 0.0F);
  noise.normals({0, 0, 2, tokens}, values);
  EXPECT_EQ(values[0], 12.0F);
  EXPECT_TRUE(contains(refused([&] { noise.normals({1, 0, 2, tokens}, values); }), "noise_loop.1"));
}

TEST(Trace, StepsMayHaveTheirOwnDiffusionSteps) {
  const TemporaryFolder folder;
  auto tensors = small_trace();
  tensors["noise_loop.0"] = at::arange(12).to(c10::kFloat).view({2, 3, 2});
  write_trace(folder, tensors);
  const Trace trace = load_trace(folder.path());
  RecordedNoise noise(trace);
  std::vector<float> values(6);
  const std::vector<int64_t> tokens(3);
  noise.normals({0, 1, 2, tokens}, values);  // the first step taken
  EXPECT_EQ(values[0], 0.0F);
  noise.normals({0, 0, 2, tokens}, values);
  EXPECT_EQ(values[0], 6.0F);
  EXPECT_TRUE(contains(refused([&] {
                         noise.normals({0, 2, 2, tokens}, values);
                       }),
                       "noise of 2 diffusion steps"));
}

TEST(Trace, WhatIsNoTraceIsRefused) {
  const TemporaryFolder folder;
  const std::string message = refused([&] { load_trace(folder.path()); });
  EXPECT_TRUE(contains(message, "contains no trace.safetensors; a trace is a folder with"));
  EXPECT_TRUE(contains(refused([&] { load_trace(folder.path() / "none"); }), "none: not found"));
  auto tensors = small_trace();
  tensors.erase("orders");
  write_trace(folder, tensors);
  EXPECT_TRUE(contains(refused([&] { load_trace(folder.path()); }), "not a trace: labels, orders"));
  tensors["orders"] = at::tensor({2, 2, 3, 1}, c10::kLong).view({1, 4});
  write_trace(folder, tensors);
  EXPECT_TRUE(contains(refused([&] { load_trace(folder.path()); }), "are invalid"));
  write_trace(folder, small_trace(), R"({"num_iter": "many"})");
  EXPECT_TRUE(contains(refused([&] { load_trace(folder.path()); }), "config"));
  write_trace(folder, small_trace(), "{");
  EXPECT_TRUE(contains(refused([&] { load_trace(folder.path()); }), "config"));
}

TEST(Trace, WeightsAreItsOwnOrNamed) {
  const TemporaryFolder folder;
  EXPECT_TRUE(contains(refused([&] { find_trace_weights(folder.path()); }), "WEIGHTS"));
  testing::write_text(folder.path() / "WEIGHTS", "../other\n");
  EXPECT_EQ(find_trace_weights(folder.path()).mar, folder.path() / "../other/mar.safetensors");
  testing::write_text(folder.path() / "mar.safetensors", "");
  EXPECT_EQ(find_trace_weights(folder.path()).mar, folder.path() / "mar.safetensors");
}

}  // namespace
}  // namespace lazymar
