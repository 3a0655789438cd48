#include "core/error.h"
#include "core/option_field.h"
#include "core/text.h"
#include "method/option_rows.h"

namespace lazymar {
namespace {

constexpr const char* kGroup = "LazyMAR";
constexpr int64_t kMost = int64_t{1} << 31;
using L = LazyOptions;

const OptionNeed<L> kSteps{[](const L& lazy) { return lazy.token || lazy.condition; },
                           "token or condition among --lazy_caches"};
const OptionNeed<L> kToken{[](const L& lazy) { return lazy.token; }, "token among --lazy_caches"};
const OptionNeed<L> kCondition{[](const L& lazy) { return lazy.condition; },
                               "condition among --lazy_caches"};
const OptionNeed<L> kHead{[](const L& lazy) { return lazy.head; }, "head among --lazy_caches"};

/// Reads "token,head" and the like.
OptionField<L> caches_field() {
  OptionField<L> field;
  field.words = {"token", "condition", "head"};
  field.read = [](L& lazy, const std::string& text) {
    lazy.token = lazy.condition = lazy.head = false;
    for (const std::string& name : split(text, ',')) {
      if (name != "token" && name != "condition" && name != "head") {
        throw usage_error(text, ": ", did_you_mean(name, {"token", "condition", "head"}),
                          "use any of token,condition,head");
      }
      (name == "token" ? lazy.token : name == "head" ? lazy.head : lazy.condition) = true;
    }
  };
  field.value = [](const L& lazy) {
    std::vector<std::string> names;
    for (const auto& [name, used] :
         {std::pair{"token", lazy.token}, {"condition", lazy.condition}, {"head", lazy.head}}) {
      if (used) {
        names.emplace_back(name);
      }
    }
    return OptionValue(names);
  };
  field.folder_text = [](const L& lazy) {
    return concat(lazy.token ? "t" : "", lazy.condition ? "c" : "", lazy.head ? "h" : "");
  };
  return field;
}

OptionField<L> retain_field() {
  OptionField<L> field;
  field.words = {"scaled", "published", "progress"};
  field.read = [](L& lazy, const std::string& text) { parse_retain(text, lazy); };
  field.value = [](const L& lazy) { return OptionValue(retain_string(lazy)); };
  return field;
}

/// A row that later releases added: written only if it differs, so that older runs still resume.
OptionRow<L> later_row(OptionRow<L> row) {
  row.info.setting->always = false;
  return row;
}

OptionRow<L> lazy_row(OptionInfo info, const char* key, const char* label, OptionField<L> field,
                      std::vector<OptionNeed<L>> needs) {
  info.group = kGroup;
  info.arm = true;
  info.setting = Setting{.key = concat("lazy_mar/", key), .always = true};
  info.folder = FolderPart{.label = label, .place = 2};
  return {std::move(info), std::move(field), std::move(needs)};
}

}  // namespace

OptionTable<LazyOptions> lazy_rows() {
  return {
      lazy_row({.name = "lazy_caches",
                .value = "LIST",
                .help = "Use only these caches: any of token,condition,head."},
               "caches", "caches-", caches_field(), {}),
      lazy_row({.name = "lazy_warmup",
                .value = "N",
                .help = "Compute the first N decoding steps in full."},
               "warmup", "warmup", integer(&L::warmup, 0, kMost), {kSteps}),
      lazy_row({.name = "lazy_refresh",
                .value = "N",
                .help = "Compute every N-th decoding step after the warm-up in full."},
               "refresh", "refresh", integer(&L::refresh, 1, kMost), {kSteps}),
      lazy_row({.name = "lazy_prune_layer",
                .value = "N",
                .help = "Choose the rows to recompute after the attention of decoder layer N. "
                        "Layers count from 0."},
               "prune_layer", "prune", integer(&L::prune_layer, 0, kMost), {kToken}),
      lazy_row({.name = "lazy_extra",
                .value = "N",
                .help = "Recompute N rows beyond those just decoded and those to predict."},
               "extra", "extra", integer(&L::extra, 0, kMost), {kToken}),
      lazy_row({.name = "lazy_head_refresh",
                .value = "N",
                .help = "Compute the whole diffusion head at every N-th diffusion step."},
               "head_refresh", "headrefresh", integer(&L::head_refresh, 1, kMost), {kHead}),
      lazy_row(
          {.name = "lazy_retain",
           .value = "LIST",
           .help = "Set the share of rows to recompute: published, scaled, progress, or a list by "
                   "decoding step such as 1,1,0.5."},
          "retain", "retain-", retain_field(), {kToken}),
      lazy_row({.name = "lazy_condition_scale",
                .value = "X",
                .help = "Multiply the kept difference between the guided passes by X. 0 drops it."},
               "condition_scale", "condscale", number(&L::condition_scale, -100, 100),
               {kCondition}),
      later_row(
          lazy_row({.name = "lazy_refresh_by",
                    .value = "WHAT",
                    .help = "Count --lazy_refresh and --lazy_warmup in decoding steps, or let "
                            "--lazy_refresh go by progress: by the tokens that are known, in "
                            "steps of MAR's 64."},
                   "refresh_by", "by-",
                   choice(&L::by_progress, {{"step", false}, {"progress", true}}), {kSteps})),
      later_row(lazy_row({.name = "lazy_refresh_at_stages",
                          .value = "WHAT",
                          .help = "Compute the first decoding step of each stage in full, or not."},
                         "refresh_at_stages", "stages-",
                         choice(&L::at_stages, {{"on", true}, {"off", false}}), {kSteps})),
  };
}

}  // namespace lazymar
