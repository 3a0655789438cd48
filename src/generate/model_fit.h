#pragma once
/// Options against the model that they are meant for.

#include "generate/options.h"

namespace lazymar {

/// The options, with the numbers of the classes that were named. A run and --explain both begin
/// with it. Throws Error (usage) for classes and methods that the model cannot draw.
EvalOptions fit_to_model(const EvalOptions& options, const NetworkShape& shape);

}  // namespace lazymar
