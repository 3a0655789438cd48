#include "core/shared_rows.h"
#include "core/text.h"
#include "metrics/demo_classifier.h"
#include "metrics/inception.h"
#include "score/command.h"

namespace lazymar {
namespace {

constexpr const char* kScores = "Scores";
constexpr const char* kFeatures = "Saved features";
constexpr const char* kOutput = "Output";
using S = ScoreOptions;

OptionField<S> metrics_field() {
  static constexpr std::pair<const char*, bool Metrics::*> kMetrics[] = {
      {"fid", &Metrics::fid},
      {"is", &Metrics::inception_score},
      {"kid", &Metrics::kid},
      {"pr", &Metrics::precision_recall}};
  OptionField<S> field;
  field.words = {"fid", "is", "kid", "pr", "none"};
  field.read = [](S& options, const std::string& text) {
    options.metrics = {false, false, false, false};
    for (const std::string& name : text == "none" ? std::vector<std::string>() : split(text, ',')) {
      bool known = false;
      for (const auto& [word, member] : kMetrics) {
        if (name == word) {
          options.metrics.*member = known = true;
        }
      }
      if (!known) {
        throw usage_error(text, ": ", did_you_mean(name, {"fid", "is", "kid", "pr", "none"}),
                          "use any of fid,is,kid,pr, or none");
      }
    }
  };
  field.value = [](const S& options) {
    std::vector<std::string> names;
    for (const auto& [word, member] : kMetrics) {
      if (options.metrics.*member) {
        names.emplace_back(word);
      }
    }
    return OptionValue(names);
  };
  return field;
}

OptionTable<FeatureKeeping> keeping_rows() {
  using K = FeatureKeeping;
  return {{{.name = "save_features",
            .group = kFeatures,
            .help = "Keep the features for the next time: in a run's info/features, else beside "
                    "the set.",
            .main = true},
           flag(&K::keep)},
          {{.name = "features_dir",
            .value = "DIR",
            .group = kFeatures,
            .help = "Keep features in DIR, and look for them there.",
            .default_text = "a run's info/features, else beside the set"},
           path(&K::folder)},
          {{.name = "fresh", .group = kFeatures, .help = "Ignore saved features."},
           flag(&K::reuse, false)}};
}

}  // namespace

OptionTable<ExtractorRequest> extractor_rows(const char* group) {
  using E = ExtractorRequest;
  return {{{.name = "extractor",
            .value = "NAME",
            .group = group,
            .help = "Take features with inception (FID's own), or with demo (the demo's "
                    "classifier)."},
           choice(&E::name, {{"inception", "inception"}, {"demo", "demo"}})},
          {{.name = "extractor_weights",
            .value = "FILE",
            .group = group,
            .help = "Load the extractor from FILE.",
            .default_text = concat(kInceptionWeights, " or ", kDemoClassifier)},
           path(&E::weights)}};
}

OptionTable<ScoreOptions> score_rows() {
  const OptionTable<S> scores{
      {{.name = "fid",
        .value = "REF",
        .group = kScores,
        .help = "Compare with REF: statistics (.npz), images (a run, a folder, a tar, an .npz), or "
                "saved features.",
        .main = true},
       path(&S::reference)},
      {{.name = "metrics",
        .value = "LIST",
        .group = kScores,
        .help = "Compute these scores, if the reference allows: any of fid,is,kid,pr, or none.",
        .main = true},
       metrics_field()},
      {{.name = "rules",
        .group = kScores,
        .help = "Check the rules of the pictures of --model rules instead: passes by class.",
        .main = true},
       flag(&S::rules)}};
  OptionTable<S> extractor = within<S>(extractor_rows(kScores), &S::extractor);
  extractor.front().info.main = true;
  extractor.push_back(rebase<S>(
      checkpoint_dir_row(&ExtractorRequest::checkpoint_dir, kScores),
      [](auto& options) -> auto& { return options.extractor; }));
  const OptionTable<S> work{device_row(&S::device),
                            threads_row(&S::threads),
                            {{.name = "decode_threads",
                              .value = "N",
                              .group = kDeviceGroup,
                              .help = "Read and decode images ahead on N threads."},
                             integer(&S::decode_threads, 1, 256)}};
  const OptionTable<S> sets{
      {{.name = "merge",
        .group = kScores,
        .help = "Score a folder that holds several runs as one set of all their images."},
       flag(&S::merge)}};
  const OptionTable<S> output{
      {{.name = "json",
        .value = "FILE",
        .group = kOutput,
        .help = "Write everything as JSON. With -, write it to stdout and the table to stderr.",
        .main = true},
       path(&S::json)},
      {{.name = "save_stats",
        .value = "OUT.npz",
        .group = kOutput,
        .help = "Write the set's mean and covariance, as torch-fidelity and MAR read them.",
        .main = true},
       path(&S::save_stats)},
      {{.name = "to_npz",
        .value = "OUT.npz",
        .group = kOutput,
        .help = "Write the set's images, shuffled, as OpenAI's evaluator reads them."},
       path(&S::to_npz)}};
  return join<S>({scores, extractor, sets, output, within<S>(keeping_rows(), &S::features), work});
}

}  // namespace lazymar
