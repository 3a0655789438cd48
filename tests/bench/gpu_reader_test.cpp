#include "bench/gpu_reader.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "bench/gpu_sampler.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;

/// See support/fake_gpu_driver.cpp for its GPUs.
constexpr const char* kDriver = LAZYMAR_FAKE_GPU_DRIVER;

class GpuReaderTest : public ::testing::Test {
 protected:
  void SetUp() override { ::unsetenv("CUDA_VISIBLE_DEVICES"); }
  void TearDown() override {
    ::unsetenv("CUDA_VISIBLE_DEVICES");
    EXPECT_EQ(sessions(), 0) << "NVML is ended as often as it is begun";
    ::dlclose(library_);
  }

  int sessions() const {
    return reinterpret_cast<int (*)()>(::dlsym(library_, "fake_nvml_sessions"))();
  }

 private:
  void* library_ = ::dlopen(kDriver, RTLD_NOW);
};

/// True if it reads exactly this.
bool reads(const GpuReader& reader, const GpuState& wanted) {
  const GpuState state = reader.read();
  return state.sm_clock == wanted.sm_clock && state.memory_clock == wanted.memory_clock &&
         state.power == wanted.power && state.temperature == wanted.temperature;
}

const GpuState kFirst{1980, 2619, 412.345, 61};
const GpuState kSecond{345, 810, {}, {}};
const GpuState kNothing;

TEST_F(GpuReaderTest, ReadsWhatTheDriverTells) {
  const GpuReader reader(0, kDriver, kDriver);
  EXPECT_EQ(reader.problem(), "");
  EXPECT_EQ(sessions(), 1);
  const GpuState state = reader.read();
  EXPECT_EQ(state.sm_clock, 1980);
  EXPECT_EQ(state.memory_clock, 2619);
  ASSERT_TRUE(state.power);
  EXPECT_DOUBLE_EQ(*state.power, 412.345);
  EXPECT_EQ(state.temperature, 61);
}

TEST_F(GpuReaderTest, LeavesOutWhatTheDriverDoesNotTell) {
  const GpuReader reader(1, kDriver, kDriver);
  EXPECT_EQ(reader.problem(), "");
  EXPECT_TRUE(reads(reader, kSecond));
}

TEST_F(GpuReaderTest, ReadsTheGpuThatCudaCountsInThisProcess) {
  ::setenv("CUDA_VISIBLE_DEVICES", "1,0", 1);
  EXPECT_TRUE(reads(GpuReader(0, kDriver, kDriver), kSecond));
  EXPECT_TRUE(reads(GpuReader(1, kDriver, kDriver), kFirst));
  ::setenv("CUDA_VISIBLE_DEVICES", "1", 1);
  EXPECT_TRUE(reads(GpuReader(0, kDriver, kDriver), kSecond));
  EXPECT_TRUE(reads(GpuReader(1, kDriver, kDriver), kNothing)) << "it sees one";
  // The control: the same index is another GPU if all are visible.
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_FALSE(reads(GpuReader(0, kDriver, kDriver), kSecond));
}

TEST_F(GpuReaderTest, ReadsNothingWithoutADriver) {
  const struct {
    int64_t index;
    std::string cuda, nvml, problem;
  } cases[] = {{0, "libno_such_cuda.so.1", kDriver, "libno_such_cuda.so.1"},
               {0, kDriver, "libno_such_nvml.so.1", "libno_such_nvml.so.1"},
               {0, "libm.so.6", kDriver, "cuInit"},
               {0, kDriver, "libm.so.6", "nvmlInit_v2"},
               {3, kDriver, kDriver, "cuDeviceGet"},
               {2, kDriver, kDriver, "NVML finds no GPU 0000:C4:00.0"}};
  for (const auto& broken : cases) {
    const GpuReader reader(broken.index, broken.cuda, broken.nvml);
    EXPECT_PRED2(contains, reader.problem(), broken.problem);
    EXPECT_TRUE(reads(reader, kNothing)) << broken.problem;
    EXPECT_EQ(sessions(), 0) << broken.problem;
  }
}

TEST_F(GpuReaderTest, TheSamplerReadsAgainAndAgain) {
  constexpr std::chrono::milliseconds kWork(300);
  const GpuReader reader(0, kDriver, kDriver);
  GpuSampler sampler(&reader);
  GpuSampler idle(nullptr);
  std::this_thread::sleep_for(kWork);
  const std::vector<GpuState> states = sampler.finish();
  EXPECT_GE(states.size(), 2U);
  EXPECT_LE(states.size(), 4U);
  for (const GpuState& state : states) {
    EXPECT_EQ(state.sm_clock, kFirst.sm_clock);
  }
  EXPECT_TRUE(idle.finish().empty());
}

}  // namespace
}  // namespace lazymar
