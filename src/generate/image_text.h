#pragma once
/// Metadata of a PNG: everything needed to generate it again.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "formats/png.h"

namespace lazymar {

/// Texts under "Software", "id", "class", "seed", "weights_sha256" and "settings". No revision,
/// rank, host, device or time, so that equal images are equal files. `settings`: the manifest's,
/// `weights`: the hashes of RunFolder::settle_weights().
/// `keys`: which settings, SettingKeys::png_text.
PngText image_text(int64_t id, int64_t label, const nlohmann::ordered_json& settings,
                   const nlohmann::ordered_json& weights, const std::vector<std::string>& keys);

}  // namespace lazymar
