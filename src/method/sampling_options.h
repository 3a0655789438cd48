#pragma once
/// How images are drawn: steps, guidance, temperature.

#include <cstdint>
#include <string_view>

namespace lazymar {

enum class CfgSchedule { kLinear, kConstant };

/// "linear" or "constant"; anything else throws (usage).
CfgSchedule parse_cfg_schedule(std::string_view text);
std::string_view to_string(CfgSchedule schedule);

/// How images are drawn from the network.
struct SamplingOptions {
  int64_t num_iter = 64;             ///< S, decoding steps
  int64_t num_sampling_steps = 100;  ///< T, diffusion steps (1 to 1000)
  double cfg = 3.25;                 ///< guidance scale; 1 means no guidance
  CfgSchedule cfg_schedule = CfgSchedule::kLinear;
  double temperature = 1.0;  ///< factor of the noise added in a diffusion step

  bool guided() const { return cfg != 1.0; }
};

}  // namespace lazymar
