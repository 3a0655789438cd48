#include <utility>

#include "core/option_field.h"
#include "method/option_rows.h"

namespace lazymar {

OptionTable<SamplingOptions> sampling_rows() {
  using S = SamplingOptions;
  constexpr int64_t kMostSteps = (int64_t{1} << 16) - 1;
  const auto row = [](OptionInfo info, OptionField<S> field) {
    info.group = "Sampling";
    info.arm = true;
    info.setting =
        Setting{.key = info.name, .always = true, .png_text = true, .noted = true, .drift = true};
    return OptionRow<S>(std::move(info), std::move(field));
  };
  return {
      row({.name = "num_iter",
           .value = "N",
           .help = "Decode in N steps.",
           .main = true,
           .folder = FolderPart{.label = "iter", .place = 1, .always = true}},
          integer(&S::num_iter, 1, kMostSteps)),
      row({.name = "num_sampling_steps",
           .value = "N",
           .help = "Take N diffusion steps in each decoding step.",
           .folder = FolderPart{.label = "steps", .place = 5}},
          integer(&S::num_sampling_steps, 1, 1000)),
      row({.name = "cfg",
           .value = "X",
           .help = "Set the guidance scale (1: none).",
           .main = true,
           .folder = FolderPart{.label = "cfg", .place = 3}},
          number(&S::cfg, 0, 1000)),
      row({.name = "cfg_schedule",
           .value = "NAME",
           .help = "Let the guidance grow over the decoding steps (linear), or keep it (constant).",
           .folder = FolderPart{.label = "", .place = 4}},
          choice(&S::cfg_schedule,
                 {{"linear", CfgSchedule::kLinear}, {"constant", CfgSchedule::kConstant}})),
      row({.name = "temperature",
           .value = "X",
           .help = "Multiply the noise of every diffusion step by X.",
           .folder = FolderPart{.label = "temp", .place = 6}},
          number(&S::temperature, 0, 100)),
  };
}

}  // namespace lazymar
