#include <algorithm>
#include <string_view>

#include "cache/retain_schedule.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/eval_specs.h"
#include "core/error.h"
#include "core/text.h"
#include "generate/drift_files.h"

namespace lazymar {
namespace {

constexpr int64_t kMost = int64_t{1} << 31;
constexpr int64_t kMostSteps = (int64_t{1} << 16) - 1;
std::vector<int64_t> parse_classes(const std::string& text) {
  std::vector<int64_t> classes;
  for (const std::string& part : split(text, ',')) {
    classes.push_back(parse_index(part));
    if (classes.back() < 0) {
      throw usage_error("--classes ", text, ": use class numbers separated by commas");
    }
    if (std::count(classes.begin(), classes.end(), classes.back()) > 1) {
      throw usage_error("--classes ", text, ": class ", part, " is there twice");
    }
  }
  return classes;
}

std::pair<int64_t, int64_t> parse_grid(const std::string& text) {
  constexpr int64_t kMostTiles = 64;
  const std::vector<std::string> parts = split(text, 'x');
  const int64_t rows = parse_index(parts.front());
  const int64_t columns = parse_index(parts.back());
  if (parts.size() != 2 || rows < 1 || columns < 1 || rows > kMostTiles || columns > kMostTiles) {
    throw usage_error("--grid ", text, ": use ROWSxCOLUMNS, at most ", kMostTiles, " each");
  }
  return {rows, columns};
}

void parse_caches(const std::string& text, LazyOptions& lazy) {
  lazy.token = lazy.condition = lazy.head = false;
  for (const std::string& name : split(text, ',')) {
    if (name == "token") {
      lazy.token = true;
    } else if (name == "condition") {
      lazy.condition = true;
    } else if (name == "head") {
      lazy.head = true;
    } else {
      throw usage_error("--lazy_caches ", text, ": use any of token,condition,head");
    }
  }
}

/// Constants of caches that are not in use.
void refuse_without_effect(const Arguments& arguments, const LazyOptions& lazy) {
  struct Constant {
    const char* name;
    const char* caches;
    bool used;
  };
  const bool steps = lazy.token || lazy.condition;  // the head's cache works within every step
  for (const Constant& constant : {Constant{"lazy_warmup", "token or condition", steps},
                                   {"lazy_refresh", "token or condition", steps},
                                   {"lazy_prune_layer", "token", lazy.token},
                                   {"lazy_extra", "token", lazy.token},
                                   {"lazy_retain", "token", lazy.token},
                                   {"lazy_head_refresh", "head", lazy.head},
                                   {"lazy_condition_scale", "condition", lazy.condition}}) {
    if (arguments.given(constant.name) && !constant.used) {
      throw usage_error("--", constant.name, " has no effect without ", constant.caches,
                        " among --lazy_caches");
    }
  }
}

void read_lazy(const Arguments& arguments, std::optional<LazyOptions>& lazy) {
  if (arguments.given("lazy_mar")) {
    lazy.emplace();
  }
  for (const char* name :
       {"lazy_caches", "lazy_warmup", "lazy_refresh", "lazy_prune_layer", "lazy_extra",
        "lazy_head_refresh", "lazy_retain", "lazy_condition_scale"}) {
    if (arguments.given(name) && !lazy) {
      throw usage_error("--", name, " has no effect without --lazy_mar");
    }
  }
  if (!lazy) {
    return;
  }
  if (arguments.given("lazy_caches")) {
    parse_caches(arguments.text("lazy_caches"), *lazy);
  }
  refuse_without_effect(arguments, *lazy);
  if (arguments.given("lazy_retain")) {
    parse_retain(arguments.text("lazy_retain"), *lazy);
  }
  arguments.read_integer("lazy_warmup", lazy->warmup, 0, kMost);
  arguments.read_integer("lazy_refresh", lazy->refresh, 1, kMost);
  arguments.read_integer("lazy_prune_layer", lazy->prune_layer, 0, kMost);
  arguments.read_integer("lazy_extra", lazy->extra, 0, kMost);
  arguments.read_integer("lazy_head_refresh", lazy->head_refresh, 1, kMost);
  arguments.read_number("lazy_condition_scale", lazy->condition_scale, -100, 100);
}

void read_architecture(const Arguments& arguments, ArchitectureFlags& flags) {
  arguments.read_integer("img_size", flags.img_size, 1, kMost);
  arguments.read_integer("vae_stride", flags.vae_stride, 1, kMost);
  arguments.read_integer("patch_size", flags.patch_size, 1, kMost);
  arguments.read_integer("vae_embed_dim", flags.vae_embed_dim, 1, kMost);
  arguments.read_integer("class_num", flags.class_num, 1, kMost);
  arguments.read_integer("buffer_size", flags.buffer_size, 1, kMost);
  arguments.read_integer("diffloss_d", flags.diffloss_d, 1, kMost);
  arguments.read_integer("diffloss_w", flags.diffloss_w, 1, kMost);
}

void read_processes(const Arguments& arguments, EvalOptions& options) {
  constexpr int64_t kMostProcesses = 1024;
  constexpr double kDay = 86400;
  if (arguments.given("gpus") && arguments.text("gpus") != "all") {
    arguments.read_integer("gpus", options.gpus, 1, kMostProcesses);
  }
  options.all_gpus = arguments.given("gpus") && !options.gpus;
  arguments.read_integer("workers", options.workers, 1, kMostProcesses);
  arguments.read_integer("max_restarts", options.max_restarts, 0, kMost);
  arguments.read_number("grace", options.grace, 0.1, kDay);
  arguments.read_number("stall", options.stall, 0.1, kDay);
  options.halve_on_oom = !arguments.is_second("oom", "halve", "fail");
}

void read_files(const Arguments& arguments, EvalOptions& options) {
  if (arguments.given("durability")) {
    options.durability = parse_durability(arguments.text("durability"));
  }
  options.few_files = arguments.given("few_files");
  options.verify_deep = arguments.is_second("verify", "quick", "deep");
  options.metadata = !arguments.given("no_metadata");
  arguments.read_integer("png_threads", options.png_threads, 1, 256);
  arguments.read("record_drift", options.record_drift);
  if (options.record_drift && options.lazy) {
    throw usage_error("--record_drift measures plain MAR, which computes every row: leave",
                      " --lazy_mar out");
  }
  if (options.record_drift && options.num_images > kMostRecordedImages) {
    throw usage_error("--record_drift is for a few images, at most ", kMostRecordedImages,
                      ": add --num_images 16, say");
  }
}

std::vector<std::string> ignored_flags(const Arguments& arguments) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : eval_flags()) {
    if (std::string_view(spec.group) == kIgnored && arguments.given(spec.name)) {
      names.emplace_back(spec.name);
    }
  }
  return names;
}

}  // namespace

Parsed<EvalOptions> parse_eval_options(int argc, const char* const* argv) {
  const Arguments arguments(
      "lazymar_eval", "Generates class-conditional images with MAR, or with LazyMAR's caches.",
      eval_flags(), argc, argv);
  Parsed<EvalOptions> parsed;
  parsed.text = arguments.information();
  EvalOptions& options = parsed.options;
  arguments.read("model", options.model.model);
  arguments.read("resume", options.model.resume);
  arguments.read("vae_path", options.model.vae_path);
  options.model.random_weights = arguments.given("random_weights");
  options.model.check_crc = !arguments.given("no_crc");
  read_architecture(arguments, options.model.architecture);
  int64_t seed = 1;
  arguments.read_integer("seed", seed, 0, INT64_MAX);
  options.model.seed = static_cast<uint64_t>(seed);
  arguments.read_integer("num_iter", options.sampling.num_iter, 1, kMostSteps);
  arguments.read_integer("num_sampling_steps", options.sampling.num_sampling_steps, 1, 1000);
  arguments.read_number("temperature", options.sampling.temperature, 0, 100);
  arguments.read_number("cfg", options.cfg, 0, 1000);
  if (arguments.given("cfg_schedule")) {
    options.cfg_schedule = parse_cfg_schedule(arguments.text("cfg_schedule"));
  }
  read_lazy(arguments, options.lazy);
  arguments.read_integer("num_images", options.num_images, 1, kMost);
  options.auto_batch = arguments.given("eval_bsz") && arguments.text("eval_bsz") == "auto";
  if (!options.auto_batch) {
    arguments.read_integer("eval_bsz", options.eval_bsz, 1, 1 << 16);
  }
  arguments.read_integer("threads", options.threads, 1, 1 << 12);
  if (arguments.given("classes")) {
    options.classes = parse_classes(arguments.text("classes"));
  }
  arguments.read("device", options.device);
  if (arguments.given("precision")) {
    options.precision = parse_precision(arguments.text("precision"));
  }
  options.cuda_graphs = !arguments.is_second("cuda_graphs", "on", "off");
  arguments.read("output_dir", options.output_dir);
  options.overwrite = arguments.given("overwrite");
  if (arguments.given("grid")) {
    options.grid = parse_grid(arguments.text("grid"));
  }
  options.preview = arguments.given("preview");
  read_processes(arguments, options);
  read_files(arguments, options);
  arguments.read("score", options.score);
  for (const char* name : {"extractor", "extractor_weights"}) {
    if (arguments.given(name) && !options.score) {
      throw usage_error("--", name, " has no effect without --score");
    }
  }
  arguments.read("extractor", options.extractor.name);
  arguments.read("extractor_weights", options.extractor.weights);
  options.ignored = ignored_flags(arguments);
  return parsed;
}

}  // namespace lazymar
