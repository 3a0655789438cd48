#include "cli/commands.h"
#include "core/error.h"
#include "generate/drift_files.h"

namespace lazymar {

Parsed<EvalOptions> parse_eval_options(int argc, const char* const* argv) {
  Parsed<EvalOptions> parsed = parse(eval_program(), eval_rows(), argc, argv);
  const EvalOptions& options = parsed.options;
  const bool cached = !options.plan.cache.empty() && options.plan.cache != "none";
  if (options.record_drift && (options.lazy || cached)) {
    throw usage_error("--record_drift measures methods that compute every row: leave ",
                      options.lazy ? "--lazy_mar" : "--cache", " out");
  }
  if (options.record_drift && options.num_images > kMostRecordedImages) {
    throw usage_error("--record_drift is for a few images, at most ", kMostRecordedImages,
                      ": add --num_images 16, say");
  }
  return parsed;
}

}  // namespace lazymar
