#include "generate/image_text.h"

#include <nlohmann/json.hpp>
#include <string>

namespace lazymar {
namespace {

using nlohmann::ordered_json;

/// On one line, and in ASCII, which is what tEXt chunks are safe with.
std::string ascii(const ordered_json& value) {
  return value.dump(-1, ' ', /*ensure_ascii=*/true);
}

}  // namespace

PngText image_text(int64_t id, int64_t label, const ordered_json& settings,
                   const ordered_json& weights) {
  ordered_json sampling;
  for (const char* key : {"model", "num_iter", "num_sampling_steps", "cfg", "cfg_schedule",
                          "temperature", "lazy_mar", "precision"}) {
    sampling[key] = settings.at(key);
  }
  return {{"Software", "lazymar"},
          {"id", std::to_string(id)},
          {"class", std::to_string(label)},
          {"seed", ascii(settings.at("seed"))},
          {"weights_sha256", ascii(weights)},
          {"settings", ascii(sampling)}};
}

}  // namespace lazymar
