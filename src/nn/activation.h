#pragma once

namespace lazymar {

/// The function applied to a product before it is stored.
enum class Activation { kNone, kGelu, kTanhGelu, kSilu };

}  // namespace lazymar
