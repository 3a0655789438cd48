#pragma once
/// What a cache policy executes for one image, derived on paper: the input of the FLOP formulas.
/// The counter of executed work (nn/flops.h) must give the same numbers.

#include <cstdint>

namespace lazymar {

/// One decoding step's transformer.
struct StepWork {
  int64_t halves = 1;        ///< that are computed; 2 with guidance unless one is derived
  int64_t encoder_rows = 0;  ///< rows that pass the encoder and become new decoder inputs
  int64_t kept_rows = 0;     ///< decoder rows after layer prune_layer's attention
  int64_t prune_layer = 0;   ///< unused if all rows are kept
  int64_t first_needed = 0;  ///< rows [first_needed, masked) of the decoder's output are used
  double share = 1.0;        ///< nominal share of kept rows: steps of equal share cost the same
};

/// One decoding step's head: how many diffusion steps are of which kind.
struct HeadWork {
  int64_t full = 0;           ///< both halves, all blocks
  int64_t recomputed = 0;     ///< conditional rows; adaLN and MLP of the active blocks
  int64_t reused = 0;         ///< conditional rows; gates of the active blocks
  int64_t active_blocks = 0;  ///< that the cheaper two kinds compute
};

/// What a policy holds between steps for one image, in numbers: the bytes of Runner::kept_bytes()
/// and HeadRunner::kept_bytes() once an image is drawn. Of the head, it is what its last decoding
/// step with tokens needs.
struct KeptNumbers {
  int64_t products = 0;     ///< of the products' type: keys, values, outputs of MLPs
  int64_t activations = 0;  ///< of the activations' type
};

}  // namespace lazymar
