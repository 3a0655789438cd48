#pragma once
/// Work that both methods skip because it cannot change the result beyond rounding.

namespace lazymar {

/// Work that is left out without changing anything but rounding, with its customary id where it has
/// one. All are on; tests switch each one off and compare.
struct ExactOptimizations {
  bool time_table = true;      ///< H1: the head's time embeddings once per process
  bool condition_once = true;  ///< H2: cond_embed(z) once per decoding step
  bool gate_only = true;       ///< H3: of adaptive layers only the gate where nothing else is used
  bool first_step = true;      ///< S0: z of step 0 once per class
  bool row_inputs = true;      ///< D2, D4, E: a row's way into the first block only when it changes
  bool needed_rows = true;     ///< D1, D3: the last block's output only where it is asked for
  bool kept_queries = true;    ///< D5: the pruning layer's queries only for rows that are kept
  bool needed_stores = true;   ///< decoder rows cached only for a next step that leaves rows out
};

}  // namespace lazymar
