#include "generate/image_text.h"

#include <nlohmann/json.hpp>
#include <string>

namespace lazymar {
namespace {

using nlohmann::ordered_json;

/// On one line and in ASCII, so that it is safe in tEXt chunks.
std::string ascii(const ordered_json& value) {
  return value.dump(-1, ' ', /*ensure_ascii=*/true);
}

}  // namespace

PngText image_text(int64_t id, int64_t label, const ordered_json& settings,
                   const ordered_json& weights, const std::vector<std::string>& keys) {
  ordered_json sampling;
  for (const std::string& key : keys) {
    if (settings.contains(key)) {  // some are written only if they differ from the default
      sampling[key] = settings[key];
    }
  }
  return {{"Software", "lazymar"},
          {"id", std::to_string(id)},
          {"class", std::to_string(label)},
          {"seed", ascii(settings.at("seed"))},
          {"weights_sha256", ascii(weights)},
          {"settings", ascii(sampling)}};
}

}  // namespace lazymar
