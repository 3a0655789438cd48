#pragma once
/// Changes between all pairs of decoding steps, and between neighbours, as inline SVG.

#include <span>
#include <string>

#include "report/redundancy.h"

namespace lazymar {

/// A square of S x S cells: right the step i of which features are kept, down the later step j that
/// would reuse them; coloured in ten classes of one ramp (viridis: as legible to the colour-blind,
/// and in grey), whose scale stands in the empty half. All maps have one scale.
std::string heat_map(const ChangeMap& map, const std::string& title);

/// Changes from one step to the next, as lines in the colours of the page's classes l0, l1, ...
std::string change_chart(std::span<const ChangeMap* const> maps);

}  // namespace lazymar
