#pragma once
/// What a PNG says of itself: everything that drawing it again takes.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "formats/png.h"

namespace lazymar {

/// Texts under "Software", "id", "class", "seed", "weights_sha256" and "settings". Nothing of
/// revision, rank, host, device and time: equal images shall be equal files. `settings`: the
/// manifest's, `weights`: the hashes of RunFolder::settle_weights().
/// `keys`: which settings, SettingKeys::png_text.
PngText image_text(int64_t id, int64_t label, const nlohmann::ordered_json& settings,
                   const nlohmann::ordered_json& weights, const std::vector<std::string>& keys);

}  // namespace lazymar
