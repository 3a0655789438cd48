#pragma once
/// For every class: the cover that keeps its rule and is nearest to an image's cover.

#include "rules/two_colours.h"

namespace lazymar {

/// The nearest, by least squares over pixels, of the covers that class `label` allows. Not for
/// "gradient", whose pictures do not have two distinct colours.
Cover nearest_cover(int64_t label, const Cover& cover);

}  // namespace lazymar
