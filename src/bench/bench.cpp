#include "bench/bench.h"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "bench/bench_report.h"
#include "bench/contestant.h"
#include "bench/count.h"
#include "bench/gemm_rate.h"
#include "bench/gpu_reader.h"
#include "bench/launches.h"
#include "bench/models.h"
#include "bench/table_files.h"
#include "bench/types.h"
#include "core/log.h"
#include "core/revision.h"
#include "core/text.h"
#include "files/atomic_file.h"
#include "pipeline/compute.h"
#include "pipeline/device.h"
#include "pipeline/fastest_precision.h"
#include "pipeline/kernel_check.h"

namespace lazymar {
namespace {

/// Both networks by precision: loaded once, whatever the number of arms.
using Models = std::map<Precision, std::shared_ptr<const Networks>>;

class Bench {
 public:
  explicit Bench(const BenchOptions& options)
      : options_(options),
        device_(start_computing({.device = options.device, .threads = options.threads}).device) {
    for (const BenchArm& arm : options.arms) {
      resolve_precision(arm.method.precision, device_.is_cpu());  // refused at once
    }
    read_gpu();
    BenchSetting& setting = report_.setting;
    setting.device = device_model(device_);
    setting.on_cpu = device_.is_cpu();
    setting.cores = std::thread::hardware_concurrency();
    setting.threads = at::get_num_threads();
    setting.lazymar = version_string();
    setting.libtorch = TORCH_VERSION;
    setting.repeats = options.repeats;
  }

  ExitCode run() {
    for (const std::string& name : options_.models) {
      const Models models = load(name);
      for (const int64_t batch : options_.batches) {
        run_group(name, models, batch);
        write_files();
      }
    }
    std::fputs(visible(bench_markdown(report_), /*keep_lines=*/true).c_str(), stdout);
    return ExitCode::kDone;
  }

 private:
  void read_gpu() {
    if (device_.is_cpu()) {
      return;
    }
    gpu_ = std::make_unique<const GpuReader>(device_.index());
    if (!gpu_->problem().empty()) {
      log_warning("clocks, power and temperature unavailable: " + gpu_->problem());
      gpu_.reset();
    }
  }

  Models load(const std::string& name) {
    ModelRequest request = options_.model;
    request.model = name;
    const OpenModel files = open_listed([&] { return open_model(request); });
    std::optional<Precision> measured;  // once: all arms with auto take the same
    precisions_.clear();
    for (const BenchArm& arm : options_.arms) {
      if (arm.method.precision.is_auto() && !measured) {
        measured = automatic_precision(files.shape.mar, device_);
      }
      precisions_.push_back(arm.method.precision.is_auto() ? *measured : arm.method.precision);
    }
    Models models;
    for (const Precision precision : precisions_) {
      if (!models.contains(precision)) {
        advise_int8(precision, files.shape.mar);
        models[precision] =
            std::make_shared<const Networks>(load_model(files, {precision, device_}));
        // What fails is replaced, and said on stderr: its time would be that of wrong images.
        settle_kernels(resolve_kernel_choice("auto"), /*check=*/true, models[precision]->mar,
                       &models[precision]->vae, 2 * options_.batches.back(), device_);
        report_.setting.weights =
            request.random_weights ? models[precision]->mar_source : "weights from files";
      }
    }
    return models;
  }

  /// All arms with one model and batch size.
  void run_group(const std::string& model, const Models& models, int64_t batch) {
    const size_t first = report_.rows.size();
    std::vector<BenchRow> rows;
    std::vector<std::unique_ptr<Contestant>> contestants;
    release_unused_memory(device_);  // of earlier measurements
    measure_gemm(models);
    const auto contestant = [&](size_t i) {
      const BenchArm& arm = options_.arms[i];
      return std::make_unique<Contestant>(arm, models.at(precisions_[i]), arm.batch.value_or(batch),
                                          options_, gpu_.get());
    };
    for (size_t i = 0; i < options_.arms.size(); ++i) {
      const BenchArm& arm = options_.arms[i];
      std::unique_ptr<Contestant> alone = contestant(i);
      BenchRow row = alone->row();
      if (device_.is_cuda()) {  // arms that take turns hold each other's graphs
        BenchRow discarded = row;
        alone->run(discarded);
        row.peak_device = alone->peak_device();
        alone.reset();
        release_unused_memory(device_);
      }
      row.model = model;
      row.arm = arm.name;
      row.group = group_;
      row.precision = precisions_[i];
      rows.push_back(std::move(row));
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      contestants.push_back(contestant(i));
      BenchRow warm_up = rows[i];
      contestants[i]->run(warm_up);
      tell(warm_up, "warm-up");
    }
    take_turns(contestants, rows, first);
    measure_gemm(models);
    for (BenchRow& row : rows) {
      row.gemm_rate = gemm_rates_.at(row.precision);
      report_.rows.push_back(std::move(row));
    }
    gemm_rates_.clear();
    ++group_;
  }

  /// A B C, C B A, A B C, ...: slow changes of the machine affect all arms equally.
  void take_turns(const std::vector<std::unique_ptr<Contestant>>& contestants,
                  std::vector<BenchRow>& rows, size_t first) {
    std::vector<size_t> turn(rows.size());
    std::iota(turn.begin(), turn.end(), 0);
    for (int64_t repeat = 0; repeat < options_.repeats; ++repeat) {
      for (const size_t i : turn) {
        contestants[i]->run(rows[i]);
        report_.order.push_back(static_cast<int64_t>(first + i));
        tell(rows[i], concat("run ", repeat + 1, " of ", options_.repeats));
      }
      std::reverse(turn.begin(), turn.end());
    }
  }

  static void tell(const BenchRow& row, const std::string& what) {
    log_info(concat(row.model, ", batch ", row.batch, ", ", row.arm, ", ", to_string(row.precision),
                    ", ", what, ": ", row.runs.back().total, " s per image",
                    row.extrapolated() ? " (extrapolated)" : ""));
  }

  void measure_gemm(const Models& models) {
    for (const auto& [precision, model] : models) {
      double& rate = gemm_rates_[precision];
      rate = std::max(rate, gemm_rate({precision, device_}));
    }
  }

  void write_files() const {
    const auto write = [](const auto& path, const std::string& text) {
      if (path) {
        write_text_atomically(*path, text);
      }
    };
    write(options_.markdown, bench_markdown(report_));
    write(options_.json, bench_json(report_));
    write(options_.csv, bench_csv(report_));
  }

  const BenchOptions& options_;
  c10::Device device_;
  std::unique_ptr<const GpuReader> gpu_;  ///< null on a CPU and if the driver reports nothing
  std::vector<Precision> precisions_;     ///< by arm, of the model at work
  std::map<Precision, double> gemm_rates_;
  BenchReport report_;
  int64_t group_ = 0;
};

/// Refuses options that would have no effect.
void check_kind(const BenchOptions& options) {
  std::vector<std::string> kinds;
  for (const auto& [given, name] : {std::pair(options.count, "--count"),
                                    {options.launches, "--launches"},
                                    {options.types, "--types"}}) {
    if (given) {
      kinds.emplace_back(name);
    }
  }
  if (kinds.size() > 1) {
    throw usage_error(join(kinds, " and "), " are different tables; give one of them");
  }
  if (!kinds.empty() && options.csv) {
    throw setting_error("csv", ": ", kinds[0], " has no CSV; omit it");
  }
  if (options.types && options.json) {
    throw setting_error("json", ": --types has no JSON; omit it");
  }
}

}  // namespace

ExitCode bench(const BenchOptions& options) {
  check_kind(options);
  check_table_files(options);
  if (options.types) {
    return measure_types(options);
  }
  if (options.launches) {
    return count_launches_of(options);
  }
  return options.count ? count_flops(options) : Bench(options).run();
}

}  // namespace lazymar
