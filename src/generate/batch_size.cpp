#include "generate/batch_size.h"

#include <algorithm>
#include <exception>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "files/environment.h"
#include "flops/cost_table.h"
#include "generate/begun_run.h"
#include "generate/memory_warning.h"
#include "pipeline/device.h"

namespace lazymar {
namespace {

constexpr int64_t kProbe = 64;   ///< images of the larger measured batch
constexpr int64_t kMost = 1024;  ///< larger batches are not faster
constexpr int64_t kMultiple = 8;
constexpr double kUsable = 0.9;  ///< of the memory: fragments and workspaces take some

/// A batch that could be measured, `images` or fewer.
struct Probe {
  int64_t images = 0;
  int64_t bytes = 0;
};

int64_t half_of(int64_t images) {
  return images / 2;
}

int64_t somewhat_less(int64_t images) {
  const int64_t less = images - std::max<int64_t>(1, images / 8);
  return less > kMultiple ? less / kMultiple * kMultiple : less;
}

Probe measured(const MeasuredPeak& peak, int64_t images, int64_t (*smaller)(int64_t)) {
  while (true) {
    try {
      return {images, peak(images)};
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error)) {
        throw;
      }
    }
    if (images == 1) {
      throw usage_error("--eval_bsz auto: not even one image fits in the device's memory");
    }
    images = smaller(images);
  }
}

/// Peak memory of batches of that size. The first batch captures; memory needed only for capturing
/// is released before the second batch is measured, and the captures stay.
int64_t peak_of(Generator& generator, int64_t images) {
  const c10::Device device = generator.model().mar.class_emb.device();
  generator.release_unused_memory();
  std::vector<int64_t> ids(static_cast<size_t>(images));
  std::iota(ids.begin(), ids.end(), 0);
  // Results kept by class grow with the classes in a batch.
  std::vector<int64_t> labels(ids);
  for (int64_t& label : labels) {
    label %= generator.model().mar.config.class_count;
  }
  generator.generate(ids, labels);
  release_unused_memory(device);
  reset_peak_memory(device);
  generator.generate(ids, labels);
  return device_memory(device).peak;
}

}  // namespace

int64_t largest_batch(const MeasuredPeak& peak, const AvailableMemory& available, int64_t most) {
  const Probe large = measured(peak, std::min(most, kProbe), half_of);
  if (large.images == 1) {
    return 1;
  }
  const Probe small = measured(peak, large.images / 2, half_of);
  const double each = std::max(1.0, static_cast<double>(large.bytes - small.bytes) /
                                        static_cast<double>(large.images - small.images));
  const double left = kUsable * static_cast<double>(available()) - static_cast<double>(large.bytes);
  // The larger batch did fit, whatever the extrapolation says.
  const auto batch = large.images + static_cast<int64_t>(std::max(0.0, left) / each);
  const int64_t limited = std::min({batch, most, kMost});
  const int64_t chosen =
      limited > kMultiple && limited < most ? limited / kMultiple * kMultiple : limited;
  // The linear extrapolation is only an estimate, so the result is tried. The run begins with the
  // batch tried last, captures included.
  return measured(peak, chosen, somewhat_less).images;
}

int64_t cpu_image_bytes(const MarConfig& config, const DecodingPlan& plan, Precision precision) {
  // A block's input, norm, queries, keys, values, attention and its projection.
  constexpr int64_t kRowsBesideMlp = 7;
  const int64_t numbers = std::max(kRowsBesideMlp * config.encoder_dim + config.encoder_mlp_dim,
                                   kRowsBesideMlp * config.decoder_dim + config.decoder_mlp_dim);
  return cache_bytes_per_image(config, plan, precision) +
         config.rows() * plan.halves() * numbers * static_cast<int64_t>(sizeof(float));
}

int64_t cpu_batch(int64_t usual, int64_t image_bytes, const std::optional<MemoryRoom>& room,
                  const HostProcesses& processes) {
  if (!room) {
    return usual;
  }
  const auto bytes = static_cast<int64_t>(kUsable * static_cast<double>(room->bytes));
  const int64_t share = (bytes - (processes.count - 1) * processes.bytes) / processes.count;
  return std::clamp<int64_t>(share / image_bytes, 1, usual);
}

int64_t automatic_batch(const EvalOptions& options, const LauncherEnv& env, Generator& generator,
                        const std::filesystem::path& run_folder, int64_t usual, int64_t weights) {
  const auto begun = begun_setting(options, env, run_folder, "eval_bsz");
  if (begun && begun->is_number_integer() && begun->get<int64_t>() >= 1) {
    return std::min(begun->get<int64_t>(), options.num_images);
  }
  if (env.joins) {
    throw usage_error(run_folder.string(),
                      ": --join: there is no run; --eval_bsz auto takes the batch size of one");
  }
  if (env.rank != 0) {
    throw usage_error("--eval_bsz auto: rank 0 did not choose a batch size within --stall ",
                      options.stall, " seconds; give a number");
  }
  const c10::Device device = generator.model().mar.class_emb.device();
  if (device.is_cpu()) {
    const int64_t most = std::min(usual, options.num_images);
    const auto room = memory_room(own_environment);
    const int64_t batch = cpu_batch(
        most, cpu_image_bytes(generator.model().mar.config, generator.plan(), options.precision),
        room, {env.local_size, weights + kProgramBytes});
    if (batch < most) {
      log_info(concat("--eval_bsz auto: ", batch,
                      ": the memory for more is missing (limit: ", room->limit,
                      env.local_size > 1 ? concat(", ", env.local_size, " processes") : "", ")"));
    }
    return batch;
  }
  const int64_t batch =
      largest_batch([&](int64_t images) { return peak_of(generator, images); },
                    [&] { return device_memory(device).available; }, options.num_images);
  log_info(concat("--eval_bsz auto: ", batch));
  return batch;
}

}  // namespace lazymar
