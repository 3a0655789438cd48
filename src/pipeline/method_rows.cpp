// Of option_rows.h: how the networks sample, with what replaces what a preset said.
#include "cache/policies.h"
#include "core/option_field.h"
#include "diffusion/solvers.h"
#include "method/method_text.h"
#include "method/option_rows.h"
#include "method/presets.h"
#include "pipeline/option_rows.h"

namespace lazymar {
namespace {

/// `row` with its value in another member: what the user chose, or nothing.
template <typename T>
OptionRow<MethodRequest> chosen(const OptionRow<SamplingOptions>& row,
                                OptionField<MethodRequest> field, const T& otherwise) {
  OptionRow<MethodRequest> result(row.info, std::move(field));
  result.info.default_text = concat("the checkpoint's, or ", otherwise);
  return result;
}

/// A constant T overrides what a preset said, and is no setting where --head_steps holds.
OptionRow<MethodRequest> num_sampling_steps_row(OptionRow<MethodRequest> row) {
  row.present = [](const MethodRequest& request) { return request.plan.head_steps.empty(); };
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    read(request, text);
    request.plan.head_steps.clear();
    request.num_sampling_steps_given = request.sampling.num_sampling_steps;
  };
  return row;
}

/// So does a cosine of N steps.
OptionRow<MethodRequest> num_iter_row(OptionRow<MethodRequest> row) {
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    read(request, text);
    request.plan.tokens_per_step.clear();
    request.num_iter_given = request.sampling.num_iter;
  };
  return row;
}

/// Refuses a text that says another number than an option that was given besides.
void check_agreement(const std::string& text, int64_t said, const std::optional<int64_t>& given,
                     const char* option, const char* what) {
  if (given && *given != said) {
    throw usage_error(text, ": ", said, " ", what, ", but --", option, " says ", *given,
                      "; leave one of them out");
  }
}

/// "cosine:N" is --num_iter N; every other text sets num_iter to the steps it has.
OptionRow<MethodRequest> tokens_row(OptionRow<MethodRequest> row) {
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    read(request, text);
    DecodingMethod method;
    read_tokens_per_step(text, method);
    check_agreement(text, method.steps(), request.num_iter_given, "num_iter", "decoding steps");
    request.sampling.num_iter = method.steps();
    if (method.stages.empty() && method.schedule == DecodingMethod().schedule) {
      request.plan.tokens_per_step.clear();
    }
  };
  return row;
}

/// The solver must be in a table that the row's room does not see.
OptionRow<MethodRequest> solver_row(OptionRow<MethodRequest> row) {
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    (void)solvers().at(text);
    read(request, text);
  };
  return row;
}

OptionRow<MethodRequest> head_steps_row(OptionRow<MethodRequest> row) {
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    read(request, text);
    check_agreement(text, read_head_steps(text).front().steps, request.num_sampling_steps_given,
                    "num_sampling_steps", "diffusion steps at first");
  };
  return row;
}

/// Replaces a preset's cache. LazyMAR's own cache is --lazy_mar, however it is written.
OptionRow<MethodRequest> cache_row(OptionRow<MethodRequest> row) {
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    const CacheSpec cache = read_cache(text);
    (void)cache_policies().at(cache.policy);
    if (!request.lazy_given) {
      request.lazy.reset();
    }
    read(request, text);
    if (cache == CacheSpec{"lazymar", {}}) {
      request.plan.cache.clear();
      request.lazy = request.lazy.value_or(LazyOptions());
    } else if (cache == CacheSpec() && !request.lazy) {
      request.plan.cache.clear();
    }
  };
  return row;
}

/// LazyMAR's options, which remember that one of them was written.
OptionTable<MethodRequest> lazy_rows_of_request() {
  OptionTable<MethodRequest> rows = within(lazy_rows(), &MethodRequest::lazy, "--lazy_mar");
  for (OptionRow<MethodRequest>& row : rows) {
    row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
      read(request, text);
      request.lazy_given = true;
    };
  }
  return rows;
}

OptionTable<MethodRequest> plan_rows_of_request() {
  OptionTable<MethodRequest> rows = within<MethodRequest>(plan_rows(), &MethodRequest::plan);
  for (OptionRow<MethodRequest>& row : rows) {
    if (row.info.name == "tokens_per_step") {
      row = tokens_row(row);
    } else if (row.info.name == "head_steps") {
      row = head_steps_row(row);
    } else if (row.info.name == "solver") {
      row = solver_row(row);
    } else if (row.info.name == "cache") {
      row = cache_row(row);
    }
  }
  return rows;
}

/// Stands before the rows that it sets, so that what is given besides overrides it.
OptionRow<MethodRequest> method_row(const OptionTable<MethodRequest>& rows) {
  OptionField<MethodRequest> field;
  for (const MethodPreset& preset : presets().rows()) {
    field.words.emplace_back(preset.name);
  }
  field.read = [rows](MethodRequest& request, const std::string& name) {
    for (const PresetOption& option : presets().at(name).options) {
      row_named(rows, option.option).field.read(request, std::string(option.value));
    }
    request.method = name;
    // What the preset says is there to be overridden.
    request.num_iter_given.reset();
    request.num_sampling_steps_given.reset();
    request.lazy_given = false;
  };
  field.value = [](const MethodRequest& request) {
    return request.method.empty() ? OptionValue() : OptionValue(request.method);
  };
  return {{.name = "method",
           .value = "NAME",
           .group = "Sampling",
           .help = "Draw by this method, such as gtr-32 or disa.",
           .main = true,
           .arm = true,
           .setting = Setting{.key = "method", .png_text = true, .noted = true, .drift = true}},
          field};
}

OptionRow<MethodRequest> lazy_mar_row() {
  OptionField<MethodRequest> field;
  field.read = [](MethodRequest& request, const std::string&) {
    request.plan.cache.clear();  // a preset's: --cache is read after this
    request.lazy.emplace();
    request.lazy_given = true;
  };
  // Null without the caches; otherwise the caches' rows fill it in.
  field.value = [](const MethodRequest&) { return OptionValue(); };
  field.folder_text = [](const MethodRequest& request) {
    return !request.method.empty() ? request.method : request.lazy ? "lazy" : "baseline";
  };
  return {{.name = "lazy_mar",
           .group = "LazyMAR",
           .help = "Reuse what earlier steps computed: LazyMAR's three caches.",
           .main = true,
           .setting = Setting{.key = "lazy_mar", .always = true, .png_text = true},
           .folder = FolderPart{.label = "", .place = 2, .always = true}},
          field};
}

}  // namespace

OptionTable<MethodRequest> method_rows() {
  using M = MethodRequest;
  const OptionTable<SamplingOptions> sampling = sampling_rows();
  const auto plain = within<MethodRequest>(sampling, &M::sampling);
  const SamplingOptions defaults;
  OptionTable<MethodRequest> own{
      num_iter_row(row_named(plain, "num_iter")),
      num_sampling_steps_row(row_named(plain, "num_sampling_steps")),
      chosen(row_named(sampling, "cfg"), number(&M::cfg, 0, 1000), defaults.cfg),
      chosen(row_named(sampling, "cfg_schedule"),
             choice(&M::cfg_schedule,
                    {{"linear", CfgSchedule::kLinear}, {"constant", CfgSchedule::kConstant}}),
             to_string(defaults.cfg_schedule)),
      row_named(plain, "temperature"),
      lazy_mar_row()};
  const OptionTable<MethodRequest> rows =
      join<MethodRequest>({own, lazy_rows_of_request(), plan_rows_of_request()});
  return join<MethodRequest>({{method_row(rows)}, rows});
}

}  // namespace lazymar
