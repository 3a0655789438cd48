#include "lazymar/core/error.h"
#include "lazymar/eval/arguments.h"
#include "lazymar/eval/options.h"

namespace lazymar {
namespace {

const OptionSpec kCompareOptions[] = {
    {"Options", "output_dir", "report.html and comparison.json go there (comparison)", "DIR"},
    {"Options", "pairs", "image pairs of each run in the report, the worst first (20)", "N"},
    {"Options", "no_pairs", "figures alone: no image is looked at"},
    {"Options", "threads", "that compare images (all processors)", "N"},
};

}  // namespace

Parsed<CompareOptions> parse_compare_options(int argc, const char* const* argv) {
  constexpr int64_t kMostPairs = 1000;
  Parsed<CompareOptions> parsed;
  CompareOptions& options = parsed.options;
  // Run folders, however many, are what remains when the flags are gone.
  const Arguments arguments("lazymar_compare",
                            "Compares runs with a baseline: lazymar_compare BASELINE_RUN RUN...",
                            kCompareOptions, argc, argv, {}, &options.runs);
  parsed.text = arguments.information();
  arguments.read("output_dir", options.output_dir);
  arguments.read_integer("pairs", options.pairs, 0, kMostPairs);
  arguments.read_integer("threads", options.threads, 1, 1 << 12);
  options.images = !arguments.given("no_pairs");
  if (!parsed.text && options.runs.size() < 2) {
    throw usage_error(
        "a baseline's run folder and at least one other are needed; --help tells more");
  }
  return parsed;
}

}  // namespace lazymar
