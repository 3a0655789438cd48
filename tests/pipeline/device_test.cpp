#include "pipeline/device.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

TEST(Device, UnknownNamesAreRefused) {
  EXPECT_TRUE(resolve_device("cpu").is_cpu());
  EXPECT_TRUE(contains(refused([] { resolve_device("gpu"); }), "auto, cpu, cuda"));
  EXPECT_TRUE(contains(refused([] { resolve_device("cuda:x"); }), "auto, cpu, cuda"));
  EXPECT_TRUE(contains(refused([] { resolve_device("cuda:99"); }), "CUDA"));
}

TEST(Device, ModelOfTheProcessor) {
  EXPECT_FALSE(device_model(c10::kCPU).empty());
}

TEST(Device, OutOfMemoryIsKnown) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_TRUE(
      is_out_of_memory(std::runtime_error("CUDA error: out of memory\nCUDA kernel errors")));
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("something else")));
  try {
    at::empty({int64_t{1} << 50}, c10::kFloat);
    ADD_FAILURE() << "a petabyte was had";
  } catch (const std::exception& error) {
    EXPECT_TRUE(is_out_of_memory(error)) << error.what();
  }
}

}  // namespace
}  // namespace lazymar
