#include "cli/arguments.h"
#include "cli/commands.h"
#include "core/error.h"
#include "core/text.h"

namespace lazymar {
namespace {

const OptionSpec kScoreOptions[] = {
    {"Score", "fid",
     "compare with REF: statistics (.npz with mu and sigma), or images (a run, a folder, a tar, an "
     ".npz with arr_0), or saved features (.safetensors)",
     "REF"},
    {"Score", "metrics", "any of fid,is,kid,pr, or none (all that the reference allows)", "LIST"},
    {"Score", "extractor", "inception (FID's own), or demo (the demo's classifier) (inception)",
     "NAME"},
    {"Score", "extractor_weights",
     "its weights (pretrained_models/inception/weights-inception-2015-12-05-6726825d.pth, "
     "pretrained_models/demo_classifier.safetensors)",
     "FILE"},
    {"Score", "rules",
     "check the rules of the pictures of --model rules: passes by class, and nothing else"},
    {"Work", "device", "auto, cpu, cuda, cuda:N (auto)", "NAME"},
    {"Work", "threads", "CPU threads that compute (all cores)", "N"},
    {"Work", "decode_threads", "threads that read and decode images ahead (4)", "N"},
    {"File", "save_features",
     "keep features: in info/features of a run, else beside the set; they are used when the set is "
     "scored again"},
    {"File", "features_dir", "keep and look for features there", "DIR"},
    {"File", "fresh", "do not use saved features"},
    {"File", "save_stats", "write the set's mu and sigma, as torch-fidelity and MAR take them",
     "OUT.npz"},
    {"File", "to_npz", "write the set's images, shuffled, as OpenAI's evaluator takes them",
     "OUT.npz"},
    {"File", "json", "write everything as JSON; - for stdout, the table then goes to stderr",
     "FILE"},
};

Metrics parse_metrics(const std::string& text) {
  Metrics metrics{false, false, false, false};
  if (text == "none") {
    return metrics;
  }
  for (const std::string& name : split(text, ',')) {
    if (name == "fid") {
      metrics.fid = true;
    } else if (name == "is") {
      metrics.inception_score = true;
    } else if (name == "kid") {
      metrics.kid = true;
    } else if (name == "pr") {
      metrics.precision_recall = true;
    } else {
      throw usage_error("--metrics ", text, ": use any of fid,is,kid,pr, or none");
    }
  }
  return metrics;
}

}  // namespace

Parsed<ScoreOptions> parse_score_options(int argc, const char* const* argv) {
  constexpr int64_t kMostThreads = 256;
  Parsed<ScoreOptions> parsed;
  ScoreOptions& options = parsed.options;
  const Arguments arguments(
      "lazymar_score",
      "Scores sets of images (run folders, folders of PNG or JPEG, tars, .npz); later ones also "
      "against the first.",
      kScoreOptions, argc, argv, {"SET...", {}, &options.sets});
  parsed.text = arguments.information();
  arguments.read("fid", options.reference);
  if (arguments.given("metrics")) {
    options.metrics = parse_metrics(arguments.text("metrics"));
  }
  arguments.read("extractor", options.extractor.name);
  arguments.read("extractor_weights", options.extractor.weights);
  arguments.read("device", options.device);
  arguments.read_integer("threads", options.threads, 1, 1 << 12);
  arguments.read_integer("decode_threads", options.decode_threads, 1, kMostThreads);
  options.features.keep = arguments.given("save_features");
  options.features.reuse = !arguments.given("fresh");
  arguments.read("features_dir", options.features.folder);
  arguments.read("save_stats", options.save_stats);
  arguments.read("to_npz", options.to_npz);
  arguments.read("json", options.json);
  options.rules = arguments.given("rules");
  for (const char* name : {"fid", "metrics", "extractor", "extractor_weights", "save_features",
                           "features_dir", "fresh", "save_stats", "to_npz"}) {
    if (options.rules && arguments.given(name)) {
      throw usage_error("--", name, " has no effect with --rules; give one of the two");
    }
  }
  if (parsed.text) {
    return parsed;
  }
  if (options.sets.empty()) {
    throw usage_error(
        "a set of images to score is needed: a run folder, a folder of PNG or JPEG, "
        "a tar, an .npz; --help tells more");
  }
  if (options.sets.size() > 1 && (options.save_stats || options.to_npz)) {
    throw usage_error(options.save_stats ? "--save_stats" : "--to_npz",
                      ": writes one file, and there are ", options.sets.size(), " sets");
  }
  return parsed;
}

}  // namespace lazymar
