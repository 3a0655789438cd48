#include "method/presets.h"

#include <utility>

#include "core/text.h"

namespace lazymar {
namespace {

using enum SourceKind;

constexpr std::string_view kGtrNote =
    "a note on GtR (arXiv:2510.17171), its Algorithm 1 in words; no public code";
constexpr std::string_view kGtrStart =
    "the note does not say; begun at 999, 20 steps leave tokens far off";
constexpr std::string_view kDisa =
    "github Qinyu-Allen-Zhao/DiSA@283fa59, MAR_DiSA/models/diffloss.py and README";
constexpr std::string_view kLazyMar = "github feihongyan1/LazyMAR, models/mar_cache.py";
constexpr std::string_view kRecap =
    "github liebenxj/ReCAP@4d1da38, examples/MAR+ReCAP; its new tokens in decoding order";
constexpr std::string_view kHalton =
    "github valeoai/Halton-MaskGIT@f61b0a1, Sampler/halton_sampler.py";
constexpr std::string_view kChosen =
    "chosen among combinations by what images of the model rules keep; docs/methods.md";
constexpr std::string_view kCombined = "a combination that nobody has published";

using Options = std::vector<PresetOption>;

Options with(Options options, const Options& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

/// GtR in so many steps for its three stages.
Options gtr(std::string_view stages, SourceKind kind, std::string_view source) {
  return {{"order", "checkerboard:3", kSecondHand, kGtrNote},
          {"tokens_per_step", stages, kind, source},
          {"head_steps", "50:20,20@stage3", kSecondHand, kGtrNote},
          {"detail", "0.1:50", kSecondHand, kGtrNote},
          {"timesteps", "even", kOurs, kGtrStart},
          {"last_timestep", "950", kOurs, kGtrStart}};
}

Options gtr_32() {
  return gtr("stages:24,6,2", kSecondHand, kGtrNote);
}

Options gtr_16() {
  return gtr("stages:12,3,1", kOurs, "the note's shares of steps, halved");
}

/// LazyMAR's caches on another method: which, and how often they are refreshed.
Options caches(std::string_view which, std::string_view warmup, std::string_view refresh) {
  return {{"lazy_mar", "", kCode, kLazyMar},
          {"lazy_caches", which, kOurs, kCombined},
          {"lazy_warmup", warmup, kOurs, kCombined},
          {"lazy_refresh", refresh, kOurs, kCombined}};
}

const PresetOption kProgress{"lazy_retain", "progress", kOurs, kCombined};

/// LazyMAR in half as many decoding steps, with what counts steps by progress.
Options lazymar_32() {
  return {{"num_iter", "32", kOurs, "MAR's code takes any number"},
          {"lazy_mar", "", kCode, kLazyMar},
          {"lazy_warmup", "2", kOurs, "5 of 64 steps, scaled"},
          {"lazy_refresh_by", "progress", kOurs, kCombined},
          kProgress};
}

/// Fifteen evaluations of a second-order solver that begins where the noise schedule still bends.
Options ode_15() {
  return {{"solver", "dpm++2m", kPaper, "Lu et al. 2022, arXiv:2211.01095"},
          {"head_steps", "15", kOurs, "DPM-Solver++ is used with 10 to 20 evaluations"},
          {"timesteps", "quadratic", kPaper, "Song et al. 2021, arXiv:2010.02502"},
          {"last_timestep", "950", kCode, kDisa}};
}

std::vector<MethodPreset> mar_presets() {
  return {
      {"mar", "MAR as released.", {}},
      {"cosine-32",
       "MAR in half as many decoding steps.",
       {{"num_iter", "32", kOurs, "MAR's code takes any number"}}},
      {"lazymar", "LazyMAR as released.", {{"lazy_mar", "", kCode, kLazyMar}}},
      {"lazymar-32", "LazyMAR in 32 decoding steps, its tables by progress.", lazymar_32()},
      {"lazymar-ode15", "LazyMAR's token and condition caches, and 15 head evaluations.",
       with(ode_15(), {{"lazy_mar", "", kCode, kLazyMar},
                       {"lazy_caches", "token,condition", kOurs, kCombined}})},
      {"lazymar-fast", "LazyMAR's token and condition caches in 32 steps, and 15 head evaluations.",
       with(with(ode_15(), lazymar_32()), {{"lazy_caches", "token,condition", kOurs, kChosen}})},
      {"disa",
       "DiSA: fewer diffusion steps in later decoding steps.",
       {{"head_steps", "50:5", kCode, kDisa}, {"last_timestep", "950", kCode, kDisa}}},
      {"halton",
       "Halton-MaskGIT's order and token schedule on MAR.",
       {{"order", "halton", kCode, kHalton},
        {"tokens_per_step", "arccos:64", kOurs, "its arccos schedule over MAR's steps"}}},
      {"halton-rolled",
       "The same, begun at a place of each image's own.",
       {{"order", "halton:rolled", kCode, kHalton},
        {"tokens_per_step", "arccos:64", kOurs, "its arccos schedule over MAR's steps"}}},
      {"recap",
       "ReCAP: pairs of a full and a partial step in the second half.",
       {{"cache", "recap", kCode, kRecap},
        {"head_steps", "100/40", kCode,
         "its scripts' --diff_fast_ratio 0.4; as released the code ignores it and takes 50"}}},
  };
}

std::vector<MethodPreset> gtr_presets() {
  return {
      {"gtr-32", "GtR: a coarse half first, in 24, 6 and 2 steps.", gtr_32()},
      {"gtr-16", "GtR in 12, 3 and 1 steps.", gtr_16()},
      {"gtr-8", "GtR in 5, 2 and 1 steps.",
       gtr("stages:5,2,1", kOurs, "the note's shares of steps, quartered")},
      {"gtr-32-condition", "GtR-32 with LazyMAR's condition cache.",
       with(gtr_32(), caches("condition", "3", "5"))},
      {"lazymar-gtr", "GtR-32 with LazyMAR's token and condition caches.",
       with(with(gtr_32(), caches("token,condition", "3", "7")), {kProgress})},
      {"lazymar-gtr-head", "The same with LazyMAR's head cache.",
       with(with(gtr_32(), caches("token,condition,head", "3", "7")),
            {kProgress, {"lazy_head_refresh", "4", kOurs, kCombined}})},
      {"gtr-16-condition", "GtR-16 with LazyMAR's condition cache, refreshed every other step.",
       with(gtr_16(), caches("condition", "1", "2"))},
      {"gtr-16-condition-ode15", "The same with 15 head evaluations.",
       with({gtr_16()[0], gtr_16()[1]}, with(ode_15(), caches("condition", "1", "2")))},
  };
}

std::vector<MethodPreset> all_presets() {
  std::vector<MethodPreset> all = mar_presets();
  for (MethodPreset& preset : gtr_presets()) {
    all.push_back(std::move(preset));
  }
  return all;
}

}  // namespace

std::string_view to_string(SourceKind kind) {
  switch (kind) {
    case kPaper:
      return "paper";
    case kCode:
      return "code";
    case kSecondHand:
      return "second-hand";
    case kOurs:
      return "ours";
  }
  return "";
}

Table<MethodPreset>& presets() {
  static Table<MethodPreset> table("method", all_presets());
  return table;
}

std::string command_line(const MethodPreset& preset) {
  std::vector<std::string> words;
  for (const PresetOption& option : preset.options) {
    words.push_back(concat("--", option.option, option.value.empty() ? "" : " ", option.value));
  }
  return join(words, " ");
}

}  // namespace lazymar
