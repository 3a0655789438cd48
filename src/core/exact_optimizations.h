#pragma once
/// Work that both methods skip because it cannot change the result beyond rounding.

namespace lazymar {

/// Work that can be skipped without changing the result beyond rounding. docs/optimizations.md
/// explains the ids. All are on; tests turn each one off and compare.
struct ExactOptimizations {
  bool time_table = true;      ///< H1: the head's time embeddings once per process
  bool condition_once = true;  ///< H2: cond_embed(z) once per decoding step
  bool gate_only = true;       ///< H3: only the gate of adaptive layers if nothing else is used
  bool first_step = true;      ///< S0: z of step 0 once per class
  bool row_inputs = true;     ///< D2, D4, E: a row's inputs to the first block only when it changes
  bool needed_rows = true;    ///< D1, D3: the last block's output only for rows that are read
  bool kept_queries = true;   ///< D5: the pruning layer's queries only for rows that are kept
  bool needed_stores = true;  ///< store decoder rows only if the next step skips rows
};

}  // namespace lazymar
