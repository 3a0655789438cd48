#include <algorithm>

#include "cli/commands.h"
#include "core/error.h"

namespace lazymar {

Parsed<ScoreOptions> parse_score_options(int argc, const char* const* argv) {
  Parsed<ScoreOptions> parsed = parse(score_program(), score_rows(), argc, argv);
  ScoreOptions& options = parsed.options;
  options.sets.assign(parsed.operands.begin(), parsed.operands.end());
  for (const char* name : {"fid", "metrics", "extractor", "extractor_weights", "save_features",
                           "features_dir", "fresh", "save_stats", "to_npz"}) {
    if (options.rules && std::count(parsed.given.begin(), parsed.given.end(), name) > 0) {
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
