// What computes on a GPU, in a run's settings and in its summary.
#include "generate/device_kernels.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "files/atomic_file.h"
#include "generate/settings.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

nlohmann::ordered_json settings_with(const KernelReport& report, bool graphs,
                                     const std::filesystem::path& path = {}) {
  EvalOptions options;
  options.precision = parse_precision("fp32");
  options.eval_bsz = 1;
  options.cuda_graphs = graphs;
  note_kernels(report, path, options);
  nlohmann::ordered_json settings = settings_json(options);
  note_graphs(report, options, settings);
  return settings;
}

TEST(DeviceKernels, ARunOnAGpuIsNotContinuedByOtherKernels) {
  EXPECT_EQ(settings_with({"own", {}}, true)["kernels"], "own");
  EXPECT_EQ(settings_with({"own except norm", {}}, true)["kernels"], "own except norm");
  EXPECT_EQ(settings_with({"own", {}}, true)["graphs"], true);
  EXPECT_NE(settings_with({"own", {}}, true), settings_with({"plain", {}}, true));
  EXPECT_NE(settings_with({"own", {}}, true), settings_with({"own", {}}, false));
  // On a CPU neither has an effect, and folders of earlier versions are continued.
  EXPECT_EQ(settings_with({}, true), settings_with({}, false));
  EXPECT_FALSE(settings_with({}, true).contains("kernels"));
  EXPECT_FALSE(settings_with({}, true).contains("graphs"));
}

TEST(DeviceKernels, AWorkerAfterAFaultKeepsTheRunsSettings) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "info");
  write_text_atomically(folder.path() / "info" / "manifest.json",
                        R"({"settings": {"kernels": "own"}})");
  ::setenv(kKernelsVariable, kPlainAfterFault, 1);
  EXPECT_EQ(settings_with({"plain", {}}, true, folder.path())["kernels"], "own");
  ::setenv(kKernelsVariable, "plain", 1);  // the control: the user said so
  EXPECT_EQ(settings_with({"plain", {}}, true, folder.path())["kernels"], "plain");
  ::unsetenv(kKernelsVariable);
}

TEST(DeviceKernels, AStrangersManifestSaysNothing) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "info");
  ::setenv(kKernelsVariable, kPlainAfterFault, 1);
  for (const char* text : {R"({"settings": "x"})", R"({"settings": {"kernels": 5}})", "[]"}) {
    write_text_atomically(folder.path() / "info" / "manifest.json", text);
    EXPECT_EQ(settings_with({"plain", {}}, true, folder.path())["kernels"], "plain") << text;
  }
  ::unsetenv(kKernelsVariable);
}

TEST(DeviceKernels, TheSummaryHasTheirCheck) {
  KernelReport report{"own except norm", {{"layer_norm", "norm", "2x3 Float", 0.5, 1e-6, ""}}};
  RunSummary summary;
  note_kernels(report, EvalOptions(), summary);
  const auto json = nlohmann::json::parse(summary_json(summary));
  EXPECT_EQ(json["kernels"], "own except norm");
  EXPECT_EQ(json["graphs"], "on");
  EXPECT_EQ(json["device_check"][0]["operation"], "layer_norm");
  EXPECT_EQ(json["device_check"][0]["passed"], false);
  RunSummary on_cpu;
  note_kernels({}, EvalOptions(), on_cpu);
  EXPECT_FALSE(nlohmann::json::parse(summary_json(on_cpu)).contains("device_check"));
}

}  // namespace
}  // namespace lazymar
