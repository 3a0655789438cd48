#include <algorithm>
#include <utility>

#include "core/option_field.h"
#include "method/decoding_method.h"
#include "method/method_text.h"
#include "method/option_rows.h"
#include "method/orders.h"

namespace lazymar {
namespace {

using P = PlanOptions;

/// A text that `check` reads, or refuses.
OptionField<P> checked(std::string P::*member, const std::vector<std::string>& words,
                       void (*check)(const std::string& text)) {
  OptionField<P> field = text(member, words);
  field.read = [=](P& options, const std::string& given) {
    check(given);
    options.*member = given;
  };
  // Other separators become dashes: 100/50 and 100:50 must not have the same folder.
  field.folder_text = [=](const P& options) {
    std::string name = options.*member;
    std::replace(name.begin(), name.end(), '/', '+');
    return name;
  };
  return field;
}

OptionField<P> order_field() {
  OptionField<P> field = text(
      &P::order, {"random", "raster", "halton", "halton:rolled", "checkerboard:3", "subsample"});
  field.read = [](P& options, const std::string& given) { options.order = order_text(given); };
  return field;
}

OptionField<P> detail_field() {
  OptionField<P> field = checked(&P::detail, {}, [](const std::string& text) {
    HeadSegment segment;
    read_detail(text, segment);
  });
  field.read = [read = field.read](P& options, const std::string& given) {
    read(options, given);
    if (given == "none") {
      options.detail.clear();  // as if it had not been given, also against a preset
    }
  };
  return field;
}

OptionRow<P> plan_row(OptionInfo info, FolderPart folder, OptionField<P> field) {
  info.group = "Sampling";
  info.arm = true;
  info.setting = Setting{.key = info.name, .png_text = true, .noted = true, .drift = true};
  info.folder = std::move(folder);
  return {std::move(info), std::move(field)};
}

}  // namespace

OptionTable<PlanOptions> plan_rows() {
  return {
      plan_row({.name = "order",
                .value = "ORDER",
                .help = "Decode tokens in this order: random, raster, halton, halton:rolled, "
                        "checkerboard:K, subsample, or a file of token numbers."},
               {.label = "order-", .place = 2}, order_field()),
      plan_row({.name = "tokens_per_step",
                .value = "TEXT",
                .help = "Decode by cosine:N, arccos:N, stages:STEPS,... (the order's stages, in "
                        "equal shares), stages:TOKENS/STEPS,... or list:TOKENS,...",
                .default_text = "cosine:N with the N of --num_iter"},
               {.label = "tokens-", .place = 2},
               checked(&P::tokens_per_step, {},
                       [](const std::string& text) {
                         DecodingMethod method;
                         read_tokens_per_step(text, method);
                       })),
      plan_row({.name = "head_steps",
                .value = "TEXT",
                .help = "Take diffusion steps by decoding step: 50:20 falls from 50 to 20. See "
                        "docs/methods.md for curves, starts and partial steps.",
                .default_text = "those of --num_sampling_steps"},
               {.label = "head-", .place = 5},
               checked(&P::head_steps, {}, [](const std::string& text) { read_head_steps(text); })),
      plan_row({.name = "solver",
                .value = "NAME",
                .help = "Sample tokens with this solver of the head's diffusion."},
               {.label = "", .place = 5},
               text(&P::solver, {"ddpm", "ddim", "dpm++2m", "sde-dpm++2m"})),
      plan_row({.name = "last_timestep",
                .value = "T",
                .help = "Begin the diffusion at timestep T of the 1000; later ones move to it."},
               {.label = "clip", .place = 5}, integer(&P::last_timestep, 0, kTrainingSteps - 1)),
      plan_row(
          {.name = "timesteps",
           .value = "WHAT",
           .help =
               "Spread timesteps over all 1000 as MAR does (mar), or up to --last_timestep, evenly "
               "(even) or more densely at its end (quadratic)."},
          {.label = "", .place = 5},
          choice(&P::spacing, {{"mar", "mar"}, {"even", "even"}, {"quadratic", "quadratic"}})),
      plan_row({.name = "detail",
                .value = "SHARE:N",
                .help = "Take N diffusion steps for the share of tokens with the most detail, in "
                        "the last part of --head_steps.",
                .default_text = "none"},
               {.label = "detail-", .place = 5}, detail_field()),
      plan_row(
          {.name = "cache",
           .value = "POLICY",
           .help = "Reuse earlier results by this policy, such as recap or taylor1; --lazy_mar "
                   "chooses LazyMAR's.",
           .default_text = "none"},
          {.label = "", .place = 2},
          checked(&P::cache, {}, [](const std::string& text) { read_cache(text); })),
  };
}

}  // namespace lazymar
