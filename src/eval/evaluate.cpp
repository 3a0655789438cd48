#include "lazymar/eval/evaluate.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <numeric>
#include <utility>

#include "lazymar/eval/device.h"
#include "lazymar/eval/generator.h"
#include "lazymar/eval/log.h"
#include "lazymar/eval/progress.h"
#include "lazymar/eval/run_folder.h"
#include "lazymar/eval/summary.h"
#include "lazymar/io/atomic_file.h"
#include "lazymar/io/png.h"

namespace lazymar {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kCudaBatch = 128;
constexpr int64_t kCpuBatch = 8;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<int64_t> chosen_classes(const EvalOptions& options, int64_t class_count) {
  std::vector<int64_t> classes = options.classes;
  if (classes.empty()) {
    classes.resize(static_cast<size_t>(class_count));
    std::iota(classes.begin(), classes.end(), 0);
  }
  for (const int64_t label : classes) {
    if (label >= class_count) {
      throw usage_error("--classes ", label, ": the model has classes 0 to ", class_count - 1);
    }
  }
  return classes;
}

/// The tiles of a contact sheet: images spread evenly over the set, kept until the end.
class ContactSheet {
 public:
  ContactSheet(std::pair<int64_t, int64_t> grid, int64_t num_images) : grid_(grid) {
    const int64_t tiles = grid.first * grid.second;
    for (int64_t tile = 0; tile < tiles; ++tile) {
      tiles_of_[tile * num_images / tiles].push_back(tile);
    }
    tiles_.resize(static_cast<size_t>(tiles));
  }

  void offer(int64_t id, std::span<const uint8_t> pixels) {
    const auto found = tiles_of_.find(id);
    if (found == tiles_of_.end()) {
      return;
    }
    for (const int64_t tile : found->second) {
      tiles_[static_cast<size_t>(tile)].assign(pixels.begin(), pixels.end());
    }
  }

  std::vector<std::byte> png(int64_t size) const {
    const auto [rows, columns] = grid_;
    return encode_png(tile_images(tiles_, size, size, columns, rows), size * columns, size * rows);
  }

 private:
  std::pair<int64_t, int64_t> grid_;
  std::map<int64_t, std::vector<int64_t>> tiles_of_;  ///< by image id
  std::vector<std::vector<uint8_t>> tiles_;
};

/// One run from its first block to its summary.
class Evaluation {
 public:
  Evaluation(const EvalOptions& options, Generator& generator, WeightHashes& hashes,
             const RunFolder& folder, RunSummary summary)
      : options_(options),
        generator_(generator),
        hashes_(hashes),
        folder_(folder),
        summary_(std::move(summary)),
        classes_(chosen_classes(options, generator.model().mar.config.class_count)),
        sheet_(options.grid.value_or(std::pair<int64_t, int64_t>(0, 0)), options.num_images) {}

  void run() {
    write_summary();
    Progress progress(options_.num_images);
    progress.start();
    const auto start = Clock::now();
    for (int64_t first = 0; first < options_.num_images; first += summary_.eval_bsz) {
      make_block(first);
      summary_.wall_seconds = seconds_since(start);
      progress.update(std::min(first + summary_.eval_bsz, options_.num_images));
    }
    if (options_.grid) {
      write_file_atomically(folder_.info() / "grid.png", sheet_.png(generator_.model().img_size),
                            folder_.info());
    }
    summary_.mar_hash = hashes_.mar.get();
    summary_.vae_hash = hashes_.vae.get();
    summary_.complete = true;
    write_summary();
  }

  const RunSummary& summary() const { return summary_; }

 private:
  void make_block(int64_t first) {
    // Every block has the same shape: the last one is padded with images that nobody keeps.
    std::vector<int64_t> ids(static_cast<size_t>(summary_.eval_bsz));
    std::iota(ids.begin(), ids.end(), first);
    std::vector<int64_t> labels;
    for (const int64_t id : ids) {
      labels.push_back(
          label_of(std::min(id, options_.num_images - 1), classes_, options_.num_images));
    }
    const GeneratedBlock made = generator_.generate(ids, labels);
    const auto start = Clock::now();
    const int64_t count = std::min(summary_.eval_bsz, options_.num_images - first);
    for (int64_t slot = 0; slot < count; ++slot) {
      write_image(first + slot, made.pixels[slot]);
    }
    summary_.blocks.push_back(
        {count, summary_.eval_bsz, made.seconds, seconds_since(start), made.work});
  }

  void write_image(int64_t id, const at::Tensor& image) {
    const std::span pixels(image.const_data_ptr<uint8_t>(), static_cast<size_t>(image.numel()));
    folder_.write_image(id, encode_png(pixels, image.size(1), image.size(0)));
    sheet_.offer(id, pixels);
  }

  void write_summary() const {
    write_text_atomically(folder_.info() / "summary.json", summary_json(summary_));
  }

  const EvalOptions& options_;
  Generator& generator_;
  WeightHashes& hashes_;
  const RunFolder& folder_;
  RunSummary summary_;
  std::vector<int64_t> classes_;
  ContactSheet sheet_;
};

void warn_of_ignored(const EvalOptions& options) {
  if (options.ignored.empty()) {
    return;
  }
  std::string names;
  for (const std::string& name : options.ignored) {
    names += concat(names.empty() ? "--" : ", --", name);
  }
  log_warning(concat("without a meaning here, ignored: ", names));
}

RunSummary describe(const EvalOptions& options, const ResolvedSettings& resolved,
                    const Generator& generator, c10::Device device) {
  RunSummary summary;
  summary.model = options.model.model;
  summary.mar_source = generator.model().mar_source;
  summary.vae_source = generator.model().vae_source;
  summary.device = device.str();
  summary.precision = to_string(options.precision);
  summary.threads = at::get_num_threads();
  summary.num_images = options.num_images;
  summary.eval_bsz = resolved.eval_bsz;
  summary.seed = options.model.seed;
  summary.sampling = resolved.sampling;
  summary.lazy = options.lazy;
  summary.lazy_steps = generator.lazy_steps();
  summary.baseline_rows = generator.baseline_rows();
  return summary;
}

}  // namespace

int64_t label_of(int64_t id, const std::vector<int64_t>& classes, int64_t num_images) {
  return classes[static_cast<size_t>(id * static_cast<int64_t>(classes.size()) / num_images)];
}

ExitCode evaluate(const EvalOptions& options) {
  refuse_several_processes();
  warn_of_ignored(options);
  set_threads(options.threads);
  const Placement placement = resolve_placement(options.precision, options.device);
  Model model = load_model(options.model, placement);

  const int64_t batch = placement.device.is_cuda() ? kCudaBatch : kCpuBatch;
  const ResolvedSettings standard{resolve_sampling(EvalOptions{}, model.recommended),
                                  std::min(batch, options.num_images)};
  const ResolvedSettings resolved{resolve_sampling(options, model.recommended),
                                  std::min(options.eval_bsz.value_or(batch), options.num_images)};
  WeightHashes hashes(model);
  Generator generator(std::move(model), resolved.sampling, options.lazy, options.model.seed);
  const RunFolder folder(
      options.output_dir / options.model.model / settings_name(options, resolved, standard),
      options.overwrite);
  log_to_file(folder.info() / "lazymar_eval.log");
  Evaluation evaluation(options, generator, hashes, folder,
                        describe(options, resolved, generator, placement.device));
  evaluation.run();
  std::fputs(summary_text(evaluation.summary()).c_str(), stdout);
  std::printf("Run folder: %s\n", folder.path().c_str());
  return ExitCode::kDone;
}

}  // namespace lazymar
