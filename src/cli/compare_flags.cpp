#include "cli/commands.h"
#include "core/error.h"

namespace lazymar {

Parsed<CompareOptions> parse_compare_options(int argc, const char* const* argv) {
  Parsed<CompareOptions> parsed = parse(compare_program(), compare_rows(), argc, argv);
  CompareOptions& options = parsed.options;
  options.keys = setting_keys(describe(eval_rows()));
  options.runs.assign(parsed.operands.begin(), parsed.operands.end());
  if (options.tolerance && !options.drift) {
    throw usage_error("--suggest_schedule needs --drift DIR, which lazymar_eval",
                      " --record_drift DIR writes");
  }
  if (!options.replay.empty() && !options.drift) {
    throw usage_error("--replay needs --drift DIR, which lazymar_eval",
                      " --record_drift DIR --record_head N writes");
  }
  const bool recordings_alone =
      options.runs.empty() && (options.tolerance || !options.replay.empty());
  if (!parsed.text && options.runs.size() < 2 && !recordings_alone) {
    throw usage_error(
        "a baseline's run folder and at least one other are needed (for --suggest_schedule and",
        " --replay alone none); --help tells more");
  }
  return parsed;
}

}  // namespace lazymar
