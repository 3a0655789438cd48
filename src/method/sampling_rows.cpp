#include "core/option_field.h"
#include "method/option_rows.h"

namespace lazymar {

OptionTable<SamplingOptions> sampling_rows() {
  using S = SamplingOptions;
  constexpr const char* kGroup = "Sampling";
  constexpr int64_t kMostSteps = (int64_t{1} << 16) - 1;
  const auto setting = [](const char* key) {
    return Setting{.key = key, .always = true, .png_text = true, .noted = true, .drift = true};
  };
  return {
      {{.name = "num_iter",
        .value = "N",
        .group = kGroup,
        .help = "Decode in N steps.",
        .main = true,
        .arm = true,
        .setting = setting("num_iter"),
        .folder = FolderPart{.label = "iter", .place = 1, .always = true}},
       integer(&S::num_iter, 1, kMostSteps)},
      {{.name = "num_sampling_steps",
        .value = "N",
        .group = kGroup,
        .help = "Take N diffusion steps in each decoding step.",
        .arm = true,
        .setting = setting("num_sampling_steps"),
        .folder = FolderPart{.label = "steps", .place = 5}},
       integer(&S::num_sampling_steps, 1, 1000)},
      {{.name = "cfg",
        .value = "X",
        .group = kGroup,
        .help = "Set the guidance scale (1: none).",
        .main = true,
        .arm = true,
        .setting = setting("cfg"),
        .folder = FolderPart{.label = "cfg", .place = 3}},
       number(&S::cfg, 0, 1000)},
      {{.name = "cfg_schedule",
        .value = "NAME",
        .group = kGroup,
        .help = "Let the guidance grow over the decoding steps (linear), or keep it (constant).",
        .arm = true,
        .setting = setting("cfg_schedule"),
        .folder = FolderPart{.label = "", .place = 4}},
       choice(&S::cfg_schedule,
              {{"linear", CfgSchedule::kLinear}, {"constant", CfgSchedule::kConstant}})},
      {{.name = "temperature",
        .value = "X",
        .group = kGroup,
        .help = "Multiply the noise of every diffusion step by X.",
        .arm = true,
        .setting = setting("temperature"),
        .folder = FolderPart{.label = "temp", .place = 6}},
       number(&S::temperature, 0, 100)},
  };
}

}  // namespace lazymar
