#include "core/shared_rows.h"
#include "verify/options.h"

namespace lazymar {

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
        .default_text = concat(parse_precision("fp64")->verify_tolerance, " in fp64, ",
                               parse_precision("fp32")->verify_tolerance, " in fp32, ",
                               parse_precision("bf16")->verify_tolerance, " in bf16 and fp16"),
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
      {{.name = "self_check",
        .group = kReplay,
        .help =
            "Compare what this processor or GPU computes by code of its own with plain LibTorch, "
            "operation by operation, instead of replaying a trace.",
        .main = true},
       flag(&V::self_check)},
      device_row(&V::device),
      precision_row(&V::precision),
      threads_row(&V::threads),
      cuda_graphs_row(&V::cuda_graphs),
      head_blocks_row(&V::head_blocks),
      kernels_row(&V::kernels),
  };
}

}  // namespace lazymar
