#pragma once
/// A decoding method in words: what --explain prints.

#include <string>

#include "generate/options.h"

namespace lazymar {

/// Every option that differs from MAR as released, with the source of its value; the decoding steps
/// with their tokens and diffusion steps; FLOPs by component for the model at hand. Loads no
/// weights. Throws Error (usage) for options that a run refuses whatever the machine.
std::string explain_method(const EvalOptions& given);

}  // namespace lazymar
