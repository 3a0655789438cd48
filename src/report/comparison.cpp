#include "report/comparison.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "report/similarity.h"
#include "run/run_folder.h"
#include "run/timings.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

/// The settings that determine which image an id is; the others only affect how it is computed.
ordered_json identity(const RunData& run, const SettingKeys& keys) {
  ordered_json chosen;
  for (const std::string& key : keys.identity) {
    const ordered_json value = run.settings.value(key, ordered_json());
    // A list counts as one value; otherwise every number would be a difference.
    chosen[key] = value.is_array() ? ordered_json(value.dump()) : value;
  }
  return chosen;
}

void refuse_strangers(const RunData& baseline, const RunData& run, const SettingKeys& keys) {
  const std::string difference = differences(identity(baseline, keys), identity(run, keys));
  if (!difference.empty()) {
    throw usage_error(run.folder.string(), " and ", baseline.folder.string(),
                      ": their images cannot be paired: ", difference,
                      "; draw both with the same, or compare figures alone with --no_pairs");
  }
}

/// Differing settings other than the cache and the files' layout.
std::vector<std::string> other_differences(const RunData& baseline, const RunData& run,
                                           const SettingKeys& keys) {
  std::vector<std::string> found;
  const auto note = [&](const std::string& key, const ordered_json& there,
                        const ordered_json& here) {
    if (there != here) {
      found.push_back(concat(key, ": ", there.dump(), " in the baseline, ", here.dump(), " here"));
    }
  };
  for (const std::string& key : keys.noted) {
    note(key, baseline.settings.value(key, ordered_json()),
         run.settings.value(key, ordered_json()));
  }
  if (!baseline.weights.is_null() && !run.weights.is_null()) {
    note("weights", baseline.weights, run.weights);
  }
  return found;
}

DecodedImage decode(const RunData& run, int64_t id) {
  std::optional<DecodedImage> image = decode_png(run.png(id));
  if (!image) {
    throw usage_error(run.folder.string(), ": image ", id, " cannot be decoded");
  }
  return std::move(*image);
}

Pair compare_images(const RunData& baseline, const RunData& run, int64_t id) {
  const DecodedImage a = decode(baseline, id);
  const DecodedImage b = decode(run, id);
  if (a.width != b.width || a.height != b.height) {
    throw usage_error("image ", id, " has ", a.width, "x", a.height, " pixels in ",
                      baseline.folder.string(), " and ", b.width, "x", b.height, " in ",
                      run.folder.string());
  }
  return {id, psnr(a, b), ssim(a, b)};
}

/// Fills `result.pairs` and `result.left_out`.
void compare_all(const RunData& baseline, const RunData& run, const std::vector<int64_t>& ids,
                 int64_t threads, PairedRun& result) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < ids.size();) {
      try {
        const Pair pair = compare_images(baseline, run, ids[i]);
        const std::lock_guard lock(mutex);
        result.pairs.push_back(pair);
      } catch (const Error& error) {
        const std::lock_guard lock(mutex);
        result.left_out.emplace_back(error.what());
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
        return;
      }
    }
  };
  std::vector<std::thread> workers;
  for (int64_t i = 0; i < threads; ++i) {
    workers.emplace_back(work);
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

std::optional<double> mean(const std::vector<double>& values) {
  double sum = 0;
  int64_t count = 0;
  for (const double value : values) {
    if (std::isfinite(value)) {
      sum += value;
      ++count;
    }
  }
  return count > 0 ? std::optional(sum / static_cast<double>(count)) : std::nullopt;
}

std::optional<double> median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  if (values.empty() || !std::isfinite(values[values.size() / 2])) {
    return std::nullopt;
  }
  return quantile(values, 0.5);
}

std::optional<double> share(int64_t part, int64_t whole) {
  return whole > 0 ? std::optional(static_cast<double>(part) / static_cast<double>(whole))
                   : std::nullopt;
}

}  // namespace

std::vector<std::string> recorded_differences(const RunData& baseline, const ordered_json& recorded,
                                              const SettingKeys& keys) {
  std::vector<std::string> found;
  for (const std::string& key : keys.drift) {
    const ordered_json there = baseline.settings.value(key, ordered_json());
    const ordered_json here = recorded.value(key, ordered_json());
    if (there != here) {
      found.push_back(concat(key, ": ", there.dump(), " in the baseline, ", here.dump(), " there"));
    }
  }
  return found;
}

PairStatistics statistics(const std::vector<Pair>& pairs) {
  PairStatistics result;
  std::vector<double> psnrs;
  std::vector<double> ssims;
  for (const Pair& pair : pairs) {
    psnrs.push_back(pair.psnr);
    result.identical += std::isfinite(pair.psnr) ? 0 : 1;
    if (pair.ssim) {
      ssims.push_back(*pair.ssim);
    }
  }
  result.count = static_cast<int64_t>(pairs.size());
  result.psnr_mean = mean(psnrs);
  result.psnr_median = median(psnrs);
  result.ssim_mean = mean(ssims);
  result.ssim_median = median(ssims);
  return result;
}

void check_rules(Comparison& comparison, int64_t threads) {
  if (!std::all_of(comparison.runs.begin(), comparison.runs.end(), has_rules)) {
    return;
  }
  for (const RunData& run : comparison.runs) {
    comparison.rules.push_back(check_run(run, threads));
  }
  for (size_t i = 0; i < comparison.paired.size(); ++i) {
    std::vector<Pair>& pairs = comparison.paired[i].pairs;
    std::stable_partition(pairs.begin(), pairs.end(), [&](const Pair& pair) {
      return breaks_rule(comparison.rules.front(), comparison.rules[i + 1], pair.id);
    });
  }
}

PairedRun pair_runs(const RunData& baseline, const RunData& run, const SettingKeys& keys,
                    bool images, int64_t threads) {
  PairedRun result;
  result.differences = other_differences(baseline, run, keys);
  if (!images) {
    return result;
  }
  refuse_strangers(baseline, run, keys);
  std::vector<int64_t> ids;
  for (const auto& [id, shard] : run.images) {
    if (baseline.images.contains(id)) {
      ids.push_back(id);
    }
  }
  if (ids.empty()) {
    throw usage_error(run.folder.string(), " and ", baseline.folder.string(),
                      ": no image is finished in both; let lazymar_eval go on first");
  }
  compare_all(baseline, run, ids, threads, result);
  if (result.pairs.empty()) {
    throw usage_error("no image of ", run.folder.string(),
                      " can be compared: ", result.left_out.front());
  }
  std::sort(result.pairs.begin(), result.pairs.end(), [](const Pair& a, const Pair& b) {
    return std::pair(a.psnr, a.id) < std::pair(b.psnr, b.id);
  });
  std::sort(result.left_out.begin(), result.left_out.end());
  return result;
}

RunFigures figures(const RunData& run, const RunData& baseline) {
  RunFigures result;
  const MeasuredShards measured = measured_shards(run.shards);
  result.warm_up = measured.warm_up;
  result.latencies = shard_latencies(measured);
  result.seconds_per_image = quantile(result.latencies, 0.5);
  if (const double there = seconds_per_image(baseline.shards); result.seconds_per_image > 0) {
    result.speedup = there / result.seconds_per_image;
  }
  const WorkPerImage work = work_per_image(run.shards);
  result.flops = work.flops;
  if (run.total_rows) {
    result.transformer_rows = share(work.block_rows, run.total_rows->transformer);
    result.head_rows = share(work.head_rows, run.total_rows->head);
  }
  result.full_steps = std::count(run.step_kinds.begin(), run.step_kinds.end(), 'F');
  result.lazy_steps = std::count(run.step_kinds.begin(), run.step_kinds.end(), 'L');
  return result;
}

}  // namespace lazymar
