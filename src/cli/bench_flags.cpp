#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "core/error.h"
#include "core/text.h"

namespace lazymar {
namespace {

const OptionSpec kBenchOptions[] = {
    {"Comparison", "models", "names as lazymar_eval's --model takes them (mar_huge)", "LIST"},
    {"Comparison", "batch", "images computed at once, such as 1,8,32 (1)", "LIST"},
    {"Comparison", "arms",
     "what is compared, the first with the others: baseline or lazy, followed by any of "
     "lazymar_eval's flags for precision, CUDA graphs, sampling and caches; arms with flags are "
     "separated by semicolons: \"baseline; lazy; lazy --precision fp32 --lazy_refresh 5\" "
     "(baseline,lazy)",
     "ARMS"},
    {"Comparison", "precision", "of arms that do not say: auto, bf16, fp16, fp32 or fp64 (auto)",
     "TYPE"},
    {"Comparison", "num_iter", "decoding steps of arms that do not say (64)", "N"},
    {"Comparison", "num_sampling_steps", "diffusion steps of arms that do not say (100)", "N"},
    {"Measurement", "repeats",
     "measured runs of each arm, in turns, after one that is not measured (3)", "N"},
    {"Measurement", "sample_steps",
     "run only N decoding steps of each kind (full; lazy, by share of rows recomputed) and "
     "extrapolate the others",
     "N"},
    {"Measurement", "device", "auto, cpu, cuda, cuda:N (auto)", "NAME"},
    {"Measurement", "threads", "CPU threads (all cores)", "N"},
    {"Weight", "random_weights", "no checkpoints: weights drawn from the seed"},
    {"Weight", "vae_path", "VAE checkpoint, as lazymar_eval takes it", "FILE"},
    {"Weight", "no_crc", "do not compare the checksums in a .pth or .ckpt"},
    {"Weight", "seed", "of random weights and noise (1)", "N"},
    {"Output", "markdown", "write what is printed", "FILE"},
    {"Output", "json", "write everything that was measured", "FILE"},
    {"Output", "csv", "write a line per model, batch and arm", "FILE"},
};

/// lazymar_eval's flags that an arm may have.
constexpr std::array<std::string_view, 16> kArmFlags{"precision",          "eval_bsz",
                                                     "cuda_graphs",        "num_iter",
                                                     "num_sampling_steps", "cfg",
                                                     "cfg_schedule",       "temperature",
                                                     "lazy_caches",        "lazy_warmup",
                                                     "lazy_refresh",       "lazy_extra",
                                                     "lazy_prune_layer",   "lazy_head_refresh",
                                                     "lazy_retain",        "lazy_condition_scale"};

/// Of those, the ones that lazymar_bench has itself, for all arms.
constexpr std::array kCommonFlags{"precision", "num_iter", "num_sampling_steps"};

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

void check_flag(const std::string& arm, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::string known;
  for (const std::string_view flag : kArmFlags) {
    if (name == concat("--", flag)) {
      return;
    }
    known += concat(known.empty() ? "--" : ", --", flag);
  }
  throw usage_error("--arms: \"", arm, "\": ", name, " is none of an arm's flags: ", known);
}

/// `common`: flags of all arms; the arm's own come behind them and win.
BenchArm parse_arm(const std::string& text, const std::vector<std::string>& common) {
  const std::vector<std::string> words = words_of(text);
  if (words.empty() || (words[0] != "baseline" && words[0] != "lazy")) {
    throw usage_error("--arms: \"", text, "\": an arm begins with baseline or lazy; ",
                      "arms with flags are separated by semicolons");
  }
  std::vector<std::string> flags{"lazymar_eval"};
  flags.insert(flags.end(), common.begin(), common.end());
  if (words[0] == "lazy") {
    flags.emplace_back("--lazy_mar");
  }
  BenchArm arm{words[0], {}, {}};
  for (auto word = words.begin() + 1; word != words.end(); ++word) {
    if (word->starts_with("-") && parse_index(word->substr(1)) < 0) {
      check_flag(text, *word);
    }
    flags.push_back(*word);
    arm.name += " " + *word;
  }
  std::vector<const char*> arguments;
  for (const std::string& flag : flags) {
    arguments.push_back(flag.c_str());
  }
  try {
    const EvalOptions options =
        parse_eval_options(static_cast<int>(arguments.size()), arguments.data()).options;
    arm.method = options;
    arm.batch = options.eval_bsz;
  } catch (const Error& error) {
    throw usage_error("--arms: \"", text, "\": ", error.what());
  }
  return arm;
}

std::vector<BenchArm> parse_arms(const std::string& text, const std::vector<std::string>& common) {
  const bool plain = text.find_first_of(";-") == std::string::npos;
  std::vector<BenchArm> arms;
  for (const std::string& part : split(text, plain ? ',' : ';')) {
    arms.push_back(parse_arm(part, common));
  }
  return arms;
}

std::vector<int64_t> parse_batches(const std::string& text) {
  constexpr int64_t kLargest = 1 << 16;
  std::vector<int64_t> batches;
  for (const std::string& part : split(text, ',')) {
    batches.push_back(parse_index(part));
    if (batches.back() < 1 || batches.back() > kLargest) {
      throw usage_error("--batch ", text, ": use numbers from 1 to ", kLargest,
                        " separated by commas");
    }
  }
  return batches;
}

std::vector<std::string> parse_models(const std::string& text) {
  std::vector<std::string> models = split(text, ',');
  if (std::find(models.begin(), models.end(), "") != models.end()) {
    throw usage_error("--models ", text, ": use names separated by commas");
  }
  return models;
}

}  // namespace

Parsed<BenchOptions> parse_bench_options(int argc, const char* const* argv) {
  const Arguments arguments(
      "lazymar_bench", "Times MAR against LazyMAR, or any settings against each other, in turns.",
      kBenchOptions, argc, argv);
  Parsed<BenchOptions> parsed;
  parsed.text = arguments.information();
  BenchOptions& options = parsed.options;
  if (arguments.given("models")) {
    options.models = parse_models(arguments.text("models"));
  }
  if (arguments.given("batch")) {
    options.batches = parse_batches(arguments.text("batch"));
  }
  std::vector<std::string> common;
  for (const char* name : kCommonFlags) {
    if (arguments.given(name)) {
      common.insert(common.end(), {concat("--", name), arguments.text(name)});
    }
  }
  options.arms =
      parse_arms(arguments.given("arms") ? arguments.text("arms") : "baseline,lazy", common);
  arguments.read_integer("repeats", options.repeats, 1, 1000);
  arguments.read_integer("sample_steps", options.sample_steps, 1, 1000);
  arguments.read("device", options.device);
  arguments.read_integer("threads", options.threads, 1, 1 << 12);
  options.model.random_weights = arguments.given("random_weights");
  arguments.read("vae_path", options.model.vae_path);
  options.model.check_crc = !arguments.given("no_crc");
  int64_t seed = 1;
  arguments.read_integer("seed", seed, 0, INT64_MAX);
  options.model.seed = static_cast<uint64_t>(seed);
  arguments.read("markdown", options.markdown);
  arguments.read("json", options.json);
  arguments.read("csv", options.csv);
  return parsed;
}

}  // namespace lazymar
