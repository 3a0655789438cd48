#include "generate/explain.h"

#include <algorithm>

#include "cache/policies.h"
#include "flops/cost_table.h"
#include "generate/model_fit.h"
#include "method/presets.h"
#include "pipeline/model_files.h"
#include "pipeline/option_rows.h"

namespace lazymar {
namespace {

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

/// Where an option's value comes from: the preset, unless the command line says otherwise.
std::string source_of(const MethodRequest& request, const MethodRequest& preset,
                      const OptionRow<MethodRequest>& row) {
  if (row.field.value(request) == row.field.value(preset) && !request.method.empty()) {
    for (const PresetOption& option : presets().at(request.method).options) {
      if (option.option == row.info.name) {
        return concat(to_string(option.kind), ": ", option.source);
      }
    }
  }
  return "command line";
}

bool is_switch(const OptionRow<MethodRequest>& row) {
  return row.info.value.empty();
}

/// The lines of the options that differ from MAR's, as they are on a command line.
std::string options_text(const MethodRequest& request) {
  const OptionTable<MethodRequest> rows = method_rows();
  MethodRequest preset;
  if (!request.method.empty()) {
    row_named(rows, "method").field.read(preset, request.method);
  }
  std::string text;
  for (const OptionRow<MethodRequest>& row : rows) {
    const std::string value = to_text(row.field.value(request));
    const auto is = [&](const MethodRequest& other) {
      return value == to_text(row.field.value(other));
    };
    // What takes a preset's value back to MAR's is listed, too.
    const bool given = (row.info.name == "num_iter" && request.num_iter_given) ||
                       (row.info.name == "num_sampling_steps" && request.num_sampling_steps_given);
    const bool differs =
        is_switch(row) ? request.lazy.has_value() : !is(MethodRequest()) || !is(preset) || given;
    const bool implied = row.info.name == "num_iter" && !request.plan.tokens_per_step.empty();
    if (row.info.name == "method" || implied || !differs ||
        (row.present && !row.present(request))) {
      continue;
    }
    // "none" is what takes a preset's value away; texts without that word have another option.
    if (value.empty() && !is_switch(row) && row.info.default_text != "none") {
      continue;
    }
    const std::string shown = is_switch(row) ? "" : concat(" ", value.empty() ? "none" : value);
    text += concat("  ", padded(concat("--", row.info.name, shown), 38),
                   source_of(request, preset, row), "\n");
  }
  return text.empty() ? "  MAR as released: no option differs\n" : text;
}

/// "2 3 3", runs as "3 x12".
std::string list_text(const std::vector<int64_t>& numbers) {
  std::string text;
  for (size_t i = 0; i < numbers.size();) {
    size_t end = i;
    while (end < numbers.size() && numbers[end] == numbers[i]) {
      ++end;
    }
    text += concat(text.empty() ? "" : " ", numbers[i]);
    text += end - i > 1 ? concat(" x", end - i) : "";
    i = end;
  }
  return text;
}

std::string plan_text(const DecodingPlan& plan) {
  std::vector<int64_t> tokens, evaluations, detail;
  for (const DecodeStep& step : plan.steps) {
    tokens.push_back(step.predicted());
    evaluations.push_back(plan.head(step).steps());
    detail.push_back(step.detail);
  }
  std::string text = concat("  decoding steps: ", plan.count(), " (", step_kinds(plan.steps),
                            ": F full, L lazy)\n  tokens per step: ", list_text(tokens),
                            "\n  head evaluations per step: ", list_text(evaluations), "\n");
  if (*std::max_element(detail.begin(), detail.end()) > 0) {
    text += concat("  tokens with more detail: ", list_text(detail), "\n");
  }
  return text;
}

}  // namespace

std::string explain_method(const EvalOptions& given) {
  const NetworkShape shape = read_shape(given.model);
  const EvalOptions options = fit_to_model(given, shape);
  const DecodingMethod method = resolve_method(options, shape.recommended);
  const std::string what =
      options.method.empty() ? "no preset" : std::string(presets().at(options.method).what);
  const CostRow costs = cost_row(shape.mar, shape.vae, method,
                                 resolve_baseline(options, shape.recommended), options.precision);
  return concat(method.name, ": ", what, "\n\nOptions, with the source of each:\n",
                options_text(options), "\nPlan for ", shape.source, ":\n",
                plan_text(make_plan(shape.mar, method)), "\n", cost_table({costs}));
}

}  // namespace lazymar
