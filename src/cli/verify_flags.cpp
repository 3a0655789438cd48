#include "cli/arguments.h"
#include "cli/commands.h"
#include "core/error.h"

namespace lazymar {
namespace {

const OptionSpec kVerifyOptions[] = {
    {"Replay", "trace", "folder of the recorded run, trace.safetensors and its weights", "DIR"},
    {"Replay", "weights", "the MAR's weights (the trace's own)", "FILE"},
    {"Replay", "vae", "the VAE's weights (the trace's own)", "FILE"},
    {"Replay", "tolerance", "largest NMSE (1e-10 in fp64, 1e-7 in fp32, 2e-3 in bf16 and fp16)",
     "X"},
    {"Replay", "dump", "write what was computed, in the trace's layout", "FILE"},
    {"Replay", "precision", "fp64, fp32, bf16, fp16 or auto (fp64)", "TYPE"},
    {"Replay", "cuda_graphs", "replay the diffusion loop as CUDA graphs: on or off (on)", "WHAT"},
    {"Replay", "device", "auto, cpu, cuda, cuda:N (auto)", "NAME"},
    {"Replay", "threads", "CPU threads (all cores)", "N"},
};

}  // namespace

Parsed<VerifyOptions> parse_verify_options(int argc, const char* const* argv) {
  const Arguments arguments("lazymar_verify",
                            "Replays a recorded run of the original and compares every tensor.",
                            kVerifyOptions, argc, argv);
  Parsed<VerifyOptions> parsed;
  parsed.text = arguments.information();
  VerifyOptions& options = parsed.options;
  if (!parsed.text && !arguments.given("trace")) {
    throw usage_error("--trace DIR is needed; --help lists the options");
  }
  arguments.read("trace", options.trace);
  arguments.read("weights", options.weights);
  arguments.read("vae", options.vae);
  arguments.read("dump", options.dump);
  arguments.read_number("tolerance", options.tolerance, 0, 1e30);
  if (arguments.given("precision")) {
    options.precision = parse_precision(arguments.text("precision"));
  }
  arguments.read("device", options.device);
  options.cuda_graphs = !arguments.is_second("cuda_graphs", "on", "off");
  arguments.read_integer("threads", options.threads, 1, 1 << 12);
  return parsed;
}

}  // namespace lazymar
