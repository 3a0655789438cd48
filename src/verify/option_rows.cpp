#include "core/shared_rows.h"
#include "verify/options.h"

namespace lazymar {

double default_tolerance(Precision precision) {
  switch (precision) {
    case Precision::kFp64:
      return 1e-10;
    case Precision::kBf16:
    case Precision::kFp16:
      return 2e-3;
    default:
      return 1e-7;
  }
}

OptionTable<VerifyOptions> verify_rows() {
  using V = VerifyOptions;
  constexpr const char* kReplay = "Replay";
  return {
      {{.name = "trace",
        .value = "DIR",
        .group = kReplay,
        .help = "Replay the trace in DIR: trace.safetensors and its weights.",
        .main = true},
       path(&V::trace)},
      {{.name = "tolerance",
        .value = "X",
        .group = kReplay,
        .help = "Accept a normalized mean squared error up to X.",
        .default_text = concat(default_tolerance(Precision::kFp64), " in fp64, ",
                               default_tolerance(Precision::kFp32), " in fp32, ",
                               default_tolerance(Precision::kBf16), " in bf16 and fp16"),
        .main = true},
       number(&V::tolerance, 0, 1e30)},
      {{.name = "weights",
        .value = "FILE",
        .group = kReplay,
        .help = "Load the MAR's weights from FILE.",
        .default_text = "the trace's own",
        .main = true},
       path(&V::weights)},
      {{.name = "vae",
        .value = "FILE",
        .group = kReplay,
        .help = "Load the VAE's weights from FILE.",
        .default_text = "the trace's own",
        .main = true},
       path(&V::vae)},
      {{.name = "dump",
        .value = "FILE",
        .group = kReplay,
        .help = "Write what was computed to FILE, in the trace's layout.",
        .main = true},
       path(&V::dump)},
      device_row(&V::device),
      precision_row(&V::precision),
      threads_row(&V::threads),
      cuda_graphs_row(&V::cuda_graphs),
  };
}

}  // namespace lazymar
