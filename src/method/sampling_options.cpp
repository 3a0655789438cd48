#include "method/sampling_options.h"

#include "core/error.h"

namespace lazymar {

CfgSchedule parse_cfg_schedule(std::string_view text) {
  if (text == "linear") {
    return CfgSchedule::kLinear;
  }
  if (text == "constant") {
    return CfgSchedule::kConstant;
  }
  throw usage_error("cfg_schedule ", text, ": use linear or constant");
}

std::string_view to_string(CfgSchedule schedule) {
  return schedule == CfgSchedule::kLinear ? "linear" : "constant";
}

}  // namespace lazymar
