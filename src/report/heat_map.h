#pragma once
/// Changes between all pairs of decoding steps, and between neighbours, as inline SVG.

#include <span>
#include <string>

#include "report/redundancy.h"

namespace lazymar {

/// A square of S x S cells: to the right, the step i whose outputs are stored; downwards, the later
/// step j that would reuse them. Coloured in ten classes of one ramp (viridis: legible to the
/// colour-blind and in grey), whose scale is in the empty half. All maps share one scale.
std::string heat_map(const ChangeMap& map, const std::string& title);

/// Changes from one step to the next, as lines in the colours of the page's classes l0, l1, ...
std::string change_chart(std::span<const ChangeMap* const> maps);

}  // namespace lazymar
