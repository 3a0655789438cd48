#include "cli/arguments.h"
#include "cli/commands.h"
#include "core/error.h"

namespace lazymar {
namespace {

const OptionSpec kCompareOptions[] = {
    {"Report", "output_dir", "report.html and comparison.json go there (comparison)", "DIR"},
    {"Report", "pairs", "image pairs of each run in the report, the worst first (20)", "N"},
    {"Report", "no_pairs", "figures alone: no image is looked at"},
    {"Report", "threads", "that compare images (all processors)", "N"},
    {"Feature", "features", "recorded by lazymar_eval --record_drift: shown in the report", "DIR"},
    {"Feature", "suggest_schedule",
     "print a list for --lazy_retain that keeps every reused output within this relative change",
     "TOL"},
    {"Feature", "lazy_warmup", "the list goes with this --lazy_warmup (5)", "N"},
    {"Feature", "lazy_refresh", "and with this --lazy_refresh (9)", "N"},
    {"Feature", "falling", "the list never rises from one lazy step to a later one"},
};

void read_drift_options(const Arguments& arguments, CompareOptions& options) {
  constexpr int64_t kMost = int64_t{1} << 31;
  arguments.read("features", options.features);
  arguments.read_number("suggest_schedule", options.tolerance, 0, 1000);
  arguments.read_integer("lazy_warmup", options.lazy.warmup, 0, kMost);
  arguments.read_integer("lazy_refresh", options.lazy.refresh, 1, kMost);
  options.falling = arguments.given("falling");
  if (options.tolerance && !options.features) {
    throw usage_error("--suggest_schedule needs --features DIR, which lazymar_eval",
                      " --record_drift DIR writes");
  }
  for (const char* name : {"lazy_warmup", "lazy_refresh", "falling"}) {
    if (arguments.given(name) && !options.tolerance) {
      throw usage_error("--", name, " has no effect without --suggest_schedule");
    }
  }
}

}  // namespace

Parsed<CompareOptions> parse_compare_options(int argc, const char* const* argv) {
  constexpr int64_t kMostPairs = 1000;
  Parsed<CompareOptions> parsed;
  CompareOptions& options = parsed.options;
  // Run folders, however many, are what remains when the flags are gone.
  const Arguments arguments(
      "lazymar_compare", "Compares runs with a baseline: likeness of images, time, work.",
      kCompareOptions, argc, argv, {"BASELINE_RUN RUN...", {}, &options.runs});
  parsed.text = arguments.information();
  arguments.read("output_dir", options.output_dir);
  arguments.read_integer("pairs", options.pairs, 0, kMostPairs);
  arguments.read_integer("threads", options.threads, 1, 1 << 12);
  options.images = !arguments.given("no_pairs");
  read_drift_options(arguments, options);
  const bool list_alone = options.runs.empty() && options.tolerance;
  if (!parsed.text && options.runs.size() < 2 && !list_alone) {
    throw usage_error(
        "a baseline's run folder and at least one other are needed (for --suggest_schedule alone"
        " none); --help tells more");
  }
  return parsed;
}

}  // namespace lazymar
