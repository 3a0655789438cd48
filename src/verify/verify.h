#pragma once
/// Replays a trace and compares every recorded tensor.

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/exit_code.h"
#include "mar/mar.h"
#include "method/decoding_method.h"
#include "vae/kl_decoder.h"
#include "verify/options.h"
#include "verify/trace.h"

namespace lazymar {

/// The method of a trace: MAR, or LazyMAR as released.
DecodingMethod released_method(const Trace& trace);

/// What the replay computed, named as in the trace: z.s, sampled.s, latents, and image if there is
/// a VAE. On the CPU, in the precision of the weights.
std::map<std::string, at::Tensor> replay(const Trace& trace, const Mar& mar, const KlDecoder* vae,
                                         const DecodingMethod& method);

/// Error of one tensor.
struct Difference {
  std::string name;
  double max_abs = 0.0;  ///< largest absolute error
  double nmse = 0.0;     ///< mean squared error / mean square; infinite if a value is not finite
};

/// One entry per recorded output, worst NMSE first. A recorded output that was not computed, or has
/// another shape, counts as an infinite error; `image` is left out if the replay had no VAE.
std::vector<Difference> compare(const Trace& trace,
                                const std::map<std::string, at::Tensor>& computed);

/// lazymar_verify: replays, prints one line per tensor (worst first) and the verdict. kFailed if a
/// tensor is above the tolerance.
ExitCode verify(const VerifyOptions& options);

}  // namespace lazymar
