#include "bench/bench.h"

#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>

#include "bench/anonymous_memory.h"
#include "bench/bench_report.h"
#include "bench/count.h"
#include "bench/gemm_rate.h"
#include "bench/gpu_reader.h"
#include "bench/gpu_sampler.h"
#include "bench/step_samples.h"
#include "bench/types.h"
#include "core/labels.h"
#include "core/log.h"
#include "core/revision.h"
#include "files/atomic_file.h"
#include "files/writable_check.h"
#include "flops/flop_formula.h"
#include "nn/capture.h"
#include "pipeline/compute.h"
#include "pipeline/device.h"
#include "pipeline/fastest_precision.h"
#include "pipeline/generator.h"

namespace lazymar {
namespace {

/// Both networks by precision: loaded once, whatever the number of arms.
using Models = std::map<Precision, std::shared_ptr<const Networks>>;

/// One arm with one model and batch size, ready to run again and again.
class Contestant {
 public:
  /// `gpu`: reads the GPU's state; may be nullptr.
  Contestant(const BenchArm& arm, const std::shared_ptr<const Networks>& model, int64_t batch,
             const BenchOptions& options, const GpuReader* gpu)
      : generator_(model, resolve_method(arm.method, model->recommended), options.model.seed),
        work_{model->mar.config, model->vae.config, generator_.plan()},
        method_(arm.method.method),
        graphs_(arm.method.cuda_graphs),
        gpu_(gpu),
        ids_(static_cast<size_t>(batch)) {
    std::iota(ids_.begin(), ids_.end(), 0);
    std::vector<int64_t> classes(static_cast<size_t>(model->mar.config.class_count));
    std::iota(classes.begin(), classes.end(), 0);
    for (const int64_t id : ids_) {
      labels_.push_back(label_of(id, classes, batch));
    }
    if (options.sample_steps) {
      samples_.emplace(work_, batch, *options.sample_steps);
    }
  }

  /// A row before any measurement.
  BenchRow row() const {
    BenchRow row;
    row.batch = batch();
    row.method = method_;
    row.lazy = work_.plan.method.cache.policy == "lazymar";
    row.num_iter = work_.plan.count();
    row.num_sampling_steps = work_.plan.method.head.front().steps;
    row.measured_steps = samples_ ? samples_->measured_count() : work_.plan.count();
    row.original_flops =
        static_cast<double>(original_flops(work_, batch()).total()) / static_cast<double>(batch());
    return row;
  }

  /// Runs one batch; adds its time and FLOPs per image to `row`.
  void run(BenchRow& row) {
    GenerationHooks hooks;
    if (samples_) {
      hooks.wanted = [&](const DecodeStep& step) { return samples_->computed(step); };
      hooks.stepped = [&](const DecodeStep& step, const StageSeconds& seconds, int64_t) {
        if (samples_->measured(step)) {
          samples_->add(step, seconds);
        }
      };
    }
    const auto [made, wall_seconds] = make_batch(hooks, row);
    StageSeconds seconds = made.seconds;
    int64_t flops = made.work.flops;
    if (samples_) {
      const double rest = seconds.total - seconds.encoder - seconds.decoder - seconds.head;
      seconds = samples_->sum();
      seconds.vae = made.seconds.vae;
      seconds.total = seconds.encoder + seconds.decoder + seconds.head + rest;
      flops = FlopFormula(work_).batch(batch()).total();
    }
    const auto images = static_cast<double>(batch());  // what is outside the events passes once
    row.wall_seconds.push_back((seconds.total + (wall_seconds - made.seconds.total)) / images);
    row.runs.push_back({seconds.encoder / images, seconds.decoder / images, seconds.head / images,
                        seconds.vae / images, seconds.total / images});
    row.flops = static_cast<double>(flops) / images;
    row.cache_bytes = generator_.cache_bytes() / batch();
  }

 private:
  int64_t batch() const { return static_cast<int64_t>(ids_.size()); }

  /// Runs a batch and returns its wall time; adds its memory and the GPU's state to `row`.
  std::pair<GeneratedBatch, double> make_batch(const GenerationHooks& hooks, BenchRow& row) {
    const c10::Device device = generator_.model().mar.class_emb.device();
    enable_capture(graphs_);
    if (device.is_cuda()) {
      reset_peak_memory(device);
    }
    AnonymousMemoryPeak memory;
    GpuSampler sampler(gpu_);
    const auto start = std::chrono::steady_clock::now();
    const Generator::BatchInFlight flight = generator_.start(ids_, labels_, hooks);
    if (device.is_cuda()) {
      at::accelerator::synchronizeDevice(device.index());  // finish() polls only now and then
    }
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    const std::vector<GpuState> states = sampler.finish();
    row.gpu_states.insert(row.gpu_states.end(), states.begin(), states.end());
    row.peak_anonymous = std::max(row.peak_anonymous, memory.bytes());
    if (device.is_cuda()) {
      row.peak_device = std::max(row.peak_device, device_memory(device).peak);
    }
    GeneratedBatch made = Generator::finish(flight);
    const double seconds = device.is_cpu() ? made.seconds.total : wall.count();
    return {std::move(made), seconds};
  }

  Generator generator_;
  Workload work_;
  std::string method_;
  bool graphs_;
  const GpuReader* gpu_;
  std::vector<int64_t> ids_, labels_;
  std::optional<StepSamples> samples_;
};

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
    check_files();
    for (const std::string& name : options_.models) {
      const Models models = load(name);
      for (const int64_t batch : options_.batches) {
        run_group(name, models, batch);
        write_files();
      }
    }
    std::fputs(bench_markdown(report_).c_str(), stdout);
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
    const OpenModel files = open_model(request);
    precisions_.clear();
    for (const BenchArm& arm : options_.arms) {
      precisions_.push_back(arm.method.precision.is_auto()
                                ? automatic_precision(files.shape.mar, device_)
                                : arm.method.precision);
    }
    Models models;
    for (const Precision precision : precisions_) {
      if (!models.contains(precision)) {
        models[precision] =
            std::make_shared<const Networks>(load_model(files, {precision, device_}));
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
    for (size_t i = 0; i < options_.arms.size(); ++i) {
      const BenchArm& arm = options_.arms[i];
      contestants.push_back(std::make_unique<Contestant>(
          arm, models.at(precisions_[i]), arm.batch.value_or(batch), options_, gpu_.get()));
      BenchRow row = contestants[i]->row();
      row.model = model;
      row.arm = arm.name;
      row.group = group_;
      row.precision = precisions_[i];
      rows.push_back(std::move(row));
    }
    for (size_t i = 0; i < rows.size(); ++i) {
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

  void check_files() const {
    for (const auto& [path, name] : {std::pair(options_.markdown, "--markdown"),
                                     {options_.json, "--json"},
                                     {options_.csv, "--csv"}}) {
      if (path) {
        check_output_file(*path, name);
      }
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

}  // namespace

ExitCode bench(const BenchOptions& options) {
  if (options.types) {
    return measure_types(options);
  }
  return options.count ? count_flops(options) : Bench(options).run();
}

}  // namespace lazymar
