#include "doctor/machine.h"

#include <ATen/Context.h>
#include <torch/version.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "core/cpu_features.h"
#include "core/error.h"
#include "core/error_text.h"
#include "core/precision.h"
#include "core/revision.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/environment.h"
#include "files/memory_room.h"
#include "files/writable_check.h"
#include "pipeline/compute.h"
#include "pipeline/device.h"
#include "pipeline/fastest_precision.h"
#include "run/launcher_env.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDriverFile = "/proc/driver/nvidia/version";
constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
constexpr double kLeastDisk = 0.1 * kGiB;    ///< 1000 images of 256x256 pixels take about as much
constexpr double kLeastMemory = 0.5 * kGiB;  ///< LibTorch and the demo model take 0.3 GiB
constexpr size_t kLongest = 200;

/// Instruction sets that products use, of /proc/cpuinfo's flags.
std::string cpu_flags() {
  static const std::vector<std::string> kKnown{"avx2",     "avx512f",     "avx512_vnni",
                                               "avx_vnni", "avx512_bf16", "avx512_fp16",
                                               "amx_bf16", "amx_int8"};
  std::vector<std::string> found;
  std::istringstream words(cpu_info("flags"));
  for (std::string word; words >> word;) {
    if (std::find(kKnown.begin(), kKnown.end(), word) != kKnown.end()) {
      found.push_back(word);
    }
  }
  return found.empty() ? "none of AVX2 to AMX" : join(found, " ");
}

/// What `auto` takes for the smallest published model: measured on a CPU.
std::string precision_facts(c10::Device device) {
  if (!device.is_cpu()) {
    return concat("auto is ", to_string(resolve_precision({}, /*on_cpu=*/false)));
  }
  const auto rates = measure_products(published_config(*find_preset("mar_base")));
  return concat("auto is ", to_string(fastest(rates)), " for mar_base (", to_string(rates), ")");
}

/// What of the environment a run reads: "RANK=0 WORLD_SIZE=2".
std::string variables_seen(const Environment& environment) {
  constexpr const char* kNames[] = {"RANK",
                                    "WORLD_SIZE",
                                    "LOCAL_RANK",
                                    "LOCAL_WORLD_SIZE",
                                    "OMPI_COMM_WORLD_RANK",
                                    "OMPI_COMM_WORLD_SIZE",
                                    "OMPI_COMM_WORLD_LOCAL_RANK",
                                    "OMPI_COMM_WORLD_LOCAL_SIZE",
                                    "SLURM_JOB_ID",
                                    "SLURM_PROCID",
                                    "SLURM_STEP_NUM_TASKS",
                                    "SLURM_LOCALID",
                                    "SLURM_NODEID",
                                    "SLURM_TASKS_PER_NODE",
                                    "SLURM_STEP_TASKS_PER_NODE",
                                    "SLURM_CPUS_PER_TASK",
                                    "SLURM_MEM_PER_NODE",
                                    "SLURM_MEM_PER_CPU",
                                    "SLURM_CPUS_ON_NODE",
                                    "CUDA_VISIBLE_DEVICES",
                                    "OMP_NUM_THREADS",
                                    "LAZYMAR_HOME"};
  std::vector<std::string> seen;
  for (const char* const name : kNames) {
    if (const char* const value = environment(name); value != nullptr) {
      seen.push_back(concat(name, "=", one_line(value, kLongest)));
    }
  }
  return join(seen, " ");
}

std::string driver() {
  std::ifstream file(kDriverFile);
  std::string line;
  return std::getline(file, line) ? one_line(line, kLongest) : "";
}

void examine_gpus(Findings& findings) {
  const std::string installed = driver();
  const int64_t count = cuda_device_count();
  for (int64_t i = 0; i < count; ++i) {
    findings.fact(concat("GPU ", i), device_model({c10::kCUDA, static_cast<c10::DeviceIndex>(i)}));
  }
  if (count == 0) {
    findings.fact("GPUs", at::hasCUDA() ? "none is visible" : "not used: this build has no CUDA");
  }
  findings.fact("driver", installed.empty() ? "no NVIDIA driver" : installed);
}

}  // namespace

void examine_build(const DoctorOptions& options, Findings& findings) {
  findings.fact("version", version_string());
  findings.fact("LibTorch", concat(TORCH_VERSION, at::hasCUDA() ? ", with CUDA" : ", CPUs only"));
  findings.fact("processor", device_model(c10::kCPU));
  findings.fact("instructions", concat(cpu_flags(), "; products use ", cpu_feature_names()));
  examine_gpus(findings);
  try {
    const Compute compute = start_computing({.device = options.device, .threads = std::nullopt});
    findings.fact("device", concat(compute.device.str(), "; threads: ", compute.threads));
    findings.fact("precision", precision_facts(compute.device));
  } catch (const Error& error) {
    findings.problem(text_with_flag(error));
  }
}

void examine_launcher(const Environment& environment, Findings& findings) {
  try {
    const std::string variables = variables_seen(environment);
    if (!variables.empty()) {
      findings.fact("variables", variables);
    }
    const LauncherEnv env = read_launcher_env(environment);
    findings.fact("launcher", env.launcher == Launcher::kExternal
                                  ? concat("process ", env.rank, " of ", env.size, ", number ",
                                           env.local_rank, " on this host")
                                  : "none: lazymar_eval starts its own processes");
  } catch (const Error& error) {
    findings.fact("launcher", "incomplete");
    findings.problem(error.what());
  }
}

void examine_room(const DoctorOptions& options, Findings& findings) {
  const auto memory = memory_room(own_environment);
  const double room = memory ? static_cast<double>(memory->bytes) : 0;
  findings.fact("memory", memory ? concat(gib_text(room), " available (limit: ", memory->limit, ")")
                                 : "unknown");
  if (memory && room < kLeastMemory) {
    findings.problem(concat("only ", gib_text(room), " of memory is available (limit: ",
                            memory->limit, "); stop other programs, or raise the limit"));
  }
  const std::string name = visible(options.output_dir.string());
  try {
    check_output_folder(options.output_dir, "--output_dir");
    fs::path there = fs::absolute(options.output_dir);
    while (!fs::exists(there)) {
      there = there.parent_path();
    }
    const double free = static_cast<double>(fs::space(there).available);
    findings.fact("disk", concat(gib_text(free), " free for ", name));
    if (free < kLeastDisk) {
      findings.problem(
          concat("only ", gib_text(free), " are free for ", name, "; choose another --output_dir"));
    }
  } catch (const std::exception& error) {
    findings.fact("disk", concat(name, " cannot be written"));
    findings.problem(error.what());
  }
}

}  // namespace lazymar
