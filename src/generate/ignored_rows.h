#pragma once
/// Options of eval.py and main_mar.py that have no effect here.

#include "generate/options.h"

namespace lazymar {

/// Hidden rows that accept them; their names go to EvalOptions::ignored.
OptionTable<EvalOptions> ignored_rows();

}  // namespace lazymar
