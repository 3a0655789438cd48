#include "method/option_rows.h"

#include "core/shared_rows.h"
#include "core/text.h"
#include "report/compare.h"
#include "report/predictors.h"

namespace lazymar {

namespace {

using C = CompareOptions;

/// A list of predictors.
OptionField<C> replay_field() {
  OptionField<C> field = member_field(&C::replay);
  for (const Predictor& predictor : predictors().rows()) {
    field.words.emplace_back(predictor.name);
  }
  field.read = [](C& options, const std::string& text) {
    options.replay = split(text, ',');
    for (const std::string& name : options.replay) {
      predictors().at(name);
    }
  };
  return field;
}

OptionTable<C> report_rows() {
  constexpr const char* kReport = "Report";
  return {
      {{.name = "output_dir",
        .value = "DIR",
        .group = kReport,
        .help = "Write report.html and comparison.json to DIR.",
        .main = true},
       path(&C::output_dir)},
      {{.name = "pairs",
        .value = "N",
        .group = kReport,
        .help = "Show N image pairs of each run, the least similar first.",
        .main = true},
       integer(&C::pairs, 0, 1000)},
      {{.name = "no_pairs",
        .group = kReport,
        .help = "Compare figures alone, and decode no image.",
        .main = true},
       flag(&C::images, false)},
  };
}

OptionTable<C> drift_rows() {
  constexpr const char* kDrift = "Drift";
  const OptionNeed<C> suggesting{[](const C& options) { return options.tolerance.has_value(); },
                                 "--suggest_schedule"};
  const auto of_list = [&](const char* name, const char* help) {
    OptionRow<C> row =
        within<C>(OptionTable<LazyOptions>{row_named(lazy_rows(), name)}, &C::lazy).front();
    row.info.group = kDrift;
    row.info.help = help;
    row.info.main = true;
    row.needs = {suggesting};
    return row;
  };
  return {
      {{.name = "drift",
        .value = "DIR",
        .group = kDrift,
        .help = "Show the drift that lazymar_eval --record_drift DIR recorded.",
        .aliases = {"features"},
        .main = true},
       path(&C::drift)},
      {{.name = "suggest_schedule",
        .value = "TOL",
        .group = kDrift,
        .help = "Print a list for --lazy_retain that keeps every reused row within this relative "
                "change.",
        .main = true},
       number(&C::tolerance, 0, 1000)},
      of_list("lazy_warmup", "Suggest for runs with this --lazy_warmup."),
      of_list("lazy_refresh", "Suggest for runs with this --lazy_refresh."),
      {{.name = "falling",
        .group = kDrift,
        .help = "Suggest a list that never rises from one lazy step to a later one.",
        .main = true},
       flag(&C::falling),
       {suggesting}},
      {{.name = "replay",
        .value = "LIST",
        .group = kDrift,
        .help = "Report how far predictors of the diffusion head are off, such as hold,taylor1, "
                "on what lazymar_eval --record_head recorded.",
        .default_text = "none",
        .main = true},
       replay_field()},
      {{.name = "replay_interval",
        .value = "N",
        .group = kDrift,
        .help = "Replay with every N-th diffusion step evaluated.",
        .main = true},
       integer(&C::replay_interval, 2, 500),
       {{[](const C& options) { return !options.replay.empty(); }, "--replay"}}},
  };
}

}  // namespace

OptionTable<CompareOptions> compare_rows() {
  return join<C>({report_rows(), drift_rows(), {threads_row(&C::threads)}});
}

}  // namespace lazymar
