#pragma once
/// ReCAP's cache (Liu et al., arXiv:2505.19089; examples/MAR+ReCAP of github
/// liebenxj/ReCAP@4d1da38) as a row of the table of cache policies.

#include "cache/policies.h"

namespace lazymar {

/// From half of the decoding steps on, every second one is partial. A full step keeps every layer's
/// keys and values of both halves. A partial one encodes the buffer and the tokens just decoded
/// over the keys and values of the others; its decoder computes these rows and those to predict.
///
/// The released code gives the first tokens of a pair in raster order, whatever the decoding order;
/// here they are the next ones of the order, as the paper says.
///
/// Option "full": how many steps are full before the first pair; default: half of them.
CachePolicy recap_policy();

}  // namespace lazymar
