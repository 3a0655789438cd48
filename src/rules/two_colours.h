#pragma once
/// An image seen as a mix of two colours, a light ground and a dark figure.

#include <array>
#include <cstdint>
#include <span>

#include "rules/rules.h"

namespace lazymar {

using Colour = std::array<float, 3>;  ///< levels, 0 to 255

/// The figure's share of every pixel, row by row, 0 to 1.
using Cover = std::array<float, kRuleSide * kRuleSide>;

struct TwoColours {
  Colour ground{}, figure{};

  /// Colour of a pixel that the figure covers by `share`.
  Colour mix(float share) const;
};

/// Splits pixels by lightness into two groups (two-means) and takes each group's median per
/// channel, so that small areas of other colours do not matter.
TwoColours find_colours(std::span<const uint8_t> rgb);

/// Share of the figure's colour in every pixel: the nearest mix, clamped to [0, 1].
Cover find_cover(std::span<const uint8_t> rgb, const TwoColours& colours);

}  // namespace lazymar
