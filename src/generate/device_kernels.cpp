#include "generate/device_kernels.h"

#include <nlohmann/json.hpp>

#include "nn/capture.h"
#include "run/run_folder.h"

namespace lazymar {

using nlohmann::ordered_json;

KernelReport check_kernels(const EvalOptions& options, const Networks& model, bool guided,
                           int64_t batch, c10::Device device) {
  enable_replay_check(options.device_check);
  return settle_kernels(resolve_kernel_choice(options.kernels), options.device_check, model.mar,
                        &model.vae, (guided ? 2 : 1) * batch, device);
}

void note_kernels(const KernelReport& report, const std::filesystem::path& path,
                  EvalOptions& resolved) {
  const EvalOptions usual;
  resolved.kernels = report.kernels.empty() ? usual.kernels : report.kernels;
  if (report.kernels.empty()) {
    resolved.cuda_graphs = usual.cuda_graphs;
  }
  if (!restarted_after_device_fault()) {
    return;
  }
  if (const auto settings = manifest_settings(path)) {
    resolved.kernels = settings->value("kernels", usual.kernels);
  }
}

void note_graphs(const KernelReport& report, const EvalOptions& options, ordered_json& settings) {
  if (!report.kernels.empty()) {
    settings["graphs"] = options.cuda_graphs;
  }
}

void note_kernels(const KernelReport& report, const EvalOptions& options, RunSummary& summary) {
  if (report.kernels.empty()) {
    return;
  }
  summary.kernels = report.kernels;
  summary.graphs = options.cuda_graphs ? "on" : "off";
  summary.device_check = ordered_json::array();
  for (const KernelVerdict& check : report.checks) {
    ordered_json one = {{"operation", check.operation},
                        {"shape", check.shape},
                        {"error", check.error},
                        {"tolerance", check.tolerance},
                        {"passed", check.passed()}};
    if (!check.trouble.empty()) {
      one["trouble"] = check.trouble;
    }
    summary.device_check.push_back(one);
  }
}

}  // namespace lazymar
