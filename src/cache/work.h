#pragma once
/// What a cache policy executes, counted on paper, for one image: what the FLOP formulas read. The
/// counter of what is executed (nn/flops.h) has to arrive at the same numbers.

#include <cstdint>

namespace lazymar {

/// One decoding step's transformer.
struct StepWork {
  int64_t halves = 1;        ///< that are computed; 2 with guidance unless one is derived
  int64_t encoder_rows = 0;  ///< rows that go through the encoder, and enter the decoder anew
  int64_t kept_rows = 0;     ///< decoder rows from behind layer prune_layer's attention on
  int64_t prune_layer = 0;   ///< no meaning if all rows are kept
  int64_t first_needed = 0;  ///< rows [first_needed, masked) of the decoder's output have a use
  double share = 1.0;        ///< kept of all rows, nominally: steps of one share cost alike
};

/// One decoding step's head: how many diffusion steps are of which kind.
struct HeadWork {
  int64_t full = 0;           ///< both halves, all blocks
  int64_t recomputed = 0;     ///< conditional rows; adaLN and MLP of the active blocks
  int64_t reused = 0;         ///< conditional rows; gates of the active blocks
  int64_t active_blocks = 0;  ///< that the cheaper two kinds compute
};

}  // namespace lazymar
